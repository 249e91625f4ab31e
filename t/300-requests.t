#!/usr/bin/perl
# Requests over raw FastCGI: the order of checks, credentials, the shape
# of errors, hostile bodies, signals and a database that goes away.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $other = $stack->tenant('two');
$stack->pool('api', 2)->pool('cron', 1);

my $answer = $stack->request('GET', '/readyz');
is($answer->{status}, 200, 'ready');
is($stack->request('GET', '/healthz', pool => 'cron')->{status}, 200, 'healthy, on the other pool too');

# credentials
my $runs = '/api/v1/runs';
is($stack->request('GET', $runs, headers => { AUTHORIZATION => "Bearer $key->{viewer}" })->{status}, 200, 'a Bearer key');
is($stack->request('GET', $runs, key => $key->{viewer}, headers => { AUTHORIZATION => "Bearer $key->{admin}" })->{status},
	401, 'two different keys');
is($stack->request('GET', $runs, key => 'krn_' . 'x' x 40)->{status}, 401, 'an unknown key');
is($stack->request('GET', $runs, key => $_)->{status}, 401, 'a key of another form') for '', 'krn_short', 'x' x 5000;
is($stack->request('GET', $runs, headers => { X_TENANT_ID => 'one' })->{status}, 401, 'a tenant header alone');
$answer = $stack->request('GET', $runs);
is($answer->{headers}{'www-authenticate'}, 'Bearer', 'with WWW-Authenticate');
is_deeply([sort keys %{ $answer->{json}{error} }], [qw(code message requestId status)], 'the shape of an error');
is($answer->{headers}{'cache-control'}, 'no-store', 'nothing is to be stored');
my $made = decode_json($stack->ctl('--json', 'key', 'create', '--tenant', 'one', '--role', 'viewer', '--name', 'short-lived'));
is($stack->request('GET', $runs, key => $made->{key})->{status}, 200, 'a new key');
$stack->ctl('key', 'revoke', '--tenant', 'one', '--id', $made->{id});
is($stack->request('GET', $runs, key => $made->{key})->{status}, 401, 'is dead at once when it is revoked');
$made = decode_json($stack->ctl('--json', 'key', 'create', '--tenant', 'one', '--role', 'viewer', '--name', 'expired',
	'--expires', '2020-01-01T00:00:00Z'));
is($stack->request('GET', $runs, key => $made->{key})->{status}, 401, 'an expired key');
$stack->ctl('tenant', 'suspend', '--id', 'two');
is($stack->request('GET', $runs, key => $other->{admin})->{status}, 403, 'a suspended tenant');
$stack->ctl('tenant', 'resume', '--id', 'two');

# the order of checks
is($stack->request('GET', '/nothing')->{status}, 404, 'no such route');
$answer = $stack->request('PATCH', $runs);
is($answer->{status}, 405, 'a wrong method');
is($answer->{headers}{allow}, 'GET, HEAD, POST, OPTIONS', 'with Allow');
is($stack->request('OPTIONS', $runs)->{headers}{allow}, 'GET, HEAD, POST, OPTIONS', 'OPTIONS says the same');
is($stack->request('POST', $runs, type => 'text/plain', body => '{}')->{status}, 415, 'media type before identity');
is($stack->request('POST', $runs, body => 'x' x 1_100_000)->{status}, 413, 'size before identity');
is($stack->request('POST', $runs, body => '{"')->{status}, 401, 'identity before the body');
my $apply = '/api/v1/gitops/apply?dryRun=false';
for my $case ([401, 'nobody'], [401, 'a key of another form', key => 'x'], [401, 'an unknown key', key => 'krn_' . 'x' x 40],
	[403, 'a viewer', key => $key->{viewer}, path => '/api/v1/runs/execute-inline', pool => 'cron', type => 'application/json']) {
	my ($status, $what, %option) = @$case;
	is($stack->request('POST', delete $option{path} // $apply, type => 'application/yaml', awaits => 200_000, %option)->{status}, $status,
		"a large body of $what is not waited for");
}
$answer = $stack->request('HEAD', $runs, key => $key->{viewer});
is($answer->{status} . $answer->{body}, '200', 'HEAD has no body');
$stack->announce(qr/the route is not of this pool/);
is($stack->request('GET', $runs, key => $key->{viewer}, pool => 'cron')->{status}, 404, 'the wrong pool');

# bodies
my %bad = ('truncated' => '{"name": "x', 'no object' => '[]', 'duplicate names' => '{"name": "a", "name": "b"}',
	'NUL' => '{"name": "a\u0000b"}', 'a lone surrogate' => '{"name": "\ud800"}', 'bad UTF-8' => "{\"name\": \"\xff\"}",
	'single quotes' => "{'name': 1}", 'NaN' => '{"name": NaN}', 'a comment' => '{/* */}', 'trailing text' => '{} x',
	'nesting' => '[' x 100 . ']' x 100, 'an integer of 20 digits' => '{"name": 99999999999999999999}');
for my $what (sort keys %bad) {
	$answer = $stack->request('POST', $runs, key => $key->{editor}, body => $bad{$what}, id => "bad-$what");
	is($answer->{status}, 400, "a body with $what");
	unlike($answer->{body}, qr/SELECT|kaireon\.|pg_|\/tmp/, 'and nothing internal in the answer');
}
$answer = $stack->request('POST', $runs, key => $key->{editor}, body => { decisionFlowID => 1, status => 3, volumeConstraints => { maxPerOffer => -1 } });
is($answer->{status}, 400, 'unknown and ill-typed fields');
like($answer->{body}, qr/did you mean \\"decisionFlowId\\"/, 'with a hint at the nearest name');
is($stack->request('GET', "$runs?limit=200", key => $key->{viewer})->{status}, 200, 'the highest limit');
is($stack->request('GET', "$runs?limit=201", key => $key->{viewer})->{status}, 400, 'a limit out of range');
is($stack->request('GET', "$runs?limit=1&limit=2", key => $key->{viewer})->{status}, 400, 'a repeated parameter');
is($stack->request('GET', "$runs?nothing=1", key => $key->{viewer})->{status}, 400, 'an unknown parameter');
is($stack->request('GET', "$runs/camp_nothing", key => $key->{viewer})->{status}, 404, 'an unknown id');

# cron secrets
my $cron = '/api/v1/cron/export-interactions';
is($stack->request('GET', $cron)->{status}, 401, 'cron without a secret');
is($stack->request('GET', $cron, headers => { X_CRON_SECRET => 'cron-secret' })->{status}, 200, 'cron with its secret');
is($stack->request('GET', $cron, headers => { X_CRON_SECRET => 'Cron-Secret' })->{status}, 401, 'case counts');
is($stack->request('GET', $cron, headers => { X_CRON_SECRET => 'cron-secret, cron-secret' })->{status}, 401, 'twice is not it');
is($stack->request('GET', $cron, headers => { X_CRON_SECRET => 'cron-secret', AUTHORIZATION => 'Bearer x' })->{status}, 401,
	'one right and one wrong');
is($stack->request('GET', $cron, headers => { AUTHORIZATION => 'Bearer cron-secret' })->{status}, 200, 'as Bearer');
is($stack->request('HEAD', $cron, headers => { X_CRON_SECRET => 'cron-secret' })->{status}, 405, 'no HEAD on cron routes');
is($stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => 'tick+token.with(regex' })->{status}, 200,
	'tick has a token of its own');

# the log has a line with the request's id
my $log = join '', map { $stack->slurp($_) } glob "$stack->{dir}/log/api*.log";
like($log, qr/request_id="?bad-truncated"? route=campaign\.create status=400/, 'a refused request has its line');
unlike($log, qr/\Q$key->{admin}\E|cron-secret/, 'and no secret is in the log');

# the database goes and comes back
$stack->stop_postgres('immediate');
$answer = $stack->request('GET', $runs, key => $key->{viewer});
is($answer->{status}, 503, 'without the database');
ok($answer->{headers}{'retry-after'}, 'with Retry-After');
is($stack->request('GET', '/healthz')->{status}, 200, 'the process is healthy all the same');
is($stack->request('GET', '/readyz')->{status}, 503, 'and not ready');
$stack->start_postgres;
ok($stack->wait_for('recovery', sub { $stack->request('GET', $runs, key => $key->{viewer})->{status} == 200 }),
	'recovers without a restart');

$stack->end;
done_testing;
