#!/usr/bin/perl
# Runs in trouble: the disk, the database, the segment's view. A run says what
# holds it up while it is tried again, and is completed when the trouble is
# over; what cannot succeed fails with a reason, and can be triggered again.
use strict;
use warnings;

use IPC::Open2;
use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 100 });
my $preload = "$stack->{dir}/full_disk.so";
$stack->system_ok("cc -shared -fPIC -O -o $preload $stack->{source}/t/lib/full_disk.c");
# where the folder should be lies a file
$stack->{settings}{RUN_FILE_DIR} = "$stack->{dir}/blocked/runs";
$stack->spew("$stack->{dir}/blocked", 'in the way');
$stack->pool('api', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 300);
my $id = $one->campaign;
my $view = "t_one.$one->{segment}{viewName}";

sub due { $stack->query('postgres', 'UPDATE kaireon.jobs SET run_at = now() WHERE run_at > now()') }
sub forget { $stack->owner('DELETE FROM kaireon.interaction_history') }

# the run while it is held up
sub held {
	my ($run) = @_;
	return $stack->wait_for('trouble', sub {
		my $now = $one->get("/$id/campaign-runs/$run")->{json};
		$now->{error} && $now;
	});
}

# and when the trouble is over
sub over {
	my ($run) = @_;
	my $done = $stack->wait_for("the end of run $run", sub {
		due();
		my $now = $one->get("/$id/campaign-runs/$run")->{json};
		$now->{status} !~ /^(?:pending|running)$/ && $now;
	});
	is($done->{status}, 'completed', 'when the trouble is over it is completed') or diag $done->{error};
	is($done->{error}, undef, 'and nothing is said of it any more');
	is(length $one->file($done), $done->{summary}{file}{bytes}, 'with its file');
	$one->laws($done);
	return $done;
}

my $run = $one->trigger($id);
$stack->worker('worker');
my $held = held($run);
is($held->{status}, 'running', 'a run whose file cannot be written goes on');
is($held->{error}, 'attempt 1 of 25 failed, it will be tried again: the file of the run could not be written', 'and says what is wrong');
unlike($held->{error}, qr{/}, 'without a path');
like($stack->slurp("$stack->{dir}/log/worker.log"), qr{job failed.*run_finish.*blocked}, 'which the log has');
is($stack->owner('SELECT count(*) FROM kaireon.interaction_history'), 0, 'nobody was contacted yet');
unlink "$stack->{dir}/blocked" or die $!;
my $calm = over($run);
$stack->stop('worker');

# a disk that is full, one that breaks
for my $case ([KRN_FULL_DISK => qr/No space left on device/], [KRN_BROKEN_DISK => qr{Input/output error}]) {
	my ($variable, $cause) = @$case;
	forget();
	my $trouble = $stack->spew("$stack->{dir}/trouble", '');
	local $stack->{settings} = { %{ $stack->{settings} }, LD_PRELOAD => $preload, $variable => $trouble, ASAN_OPTIONS => 'verify_asan_link_order=0:detect_leaks=0' };
	$stack->worker($variable);
	$run = $one->trigger($id);
	like(held($run)->{error}, qr/the file of the run could not be written$/, "$variable: the run says what is wrong");
	like($stack->slurp("$stack->{dir}/log/$variable.log"), $cause, 'and the log its cause');
	is(scalar(() = glob "$stack->{settings}{RUN_FILE_DIR}/one/{,.}$run.*"), 0, 'no part of the file is left');
	is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run'"), 0, 'nobody was contacted');
	unlink $trouble;
	is(over($run)->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'the file is the same');
	$stack->stop($variable);
}

# no room in the database
forget();
$stack->query('postgres', $_) for 'ALTER ROLE kaireon_worker SET temp_file_limit = 0';
$stack->worker('full');
my $wide = decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', 'Wide', '--schema', 'customers'));
# whatever memory a step asks for, this view needs a file
$stack->owner("DROP VIEW t_one.$wide->{viewName}; CREATE FUNCTION t_one.spill() RETURNS bigint LANGUAGE sql SET work_mem = '64kB' AS
	'SELECT count(*) FROM generate_series(1, 50000) AS g';
	CREATE VIEW t_one.$wide->{viewName} AS SELECT c.customer_id, c.age, c.job, c.default1, c.balance FROM t_one.ds_customers AS c WHERE t_one.spill() > 0;
	GRANT EXECUTE ON FUNCTION t_one.spill TO kaireon_worker, kaireon_api;
	GRANT SELECT ON t_one.$wide->{viewName} TO kaireon_worker, kaireon_api");
my $big = $one->campaign(name => 'Big', segmentId => $wide->{id});
$run = $one->trigger($big);
$held = $stack->wait_for('trouble', sub { my $now = $one->get("/$big/campaign-runs/$run")->{json}; $now->{error} && $now });
like($held->{error}, qr/the database has no room left for this step$/, 'a database without room: the run says so');
$one->post("/$big/campaign-runs/$run/cancel");
$stack->stop('full');
$stack->query('postgres', $_) for 'ALTER ROLE kaireon_worker RESET temp_file_limit';

# a view that fails, and again when it is mended
$stack->worker('steady');
my $definition = $stack->owner("SELECT pg_get_viewdef('$view'::regclass)");
sub mend { $stack->owner("SET client_min_messages = warning; DROP VIEW IF EXISTS $view; CREATE VIEW $view WITH (security_invoker = true) AS $definition; GRANT SELECT ON $view TO kaireon_worker, kaireon_api") }
my $columns = 'c.customer_id, c.age, c.job, c.default1, c.balance';
$stack->announce(qr/job failed.*(?:view is gone|without a customer_id|more than once|22012|22P02|no attribute)/);
my $dead = 0;
for my $case (
	['gone', '', qr/^the segment's view is gone or has no column customer_id$/],
	['without customer_id', "SELECT c.age, c.job, c.default1, c.balance FROM t_one.ds_customers AS c", qr/^the segment's view is gone or has no column customer_id$/],
	['with a customer without an id', "SELECT nullif(c.customer_id, (SELECT min(customer_id) FROM t_one.ds_customers)) AS customer_id, c.age, c.job, c.default1, c.balance FROM t_one.ds_customers AS c", qr/^the segment has 1 customers without a customer_id$/],
	['with a customer twice', "SELECT $columns FROM t_one.ds_customers AS c UNION ALL (SELECT $columns FROM t_one.ds_customers AS c ORDER BY 1 LIMIT 1)", qr/^the segment has the customer ".+" more than once$/],
	['divided by zero', "SELECT c.customer_id, c.age / (c.age - c.age) AS age, c.job, c.default1, c.balance FROM t_one.ds_customers AS c", qr/^a value in the segment makes its view fail/],
	['with a text that is no number', "SELECT c.customer_id, c.job::bigint AS age, c.job, c.default1, c.balance FROM t_one.ds_customers AS c", qr/^a value in the segment makes its view fail/],
) {
	my ($what, $sql, $reason) = @$case;
	forget();
	$stack->owner("DROP VIEW $view" . ($sql ? "; CREATE VIEW $view WITH (security_invoker = true) AS $sql; GRANT SELECT ON $view TO kaireon_worker, kaireon_api" : ''));
	my $failed = $one->finished($id, $one->trigger($id));
	is($failed->{status}, 'failed', "a view $what: the run fails");
	like($failed->{error}, $reason, "and says why: $failed->{error}");
	is($stack->owner('SELECT count(*) FROM kaireon.dead_letter_events'), ++$dead, 'a dead letter');
	is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'nothing is left to do');
	mend();
	is($one->finished($id, $one->trigger($id))->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'mended, and triggered again, it is completed');
}

# a file's attribute that is gone is noticed before anything is decided
my $wants = $one->campaign(name => 'Wants', fileConfig => { format => 'csv', columns => ['customer_id', 'attr.housing'] });
$stack->owner("DROP VIEW $view; CREATE VIEW $view WITH (security_invoker = true) AS SELECT $columns FROM t_one.ds_customers AS c; GRANT SELECT ON $view TO kaireon_worker, kaireon_api");
my $failed = $one->finished($wants, $one->trigger($wants));
is("$failed->{status}: $failed->{error}", 'failed: the segment has no attribute "housing" for the file', 'an attribute of the file that is gone');
is($one->ledger($failed->{id}, 'count(*)'), 0, 'is found before anybody is decided for');
mend();

# a view that goes between two chunks
$stack->stop('steady');
forget();
$run = $one->trigger($id);
my $psql = open2(my $out, my $in, 'psql', '-qXAt', '-h', "$stack->{dir}/sock", '-U', 'kaireon_owner', '-d', 'kaireon');
print {$in} "BEGIN; LOCK TABLE kaireon.campaign_run_results IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n";
$in->flush;
is(<$out>, "locked\n", 'nothing can be decided');
$stack->worker('late');
$stack->wait_for('a chunk', sub { $stack->owner("SELECT step FROM kaireon.campaign_runs WHERE id = '$run'") eq 'decide'
	&& $stack->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'kaireon_worker' AND wait_event_type = 'Lock'}) eq '1' });
$stack->stop('late', 'KILL');
print {$in} "COMMIT; DROP VIEW $view;\n";
close $in;
waitpid $psql, 0;
$stack->worker('later');
$failed = $one->finished($id, $run);
is($failed->{status}, 'failed', 'a view that goes during the run');
like($failed->{error}, qr/view is gone/, 'which says so');
mend();
forget();
is($one->finished($id, $one->trigger($id))->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'and again');

# a customer who is erased: no run, chunk or dead letter speaks of them either
my $customer = $stack->query('postgres', 'SELECT min(customer_id) FROM t_one.ds_customers');
sub speaks { return scalar grep { /\Q$customer\E/ } split /\n/, `pg_dump -h $stack->{dir}/sock -U postgres --inserts kaireon` }
like($stack->owner("SELECT string_agg(error, ' ') FROM kaireon.campaign_runs"), qr/customer "\Q$customer\E" more than once/, 'a run failed for a customer');
isnt($stack->owner("SELECT count(*) FROM kaireon.campaign_run_chunks WHERE low = '$customer'"), 0, 'others began with them');
cmp_ok(speaks(), '>', 10, 'who is in many places');
# a history that was taken along, and one of another form; others keep theirs
sub history { return JSON::PP->new->encode([{ at => '2026-01-01T00:00:00.000Z', attempt => 1, error => $_[0] }]) }
my $named = history(qq{the segment has the customer "$customer" more than once});
my $keyed = history("Key (tenant_id, customer_id)=(one, $customer) already exists.");
my $other = history('nobody');
$stack->owner("INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, errors, retry_count)
	SELECT 'one', 'dle_history' || h.nr, 'campaign_runs', 'run_plan', '{}', 'another error', h.errors::jsonb, 2
	FROM (VALUES (1, '$named'), (2, '$keyed'), (3, '$other')) AS h (nr, errors)");
$stack->owner("INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, errors, run_at) VALUES ('one', 'job_history', 'campaign_runs', 'run_purge', '$named', now() + interval '1 day')");
my $erased = $stack->request('POST', '/api/v1/gdpr/erasure', key => $one->{key}{admin}, body => { customerId => $customer });
is($erased->{status}, 200, 'is erased') or diag $erased->{body};
is(speaks(), 0, 'and nowhere any more');
is($stack->owner("SELECT string_agg(error || ' ' || jsonb_array_length(errors), ',' ORDER BY id) FROM kaireon.dead_letter_events WHERE id LIKE 'dle_history%'"),
	'another error 0,another error 0,another error 1', 'other words of the dead are kept');
$stack->owner("DELETE FROM kaireon.jobs WHERE id = 'job_history'");
is($one->finished($id, $one->trigger($id))->{summary}{customersProcessed}, 299, 'the others are there');

$stack->end;
done_testing;
