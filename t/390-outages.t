#!/usr/bin/perl
# A pool as it is run, spawn-fcgi and multiwatch, under load: its processes are
# killed one after the other, the database stops and starts again. A client
# sees answers of the contract or, of a process killed at its request, none.
use strict;
use warnings;

use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Stack;

my $processes = 3;
my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one')->{viewer};
$stack->watched_pool('api', $processes);
sub children { return $stack->children('api') }

# Clients that call until they are told to stop; each writes how often it met what.
my @clients;

sub load {
	my ($nr) = @_;
	my @began = map { "$stack->{dir}/client$_.began" } 1 .. $nr;
	unlink @began;
	@clients = ();
	for my $i (1 .. $nr) {
		my $pid = fork // die $!;
		if (!$pid) {
			my (%met, $stop);
			local $SIG{TERM} = sub { $stop = 1 };
			until ($stop) {
				my $answer = eval { $stack->request('GET', '/api/v1/runs', key => $key) };
				last if $stop; # the signal may have cut the call
				my $what = !$answer ? 'refused' : $answer->{status} == 503 && !$answer->{headers}{'retry-after'} ? '503 bare'
					: $answer->{status} && !$answer->{json} ? "$answer->{status} cut" : $answer->{status};
				$stack->spew($began[$i - 1], $what) if !$met{$what}++;
				sleep 0.002;
			}
			$stack->spew("$stack->{dir}/client$i", encode_json(\%met));
			POSIX::_exit(0);
		}
		push @clients, $pid;
	}
	$stack->wait_for('an answer for each client', sub { !grep { !-e } @began });
	return;
}

sub met {
	my %met;
	kill 'TERM', @clients;
	waitpid $_, 0 for @clients;
	for my $i (1 .. @clients) {
		my $part = decode_json($stack->slurp("$stack->{dir}/client$i"));
		$met{$_} += $part->{$_} for keys %$part;
	}
	return \%met;
}

my $kills = 12;
load(4);
for my $n (1 .. $kills) {
	my @alive = children();
	my $victim = $alive[$n % @alive];
	kill 'KILL', $victim;
	$stack->wait_for('another process', sub { my @now = children(); @now == $processes && !grep { $_ == $victim } @now });
	sleep 0.05;
}
my $met = met();
note encode_json($met);
cmp_ok($met->{200}, '>', 100, 'a pool whose processes are killed goes on to answer');
is(join(' ', grep { $_ ne '200' && $_ ne '0' } sort keys %$met), '', 'never with an error, and no connection is refused');
cmp_ok($met->{0} // 0, '<=', $kills, 'a kill costs at most the request at hand');

load(4);
for my $mode (qw(fast immediate)) {
	$stack->stop_postgres($mode);
	$stack->wait_for('503', sub { $stack->request('GET', '/api/v1/runs', key => $key)->{status} == 503 });
	is($stack->request('GET', '/healthz')->{status}, 200, "PostgreSQL stopped, $mode: the pool is healthy");
	is($stack->request('GET', '/readyz')->{status}, 503, 'and not ready');
	$stack->start_postgres;
	ok($stack->wait_for('recovery', sub { $stack->request('GET', '/api/v1/runs', key => $key)->{status} == 200 }), 'it recovers by itself');
}
$met = met();
note encode_json($met);
is(join(' ', grep { !/^(?:200|503)$/ } sort keys %$met), '', 'every call got its answer or a 503 with Retry-After');
cmp_ok($met->{503}, '>', 0, 'of those there were some');
$stack->wait_for('every process', sub { !grep { $stack->request('GET', '/readyz')->{status} != 200 } 1 .. 2 * $processes });
for (1 .. 4 * $processes) {
	my $status = $stack->request('GET', '/api/v1/runs', key => $key)->{status};
	next if $status == 200;
	fail("a process answers $status after the database is back");
}

# SIGHUP and SIGUSR1 end a process after its request; multiwatch replaces it
for my $signal (qw(HUP USR1 TERM)) {
	my %before = map { $_ => 1 } children();
	load(2);
	kill $signal, keys %before;
	$stack->wait_for("new processes after $signal", sub { my @now = children(); @now == $processes && !grep { $before{$_} } @now });
	$met = met();
	is(join(' ', keys %$met), '200', "$signal to every process loses no request");
}

$stack->end;
done_testing;
