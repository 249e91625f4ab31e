#!/usr/bin/perl
# A customer whose evaluation fails has an error of its own in the ledger; the
# run goes on and ends as completed_with_errors.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 9 });
$stack->pool('api', 1);

# 60 customers; some have a propensity that is no number, one a remark that is
# too long for an expression
my %wrong = (k007 => 'NaN', k020 => 'high', k033 => 'Infinity');
my $csv = "$Kaireon::Campaign::HEADER,propensityScores.Gold Card,remark\n";
for my $number (1 .. 60) {
	my $id = sprintf 'k%03d', $number;
	$csv .= join(',', $id, 30, 'management', 'married', 'tertiary', 'no', 1000, 'no', 'no', $wrong{$id} // $number / 100,
		$id eq 'k044' ? 'x' x 2000 : 'fine') . "\n";
}
my $demo = Kaireon::Campaign->new($stack, 'one', csv => $csv);
$stack->worker;

sub apply {
	my (@nodes) = @_;
	my $number = 0;
	my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $demo->{key}{admin}, body => {
		manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' },
		resources => [{ apiVersion => 'kaireonai.com/v1', kind => 'DecisionFlow', metadata => { name => 'errors' },
			spec => { status => 'active', draftConfig => { version => 2, flowConfig => {},
				nodes => [map { { id => 'n' . $number++, type => $_->[0], config => $_->[1] || {} } } @nodes] } } }] });
	is($applied->{status}, 200, 'a flow is applied') or diag $applied->{body};
	$demo->{flow} = $stack->owner("SELECT id FROM kaireon.decision_flows WHERE name = 'errors'");
}
my $regex = [filter => { conditions => [{ field => 'customer.remark', operator => 'regex', value => '^fi' }] }];
my $score = [score => { method => 'formula', formula => { propensityWeight => 1 } }];
apply(['inventory'], $regex, $score, [rank => { maxCandidates => 2 }], ['response']);

for my $limits (undef, { maxTotalPerRun => 50 }) {
	my $campaign = $demo->campaign(name => 'Errors', $limits ? (volumeConstraints => $limits) : ());
	my $run = $demo->finished($campaign, $demo->trigger($campaign));
	is($run->{status}, 'completed_with_errors', 'the run ends with errors') or diag encode_json($run);
	is($run->{error}, undef, 'and has none itself');
	is($run->{summary}{errors}, 4, 'four customers');
	is($run->{summary}{customersProcessed}, 60, 'of sixty');
	is($run->{summary}{decisions}, $limits ? 50 : 112, 'the others have their decisions');
	is($demo->ledger($run->{id}, 'count(DISTINCT customer_id)'), 60, 'the ledger has each customer');
	is($demo->ledger($run->{id}, "string_agg(customer_id || ' ' || rank, ',' ORDER BY customer_id)", "status = 'error'"), 'k007 0,k020 0,k033 0,k044 0',
		'and who failed is there once');
	my %error = map { split /=/, $_, 2 } split /\n/, $demo->ledger($run->{id}, "customer_id || '=' || error", 'error IS NOT NULL');
	is($error{$_}, 'attribute "propensityScores.Gold Card" is not a finite number', "$_: why") for sort keys %wrong;
	is($error{k044}, 'node "n1": attribute "remark" is too long for a regular expression', 'k044: why');
	my %result = map { $_->{customerId} => $_ } @{ $demo->get("/$campaign")->{json}{results} };
	is($result{k020}{status}, 'error', 'the API says so');
	is($result{k020}{error}, $error{k020}, 'and why');
	is_deeply($result{k020}{decisions}, [], 'there is no decision');
	is($result{k021}{error}, undef, 'others have no error');
	unlike($demo->file($run), qr/k007|k020|k033|k044/, 'the file is without them');
	is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run->{id}'"), $run->{summary}{decisions},
		'nobody of them was contacted');
}

# the same customers, when nothing looks at what is wrong with them
apply(['inventory'], ['score'], ['rank'], ['response']);
my $campaign = $demo->campaign(name => 'Fine');
my $run = $demo->finished($campaign, $demo->trigger($campaign));
is($run->{status}, 'completed', 'a flow that does not ask has no errors');
is($run->{summary}{errors}, 0, 'none');

$stack->end;
done_testing;
