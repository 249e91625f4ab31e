#!/usr/bin/perl
# The flow of doc/flows.md runs, and every node of the catalog is in the table;
# what it puts into placements keeps to their room.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 60 });
my $text = $stack->slurp("$stack->{source}/doc/flows.md");
my ($example) = $text =~ /```json\n(.*?)```/s;
my $config = decode_json($example);
my ($types) = $stack->slurp("$stack->{source}/lib/catalog/kind.c") =~ /kind_nodes\[\] = \{(.*?)\n\};/s;
my @types = $types =~ /\{ "(\w+)"/g;
is(scalar @types, 16, 'sixteen types of nodes');
like($text, qr/^\|[^|]*`$_`/m, "$_ is in the table") for @types;

$stack->pool('api', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 200);
$stack->worker;
my $csv = "id,tier,Gold Card,Car Loan\n" . join '', map { "$_,gold,0." . (1 + length($_) % 7) . ",\n" }
	split /\n/, $stack->query('kaireon_worker', 'SELECT customer_id FROM t_one.ds_customers');
$stack->ctl('import', '--tenant', 'one', '--schema', 'scores', '--id-column', 'id', $stack->spew("$stack->{dir}/s.csv", $csv));
my @offers = split /\n/, $stack->owner('SELECT name FROM kaireon.offers ORDER BY name');
my $number = 0;
my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $demo->{key}{admin}, body => {
	manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [
		(map { my $offer = $_; map { { apiVersion => 'kaireonai.com/v1', kind => 'Creative', metadata => { name => "$offer, $_" },
			spec => { offerRef => $offer, channelRef => 'email', status => 'active', placementId => $_, weight => 10 + $number++ * 17 % 90 } } }
			(['top'], ['side'], ['top', 'side'])[length($offer) % 3]->@* } @offers),
		{ apiVersion => 'kaireonai.com/v1', kind => 'DecisionFlow', metadata => { name => 'example' }, spec => { status => 'active', draftConfig => $config } }] });
is($applied->{status}, 200, 'the example is applied') or diag $applied->{body};
$demo->{flow} = $stack->owner("SELECT id FROM kaireon.decision_flows WHERE name = 'example'");
my $campaign = $demo->campaign(name => 'Example');
my $run = $demo->finished($campaign, $demo->trigger($campaign));
is($run->{status}, 'completed', 'and runs') or diag encode_json($run);
cmp_ok($run->{summary}{decisions}, '>', 200, 'with decisions');
my $ledger = "FROM kaireon.campaign_run_results AS l JOIN kaireon.creatives AS c ON c.id = l.creative_id WHERE l.run_id = '$run->{id}' AND l.status = 'selected'";
is($stack->owner("SELECT count(*) FROM (SELECT 1 $ledger GROUP BY l.customer_id, c.placement_id HAVING count(*) > CASE c.placement_id WHEN 'top' THEN 1 ELSE 2 END) AS x"),
	0, 'no placement has more than fit');
is($stack->owner("SELECT count(*) FROM (SELECT 1 $ledger GROUP BY l.customer_id, l.offer_id HAVING count(*) > 1) AS x"), 0, 'no offer is there twice');
cmp_ok($stack->owner("SELECT count(DISTINCT c.placement_id) $ledger"), '==', 2, 'both placements are used');
is($stack->query('postgres', "SELECT count(*) FROM kaireon.campaign_run_results AS l JOIN t_one.ds_customers AS k USING (customer_id)
	JOIN kaireon.offers AS o ON o.id = l.offer_id WHERE l.run_id = '$run->{id}' AND (l.personalization->>'wave' <> 'spring'
	OR l.personalization->>'greeting' <> 'Dear ' || coalesce(k.job, 'customer') OR (l.personalization->>'limit')::float8
	IS DISTINCT FROM floor(greatest(k.balance, 0 * k.balance)::float8 * CASE WHEN o.priority >= 50 THEN 0.5::float8 ELSE 0.3::float8 END + 0.5))"), 0, 'what it computes is as SQL has it');

$stack->end;
done_testing;
