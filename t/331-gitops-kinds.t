#!/usr/bin/perl
# GitOps beyond one bundle: the nine kinds and what they refer to, keys that
# are exchanged, revisions and rollback, the snapshot and who drifted from it,
# the documented five-kind scope, the schema.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
$stack->tenant('two');
$stack->pool('api', 2)->pool('cron', 1);
my $json = JSON::PP->new->canonical->utf8;

sub resource {
	my ($kind, $name, %spec) = @_;
	return { apiVersion => 'kaireonai.com/v1', kind => $kind, metadata => { name => $name }, spec => \%spec };
}

sub bundle { return { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [@_] } }

sub post {
	my ($what, $bundle, %option) = @_;
	return $stack->request('POST', "/api/v1/gitops/$what", key => $key->{admin}, type => 'application/json',
		defined $bundle ? (body => ref $bundle ? $json->encode($bundle) : $bundle) : (), %option);
}

sub apply { my ($bundle, $query) = @_; return post('apply?dryRun=false' . ($query // ''), $bundle) }

sub details { my ($answer) = @_; return join '; ', map { "$_->{field}: $_->{message}" } @{ $answer->{json}{error}{details} || [] } }

sub ops {
	my ($answer) = @_;
	return join ' ', map { "$_->{op}:$_->{kind}:$_->{name}" . ($_->{changedFields} && @{ $_->{changedFields} } ? '(' . join(',', @{ $_->{changedFields} }) . ')' : '') }
		grep { $_->{op} ne 'unchanged' } @{ $answer->{json}{diffs} || [] };
}

sub export {
	my ($query) = @_;
	my $value = $stack->request('GET', '/api/v1/gitops/export?format=json' . ($query // ''), key => $key->{viewer})->{json};
	delete $value->{manifest}{exportedAt};
	delete $_->{metadata}{annotations} for @{ $value->{resources} };
	return $value;
}

# all nine, referring to each other
my $flow = { version => 2, flowConfig => {}, nodes => [
	{ id => 'i', type => 'inventory', config => { scope => 'category', subCategoryRefs => ['Cards/Gold%2FBlack'], offerRefs => ['Card'] } },
	{ id => 's', type => 'score', config => { method => 'formula', strategyProfileRef => 'Balanced' } },
	{ id => 'o', type => 'response', config => {} }] };
my @all = (
	resource('Category', 'Cards', ordinal => 2, customFields => [{ name => 'rate', type => 'number' }]),
	resource('SubCategory', 'Gold/Black', categoryRef => 'Cards', color => 'gold'),
	resource('SubCategory', 'Gold', categoryRef => 'Cards'),
	resource('Channel', 'Letters', channelType => 'direct_mail', deliveryMode => 'file', status => 'active'),
	resource('Offer', 'Card', categoryRef => 'Cards', subCategoryRef => 'Cards/Gold%2FBlack', status => 'active', priority => 70,
		budget => { dailyCapCents => 5000 }, tags => ['x'], margin => 0.5),
	resource('Creative', 'Card letter', offerRef => 'Card', channelRef => 'Letters', placementId => 'top', status => 'active',
		content => { headline => 'Hello {first_name}' }, personalization => [{ variable => 'first_name', source => 'name', fallback => 'you' }], weight => 60),
	resource('QualificationRule', 'adults', ruleType => 'attribute_condition', config => { attribute => 'age', operator => 'gte', value => 18 }),
	resource('QualificationRule', 'letters of the gold card', ruleType => 'recency_check', scope => 'creative', scopeRef => 'Card letter',
		config => { attribute => 'last_seen', maxDays => 30 }),
	resource('QualificationRule', 'at the top', ruleType => 'metric_condition', scope => 'placement', scopeRef => 'top',
		config => { metric => 'clicks', operator => 'gt', value => 0, windowDays => 7 }),
	resource('ContactPolicy', 'two a month', scope => 'subcategory', scopeRef => 'Cards/Gold%2FBlack', ruleType => 'frequency_cap', config => { maxPerMonth => 2 }),
	resource('ContactPolicy', 'rest', scope => 'global', ruleType => 'category_suppression', config => { categoryRef => 'Cards', suppressionDays => 5 }),
	resource('RankingProfile', 'Balanced', weights => { propensity => 0.4 }),
	resource('DecisionFlow', 'Main', status => 'active', isDefault => JSON::PP::true, draftConfig => $flow),
);
my $answer = apply(bundle(reverse @all));
is($answer->{status}, 200, 'nine kinds are applied, in any order') or diag $answer->{body};
is($answer->{json}{summary}{created}, scalar @all, 'all of them');
is(join(' ', map { "$_->{kind}:$_->{name}" } grep { $_->{kind} eq 'SubCategory' } @{ $answer->{json}{diffs} }),
	'SubCategory:Cards/Gold SubCategory:Cards/Gold%2FBlack', 'a sub-category is known by category and name');
is($stack->owner('SELECT s.name FROM kaireon.offers AS o JOIN kaireon.sub_categories AS s ON s.id = o.sub_category_id'), 'Gold/Black', 'an offer has its sub-category');
is($stack->owner("SELECT draft_config->'nodes'->0->'config'->'subCategoryIds'->>0 = (SELECT id FROM kaireon.sub_categories WHERE name = 'Gold/Black')
	FROM kaireon.decision_flows"), 't', 'a flow refers to it by id');
is($stack->owner("SELECT scope_id FROM kaireon.qualification_rules WHERE scope = 'placement'"), 'top', 'a placement is its own name');
my $first = export();
is(post('diff', $first)->{json}{summary}{unchanged}, scalar @all, 'what is exported is what is live');
my $files = $stack->request('GET', '/api/v1/gitops/export?layout=files', key => $key->{viewer})->{json}{files};
ok($files->{$_}, "the files have $_") for 'sub-categories/Cards%2FGold%252FBlack.yaml', 'creatives/Card%20letter.yaml', 'qualification-rules/adults.yaml';
is($stack->owner("SELECT DISTINCT changed_by FROM kaireon.creatives"), 'admin', 'a row knows who changed it');

# fields and rules of the new kinds
for my $case (
	[resource('SubCategory', 'x'), 'resources[0].spec.categoryRef: is required'],
	[resource('SubCategory', 'x', categoryRef => 'Nowhere'), 'resources[0].spec.categoryRef: there is no Category "Nowhere" in the bundle or live'],
	[resource('Creative', 'x', offerRef => 'Card'), 'resources[0].spec.channelRef: is required'],
	[resource('Creative', 'x', offerRef => 'Card', channelRef => 'Letters', weight => 101), 'resources[0].spec.weight: must be 0 to 100'],
	[resource('Creative', 'x', offerRef => 'Card', channelRef => 'Letters', templateType => 'fax'), qr/templateType: must be one of email_html/],
	[resource('Creative', 'x', offerRef => 'Card', channelRef => 'Letters', personalization => [(1) x 501]), 'resources[0].spec.personalization: must have at most 500 items'],
	[resource('Offer', 'x', subCategoryRef => 'Gold'), 'resources[0].spec.subCategoryRef: there is no SubCategory "Gold" in the bundle or live'],
	[resource('RankingProfile', 'x' x 201), qr/metadata\.name: must be a string of 1 to 200/],
	[resource('RankingProfile', 'x', weights => { propensity => 1.5 }), 'resources[0].spec.weights: propensity must be a number from 0 to 1'],
	[resource('Offer', 'x' x 256), qr/metadata\.name: must be a string of 1 to 255/],
	[resource('Offer', "a\x{85}b"), qr/metadata\.name/], [resource('Offer', "x\x{2003}"), qr/metadata\.name/], [resource('Offer', ' x'), qr/metadata\.name/],
	[resource('Offer', 'x', mandatory => JSON::PP::true, mandatoryReason => '  ', mandatoryApprovedBy => 'me', mandatoryExpiresAt => '2030-01-01T00:00:00Z'),
		'resources[0].spec.mandatoryReason: is required for a mandatory offer'],
	[resource('QualificationRule', 'x', ruleType => 'attribute_condition', config => { attribute => 'age', operator => 'about', value => 1 }), qr/config\.operator: must be one of eq/],
	[resource('QualificationRule', 'x', ruleType => 'attribute_condition', config => { attribute => 'age', operator => 'eq' }), 'resources[0].spec.config.value: is required'],
	[resource('QualificationRule', 'x', ruleType => 'segment_required', config => {}), 'resources[0].spec.config.requiredSegments: is required'],
	[resource('QualificationRule', 'x', ruleType => 'propensity_threshold', config => { minScore => 2 }), 'resources[0].spec.config.minScore: must be 0 to 1'],
	[resource('ContactPolicy', 'x', scope => 'global', ruleType => 'frequency_cap', config => {}), 'resources[0].spec.config: must hold a cap, such as maxPerDay'],
	[resource('ContactPolicy', 'x', scope => 'global', ruleType => 'frequency_cap', config => { maxPerDay => 1, maxPerweek => 2 }),
		'resources[0].spec.config.maxPerweek: unknown; did you mean "maxPerWeek"?'],
	[resource('ContactPolicy', 'x', scope => 'global', ruleType => 'cooldown', config => { cooldownHours => 'long' }), 'resources[0].spec.config.cooldownHours: must be a number'],
	[resource('ContactPolicy', 'x', ruleType => 'cooldown', config => { cooldownHours => 1 }), 'resources[0].spec.scopeRef: is required when the scope is not global'],
	[resource('DecisionFlow', 'x', isDefault => JSON::PP::true), qr/isDefault: "Main" and "x" cannot both be the default flow|isDefault: "x" and "Main"/],
	[resource('DecisionFlow', 'x', key => 'main'), 'key: the DecisionFlow "Main" and "x" cannot both have the key "main"'],
	[resource('DecisionFlow', 'x', draftConfig => { version => 3, nodes => [] }), 'resources[0].spec.draftConfig.version: must be 2'],
	[resource('DecisionFlow', 'x', draftConfig => { nodes => [{ type => 'score' }] }), 'resources[0].spec.draftConfig.nodes[0]: the flow must have exactly one inventory, first'],
) {
	my ($bad, $want) = @$case;
	$answer = post('diff', bundle($bad));
	is($answer->{status}, 400, 'refused: ' . substr $json->encode($bad->{spec}), 0, 80) or diag $answer->{body};
	(my $got = details($answer)) =~ s/line \d+, column \d+: //g;
	ref $want ? like($got, $want, 'with the reason') : is($got, $want, 'with the reason');
}
$answer = post('diff', "manifest: {apiVersion: kaireonai.com/v1, kind: Bundle}\nresources:\n- apiVersion: kaireonai.com/v1\n  kind: Offer\n"
	. "  metadata: {name: x}\n  spec:\n    priority: 7\n    businessValue: lots\n    categoryRef: Nowhere\n", type => 'application/yaml');
is(details($answer), 'resources[0].spec.businessValue: line 8, column 20: must be a number, not a string', 'a problem has its line and column');
is(post('diff', bundle())->{status}, 200, 'an empty bundle is one');
is($json->encode(export()), $json->encode($first), 'nothing of it changed anything');

# one apply may exchange what is unique
apply(bundle(resource('RankingProfile', 'A', key => 'first'), resource('RankingProfile', 'B', key => 'second'),
	resource('DecisionFlow', 'Other', draftConfig => $flow)));
$answer = apply(bundle(resource('RankingProfile', 'A', key => 'second'), resource('RankingProfile', 'B', key => 'first'),
	resource('DecisionFlow', 'Other', draftConfig => $flow, isDefault => JSON::PP::true, key => 'main'),
	resource('DecisionFlow', 'Main', status => 'active', draftConfig => $flow, key => 'other')));
is(ops($answer), 'update:RankingProfile:A(key) update:RankingProfile:B(key) update:DecisionFlow:Main(key,isDefault) update:DecisionFlow:Other(key,isDefault)',
	'keys are exchanged, and the default moves') or diag $answer->{body};
is($stack->owner("SELECT string_agg(name || key || is_default, ' ' ORDER BY name) FROM kaireon.decision_flows"), 'Mainothertrue Othermainfalse'
	=~ s/true/false/r =~ s/Othermainfalse/Othermaintrue/r, 'in the database');

# names and values that are hard to write down
my @odd = (encode_utf8('ümläut 🙂 漢'), 'a/b/../c', '..', 'yes', '007', '~', 'x: y #z', '- a', 'x' x 255, "quote\"'`", 'a%2Fb', '2026-03-30', "non\x{c2}\x{a0}breaking",
	"line\x{e2}\x{80}\x{a8}separator", "bom\x{ef}\x{bb}\x{bf}inside");
utf8::decode($_) for @odd;
my %hard = (big => 1e19, huge => 1e300, tiny => 1e-300, negative => -1e25, int => 9007199254740993, text => "tab\tnul-like \\0 \x{7f}\x{85}\x{2028}\x{fffe}",
	'k' x 1500 => { 'l' x 1024 => [1, { "m\x{85}" x 400 => 'v', n => 2 }], o => {} }, deep => [[[{ a => [] }]]], empty => {}, null => undef, yes => 'yes', no => JSON::PP::false, float => 0.1);
$answer = apply(bundle(map { resource('Category', $_) } @odd));
is($answer->{status}, 200, 'odd names') or diag $answer->{body};
$answer = apply(bundle(resource('Offer', 'hard', metadata => \%hard, tags => ['no', 'null', '1e3', '', ' '])));
is($answer->{status}, 200, 'odd values') or diag $answer->{body};
for my $format (qw(yaml json)) {
	my $text = $stack->request('GET', "/api/v1/gitops/export?format=$format", key => $key->{viewer})->{body};
	$answer = post('diff', $text, type => "application/$format");
	is($answer->{status} . ops($answer), 200, "come back from $format") or diag $answer->{body};
	$files = $stack->request('GET', "/api/v1/gitops/export?format=$format&layout=files", key => $key->{viewer})->{json}{files};
	is((grep { !m{^(?:[a-z-]+/)?[A-Za-z0-9._~%-]+$} || m{(?:^|/)\.\.?(?:/|$|\.yaml$|\.json$)} && !m{%} } keys %$files), 0, "and have safe file names as $format")
		or diag join "\n", grep { m{\.\.} } keys %$files;
}
is(post('diff', bundle(resource('Offer', 'x', metadata => { n => 1 })) && '{"manifest":{"apiVersion":"kaireonai.com/v1","kind":"Bundle"},"resources":[{"apiVersion":"kaireonai.com/v1","kind":"Offer","metadata":{"name":"x"},"spec":{"metadata":{"n":99999999999999999999}}}]}')->{status},
	400, 'an integer beyond 64 bits is refused');

# revisions and rollback
my $revisions = $stack->request('GET', '/api/v1/gitops/revisions', key => $key->{viewer})->{json};
is($revisions->{total}, 5, 'a revision an apply that changed something');
is(join(' ', map { $_->{revision} } @{ $revisions->{revisions} }), '5 4 3 2 1', 'newest first');
is_deeply([sort keys %{ $revisions->{revisions}[0] }], [qw(actor appliedAt auditId revision summary)], 'each tells who, when and what');
is(scalar @{ $stack->request('GET', '/api/v1/gitops/revisions?limit=2', key => $key->{viewer})->{json}{revisions} }, 2, 'a page');
is($stack->request('GET', '/api/v1/gitops/revisions?limit=0', key => $key->{viewer})->{status}, 400, 'a limit out of range');
my $before = $json->encode(export());
$answer = post('rollback?to=1');
is("$answer->{status} $answer->{json}{dryRun}", '200 1', 'a rollback is dry by default');
is($json->encode(export()), $before, 'and changes nothing');
my $plan = $answer->{json}{planHash};
is(post('rollback?to=1&dryRun=false', undef, key => $key->{viewer})->{status}, 403, 'a viewer may not');
is(post('rollback?to=1&dryRun=false', undef, key => $key->{editor})->{status}, 200, 'an editor may, when no rule is touched')
	if $answer->{body} !~ /"kind":"(?:QualificationRule|ContactPolicy)","name":"[^"]*","op":"(?!unchanged)/;
is($json->encode(export()), $json->encode($first), 'the configuration is what it was');
is($stack->owner("SELECT max(revision) || ' ' || (SELECT entity_name FROM kaireon.audit_logs WHERE tenant_id = 'one' ORDER BY seq DESC LIMIT 1) FROM kaireon.gitops_revisions"),
	'6 rollback to revision 1', 'as a new revision, told in the audit log');
is(post('rollback?to=5&dryRun=false')->{status}, 200, 'and forth again: deleted objects are made anew');
is($json->encode(export()), $before, 'all of them');
is(post('rollback?to=1&dryRun=false', undef, headers => { IF_MATCH => "\"$plan\"" })->{status}, 412, 'a plan that no longer holds');
is(post("rollback?to=$_")->{status}, 404, "no revision $_") for 99;
is(post("rollback?$_")->{status}, 400, "a bad request: $_") for 'to=x', 'to=0', '', 'to=-1';
is($stack->request('POST', '/api/v1/gitops/rollback?to=1', key => $stack->tenant('three')->{admin})->{status}, 404, "another tenant's revision is not there");

# snapshot and drift
my $cron = '/api/v1/cron/gitops-drift-check';
sub drift {
	my $check = $stack->request('GET', $cron, headers => { X_CRON_SECRET => 'cron-secret' });
	is($check->{status}, 200, 'a drift check') or diag $check->{body};
	my ($one) = grep { $_->{tenantId} eq 'one' } @{ $check->{json}{tenants} };
	return ($one, $check->{json});
}
is($stack->request('GET', $cron)->{status}, 401, 'without the secret');
my ($one, $check) = drift();
is_deeply([sort keys %$check], [qw(checkedAt complete durationMs ok skipped tenants totalDrifted)], 'its answer');
is("$one->{snapshotRevision} $one->{drifted}", '7 0', 'after an apply nothing has drifted');
my ($none) = grep { $_->{tenantId} eq 'two' } @{ $check->{tenants} };
is_deeply([$none->{snapshotRevision}, $none->{drifted}], [undef, 0], 'a tenant without a snapshot has none');
$stack->owner("UPDATE kaireon.offers SET priority = 99 WHERE name = 'Card'; UPDATE kaireon.sub_categories SET deleted_at = now() WHERE name = 'Gold'");
$stack->query('kaireon_owner', "INSERT INTO kaireon.categories (tenant_id, id, name) VALUES ('one', 'cat_smuggled', 'Smuggled')");
my $audits = $stack->owner('SELECT count(*) FROM kaireon.audit_logs');
($one, $check) = drift();
is("$one->{drifted} $check->{totalDrifted}", '3 3', 'three objects have drifted');
is(join(' ', map { "$_->{op}:$_->{kind}:$_->{name}:" . join(',', @{ $_->{changedFields} }) . ":$_->{lastChange}{actor}" } @{ $one->{diffs} }),
	'delete:Category:Smuggled::kaireon_owner create:SubCategory:Cards/Gold::kaireon_owner update:Offer:Card:priority:kaireon_owner',
	'what applying the snapshot would do, and who did it');
is_deeply($one->{summary}, { created => 1, updated => 1, deleted => 1, unchanged => @{ export()->{resources} } - 2 }, 'summed up');
is($stack->owner("SELECT string_agg(kind || op || resources, ' ' ORDER BY kind) FROM kaireon.gitops_drift WHERE tenant_id = 'one'"),
	'Categorydelete1 Offerupdate1 SubCategorycreate1', 'kept for the gauge');
is($stack->owner('SELECT count(*) FROM kaireon.audit_logs'), $audits + 1, 'a new drift is an audit row');
my $metrics = $stack->request('GET', '/metrics', pool => 'cron');
like($metrics->{headers}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'metrics are Prometheus text');
like($metrics->{body}, qr/^kaireon_gitops_drift_resources\{tenant="one",kind="Offer",op="update"\} 1$/m, 'with the gauge');
is($stack->request('GET', '/metrics', pool => 'cron', address => '192.0.2.1')->{status}, 403, 'for operators only');
drift();
is($stack->owner('SELECT count(*) FROM kaireon.audit_logs'), $audits + 1, 'the same drift is none');
is($stack->owner("SELECT priority FROM kaireon.offers WHERE name = 'Card' AND deleted_at IS NULL"), 99, 'the check never applies');
is(post('snapshot', undef, key => $key->{viewer})->{status}, 403, 'a viewer may not set the snapshot');
$answer = post('snapshot', undef, key => $key->{editor});
is_deeply($answer->{json}, { snapshotRevision => 7, resources => scalar @{ export()->{resources} } }, 'an editor makes the live state the snapshot') or diag $answer->{body};
($one) = drift();
is($one->{drifted}, 0, 'and nothing has drifted from it');
is($stack->owner('SELECT count(*) FROM kaireon.gitops_drift'), 0, 'the gauge is empty');
$answer = post('snapshot', bundle(@all));
is($answer->{json}{resources}, scalar @all, 'or a bundle');
($one) = drift();
like(join(' ', map { "$_->{op}:$_->{name}" } @{ $one->{diffs} }), qr{create:Cards/Gold}, 'from which the live state has drifted');
# two sub-categories of one name: each has its own culprit
apply(bundle(resource('Category', 'Loans'), resource('SubCategory', 'Home', categoryRef => 'Loans'), resource('SubCategory', 'Home', categoryRef => 'Cards')));
$stack->owner("UPDATE kaireon.sub_categories AS s SET deleted_at = now() FROM kaireon.categories AS c WHERE s.name = 'Home' AND c.id = s.category_id AND c.name = 'Cards'");
$stack->query('postgres', "UPDATE kaireon.sub_categories AS s SET deleted_at = now() FROM kaireon.categories AS c WHERE s.name = 'Home' AND c.id = s.category_id AND c.name = 'Loans'");
($one) = drift();
is(join(' ', map { "$_->{name}:$_->{lastChange}{actor}" } grep { $_->{name} =~ /Home/ } @{ $one->{diffs} }), 'Cards/Home:kaireon_owner Loans/Home:postgres', 'of two of one name each has its own culprit');
$stack->owner("UPDATE kaireon.categories SET deleted_at = now() WHERE name = 'Loans'");
my @homes = (resource('Category', 'Loans'), resource('SubCategory', 'Home', categoryRef => 'Loans'), resource('SubCategory', 'Home', categoryRef => 'Cards'));
for my $what ('of the apply', 'of a bundle without ids') {
	($one) = drift();
	is(join(' ', map { "$_->{name}:$_->{lastChange}{actor}" } grep { $_->{name} =~ /Home|Loans/ } @{ $one->{diffs} }),
		'Loans:kaireon_owner Cards/Home:kaireon_owner Loans/Home:postgres', "also when the parent is gone, by the snapshot $what");
	is(post('snapshot', bundle(@all, @homes))->{status}, 200, 'another snapshot');
}
post('snapshot');
my $main = $stack->owner("SELECT id FROM kaireon.decision_flows WHERE name = 'Main' AND deleted_at IS NULL");
is($stack->request('PUT', "/api/v1/decision-flows/$main", key => $key->{editor}, body => { name => 'Renamed' })->{status}, 200, 'a flow is renamed');
($one) = drift();
is(join(' ', map { "$_->{op}:$_->{name}:$_->{lastChange}{actor}" } grep { $_->{kind} eq 'DecisionFlow' && $_->{name} =~ /Main|Renamed/ } @{ $one->{diffs} }),
	'create:Main:editor delete:Renamed:editor', 'who did it is known under both names') or diag encode_json($one->{diffs});
$stack->request('PUT', "/api/v1/decision-flows/$main", key => $key->{editor}, body => { name => 'Main' });
is(post('snapshot', bundle(resource('Offer', 'x', priority => 101)))->{status}, 400, 'a bad bundle is no snapshot');
is(post('snapshot', bundle(resource('Offer', 'x', categoryRef => 'Nowhere')))->{status}, 400, 'nor one that refers to nothing');
$stack->ctl('tenant', 'suspend', '--id', 'one');
is((grep { $_->{tenantId} eq 'one' } @{ (drift())[1]{tenants} }), 0, 'a suspended tenant is not looked at');
$stack->ctl('tenant', 'resume', '--id', 'one');

# what a bundle may be
my $schema = $stack->request('GET', '/api/v1/gitops/schema', key => $key->{viewer});
is($schema->{status}, 200, 'the schema');
is_deeply([sort grep { $_ ne 'resource' } keys %{ $schema->{json}{'$defs'} }], [sort keys %{ { map { $_->{kind} => 1 } @all } }], 'has the nine kinds');
is_deeply($schema->{json}, decode_json($stack->slurp("$stack->{source}/doc/bundle.schema.json")), 'and is the one that is shipped');

# the documented scope
$stack->stop("api$_") for 1, 2;
$stack->{settings}{GITOPS_KINDS} = 'v1';
$stack->pool('api', 1);
$answer = apply(bundle(resource('Offer', 'Card', priority => 3), resource('ContactPolicy', 'new', scope => 'global', ruleType => 'cooldown', config => { cooldownHours => 1 }),
	resource('Creative', 'another', offerRef => 'Card', channelRef => 'Letters'), resource('QualificationRule', 'adults', ruleType => 'segment_required', config => { requiredSegments => [] })));
is($answer->{status}, 200, 'GITOPS_KINDS=v1: nine kinds are read') or diag $answer->{body};
is(join(' ', map { "$_->{op}:$_->{kind}" } @{ $answer->{json}{diffs} }), 'update:Offer unchanged:Creative unchanged:QualificationRule unchanged:ContactPolicy', 'five are reconciled');
is($stack->owner("SELECT count(*) FROM kaireon.contact_policies WHERE name = 'new'"), 0, 'the others are not');
is(post('diff', bundle(resource('ContactPolicy', 'new', ruleType => 'nothing')))->{status}, 400, 'but checked');

$stack->end;
done_testing;
