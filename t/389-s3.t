#!/usr/bin/perl
# Files of runs in S3: an object that is there whole or not at all, the same
# whatever happens to worker and server, and reasons that an operator
# understands. The server verifies each signature with AWS's own signer.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Campaign;
use Kaireon::S3;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $s3 = Kaireon::S3->new($stack);
my %s3 = map { $_ => delete $stack->{settings}{$_} } grep { /^(?:AWS|S3)_/ } keys %{ $stack->{settings} };
$stack->pool('api', 1);
my $csv = $stack->ctl('demo', 'customers', '--count', 1500, '--seed', 7);
$csv =~ s/^customer_id.*\K$/,note/m;
$csv =~ s/^(?!customer_id).+\K$/',' . 'x' x 150/gem;    # so that a file can be large
my $one = Kaireon::Campaign->new($stack, 'one', csv => $csv);

# What may be asked for

sub file { return { destination => 's3', @_ } }

sub refused {
	my ($config, $pattern, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $made = $one->post('', $one->fields(fileConfig => $config));
	is($made->{status}, 400, "$what: 400");
	like($made->{body}, $pattern, 'with what is wrong');
}

refused(file(s3Path => 'bank/one'), qr/fileConfig\.s3Path.*S3 is not set up/, 'S3 that nobody set up');
$stack->stop('api1');
$stack->{settings} = { %{ $stack->{settings} }, %s3, S3_CAMPAIGN_PATHS => 'bank/{tenant}, gone/{tenant}' };
$stack->pool('api', 1);
refused(file(), qr/s3Path.*is required/, 'no path');
refused(file(s3Path => 7), qr/s3Path.*string/, 'a number');
for my $path ('bank', 'bank/two', 'bank/one2', 'bank/one/../two', 'lake/one', 'bank/one//x', 'bank/one/a b', 'bank/one?x', 'file:///bank/one') {
	refused(file(s3Path => $path), qr/fileConfig\.s3Path/, $path);
}

# One that is small

sub run_of { my ($campaign) = @_; return $one->finished($campaign, $one->trigger($campaign)) }

sub is_in_s3 {
	my ($run, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($run->{status}, 'completed', "$what: completed") or diag explain $run;
	my ($bucket, $key) = ($run->{summary}{file}{path} // '') =~ m{^s3://([^/]+)/(.*)$} or return fail('in S3');
	my $bytes = $s3->object($bucket, $key);
	is(sha256_hex($bytes // ''), $run->{summary}{file}{sha256}, 'its object is there, byte for byte');
	is(length $bytes, $run->{summary}{file}{bytes}, 'of the length that is told');
	is($s3->uploads, 0, 'no upload is left');
	is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run->{id}'"), $run->{summary}{decisions},
		'each decision is a contact, once');
	$stack->owner('DELETE FROM kaireon.interaction_history');
	return $bytes;
}

$stack->worker('worker');
my $id = $one->campaign(fileConfig => file(s3Path => 'bank/one/year=2026/'));
is($one->get("/$id")->{json}{fileConfig}{s3Path}, 'bank/one/year=2026/', 'the campaign tells its path');
my $run = run_of($id);
is_in_s3($run, 'a small file');
is($run->{summary}{file}{path}, "s3://bank/one/year=2026/$run->{id}.csv", 'its path');
is(scalar $s3->requests(qr/^PUT/), 1, 'in one request');

# The download: a link that S3 takes

$stack->site;
my $file = "/api/v1/runs/$id/campaign-runs/$run->{id}/file";
my $answer = $stack->call($file, '-H', "X-API-Key: $one->{key}{viewer}");
is($answer->{status}, 303, 'the download is elsewhere');
my $link = $answer->{headers}{location};
like($link, qr{^\Q$s3{S3_ENDPOINT}\E/bank/one/year%3D2026/\Q$run->{id}\E\.csv\?.*X-Amz-Expires=300&}, 'for five minutes');
my $got = $stack->curl('--cacert', $s3{S3_CACERT}, $link);
is($got->{status}, 200, 'S3 takes the link') or diag $got->{body};
is(sha256_hex($got->{body}), $run->{summary}{file}{sha256}, 'and gives the file');
like($got->{headers}{'content-disposition'}, qr/attachment; filename="$run->{id}\.csv"/, 'as an attachment');
is($got->{headers}{'content-type'}, 'text/csv; charset=utf-8', 'as CSV');
is($stack->curl('--cacert', $s3{S3_CACERT}, $link =~ s/Expires=300/Expires=301/r)->{status}, 403, 'altered it is worth nothing');
is($stack->call($file)->{status}, 401, 'without a key there is none');

# One of several parts, and a worker that is killed

my $large = $one->campaign(fileConfig => file(s3Path => 's3://bank/one', columns => ['customer_id', ('attr.note') x 99]));
my $calm = run_of($large);
my $bytes = is_in_s3($calm, 'a large file');
cmp_ok(length $bytes, '>', 2 * 8 * 1024 * 1024, 'of more than two parts');
is(scalar(grep { $_->{bytes} > 9_000_000 } $s3->requests), 0, 'none of which is large');

for my $case (
	['between parts', qr/^PUT.*partNumber=2/, { method => 'PUT', url => 'partNumber=2', hang => \1 }, 1],
	['before the upload is complete', qr/^POST.*uploadId/, { method => 'POST', url => 'uploadId', hang => \1 }, 1],
	['after it, without knowing', qr/^POST.*uploadId/, { method => 'POST', url => 'uploadId', hang => \1, after => \1 }, 0],
) {
	my ($when, $request, $rule, $left) = @$case;
	$s3->forget;
	$s3->rules($rule);
	my $run = $one->trigger($large);
	$stack->wait_for($when, sub { grep { $_->{status} == 0 } $s3->requests($request) });
	$stack->stop('worker', 'KILL');
	is($s3->uploads, $left, "killed $when");
	is(defined $s3->object('bank', "one/$run.csv"), !$left, $left ? 'there is no object' : 'there is an object');
	is($stack->owner('SELECT count(*) FROM kaireon.interaction_history'), 0, 'nobody is contacted');
	$s3->rules;
	$stack->worker('worker');
	my $done = $one->finished($large, $run);
	is_in_s3($done, 'then');
	is($done->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'it is the file of the undisturbed run');
}

# Trouble that passes

sub held {
	my ($campaign, $run) = @_;
	return $stack->wait_for('trouble', sub { my $now = $one->get("/$campaign/campaign-runs/$run")->{json}; $now->{error} && $now }) // {};
}

$s3->rules({ method => 'PUT', status => 500, times => 2 });
is_in_s3(run_of($id), 'two answers of 500');
$s3->rules({ method => 'PUT', delay => 1500, times => 1 });
is_in_s3(run_of($id), 'a slow answer');
$s3->rules({ method => 'POST', url => 'uploadId', cut => 20, times => 1 });
my $slow = $one->trigger($large);
like(held($large, $slow)->{error}, qr/attempt 1 of 25 failed.*404 NoSuchUpload/, 'an answer that is cut off: done again');
$stack->query('postgres', 'UPDATE kaireon.jobs SET run_at = now()');
is_in_s3($one->finished($large, $slow), 'then');
$s3->rules({ method => 'POST', url => 'uploadId', status => 200, code => 'InternalError', times => 1 });
is_in_s3(run_of($large), 'a completion that fails after its 200');

$s3->rules({ method => 'PUT', status => 503, code => 'SlowDown' });
my $busy = $one->trigger($id);
like(held($id, $busy)->{error}, qr/^attempt 1 of 25 failed, it will be tried again: S3 answered 503 SlowDown for bank\/one/, 'a busy S3: the run says so');
is($one->get("/$id/campaign-runs/$busy")->{json}{status}, 'running', 'and goes on');
$stack->query('postgres', 'UPDATE kaireon.jobs SET run_at = now(), max_attempts = 2');
my $failed = $one->finished($id, $busy);
is($failed->{status}, 'failed', 'after the last attempt it has failed');
like($failed->{error}, qr/^S3 answered 503 SlowDown for/, 'with the reason');
is($stack->owner('SELECT count(*) FROM kaireon.interaction_history'), 0, 'nobody was contacted');
is($stack->owner('SELECT count(*) FROM kaireon.dead_letter_events'), 1, 'its job is a dead letter');
$s3->rules;
is_in_s3(run_of($id), 'triggered again');

# Trouble that stays

$s3->rules({ method => 'PUT', status => 403, code => 'AccessDenied' });
my $denied = run_of($id);
is($denied->{status}, 'failed', 'a key that may not write: failed at once');
is($denied->{error}, "S3 answered 403 AccessDenied for bank/one/year=2026/$denied->{id}.csv", 'with the reason');
$s3->rules;
is_in_s3(run_of($id), 'triggered again when it may');
my $gone = run_of($one->campaign(fileConfig => file(s3Path => 'gone/one')));
like($gone->{error}, qr/^S3 answered 404 NoSuchBucket for gone\/one/, 'a bucket that is not there');

# Workers that are set up otherwise

sub worker_with {
	my (%setting) = @_;
	$stack->stop('worker');
	local $stack->{settings} = { %{ $stack->{settings} }, %setting };
	$stack->worker('worker');
}

worker_with(AWS_SECRET_ACCESS_KEY => 'another');
like(run_of($id)->{error}, qr/^S3 answered 403 SignatureDoesNotMatch for bank/, 'a wrong secret');
worker_with(S3_CAMPAIGN_PATHS => 'lake');
is(run_of($id)->{error}, 's3Path: is not below a path that campaigns may write to', 'a path that is no longer allowed');
worker_with(AWS_SECRET_ACCESS_KEY => '', AWS_ACCESS_KEY_ID => '', S3_CAMPAIGN_PATHS => '');
is(run_of($id)->{error}, 's3Path: S3 is not set up for campaigns here', 'a worker without S3');
worker_with(S3_CACERT => '', S3_TIMEOUT_SECONDS => 1);
my $away = $one->trigger($id);
like(held($id, $away)->{error}, qr/: S3 gave no usable answer within 1 s$/, 'a certificate that nobody vouches for');
like($stack->slurp("$stack->{dir}/log/worker.log"), qr/SSL peer certificate/, 'which the log tells');
$s3->rules({ method => 'PUT', hang => \1 });
worker_with(S3_TIMEOUT_SECONDS => 1);
$stack->query('postgres', 'UPDATE kaireon.jobs SET run_at = now()');
like($stack->wait_for('trouble', sub { my $e = held($id, $away)->{error}; $e =~ /attempt 2/ && $e }), qr/: S3 gave no usable answer within 1 s$/, 'no answer at all');
$s3->rules;
worker_with(S3_TIMEOUT_SECONDS => 20);
$stack->query('postgres', 'UPDATE kaireon.jobs SET run_at = now()');
is_in_s3($one->finished($id, $away), 'when S3 is there again');
worker_with(AWS_SESSION_TOKEN => 'a/b+c=');
is_in_s3(run_of($id), 'a key with a session token');

# What is secret stays so

my @told = grep { $stack->slurp($_) =~ /\Q$Kaireon::S3::SECRET\E|X-Amz-Signature|Signature=/ } glob "$stack->{dir}/log/*.log";
is("@told", '', 'no secret, no signature in a log');
unlike(`pg_dump -h $stack->{dir}/sock -U postgres kaireon`, qr/\Q$Kaireon::S3::SECRET\E|X-Amz-/, 'none in the database');
$stack->announce(qr/job failed.*S3|job failed.*s3Path/);
for my $case ([S3_ENDPOINT => 'http://s3.example'], [S3_ENDPOINT => 'https://a/b'], [S3_ENDPOINT => 'http://127.0.0.1.example'],
	[S3_ADDRESSING => 'dns'], [AWS_SECRET_ACCESS_KEY => ''], [S3_TIMEOUT_SECONDS => 0]) {
	local %ENV = (%ENV, %{ $stack->{settings} }, @$case);
	like(`$stack->{build}/kaireon-worker --check-config 2>&1`, qr/^kaireon-worker: (?:$case->[0]|AWS_ACCESS_KEY_ID)/m, "@$case is refused");
}
{
	local %ENV = (%ENV, %{ $stack->{settings} });
	unlike(`$stack->{build}/kaireon-worker --dump-config`, qr/planted|AKID/, 'a dump masks the key');
}

$stack->end;
done_testing;
