#!/usr/bin/perl
# All nodes of a flow at once over the bank's customers, against the same
# rules as SQL: enrich, filter, conditional, match_creatives, a formula of the
# models of champion and challenger with overrides, optimize, rank, group,
# compute and set_properties, and the offers' own constraints.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 700 });
$stack->pool('api', 1);
my ($bank) = grep { -f } $ENV{KRN_BANK_CSV} // '', "$stack->{source}/../shared/data/bank-full.csv";
# every n-th of its customers, whose first columns are those of the demo; else generated ones
my $every = $ENV{KRN_BANK_EVERY} || 30;
my %csv = (count => 1500);
if ($bank) {
	open my $file, '<', $bank or die $!;
	my (undef, @rows) = <$file>;
	my $number = 0;
	%csv = (csv => join '', "$Kaireon::Campaign::HEADER\n", map { $number++ % $every ? () : join(',', $number, (split /;/)[0 .. 7]) . "\n" } @rows);
}
note($bank ? 'the bank customers' : 'generated customers: set KRN_BANK_CSV for those of the bank');
my $one = Kaireon::Campaign->new($stack, 'one', %csv);
my @customers = split /\n/, $stack->query('postgres', 'SELECT customer_id FROM t_one.ds_customers ORDER BY customer_id');
cmp_ok(scalar @customers, '>=', 1500, 'customers');
my @offers = split /\n/, $stack->owner('SELECT name FROM kaireon.offers ORDER BY name COLLATE "C"');

# what a data team would import: scores of two models, a tier; some have no row, some no score
my $seed = 1;
sub below { my ($bound) = @_; $seed = ($seed * 1103515245 + 12345) % 2**31; return int($seed / 65536) % $bound }
for my $model (1, 2) {
	my $text = join(',', 'who', 'tier', 'loyalty', @offers) . "\n";
	for my $customer (@customers) {
		next if below(9) == 0;
		$text .= join(',', $customer, ('gold', 'silver', '')[below(3)], below(4) ? below(100) / 4 : '', map { below(8) ? below(1_000_000) / 1_000_000 : '' } @offers) . "\n";
	}
	$stack->ctl('import', '--tenant', 'one', '--schema', "model$model", '--id-column', 'who', $stack->spew("$stack->{dir}/m$model.csv", $text));
}
# the parts of the experiment: FNV-1a once more
my $parts = "who,part\n";
for my $customer (@customers) {
	my $hash = 2166136261;
	$hash = (($hash ^ ord) * 16777619) & 0xffffffff for split //, "spring:$customer";
	$parts .= "$customer," . ($hash % 100 < 65 ? 1 : 2) . "\n";
}
$stack->ctl('import', '--tenant', 'one', '--schema', 'parts', '--id-column', 'who', $stack->spew("$stack->{dir}/p.csv", $parts));

sub resource { my ($kind, $name, %spec) = @_; return { apiVersion => 'kaireonai.com/v1', kind => $kind, metadata => { name => $name }, spec => \%spec } }
sub condition { my ($field, $operator, @value) = @_; return { field => "$field", operator => $operator, @value ? (value => $value[0]) : () } }

my $bundle = $stack->request('GET', '/api/v1/gitops/export?format=json', key => $one->{key}{viewer})->{json};
my %offer = map { $_->{metadata}{name} => $_ } grep { $_->{kind} eq 'Offer' } @{ $bundle->{resources} };
my ($loans) = grep { $_->{kind} eq 'Category' && $_->{metadata}{name} eq 'loans' } @{ $bundle->{resources} };
my ($sold_out, $spent, $capped) = @offers[2, 5, 8];
$offer{$sold_out}{spec}{inventory} = { remainingStock => 0 };
$offer{$spent}{spec}{budget} = { lifetimeCapCents => 100, currentLifetimeSpentCents => 100 };
$offer{$capped}{spec}{frequencyCaps} = { perCustomer => { monthly => 2 } };
$offer{ $offers[$_] }{spec}{revenueValue} = $_ * 10 for 0 .. $#offers;
$offer{$_}{spec}{metadata} = { base_rate => 5 + length } for grep { length() % 3 } @offers;
$loans->{spec}{customFields} = [{ key => 'base_rate', type => 'number', defaultValue => 9.5 },
	{ key => 'rate', type => 'computed', outputType => 'number', formula => 'round(base_rate * (1 - coalesce(customer.m1.loyalty, 0) * 0.01), 2)' }];
my @creatives;
for my $name (@offers) {
	for my $channel (qw(email letter)) {
		my $place = ([], ['top'], ['side'], ['top', 'side'], ['top', 'top', 'side'])[below(5)];
		push @creatives, resource('Creative', "$name by $channel, " . @creatives, offerRef => $name, channelRef => $channel,
			status => below(6) ? 'active' : 'paused', weight => 10 * (1 + below(10)), placementId => $_) for @$place;
	}
}
my $number = 0;
my @nodes = map { { id => 'n' . $number++, type => $_->[0], config => $_->[1] || {} } } (['inventory'],
	[enrich => { sources => [map { { schemaId => "model$_", prefix => "m$_" } } 1, 2] }],
	[filter => { combinator => 'OR', conditions => [condition('offer.businessValue', 'gte', 40), condition('customer.m1.tier', 'eq', 'gold'),
		condition('customer.job', 'in', ['student', 'retired', 'admin.']), condition('channel.name', 'starts_with', 'let')] }],
	[conditional => { conditions => [condition('customer.age', 'lt', 35), condition('customer.balance', 'lte', 200)], combinator => 'AND',
		then => { action => 'drop', conditions => [condition('offer.categoryName', 'eq', 'loans')] },
		else => { action => 'keep', combinator => 'OR', conditions => [condition('offer.priority', 'gt', 30), condition('customer.m1.tier', 'is_null')] } }],
	[match_creatives => { requireCreative => JSON::PP::true }],
	[score => { method => 'formula', formula => { propensityWeight => 0.5, impactWeight => 0.3, emphasisWeight => 0.4 },
		strategyOverrides => [{ scope => 'category', value => 'savings', strategyProfileRef => 'likely' }],
		championChallenger => { enabled => JSON::PP::true, experimentId => 'spring', champion => { modelKey => 'm1', weight => 65 },
			challengers => [{ modelKey => 'm2', weight => 35 }] } }],
	[optimize => { weights => { score => 3, impact => 1, revenue => 1 } }],
	[rank => { maxCandidates => 4 }],
	[group => { allocation => 'optimal', placements => [{ placementId => 'top' }, { placementId => 'side' }] }],
	[compute => { formulas => [{ name => 'limit', formula => 'customer.balance > 0 ? round(customer.balance * (offer.priority / 100), 1) : 0' },
		{ name => 'greeting', formula => "concat(customer.job, '/', coalesce(customer.m1.tier, 'none'), '/', channel.name)" },
		{ name => 'tenth', formula => 'limit % 10 == 0 && !(customer.age < 50) || customer.m2.loyalty == null' }] }],
	[set_properties => { properties => { wave => 'spring' } }], ['response']);
my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $one->{key}{admin}, body => {
	manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [$loans, values %offer, @creatives,
		resource('RankingProfile', 'likely', weights => { propensity => 1, impact => 0.25 }),
		resource('DecisionFlow', 'all of it', status => 'active', draftConfig => { version => 2, flowConfig => {}, nodes => \@nodes })] });
is($applied->{status}, 200, 'the flow is applied') or diag $applied->{body};
$one->{flow} = $stack->owner("SELECT id FROM kaireon.decision_flows WHERE name = 'all of it'");
# contacts with the capped offer, this month: none, one, two, three
$stack->query('postgres', "INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, offer_id, channel_id, created_at)
	SELECT 'one', 'h' || k.customer_id || '-' || i, k.customer_id, 'impression', 'outbound', o.id, h.id, now()
	FROM t_one.ds_customers AS k, kaireon.offers AS o, kaireon.channels AS h, generate_series(1, 3) AS i
	WHERE o.name = '$capped' AND h.name = 'email' AND i <= (ascii(right(k.customer_id, 1)) + ascii(right(k.customer_id, 2))) % 4");

$stack->worker;
my $campaign = $one->campaign(name => 'All', fileConfig => { format => 'csv', columns => ['customer_id', 'rank', 'offer_id', 'personalization.rate', 'personalization.limit'] });
my $run = $one->finished($campaign, $one->trigger($campaign));
is($run->{status}, 'completed', 'the run is completed') or diag encode_json($run);

my $models = join ' UNION ALL ', map { my $offer = $_; map { qq{SELECT who, $_ AS part, '$offer' AS offer, "$offer"::float8 AS p FROM t_one.ds_model$_} } 1, 2 } @offers;
$stack->query('postgres', qq{
	ANALYZE t_one.ds_customers, t_one.ds_model1, t_one.ds_model2, t_one.ds_parts;
	CREATE TABLE public.model AS $models;
	ANALYZE public.model;
	CREATE TABLE public.pair AS
	WITH offer AS (SELECT o.id AS offer_id, o.name, o.priority, o.business_value, g.name AS category,
			(o.metadata->>'base_rate')::float8 AS base_rate, o.revenue_value::float8 / max(o.revenue_value) OVER () AS revenue,
			-- weights by their sum, and what they leave out
			CASE WHEN g.name = 'savings' THEN 1 / 1.25::float8 ELSE 0.5::float8 / (0.5::float8 + 0 + 0.3::float8 + 0.4::float8) END AS wp,
			CASE WHEN g.name = 'savings' THEN 0.25::float8 / 1.25 ELSE 0.3::float8 / (0.5::float8 + 0 + 0.3::float8 + 0.4::float8) END AS wi,
			CASE WHEN g.name = 'savings' THEN 0 ELSE 0.4::float8 / (0.5::float8 + 0 + 0.3::float8 + 0.4::float8) END AS we
		FROM kaireon.offers AS o JOIN kaireon.categories AS g ON g.id = o.category_id),
	creative AS (SELECT DISTINCT ON (offer_id, channel_id, placement_id) id, offer_id, channel_id, placement_id FROM kaireon.creatives
		WHERE status = 'active' AND placement_id IS NOT NULL ORDER BY offer_id, channel_id, placement_id, weight DESC, name COLLATE "C"),
	customer AS (SELECT k.*, m1.tier, m1.loyalty, m2.loyalty AS loyalty2, p.part FROM t_one.ds_customers AS k
		LEFT JOIN t_one.ds_model1 AS m1 ON m1.who = k.customer_id LEFT JOIN t_one.ds_model2 AS m2 ON m2.who = k.customer_id
		JOIN t_one.ds_parts AS p ON p.who = k.customer_id),
	contact AS (SELECT customer_id, count(*) AS nr FROM kaireon.interaction_history WHERE campaign_run_id IS NULL GROUP BY customer_id)
	SELECT k.customer_id, o.offer_id, o.name, o.priority, h.id AS channel_id, h.name AS channel, place, c.id AS creative_id,
		coalesce(k.job, '') || '/' || coalesce(k.tier, 'none') || '/' || h.name AS greeting, x.limit_,
		CASE WHEN x.limit_ - 10 * trunc(x.limit_ / 10) = 0 AND NOT coalesce(k.age < 50, false) OR k.loyalty2 IS NULL THEN 1 ELSE 0 END AS tenth,
		CASE WHEN o.category = 'loans' THEN floor(coalesce(o.base_rate, 9.5) * (1 - coalesce(k.loyalty, 0)::float8 * 0.01::float8) * 100 + 0.5) / 100 END AS rate,
		3 / 5.0::float8 * (power(coalesce(m.p, 0.5), o.wp) * power(o.business_value / 100.0::float8, o.wi)
			* CASE WHEN o.we > 0 THEN power(o.priority / 100.0::float8, o.we) ELSE 1 END)
			+ (1 / 5.0::float8 * (o.business_value / 100.0::float8) + 1 / 5.0::float8 * o.revenue) AS score,
		CASE WHEN NOT (o.business_value >= 40 OR coalesce(k.tier = 'gold', false) OR coalesce(k.job IN ('student', 'retired', 'admin.'), false) OR h.name LIKE 'let%')
			OR CASE WHEN coalesce(k.age < 35 AND k.balance <= 200, false) THEN o.category = 'loans' ELSE NOT (o.priority > 30 OR k.tier IS NULL) END
			OR c.id IS NULL OR o.name IN ('$sold_out', '$spent') THEN 'qualification'
		     WHEN o.name = '$capped' AND t.nr >= 2 THEN 'contact_policy' END AS dropped
	FROM customer AS k CROSS JOIN offer AS o CROSS JOIN kaireon.channels AS h CROSS JOIN unnest(ARRAY['top', 'side']) AS place
	CROSS JOIN LATERAL (SELECT CASE WHEN k.balance > 0 THEN floor(k.balance * (o.priority / 100.0::float8) * 10 + 0.5) / 10 ELSE 0 END AS limit_) AS x
	LEFT JOIN creative AS c ON c.offer_id = o.offer_id AND c.channel_id = h.id AND c.placement_id = place
	LEFT JOIN public.model AS m ON m.who = k.customer_id AND m.part = k.part AND m.offer = o.name
	LEFT JOIN contact AS t ON t.customer_id = k.customer_id;
	ANALYZE public.pair;
	-- the best four offers of each customer, and their best option for each place
	CREATE TABLE public.option AS
	WITH best AS (SELECT customer_id, offer_id, name, priority, max(score) AS score FROM public.pair WHERE dropped IS NULL GROUP BY 1, 2, 3, 4),
	ranked AS (SELECT customer_id, offer_id, row_number() OVER (PARTITION BY customer_id ORDER BY score DESC, priority DESC, name COLLATE "C") AS rank FROM best)
	SELECT DISTINCT ON (p.customer_id, p.offer_id, p.place) p.*, r.rank FROM public.pair AS p JOIN ranked AS r USING (customer_id, offer_id)
	WHERE p.dropped IS NULL AND r.rank <= 4 ORDER BY p.customer_id, p.offer_id, p.place, p.score DESC, p.channel COLLATE "C";
	ANALYZE public.option});
# each way to fill the two places, and the best of them
my $best = q{SELECT DISTINCT ON (customer_id) customer_id, coalesce(a.score, 0) + coalesce(b.score, 0) AS sum,
		(a.offer_id IS NOT NULL)::int + (b.offer_id IS NOT NULL)::int AS nr
	FROM (SELECT DISTINCT customer_id FROM public.option) AS k
	LEFT JOIN LATERAL (SELECT offer_id, score FROM public.option AS o WHERE o.customer_id = k.customer_id AND place = 'top' UNION ALL SELECT NULL, NULL) AS a ON true
	LEFT JOIN LATERAL (SELECT offer_id, score FROM public.option AS o WHERE o.customer_id = k.customer_id AND place = 'side'
		AND o.offer_id IS DISTINCT FROM a.offer_id UNION ALL SELECT NULL, NULL) AS b ON true
	ORDER BY customer_id, sum DESC, nr DESC};
$stack->query('postgres', qq{CREATE TABLE public.best AS $best; CREATE TABLE public.given AS
	SELECT l.*, c.placement_id AS place FROM kaireon.campaign_run_results AS l JOIN kaireon.creatives AS c ON c.id = l.creative_id
	WHERE l.run_id = '$run->{id}' AND l.status = 'selected'; ANALYZE public.best; ANALYZE public.given});

sub count_of { my ($sql) = @_; return $stack->query('postgres', "SELECT count(*) FROM $sql") }

cmp_ok(count_of('public.given'), '>', scalar @customers, 'many decisions');
is(count_of('public.given AS l LEFT JOIN public.option AS o USING (customer_id, offer_id, channel_id, creative_id, place)
	WHERE o.offer_id IS NULL OR abs(o.score - l.score) > 1e-12'), 0, 'each is an option of one of the four best, with its score');
is(count_of('(SELECT FROM public.given GROUP BY customer_id, place HAVING count(*) > 1) AS x'), 0, 'one for each place');
is(count_of('(SELECT FROM public.given GROUP BY customer_id, offer_id HAVING count(*) > 1) AS x'), 0, 'each offer once');
is(count_of('public.best AS b FULL JOIN (SELECT customer_id, sum(score) AS sum, count(*) AS nr FROM public.given GROUP BY 1) AS g USING (customer_id)
	WHERE g.nr IS DISTINCT FROM b.nr OR abs(g.sum - b.sum) > 1e-12'), 0, 'the sums are the largest');
is(count_of("(SELECT customer_id, l.rank, row_number() OVER (PARTITION BY customer_id ORDER BY o.rank) AS wanted
	FROM public.given AS l JOIN public.option AS o USING (customer_id, offer_id, place)) AS x WHERE rank <> wanted"), 0, 'in the order of the ranking');
is(count_of("public.given AS l JOIN public.option AS o USING (customer_id, offer_id, place)
	WHERE l.personalization->>'greeting' <> o.greeting OR abs((l.personalization->>'limit')::float8 - o.limit_) > 1e-9 OR (l.personalization->>'tenth')::int <> o.tenth
	OR (l.personalization->>'rate')::float8 IS DISTINCT FROM o.rate OR l.personalization->>'wave' <> 'spring'"), 0, 'with what is computed for them');
is($run->{summary}{droppedBy}{qualification}, count_of("public.pair WHERE dropped = 'qualification'"), 'as many are dropped by nodes, stock and budget');
is($run->{summary}{droppedBy}{contactPolicy}, count_of("public.pair WHERE dropped = 'contact_policy'"), 'and by the cap of an offer');
# the data does try all of it
for my $what ("(SELECT DISTINCT place FROM public.given) AS x", "(SELECT DISTINCT channel_id FROM public.given) AS x",
	"(SELECT DISTINCT tenth FROM public.option) AS x", "(SELECT DISTINCT rate IS NULL FROM public.option) AS x", "(SELECT DISTINCT dropped FROM public.pair WHERE dropped IS NOT NULL) AS x") {
	is(count_of($what), 2, $what =~ s/.*DISTINCT (\S+).*/both of $1/r);
}
cmp_ok(count_of('public.best AS b JOIN (SELECT customer_id, sum(score) AS sum FROM (SELECT DISTINCT ON (customer_id, place) customer_id, score
	FROM public.option ORDER BY customer_id, place, score DESC) AS y GROUP BY 1) AS x USING (customer_id) WHERE x.sum > b.sum'), '>', 100, 'an offer is wanted in both places');

$stack->end;
done_testing;
