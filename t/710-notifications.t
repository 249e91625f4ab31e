#!/usr/bin/perl
# Providers, messages to them and what becomes of deliveries: secrets, every
# kind of receiver, those that fail, kills between sending and noting.
use strict;
use warnings;

use Digest::SHA qw(hmac_sha256_hex);
use Encode qw(decode);
use JSON::PP;
use MIME::Base64;
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Receiver;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => {
	CONNECTOR_ENCRYPTION_KEY => 'the-key-of-the-tests', EGRESS_ALLOW => '127.0.0.0/8, ::1', DELIVERY_TIMEOUT_MS => 3000,
	SMTP_FROM => 'kaireon@example.com', SMTP_USER => 'mailer', SMTP_PASSWORD => 'mail-password',
});
my $receiver = Kaireon::Receiver->new($stack->{dir});
$stack->{settings}{EGRESS_CACERT} = $receiver->{ca};
$stack->{settings}{SMTP_URL} = $receiver->{smtp};
chmod 0755, $stack->{dir};
my ($key, $other) = map { $stack->tenant($_) } qw(one two);
$stack->pool('api', 2)->pool('cron', 1);
my $base = '/api/v1/notifications';

sub api {
	my ($method, $path, $body, $role) = @_;
	return $stack->request($method, "$base$path", key => $key->{ $role // 'admin' }, $body ? (body => $body) : ());
}

sub provider {
	my ($kind, $config) = @_;
	my $made = api('POST', '/providers', { kind => $kind, name => "a $kind", config => $config });
	is($made->{status}, 201, "a $kind is made") or diag $made->{body};
	return $made->{json};
}

sub tick {
	my $answer = $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} });
	is($answer->{status}, 200, 'a tick') or diag $answer->{body};
	return $answer->{json};
}

# a config of each kind, and what is seen of it
my $secret = 'planted-secret-of-a-webhook';
my %made = (
	webhook => provider('webhook', { url => "$receiver->{https}/ok/hook?token=planted-token", secret => $secret, headers => { 'X-Extra' => 'planted-header' } }),
	slack => provider('slack', { webhookUrl => "$receiver->{https}/ok/slack/planted-path" }),
	teams => provider('teams', { webhookUrl => "$receiver->{https}/ok/teams" }),
	ops_email => provider('ops_email', { fromEmail => 'ops@example.com', recipients => ['a@example.com', 'b@example.org'], replyTo => 'c@example.com' }),
);
my $mask = "\x{2022}" x 8;
is_deeply($made{webhook}{config}, { url => $mask, secret => $mask, headers => { 'X-Extra' => $mask } }, 'secrets are masked');
is($made{webhook}{configSummary}, "localhost:$receiver->{https_port}", 'the host is told');
is($made{ops_email}{configSummary}, '2 recipients', 'or how many read it');
my $list = api('GET', '/providers', undef, 'viewer');
is_deeply([sort map { $_->{kind} } @{ $list->{json}{data} }], [qw(ops_email slack teams webhook)], 'they are listed');
is_deeply([map { $_->{kind} } @{ $list->{json}{kinds} }], [qw(slack teams webhook ops_email)], 'with the kinds that there are');
unlike($list->{body}, qr/planted/, 'without a secret');
my $stored = $stack->query('postgres', q{SELECT string_agg(encode(config, 'escape'), ' ') || string_agg(config_shown::text, ' ') FROM kaireon.notification_providers});
unlike($stored, qr/planted/, 'nor are they in the table');
unlike($stack->query('postgres', 'SELECT string_agg(concat(a.*), chr(10)) FROM kaireon.audit_logs AS a'), qr/planted/, 'nor in the audit');
is($stack->owner(q{SELECT count(*) FROM kaireon.audit_logs WHERE action = 'notification_provider.create'}), 4, 'which has a row of each');

# who may, and what is refused
is(api('POST', '/providers', { kind => 'slack', name => 'x', config => {} }, 'editor')->{status}, 403, 'an editor makes none');
for my $case (['an unknown kind', { kind => 'pager' }], ['no name', { name => undef }], ['a name too long', { name => 'x' x 121 }],
	['http', { config => { url => 'http://example.com/' } }], ['this host', { config => { url => 'https://10.0.0.1/' } }],
	['the metadata service', { config => { url => 'https://169.254.169.254/' } }], ['another notation of it', { config => { url => 'https://[::ffff:169.254.169.254]/' } }],
	['user and password', { config => { url => 'https://a:b@example.com/' } }], ['a newline', { config => { url => "https://example.com/\nx" } }],
	['no host', { config => { url => 'https:///x' } }], ['a short secret', { config => { url => 'https://example.com/', secret => 'x' } }],
	['an unknown field', { config => { url => 'https://example.com/', more => 1 } }],
	['a header of ours', { config => { url => 'https://example.com/', headers => { 'Idempotency-Key' => 'x' } } }],
	['what stands for a header', { config => { url => 'https://example.com/', headers => { 'X-A' => "\x{2022}" x 8 } } }],
	['a header with a newline', { config => { url => 'https://example.com/', headers => { 'X-A' => "x\r\nHost: y" } } }],
	['no config', { config => undef }], ['an address that is none', { kind => 'ops_email', config => { recipients => ['x'] } }],
	['a recipient with a newline', { kind => 'ops_email', config => { recipients => ["a\@b.c\r\nRCPT TO:<x\@y>"] } }],
	['nobody', { kind => 'ops_email', config => { recipients => [] } }]) {
	my ($what, $fields) = @$case;
	my $answer = api('POST', '/providers', { kind => 'webhook', name => 'x', config => { url => 'https://example.com/' }, %$fields });
	is($answer->{status}, 400, "$what is refused") or diag $answer->{body};
}
is($stack->request('GET', "$base/providers/$made{slack}{id}", key => $other->{admin})->{status}, 404, "another tenant's is not there");
is(api('PATCH', "/providers/$made{slack}{id}", { kind => 'teams' })->{status}, 400, 'a kind stays');
is(api('PATCH', "/providers/$made{slack}{id}", { name => 'chat' })->{json}{name}, 'chat', 'a name changes');

# a message to all of them, taken by the tick
my $sent = api('POST', '/send', { providerIds => [map { $_->{id} } values %made], title => "Gr\x{fc}\x{df}e <all>", text => 'A & B' }, 'editor');
is($sent->{status}, 202, 'a message is taken') or diag $sent->{body};
is_deeply([map { "$_->{status} $_->{attempts}" } @{ $sent->{json}{deliveries} }], [('pending 0') x 4], 'and waits');
is_deeply([$receiver->taken], [], 'nothing is sent by the pool that serves clients');
is(tick()->{ok}, JSON::PP::true, 'the tick delivers');
my %taken = map { (split m{/}, $_->{path})[2] =~ s/\?.*//r => $_ } $receiver->taken;
is_deeply([sort keys %taken], [qw(hook slack teams)], 'each receiver was called');
my $hook = $taken{hook};
my $body = decode_json($hook->{body});
is($body->{title}, "Gr\x{fc}\x{df}e <all>", 'the webhook has the title');
is($hook->{headers}{'x-kaireon-signature'}, 'sha256=' . hmac_sha256_hex($hook->{body}, $secret), 'it is signed');
is($hook->{headers}{'x-extra'}, 'planted-header', 'with its own header');
is($hook->{headers}{'idempotency-key'}, "$sent->{json}{notificationId}:$made{webhook}{id}", 'and its key');
is($hook->{headers}{'x-kaireon-event'}, 'notification', 'and what it is');
like(decode_json($taken{slack}{body})->{text}, qr/&lt;all&gt;/, 'Slack reads escaped text');
is(decode_json($taken{teams}{body})->{attachments}[0]{content}{type}, 'AdaptiveCard', 'Teams a card');
my ($mail) = $receiver->mails;
is_deeply([$mail->{from}, $mail->{to}, $mail->{user}], ['ops@example.com', ['a@example.com', 'b@example.org'], 'mailer:mail-password'], 'the mail server was told who');
my ($subject) = $mail->{message} =~ /^Subject: =\?utf-8\?B\?(\S+)\?=\r$/m;
is(decode('UTF-8', decode_base64($subject // '')), "Gr\x{fc}\x{df}e <all>", 'the subject is encoded');
like($mail->{message}, qr/^Idempotency-Key: \Q$sent->{json}{notificationId}:$made{ops_email}{id}\E\r$/m, 'with its key');
like($mail->{message}, qr/^Message-ID: <obx_\w+\@example\.com>\r$/m, 'and an id');
like(decode_base64((split /\r\n\r\n/, $mail->{message})[1]), qr/^A & B\r\n/, 'and the text');
my $told = api('GET', "/deliveries?sourceId=$sent->{json}{notificationId}", undef, 'viewer')->{json};
is_deeply([map { "$_->{status} $_->{attempts}" } @{ $told->{deliveries} }], [('delivered 1') x 4], 'all are delivered') or diag explain $told;
is($stack->owner("SELECT string_agg(DISTINCT payload::text, ' ') FROM kaireon.outbox_events WHERE status = 'delivered'"), '{}', 'what they said is not kept');
is(tick()->{ok}, JSON::PP::true, 'another tick');
is(scalar(() = $receiver->taken), 3, 'sends nothing again');

# those that fail: tried again, told, given up; nobody waits for them
$receiver->forget;
my %bad = map { $_ => provider('webhook', { url => "$receiver->{https}$_" }) } qw(/hang /status/500 /redirect /big /switch/flaky /status/410);
my $closed = provider('webhook', { url => 'https://127.0.0.1:1/' });
my $wanted = provider('webhook', { url => "$receiver->{https}/ok/wanted" });
$receiver->switch('flaky', 503);
$stack->announce(qr/delivery (failed|given up)/);
my $start = time;
my $many = api('POST', '/send', { providerIds => [(map { $_->{id} } values %bad), $closed->{id}, $wanted->{id}], title => 'To all' })->{json};
my %tick = %{ tick() };
my ($in_time) = grep { $_->{path} eq '/ok/wanted' } $receiver->taken;
cmp_ok($in_time->{at} - $start, '<', 3, 'one that takes it does not wait for those that do not');
my %became = map { $_->{providerId} => $_ } @{ api('GET', "/deliveries?sourceId=$many->{notificationId}")->{json}{deliveries} };
my %why = ('/hang' => qr/^no answer: Timeout/, '/status/500' => qr/answered 500/, '/redirect' => qr/answered 302, redirects are not followed/,
	'/big' => qr/longer than 65536 bytes/, '/switch/flaky' => qr/answered 503/, '/status/410' => qr/answered 410/);
for my $path (sort keys %bad) {
	my $delivery = $became{ $bad{$path}{id} };
	like($delivery->{lastError}, $why{$path}, "$path is told");
	is($delivery->{status}, $path eq '/status/410' ? 'dead' : 'pending', $path eq '/status/410' ? 'and given up at once' : 'and will be tried again');
}
like($became{ $closed->{id} }{lastError}, qr/^no answer/, 'nobody there is told');
is($became{ $wanted->{id} }{status}, 'delivered', 'the one is delivered');
ok($became{ $bad{'/hang'}{id} }{nextAttemptAt}, 'the next attempt has a time');

# it recovers; the last attempt fails; the dead letter; a second life
$receiver->switch('flaky', 200);
$stack->owner(q{UPDATE kaireon.outbox_events SET run_at = now() WHERE status = 'pending'});
$stack->owner("UPDATE kaireon.outbox_events SET attempts = max_attempts - 1 WHERE provider_id = '$bad{'/status/500'}{id}'");
my $worker = $stack->worker;
$stack->wait_for('the worker to deliver', sub {
	$stack->owner("SELECT status FROM kaireon.outbox_events WHERE provider_id = '$bad{'/switch/flaky'}{id}'") eq 'delivered' });
pass('the worker delivers what a tick left');
$stack->wait_for('the last attempt', sub { $stack->owner("SELECT status FROM kaireon.outbox_events WHERE provider_id = '$bad{'/status/500'}{id}'") eq 'dead' });
my $letter = decode_json($stack->owner("SELECT row_to_json(d) FROM kaireon.dead_letter_events AS d WHERE payload->>'providerId' = '$bad{'/status/500'}{id}'"));
is("$letter->{topic} $letter->{kind} $letter->{retry_count}", 'alert_deliveries delivery 12', 'it is a dead letter');
is($letter->{payload}{message}{title}, 'To all', 'with its message');
cmp_ok(scalar @{ $letter->{errors} }, '>=', 2, 'and every error');

# a config that cannot be read, a provider that is gone
$stack->stop('worker');
api('PATCH', "/providers/$made{teams}{id}", { enabled => JSON::PP::false });
my $gone = api('POST', '/send', { providerIds => [$made{slack}{id}, $made{teams}{id}, $made{webhook}{id}], title => 'x' })->{json};
is(api('DELETE', "/providers/$made{slack}{id}")->{status}, 204, 'a provider is deleted');
is($stack->owner("SELECT octet_length(config) FROM kaireon.notification_providers WHERE id = '$made{slack}{id}'"), 0, 'with its secrets');
is(api('GET', "/providers/$made{slack}{id}")->{status}, 404, 'and is not there any more');
is(api('POST', '/send', { providerIds => [$made{slack}{id}], title => 'x' })->{status}, 400, 'nor to be sent to');
$stack->owner("UPDATE kaireon.notification_providers SET config = set_byte(config, 20, get_byte(config, 20) # 1) WHERE id = '$made{webhook}{id}'");
tick();
%became = map { $_->{providerId} => $_ } @{ api('GET', "/deliveries?sourceId=$gone->{notificationId}")->{json}{deliveries} };
is_deeply([@{ $became{ $made{$_}{id} } }{qw(status lastError)}], ['dead', 'the provider is gone or disabled'], "$_: told") for qw(slack teams);
is($became{ $made{webhook}{id} }{status}, 'pending', 'a config that was altered is not used');

# without a key: fail closed
$stack->stop("api$_") for 1, 2;
{
	local $stack->{settings}{CONNECTOR_ENCRYPTION_KEY} = '';
	$stack->pool('api', 1);
	is(api('POST', '/providers', { kind => 'slack', name => 'x', config => { webhookUrl => 'https://example.com/' } })->{status}, 503, 'without a key no provider is made');
	is(api('GET', '/providers')->{status}, 200, 'and all are seen');
	$stack->stop('api1');
}
$stack->pool('api', 2);

# killed in the middle: delivered again with the same key, and nothing is lost
$receiver->forget;
$receiver->switch('slow', 'hang');
my $slow = provider('webhook', { url => "$receiver->{https}/switch/slow" });
my @ids = map { api('POST', '/send', { providerIds => [$slow->{id}, $wanted->{id}], title => "message $_" })->{json}{notificationId} } 1 .. 10;
for my $kill (1 .. 3) {
	my $name = "doomed$kill";
	$stack->worker($name);
	$stack->wait_for('a delivery under way', sub { grep { $_->{path} eq '/switch/slow' } $receiver->taken });
	my $pid = delete $stack->{pids}{$name};
	kill 'KILL', $pid;
	waitpid $pid, 0;
}
$receiver->switch('slow', 200);
$stack->worker('survivor');
$stack->wait_for('all deliveries', sub { $stack->owner("SELECT count(*) FROM kaireon.outbox_events WHERE source_id = ANY ('{@{[join ',', @ids]}}') AND status = 'delivered'") == 20 }, 60);
my (%keys, %bodies);
my %sent = map { ($_ => 1) } @ids;
for my $call ($receiver->taken) {
	next unless $sent{ (split /:/, $call->{headers}{'idempotency-key'})[0] };
	$keys{ $call->{headers}{'idempotency-key'} }++;
	$bodies{ $call->{headers}{'idempotency-key'} }{ $call->{body} } = 1;
}
is(scalar keys %keys, 20, 'every delivery arrived, under twenty keys');
is_deeply([grep { keys %{ $bodies{$_} } > 1 } keys %bodies], [], 'what came twice was the same');
$stack->stop('survivor');

my $log = join '', map { $stack->slurp($_) } glob "$stack->{dir}/log/*.log";
unlike($log, qr/planted|mail-password|the-key-of-the-tests/, 'no secret is in a log');
$receiver->stop;
$stack->end;
done_testing;
