#!/usr/bin/perl
# Decision flows: created, read, changed, published, deleted, by one and by
# many at once; what a run makes of a flow that is published meanwhile.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 50 });
my $key = $stack->tenant('one');
my $other = $stack->tenant('two');
$stack->pool('api', 4)->pool('cron', 1);
my ($true, $false) = (JSON::PP::true, JSON::PP::false);

sub call {
	my ($method, $path, $body, $who) = @_;
	return $stack->request($method, "/api/v1/decision-flows$path", key => $who // $key->{editor}, $body ? (body => $body) : ());
}

sub details { my ($answer) = @_; return join '; ', map { "$_->{field}: $_->{message}" } @{ $answer->{json}{error}{details} || [] } }
sub epoch { return $stack->owner("SELECT epoch FROM kaireon.config_epochs WHERE tenant_id = 'one'") }

my $seq = $stack->owner("SELECT seq FROM kaireon.audit_heads WHERE tenant_id = 'one'");
sub audit {
	my ($columns) = @_;
	my $text = $stack->owner("SELECT $columns FROM kaireon.audit_logs WHERE tenant_id = 'one' AND seq > $seq ORDER BY seq");
	$seq = $stack->owner("SELECT seq FROM kaireon.audit_heads WHERE tenant_id = 'one'");
	return $text;
}

sub draft { my (@nodes) = @_; return { version => 2, flowConfig => {}, nodes => [@nodes] } }
sub node { my ($type, %config) = @_; return { id => $type, type => $type, config => \%config } }

my $plain = draft(node('inventory', scope => 'all'), node('score', method => 'priority_weighted'), node('response'));

audit('1');

# created
my $answer = call('GET', '');
is_deeply($answer->{json}, { data => [], pagination => { total => 0, limit => 25, hasMore => $false, nextCursor => undef } }, 'no flow yet');
$answer = call('POST', '', { name => 'First flow' });
is($answer->{status}, 201, 'a flow is created') or diag $answer->{body};
my $first = $answer->{json};
is_deeply([sort keys %$first], [sort qw(id tenantId key name description status autoAssembly draftConfig publishedVersions rowVersion isDefault
	couplingOverride createdAt updatedAt)], 'it has its fields');
is_deeply([@$first{qw(key status autoAssembly isDefault rowVersion couplingOverride description publishedVersions)}],
	['first-flow', 'draft', $true, $true, 1, undef, '', []], 'with their defaults; the first one is the default');
is_deeply($first->{draftConfig}, { version => 2, nodes => [], flowConfig => {} }, 'and an empty draft');
is(audit("action || ' ' || entity_type || ' ' || entity_name || ' ' || (entity_id = '$first->{id}') || ' ' || (before IS NULL) || ' ' || (after->>'key') || ' ' || actor_name"),
	'decision_flow.create decision_flow First flow true true first-flow editor', 'it is told in the audit log');
is_deeply(call('GET', "/$first->{id}", undef, $key->{viewer})->{json}, $first, 'it is read');
my $epoch = epoch();
my $second = call('POST', '', { name => 'Second', key => 'two', draftConfig => $plain, autoAssembly => $false, couplingOverride => 'atomic' })->{json};
is_deeply([@$second{qw(key isDefault autoAssembly couplingOverride)}], ['two', $false, $false, 'atomic'], 'the second one is not the default');
is(epoch(), $epoch + 1, 'the configuration has moved on');
audit('1');

my @twice = map { $stack->request('POST', '/api/v1/decision-flows', key => $key->{editor}, body => { name => 'Once' }, headers => { IDEMPOTENCY_KEY => 'once' }) } 1, 2;
is(join(' ', map { $_->{status} } @twice) . ' ' . ($twice[1]{headers}{'idempotency-replayed'} // 'no'), '201 201 true', 'a repeated call is answered again');
is($twice[0]{json}{id}, $twice[1]{json}{id}, 'and makes one flow');
call('DELETE', "/$twice[0]{json}{id}");
audit('1');

# what is refused
for my $case (
	[{}, 400, 'name: is required'],
	[{ name => '' }, 400, qr/^name: must be a string/],
	[{ name => ' x' }, 400, qr/^name: must be a string/],
	[{ name => 7 }, 400, qr/^name: must be a string/],
	[{ name => 'x' x 256 }, 400, qr/^name: must be a string of 1 to 255/],
	[{ name => 'Second' }, 409, ''],
	[{ name => 'x', key => 'two' }, 409, 'key: the DecisionFlow "Second" and "x" cannot both have the key "two"'],
	[{ name => 'x', key => 'No Key' }, 400, qr/^key: must be lower-case/],
	[{ name => 'x', status => 'on' }, 400, qr/^status: must be one of draft, active/],
	[{ name => 'x', autoAssembly => 'yes', couplingOverride => 'none' }, 400, qr/^autoAssembly: must be a boolean, not a string; couplingOverride: must be one of/],
	[{ name => 'x', draftConfig => [] }, 400, 'draftConfig: must be a object, not a array'],
	[{ name => 'x', draftConfig => draft(node('score')) }, 400, 'draftConfig.nodes[0]: the flow must have exactly one inventory, first'],
	[{ name => 'x', draftConfig => draft(node('inventory'), node('dance')) }, 400, 'draftConfig.nodes[1]: node "dance": unknown type "dance"'],
	[{ name => 'x', draftConfig => draft(node('inventory'), node('rank', maxCandidates => 0)) }, 400, qr/^draftConfig\.nodes\[1\]: .*maxCandidates must be/],
	[{ name => 'x', draftConfig => draft(node('inventory', offerIds => ['off_nothing'])) }, 400, 'draftConfig: there is no Offer with the id "off_nothing"'],
	[{ name => 'x', draftConfig => draft(node('inventory', offerIds => [$first->{id}])) }, 400, "draftConfig: there is no Offer with the id \"$first->{id}\""],
	[{ name => 'x', draftConfig => draft(node('inventory', offerRefs => ['y'])) }, 400, 'draftConfig: offerRefs is written as offerIds here, by id'],
	[{ name => 'x', draftConfig => draft(node('inventory', offerIds => [7])) }, 400, 'draftConfig: must be the id of a Offer, not a integer'],
	[{ name => 'x', draftconfig => {} }, 400, 'draftconfig: unknown field; did you mean "draftConfig"?'],
	[{ name => 'x', rowVersion => 'one' }, 400, 'rowVersion: must be an integer, not a string'],
) {
	my ($body, $status, $why) = @$case;
	$answer = call('POST', '', $body);
	is($answer->{status}, $status, 'refused: ' . substr encode_json($body), 0, 70) or diag $answer->{body};
	ref $why ? like(details($answer), $why, 'with the reason') : is(details($answer), $why, 'with the reason');
}
is(audit('action'), '', 'nothing of it is told');

# changed
is(call('PUT', "/$second->{id}", { description => 'über', rowVersion => 1 })->{json}{rowVersion}, 2, 'a change moves the row version');
is(audit("action || ' ' || before::text || ' ' || after::text"), encode_utf8('decision_flow.update {"description": ""} {"description": "über"}'), 'and says what changed');
$answer = call('PUT', "/$second->{id}", { description => 'late', rowVersion => 1 });
is("$answer->{status} $answer->{json}{error}{code} $answer->{json}{error}{message}", '409 CONFLICT the flow was changed meanwhile: its rowVersion is 2', 'who saw an old one is refused');
is(call('PUT', "/$second->{id}", { description => 'über' })->{json}{rowVersion}, 2, 'what is so already changes nothing');
is(call('PUT', "/$second->{id}", {})->{json}{rowVersion}, 2, 'nor does nothing');
is(audit('action'), '', 'and is not told');
$answer = call('PUT', "/$second->{id}", { name => 'Zweiter', isDefault => $true });
is_deeply([@{ $answer->{json} }{qw(name key isDefault description)}], ['Zweiter', 'two', $true, 'über'], 'another name, and the default') or diag $answer->{body};
is(call('GET', "/$first->{id}")->{json}{isDefault}, $false, 'which the first one is no more');
is(audit("action || ' ' || entity_name || ' ' || before::text || after::text"), "decision_flow.update First flow {\"isDefault\": true}{\"isDefault\": false}\n"
	. 'decision_flow.update Zweiter {"name": "Second", "isDefault": false}{"name": "Zweiter", "isDefault": true}', 'both are told');
is(call('PUT', "/$first->{id}", { name => 'Zweiter' })->{status}, 409, 'a name that is taken');
is(call('PUT', "/$first->{id}", { key => 'two' })->{status}, 409, 'and a key');
my $numbers = '{"draftConfig": {"version": 2, "nodes": [], "flowConfig": {"big": 1e19, "huge": -1e300, "int": 9007199254740993, "half": 0.5}}}';
$answer = $stack->request('PUT', "/api/v1/decision-flows/$first->{id}", key => $key->{editor}, body => $numbers);
is($answer->{status}, 200, 'numbers of any size') or diag $answer->{body};
like($answer->{body}, qr/"int": 9007199254740993\b/, 'are kept to the last digit');
is(call('PUT', "/$first->{id}", { draftConfig => draft() })->{status}, 200, 'and go again');
is(details(call('PUT', "/$first->{id}", { name => undef })), 'name: must be a string of 1 to 255 characters without control characters and outer spaces', 'no name');
is(call('PUT', '/df_nothing', { name => 'x' })->{status}, 404, 'an unknown flow');
is(call('PUT', "/$first->{id}", { name => 'x' }, $other->{admin})->{status}, 404, "another tenant's");
is(call('GET', "/$first->{id}", undef, $other->{admin})->{status}, 404, 'nor is it read');
is(call('PUT', "/$first->{id}", { name => 'x' }, $key->{viewer})->{status}, 403, 'a viewer may not');

# published
$answer = call('POST', '/publish', { flowId => $first->{id} });
is("$answer->{status} $answer->{json}{error}{message}", '400 the flow has no nodes to publish', 'an empty draft is not published');
audit('1');
$epoch = epoch();
$answer = call('POST', '/publish', { flowId => $second->{id}, notes => 'the beginning', rowVersion => call('GET', "/$second->{id}")->{json}{rowVersion} });
is($answer->{status}, 200, 'published') or diag $answer->{body};
is_deeply([map { [@$_{qw(version notes)}] } @{ $answer->{json}{publishedVersions} }], [[1, 'the beginning']], 'as its first version');
is($answer->{json}{status}, 'active', 'a draft becomes active');
is(epoch(), $epoch + 1, 'the configuration has moved on');
is(audit("action || ' ' || entity_name || ' ' || changes::text"), 'decision_flow.publish Zweiter {"notes": "the beginning", "version": 1}', 'it is told');
call('PUT', "/$second->{id}", { draftConfig => draft(node('inventory', scope => 'all'), node('response')) });
is(call('POST', '/publish', { flowId => $second->{id} })->{json}{publishedVersions}[0]{version}, 2, 'the next version');
is_deeply(call('GET', "/$second->{id}/versions/1")->{json}{config}, $plain, 'the first one is what it was');
is(scalar @{ call('GET', "/$second->{id}/versions/2")->{json}{config}{nodes} }, 2, 'the second one is another');
$answer = call('GET', "/$second->{id}/versions?limit=1")->{json};
is("$answer->{data}[0]{version} $answer->{data}[0]{publishedBy} $answer->{pagination}{hasMore} $answer->{pagination}{nextCursor} $answer->{pagination}{total}", '2 editor 1 2 2', 'a page of versions');
$answer = call('GET', "/$second->{id}/versions?limit=1&cursor=2")->{json};
is_deeply([$answer->{data}[0]{version}, $answer->{pagination}{hasMore}, $answer->{pagination}{nextCursor}], [1, $false, undef], 'and the last');
is(call('GET', "/$second->{id}/versions/$_")->{status}, 404, "no version $_") for '3', '0', 'x', '99999999999999999999';
is(call('GET', "/df_nothing/versions")->{status}, 404, 'nor of no flow');
is(call('GET', "/$second->{id}/versions/1", undef, $other->{admin})->{status}, 404, 'nor of another tenant');
is(call('POST', '/publish', { flowId => $second->{id}, rowVersion => 1 })->{status}, 409, 'an old row version is not published');
is(call('POST', '/publish', { flowId => 'df_nothing' })->{status}, 404, 'nor what is not there');
$stack->owner(qq{UPDATE kaireon.decision_flows SET draft_config = '{"version": 2, "nodes": [{"type": "inventory"}, {"type": "dance"}]}' WHERE id = '$first->{id}'});
like(details(call('POST', '/publish', { flowId => $first->{id} })), qr/^draftConfig\.nodes\[1\]: .*unknown type/, 'nor a draft that no run would take');
$stack->owner(qq{UPDATE kaireon.decision_flows SET draft_config = '{"version": 2, "nodes": [], "flowConfig": {}}' WHERE id = '$first->{id}'});
is(call('POST', '/publish', { flowId => $second->{id} }, $other->{admin})->{status}, 404, "nor another tenant's");
is(call('POST', '/publish', {})->{status}, 400, 'nor nothing');
is(call('POST', '/publish', { flowId => $second->{id}, notes => 'x' x 2001 })->{status}, 400, 'notes have an end');
is(call('PUT', "/$second->{id}", { status => 'archived' })->{status}, 200, 'archived');
is(call('POST', '/publish', { flowId => $second->{id} })->{status}, 409, 'it is not published');
is(($stack->try_query('kaireon_api', "UPDATE kaireon.decision_flow_versions SET notes = 'x'"))[0], 3, 'no version can be changed');

# the bundle says what the API did, and drift knows who
$stack->request('POST', '/api/v1/gitops/snapshot', key => $key->{editor});
call('PUT', "/$first->{id}", { description => 'drifted' });
my $drift = $stack->request('GET', '/api/v1/cron/gitops-drift-check', headers => { X_CRON_SECRET => 'cron-secret' })->{json};
my ($mine) = grep { $_->{tenantId} eq 'one' } @{ $drift->{tenants} };
is_deeply([@{ $mine->{diffs}[0] }{qw(kind name op)}, $mine->{diffs}[0]{changedFields}, $mine->{diffs}[0]{lastChange}{actor}],
	['DecisionFlow', 'First flow', 'update', ['description'], 'editor'], 'a change by the API is drift with a culprit');
is($stack->owner("SELECT action FROM kaireon.audit_logs WHERE id = '$mine->{diffs}[0]{lastChange}{auditId}'"), 'decision_flow.update', 'and an audit row');

# deleted
is(call('DELETE', "/$second->{id}")->{status}, 409, 'what was published is protected');
my $caller = call('POST', '', { name => 'Caller', draftConfig => draft(node('inventory', scope => 'all'), node('call_flow', decisionFlowId => $first->{id}), node('response')) })->{json};
is($caller->{draftConfig}{nodes}[1]{config}{decisionFlowId}, $first->{id}, 'a flow calls another, by id');
is(call('DELETE', "/$first->{id}")->{status}, 409, 'what another flow calls stays');
is(call('DELETE', "/$caller->{id}", undef, $key->{viewer})->{status}, 403, 'a viewer may not');
is(call('DELETE', "/$caller->{id}", undef, $other->{admin})->{status}, 404, "nor another tenant");
audit('1');
$answer = call('DELETE', "/$caller->{id}");
is("$answer->{status}$answer->{body}", '204', 'the caller goes');
is(audit("action || ' ' || entity_name || ' ' || (after IS NULL) || ' ' || (before->>'key')"), 'decision_flow.delete Caller true caller', 'it is told');
is(call('GET', "/$caller->{id}")->{status}, 404, 'it is not there');
is(call('DELETE', "/$caller->{id}")->{status}, 404, 'and cannot be deleted again');
is(call('DELETE', "/$first->{id}")->{status}, 204, 'then the first one');
is(call('POST', '', { name => 'Caller' })->{status}, 201, 'its name is free again');

# a reference that leads nowhere already stands in nobody's way
$stack->owner("INSERT INTO kaireon.offers (tenant_id, id, name, category_id) VALUES ('one', 'off_lost', 'Lost', 'cat_lost')") if
	$stack->owner("INSERT INTO kaireon.categories (tenant_id, id, name, deleted_at) VALUES ('one', 'cat_lost', 'gone', now()) RETURNING id");
my $spare = call('POST', '', { name => 'Spare' })->{json}{id};
is(call('DELETE', "/$spare")->{status}, 204, 'nothing that stays refers to it');
$stack->owner("UPDATE kaireon.offers SET deleted_at = now() WHERE id = 'off_lost'");

# pages
call('POST', '', { name => "Page $_", $_ % 2 ? (status => 'paused') : () }) for 1 .. 7;
my (@seen, $cursor);
for (1 .. 10) {
	$answer = call('GET', '?limit=3' . ($cursor ? "&cursor=$cursor" : ''))->{json};
	push @seen, @{ $answer->{data} };
	is(scalar @{ $answer->{data} }, 3, 'a page is full') if $answer->{pagination}{hasMore};
	$cursor = $answer->{pagination}{nextCursor} or last;
}
is(scalar @seen, $answer->{pagination}{total}, 'all pages together');
is_deeply([map { $_->{id} } @seen], [map { $_->{id} } @{ call('GET', '?limit=100')->{json}{data} }], 'are the list');
is_deeply([map { $_->{status} } @seen], [sort map { $_->{status} } @seen], 'by status');
is(call('GET', "?$_")->{status}, 400, "refused: $_") for 'limit=0', 'limit=101', 'cursor=df_nothing', 'cursor=', 'nothing=1';

# the base flow
my @made = $stack->parallel(12, sub { my $a = call('POST', '/ensure-base'); return "$a->{status} $a->{json}{created} $a->{json}{flowId}" });
my %made = map { $_ => 1 } @made;
is(join(' ', map { (split / /)[0] } sort @made), '200 ' x 11 . '201', 'many want the base flow at once: one makes it') or diag explain \@made;
my ($base) = map { (split / /)[2] } grep { /^201/ } @made;
is_deeply([sort keys %made], ["200 0 $base", "201 1 $base"], 'and it is the same for all');
$answer = call('GET', "/$base")->{json};
is_deeply([map { $_->{type} } @{ $answer->{draftConfig}{nodes} }], [qw(inventory match_creatives enrich qualify contact_policy extension_point score
	extension_point rank extension_point response)], 'it has the nodes of every flow');
is("$answer->{status} $answer->{publishedVersions}[0]{version}", 'active 1', 'and is published');
is(call('POST', '/ensure-base', undef, $key->{viewer})->{status}, 403, 'a viewer may not');

# many at once
my $version = call('PUT', "/$base", { description => 'before' })->{json}{rowVersion};
my %count;
$count{$_}++ for $stack->parallel(50, sub { my ($i) = @_; call('PUT', "/$base", { description => "by $i", rowVersion => $version })->{status} });
is_deeply(\%count, { 200 => 1, 409 => 49 }, 'of 50 that saw the same version one wins');
is(call('GET', "/$base")->{json}{rowVersion}, $version + 1, 'once');
my @published = $stack->parallel(8, sub { call('POST', '/publish', { flowId => $base })->{json}{publishedVersions}[0]{version} });
is(join(' ', sort { $a <=> $b } @published), '2 3 4 5 6 7 8 9', 'each of eight that publish makes a version of its own');
$version = call('GET', "/$base")->{json}{rowVersion};
%count = ();
$count{$_}++ for $stack->parallel(8, sub { call('POST', '/publish', { flowId => $base, rowVersion => $version })->{status} });
is_deeply(\%count, { 200 => 1, 409 => 7 }, 'one of eight that saw the same version');
for my $trial (1 .. 4) {
	my $before = call('GET', "/$base")->{json};
	my $new = draft(@{ $before->{draftConfig}{nodes} });
	$new->{flowConfig} = { trial => $trial };
	my @answers = $stack->parallel(2, sub { $_[0] == 1 ? call('PUT', "/$base", { draftConfig => $new })->{status} : call('POST', '/publish', { flowId => $base })->{status} });
	my $after = call('GET', "/$base")->{json};
	my $frozen = call('GET', "/$base/versions/$after->{publishedVersions}[0]{version}")->{json}{config}{flowConfig};
	is("@answers $after->{draftConfig}{flowConfig}{trial} " . ($after->{rowVersion} - $before->{rowVersion}), "200 200 $trial 2", "trial $trial: a change against a publication: both happen");
	ok(encode_json($frozen) eq encode_json($new->{flowConfig}) || encode_json($frozen) eq encode_json($before->{draftConfig}{flowConfig}), 'and what is published is one or the other');
}
my @defaults = $stack->parallel(10, sub { my ($i) = @_; call('POST', '', { name => "Default $i", isDefault => $true })->{status} });
is("@defaults", '201 ' x 9 . '201', 'ten that want to be the default');
is($stack->owner("SELECT count(*) FROM kaireon.decision_flows WHERE tenant_id = 'one' AND is_default AND deleted_at IS NULL"), 1, 'one is');
is(($stack->try_query('kaireon_owner', "UPDATE kaireon.decision_flows SET is_default = true WHERE tenant_id = 'one'"))[0], 3, 'by the database too');

# a run keeps the version that it was planned with
my $demo = Kaireon::Campaign->new($stack, 'three', count => 2000);
$stack->worker('worker');
sub forget { $stack->owner('DELETE FROM kaireon.interaction_history') }
my $campaign = $demo->campaign(name => 'Calm');
my $calm = $demo->finished($campaign, $demo->trigger($campaign));
is($calm->{status}, 'completed', 'a calm run');
my $mine_is = "/$demo->{flow}";
my $flow = call('GET', $mine_is, undef, $demo->{key}{editor})->{json};
is(call('DELETE', $mine_is, undef, $demo->{key}{editor})->{status}, 409, 'a flow that a campaign uses is not deleted');
my $held;
for (1 .. 20) {
	forget();
	$held = $demo->trigger($campaign);
	$stack->wait_for('its plan', sub { $stack->owner("SELECT planned_now IS NOT NULL FROM kaireon.campaign_runs WHERE id = '$held'") eq 't' });
	last if $demo->post("/$campaign/campaign-runs/$held/pause")->{status} == 202;
}
$flow->{draftConfig}{nodes}[-2]{config}{maxCandidates} = 2;
is(call('PUT', $mine_is, { draftConfig => $flow->{draftConfig} }, $demo->{key}{editor})->{status}, 200, 'in the middle of a run the draft changes');
$answer = call('POST', '/publish', { flowId => $demo->{flow}, notes => 'two offers' }, $demo->{key}{editor});
is($answer->{json}{publishedVersions}[0]{version}, 2, 'and is published') or diag $answer->{body};
is($demo->post("/$campaign/campaign-runs/$held/resume")->{status}, 202, 'the run goes on');
my $done = $demo->finished($campaign, $held);
is("$done->{status} $done->{summary}{file}{sha256}", "completed $calm->{summary}{file}{sha256}", 'to the file of the version that it began with');
forget();
my $next = $demo->finished($campaign, $demo->trigger($campaign));
cmp_ok($next->{summary}{decisions}, '>', $calm->{summary}{decisions}, 'the next run decides with the new one');

$stack->end;
done_testing;
