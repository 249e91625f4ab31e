#!/usr/bin/perl
# Deliveries among each other: receivers that hang, names that nobody answers
# for, a settlement that fails. None of it costs the others anything.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Receiver;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => {
	CONNECTOR_ENCRYPTION_KEY => 'the-key-of-the-tests', EGRESS_ALLOW => '127.0.0.0/8, ::1', DELIVERY_TIMEOUT_MS => 20_000,
});
my $receiver = Kaireon::Receiver->new($stack->{dir});
$stack->{settings}{EGRESS_CACERT} = $receiver->{ca};
chmod 0755, $stack->{dir};
mkdir "$stack->{dir}/shared" and chmod 0777, "$stack->{dir}/shared";
$stack->{settings}{METRICS_FILE} = "$stack->{dir}/shared/registry";
my %key = map { $_ => $stack->tenant($_) } qw(one two);
$stack->pool('api', 1)->pool('cron', 1);
my $base = '/api/v1/notifications';

sub provider {
	my ($tenant, $url) = @_;
	my $made = $stack->request('POST', "$base/providers", key => $key{$tenant}{admin}, body => { kind => 'webhook', name => 'p', config => { url => $url } });
	return $made->{json}{id} // die $made->{body};
}

sub send_to {
	my ($tenant, @providers) = @_;
	my $sent = $stack->request('POST', "$base/send", key => $key{$tenant}{editor}, body => { providerIds => \@providers, title => 'x' });
	return $sent->{json}{notificationId} // die $sent->{body};
}

sub outbox { return $stack->owner("SELECT $_[0] FROM kaireon.outbox_events WHERE " . ($_[1] // 'true')) }

# one tenant has more receivers that hang than there are places; another has one
my @hanging = map { provider('one', "$receiver->{https}/hang/$_") } 1 .. 10;
my $failing = provider('one', "$receiver->{https}/hang/failing");
my $sound = provider('two', "$receiver->{https}/ok/two");
send_to('one', @hanging) for 1 .. 4;
send_to('one', $failing) for 1 .. 4;
$stack->owner("UPDATE kaireon.outbox_events SET errors = '[{}]' WHERE provider_id = '$failing' AND id = (SELECT min(id) FROM kaireon.outbox_events WHERE provider_id = '$failing')");
$stack->worker;
$stack->wait_for('the places of one tenant to be taken', sub { 16 == grep { $_->{path} =~ m{^/hang} } $receiver->taken });
my $message = send_to('two', $sound);
$stack->wait_for('the other one', sub { outbox('status', "source_id = '$message'") eq 'delivered' });
is(outbox('count(*)', "errors <> '[]' AND errors <> '[{}]'"), 0, "another tenant's is delivered while all of those hang");
is(outbox('count(*)', "status = 'processing'"), 16, 'half of the places are theirs');
is(outbox('count(DISTINCT provider_id)', "status = 'processing'"), 11, 'each of their receivers has its turn');
is(outbox('count(*)', "status = 'processing' AND provider_id = '$failing'"), 1, 'one that failed has one at a time');
kill 'KILL', $stack->{pids}{worker};
waitpid delete $stack->{pids}{worker}, 0;
$stack->owner('DELETE FROM kaireon.outbox_events');

# a settlement that fails: it is told, and the others are delivered and noted
$stack->announce(qr/cron job failed/);
my $unlucky = provider('two', "$receiver->{https}/ok/unlucky");
my @late = map { provider('two', "$receiver->{https}/late/$_") } 1 .. 5;
$stack->query('postgres', "CREATE FUNCTION kaireon.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION \$\$planted\$\$; END';
	CREATE TRIGGER refuse BEFORE UPDATE ON kaireon.outbox_events FOR EACH ROW WHEN (NEW.status = 'delivered' AND NEW.provider_id = '$unlucky') EXECUTE FUNCTION kaireon.refuse()");
$message = send_to('two', $unlucky, @late);
my $tick = $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} })->{json};
is_deeply([$tick->{ok}, map { $_->{kind} } @{ $tick->{errors} }], [JSON::PP::false, 'delivery'], 'a settlement that fails is told') or diag explain $tick;
is(outbox("string_agg(status, ' ' ORDER BY status)", "source_id = '$message'"), 'delivered delivered delivered delivered delivered processing', 'the others are delivered and noted');
$stack->query('postgres', 'DROP TRIGGER refuse ON kaireon.outbox_events');
$stack->stop('cron1'); # with its session ends its lease
$stack->pool('cron', 1);
$tick = $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} })->{json};
is($tick->{ok}, JSON::PP::true, 'then it is as it should be');
is(outbox('status', "source_id = '$message' AND provider_id = '$unlucky'"), 'delivered', 'also for the one');

# names whose servers are silent: more of them than are looked up at a time
SKIP: {
	my @unshare = ('unshare', $> == 0 ? '-mn' : '-rmn');
	skip 'this user may not make a network namespace', 5 if system(@unshare, 'true') != 0;
	$stack->announce(qr/delivery (failed|given up)/);
	$stack->owner('DELETE FROM kaireon.outbox_events');
	local $stack->{settings}{DELIVERY_TIMEOUT_MS} = 1500;
	my %silent = map { my $tenant = $_; ($tenant => [map { provider($tenant, "https://$tenant$_.silent.test/") } 1 .. 13]) } qw(one two);
	my @refused = map { provider('two', "https://$_.test/") } qw(metadata two);
	send_to($_, @{ $silent{$_} }) for qw(one two);
	$message = send_to('two', @refused);
	$stack->spew("$stack->{dir}/resolv.conf", "nameserver 127.0.0.1\noptions timeout:4 attempts:1\n");
	$stack->spew("$stack->{dir}/hosts", "127.0.0.1 localhost\n169.254.169.254 metadata.test\n127.0.0.1 two.test\n10.9.8.7 two.test\n");
	# it has a network of its own, where port 53 takes questions and says nothing
	$stack->spawn('lone', undef, @unshare, 'sh', '-c', "ip link set lo up && mount --bind $stack->{dir}/resolv.conf /etc/resolv.conf"
		. " && mount --bind $stack->{dir}/hosts /etc/hosts && exec perl -MIO::Socket::INET -e '"
		. '$s = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1", LocalPort => 53) or die $!; fcntl $s, 2, 0; exec @ARGV'
		. "' $stack->{build}/kaireon-worker");
	$stack->wait_for('each to have been tried', sub { outbox('count(*)', "errors <> '[]'") == 28 }, 60);
	cmp_ok(outbox('count(*)', 'fence > attempts'), '>', 0, 'some had to wait for a lookup');
	is(outbox('count(*)', "attempts <> jsonb_array_length(errors) + (status = 'processing')::int"), 0, 'which cost them no attempt');
	is(outbox("string_agg(DISTINCT errors->0->>'error', '; ')", "source_id <> '$message'"), 'no answer: the host could not be looked up in time', 'the names are told');
	is(outbox("string_agg(errors->0->>'error', '; ')", "source_id = '$message'"), join('; ', ('the address of the host is not permitted') x 2),
		'and those of which an address is not permitted');
	my $metrics = $stack->request('GET', '/metrics', pool => 'cron')->{body};
	like($metrics, qr/^kaireon_egress_requests_total\{pool="worker",outcome="refused"\} [1-9]/m, 'which is counted') or diag grep { /egress/ } split /^/, $metrics;
}

$receiver->stop;
$stack->end;
done_testing;
