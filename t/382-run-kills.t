#!/usr/bin/perl
# Runs whose worker is killed between two statements, in the middle of one, or
# between two acts on its file: the next worker makes the run what it would
# have been. KRN_RUN_KILLS says how many places of all are tried, "all" each
# once; KRN_RUN_SEED begins where a failure was.
use strict;
use warnings;

use List::Util qw(shuffle);
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $kills = $ENV{KRN_RUN_KILLS} || 10;
my $seed = $ENV{KRN_RUN_SEED} || int rand 2**31;
srand $seed;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 150 });
$stack->pool('api', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 400);
my %limits = (maxTotalPerRun => 60, maxPerOffer => 40);
my $id = $one->campaign(volumeConstraints => \%limits);
my $preload = "$stack->{dir}/kill_at.so";
$stack->system_ok("cc -shared -fPIC -O -o $preload $stack->{source}/t/lib/kill_at.c");

# a worker until it ends, or is killed at the n-th call; its status
sub once {
	my ($at) = @_;
	local $stack->{settings} = { %{ $stack->{settings} }, LD_PRELOAD => $preload, KRN_KILL_COUNT => "$stack->{dir}/calls",
		ASAN_OPTIONS => 'verify_asan_link_order=0:detect_leaks=0', $at ? (KRN_KILL_AT => $at) : () };
	my $pid = $stack->spawn('once', undef, "$stack->{build}/kaireon-worker", '--once');
	delete $stack->{pids}{once};
	waitpid $pid, 0;
	return $?;
}

my $run = $one->trigger($id);
is(once(), 0, 'a worker that nobody disturbs');
my $calm = $one->finished($id, $run);
is($calm->{status}, 'completed', 'completes the run');
$one->laws($calm, limits => \%limits);
chomp(my $places = $stack->slurp("$stack->{dir}/calls"));
cmp_ok($places, '>', 100, "in $places calls");

my @places = shuffle 1 .. $places;
@places = @places[0 .. $kills - 1] if $kills ne 'all' && $kills < @places;
my $killed = 0;
for my $place (@places) {
	$stack->owner('DELETE FROM kaireon.interaction_history');
	my $run = $one->trigger($id);
	my $status = once($place);
	ok($status == 0 || $status == 9, "killed before call $place") or diag $status;
	$killed++ if $status == 9;
	# the killed one's session ends within a second or two
	$stack->wait_for('a worker that finds it', sub {
		is(once(), 0, 'the next one ends well') if $one->get("/$id/campaign-runs/$run")->{json}{status} ne 'completed';
		return $one->get("/$id/campaign-runs/$run")->{json}{status} eq 'completed';
	});
	my $done = $one->get("/$id/campaign-runs/$run")->{json};
	is($done->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'the file is that of the undisturbed run') or diag "KRN_RUN_SEED=$seed, call $place";
	$one->laws($done, limits => \%limits);
	is(scalar(() = glob "$stack->{settings}{RUN_FILE_DIR}/one/.*.tmp"), 0, 'no temporary file is left');
}
cmp_ok($killed, '>=', @places * 0.9, 'nearly all were killed');
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'no job is left');
is($stack->owner('SELECT count(*) FROM kaireon.dead_letter_events'), 0, 'and none is dead');

$stack->end;
done_testing;
