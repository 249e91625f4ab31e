#!/usr/bin/perl
# kaireonctl run explain: the same decision again, with every reason, also when
# the run's own contacts and a new configuration are there meanwhile.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 50 });
$stack->pool('api', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 120);
my $two = Kaireon::Campaign->new($stack, 'two', count => 20);
$stack->worker('worker');

sub why {
	my ($tenant, $run, $customer) = @_;
	return decode_json($stack->ctl('--json', 'run', 'explain', '--tenant', $tenant, '--run', $run, '--customer', $customer));
}

# how it ends: status, and what it says on stderr
sub refused {
	my (@words) = @_;
	my $answer = eval { $stack->ctl('run', 'explain', @words); 1 };
	return $answer ? '' : $@;
}

my $campaign = $one->campaign(volumeConstraints => { maxPerOffer => 25 });
my $run = $one->finished($campaign, $one->trigger($campaign));
is($run->{status}, 'completed', 'a run') or diag encode_json($run);
cmp_ok($run->{summary}{droppedBy}{$_}, '>', 0, "drops by $_") for qw(qualification volume);
# from now on nobody is given a card
my $bundle = $stack->request('GET', '/api/v1/gitops/export?format=json', key => $one->{key}{viewer})->{json};
$_->{spec}{status} = 'paused' for grep { $_->{kind} eq 'Offer' } @{ $bundle->{resources} };
is($stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $one->{key}{admin}, body => $bundle)->{status}, 200, 'all offers are paused');

my @customers = split /\n/, $one->ledger($run->{id}, 'DISTINCT customer_id');
my (%seen, %reason, $same, $whole);
for my $customer (sort @customers) {
	last if keys %seen == 40;
	my $answer = why('one', $run->{id}, $customer);
	my %step = map { $_->{step} => $_ } @{ $answer->{decision}{steps} };
	my @decisions = map { join '|', $_->{rank}, $_->{offerId}, $_->{channelId}, $_->{score} } @{ $step{rank}{decisions} };
	my @ledger = map { join '|', $_->{rank}, $_->{offerId}, $_->{channelId}, $_->{score} } grep { $_->{rank} } @{ $answer->{ledger} };
	# with the reserve that the limits choose from
	$same += "@decisions" eq "@ledger";
	my @dropped = map { @{ $_->{dropped} || [] } } values %step;
	$whole += @dropped + @{ $step{rank}{decisions} } + @{ $step{rank}{left} } == $step{inventory}{candidates};
	$reason{ $_->{by}{type} }++ for @dropped;
	$reason{ledger}{ $_->{status} }++ for @{ $answer->{ledger} };
	$seen{$customer} = $answer->{decision}{customerId};
}
is_deeply([keys %seen], [values %seen], 'customers are explained');
is($same, 40, 'each decision is the one of the ledger');
is($whole, 40, 'and each pair is dropped, given or left');
cmp_ok($reason{rule}, '>', 0, 'by rules') or diag explain \%reason;
cmp_ok($reason{ledger}{selected}, '>', 0, 'some were selected');
cmp_ok($reason{ledger}{dropped}, '>', 0, 'some dropped by the limits');

my ($customer) = sort @customers;
my $table = $stack->ctl('run', 'explain', '--tenant', 'one', '--run', $run->{id}, '--customer', $customer);
like($table, qr/\Astep\twhat\toffer\tchannel\twhy\nqualify\tdropped\t/, 'a table for people');
like($table, qr/^qualify\tdropped\t[^\t]+\tchan_\w+\trule \S/m, 'with reasons');
like($table, qr/^score\tscores\t[^\t]+\tchan_\w+\t0\.\d+$/m, 'scores');
like($table, qr/^ledger\t(?:selected|dropped)\toff_\w+\tchan_\w+\t0\.\d+$/m, 'and what was written');

# a customer whose evaluation failed; ids that hurt
$stack->owner("UPDATE kaireon.campaign_runs SET status = 'failed' WHERE id = '$run->{id}'");
is(why('one', $run->{id}, $customer)->{decision}{customerId}, $customer, 'a run that failed is explained too');
my @tenant = ('--tenant', 'one', '--run', $run->{id});
like(refused(@tenant, '--customer', $_), qr/the segment has no customer of that id/, "no customer '$_'") for 'nobody', "x'; DROP TABLE x", '';
like(refused('--tenant', 'one', '--run', 'crun_none', '--customer', $customer), qr/there is no such run/, 'no run');
like(refused('--tenant', 'two', '--run', $run->{id}, '--customer', $customer), qr/there is no such run/, 'a run of another tenant');
like(refused(@tenant), qr/--customer is required/, 'which customer?');
is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run->{id}'"), $run->{summary}{decisions}, 'nothing was stored');

$stack->end;
done_testing;
