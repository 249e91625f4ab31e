#!/usr/bin/perl
# Metrics: what all processes of the host counted, in the form of Prometheus and
# as JSON; nothing of another tenant; a process that dies is not counted on.
use strict;
use warnings;

use File::Temp qw(tempdir);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Campaign;
use Kaireon::Stack;

my $shared = tempdir('krn-metrics-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $stack = Kaireon::Stack->new(settings => { METRICS_FILE => "$shared/registry" });
$stack->pool('api', 8)->pool('cron', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 30);
my $other = $stack->tenant('two');
my $runs = '/api/v1/runs';

sub metrics {
	my $answer = $stack->request('GET', '/metrics', pool => 'cron');
	is($answer->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8', 'the form of Prometheus') if !$stack->{seen}++;
	return $answer->{body};
}
# the value of a series
sub value {
	my ($text, $series) = @_;
	return $text =~ /^\Q$series\E (\S+)$/m ? $1 : undef;
}
sub summary { return $stack->request('GET', '/api/v1/metrics/summary', key => $_[0] || $demo->{key}{admin})->{json} }

# every request of eight processes is counted once
$stack->parallel(10, sub { $stack->request('GET', $runs, key => $demo->{key}{viewer}) for 1 .. 30; $stack->request('GET', $runs) for 1 .. 5; return 1 });
# a request is counted after its answer
$stack->wait_for('all to be counted', sub { (value(metrics(), 'kaireon_http_requests_total{pool="api",route="campaign.list",status="200"}') // 0) >= 300 });
my $text = metrics();
is(value($text, 'kaireon_http_requests_total{pool="api",route="campaign.list",status="200"}'), 300, 'three hundred requests');
is(value($text, 'kaireon_http_requests_total{pool="api",route="campaign.list",status="401"}'), 50, 'and fifty that were refused');
my $labels = 'pool="api",method="GET",route="campaign.list",status="200"';
is(value($text, "kaireon_http_request_duration_seconds_count{$labels}"), 300, 'their times too');
is(value($text, "kaireon_http_request_duration_seconds_bucket{$labels,le=\"+Inf\"}"), 300, 'the last bucket has all');
my @buckets = $text =~ /^kaireon_http_request_duration_seconds_bucket\{\Q$labels\E,le="[^"]+"\} (\S+)$/mg;
is(scalar @buckets, 14, 'fourteen buckets');
is_deeply([@buckets], [sort { $a <=> $b } @buckets], 'each with those before it');
cmp_ok(value($text, "kaireon_http_request_duration_seconds_sum{$labels}"), '>', 0, 'and their sum');
cmp_ok(value($text, 'kaireon_database_seconds_total{pool="api"}'), '>', 0, 'how long the database was waited for');
is(value($text, 'kaireon_metrics_dropped_total'), 0, 'nothing was dropped');

# who is there and who is busy; the one that asks is
is(value($text, 'kaireon_workers{pool="api",state="idle"}'), 8, 'eight processes of the API are idle');
is(value($text, 'kaireon_workers{pool="cron",state="busy"}'), 1, 'the one that answers is busy');
open my $psql, '|-', 'psql', '-qX', '-h', "$stack->{dir}/sock", '-U', 'kaireon_owner', '-d', 'kaireon' or die $!;
$psql->autoflush(1);
print $psql "BEGIN; LOCK TABLE kaireon.campaigns IN ACCESS EXCLUSIVE MODE;\n";
$stack->wait_for('the lock', sub { $stack->query('postgres', "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'kaireon.campaigns'::regclass") });
my @waiting = map { my $pid = fork // die $!; if (!$pid) { eval { $stack->request('GET', $runs, key => $demo->{key}{viewer}) }; POSIX::_exit(0) } $pid } 1 .. 3;
ok($stack->wait_for('three to be busy', sub { (value(metrics(), 'kaireon_workers{pool="api",state="busy"}') // 0) == 3 }), 'three that wait for a lock are busy');
my ($victim) = $stack->query('postgres', "SELECT substring(application_name FROM '\\d+') FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'kaireon-fcgi api%' LIMIT 1");
kill 'KILL', $victim;
my ($name) = grep { $stack->{pids}{$_} == $victim } keys %{ $stack->{pids} };
waitpid $victim, 0;
delete $stack->{pids}{$name};
ok($stack->wait_for('it to be missed', sub { my $t = metrics(); value($t, 'kaireon_workers{pool="api",state="busy"}') == 2 && value($t, 'kaireon_workers{pool="api",state="idle"}') == 5 }),
	'one that was killed is neither busy nor idle');
close $psql;
waitpid $_, 0 for @waiting;

# jobs, the queue
my $campaign = $demo->campaign(name => 'measured');
my $run = $demo->trigger($campaign);
$text = metrics();
is(value($text, 'kaireon_queue_jobs{tenant="one",topic="campaign_runs",state="waiting"}'), 1, 'a job waits');
cmp_ok(value($text, 'kaireon_queue_oldest_seconds{tenant="one",topic="campaign_runs"}') // -1, '>=', 0, 'since when');
$stack->worker;
is($demo->finished($campaign, $run)->{status}, 'completed', 'a run ends');
is($stack->wait_for('its jobs to be counted', sub { value(metrics(), 'kaireon_jobs_total{kind="run_finish",outcome="done"}') }), 1, 'its jobs are counted');
$text = metrics();
is(value($text, 'kaireon_job_duration_seconds_count{kind="run_plan"}'), 1, 'with their times');
cmp_ok(value($text, 'kaireon_database_seconds_total{pool="worker"}'), '>', 0, 'and how long the worker waited for the database');
my $summed = $stack->owner("SELECT (summary->>'decisions')::int || ' ' || (SELECT sum(value::int) FROM jsonb_each_text(summary->'droppedBy') WHERE key <> 'volume') FROM kaireon.campaign_runs WHERE id = '$run'");
my ($decisions, $dropped) = split ' ', $summed;
is(value($text, 'kaireon_decision_delivery_total'), $decisions, 'decisions that were delivered');
cmp_ok(value($text, 'kaireon_offers_evaluated_total'), '>=', $decisions + $dropped, 'and pairs that were looked at for them');

# a long queue: what was counted is told, and then counted anew
sub waiting { return value($_[0] // metrics(), 'kaireon_queue_jobs{tenant="one",topic="long",state="waiting"}') // 0 }
sub counted { my ($when) = @_; $stack->owner("UPDATE kaireon.queue_counted SET at = now() - interval '$when', took = '0'") }
$stack->stop('worker');
# what is deleted keeps its pages
$stack->query('postgres', "ALTER TABLE kaireon.jobs SET (autovacuum_enabled = off);
	INSERT INTO kaireon.jobs (tenant_id, id, topic, kind) SELECT 'one', 'long' || n, 'long', 'x' FROM generate_series(1, 40000) AS n");
is(waiting(), 40000, 'a long queue that nobody has counted yet is counted');
ok($stack->wait_for('a count', sub { $stack->owner("SELECT waiting FROM kaireon.queue_counts WHERE topic = 'long'") eq 40000 }), 'and that is kept');
$stack->query('postgres', "DELETE FROM kaireon.jobs WHERE topic = 'long' AND id > 'long2'; UPDATE kaireon.jobs SET leased_until = now() + interval '1 hour' WHERE id = 'long1'");
my $rest = $stack->owner("SELECT count(*) FROM kaireon.jobs WHERE topic = 'long' AND leased_until IS NULL");
is(waiting(), 40000, 'for the next scrape');
is(summary()->{kaireon_queue_jobs}{values}[0]{value}, 40000, 'and for the summary');
counted('11 seconds');
is(waiting(), 40000, 'the one that finds it old tells it still');
ok($stack->wait_for('the next count', sub { waiting() == $rest }), 'and then it is counted anew');
is(value(metrics(), 'kaireon_queue_jobs{tenant="one",topic="long",state="leased"}'), 1, 'with those at work');
$stack->query('postgres', "DELETE FROM kaireon.jobs WHERE topic = 'long'");
counted('2 minutes');
is(waiting(), 0, 'one that is too old is not told');
counted('11 seconds');
is(join(' ', sort { $a cmp $b } $stack->parallel(6, sub { $stack->query('kaireon_worker', 'SELECT kaireon.queue_count()') })), 'f f f f f t', 'one counts, however many want to');
$stack->query('postgres', 'VACUUM FULL kaireon.jobs');
is($stack->query('kaireon_worker', 'SELECT kaireon.queue_count_holds()'), 'f', 'a short queue is counted whenever somebody asks');

# dead letters of both tenants: the operator sees them, a tenant its own
$stack->owner("INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, retry_count) SELECT t, 'd' || n, 'alert_deliveries', 'x', '{}', 'x', 1
	FROM unnest(ARRAY['one', 'two']) AS t, generate_series(1, 4) AS n");
$text = metrics();
is(value($text, "kaireon_dlq_depth{tenant=\"$_\"}"), 4, "the operator sees the dead letters of $_") for qw(one two);
my $json = summary();
is_deeply([sort keys %{ $json->{kaireon_dlq_depth} }], [qw(help name type values)], 'a family of the summary');
is_deeply($json->{kaireon_dlq_depth}{values}, [{ labels => { tenant => 'one' }, value => 4 }], 'of the tenant alone');
unlike(encode_json($json), qr/"tenant":"two"/, 'no other tenant is in it');
my ($count) = grep { ($_->{metricName} // '') =~ /_count$/ && $_->{labels}{route} eq 'campaign.list' && $_->{labels}{status} eq '200' } @{ $json->{kaireon_http_request_duration_seconds}{values} };
cmp_ok($count->{value}, '>=', 300, 'a histogram lists its count');
is(scalar(grep { $_->{labels}{le} && $_->{labels}{route} eq 'campaign.list' && $_->{labels}{status} eq '401' } @{ $json->{kaireon_http_request_duration_seconds}{values} }), 14, 'and its buckets');
my %text_families = map { $_ => 1 } $text =~ /^# TYPE (\S+)/mg;
is_deeply([sort keys %$json], [sort keys %text_families], 'both forms have the same families');
is(scalar(() = $text =~ /^# HELP/mg), scalar keys %text_families, 'each with its help');

# a process that begins anew goes on counting where the others are
$stack->stop('api2');
cmp_ok(value(metrics(), 'kaireon_http_requests_total{pool="api",route="campaign.list",status="200"}'), '>=', 300, 'what was counted stays');

SKIP: {
	local $ENV{PATH} = "$stack->{build}/promtool:$ENV{PATH}"; # where script/promtool puts it
	skip 'promtool is not there: script/promtool fetches it', 1 if !grep { -x "$_/promtool" } split /:/, $ENV{PATH};
	$stack->spew("$stack->{dir}/metrics.txt", metrics());
	my $said = `promtool check metrics <$stack->{dir}/metrics.txt 2>&1`;
	is($? . $said, '0', 'promtool has nothing to say');
}

# a file that is none of ours is left alone
$stack->spew("$shared/other", 'something else');
$stack->{settings}{METRICS_FILE} = "$shared/other";
$stack->spawn('single', undef, "$stack->{build}/kaireon-worker", '--once');
waitpid delete $stack->{pids}{single}, 0;
is($stack->slurp("$shared/other"), 'something else', 'a file that is no registry is not touched');
like($stack->slurp("$stack->{dir}/log/single.log"), qr/metrics are not shared/, 'and the log says so');

$stack->end;
done_testing;
