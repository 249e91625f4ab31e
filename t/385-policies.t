#!/usr/bin/perl
# Rules and contact policies by their types: each against an SQL formulation of
# its own, over a history of random contacts and answers.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 70 });
my $key = $stack->tenant('one');
$stack->pool('api', 1);
$stack->worker;
# day and hour are those of the tenant: here it is often tomorrow
$stack->owner(q{UPDATE kaireon.tenants SET time_zone = 'Pacific/Auckland'});

# 400 customers, who differ in age, in a date and in a propensity
my $csv = "customer_id,age,since,propensityScores.alpha\n";
$csv .= sprintf "k%03d,%d,%s,%s\n", $_, 18 + $_ * 7 % 50, $_ % 9 ? sprintf('%d-%02d-%02d', 2020 + $_ % 7, 1 + $_ % 12, 1 + $_ % 28) : '',
	$_ % 5 ? $_ % 10 / 10 : '' for 1 .. 400;
$stack->ctl('import', '--tenant', 'one', '--schema', 'customers', '--id-column', 'customer_id', '--types', 'since=date',
	$stack->spew("$stack->{dir}/c.csv", $csv));
my %segment = map { $_->[0] => decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', $_->[0],
	'--schema', 'customers', @$_[1 .. $#$_])) } ['Everybody'], ['Young', '--where', 'age:lt:30'];

# what the bundle has: offers, and one object of each case, which all sleep
my @offers = (['alpha', 'cards', 'gold', 90], ['beta', 'cards', 'gold', 80], ['gamma', 'cards', 'plain', 70], ['delta', 'loans', undef, 60],
	['omega', 'cards', 'plain', 50]);
my @cases = (
	{ name => 'dismissed', type => 'outcome_based', config => { outcomeType => 'dismiss', lookbackDays => 7, action => 'suppress' },
	  drops => q{EXISTS (SELECT FROM h WHERE h.customer_id = k.customer_id AND h.outcome = 'dismiss' AND h.created_at > now - interval '7 days')} },
	{ name => 'dismissed cards', type => 'outcome_based', scope => 'category', ref => 'cards', config => { outcomeType => 'dismiss', lookbackDays => 20 },
	  drops => q{o.category = 'cards' AND EXISTS (SELECT FROM h WHERE h.customer_id = k.customer_id AND h.category = 'cards' AND h.outcome = 'dismiss' AND h.created_at > now - interval '20 days')} },
	{ name => 'cards rest', type => 'category_suppression', config => { categoryRef => 'cards', suppressionDays => 4 },
	  drops => q{o.category = 'cards' AND EXISTS (SELECT FROM c WHERE c.customer_id = k.customer_id AND c.category = 'cards' AND c.created_at > now - interval '4 days')} },
	{ name => 'gold rests', type => 'category_suppression', config => { subCategoryRef => 'cards/gold', suppressionDays => 9 },
	  drops => q{o.sub = 'gold' AND EXISTS (SELECT FROM c WHERE c.customer_id = k.customer_id AND c.sub = 'gold' AND c.created_at > now - interval '9 days')} },
	{ name => 'alpha or beta', type => 'mutual_exclusion', config => { offerGroup => [qw(alpha beta)] }, cut => 1,
	  drops => q{CASE o.name WHEN 'alpha' THEN EXISTS (SELECT FROM c WHERE c.customer_id = k.customer_id AND c.name = 'beta')
		WHEN 'beta' THEN NOT EXISTS (SELECT FROM c WHERE c.customer_id = k.customer_id AND c.name = 'beta')
			OR EXISTS (SELECT FROM c WHERE c.customer_id = k.customer_id AND c.name = 'alpha') ELSE false END} },
	{ name => 'not for the young', type => 'segment_exclusion', scope => 'offer', ref => 'alpha', config => { excludeSegments => ['Young'] },
	  drops => q{o.name = 'alpha' AND k.age < 30} },
	{ name => 'six in all', type => 'customer_total_cap', scope => 'offer', ref => 'delta', config => { maxTotal => 6 }, cut => 1,
	  # three better offers are given before
	  drops => q{o.name = 'delta' AND 3 + (SELECT count(*) FROM c WHERE c.customer_id = k.customer_id) >= 6} },
	{ name => 'gold twice', type => 'frequency_cap', scope => 'subcategory', ref => 'cards/gold', config => { maxTotal => 3, lookbackHours => 240 }, cut => 1,
	  drops => q{o.sub = 'gold' AND (o.name = 'beta')::int + (SELECT count(*) FROM c WHERE c.customer_id = k.customer_id AND c.sub = 'gold'
		AND c.created_at >= now - interval '10 days') >= 3} },
	{ name => 'but spring', type => 'frequency_cap', scope => 'offer', ref => 'alpha', config => { maxTotal => 2, excludeCampaignIds => ['spring'] },
	  drops => q{o.name = 'alpha' AND (SELECT count(*) FROM c WHERE c.customer_id = k.customer_id AND c.name = 'alpha' AND c.campaign_id IS DISTINCT FROM 'spring') >= 2} },
	{ name => 'only spring', type => 'frequency_cap', scope => 'offer', ref => 'alpha', config => { maxTotal => 1, withinCampaignId => 'spring' },
	  drops => 'false' },
	{ name => 'many contacts', type => 'metric_condition', scope => 'category', ref => 'cards',
	  config => { metric => 'impressions', operator => 'gt', value => 2, windowDays => 15 },
	  drops => q{o.category = 'cards' AND (SELECT count(*) FROM c WHERE c.customer_id = k.customer_id AND c.category = 'cards' AND c.created_at >= now - interval '15 days') > 2} },
	{ name => 'seen lately', rule => 'recency_check', stage => 'eligibility', config => { attribute => 'since', maxDays => 900 },
	  drops => q{k.since < now - interval '900 days'} },
	{ name => 'clicked', rule => 'metric_condition', scope => 'offer', ref => 'beta', config => { metric => 'clicks', operator => 'gte', value => 1, windowDays => 10 },
	  drops => q{o.name = 'beta' AND NOT EXISTS (SELECT FROM h WHERE h.customer_id = k.customer_id AND h.outcome = 'click' AND h.created_at >= now - interval '10 days')} },
	{ name => 'well disposed', rule => 'metric_condition', config => { metric => 'negative', operator => 'lt', value => 2 },
	  drops => q{(SELECT count(*) FROM h WHERE h.customer_id = k.customer_id AND h.outcome IN ('dismiss', 'grumble')) >= 2} },
	{ name => 'likely', rule => 'propensity_threshold', stage => 'eligibility', config => { minScore => 0.5 },
	  drops => q{o.name = 'alpha' AND coalesce("propensityScores.alpha", 0.5) < 0.5} },
	{ name => 'the young are watched', rule => 'attribute_condition', scope => 'segment', ref => 'Young', config => { attribute => 'age', operator => 'gte', value => 25 },
	  drops => q{k.age < 25} },
	{ name => 'plain for the old', rule => 'attribute_condition', scope => 'subcategory', ref => 'cards/plain', config => { attribute => 'age', operator => 'gte', value => 50 },
	  drops => q{o.sub = 'plain' AND k.age < 50} },
);
sub resource { my ($kind, $name, %spec) = @_; return { apiVersion => 'kaireonai.com/v1', kind => $kind, metadata => { name => $name }, spec => \%spec } }
sub scoped { my ($case) = @_; return (scope => $case->{scope} || 'global', $case->{ref} ? (scopeRef => $case->{ref}) : (), status => 'paused', config => $case->{config}) }
my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $key->{admin}, body => {
	manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' },
	resources => [
		map({ resource('Category', $_) } qw(cards loans)),
		map({ resource('SubCategory', $_, categoryRef => 'cards') } qw(gold plain)),
		map({ resource('Channel', $_, status => 'active', deliveryMode => 'file') } qw(email letter)),
		map({ resource('Offer', $_->[0], status => 'active', categoryRef => $_->[1], $_->[2] ? (subCategoryRef => "cards/$_->[2]") : (), priority => $_->[3]) } @offers),
		map({ $_->{rule} ? resource('QualificationRule', $_->{name}, ruleType => $_->{rule}, $_->{stage} ? (stage => $_->{stage}) : (), scoped($_))
			: resource('ContactPolicy', $_->{name}, ruleType => $_->{type}, scoped($_)) } @cases),
		resource('DecisionFlow', 'flow', status => 'active', draftConfig => { version => 2, flowConfig => {}, nodes => [
			{ id => 'i', type => 'inventory', config => { scope => 'all' } }, map({ { id => $_, type => $_, config => {} } } qw(qualify contact_policy score)),
			{ id => 'k', type => 'rank', config => { maxCandidates => 10 } }, { id => 'e', type => 'response', config => {} }] }),
	] });
is($applied->{status}, 200, 'the bundle is applied') or BAIL_OUT($applied->{body});
# its contacts count all the same
$stack->owner(q{UPDATE kaireon.offers SET deleted_at = now() WHERE name = 'omega'});
$stack->owner(q{INSERT INTO kaireon.outcome_types (tenant_id, key, name, classification, category) VALUES ('one', 'grumble', 'Grumble', 'negative', 'response')});

# contacts and answers of the last four weeks; some at the edges of days
$stack->owner(q{INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, outcome, offer_id, channel_id, campaign_id, created_at)
	SELECT 'one', 'i' || i, k.customer_id, CASE WHEN x.kind < 5 THEN 'impression' ELSE 'outcome' END, CASE WHEN x.kind = 4 THEN 'inbound' ELSE 'outbound' END,
	       (ARRAY['click', 'dismiss', 'grumble', 'accept'])[x.kind - 4], o.id, h.id, CASE x.day % 3 WHEN 0 THEN 'spring' WHEN 1 THEN 'summer' END,
	       now() - x.day * interval '1 day' + x.kind * interval '1 hour' - interval '5 hours'
	FROM (SELECT 'k' || to_char(i, 'FM000') AS customer_id FROM generate_series(1, 400) AS i) AS k
	CROSS JOIN generate_series(1, 8) AS n
	CROSS JOIN LATERAL (SELECT abs(hashtext(k.customer_id || '/' || n)) AS i) AS r
	CROSS JOIN LATERAL (SELECT i % 9 AS kind, i / 9 % 27 + 1 AS day, i / 243 % 6 AS offer, i / 1458 % 2 AS channel) AS x
	LEFT JOIN LATERAL (SELECT id FROM kaireon.offers ORDER BY name OFFSET x.offer LIMIT 1) AS o ON true
	JOIN LATERAL (SELECT id FROM kaireon.channels ORDER BY name OFFSET x.channel LIMIT 1) AS h ON true});
cmp_ok($stack->owner('SELECT count(DISTINCT outcome) FROM kaireon.interaction_history'), '==', 4, 'a history of contacts and answers');

my $flow = $stack->owner('SELECT id FROM kaireon.decision_flows');
my $campaign = $stack->request('POST', '/api/v1/runs', key => $key->{editor},
	body => { name => 'x', decisionFlowId => $flow, segmentId => $segment{Everybody}{id} })->{json}{id};

# A run with these objects awake; the history is as before.
sub run_with {
	my ($table, $name) = @_;
	$stack->owner("UPDATE kaireon.$table SET status = CASE WHEN name = '$name' THEN 'active' ELSE 'paused' END") if $table;
	my $id = $stack->request('POST', "/api/v1/runs/$campaign/campaign-runs", key => $key->{editor})->{json}{id};
	my $run = $stack->wait_for("run $id", sub {
		my $answer = $stack->request('GET', "/api/v1/runs/$campaign/campaign-runs/$id", key => $key->{viewer})->{json};
		($answer->{status} // 'pending') !~ /^(?:pending|running)$/ && $answer;
	}, 60);
	$stack->owner("DELETE FROM kaireon.interaction_history WHERE campaign_run_id IS NOT NULL");
	$stack->owner("UPDATE kaireon.$table SET status = 'paused'") if $table;
	return $run;
}

# Offers that SQL would keep, for each customer.
sub expected {
	my ($run, $drops) = @_;
	return qq{WITH o AS (SELECT o.id, o.name, c.name AS category, s.name AS sub, o.deleted_at FROM kaireon.offers AS o
			JOIN kaireon.categories AS c ON c.id = o.category_id LEFT JOIN kaireon.sub_categories AS s ON s.id = o.sub_category_id),
		h AS (SELECT i.customer_id, i.outcome, i.created_at, i.campaign_id, i.interaction_type, i.direction, o.name, o.category, o.sub
			FROM kaireon.interaction_history AS i LEFT JOIN o ON o.id = i.offer_id),
		c AS (SELECT * FROM h WHERE interaction_type = 'impression' AND direction = 'outbound'),
		t AS (SELECT planned_now AS now FROM kaireon.campaign_runs WHERE id = '$run->{id}'),
		kept AS (SELECT k.customer_id, o.id FROM t_one.ds_customers AS k CROSS JOIN o CROSS JOIN t
			WHERE o.deleted_at IS NULL AND ($drops) IS NOT TRUE),
		given AS (SELECT customer_id, offer_id FROM kaireon.campaign_run_results WHERE run_id = '$run->{id}' AND status = 'selected')};
}

for my $case (@cases) {
	my $run = run_with($case->{rule} ? 'qualification_rules' : 'contact_policies', $case->{name});
	my $what = ($case->{rule} || $case->{type}) . " ($case->{name})";
	is($run->{status}, 'completed', "$what: the run is completed") or diag encode_json($run);
	my ($kept, $missing, $wrong) = split /\|/, $stack->query('kaireon_worker', expected($run, $case->{drops})
		. ' SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM (TABLE kept EXCEPT TABLE given) AS x), (SELECT count(*) FROM (TABLE given EXCEPT TABLE kept) AS x)');
	is($missing, 0, "$what: everything that SQL keeps is given");
	is($wrong, 0, "$what: and nothing else");
	is($run->{summary}{decisions}, $kept, "$what: $kept of 1600 decisions");
	cmp_ok($kept, $case->{drops} eq 'false' ? '==' : '<', 1600, "$what: it is of some consequence");
	my $dropped = $run->{summary}{droppedBy};
	my $pairs = 2 * (1600 - $kept);
	is($dropped->{ $case->{rule} ? 'qualification' : 'contactPolicy' }, $pairs, "$what: the pairs that it drops are counted")
		unless $case->{cut};
}

# what depends on the moment, and on what all customers were sent
my $id = 0;
sub policy {
	my ($type, $config, $scope) = @_;
	my $name = 'extra ' . ++$id;
	$stack->owner(sprintf q{INSERT INTO kaireon.contact_policies (tenant_id, id, name, scope, rule_type, config, status) VALUES ('one', '%s', '%s', 'global', '%s', '%s', 'paused')},
		"cp_x$id", $name, $type, encode_json($config));
	return run_with('contact_policies', $name);
}
my ($day, $hour) = split /\|/, $stack->owner(q{SELECT extract(dow FROM now() AT TIME ZONE 'Pacific/Auckland'), extract(hour FROM now() AT TIME ZONE 'Pacific/Auckland')});
is(policy('time_window', { allowedDays => [$day + 0, ($day + 1) % 7] })->{summary}{decisions}, 1600, 'time_window: the day of the tenant');
is(policy('time_window', { allowedDays => [map { ($day + $_) % 7 } 2 .. 6] })->{summary}{decisions}, 0, 'time_window: the other days');
is(policy('time_window', { startHour => ($hour + 2) % 24, endHour => ($hour + 4) % 24 || 24 })->{summary}{decisions}, 0, 'time_window: two hours later');
$stack->owner(q{INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, offer_id, created_at)
	SELECT 'one', 'today' || i, 'nobody' || i, 'impression', 'outbound', o.id, now() FROM kaireon.offers AS o, generate_series(1, 5) AS i WHERE o.name = 'alpha'});
my $sent = $stack->owner(q{SELECT count(*) FROM kaireon.interaction_history AS h JOIN kaireon.offers AS o ON o.id = h.offer_id WHERE o.name = 'alpha' AND h.interaction_type = 'impression'
	AND h.direction = 'outbound' AND h.created_at >= date_trunc('day', now(), 'Pacific/Auckland')});
$stack->owner("UPDATE kaireon.offers SET budget = '{\"maxPerDay\": $sent}' WHERE name = 'alpha'");
is(policy('budget_exhausted', { checkImpressions => JSON::PP::true })->{summary}{decisions}, 1200, "budget_exhausted: $sent of $sent were sent");
$stack->owner(sprintf q{UPDATE kaireon.offers SET budget = '{"maxPerDay": %d, "maxImpressions": 100000}' WHERE name = 'alpha'}, $sent + 1);
is(policy('budget_exhausted', {})->{summary}{decisions}, 1600, 'budget_exhausted: one is left');

# what offers say of themselves, whatever the policies; alpha was sent to some in four weeks
$stack->owner(q{UPDATE kaireon.offers SET budget = '{"dailyCapCents": 500, "currentDailySpentCents": 500}' WHERE name = 'alpha'});
is(run_with()->{summary}{droppedBy}{qualification}, 800, 'a budget that is spent');
$stack->owner(q{UPDATE kaireon.offers SET budget = '{}', inventory = '{"totalStock": 9, "remainingStock": 0}' WHERE name = 'alpha'});
is(run_with()->{summary}{decisions}, 1200, 'nothing left of an offer');
$stack->owner(q{UPDATE kaireon.offers SET inventory = '{}', frequency_caps = '{"perCustomer": {"weekly": 2, "monthly": 1}}' WHERE name = 'alpha'});
my $capped = run_with();
my ($often) = $stack->query('kaireon_worker', expected($capped, 'false') . q{ SELECT count(DISTINCT k.customer_id) FROM t_one.ds_customers AS k
	JOIN c ON c.customer_id = k.customer_id AND c.name = 'alpha' CROSS JOIN t
	WHERE c.created_at >= date_trunc('month', t.now, 'Pacific/Auckland')});
cmp_ok($often, '>', 0, 'some had it this month');
is($capped->{summary}{decisions}, 1600 - $often, 'they do not have it again');
is($capped->{summary}{droppedBy}{contactPolicy}, 2 * $often, 'which counts as a contact policy');
$stack->owner(q{UPDATE kaireon.offers SET frequency_caps = '{}' WHERE name = 'alpha'});

# a campaign's own cap
is(policy('frequency_cap', { maxTotal => 1, withinCampaignId => $campaign })->{summary}{decisions}, 400, 'withinCampaignId: one a customer of this campaign');
is(policy('frequency_cap', { maxTotal => 0, excludeCampaignIds => [$campaign] })->{summary}{decisions}, 1600, 'excludeCampaignIds: this one is not held back');

# mandatory offers are spared, and what is lifted is lifted
$stack->owner(q{UPDATE kaireon.offers SET mandatory = true, mandatory_reason = 'x', mandatory_approved_by = 'x', mandatory_expires_at = now() + interval '1 hour' WHERE name = 'delta'});
is(policy('segment_exclusion', { excludeSegments => ['Everybody'] })->{summary}{decisions}, 400, 'segment_exclusion spares mandatory offers');
is(policy('segment_exclusion', { excludeSegments => ['Everybody'], bypassable => JSON::PP::false })->{summary}{decisions}, 0, 'but not if it may not be bypassed');
is(policy('frequency_cap', { maxPerDay => 0 })->{summary}{decisions}, 0, 'frequency_cap spares none');
$stack->owner(q{INSERT INTO kaireon.contact_policies (tenant_id, id, name, scope, scope_id, rule_type) SELECT 'one', 'cp_lift', 'lift', 'offer', id, 'allow_override' FROM kaireon.offers WHERE name = 'beta'});
$stack->owner(q{UPDATE kaireon.contact_policies SET status = 'active' WHERE name LIKE 'extra%' AND rule_type = 'frequency_cap'});
my $lifted = run_with();
is($lifted->{summary}{decisions}, 400, 'allow_override lifts it for its offer');
is($lifted->{summary}{droppedBy}{contactPolicy}, 2 * 1200, 'and for no other');

$stack->end;
done_testing;
