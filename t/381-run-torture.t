#!/usr/bin/perl
# Runs among kills of workers, pauses and resumes, restarts of the database:
# with one, two and eight workers the ledger is the segment, once each, and
# the file is that of the undisturbed run. KRN_RUN_TRIALS says how often;
# KRN_RUN_SEED begins where a failure was.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Campaign;
use Kaireon::Stack;

my $trials = $ENV{KRN_RUN_TRIALS} || 6;
my $seed = $ENV{KRN_RUN_SEED} || int rand 2**31;
srand $seed;
diag "KRN_RUN_SEED=$seed" if $ENV{CI} || $ENV{KRN_RUN_SEED};

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 150 });
$stack->watched_pool('api', 2);
my $one = Kaireon::Campaign->new($stack, 'one', count => 4000);
my %limits = (maxTotalPerRun => 400, maxPerOffer => 180, maxPerChannel => 400);
my $id = $one->campaign(volumeConstraints => \%limits);
$stack->announce(qr/lost the connection|sqlstate=57P0|error=(?:unavailable|internal|CONFLICT)|job failed|could not claim|database away/i);

my ($round, %acts) = 0;
sub workers { my ($nr) = @_; $stack->worker('worker' . ++$round . "_$_") for 1 .. $nr }
sub alive { return grep { /^worker/ } sort keys %{ $stack->{pids} } }
sub forget { $stack->owner('DELETE FROM kaireon.interaction_history') }

workers(1);
my $calm = $one->finished($id, $one->trigger($id));
is($calm->{status}, 'completed', 'an undisturbed run');
is_deeply($calm->{summary}{limitsReached}, [qw(maxTotalPerRun maxPerOffer maxPerChannel)], 'whose limits bind') or diag explain $calm->{summary};
$one->laws($calm, limits => \%limits);

# what may happen to a run
my @acts = (
	[kill => sub { my @alive = alive(); $stack->stop($alive[rand @alive], 'KILL') if @alive }],
	[start => sub { workers(1) if alive() < 8 }],
	[pause => sub { $one->post("/$id/campaign-runs/$_[0]/pause") }],
	[resume => sub { $one->post("/$id/campaign-runs/$_[0]/resume") }],
	[restart => sub { $stack->stop_postgres(rand() < 0.5 ? 'immediate' : 'fast'); $stack->start_postgres }],
);

for my $trial (1 .. $trials) {
	$stack->stop($_) for alive();
	forget();
	workers((1, 2, 8)[$trial % 3]);
	my $run = $one->trigger($id);
	for (1 .. 3 + rand 5) {
		sleep rand 0.15;
		# restarts are slow: one in ten
		my $act = $acts[rand() < 0.1 ? 4 : rand 4];
		$acts{ $act->[0] }++;
		$act->[1]->($run);
	}
	workers(1) if !alive();
	$stack->wait_for('the pool', sub { ($one->get("/$id")->{status} // 0) == 200 });
	$one->post("/$id/campaign-runs/$run/resume");
	my $done = $one->finished($id, $run);
	is($done->{status}, 'completed', "trial $trial: completed") or diag "KRN_RUN_SEED=$seed", $done->{error};
	is($done->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'with the file of the undisturbed run');
	$one->laws($done, limits => \%limits);
}
note join ', ', map { "$acts{$_} times $_" } sort keys %acts;
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'no job is left');
is($stack->owner('SELECT count(*) FROM kaireon.dead_letter_events'), 0, 'and none is dead');

$stack->end;
done_testing;
