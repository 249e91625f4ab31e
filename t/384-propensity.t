#!/usr/bin/perl
# Propensities in a run: scores of models that are imported as schemas, parts
# of the customers, what was learned from answers; against SQL.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 70 });
$stack->pool('api', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 500);
$stack->worker;
my @offers = split /\n/, $stack->owner('SELECT name FROM kaireon.offers ORDER BY name COLLATE "C"');

# two models' scores, each of some customers and of all offers
for my $model (1, 2) {
	my $csv = join(',', 'who', 'tier', @offers) . "\n";
	for my $row (split /\n/, $stack->query('kaireon_worker', 'SELECT customer_id FROM t_one.ds_customers ORDER BY customer_id')) {
		my $seed = unpack('%32C*', $row) * 31 * $model;
		next if $seed % 5 == 0;
		$csv .= join(',', $row, $seed % 4 ? 'gold' : '', map { ($seed * $_) % 7 ? (($seed + 13 * $_) % 101) / 100 : '' } 1 .. @offers) . "\n";
	}
	$stack->ctl('import', '--tenant', 'one', '--schema', "model$model", '--id-column', 'who', $stack->spew("$stack->{dir}/m$model.csv", $csv));
}
# answers: one offer has many, its category some, others few
$stack->owner(q{INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, outcome, offer_id, channel_id, created_at)
	SELECT 'one', 'a' || i || o.id, 'somebody', 'outcome', 'inbound', (ARRAY['click', 'dismiss', 'accept', 'expired'])[1 + (i * length(o.name)) % 4], o.id, 'c', now() - interval '1 day'
	FROM (SELECT *, row_number() OVER (ORDER BY name COLLATE "C") AS n FROM kaireon.offers) AS o, generate_series(1, 120) AS i
	WHERE i <= CASE WHEN o.n = 1 THEN 120 WHEN o.n < 5 THEN 7 * o.n WHEN o.n = 7 THEN 30 ELSE 0 END});

sub apply {
	my (@nodes) = @_;
	my $number = 0;
	my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $demo->{key}{admin}, body => {
		manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' },
		resources => [{ apiVersion => 'kaireonai.com/v1', kind => 'DecisionFlow', metadata => { name => 'propensity' },
			spec => { status => 'active', draftConfig => { version => 2, flowConfig => {},
				nodes => [map { { id => 'n' . $number++, type => $_->[0], config => $_->[1] || {} } } @nodes] } } }] });
	is($applied->{status}, 200, 'a flow is applied') or diag $applied->{body};
	$demo->{flow} = $stack->owner("SELECT id FROM kaireon.decision_flows WHERE name = 'propensity'");
}

sub run {
	my $campaign = $demo->campaign(name => 'P', channelIds => [$stack->owner("SELECT id FROM kaireon.channels WHERE name = 'email'")]);
	my $run = $demo->finished($campaign, $demo->trigger($campaign));
	is($run->{status}, 'completed', 'a run') or diag encode_json($run);
	$stack->owner("DELETE FROM kaireon.interaction_history WHERE campaign_run_id IS NOT NULL");
	return $run;
}

# every (customer, offer) with the model's score, as a table of SQL
my $long = join ' UNION ALL ', map { my $offer = $_; map { qq{SELECT who, $_ AS model, '$offer' AS offer, "$offer"::float8 AS p FROM t_one.ds_model$_} } 1, 2 } @offers;
my $tables = qq{WITH model AS ($long),
	answer AS (SELECT o.id, o.name, o.category_id, h.outcome IN ('click', 'accept') AS good FROM kaireon.interaction_history AS h
		JOIN kaireon.offers AS o ON o.id = h.offer_id WHERE h.outcome IN ('click', 'accept', 'dismiss')),
	own AS (SELECT name, count(*)::float8 AS n, count(*) FILTER (WHERE good)::float8 AS k FROM answer GROUP BY name),
	cat AS (SELECT category_id, count(*)::float8 AS n, count(*) FILTER (WHERE good)::float8 AS k FROM answer GROUP BY category_id),
	total AS (SELECT count(*)::float8 AS n, count(*) FILTER (WHERE good)::float8 AS k FROM answer)};

# enriched attributes in a filter, and the scores of one model in a formula
my $sources = [map { { schemaId => "model$_", prefix => "m$_" } } 1, 2];
apply(['inventory'], [enrich => { sources => $sources }],
	[filter => { conditions => [{ field => 'customer.m1.tier', operator => 'is_not_null' }] }],
	[score => { method => 'formula', modelKey => 'm2', formula => { propensityWeight => 1 } }], [rank => { maxCandidates => 20 }], ['response']);
my $run = run();
my $difference = sub {
	my ($expected, $id) = @_;
	return $stack->query('kaireon_worker', "$tables, expected AS ($expected),
		given AS (SELECT l.customer_id, o.name, l.score FROM kaireon.campaign_run_results AS l JOIN kaireon.offers AS o ON o.id = l.offer_id
			WHERE l.run_id = '$id' AND l.status = 'selected')
		SELECT (SELECT count(*) FROM given) || ' ' || (SELECT count(*) FROM (TABLE given EXCEPT TABLE expected) AS x)
			|| ' ' || (SELECT count(*) FROM (TABLE expected EXCEPT TABLE given) AS x)");
};
my $with_tier = $stack->query('kaireon_worker', 'SELECT count(*) FROM t_one.ds_model1 WHERE tier IS NOT NULL');
cmp_ok($with_tier, '>', 100, 'some customers have a tier');
is($difference->(qq{SELECT k.customer_id, o.name, coalesce((SELECT p FROM model AS m WHERE m.who = k.customer_id AND m.model = 2 AND m.offer = o.name), 0.5)
	FROM t_one.ds_customers AS k CROSS JOIN kaireon.offers AS o
	WHERE EXISTS (SELECT FROM t_one.ds_model1 AS t WHERE t.who = k.customer_id AND t.tier IS NOT NULL)}, $run->{id}),
	join(' ', $with_tier * @offers, 0, 0), 'enriched: who has a tier, with the scores of the other schema');

# champion and challenger, with what was learned; FNV-1a once more, in Perl
apply(['inventory'], [enrich => { sources => $sources }],
	[score => { method => 'propensity', championChallenger => { enabled => JSON::PP::true, experimentId => 'spring',
		champion => { modelKey => 'm1', weight => 70 }, challengers => [{ modelKey => 'm2', weight => 30 }] } }],
	[rank => { maxCandidates => 20 }], ['response']);
$run = run();
my %part;
for my $customer (split /\n/, $stack->query('kaireon_worker', 'SELECT customer_id FROM t_one.ds_customers')) {
	my $hash = 2166136261;
	$hash = (($hash ^ ord) * 16777619) & 0xffffffff for split //, "spring:$customer";
	push @{ $part{ $hash % 100 < 70 ? 1 : 2 } }, $customer;
}
cmp_ok(scalar @{ $part{$_} }, '>', 100, "part $_") for 1, 2;
my $challenged = join ',', map { "'$_'" } @{ $part{2} };
is($difference->(qq{SELECT k.customer_id, o.name, CASE WHEN own.n >= 50 THEN own.k / own.n
		WHEN own.n > 0 THEN (own.k + 10 * q.prior) / (own.n + 10) ELSE q.prior END
	FROM t_one.ds_customers AS k CROSS JOIN kaireon.offers AS o LEFT JOIN own ON own.name = o.name
	LEFT JOIN cat ON cat.category_id = o.category_id CROSS JOIN total
	CROSS JOIN LATERAL (SELECT CASE WHEN cat.n >= 20 THEN cat.k / cat.n WHEN total.n >= 10 THEN total.k / total.n
		ELSE coalesce((SELECT p FROM model AS m WHERE m.who = k.customer_id AND m.offer = o.name
			AND m.model = CASE WHEN k.customer_id IN ($challenged) THEN 2 ELSE 1 END), 0.5) END AS prior) AS q}, $run->{id}),
	join(' ', 500 * @offers, 0, 0), 'learned: shares of offers, of categories, of all');

# too little was learned: the models decide, each in its part
$stack->owner(q{DELETE FROM kaireon.interaction_history WHERE id NOT IN (SELECT id FROM kaireon.interaction_history WHERE outcome = 'click' ORDER BY id LIMIT 9)});
$run = run();
is($difference->(qq{SELECT k.customer_id, o.name, CASE WHEN own.n > 0 THEN (own.k + 10 * q.p) / (own.n + 10) ELSE q.p END
	FROM t_one.ds_customers AS k CROSS JOIN kaireon.offers AS o LEFT JOIN own ON own.name = o.name
	CROSS JOIN LATERAL (SELECT coalesce((SELECT p FROM model AS m WHERE m.who = k.customer_id AND m.offer = o.name
		AND m.model = CASE WHEN k.customer_id IN ($challenged) THEN 2 ELSE 1 END), 0.5) AS p) AS q}, $run->{id}),
	join(' ', 500 * @offers, 0, 0), 'the models: each customer by the one of its part, blended with what little is known');

# a model of which there is nothing
apply(['inventory'], [score => { method => 'propensity', modelKey => 'onnx' }], ['response']);
$stack->announce(qr/job failed/);
my $campaign = $demo->campaign(name => 'N');
my $failed = $demo->finished($campaign, $demo->trigger($campaign));
is($failed->{status}, 'failed', 'a model without scores is not made up');
like($failed->{error}, qr/there are no scores of the model "onnx"/, 'and the run says so');

$stack->end;
done_testing;
