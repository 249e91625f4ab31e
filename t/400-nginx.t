#!/usr/bin/perl
# Through nginx: TLS, safe headers, errors of nginx's own in our shape, the
# cron gate, limits, pools that are busy or killed, downloads.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $dir = $stack->{dir};
$stack->pool('api', 2)->pool('cron', 1);
$stack->site;
is((stat "$dir/nginx/$_")[2] & 077, 0, "only the owner reads $_") for qw(cron_secret.map cron_bearer.map tick_secret.map);

sub call { return $stack->call(@_) }

my $answer = call('/api/v1/runs', '-H', "X-API-Key: $key->{viewer}");
is($answer->{status}, 200, 'a list through nginx') or diag $answer->{body};
like($answer->{headers}{'strict-transport-security'}, qr/max-age/, 'HSTS');
is($answer->{headers}{'x-content-type-options'}, 'nosniff', 'nosniff');
ok($answer->{headers}{'x-request-id'}, 'a request id');
is(system("curl -sS -o /dev/null --tls-max 1.1 --unix-socket $dir/site.sock --cacert $stack->{site_cert} https://localhost/healthz 2>/dev/null") >> 8 != 0, 1,
	'no TLS below 1.2');
like(`curl -sS -o /dev/null -w '%{http_version}' --unix-socket $dir/site.sock --cacert $stack->{site_cert} https://localhost/healthz`, qr/^2/, 'HTTP/2');

# nginx's own errors
my %own = (413 => ['/api/v1/runs', '-X', 'POST', '-H', 'Content-Type: application/json', '--data-binary', "\@$dir/big"],
	414 => ['/' . 'x' x 9000], 401 => ['/api/v1/cron/export-interactions'], 404 => ['/_run_files/x']);
$stack->spew("$dir/big", 'x' x 2_000_000);
for my $status (sort keys %own) {
	$answer = call(@{ $own{$status} });
	is($answer->{status}, $status, "status $status of nginx");
	is($answer->{json}{error}{status}, $status, 'in our shape');
	ok($answer->{json}{error}{requestId}, 'with the request id');
}
is(call('/healthz', '-H', 'X-Big: ' . 'x' x 9000)->{json}{error}{code}, 'BAD_REQUEST', 'headers over the limit are 400');
$stack->spew("$dir/big", 'x' x (97 << 20));
is(call('/api/v1/gitops/diff', '-X', 'POST', '-H', 'Expect:', '--data-binary', "\@$dir/big")->{status}, 413, 'a bundle over 96 MiB is 413');

$stack->spew("$dir/big", 'x' x (60 << 20));
for my $case ([401, 'no key'], [401, 'an unknown key', '-H', 'X-API-Key: krn_' . 'x' x 40]) {
	my ($status, $what, @words) = @$case;
	$answer = call('/api/v1/gitops/apply?dryRun=false', '-X', 'POST', '-H', 'Expect:', '--data-binary', "\@$dir/big", @words);
	is($answer->{status} . ($answer->{json}{error}{code} // ''), $status . 'UNAUTHORIZED', "60 MiB with $what: refused before they are read, in our shape");
}

# the cron gate, case by case
my $cron = '/api/v1/cron/export-interactions';
for my $case ([200, 'the secret', 'X-Cron-Secret: cron-secret'], [200, 'as Bearer', 'Authorization: Bearer cron-secret'],
	[401, 'in another case', 'X-Cron-Secret: Cron-Secret'], [401, 'longer', 'X-Cron-Secret: cron-secretx'],
	[401, 'a wrong one', 'X-Cron-Secret: x'], [401, 'an empty one', 'X-Cron-Secret;'],
	[401, 'Basic', 'Authorization: Basic cron-secret'],
	[401, 'one right, one wrong', 'X-Cron-Secret: cron-secret', 'Authorization: Bearer x'],
	[401, 'twice', 'X-Cron-Secret: cron-secret', 'X-Cron-Secret: cron-secret']) {
	my ($status, $what, @headers) = @$case;
	is(call($cron, map { ('-H', $_) } @headers)->{status}, $status, "cron: $what");
}
is(call('/api/cron/tick', '-X', 'POST', '-H', 'X-Cron-Token: tick+token.with(regex')->{status}, 200, 'tick passes the gate');
is(call('/api/cron/tick', '-X', 'POST', '-H', 'X-Cron-Token: tick+tokenXwith(regex')->{status}, 401, 'a point is a point');
like($stack->slurp("$dir/nginx/cron_secret.map"), qr/\A"~\^cron\\-secret\$" 1;\n\z/, 'one row, anchored');

# a download
$stack->worker;
$stack->spew("$dir/c.csv", $stack->ctl('demo', 'customers', '--count', 300));
$stack->ctl('import', '--tenant', 'one', '--schema', 'customers', '--id-column', 'customer_id', "$dir/c.csv");
my $segment = decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', 'all', '--schema', 'customers'));
is(call('/api/v1/gitops/apply?dryRun=false', '-H', "X-API-Key: $key->{admin}", '-H', 'Content-Type: application/yaml', '--data-binary',
	"\@$stack->{source}/doc/demo/bundle.yaml")->{json}{summary}{created}, 25, 'a bundle is applied');
my $flow = $stack->owner('SELECT id FROM kaireon.decision_flows');
my $campaign = call('/api/v1/runs', '-H', "X-API-Key: $key->{editor}", '-H', 'Content-Type: application/json', '-d',
	encode_json({ decisionFlowId => $flow, segmentId => $segment->{id} }))->{json}{id};
my $run = call("/api/v1/runs/$campaign/campaign-runs", '-X', 'POST', '-H', "X-API-Key: $key->{editor}")->{json}{id};
is(call("/api/v1/runs/$campaign/campaign-runs/$run/file", '-H', "X-API-Key: $key->{viewer}")->{status}, 404, 'no file yet')
	if $stack->owner("SELECT status FROM kaireon.campaign_runs") eq 'pending';
my $done = $stack->wait_for('the run', sub {
	my $r = call("/api/v1/runs/$campaign/campaign-runs/$run", '-H', "X-API-Key: $key->{viewer}")->{json};
	$r->{status} eq 'completed' && $r;
});
$answer = call("/api/v1/runs/$campaign/campaign-runs/$run/file", '-H', "X-API-Key: $key->{viewer}");
is($answer->{status}, 200, 'the file downloads');
is(length $answer->{body}, $done->{summary}{file}{bytes}, 'all of it');
like($answer->{headers}{'content-disposition'}, qr/attachment; filename="crun_/, 'as an attachment');
is($answer->{headers}{'content-type'}, 'text/csv; charset=utf-8', 'as CSV');

# a pool whose processes are killed one after the other
$stack->stop('api1', 'KILL');
is(call('/api/v1/runs', '-H', "X-API-Key: $key->{viewer}")->{status}, 200, 'one process less: still served');
kill 'STOP', $stack->{pids}{api2};
my $waiting = open my $late, '-|', 'curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', '--unix-socket', "$dir/site.sock", '--cacert', "$stack->{site_cert}", 'https://localhost/healthz' or die;
sleep 0.3;
kill 'CONT', $stack->{pids}{api2};
is(scalar <$late>, 200, 'a connection to a busy pool waits and is served');
close $late;
$stack->stop('api2', 'KILL');
unlink $stack->{sockets}{api};
$stack->announce(qr/connect\(\) to unix/);
$answer = call('/healthz');
is($answer->{status}, 503, 'without a pool: 503');
ok($answer->{headers}{'retry-after'}, 'with Retry-After');
is($answer->{json}{error}{code}, 'UNAVAILABLE', 'in our shape');

$stack->end;
done_testing;
