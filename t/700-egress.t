#!/usr/bin/perl
# Calls to elsewhere: what is refused before a connection, what a receiver may
# do, and that one that hangs delays nobody.
use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(time);

use Kaireon::Receiver;

my $build = $ENV{KRN_BUILDDIR} || 'build';
my $dir = tempdir(CLEANUP => 1);
my $receiver = Kaireon::Receiver->new($dir);
my $local = '127.0.0.0/8,::1';

# url => [milliseconds, status, what was wrong]
sub calls {
	my ($allow, $timeout, @urls) = @_;
	my $pid = open my $out, '-|', "$build/t/bin/call", $allow, $receiver->{ca}, $timeout, 65536, @urls or die $!;
	my %done = map { chomp; my ($url, @rest) = split /\t/, $_, -1; ($url => \@rest) } <$out>;
	ok(close $out, 'the caller ends well');
	return \%done;
}

my $https = $receiver->{https};
my $numeric = "https://127.0.0.1:$receiver->{https_port}";

# nobody allowed it
my @refused = ("$https/ok", "$numeric/ok", "https://[::1]:$receiver->{https_port}/ok", 'https://169.254.169.254/latest/meta-data/',
	"https://2130706433:$receiver->{https_port}/ok", "https://0x7f.1:$receiver->{https_port}/ok",
	"https://[::ffff:127.0.0.1]:$receiver->{https_port}/ok", "https://0:$receiver->{https_port}/ok", 'http://10.0.0.1/', 'http://[fd00:ec2::254]/');
my $done = calls('', 5000, @refused);
is($done->{$_}[2], 'the address of the host is not permitted', "$_ is refused") for @refused;
is_deeply([$receiver->taken], [], 'and nobody was called');
$done = calls($local, 5000, 'file:///etc/passwd', 'gopher://localhost/', 'ftp://localhost/', 'nothing at all', '');
isnt($done->{$_}[2], '', "\"$_\" is no address of ours") for keys %$done;

# allowed
$done = calls($local, 20000, "$https/ok", "$numeric/ok/numeric", "$https/status/500");
is($done->{"$https/ok"}[1], 200, 'a name that is allowed') or diag explain $done;
is($done->{"$numeric/ok/numeric"}[1], 200, 'an address that is allowed');
is($done->{"$https/status/500"}[1], 500, 'a status is told');
{
	local %ENV = (%ENV, map({ $_ => 'http://127.0.0.1:9' } qw(http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY)));
	is(calls($local, 20000, "$https/ok")->{"$https/ok"}[1], 200, 'a proxy of the environment is none of ours');
}

# one that hangs, one that redirects, one that never ends
$receiver->forget;
my @many = ("$https/hang", "$https/redirect", "$https/big", map { "$https/ok/$_" } 1 .. 20);
$done = calls($local, 6000, @many);
is(scalar(grep { $done->{"$https/ok/$_"}[1] == 200 } 1 .. 20), 20, 'twenty are answered');
my ($slowest) = sort { $b <=> $a } map { $done->{"$https/ok/$_"}[0] } 1 .. 20;
cmp_ok($slowest, '<', $done->{"$https/hang"}[0], 'before the one that hangs is given up');
like($done->{"$https/hang"}[2], qr/^no answer: Timeout/, 'which is told');
is($done->{"$https/redirect"}[1], 302, 'a redirect is not followed');
like($done->{"$https/big"}[2], qr/longer than 65536 bytes/, 'an answer that never ends is cut off');
cmp_ok($done->{"$https/big"}[0], '<', $done->{"$https/hang"}[0], 'at once');
is(scalar(() = $receiver->taken), 23, 'each was called once');

# a name of two addresses, of which one is allowed
SKIP: {
	my @unshare = ('unshare', $> == 0 ? '-m' : '-rm');
	skip 'this user may not make a mount namespace', 3 if system(@unshare, 'true') != 0;
	for my $case (['127.0.0.1', '127.0.0.2', 200, ''], ['127.0.0.1', '10.9.8.7', 0, 'the address of the host is not permitted'],
		['10.9.8.7', '127.0.0.1', 0, 'the address of the host is not permitted']) {
		my ($first, $second, $status, $why) = @$case;
		open my $hosts, '>', "$dir/hosts" or die $!;
		print $hosts "$first two.example\n$second two.example\n";
		close $hosts;
		my $url = "https://two.example:$receiver->{https_port}/ok";
		my $line = `@unshare sh -c 'mount --bind $dir/hosts /etc/hosts && exec $build/t/bin/call $local $receiver->{ca} 5000 65536 $url'`;
		like($line, qr/\t$status\t\Q$why\E$/, "$first and $second");
	}
}
done_testing;
