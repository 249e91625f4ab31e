#!/usr/bin/perl
# Retention, settings and holds by the API and by kaireonctl; the cleanup that a
# tenant's admin calls for; the ledger of cron calls. Every change in the audit log.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $other = $stack->tenant('two');
$stack->pool('api', 2)->pool('cron', 1);
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my ($retention, $settings, $cleanup) = map { "/api/v1/$_" } qw(admin/retention-configs tenant-settings cleanup);

sub call { my ($method, $path, $body, %option) = @_; return $stack->request($method, $path, key => $key->{admin}, defined $body ? (body => $body) : (), %option) }
sub audit {
	my ($tenant) = @_;
	return map { decode_json($_) } split /\n/, $stack->owner("SELECT json_build_object('action', action, 'actor', actor_id,
		'entity', entity_name, 'before', before, 'after', after, 'changes', changes) FROM kaireon.audit_logs
		WHERE tenant_id = '" . ($tenant // 'one') . "' AND action NOT LIKE 'api_key%' ORDER BY seq");
}

# the four rows
is_deeply([map { [@$_{qw(dataClass retentionDays legalHold)}] } @{ call('GET', $retention)->{json} }],
	[['interactions', 730, $false], ['decisions', 90, $false], ['metrics', 2555, $false], ['audit', 2555, $false]], 'defaults are included');
my $row = call('POST', $retention, { dataClass => 'decisions', retentionDays => 30, legalHold => $true })->{json};
like(delete $row->{id}, qr/^rc_/, 'a change answers the row');
is_deeply($row, { dataClass => 'decisions', retentionDays => 30, legalHold => $true }, 'as it is now');
is(call('POST', $retention, { dataClass => 'decisions', retentionDays => 36500 })->{json}{legalHold}, $true, 'a hold is not lifted by forgetting it');
is(call('POST', $retention, { dataClass => 'decisions', retentionDays => 1, legalHold => $false })->{json}{legalHold}, $false, 'but by saying so');
is_deeply([map { [@$_{qw(action entity)}, @{ $_->{before} }{qw(retentionDays legalHold)}, @{ $_->{after} }{qw(retentionDays legalHold)}] } audit()],
	[['retention_config.upsert', 'decisions', 90, $false, 30, $true], ['retention_config.upsert', 'decisions', 30, $true, 36500, $true],
	['retention_config.upsert', 'decisions', 36500, $true, 1, $false]], 'each with before and after');
is(scalar(grep { $_->{retentionDays} == 1 } @{ $stack->request('GET', $retention, key => $other->{admin})->{json} }), 0, 'the other tenant has its own');
for my $try ([{ dataClass => 'x', retentionDays => 0, legalHold => 1, more => 1 }, 4], [{}, 2]) {
	my $answer = call('POST', $retention, $try->[0]);
	is("$answer->{status} " . @{ $answer->{json}{error}{details} }, "400 $try->[1]", 'every problem is told');
}
is(scalar(audit()), 3, 'what was refused changed nothing');

# settings
is_deeply(call('GET', $settings)->{json}, {}, 'settings are an empty object at first');
is_deeply(call('PUT', $settings, { theme => 'dark', mlWorker => { url => 'https://ml', enabled => $true }, list => [1, 2] })->{json},
	{ theme => 'dark', mlWorker => { url => 'https://ml', enabled => $true }, list => [1, 2] }, 'some');
is_deeply(call('PUT', $settings, { mlWorker => { enabled => $false }, list => [3], theme => undef })->{json},
	{ theme => undef, mlWorker => { url => 'https://ml', enabled => $false }, list => [3] }, 'objects merge, all else replaces');
is_deeply(call('PUT', $settings, {})->{json}, call('GET', $settings)->{json}, 'nothing changes nothing');
my $deep = { x => 1 };
$deep = { x => $deep } for 1 .. 30;
is(call('PUT', $settings, $deep)->{status}, 200, 'as deep as JSON may be');
is(call('PUT', $settings, { x => { x => $deep } })->{status}, 400, 'but no deeper');
is(call('PUT', $settings, '{"a": 1, "a": 2}')->{status}, 400, 'no member twice');
is(call('PUT', $settings, { a => 'x' x 200_000 })->{status}, 200, 'large settings');
is(call('PUT', $settings, { b => 'x' x 200_000 })->{status}, 413, 'that would grow too large together');
is(exists call('GET', $settings)->{json}{b}, '', 'are not kept');
is(call('PUT', $settings, { a => undef, legalHold => 'yes' })->{json}{error}{details}[0]{field}, 'legalHold', 'a hold is true or false');
is(call('PUT', $settings, { legalHold => $true })->{json}{legalHold}, $true, 'a hold on the tenant');
is($stack->owner("SELECT legal_hold FROM kaireon.tenants WHERE tenant_id = 'one'"), 't', 'is where the cleanup looks');
is((audit())[-1]{before}{legalHold}, undef, 'it was not there before');
$stack->ctl('tenant', 'hold', '--id', 'one', '--off');
is(call('GET', $settings)->{json}{legalHold}, $false, 'lifted by an operator');
is_deeply([@{ (audit())[-1] }{qw(action actor before after)}], ['tenant.hold', 'kaireonctl', { legalHold => $true }, { legalHold => $false }], 'with an audit row');
is_deeply($stack->request('GET', $settings, key => $other->{admin})->{json}, {}, 'the other tenant has none of it');

# suspended and resumed
$stack->ctl('tenant', 'suspend', '--id', 'two');
is($stack->request('GET', $settings, key => $other->{admin})->{status}, 403, 'suspended');
$stack->ctl('tenant', 'resume', '--id', 'two');
is($stack->request('GET', $settings, key => $other->{admin})->{status}, 200, 'resumed');
is_deeply([map { [@$_{qw(action before after)}] } audit('two')], [['tenant.suspend', { status => 'active' }, { status => 'suspended' }],
	['tenant.resume', { status => 'suspended' }, { status => 'active' }]], 'both in the audit log');
for my $verb (qw(suspend resume hold)) {
	my ($status, undef, $why) = $stack->ctl_try('tenant', $verb, '--id', 'nobody');
	is("$status $why", qq{1 kaireonctl: no tenant "nobody"\n}, "tenant $verb of nobody");
}

# without its audit row a change does not happen
$stack->announce(qr/error kaireon.*(42501|permission denied)/);
$stack->owner('REVOKE INSERT ON kaireon.audit_logs FROM kaireon_api');
is(call('POST', $retention, { dataClass => 'metrics', retentionDays => 5 })->{status}, 500, 'no audit row');
is(call('PUT', $settings, { theme => 'lost' })->{status}, 500, 'no change');
is($stack->owner("SELECT retention_days FROM kaireon.retention_configs WHERE tenant_id = 'one' AND data_class = 'metrics'"), 2555, 'of retention');
isnt(call('GET', $settings)->{json}{theme} // '', 'lost', 'nor of settings');
$stack->owner('GRANT INSERT ON kaireon.audit_logs TO kaireon_api');

# a hold waits for the batch at work: the row that the deleting statement locks
my $psql = $stack->spawn('holder', undef, 'sh', '-c', "psql -qX -h $stack->{dir}/sock -U postgres -d kaireon -c \"BEGIN\" "
	. "-c \"SELECT kaireon.tenant_set('one'), kaireon.retention_cutoff('interactions'), pg_sleep(1)\" -c COMMIT");
$stack->wait_for('the lock', sub { $stack->query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%retention_cutoff%' AND wait_event = 'PgSleep'") });
my $answer = call('PUT', $settings, { legalHold => $true });
is($answer->{status}, 200, 'a hold beside a batch at work');
is($stack->query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), 0, 'comes after it');
call('PUT', $settings, { legalHold => $false });
waitpid delete $stack->{pids}{holder}, 0;

# the tenant's own cleanup: assignments, and the beginning of the audit chain
sub old_audit {
	$stack->query('postgres', q{SELECT kaireon.partition_ensure('audit_logs', (now() - n * interval '1 month')::date) FROM generate_series(0, 3) AS n;
		UPDATE kaireon.audit_logs SET created_at = created_at - interval '50 days' WHERE tenant_id = 'one' AND seq <= 5});
}
my $assignments = q{INSERT INTO kaireon.variant_assignments (tenant_id, experiment_key, customer_id, variant, expires_at)
	SELECT t, 'e', 'c' || i, 'v', now() + CASE WHEN i <= 7 THEN '-1 second' ELSE '1 day' END::interval
	FROM unnest('{one,two}'::text[]) AS t, generate_series(1, 9) AS i ON CONFLICT DO NOTHING};
$stack->query('postgres', $assignments);
call('POST', $retention, { dataClass => 'audit', retentionDays => 30, legalHold => $true });
old_audit();
is_deeply(call('POST', $cleanup)->{json}, { cleaned => { expiredVariantAssignments => 7, oldAuditLogs => 0 } }, 'the class audit is held');
call('POST', $retention, { dataClass => 'audit', retentionDays => 30, legalHold => $false });
call('PUT', $settings, { legalHold => $true });
$stack->query('postgres', $assignments);
is_deeply(call('POST', $cleanup)->{json}, { cleaned => { expiredVariantAssignments => 0, oldAuditLogs => 0 } }, 'the tenant is held: nothing goes');
call('PUT', $settings, { legalHold => $false });
is_deeply(call('POST', $cleanup)->{json}, { cleaned => { expiredVariantAssignments => 7, oldAuditLogs => 5 } }, 'no hold: what is over goes');
is_deeply((audit())[-1]{changes}, { expiredVariantAssignments => 7, oldAuditLogs => 5 }, 'the call itself is in the log');
is($stack->owner("SELECT anchor_seq || ' ' || anchor_count || ' ' || (SELECT min(seq) FROM kaireon.audit_logs AS a WHERE a.tenant_id = h.tenant_id)
	|| ' ' || (anchor_hash = (SELECT prev_hash FROM kaireon.audit_logs AS a WHERE a.tenant_id = h.tenant_id AND a.seq = 6))
	FROM kaireon.audit_heads AS h WHERE tenant_id = 'one'"), '5 5 6 true', 'an anchor keeps the end of what went');
is($stack->owner("SELECT count(*) FROM kaireon.variant_assignments WHERE tenant_id = 'two'"), 9, 'the other tenant\'s stay');
is(call('POST', $cleanup)->{status}, 200, 'the fourth') for 1;
is(call('POST', $cleanup)->{status}, 200, 'and fifth call of a minute');
is(call('POST', $cleanup)->{status}, 429, 'the sixth is too many');

# the ledger
my $cron = sub { $stack->request('GET', '/api/v1/cron/cleanup', headers => { X_CRON_SECRET => 'cron-secret' })->{json} };
$stack->owner(q{INSERT INTO kaireon.suppressions (tenant_id, id, customer_id, scope, expires_at)
	SELECT t, 'sup', 'c', 'global', now() - interval '1 hour' FROM unnest('{one,two}'::text[]) AS t});
$stack->owner(q{INSERT INTO kaireon.cron_runs (id, job, started_at) SELECT 'cron_old' || n, 'tick', now() - n * interval '1 day' FROM generate_series(89, 93) AS n});
is($cron->()->{cleaned}{expiredSuppressions}, 2, 'a cleanup');
is($stack->owner("SELECT count(*) FROM kaireon.cron_runs WHERE job = 'tick'"), 1, 'forgets calls of more than 90 days ago');
my ($run) = @{ call('GET', '/api/v1/admin/cron-runs?job=cleanup')->{json}{cronRuns} };
is_deeply([$run->{totals}{cleaned}{expiredSuppressions}, $run->{tenant}{suppressions}, $run->{ok}, $run->{skipped}], [2, { purged => 1 }, $true, $false],
	'totals of all, the part of the caller');
unlike(encode_json($run), qr/"two"/, 'and of nobody else');
is_deeply(call('GET', '/api/v1/admin/cron-runs?job=nothing')->{json}, { cronRuns => [] }, 'no such job');
is(scalar @{ call('GET', '/api/v1/admin/cron-runs?limit=1')->{json}{cronRuns} }, 1, 'a page of one');
my $metrics = $stack->request('GET', '/metrics', pool => 'cron')->{body};
like($metrics, qr/^\Q$_\E /m, $_) for map { "kaireon_cron_$_\{job=\"cleanup\"}" } qw(runs_total failures_total rows_total duration_seconds_total last_success_timestamp_seconds);

$stack->end;
done_testing;
