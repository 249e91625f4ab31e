#!/usr/bin/perl
# The nodes of a flow: a called flow's filters, creatives, a conditional and
# diversity, over imported customers, against the same rules as SQL.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 100 });
$stack->pool('api', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 700);
$stack->worker;

sub resource {
	my ($kind, $name, %spec) = @_;
	return { apiVersion => 'kaireonai.com/v1', kind => $kind, metadata => { name => $name }, spec => \%spec };
}

sub apply {
	my ($what, @resources) = @_;
	my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $demo->{key}{admin},
		body => { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => \@resources });
	is($applied->{status}, 200, $what) or diag $applied->{body};
}

sub flow {
	my ($name, @nodes) = @_;
	my $number = 0;
	return resource('DecisionFlow', $name, status => 'active', draftConfig => { version => 2, flowConfig => {},
		nodes => [map { { id => 'n' . $number++, type => $_->[0], config => $_->[1] || {} } } @nodes] });
}

sub condition { my ($field, $operator, @value) = @_; return { field => $field, operator => $operator, @value ? (value => $value[0]) : () } }

# creatives: some offers have none, some have several, some of them placed
my @offers = split /\n/, $stack->owner('SELECT name FROM kaireon.offers ORDER BY name');
my (@creatives, $seed);
for my $offer (@offers) {
	for my $channel (qw(email letter)) {
		for my $number (1 .. (2, 3, 0, 1, 2)[++$seed % 5]) {
			push @creatives, resource('Creative', "$offer by $channel, $number", offerRef => $offer, channelRef => $channel,
				status => $seed % 7 == 1 ? 'paused' : 'active', weight => (40, 100, 75, 100, 60)[($seed * 3 + $number) % 5],
				$number == 2 && $seed % 3 == 0 ? (placementId => 'top') : ());
		}
	}
}
cmp_ok(scalar @creatives, '>', 20, 'creatives');
apply('creatives are applied', @creatives);
apply('the flow that is called', flow('narrowing', ['inventory'],
	[filter => { conditions => [condition('offer.priority', 'gte', 45), condition('offer.name', 'regex', '^[A-Z][a-z]+ ')] }],
	[filter => { combinator => 'OR', conditions => [condition('customer.balance', 'gte', 300),
		condition('offer.categoryName', 'in', ['savings']), condition('channel.channelType', 'eq', 'direct_mail')] }]));
apply('the flow', flow('nodes', ['inventory'], [call_flow => { decisionFlowRef => 'narrowing' }],
	[match_creatives => { requireCreative => JSON::PP::true, placementMatchMode => 'exact' }],
	[conditional => { conditions => [condition('customer.age', 'lt', 40)],
		then => { action => 'drop', conditions => [condition('offer.categoryName', 'starts_with', 'lo')] },
		else => { action => 'keep', combinator => 'OR',
			conditions => [condition('offer.businessValue', 'gte', 55), condition('customer.marital', 'eq', 'married')] } }],
	['score'], [rank => { method => 'diversity', maxCandidates => 3 }], ['compute'], ['response']));
$demo->{flow} = $stack->owner("SELECT id FROM kaireon.decision_flows WHERE name = 'nodes'");

my $campaign = $demo->campaign(name => 'Nodes', fileConfig => { format => 'csv', destination => 'download',
	columns => [qw(customer_id rank offer_id channel_id creative_id score)] });
my $run = $demo->finished($campaign, $demo->trigger($campaign));
is($run->{status}, 'completed', 'the run is completed') or diag encode_json($run);

my $sql = q{
	WITH pair AS (
		SELECT k.customer_id, o.id AS offer_id, o.name, o.priority, g.name AS category, h.id AS channel_id, h.name AS channel,
		       c.id AS creative_id, o.priority / 100.0::float8 * (c.weight / 100.0::float8) AS score,
		       coalesce(o.priority >= 45 AND o.name ~ '^[A-Z][a-z]+ '
		       AND (coalesce(k.balance >= 300, false) OR g.name = 'savings' OR h.channel_type = 'direct_mail')
		       AND c.id IS NOT NULL
		       AND CASE WHEN k.age < 40 THEN left(g.name, 2) <> 'lo'
		                ELSE o.business_value >= 55 OR coalesce(k.marital = 'married', false) END, false) AS good
		FROM t_one.ds_customers AS k
		CROSS JOIN kaireon.offers AS o
		CROSS JOIN kaireon.channels AS h
		JOIN kaireon.categories AS g ON g.id = o.category_id
		LEFT JOIN LATERAL (SELECT x.id, x.weight FROM kaireon.creatives AS x WHERE x.offer_id = o.id AND x.channel_id = h.id
			AND x.status = 'active' AND x.placement_id IS NULL ORDER BY x.weight DESC, x.name COLLATE "C" LIMIT 1) AS c ON true),
	best AS (
		SELECT DISTINCT ON (customer_id, offer_id) * FROM pair WHERE good
		ORDER BY customer_id, offer_id, score DESC, channel COLLATE "C"),
	turn AS (
		SELECT *, row_number() OVER (PARTITION BY customer_id, category ORDER BY score DESC, priority DESC, name COLLATE "C") AS turn FROM best),
	wanted AS (
		SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY turn, score DESC, priority DESC, name COLLATE "C") AS rank
			FROM turn) AS x WHERE rank <= 3)
};
my $wanted = $stack->query('kaireon_worker', "$sql SELECT customer_id || ',' || rank || ',' || offer_id || ',' || channel_id || ','
	|| creative_id || ',' || score FROM wanted ORDER BY customer_id COLLATE \"C\", rank");
my $file = $demo->file($run);
$file =~ s/\r\n/\n/g;
my (undef, @lines) = split /\n/, $file;
cmp_ok(scalar @lines, '>', 1000, 'many decisions');
is_deeply(\@lines, [split /\n/, $wanted], 'offers, channels, creatives, ranks and scores are those of SQL');
is($run->{summary}{droppedBy}{qualification}, $stack->query('kaireon_worker', "$sql SELECT count(*) FROM pair WHERE NOT good"), 'as many pairs are dropped');
is($stack->query("kaireon_worker", "$sql SELECT count(DISTINCT creative_id) > 5, count(DISTINCT category), count(DISTINCT channel) FROM wanted"), "t|3|2",
	'of all kinds');
is($stack->owner("SELECT count(*) FROM kaireon.interaction_history AS i JOIN kaireon.creatives AS c ON c.id = i.creative_id
	AND c.offer_id = i.offer_id AND c.channel_id = i.channel_id WHERE i.campaign_run_id = '$run->{id}'"), scalar @lines, 'the interactions have the creatives');

# sub-categories, an override of the formula by names, categories in turn
apply('sub-categories', resource('SubCategory', 'plain', categoryRef => 'savings'), resource('SubCategory', 'lent', categoryRef => 'loans'));
$stack->owner("UPDATE kaireon.offers SET sub_category_id = (SELECT s.id FROM kaireon.sub_categories AS s WHERE s.category_id = offers.category_id)");
my $profile = { scope => 'category', value => 'loans', strategyProfileRef => 'impact' };
apply('another flow', resource('RankingProfile', 'impact', weights => { impact => 1 }),
	flow('nodes', [inventory => { subCategoryRefs => ['savings/plain', 'loans/lent'] }],
		[score => { method => 'formula', formula => { emphasisWeight => 1 }, strategyOverrides => [$profile] }],
		[rank => { method => 'round_robin', maxCandidates => 5 }], ['response']));
my $turns = $demo->finished($campaign, $demo->trigger($campaign));
is($turns->{status}, 'completed', 'a run') or diag encode_json($turns);
is($stack->owner("SELECT string_agg(name, ',' ORDER BY rank) FROM (SELECT DISTINCT l.rank, o.name
	FROM kaireon.campaign_run_results AS l JOIN kaireon.offers AS o ON o.id = l.offer_id WHERE l.run_id = '$turns->{id}') AS x"),
	$stack->owner("SELECT string_agg(name, ',' ORDER BY turn, category) FROM (SELECT * FROM (SELECT o.name, g.name AS category,
		row_number() OVER (PARTITION BY g.name ORDER BY CASE g.name WHEN 'loans' THEN o.business_value ELSE o.priority END DESC, o.priority DESC,
			o.name) AS turn
		FROM kaireon.offers AS o JOIN kaireon.categories AS g ON g.id = o.category_id WHERE g.name IN ('loans', 'savings')) AS y
		ORDER BY turn, category LIMIT 5) AS x"), 'loans by their value and savings by their priority, in turn');

# what an emergency excludes is not to be had as a paused offer
apply('a flow that includes paused offers', flow('nodes', [inventory => { includeStatuses => ['active', 'paused'] }],
	['match_creatives', { requireCreative => JSON::PP::false }], [rank => { maxCandidates => 20 }], ['response']));
$stack->owner("UPDATE kaireon.offers SET status = 'paused' WHERE name = 'Gold Card';
	UPDATE kaireon.offers SET emergency_excluded = true WHERE name = 'Car Loan';
	UPDATE kaireon.offers SET status = 'draft' WHERE name = 'Travel Card'");
my $next = $demo->finished($campaign, $demo->trigger($campaign));
is($next->{status}, 'completed', 'a run') or diag encode_json($next);
is($stack->owner("SELECT string_agg(DISTINCT o.name, ',') FROM kaireon.campaign_run_results AS l JOIN kaireon.offers AS o ON o.id = l.offer_id
	WHERE l.run_id = '$next->{id}' AND o.name IN ('Gold Card', 'Car Loan', 'Travel Card')"), 'Gold Card', 'paused, but neither excluded nor draft');
is($stack->owner("SELECT count(*) FROM kaireon.campaign_run_results WHERE run_id = '$next->{id}' AND rank > 0
	AND (creative_id IS NULL) <> NOT EXISTS (SELECT FROM kaireon.creatives AS c WHERE c.offer_id = campaign_run_results.offer_id
		AND c.channel_id = campaign_run_results.channel_id AND c.status = 'active')"), 0, 'a creative where there is one');

# what no run can do is refused with its place when it is applied, by the engine itself
for my $bad ([[filter => { conditions => [condition('request.x', 'eq', 1)] }], 1, qr/field "request\.x" is not of offer, channel or customer/],
	[[filter => { conditions => [condition('offer.name', 'regex', '(')] }], 1, qr/is not a regular expression/],
	[[filter => { conditions => [condition('customer.age', 'near', 1)] }], 1, qr/unknown operator "near"/],
	[[call_flow => { decisionFlowRef => 'nodes' }], 1, qr/the flow calls itself/],
	[['rank', { maxCandidates => 0 }], 1, qr/maxCandidates must be 1 to 100/],
	[[teleport => {}], 1, qr/unknown type "teleport"/]) {
	my $applied = $stack->request('POST', '/api/v1/gitops/apply', key => $demo->{key}{admin},
		body => { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [flow('nodes', ['inventory'], $bad->[0], ['response'])] });
	is($applied->{status}, 400, "a flow with a bad $bad->[0][0]") or diag $applied->{body};
	like($applied->{json}{error}{message}, qr/^Invalid bundle:/, 'is no bundle');
	is(scalar @{ $applied->{json}{error}{details} }, 1, 'of one problem');
	is($applied->{json}{error}{details}[0]{field}, "resources[0].spec.draftConfig.nodes[$bad->[1]]", 'at its place');
	like($applied->{json}{error}{details}[0]{message}, $bad->[2], 'with the reason');
}
my $several = $stack->request('POST', '/api/v1/gitops/diff', key => $demo->{key}{viewer}, body => {
	manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [
		flow('nodes', ['inventory'], ['score'], ['score'], ['rank'], [rank => { method => 'luck' }], ['qualify'], ['response']),
		resource('QualificationRule', 'r', ruleType => 'attribute_condition', stage => 'fit', config => { attribute => 'age', operator => 'in', value => 3, decay => 0.5 }),
		resource('ContactPolicy', 'p', scope => 'global', ruleType => 'time_window', config => { startHour => 4, endHour => 4 })] });
is($several->{status}, 400, 'a bundle of which much is wrong');
is_deeply([map { $_->{field} =~ s/^resources//r . ': ' . $_->{message} =~ s/^line \d+, column \d+: //r } @{ $several->{json}{error}{details} }],
	['[1].spec.config: rule "r": value must be a list', '[2].spec.config: policy "p": startHour must be 0 to 23, endHour 0 to 24 and another',
		'[0].spec.draftConfig.nodes[2]: node "n2": the flow has more than one score',
		'[0].spec.draftConfig.nodes[4]: node "n4": the flow has more than one rank',
		'[0].spec.draftConfig.nodes[5]: node "n5": qualify comes too late'], 'is told of all of it');

# what only a run can find out fails the run
apply('a flow of two that call each other', flow('narrowing', ['inventory'], [call_flow => { decisionFlowRef => 'nodes' }]),
	flow('nodes', ['inventory'], [call_flow => { decisionFlowRef => 'narrowing' }], ['response']));
$stack->announce(qr/job failed/);
my $failed = $demo->finished($campaign, $demo->trigger($campaign));
is($failed->{status}, 'failed', 'a run fails');
like($failed->{error}, qr/the flow calls itself/, 'with the reason');

$stack->end;
done_testing;
