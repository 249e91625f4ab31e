#!/usr/bin/perl
# Dead letters: listed and counted, retried once however many ask, purged; a
# retried one keeps its id, its payload and its history.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { LOCK_TIMEOUT_MS => 60000 });
$stack->pool('api', 8)->pool('cron', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 30);
my $key = $demo->{key};
my $other = $stack->tenant('two');
my $dlq = '/api/v1/admin/dlq';
my @topics = qw(campaign_runs interaction_events alert_deliveries report_deliveries);

sub list { my ($query, $as) = @_; return $stack->request('GET', $dlq . ($query // ''), key => $as || $key->{admin})->{json} }
sub move { my ($body, $as) = @_; return $stack->request('POST', $dlq, key => $as || $key->{admin}, body => $body) }
sub fill {
	my ($tenant, $topic, $nr) = @_;
	$stack->owner("INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, errors, retry_count, failed_at)
		SELECT '$tenant', 'dle_${topic}_' || lpad(n::text, 6, '0'), '$topic', 'test', jsonb_build_object('n', n), 'broken ' || n,
		       '[{\"at\": \"2026-01-01T00:00:00.000Z\", \"attempt\": 1, \"error\": \"first\"}]', 3, '2026-01-01'::timestamptz + n * interval '1 second'
		FROM generate_series(1, $nr) AS n");
}
sub letters { return $stack->owner("SELECT count(*) FROM kaireon.dead_letter_events WHERE tenant_id = '$_[0]'") }
sub jobs { return $stack->owner("SELECT count(*) FROM kaireon.jobs WHERE tenant_id = '$_[0]' AND kind = 'test'") }

# nothing, some, many
is_deeply(list(), { totalEvents => 0, byTopic => {}, events => [], alert => 'OK' }, 'an empty queue');
fill('one', 'interaction_events', 10);
is(list()->{alert}, 'OK', 'ten are OK');
fill('one', 'alert_deliveries', 90);
is(list()->{alert}, 'WARNING', 'a hundred are a warning');
fill('one', 'report_deliveries', 1);
my $all = list();
is($all->{alert}, 'CRITICAL', 'more are critical');
is_deeply([@$all{qw(totalEvents byTopic)}], [101, { interaction_events => 10, alert_deliveries => 90, report_deliveries => 1 }], 'counted by topic');
is(scalar @{ $all->{events} }, 50, 'fifty are shown');
is_deeply($all->{events}[0], { id => 'dle_alert_deliveries_000090', topic => 'alert_deliveries', payload => { n => 90 }, error => 'broken 90', retryCount => 3,
	failedAt => '2026-01-01T00:01:30.000Z', errors => [{ at => '2026-01-01T00:00:00.000Z', attempt => 1, error => 'first' }] }, 'newest first, with its history');
my $some = list('?topic=interaction_events&limit=3');
is_deeply([map { $_->{payload}{n} } @{ $some->{events} }], [10, 9, 8], 'of a topic');
is($some->{totalEvents}, 101, 'the counts are of the whole queue');
is($stack->request('GET', "$dlq?$_", key => $key->{admin})->{status}, 400, $_) for qw(limit=0 limit=201 topic=pipeline_runs);
is(list('', $other->{admin})->{totalEvents}, 0, "another tenant's queue is its own");

# what is refused
is(move($_)->{status}, 400, encode_json($_)) for {}, { action => 'forget' }, { action => 'retry', topic => 'x' }, { action => 'retry', eventIds => 'x' },
	{ action => 'retry', eventIds => [1] }, { action => 'purge', nothing => 1 };
is(letters('one'), 101, 'and moves nothing');

# filters
my @ids = map { sprintf 'dle_interaction_events_%06d', $_ } 1 .. 4;
is_deeply(move({ action => 'retry', eventIds => [] })->{json}, { action => 'retry', requeued => 0 }, 'an empty list matches nothing');
is(move({ action => 'retry', eventIds => [@ids], topic => 'alert_deliveries' })->{json}{requeued}, 0, 'both filters must hold');
is(move({ action => 'retry', eventIds => [@ids] }, $other->{admin})->{json}{requeued}, 0, "another tenant's ids are not there");
is_deeply(move({ action => 'retry', eventIds => [@ids[0, 1], 'dle_nothing', $ids[0]] })->{json}, { action => 'retry', requeued => 2 }, 'an id that is not there is not counted');
is_deeply(move({ action => 'purge', eventIds => [$ids[2]] })->{json}, { action => 'purge', deleted => 1 }, 'one is purged');
is(move({ action => 'purge', topic => 'report_deliveries', eventIds => undef })->{json}{deleted}, 1, 'a topic is purged');
is(list()->{totalEvents}, 97, 'the counts follow');
is($stack->owner("SELECT string_agg(id || ' ' || topic || ' ' || (payload->>'n') || ' ' || (errors->0->>'error') || ' ' || attempts, ', ' ORDER BY id) FROM kaireon.jobs WHERE tenant_id = 'one'"),
	'dle_interaction_events_000001 interaction_events 1 first 0, dle_interaction_events_000002 interaction_events 2 first 0', 'a retried one keeps id, payload and history');

# fifty callers at once
$stack->owner("DELETE FROM kaireon.jobs");
my $left = letters('one');
my @answers = $stack->parallel(50, sub { my $a = move({ action => 'retry' }); return [$a->{status}, $a->{json}{requeued}] });
is(scalar(grep { $_->[0] == 200 } @answers), 50, 'fifty callers at once are answered');
my $requeued = 0;
$requeued += $_->[1] for @answers;
is($requeued, $left, 'and requeue each once');
is(jobs('one') . ' ' . letters('one'), "$left 0", 'in its queue, and gone from the list');
fill('one', 'alert_deliveries', 300);
$stack->owner("DELETE FROM kaireon.jobs");
@answers = $stack->parallel(24, sub {
	my ($n) = @_;
	my $a = move($n % 3 == 0 ? { action => 'purge', eventIds => [map { sprintf 'dle_alert_deliveries_%06d', $_ } $n * 10 .. $n * 10 + 60] }
		: $n % 3 == 1 ? { action => 'retry', topic => 'alert_deliveries', eventIds => [map { sprintf 'dle_alert_deliveries_%06d', 300 - $_ } $n * 10 .. $n * 10 + 60] }
		: { action => 'retry', eventIds => [map { sprintf 'dle_alert_deliveries_%06d', $_ } reverse 1 .. 200] });
	return [$a->{status}, $a->{json}{requeued} // 0, $a->{json}{deleted} // 0];
});
my ($retried, $purged) = (0, 0);
$retried += $_->[1], $purged += $_->[2] for @answers;
is(scalar(grep { $_->[0] != 200 } @answers), 0, 'retries and purges of the same events end');
is($retried + $purged + letters('one'), 300, 'each event went one way');
is(jobs('one'), $retried, 'those that were retried are jobs');
is(list()->{totalEvents}, letters('one'), 'and the count is right');
is($stack->owner("SELECT count(*) FROM kaireon.audit_logs WHERE tenant_id = 'one' AND action = 'dlq.retry'") > 50, 1, 'with an audit row each');

# the caller dies, the database stops: all or nothing
$stack->owner("DELETE FROM kaireon.jobs; DELETE FROM kaireon.dead_letter_events");
fill('one', 'alert_deliveries', 20000);
$stack->announce(qr/sqlstate=57P01|lost the connection|UNAVAILABLE/);
for my $trial (1 .. 6) {
	my $pid = fork // die $!;
	if (!$pid) { eval { move({ action => 'retry' }) }; POSIX::_exit(0) }
	Time::HiRes::sleep(rand 0.3);
	$stack->query('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'kaireon_api' AND state <> 'idle'");
	waitpid $pid, 0;
	is(jobs('one') + letters('one'), 20000, "trial $trial: none is lost, none is there twice");
	$stack->owner("WITH back AS (DELETE FROM kaireon.jobs RETURNING *) INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, retry_count)
		SELECT tenant_id, id, topic, kind, payload, 'x', 1 FROM back");
}
$stack->owner("DELETE FROM kaireon.dead_letter_events");
is(list()->{totalEvents}, 0, 'the count is right to the end');

# a run that failed begins anew when its dead letter is retried
$stack->announce(qr/job failed/);
$stack->worker('worker');
my $campaign = $demo->campaign(name => 'doomed');
$stack->owner("ALTER VIEW t_one.$demo->{segment}{viewName} RENAME TO hidden");
my $run = $demo->trigger($campaign);
is($demo->finished($campaign, $run)->{status}, 'failed', 'a run fails');
my $dead = list('?topic=campaign_runs')->{events};
is(scalar @$dead . " $dead->[0]{payload}{runId}", "1 $run", 'and leaves a dead letter');
is(move({ action => 'retry', eventIds => [$dead->[0]{id}] })->{json}{requeued}, 1, 'which is retried');
is($demo->finished($campaign, $run)->{status}, 'failed', 'in vain');
my $again = list('?topic=campaign_runs')->{events};
is($again->[0]{id}, $dead->[0]{id}, 'it comes back under its id');
is_deeply($again->[0]{payload}, $dead->[0]{payload}, 'with its payload');
is(scalar @{ $again->[0]{errors} }, 2, 'and both errors');
$stack->owner("ALTER VIEW t_one.hidden RENAME TO $demo->{segment}{viewName}");
move({ action => 'retry', topic => 'campaign_runs' });
is($demo->finished($campaign, $run)->{status}, 'completed', 'retried when the cause is gone, the run completes');
is(list()->{totalEvents}, 0, 'and nothing is left');

# runs that cannot begin anew stay in the list
$stack->owner("ALTER VIEW t_one.$demo->{segment}{viewName} RENAME TO hidden");
my @failed = map { $demo->trigger($campaign) } 1;
$demo->finished($campaign, $failed[0]);
push @failed, $demo->trigger($campaign);
$demo->finished($campaign, $failed[1]);
$stack->owner("ALTER VIEW t_one.hidden RENAME TO $demo->{segment}{viewName}");
is(list()->{totalEvents}, 2, 'two runs of a campaign fail');
$stack->stop('worker');
my $open = $demo->trigger($campaign);
is(move({ action => 'retry' })->{json}{requeued}, 0, 'while a third is under way neither is requeued');
is(list()->{totalEvents}, 2, 'both stay in the list');
is($stack->owner("SELECT string_agg(DISTINCT status, ' ') FROM kaireon.campaign_runs WHERE id IN ('$failed[0]', '$failed[1]')"), 'failed', 'as what they are');
$demo->post("/$campaign/campaign-runs/$open/cancel");
is(move({ action => 'retry' })->{json}{requeued}, 1, 'when it is over, the newer');
is(list()->{events}[0]{payload}{runId}, $failed[0], 'the older stays');
is(move({ action => 'retry' })->{json}{requeued}, 0, 'it waits for the newer');
$stack->worker('again');
is($demo->finished($campaign, $failed[1])->{status}, 'completed', 'which completes');
is(move({ action => 'retry' })->{json}{requeued}, 1, 'then it is requeued');
is($demo->finished($campaign, $failed[0])->{status}, 'completed', 'and completes');

# letters whose matter is gone, or was settled otherwise
$stack->wait_for('the jobs', sub { $stack->owner("SELECT count(*) FROM kaireon.jobs") eq '0' });
$stack->owner("INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, retry_count) VALUES
	('one', 'dle_gone', 'campaign_runs', 'run_decide', '{\"runId\": \"crun_gone\", \"chunk\": 0}', 'x', 1),
	('one', 'dle_done', 'campaign_runs', 'run_finish', '{\"runId\": \"$failed[0]\"}', 'x', 1),
	('one', 'dle_delivery', 'alert_deliveries', 'delivery', '{\"outboxId\": \"obx_gone\"}', 'x', 1)");
is(move({ action => 'retry' })->{json}{requeued}, 0, 'a run that is gone, one that is complete, a delivery that is gone: nothing to requeue');
is(list()->{totalEvents}, 3, 'nothing is swallowed');
is($stack->owner("SELECT count(*) FROM kaireon.jobs"), 0, 'nor done');
is(move({ action => 'purge' })->{json}{deleted}, 3, 'they can be purged');

# the removal of a failed run's file is retried, the run is not
$stack->owner("UPDATE kaireon.campaign_runs SET status = 'failed' WHERE id = '$failed[0]';
	INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, retry_count) VALUES
	('one', 'dle_discard', 'campaign_runs', 'run_discard', '{\"runId\": \"$failed[0]\"}', 'x', 1)");
is(move({ action => 'retry' })->{json}{requeued}, 1, 'a file that could not be removed');
$stack->wait_for('the removal', sub { $stack->owner("SELECT count(*) FROM kaireon.jobs") eq '0' });
is($stack->owner("SELECT status FROM kaireon.campaign_runs WHERE id = '$failed[0]'"), 'failed', 'is tried again, and its run stays as it is');

# whichever step it failed at
for my $kind (qw(run_decide run_allocate run_finish)) {
	$stack->owner("UPDATE kaireon.campaign_runs SET status = 'failed' WHERE id = '$failed[0]';
		INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, retry_count) VALUES
		('one', 'dle_$kind', 'campaign_runs', '$kind', '{\"runId\": \"$failed[0]\", \"chunk\": 0}', 'x', 1)");
	is(move({ action => 'retry' })->{json}{requeued}, 1, "a run that failed at $kind");
	is($demo->finished($campaign, $failed[0])->{status}, 'completed', 'begins anew');
}

$stack->end;
done_testing;
