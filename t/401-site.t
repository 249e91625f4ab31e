#!/usr/bin/perl
# The site's two forms, with TLS and behind another proxy: nginx accepts them,
# TLS offers what is advised and nothing else, the access log is JSON, clients
# that are slow or many hold no process of a pool.
use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use MIME::Base64;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $dir = $stack->{dir};
$stack->pool('api', 1)->pool('cron', 1);
chmod 0755, $dir;
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
	. "-keyout $dir/key.pem -out $dir/cert.pem 2>/dev/null") == 0 or die;
# and one whose issuer has a responder, which has a certificate of its own
my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die $!;
$stack->spew("$dir/responder.cnf", 'authorityInfoAccess=OCSP;URI:http://127.0.0.1:' . $listener->sockport . "/\n");
$stack->spew("$dir/signer.cnf", "extendedKeyUsage=OCSPSigning\n");
system("cd $dir && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=offers.example -keyout key2.pem -out request.pem 2>/dev/null "
	. '&& openssl x509 -req -in request.pem -CA cert.pem -CAkey key.pem -days 2 -set_serial 0x1001 -extfile responder.cnf -out leaf.pem 2>/dev/null '
	. '&& openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=responder -keyout signer-key.pem -out signer.csr 2>/dev/null '
	. '&& openssl x509 -req -in signer.csr -CA cert.pem -CAkey key.pem -days 2 -set_serial 0x1002 -extfile signer.cnf -out signer.pem 2>/dev/null '
	. '&& cat leaf.pem cert.pem >cert2.pem') == 0 or die;

# the site in a form; returns the folder
sub render {
	my ($name, %settings) = @_;
	my $out = "$dir/$name";
	mkdir "$dir/run-$name";
	local %ENV = (%ENV, %{ $stack->{settings} }, RUN_DIR => "$dir/run-$name", LOG_DIR => "$dir/log", CERTIFICATE => "$dir/cert.pem",
		CERTIFICATE_KEY => "$dir/key.pem", API_SERVERS => "unix:$dir/api.sock", CRON_SERVERS => "unix:$dir/cron.sock",
		USER_DIRECTIVE => $> == 0 ? 'user root;' : '', %settings);
	$stack->system_ok("$stack->{source}/nginx/render $out");
	my $said = `/usr/sbin/nginx -t -e $dir/log/check.log -p $dir -c $out/kaireon.conf 2>&1`;
	is($?, 0, "nginx accepts the site: $name") or diag $said;
	unlike($said, qr/\[(warn|emerg)\]/, 'and has nothing to say against it') or diag $said;
	return $out;
}

sub start {
	my ($name, $socket) = @_;
	$stack->spawn("nginx-$name", undef, '/usr/sbin/nginx', '-e', "$dir/log/nginx-error.log", '-p', "$dir/run-$name", '-c', "$dir/$name/kaireon.conf");
	$stack->wait_for('nginx', sub { -S $socket && IO::Socket::UNIX->new(Peer => $socket) });
}

sub curl {
	my (@options) = @_;
	open my $out, '-|', 'curl', '-sS', '--max-time', 20, @options or die $!;
	local $/;
	my $text = <$out> // '';
	close $out;
	return $text;
}

# forms
my $tls = render('tls', LISTEN => "unix:$dir/tls.sock", SERVER_NAME => 'offers.example');
like($stack->slurp("$tls/site"), qr/server_name offers\.example;/, 'the name of the server');
like($stack->slurp("$tls/listen_kaireon"), qr/names no OCSP responder/, 'nothing to staple');
my $stapled = render('stapled', LISTEN => "unix:$dir/stapled.sock", CERTIFICATE => "$dir/cert2.pem", CERTIFICATE_KEY => "$dir/key2.pem",
	RESOLVER => '127.0.0.1:1', TRUSTED_CERTIFICATES => "$dir/cert.pem");
like($stack->slurp("$stapled/listen_kaireon"), qr/^ssl_stapling on;$/m, 'a certificate with a responder is stapled');
my $several = render('several', LISTEN => "unix:$dir/several.sock", API_SERVERS => '10.99.0.5:9101 10.99.0.6:9101', CRON_SERVERS => '10.99.0.5:9102');
like($stack->slurp("$several/site"), qr/(server 10\.99\.0\.5:9101) (fail_timeout=5s;\n)\t(server 10\.99\.0\.6:9101) \2\t\1 backup max_fails=0;\n\t\3 backup max_fails=0;\n\}/,
	'several hosts; when all have failed they are asked all the same');
like($stack->slurp("$several/site"), qr/server 10\.99\.0\.5:9102 max_fails=0;\n\}/, 'one host is asked always');
my $proxied = render('proxied', LISTEN => "unix:$dir/proxied.sock", TRUSTED_PROXIES => 'unix: 127.0.0.1', CERTIFICATE => '', CERTIFICATE_KEY => '', CLIENT_CONNECTIONS => 5);
unlike($stack->slurp("$proxied/listen_kaireon"), qr/ssl/, 'no TLS behind a proxy');

# TLS: protocol by protocol, cipher by cipher
start('tls', "$dir/tls.sock");
sub handshake {
	my ($options) = @_;
	my $said = `echo | openssl s_client -unix $dir/tls.sock $options 2>&1`;
	return $said =~ /^New, (\S+), Cipher is (\S+)$/m && $2 ne '(NONE)' ? $2 : '';
}
is(handshake("-$_ -cipher ALL:\@SECLEVEL=0"), '', "refused: $_") for qw(tls1 tls1_1);
ok(handshake("-$_"), "accepted: $_") for qw(tls1_2 tls1_3);
my @all = split /:/, `openssl ciphers -s -tls1_2 'ALL:eNULL:\@SECLEVEL=0'`;
chomp @all;
cmp_ok(scalar @all, '>', 40, 'ciphers to try');
my @taken = grep { handshake("-tls1_2 -cipher '$_:\@SECLEVEL=0'") eq $_ } @all;
is_deeply([grep { !/^ECDHE-ECDSA-(AES(128|256)-GCM-SHA\d+|CHACHA20-POLY1305)$/ } @taken], [], 'ciphers of TLS 1.2: forward secrecy and AEAD only');
is(scalar @taken, 3, 'all three that an EC certificate can have');
is(handshake('-tls1_3 -groups secp521r1'), '', 'no curve but those advised');
unlike(`echo | openssl s_client -unix $dir/tls.sock -tls1_2 2>&1`, qr/TLS session ticket:/, 'no session tickets');
unlike(`(echo; sleep 0.2) | openssl s_client -unix $dir/tls.sock -tls1_2 2>&1`, qr/Compression: (?!NONE)/, 'no compression');

# stapling: what the responder says of the certificate comes with the handshake
$stack->spew("$dir/index.txt", "V\t491231235959Z\t\t1001\tunknown\t/CN=offers.example\n");
my $responder = fork // die $!;
if (!$responder) {
	while (my $client = $listener->accept) {
		my ($request) = (readline($client) // '') =~ m{^GET /+(\S+) HTTP} or next;
		$stack->spew("$dir/request.der", decode_base64($request =~ s/%(..)/chr hex $1/ger));
		system("cd $dir && openssl ocsp -index index.txt -CA cert.pem -rkey signer-key.pem -rsigner signer.pem -ndays 1 -reqin request.der -respout answer.der >ocsp.out 2>&1");
		my $answer = $stack->slurp("$dir/answer.der");
		print $client "HTTP/1.0 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: " . length($answer) . "\r\n\r\n$answer";
		close $client;
	}
	POSIX::_exit(0);
}
start('stapled', "$dir/stapled.sock");
ok($stack->wait_for('a stapled answer', sub { `echo | openssl s_client -unix $dir/stapled.sock -status 2>&1` =~ /OCSP Response Status: successful/ }), 'the answer of the responder is stapled');
kill 'KILL', $responder;
waitpid $responder, 0;

# the access log
my $id = (curl('-i', '--unix-socket', "$dir/tls.sock", '--cacert', "$dir/cert.pem", '-A', 'say "hello"', "https://localhost/api/v1/runs?x=%22") =~ /^x-request-id: (\S+)/mi)[0];
my $line = $stack->wait_for('the line', sub {
	my ($found) = grep { /\Q$id\E/ } split /\n/, $stack->slurp("$dir/log/nginx-access.log");
	$found && eval { decode_json($found) };
});
is($line->{requestId}, $id, 'a line of JSON with the request id');
is($line->{status}, 401, 'its status');
is($line->{userAgent}, 'say "hello"', 'quotes are escaped');
is($line->{tls}, 'TLSv1.3', 'the protocol');
like($line->{duration}, qr/^[\d.]+$/, 'the duration is a number');

# behind a proxy: who the client is
start('proxied', "$dir/proxied.sock");
$id = (curl('-i', '--unix-socket', "$dir/proxied.sock", '-H', 'X-Forwarded-For: 198.51.100.9, 203.0.113.7', 'http://localhost/healthz') =~ /^x-request-id: (\S+)/mi)[0];
$line = $stack->wait_for('the line', sub {
	my ($found) = grep { /\Q$id\E/ } split /\n/, $stack->slurp("$dir/log/nginx-access.log");
	$found && eval { decode_json($found) };
});
is($line->{addr}, '203.0.113.7', 'the address that the proxy saw, not what the client claims');
is(curl('-o', '/dev/null', '-w', '%{http_code}', '--unix-socket', "$dir/proxied.sock", '-H', 'X-Forwarded-For: 127.0.0.1', 'http://localhost/metrics'), 200, 'a proxy that says so is believed');
is(curl('-o', '/dev/null', '-w', '%{http_code}', '--unix-socket', "$dir/proxied.sock", '-H', 'X-Forwarded-For: 127.0.0.1, 203.0.113.7', 'http://localhost/metrics'), 403, 'a client that says so is not');

# many slow clients: their requests are not complete, the one process serves others
my @slow = map { IO::Socket::UNIX->new(Peer => "$dir/proxied.sock") or die $! } 1 .. 30;
print {$slow[$_]} "POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.$_\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{" for 0 .. $#slow;
$_->flush for @slow;
my @answers = map { curl('-o', '/dev/null', '-w', '%{http_code}', '--unix-socket', "$dir/proxied.sock", '-H', "X-API-Key: $key->{viewer}", 'http://localhost/api/v1/runs') } 1 .. 5;
is_deeply(\@answers, [(200) x 5], 'thirty clients that are slow hold nobody up');
close $_ for @slow;

# too many of one address
@slow = map { IO::Socket::UNIX->new(Peer => "$dir/proxied.sock") or die $! } 1 .. 5;
print {$_} "POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.77\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{" for @slow;
$_->flush for @slow;
my $answer = $stack->wait_for('the limit', sub {
	my $text = curl('-i', '--unix-socket', "$dir/proxied.sock", '-H', 'X-Forwarded-For: 198.51.100.77', 'http://localhost/healthz');
	$text =~ /^HTTP\S+ 429/ && $text;
});
like($answer, qr/^retry-after: \d+/mi, 'the sixth of an address is 429, with Retry-After');
is((decode_json((split /\r\n\r\n/, $answer, 2)[1]))->{error}{code}, 'TOO_MANY_REQUESTS', 'in our shape');
is(curl('-o', '/dev/null', '-w', '%{http_code}', '--unix-socket', "$dir/proxied.sock", '-H', 'X-Forwarded-For: 198.51.100.78', 'http://localhost/healthz'), 200, 'another address is served');
close $_ for @slow;

$stack->end;
done_testing;
