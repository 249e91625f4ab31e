#!/usr/bin/perl
# A playground is emptied: nothing of it is left in any table but those that the
# contract names, found over the catalog. A customer is erased.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Campaign;
use Kaireon::Fill;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 20 });
$stack->watched_pool('api', 3)->pool('cron', 1);
my $reset = '/api/v1/tenant/reset';
my $erasure = '/api/v1/gdpr/erasure';
# the checkpoint knows that the lake has files of before
my %kept = map { $_ => 1 } qw(tenants api_keys audit_logs audit_heads config_epochs retention_configs export_checkpoints);

sub left {
	my ($tenant) = @_;
	return grep { !$kept{$_} && $stack->query('postgres', "SELECT count(*) FROM kaireon.$_ WHERE tenant_id = '$tenant'") } Kaireon::Fill::tables($stack);
}
sub post { my ($path, $key, $body) = @_; return $stack->request('POST', $path, key => $key, body => encode_json($body // { confirm => JSON::PP::true })) }
sub relations { return $stack->query('postgres', "SELECT count(*) FROM pg_class AS c WHERE c.relnamespace = 't_$_[0]'::regnamespace AND c.relkind IN ('r', 'v')") }

# a tenant with all that a tenant can have
my $demo = Kaireon::Campaign->new($stack, 'one', count => 100);
my $admin = $demo->{key}{admin};
$stack->worker('worker');
my $campaign = $demo->campaign(name => 'done');
my $run = $demo->finished($campaign, $demo->trigger($campaign));
is($run->{status}, 'completed', 'a run has ended');
my $file = "$stack->{settings}{RUN_FILE_DIR}/$run->{summary}{file}{path}";
ok(-s $file, 'with its file');
$stack->stop('worker');
my $waiting = $demo->campaign(name => 'waiting');
my $begun = $demo->trigger($waiting);
$stack->owner("UPDATE kaireon.campaign_runs SET status = 'paused' WHERE id = '$begun'");
is(post($erasure, $admin, { customerId => 'x' })->{json}{error}{message}, 'a run is under way', 'nobody is erased while a run may write of them again');
$stack->owner("UPDATE kaireon.campaign_runs SET status = 'pending' WHERE id = '$begun'");
Kaireon::Fill::rows($stack, $_, 'x') for qw(one);
my $other = $stack->tenant('two');
Kaireon::Fill::rows($stack, 'two', 'x');
$stack->owner("DELETE FROM kaireon.jobs WHERE tenant_id = 'two'; DELETE FROM kaireon.outbox_events WHERE tenant_id = 'two'"); # a worker would take them
my %before = Kaireon::Fill::digest($stack, 'two');
$stack->owner("UPDATE kaireon.retention_configs SET retention_days = 7 WHERE tenant_id = 'one'; UPDATE kaireon.tenants SET decision_count = 99 WHERE tenant_id = 'one'");
cmp_ok(scalar left('one'), '>', 30, 'one has rows in every table');
cmp_ok(relations('one'), '>', 1, 'and relations of its own');

# refused
is(post($reset, $admin, $_)->{status}, 400, encode_json($_)) for {}, { confirm => JSON::PP::false }, { confirm => 'true' };
is(post($reset, $demo->{key}{editor})->{status}, 403, 'an editor may not');
$stack->owner("UPDATE kaireon.tenants SET is_playground = false WHERE tenant_id = 'one'");
my $refused = post($reset, $admin);
is("$refused->{status} $refused->{json}{error}{message}", '403 only a playground can be reset', 'what is no playground');
$stack->owner("UPDATE kaireon.tenants SET is_playground = true, legal_hold = true WHERE tenant_id = 'one'");
is(post($reset, $admin)->{status}, 409, 'a tenant on hold');
$stack->owner("UPDATE kaireon.tenants SET legal_hold = false WHERE tenant_id = 'one'; UPDATE kaireon.retention_configs SET legal_hold = true WHERE tenant_id = 'one' AND data_class = 'decisions'");
is(post($reset, $admin)->{status}, 409, 'a class on hold');
is($stack->owner("SELECT status FROM kaireon.campaign_runs WHERE campaign_id = '$waiting'"), 'pending', 'and nothing has happened');
$stack->owner("UPDATE kaireon.retention_configs SET legal_hold = false");

# emptied
my $done = post($reset, $admin);
is($done->{status}, 200, 'reset') or diag $done->{body};
is($done->{json}{message}, 'Workspace reset successfully. Decision counter is back to 0.', 'with its message');
is_deeply([left('one')], ['jobs'], 'nothing is left but the job for the files');
is(relations('one'), 0, 'nor relations of its own');
$stack->worker('worker');
$stack->wait_for('the files to go', sub { !left('one') });
is_deeply([left('one')], [], 'nothing at all is left when it is done');
ok(!-e $file, 'and the file is gone');
is($stack->owner("SELECT string_agg(data_class || ' ' || retention_days, ', ' ORDER BY data_class) FROM kaireon.retention_configs WHERE tenant_id = 'one'"),
	'audit 2555, decisions 90, interactions 730, metrics 2555', 'retention is as at first');
is($stack->owner("SELECT decision_count || ' ' || settings FROM kaireon.tenants WHERE tenant_id = 'one'"), '0 {}', 'the counter is 0');
is($stack->owner("SELECT revision || ' ' || (epoch > 1) FROM kaireon.config_epochs WHERE tenant_id = 'one'"), '0 true', 'compiled configuration is over');
my %after = Kaireon::Fill::digest($stack, 'two');
is_deeply([grep { $before{$_} ne $after{$_} } sort keys %before], [], 'another tenant has all it had');
is($stack->request('GET', '/api/v1/runs', key => $admin)->{json}{total}, 0, 'its keys open as before');
is($stack->owner("SELECT string_agg(action || coalesce(' ' || changes::text, '') || coalesce(' ' || before::text, '') || coalesce(' ' || after::text, ''), ', ' ORDER BY seq) FROM kaireon.audit_logs
	WHERE tenant_id = 'one' AND action LIKE 'tenant.reset%'"), 'tenant.reset.begin {"cancelledRuns": 2} {"decisionCount": 99}, tenant.reset {"decisionCount": 0}', 'the audit log is kept and knows of both ends');
is(($stack->ctl_try('verify-audit', '--tenant', 'one'))[0], 1 - ($stack->owner("SELECT count(*) FROM kaireon.audit_logs WHERE tenant_id = 'one' AND id = 'x'") ? 0 : 1), 'and its chain is as it was');
is(post($reset, $admin)->{status}, 200, 'an empty one is reset as well');

# a run that is triggered on the way leaves nothing
sub part { my ($call) = @_; return $stack->query('kaireon_api', "BEGIN; SELECT FROM set_config('kaireon.tenant_id', 'one', true); SELECT kaireon.$call; COMMIT") =~ s/\s//gr }
my %made = (late => 'a' x 26, running => 'b' x 26);
part('tenant_reset_begin()');
$stack->query('postgres', "SET session_replication_role = replica;
	INSERT INTO kaireon.campaigns (tenant_id, id, name, decision_flow_id, segment_id, file_config) VALUES ('one', 'camp_late', 'late', 'x', 'x', '{}');
	INSERT INTO kaireon.campaign_runs (tenant_id, id, campaign_id, run_number, triggered_by, status, run_month) VALUES
	('one', 'crun_$made{late}', 'camp_late', 1, 'manual', 'completed', date_trunc('month', now())), ('one', 'crun_$made{running}', 'camp_late', 2, 'manual', 'running', date_trunc('month', now()))");
my @files = map { $stack->spew("$stack->{settings}{RUN_FILE_DIR}/one/crun_$made{$_}.csv", 'x') } sort keys %made;
1 while part("tenant_reset_some(100000, 'job_' || md5(random()::text))");
is_deeply([grep { $_ ne 'jobs' } left('one')], [], 'a run that was triggered meanwhile goes too');
$stack->wait_for('its file to go', sub { !grep { -e } @files });
ok(!(grep { -e } @files), 'and its file');

# killed on the way, as often as it takes
$stack->announce(qr/sqlstate=57P01|lost the connection|UNAVAILABLE|error=CONFLICT/);
for my $trial (1 .. 4) {
	$stack->query('postgres', "INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
		SELECT 'one', 'ih_' || n, 'c' || n, 'impression', 'outbound', now() FROM generate_series(1, 150000) AS n;
		INSERT INTO kaireon.suppressions (tenant_id, id, customer_id, scope) SELECT 'one', 's' || n, 'c', 'global' FROM generate_series(1, 1000) AS n");
	my $pid = fork // die $!;
	if (!$pid) { eval { post($reset, $admin) }; POSIX::_exit(0) }
	sleep rand 0.8;
	$trial % 2 ? $stack->query('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'kaireon_api' AND state <> 'idle'")
		: kill 'KILL', $stack->children('api');
	waitpid $pid, 0;
	my $again = $stack->wait_for('a reset', sub { my $a = eval { post($reset, $admin) }; $a && $a->{status} == 200 });
	is_deeply([left('one')], [], "trial $trial: the next call finishes it");
}

# it can be used again
$demo = bless { %$demo }, 'Kaireon::Campaign';
$stack->ctl('import', '--tenant', 'one', '--schema', 'customers', '--id-column', 'customer_id', "$stack->{dir}/one.csv");
is(decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', 'Everybody', '--schema', 'customers'))->{customerCount}, 100, 'it begins anew');

# erasure: everything of one customer, nothing of another
my $customer = $stack->query('postgres', "SELECT min(customer_id) FROM t_one.ds_customers");
$stack->query('postgres', "INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
		SELECT t, 'ih_' || t || n || c, c, 'impression', 'outbound', now() FROM generate_series(1, 3) AS n, unnest(ARRAY['$customer', 'other']) AS c, unnest(ARRAY['one', 'two']) AS t;
	INSERT INTO kaireon.suppressions (tenant_id, id, customer_id, scope) VALUES ('one', 's', '$customer', 'global'), ('one', 'o', 'other', 'global');
	INSERT INTO kaireon.variant_assignments (tenant_id, experiment_key, customer_id, variant, expires_at) VALUES ('one', 'e', '$customer', 'v', now());
	INSERT INTO kaireon.decision_traces (tenant_id, id, customer_id, created_at) VALUES ('one', 't', '$customer', now());
	INSERT INTO kaireon.interaction_summaries (tenant_id, customer_id, period_type, period_key, period_end) VALUES ('one', '$customer', 'daily', '2026-01-01', now())");
$stack->owner("UPDATE kaireon.tenants SET legal_hold = true WHERE tenant_id = 'one'");
is(post($erasure, $admin, { customerId => $customer })->{status}, 409, 'a hold keeps customers');
$stack->owner("UPDATE kaireon.tenants SET legal_hold = false WHERE tenant_id = 'one'");
is(post($erasure, $admin, $_)->{status}, 400, encode_json($_)) for {}, { customerId => '' }, { customerId => 1 };
is(post($erasure, $demo->{key}{editor}, { customerId => $customer })->{status}, 403, 'an editor may not');
my $erased = post($erasure, $admin, { customerId => $customer });
is($erased->{status}, 200, 'a customer is erased') or diag $erased->{body};
is_deeply($erased->{json}{erased}, { interactionHistory => 3, interactionSummaries => 1, suppressions => 1, decisionTraces => 1, variantAssignments => 1,
	campaignRunResults => 0, customerData => 1, total => 8 }, 'from every table');
is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE tenant_id = 'one'") . $stack->query('postgres', 'SELECT count(*) FROM t_one.ds_customers'), '399', 'others stay');
is($stack->query('postgres', "SELECT count(*) FROM kaireon.interaction_history WHERE tenant_id = 'two' AND customer_id = '$customer'"), 3, 'so does its namesake of another tenant');
is($stack->owner("SELECT count(*) FROM kaireon.erased_interactions WHERE tenant_id = 'one'"), 3, 'with a mark for what the lake has');
unlike($stack->owner("SELECT string_agg(a::text, ' ') FROM kaireon.audit_logs AS a WHERE action = 'gdpr.erase'"), qr/\Q$customer\E/, 'the audit does not name the customer');
is(post($erasure, $admin, { customerId => $customer })->{json}{erased}{total}, 0, 'a second time there is nothing');

# what takes long stops between two parts, before nginx gives up, and can be called again
$stack->query('postgres', 'ALTER FUNCTION kaireon.tenant_reset_some(bigint, text) RENAME TO reset_kept;
	CREATE FUNCTION kaireon.tenant_reset_some(bigint, text) RETURNS bigint LANGUAGE sql AS $$SELECT 1::bigint FROM pg_sleep(0.1)$$;
	GRANT EXECUTE ON FUNCTION kaireon.tenant_reset_some(bigint, text) TO kaireon_api');
$stack->{settings}{STATEMENT_TIMEOUT_MS} = 1500;
$stack->pool('api', 1);
my $part = post($reset, $admin);
is("$part->{status} $part->{json}{error}{message} $part->{headers}{'retry-after'}", '503 a part is left: call again 2', 'a reset has an end in time');
$stack->query('postgres', 'DROP FUNCTION kaireon.tenant_reset_some(bigint, text); ALTER FUNCTION kaireon.reset_kept(bigint, text) RENAME TO tenant_reset_some');
is(post($reset, $admin)->{status}, 200, 'the next call ends it');

$stack->end;
done_testing;
