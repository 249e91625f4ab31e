#!/usr/bin/perl
# What programs tell the service manager: ready when they serve, and alive as
# often as it asks: while they are idle, while they wait for the database, and
# not when they hang.
use strict;
use warnings;

use IO::Select;
use Socket qw(AF_UNIX SOCK_DGRAM pack_sockaddr_un);
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $dir = $stack->{dir};
socket my $manager, AF_UNIX, SOCK_DGRAM, 0 or die $!;
bind $manager, pack_sockaddr_un("$dir/notify") or die $!;
chmod 0777, "$dir/notify";
my $select = IO::Select->new($manager);

# what comes within some seconds, until there are $nr of a kind
sub hear {
	my ($wanted, $nr, $seconds) = @_;
	my $end = time + $seconds;
	while ($nr > 0 && time < $end) {
		next unless $select->can_read(0.1);
		recv $manager, my $text, 100, 0;
		$nr-- if $text eq $wanted;
	}
	return $nr == 0;
}

sub silence {
	while ($select->can_read(0)) { recv $manager, my $text, 100, 0 }
}

for my $case (['worker', sub { $stack->worker }], ['api1', sub { $stack->pool('api', 1) }]) {
	my ($name, $start) = @$case;
	local $stack->{settings} = { %{ $stack->{settings} }, NOTIFY_SOCKET => "$dir/notify", WATCHDOG_USEC => 400_000, WATCHDOG_PID => 1 };
	$start->();
	ok(hear('READY=1', 1, 20), "$name tells when it is ready");
	ok(hear('WATCHDOG=1', 5, 20), 'and that it lives, idle or not');
	kill 'STOP', $stack->{pids}{$name};
	sleep 0.2;
	silence();
	ok(!hear('WATCHDOG=1', 1, 1), 'one that hangs tells nothing');
	kill 'CONT', $stack->{pids}{$name};
	ok(hear('WATCHDOG=1', 1, 20), 'one that goes on does');
	$stack->stop('worker') if $name eq 'worker';
}

# a request that waits for a lock
$stack->hold_table('kaireon.campaigns');
my $waiting = fork // die $!;
if (!$waiting) {
	my $status = $stack->request('GET', '/api/v1/runs', key => $key->{viewer})->{status};
	POSIX::_exit($status == 200 ? 0 : 1);
}
$stack->wait_for('a request that waits', sub { $stack->locks('kaireon.campaigns', 0) });
silence();
ok(hear('WATCHDOG=1', 4, 20), 'to wait for the database is to live');
$stack->release_table('kaireon.campaigns');
waitpid $waiting, 0;
is($?, 0, 'and the request is answered');

# without a manager nobody is told
$stack->stop('api1');
silence();
$stack->pool('api', 1);
$stack->wait_for('an answer', sub { $stack->request('GET', '/healthz')->{status} == 200 });
ok(!$select->can_read(0), 'without NOTIFY_SOCKET nothing is told');
$stack->end;
done_testing;
