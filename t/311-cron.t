#!/usr/bin/perl
# What holds for every job of the clock: its secrets, GET and POST, one call at a
# time, the ledger, the metrics; a hundred calls at once have one effect; a tenant
# that fails changes nothing for another.
use strict;
use warnings;

use JSON::PP;
use List::Util qw(sum);
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => {
	CRON_SECRET_PREVIOUS => 'cron-secret-before', CRON_TOKEN_PREVIOUS => 'token-before' });
$stack->stop_postgres;
$stack->as_server("echo 'max_connections = 200' >>$stack->{dir}/pg/postgresql.conf");
$stack->start_postgres;
$stack->pool('api', 1);
$stack->pool('cron', 4);
my %tenant = map { $_ => Kaireon::Campaign->new($stack, $_, count => 5) } qw(one two);
my %campaign = map { $_ => $tenant{$_}->campaign(name => 'Daily', status => 'active', scheduleType => 'daily') } qw(one two);
# of the month that is purged somebody keeps a row: it is not dropped
$stack->tenant('keeper');
$stack->query('postgres', "UPDATE kaireon.retention_configs SET retention_days = 36500 WHERE tenant_id = 'keeper';
	SELECT kaireon.partition_ensure('interaction_history', (now() - interval '800 days')::date);
	INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
	VALUES ('keeper', 'kept', 'c', 'click', 'inbound', now() - interval '800 days')");
my ($true, $false) = (JSON::PP::true, JSON::PP::false);

sub all { $stack->query('postgres', @_) }

# each job: its path, its secrets; work for a tenant; how much of it an answer tells
# to be done; how much was done, as the database tells; what breaks it for a tenant
my %job = (
	'export-interactions' => {
		work => sub { all("INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
			SELECT '$_[0]', 'new_$_[1]_' || i, 'c', 'click', 'inbound', now() FROM generate_series(1, 7) AS i") },
		told => sub { $_[0]{totalExported} }, nr => 7,
		done => sub { all("SELECT coalesce(sum(rows_total), 0) FROM kaireon.export_checkpoints WHERE tenant_id = '$_[0]'") },
		broken => ['export_files', 'INSERT'],
	},
	cleanup => {
		work => sub { all("INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
			SELECT '$_[0]', 'old_$_[1]_' || i, 'c', 'click', 'inbound', now() - interval '800 days' FROM generate_series(1, 9) AS i") },
		told => sub { $_[0]{cleaned}{interactionHistory} }, nr => 9,
		done => sub { all("SELECT coalesce(sum(purged_rows), 0) FROM kaireon.purge_marks WHERE tenant_id = '$_[0]'") },
		broken => ['interaction_history', 'DELETE'],
	},
	'approvals-expire' => {
		work => sub { all("INSERT INTO kaireon.approvals (tenant_id, id, entity_type, action, requester_id, requester_name, created_at)
			SELECT '$_[0]', 'apr_$_[1]_' || i, 'offer', 'delete', 'x', 'x', now() - interval '300 hours' FROM generate_series(1, 3) AS i") },
		told => sub { $_[0]{expired} }, nr => 3,
		done => sub { all("SELECT count(*) FROM kaireon.approvals WHERE tenant_id = '$_[0]' AND status = 'expired'") },
		broken => ['approvals', 'UPDATE'],
	},
	'gitops-drift-check' => {
		work => sub { all("INSERT INTO kaireon.categories (tenant_id, id, name) VALUES ('$_[0]', 'cat_$_[1]', 'Smuggled $_[1]')") },
		told => sub { 0 }, nr => 0, # an answer tells what has drifted, also when it was told before
		done => sub { all("SELECT count(*) FROM kaireon.audit_logs WHERE tenant_id = '$_[0]' AND action = 'gitops_drift'") },
		broken => ['gitops_drift', 'INSERT'],
	},
	tick => {
		work => sub { all("UPDATE kaireon.campaign_runs SET status = 'completed' WHERE tenant_id = '$_[0]'; DELETE FROM kaireon.jobs WHERE tenant_id = '$_[0]';
			UPDATE kaireon.campaigns SET next_run_at = now() - interval '1 minute' WHERE tenant_id = '$_[0]'") },
		told => sub { $_[0]{campaigns}{triggered} }, nr => 1, rows => 0, # those of a tick are alert rules
		done => sub { all("SELECT count(*) FROM kaireon.campaign_runs WHERE tenant_id = '$_[0]'") },
		broken => ['campaign_runs', 'INSERT'],
	},
);

sub path { return $_[0] eq 'tick' ? '/api/cron/tick' : "/api/v1/cron/$_[0]" }
sub call {
	my ($job, $method, %headers) = @_;
	%headers = (X_CRON_SECRET => $job eq 'tick' ? 'tick+token.with(regex' : 'cron-secret') if !%headers;
	return $stack->request($method || 'GET', path($job), headers => \%headers, body => ($method // '') eq 'POST' ? 'ignored' : '');
}
sub metric {
	my ($text, $name, $job) = @_;
	return $text =~ /^kaireon_cron_${name}\{job="$job"\} (\S+)$/m ? $1 + 0 : undef;
}

# a snapshot to drift from
for (qw(one two)) {
	my $set = $stack->request('POST', '/api/v1/gitops/snapshot', key => $tenant{$_}{key}{editor});
	is($set->{status}, 200, 'a snapshot') or diag $set->{body};
}

for my $name (sort keys %job) {
	my $job = $job{$name};
	my $secret = $name eq 'tick' ? 'tick+token.with(regex' : 'cron-secret';
	my $previous = $name eq 'tick' ? 'token-before' : 'cron-secret-before';

	# who may call, and how
	is(call($name, @$_)->{status}, 401, "$name: not " . join ' ', @$_[1 .. $#$_]) for
		['GET', X_NOTHING => 'x'], ['GET', X_CRON_SECRET => 'x'], ['POST', AUTHORIZATION => "Basic $secret"],
		['GET', X_CRON_SECRET => $secret, AUTHORIZATION => 'Bearer x'], ['GET', X_CRON_SECRET => "$secret, $secret"];
	is(call($name, 'GET', X_CRON_TOKEN => $secret)->{status}, $name eq 'tick' ? 200 : 401, "$name: X-Cron-Token is the tick's");
	my $calls = $name eq 'tick' ? 1 : 0;
	my @members;
	for my $way (['GET', X_CRON_SECRET => $secret], ['POST', X_CRON_SECRET => $secret], ['GET', AUTHORIZATION => "Bearer $secret"],
		['POST', X_CRON_SECRET => $previous], ['GET', X_CRON_SECRET => $secret, AUTHORIZATION => "Bearer $previous"]) {
		my $answer = call($name, @$way);
		is($answer->{status}, 200, "$name: @$way") or diag $answer->{body};
		push @members, join ' ', sort keys %{ $answer->{json} };
		$calls++;
	}
	is(scalar(grep { $_ ne $members[0] } @members), 0, "$name: GET and POST answer the same");
	like($members[0], qr/\b$_\b/, "$name: with $_") for qw(ok skipped complete durationMs);

	# one at a time
	my $held = $stack->spawn('held', undef, 'psql', '-qX', '-h', "$stack->{dir}/sock", '-U', 'postgres', '-d', 'kaireon', '-c',
		"SELECT pg_advisory_lock(hashtext('kaireon.cron'), hashtext('$name')), pg_sleep(600)");
	$stack->wait_for('the lock', sub { all("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted") });
	is_deeply(call($name)->{json}, { ok => $true, skipped => $true, complete => $false, durationMs => 0 }, "$name: one that finds another is skipped");
	all(q{SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'});
	$stack->stop('held', 'KILL');

	# the ledger, and the metrics
	is(all("SELECT count(*) FILTER (WHERE skipped) || ' ' || count(*) FILTER (WHERE ok AND complete AND finished_at >= started_at) FROM kaireon.cron_runs WHERE job = '$name'"),
		"1 $calls", "$name: each call has its row");
	my $text = $stack->request('GET', '/metrics', pool => 'cron')->{body};
	is(metric($text, 'runs_total', $name), $calls, "$name: runs are counted");
	is(metric($text, 'failures_total', $name), 0, "$name: none failed");
	cmp_ok(metric($text, 'duration_seconds_total', $name), '>', 0, "$name: their time is summed");
	my $success = metric($text, 'last_success_timestamp_seconds', $name);
	cmp_ok(abs($success - time), '<', 600, "$name: the last success has its time");

	# a hundred at once
	$job->{work}($_, 'at_once') for qw(one two);
	my %before = map { $_ => $job->{done}($_) } qw(one two);
	my @answers = $stack->parallel(100, sub { my $a = call($name); return [$a->{status}, $a->{json}] });
	is(scalar(grep { $_->[0] == 200 && $_->[1]{ok} } @answers), 100, "$name: a hundred calls at once are content");
	is(sum(map { $job->{told}($_->[1]) // 0 } @answers), 2 * $job->{nr}, "$name: and tell of one effect");
	is($job->{done}($_) - $before{$_}, $job->{nr} || 1, "$name: which $_ has") for qw(one two);

	cmp_ok(metric($stack->request('GET', '/metrics', pool => 'cron')->{body}, 'rows_total', $name), '>=', $job->{rows} // 2 * $job->{nr}, "$name: rows are counted");

	# a tenant that fails
	my ($table, $event) = @{ $job->{broken} };
	all("SET client_min_messages = warning; CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
		\$\$ BEGIN IF coalesce(OLD.tenant_id, NEW.tenant_id) = 'one' THEN RAISE EXCEPTION 'a secret place'; END IF; RETURN coalesce(NEW, OLD); END \$\$;
		CREATE TRIGGER refuse BEFORE $event ON kaireon.$table FOR EACH ROW EXECUTE FUNCTION public.refuse()");
	$job->{work}($_, 'broken') for qw(one two);
	%before = map { $_ => $job->{done}($_) } qw(one two);
	my $runs = metric($stack->request('GET', '/metrics', pool => 'cron')->{body}, 'runs_total', $name);
	my $failing = call($name);
	is($failing->{status}, 200, "$name: a tenant fails");
	ok(!$failing->{json}{ok}, "$name: the answer is not ok") or diag $failing->{body};
	unlike($failing->{body}, qr/secret place/, "$name: and does not say why");
	is($job->{done}('two') - $before{two}, $job->{nr} || 1, "$name: the other tenant has all of it");
	is($job->{done}('one') - $before{one}, 0, "$name: the failing one nothing");
	$text = $stack->request('GET', '/metrics', pool => 'cron')->{body};
	is(metric($text, 'failures_total', $name) . ' ' . (metric($text, 'runs_total', $name) - $runs), '1 1', "$name: the failure is counted");
	cmp_ok(metric($text, 'last_success_timestamp_seconds', $name), '>=', $success, "$name: the last success is of before");
	all("SET client_min_messages = warning; DROP FUNCTION public.refuse() CASCADE");
	my $again = call($name);
	ok($again->{json}{ok}, "$name: the next call makes up for it") or diag $again->{body};
	is($job->{done}('one') - $before{one}, $job->{nr} || 1, "$name: for the failing one, too");
}

$stack->announce(qr/cron job failed|a secret place/);
$stack->end;
done_testing;
