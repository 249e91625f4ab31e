#!/usr/bin/perl
# Without downtime: new code, new options, a new site and a new schema come in
# while requests go on, and none of them fails. The pool's socket belongs to
# somebody else, as systemd's socket units have it.
use strict;
use warnings;

use IO::Socket::UNIX;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $dir = $stack->{dir};
my $processes = 3;

# the socket, which nobody closes
my $socket = IO::Socket::UNIX->new(Local => "$dir/api.sock", Listen => 1024) or die $!;
chmod 0777, "$dir/api.sock";
$stack->{sockets}{api} = "$dir/api.sock";
my $generation = 0;
sub start_pool {
	my $name = 'pool' . ++$generation;
	$stack->spawn($name, $socket, '/usr/bin/multiwatch', '-f', $processes, '-t', 0, '--', "$stack->{build}/kaireon-fcgi", '--pool', 'api');
	$stack->wait_for('the pool', sub { $stack->children($name) == $processes });
	return $name;
}
{
	local %ENV = (%ENV, %{ $stack->{settings} }, RUN_DIR => $dir, LOG_DIR => "$dir/log", LISTEN => "unix:$dir/site.sock",
		TRUSTED_PROXIES => 'unix:', USER_DIRECTIVE => $> == 0 ? 'user root;' : '');
	$stack->system_ok("$stack->{source}/nginx/render $dir/nginx");
}
$stack->spawn('nginx', undef, '/usr/sbin/nginx', '-e', "$dir/log/nginx-error.log", '-p', $dir, '-c', "$dir/nginx/kaireon.conf");
$stack->wait_for('nginx', sub { IO::Socket::UNIX->new(Peer => "$dir/site.sock") });

# one request through nginx: its status; 0 when it was cut off
sub get {
	my ($path) = @_;
	my $http = IO::Socket::UNIX->new(Peer => "$dir/site.sock") or return 0;
	print $http "GET $path HTTP/1.0\r\nHost: localhost\r\nX-API-Key: $key->{viewer}\r\n\r\n";
	$http->flush;
	local $/;
	my $answer = readline($http) // '';
	return $answer =~ m{^HTTP/1.1 (\d+)} ? $1 : 0;
}

# under_load(CODE): the statuses of what went on meanwhile, as "200: n"
sub under_load {
	my ($code) = @_;
	pipe my $in, my $out or die $!;
	my @pids = map {
		my $pid = fork // die $!;
		if (!$pid) {
			my (%seen, $stop);
			local $SIG{TERM} = sub { $stop = 1 };
			$seen{ get('/api/v1/runs') }++ until $stop;
			syswrite $out, join(' ', map { "$_=$seen{$_}" } sort keys %seen) . "\n";
			POSIX::_exit(0);
		}
		$pid;
	} 1 .. 4;
	close $out;
	my $lines = sub { scalar(() = $stack->slurp("$dir/log/nginx-access.log") =~ /\n/g) };
	my $before = $lines->();
	$stack->wait_for('load', sub { $lines->() > $before + 20 });
	$code->();
	my $after = $lines->();
	$stack->wait_for('more load', sub { $lines->() > $after + 20 });
	kill 'TERM', @pids;
	waitpid $_, 0 for @pids;
	my %seen;
	while (my $line = <$in>) {
		$seen{$1} += $2 while $line =~ /(\d+)=(\d+)/g;
	}
	my $good = delete $seen{200} // 0;
	cmp_ok($good, '>', 40, 'requests were answered');
	return join ' ', map { "$_: $seen{$_}" } sort keys %seen;
}

my $pool = start_pool();
$stack->wait_for('the first answer', sub { get('/readyz') == 200 });

# new code
my %old = map { $_ => 1 } $stack->children($pool);
is(under_load(sub {
	is(system("$stack->{source}/systemd/reload-pool", $stack->{pids}{$pool}), 0, 'a reload, process by process');
}), '', 'new code: no request failed');
my @new = $stack->children($pool);
is(scalar(grep { $old{$_} } @new), 0, 'every process is a new one');
is(scalar @new, $processes, 'and there are as many');

# new options
is(under_load(sub {
	is($stack->stop($pool, 'TERM'), 0, 'a restart');
	$stack->{settings}{LOG_LEVEL} = 'warning';
	$pool = start_pool();
}), '', 'new options: no request failed');

# who is served when the stop comes is served to the end
my $waiting = IO::Socket::UNIX->new(Peer => "$dir/site.sock") or die $!;
$stack->hold_table('kaireon.campaigns');
print $waiting "GET /api/v1/runs HTTP/1.0\r\nHost: localhost\r\nX-API-Key: $key->{viewer}\r\n\r\n";
$waiting->flush;
$stack->wait_for('a request that waits', sub { $stack->locks('kaireon.campaigns', 0) });
my $pid = $stack->{pids}{$pool};
kill 'TERM', $pid;
$stack->wait_for('the idle processes to leave', sub { $stack->children($pool) == 1 });
$stack->release_table('kaireon.campaigns');
my $answer = do { local $/; readline($waiting) // '' };
like($answer, qr{^HTTP/1.1 200}, 'a request under way is answered');
is($stack->stop($pool, 'CONT'), 0, 'then its process leaves');
my $early = IO::Socket::UNIX->new(Peer => "$dir/site.sock") or die $!;
print $early "GET /api/v1/runs HTTP/1.0\r\nHost: localhost\r\nX-API-Key: $key->{viewer}\r\n\r\n";
$early->flush;
$pool = start_pool();
like(do { local $/; readline($early) // '' }, qr{^HTTP/1.1 200}, 'one that came while nobody was there waited');

# a new site
is(under_load(sub {
	my $workers = join ' ', sort $stack->children('nginx');
	kill 'HUP', $stack->{pids}{nginx};
	$stack->wait_for('other workers of nginx', sub { join(' ', sort $stack->children('nginx')) ne $workers });
}), '', 'a new site: no request failed');

# a new schema that only has more
my $next = 9000;
is(under_load(sub {
	$stack->owner('ALTER TABLE kaireon.campaigns ADD COLUMN next_version_note text; CREATE TABLE kaireon.next_version (id bigint); '
		. "INSERT INTO kaireon.schema_migrations (number, name, sha256) VALUES ($next, '9000_next', '')");
}), '', 'a schema that is ahead: no request failed');
is(get('/readyz'), 200, 'and the previous version is ready');
is(under_load(sub { $stack->stop($pool, 'TERM'); $pool = start_pool() }), '', 'it may be started again beside it');

# one that has less
$stack->owner("INSERT INTO kaireon.schema_migrations (number, name, sha256, oldest_program) VALUES ($next + 1, '9001_contract', '', $next)");
is(get('/readyz'), 503, 'a version that the schema does not serve any more is not ready');
$stack->announce(qr/serves programs from version/);

$stack->end;
done_testing;
