#!/usr/bin/perl
# Every change writes its audit row in its own transaction: for every route of
# the table that may write. Without the row nothing has changed; with it the row
# says who did it, by which request, what was and what is.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Fill;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { CONNECTOR_ENCRYPTION_KEY => 'the-key-of-the-tests' });
$stack->pool('api', 1)->pool('cron', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 5);
my ($true, $made) = (JSON::PP::true, 0);

# a row of audit that a request of this name would write is refused
$stack->query('postgres', q{CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'refused'; END$$;
	CREATE TRIGGER refuse BEFORE INSERT ON kaireon.audit_logs FOR EACH ROW WHEN (NEW.request_id = 'refused') EXECUTE FUNCTION public.refuse()});
$stack->announce(qr/request_id=refused .*status=500/);

# all that the tenant has, but for when a key was last used and what a limit has counted
my $state = join ' UNION ALL ', map { "SELECT '$_:' || coalesce(md5(string_agg((to_jsonb(t) - 'last_used_at')::text, '|' ORDER BY t::text)), '') FROM kaireon.$_ AS t WHERE tenant_id = 'one'" }
	grep { $_ ne 'rate_limit_hits' } Kaireon::Fill::tables($stack);
sub state { return $stack->query('postgres', $state) }
sub request { my ($method, $path, $body, %option) = @_; return $stack->request($method, $path, key => $demo->{key}{admin}, defined $body ? (body => $body) : (), %option) }
sub create { my ($path, $body) = @_; my $answer = request('POST', $path, $body); die "$path: $answer->{body}" if $answer->{status} > 299; return $answer->{json} }
sub name { return 'object ' . ++$made }

my ($watch, $reports, $flows, $approvals) = ('/api/v1/notifications/providers', '/api/v1/reports', '/api/v1/decision-flows', '/api/v1/approvals');
sub provider { return create($watch, { kind => 'slack', name => name(), config => { webhookUrl => 'https://chat.example/x' } })->{id} }
my $provider = provider();
my %rule = (metric => 'ctr', operator => 'lt', threshold => 0.1, channels => [$provider]);
sub alert { return create('/api/v1/alerts', { %rule, name => name() })->{id} }
my %template = (dataSources => [{ sourceKey => 'funnel' }], formats => ['html']);
sub template { return create("$reports/templates", { %template, name => name() })->{id} }
sub schedule { return create("$reports/schedules", { templateId => template(), name => name(), cronExpression => '0 9 * * 1' })->{id} }
my %config = (draftConfig => { version => 2, nodes => [{ type => 'inventory', config => {} }, { type => 'response' }] });
sub flow { return create($flows, { %config, name => name() }) }
my %ask = (entityType => 'offer', action => 'create');
sub approval { return create($approvals, { %ask, payload => { name => name() } })->{id} }
sub campaign { return create('/api/v1/runs', { decisionFlowId => $demo->{flow}, segmentId => $demo->{segment}{id}, name => name() })->{id} }
sub run { my $campaign = campaign(); return ($campaign, create("/api/v1/runs/$campaign/campaign-runs", {})->{id}) }
sub moved { my ($verb, @before) = @_; my ($campaign, $run) = run(); create("/api/v1/runs/$campaign/campaign-runs/$run/$_", {}) for @before; return "/api/v1/runs/$campaign/campaign-runs/$run/$verb" }
sub bundle { return { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [{ apiVersion => 'kaireonai.com/v1', kind => 'Category', metadata => { name => name() }, spec => {} }] } }

# For each route: what its row tells (b before, a after, c changes), and a call that
# changes something: path, body. Whatever it needs is made first.
my %change = (
	'cache.flush' => ['c', sub { '/api/v1/admin/cache', {} }],
	'dlq.move' => ['c', sub {
		$stack->owner("INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, retry_count) VALUES ('one', 'dle_$made', 'alert_deliveries', 'x', '{}', 'x', 1)");
		'/api/v1/admin/dlq', { action => 'purge' } }],
	'POST admin.retention-configs' => ['ba', sub { '/api/v1/admin/retention-configs', { dataClass => 'decisions', retentionDays => ++$made } }],
	'alert.create' => ['a', sub { '/api/v1/alerts', { %rule, name => name() } }],
	'alert.update' => ['ba', sub { '/api/v1/alerts/' . alert(), { threshold => 0.5 } }],
	'alert.delete' => ['b', sub { '/api/v1/alerts/' . alert() }],
	'alert.test' => ['', sub { '/api/v1/alerts/' . alert() . '/test', {} }],
	'api-keys.create' => ['a', sub { '/api/v1/api-keys', { name => name(), role => 'viewer' } }],
	'api-keys.delete' => ['b', sub { '/api/v1/api-keys?id=' . create('/api/v1/api-keys', { name => name(), role => 'viewer' })->{id} }],
	'approval.create' => ['a', sub { $approvals, { %ask, payload => { name => name() } } }],
	'approval.decide' => ['ba', sub { "$approvals/" . approval(), { action => 'reject' } }],
	'cleanup' => ['c', sub { '/api/v1/cleanup', {} }],
	'flow.create' => ['a', sub { $flows, { %config, name => name() } }],
	'flow.ensure-base' => ['a', sub { "$flows/ensure-base", {} }],
	'flow.publish' => ['', sub { my $flow = flow(); "$flows/publish", { flowId => $flow->{id}, rowVersion => $flow->{rowVersion} } }],
	'flow.update' => ['ba', sub { "$flows/" . flow()->{id}, { name => name() } }],
	'flow.delete' => ['b', sub { "$flows/" . flow()->{id} }],
	'gdpr.erasure' => ['c', sub { '/api/v1/gdpr/erasure', { customerId => 'nobody' } }],
	'gitops.apply' => ['c', sub { '/api/v1/gitops/apply?dryRun=false', bundle() }],
	'gitops.rollback' => ['c', sub { create('/api/v1/gitops/apply?dryRun=false', bundle()); '/api/v1/gitops/rollback?dryRun=false&to=' . ($stack->owner("SELECT max(revision) - 1 FROM kaireon.gitops_revisions WHERE tenant_id = 'one'")) }],
	'gitops.snapshot' => ['c', sub { '/api/v1/gitops/snapshot' }],
	'provider.create' => ['a', sub { $watch, { kind => 'slack', name => name(), config => { webhookUrl => 'https://chat.example/x' } } }],
	'provider.update' => ['ba', sub { "$watch/" . provider(), { name => name() } }],
	'provider.delete' => ['b', sub { "$watch/" . provider() }],
	'notification.send' => ['', sub { '/api/v1/notifications/send', { providerIds => [$provider], title => 'hello' } }],
	'report-schedule.create' => ['a', sub { "$reports/schedules", { templateId => template(), name => name(), cronExpression => '0 9 * * 1' } }],
	'report-schedule.update' => ['ba', sub { "$reports/schedules/" . schedule(), { name => name() } }],
	'report-schedule.delete' => ['b', sub { "$reports/schedules/" . schedule() }],
	'report-template.create' => ['a', sub { "$reports/templates", { %template, name => name() } }],
	'report-template.update' => ['ba', sub { "$reports/templates/" . template(), { name => name() } }],
	'report-template.delete' => ['b', sub { "$reports/templates/" . template() }],
	'report-template.run-now' => ['', sub { "$reports/templates/" . template() . '/run-now', {} }],
	'campaign.create' => ['a', sub { '/api/v1/runs', { decisionFlowId => $demo->{flow}, segmentId => $demo->{segment}{id}, name => name() } }],
	'campaign.update' => ['ba', sub { '/api/v1/runs/' . campaign(), { name => name() } }],
	'campaign.delete' => ['b', sub { '/api/v1/runs/' . campaign() }],
	'run.execute-inline' => ['a', sub { '/api/v1/runs/execute-inline', { runId => campaign(), decisionFlowId => $demo->{flow}, segmentViewName => $demo->{segment}{viewName} } }],
	'run.trigger' => ['a', sub { '/api/v1/runs/' . campaign() . '/campaign-runs', {} }],
	'run.pause' => ['ba', sub { moved('pause'), {} }],
	'run.resume' => ['ba', sub { moved('resume', 'pause'), {} }],
	'run.cancel' => ['ba', sub { moved('cancel'), {} }],
	'PUT tenant.settings' => ['ba', sub { '/api/v1/tenant-settings', { theme => name() } }],
	'tenant.reset' => ['', sub { '/api/v1/tenant/reset', { confirm => $true } }],
);
# a POST that changes nothing
my %reads = map { $_ => 1 } qw(audit.check gitops.diff);

my @routes = grep { $_->[0] =~ /^(?:POST|PUT|PATCH|DELETE)$/ && $_->[3] =~ /^(?:viewer|editor|admin)$/ } map { [split /\t/] } split /\n/, `$stack->{build}/kaireon-fcgi --routes`;
# the reset comes last
for my $route (sort { ($a->[2] eq 'tenant.reset') <=> ($b->[2] eq 'tenant.reset') } @routes) {
	my ($method, undef, $name, undef, $pool) = @$route;
	next if $reads{$name};
	my $change = delete $change{$name} // delete $change{"$method $name"};
	ok($change, "$method $name is here") or next;
	my ($tells, $prepare) = @$change;
	my ($path, $body) = $prepare->();
	my %option = (pool => $pool);
	$stack->owner('DELETE FROM kaireon.rate_limit_hits');
	my $before = state();
	my $refused = request($method, $path, $body, %option, id => 'refused');
	is($refused->{status}, 500, "$name: without its row it fails") or diag $refused->{body};
	is(state(), $before, '… and nothing has changed');
	my $id = "law-$name";
	my $answer = request($method, $path, $body, %option, id => $id);
	cmp_ok($answer->{status}, '<', 300, "$name") or diag $answer->{body};
	my @rows = split /\n/, $stack->owner("SELECT actor_name || ' ' || action || ' ' || concat(CASE WHEN before IS NOT NULL THEN 'b' END, CASE WHEN after IS NOT NULL THEN 'a' END, CASE WHEN changes IS NOT NULL THEN 'c' END)
		FROM kaireon.audit_logs WHERE tenant_id = 'one' AND request_id = '$id' ORDER BY seq");
	cmp_ok(scalar @rows, '>', 0, "… leaves its row") or next;
	my ($actor, $action, $has) = split ' ', $rows[0];
	is($actor, 'admin', '… of who did it');
	is(join('', grep { index($has // '', $_) < 0 } split //, $tells), '', "… that tells what it must: @rows");
}
is_deeply([sort keys %change], [], 'every change is of a route');
is(($stack->ctl_try('verify-audit', '--tenant', 'one'))[0], 0, 'and the chain holds');

$stack->end;
done_testing;
