#!/usr/bin/perl
# The queue: leases, fences, back-off, dead letters, notifications.
use strict;
use warnings;

use IPC::Open2;
use Test::More;
use Time::HiRes qw(time);

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { WORKER_POLL_MS => 60000 });
$stack->pool('api', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 40);
my $two = Kaireon::Campaign->new($stack, 'two', count => 10);

# A database session that stays, and what it said to sql.
sub session {
	my ($user, $sql) = @_;
	my $pid = open2(my $out, my $in, 'psql', '-qXAt', '-h', "$stack->{dir}/sock", '-U', $user, '-d', 'kaireon');
	$in->autoflush(1);
	print {$in} "$sql;\n\\echo ready\n";
	my @said;
	while (defined(my $line = <$out>)) {
		chomp $line;
		last if $line eq 'ready';
		push @said, $line;
	}
	return { pid => $pid, in => $in, out => $out, said => \@said };
}

sub leave {
	my ($session, $sql) = @_;
	print { $session->{in} } "$sql\n" if $sql;
	close $session->{in};
	waitpid $session->{pid}, 0;
}

sub once { my ($name) = @_; $stack->spawn($name, undef, "$stack->{build}/kaireon-worker", '--once'); return $name }

# the exit status of a worker that ends by itself
sub status_of {
	my ($name) = @_;
	waitpid delete $stack->{pids}{$name}, 0;
	return $?;
}

sub job { return $stack->owner("SELECT $_[0] FROM kaireon.jobs ORDER BY seq LIMIT 1") }

is(status_of(once('idle')), 0, 'a worker without work ends with status 0');

# who has a job
my $campaign = $demo->campaign;
my $run = $demo->trigger($campaign);
is(job('topic || kind || attempts || fence'), 'campaign_runsrun_plan00', 'a trigger is a job');
my $holder = session('kaireon_worker', 'SELECT pg_backend_pid()');
$stack->query('postgres', "UPDATE kaireon.jobs SET fence = 1, attempts = 1, leased_until = now() + interval '1 hour',
	lease_pid = a.pid, lease_start = a.backend_start FROM pg_stat_activity AS a WHERE a.pid = $holder->{said}[0]");
is(status_of(once('patient')), 0, 'a job of a living session');
is(job('fence'), 1, 'is left to it');
leave($holder);
$stack->wait_for('the end of the session', sub {
	$stack->query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $holder->{said}[0]") eq '0' });
is(status_of(once('heir')), 0, 'a job of a session that ended');
is($demo->finished($campaign, $run)->{status}, 'completed', 'is taken over at once, long before its lease ends');
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'and its followers are done too');

$run = $demo->trigger($campaign);
$stack->query('postgres', "UPDATE kaireon.jobs SET run_at = now() + interval '1 hour'");
is(status_of(once('early')), 0, 'a job that is not due');
is(job('attempts'), 0, 'is not begun');
$holder = session('kaireon_worker', 'SELECT pg_backend_pid()');
$stack->query('postgres', "UPDATE kaireon.jobs SET run_at = now(), fence = 7, leased_until = now() - interval '1 second',
	lease_pid = a.pid, lease_start = a.backend_start FROM pg_stat_activity AS a WHERE a.pid = $holder->{said}[0]");
is(status_of(once('late')), 0, 'a lease that is over');
is($demo->finished($campaign, $run)->{status}, 'completed', 'holds nothing, though its session lives');
leave($holder);

# two workers that believe to have a job
$stack->owner('TRUNCATE kaireon.interaction_history');
$run = $demo->trigger($campaign);
my $lock = session('kaireon_owner', 'BEGIN; LOCK TABLE kaireon.campaign_run_results IN ACCESS EXCLUSIVE MODE');
$stack->{settings}{WORKER_LEASE_SECONDS} = 3;
once('first');
my $blocked = q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'kaireon_worker' AND wait_event_type = 'Lock'};
$stack->wait_for('the first worker', sub { $stack->query('postgres', $blocked) eq '1' });
is(job('kind || fence'), 'run_decide1', 'one has the chunk');
my $until = job('leased_until');
$stack->wait_for('a renewal', sub { job('leased_until') ne $until });
is(status_of(once('polite')), 0, 'a step that takes longer than its lease');
is(job('kind || fence'), 'run_decide1', 'keeps it while it lives');
kill 'STOP', $stack->{pids}{first};
$stack->wait_for('the end of the lease', sub { job('leased_until < now()') eq 't' });
once('second');
$stack->wait_for('the second worker', sub { $stack->query('postgres', $blocked) eq '2' });
is(job('kind || fence'), 'run_decide2', 'one that hangs loses it, though its session is at work');
leave($lock, 'COMMIT;');
my $done = $demo->finished($campaign, $run);
kill 'CONT', $stack->{pids}{first};
is(status_of($_), 0, "the $_ worker ends with status 0") for qw(second first);
delete $stack->{settings}{WORKER_LEASE_SECONDS};
is($done->{status}, 'completed', 'the run is completed');
is($demo->ledger($run, 'count(DISTINCT customer_id) || \' \' || (count(*) - count(DISTINCT customer_id))', 'rank <= 1'),
	"$demo->{segment}{customerCount} 0", 'each customer once');
is($done->{progress}{processed}, $demo->{segment}{customerCount}, 'and counted once');
is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run'"),
	$done->{summary}{decisions}, 'one interaction a decision');
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'no job is left');
is($stack->owner('SELECT count(*) FROM kaireon.dead_letter_events'), 0, 'and none is dead');

# what fails is tried again, later each time
$run = $demo->trigger($campaign);
$stack->owner('REVOKE INSERT ON kaireon.campaign_run_results FROM kaireon_worker');
my @pauses;
for my $attempt (1 .. 4) {
	$stack->worker("failing$attempt");
	$stack->wait_for("attempt $attempt", sub { job('jsonb_array_length(errors)') eq $attempt });
	is($stack->stop("failing$attempt"), 0, "attempt $attempt fails and the worker lives");
	is(job('kind || attempts'), "run_decide$attempt", 'it is counted');
	is(job('jsonb_array_length(errors)'), $attempt, 'and noted');
	push @pauses, job("extract(epoch FROM run_at - (errors->-1->>'at')::timestamptz)");
	$stack->query('postgres', 'UPDATE kaireon.jobs SET run_at = now()');
}
for my $i (0 .. $#pauses) {
	my $pause = 2**$i;
	cmp_ok($pauses[$i], '>=', 0.7 * $pause, "pause $i is about $pause s: $pauses[$i]");
	cmp_ok($pauses[$i], '<=', 1.3 * $pause, 'with jitter');
}
is($demo->get("/$campaign/campaign-runs/$run")->{json}{status}, 'running', 'the run goes on meanwhile');

# the last attempt
$stack->query('postgres', 'UPDATE kaireon.jobs SET max_attempts = attempts + 1');
$stack->announce(qr/job failed.*attempt=5/);
once('last');
is(status_of('last'), 0, 'the last attempt');
$done = $demo->finished($campaign, $run);
is($done->{status}, 'failed', 'fails the run');
unlike($done->{error}, qr/SELECT|COPY|kaireon\.|campaign_run|permission|42501/, "with a reason for people: $done->{error}");
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'the job is gone');
is($stack->owner("SELECT kind || retry_count || jsonb_array_length(errors) || (payload->>'runId') FROM kaireon.dead_letter_events"),
	"run_decide55$run", 'and a dead letter has its payload and every error');
is($demo->ledger($run, 'count(*)'), 0, 'nothing of it is in the ledger');
$stack->owner('GRANT INSERT ON kaireon.campaign_run_results TO kaireon_worker');

# --once sees what it began through
$run = $demo->trigger($campaign);
$stack->owner('REVOKE INSERT ON kaireon.campaign_run_results FROM kaireon_worker');
once('steady');
$stack->wait_for('a failure', sub { job('jsonb_array_length(errors)') eq '1' });
$stack->owner('GRANT INSERT ON kaireon.campaign_run_results TO kaireon_worker');
is(status_of('steady'), 0, 'a worker that was started for what is due');
is($demo->get("/$campaign/campaign-runs/$run")->{json}{status}, 'completed', 'waits for what it failed at, and ends when it is done');

# a step that ends its worker each time
$run = $demo->trigger($campaign);
$stack->query('postgres', 'UPDATE kaireon.jobs SET attempts = max_attempts');
$stack->announce(qr/job failed.*attempt=26/);
once('deadly');
is(status_of('deadly'), 0, 'a job whose every attempt ended its worker');
like($demo->finished($campaign, $run)->{error}, qr/^the worker ended in each of 25 attempts$/, 'fails its run');

# what nobody knows how to do
$stack->query('postgres', q{DELETE FROM kaireon.dead_letter_events;
	INSERT INTO kaireon.jobs (tenant_id, id, topic, kind) VALUES ('one', 'job_unknown', 'campaign_runs', 'run_nothing')});
$stack->announce(qr/job failed.*run_nothing/);
once('unknown');
is(status_of('unknown'), 0, 'a job of an unknown kind');
is($stack->owner('SELECT id FROM kaireon.jobs'), '', 'does not stay');
like($stack->owner('SELECT error FROM kaireon.dead_letter_events'), qr/unknown kind of job "run_nothing"/, 'it is a dead letter');

# what nobody can read: nested deeper than any payload of ours
$stack->query('postgres', q{DELETE FROM kaireon.dead_letter_events;
	INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload)
	SELECT 'one', 'job_unreadable', 'campaign_runs', 'run_plan', (repeat('[', 200) || repeat(']', 200))::jsonb});
$stack->announce(qr/job failed.*job=job_unreadable/);
is(status_of(once('reader')), 0, 'a job that cannot be read');
is($stack->owner('SELECT id FROM kaireon.jobs'), '', 'does not stay');
is($stack->owner('SELECT error FROM kaireon.dead_letter_events'), 'what the job is about cannot be read', 'it is a dead letter');

# tenants whose jobs are all leased do not keep the others waiting
$stack->tenant("busy$_") for 1 .. 6;
$holder = session('kaireon_worker', 'SELECT pg_backend_pid()');
$stack->query('postgres', "INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, fence, attempts, leased_until, lease_pid, lease_start)
	SELECT 'busy' || n, 'job_leased', 'campaign_runs', 'run_nothing', 1, 1, now() + interval '1 hour', a.pid, a.backend_start
	FROM generate_series(1, 6) AS n, pg_stat_activity AS a WHERE a.pid = $holder->{said}[0];
	INSERT INTO kaireon.jobs (tenant_id, id, topic, kind) VALUES ('two', 'job_due', 'campaign_runs', 'run_nothing')");
$stack->announce(qr/job failed.*run_nothing/);
is(status_of(once('hungry')), 0, 'a worker at the first of the tenants');
is($stack->owner(q{SELECT string_agg(id, ',') FROM kaireon.jobs WHERE id <> 'job_leased'}), '', 'finds the job of the last');
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 6, 'and leaves what is leased');
$stack->query('postgres', 'DELETE FROM kaireon.jobs');
leave($holder);

# nor does a tenant of many newer jobs: they take turns
$stack->query('postgres', q{INSERT INTO kaireon.jobs (tenant_id, id, topic, kind)
	SELECT t, 'job_' || t || n, 'campaign_runs', 'run_nothing' FROM unnest('{one,two}'::text[]) AS t, generate_series(1, 60) AS n ORDER BY t, n;
	DELETE FROM kaireon.dead_letter_events});
is(status_of(once('fair')), 0, 'two tenants, one after the other in the queue');
is($stack->owner(q{SELECT max(abs(own - place / 2.0)) < 10 FROM (SELECT row_number() OVER (PARTITION BY tenant_id ORDER BY failed_at) AS own,
	row_number() OVER (ORDER BY failed_at) AS place FROM kaireon.dead_letter_events) AS d}), 't', 'are served in turns');

# a worker that waits is woken, for every tenant, and ends when it is told
$stack->worker('waiting');
$stack->wait_for('the worker to listen', sub { $stack->query('postgres',
	q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'kaireon_worker' AND query LIKE 'LISTEN%' AND state = 'idle'}) eq '1' });
my $begin = time;
for my $tenant ($demo, $two) {
	my $id = $tenant->campaign(name => 'woken');
	is($tenant->finished($id, $tenant->trigger($id))->{status}, 'completed', "a run of tenant $tenant->{tenant}");
}
cmp_ok(time - $begin, '<', 30, 'without waiting for the poll');
is($stack->owner(q{SELECT count(*) FROM kaireon.campaign_run_results AS l JOIN kaireon.campaign_runs AS r ON r.id = l.run_id
	WHERE r.tenant_id <> l.tenant_id}), 0, 'each in its own rows');
for my $signal (qw(TERM HUP USR1)) {
	$stack->worker($signal);
	$stack->wait_for('the log', sub { $stack->slurp("$stack->{dir}/log/$signal.log") =~ /working/ });
	is($stack->stop($signal, $signal), 0, "$signal ends a worker with status 0");
}

# jobs by the batch
sub batches {
	my ($how, $batch) = @_;
	my $pid = open2(my $out, my $in, 'env', $stack->environment, "$stack->{build}/t/bin/queue", $how, $batch);
	syswrite $in, "\n";
	close $in;
	my $said = do { local $/; <$out> };
	waitpid $pid, 0;
	return $said;
}
$stack->query('postgres', q{DELETE FROM kaireon.jobs; INSERT INTO kaireon.jobs (tenant_id, id, topic, kind)
	SELECT 'one', 'job_' || n, 'campaign_runs', 'nothing' FROM generate_series(1, 30) AS n});
like(batches('renew', 10), qr/^30 \d+$/m, 'a job whose lease was renewed is completed with its batch');
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'and gone');

# while somebody looks at an old state of the database, what is done stays in the table,
# and the planner takes it for an empty one
$stack->query('postgres', 'DELETE FROM kaireon.jobs');
my $old = session('postgres', 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM kaireon.tenants');
$stack->query('postgres', $_) for q{INSERT INTO kaireon.jobs (tenant_id, id, topic, kind)
	SELECT 'one', 'job_' || n, 'campaign_runs', 'nothing' FROM generate_series(1, 20000) AS n}, 'DELETE FROM kaireon.jobs',
	'VACUUM ANALYZE kaireon.jobs', q{INSERT INTO kaireon.jobs (tenant_id, id, topic, kind)
	SELECT 'one', 'job_' || n, 'campaign_runs', 'nothing' FROM generate_series(20001, 21000) AS n};
my $entries = q{SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'jobs'};
my $read = $stack->query('postgres', $entries);
like(batches('drain', 10), qr/^1000 \d+$/m, 'a thousand jobs behind many that are done');
$read = $stack->query('postgres', $entries) - $read;
cmp_ok($read, '>=', 20000, 'what is done is looked at');
cmp_ok($read, '<', 100_000, "not for each job: $read entries of the indexes were read");
leave($old);

$stack->end;
done_testing;
