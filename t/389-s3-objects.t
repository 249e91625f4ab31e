#!/usr/bin/perl
# Objects of runs in S3 that nothing speaks of any more: of campaigns that are
# deleted, of playgrounds that are reset, of runs that end at their last step
# without a result, also when a worker's session ends in the middle of it.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Campaign;
use Kaireon::S3;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $s3 = Kaireon::S3->new($stack);
$stack->{settings}{S3_CAMPAIGN_PATHS} = 'bank/{tenant}';
$stack->announce(qr/job failed.*S3|sqlstate=57P01|the session was lost|database away/);
$stack->pool('api', 1);
my $csv = $stack->ctl('demo', 'customers', '--count', 1500, '--seed', 7);
$csv =~ s/^customer_id.*\K$/,note/m;
$csv =~ s/^(?!customer_id).+\K$/',' . 'x' x 150/gem;
my $one = Kaireon::Campaign->new($stack, 'one', csv => $csv);
my $dlq = '/api/v1/admin/dlq';

sub small { return $one->campaign(fileConfig => { destination => 's3', s3Path => 's3://bank/one/', format => 'json', columns => ['customer_id'] }) }
sub large { return $one->campaign(fileConfig => { destination => 's3', s3Path => 'bank/one', columns => ['customer_id', ('attr.note') x 99] }) }
sub completed {
	my ($id) = @_;
	my $run = $one->finished($id, $one->trigger($id));
	is($run->{status}, 'completed', 'a run is complete') or diag explain $run;
	$stack->owner('DELETE FROM kaireon.interaction_history');
	return $run;
}
sub removed { my ($id, %option) = @_; return is($stack->request('DELETE', "/api/v1/runs/$id" . ($option{force} ? '?force=true' : ''), key => $one->{key}{admin})->{status}, 204, 'its campaign is deleted') }
sub due { return $stack->owner('UPDATE kaireon.jobs SET run_at = now()') }
sub jobs { return $stack->owner('SELECT count(*) FROM kaireon.jobs') }
sub no_job { return $stack->wait_for('the last job', sub { jobs() eq '0' }) }
sub nothing_is_left {
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is_deeply([$s3->keys('bank')], [], "$what: no object is left");
	is($s3->uploads, 0, 'nor an upload');
}

# Campaigns that are deleted

$stack->worker('worker');
my $id = small();
my @runs = map { completed($id)->{id} } 1 .. 2;
is_deeply([$s3->keys('bank')], [map { "one/$_.ndjson" } sort @runs], 'two objects');
removed($id);
no_job();
nothing_is_left('a campaign that is deleted');

# S3 is busy, then refuses

$id = small();
my $run = completed($id)->{id};
$s3->rules({ method => 'DELETE', status => 503, code => 'SlowDown' });
removed($id);
like($stack->wait_for('trouble', sub { my $e = $stack->owner("SELECT errors->0->>'error' FROM kaireon.jobs WHERE kind = 'run_purge'"); $e && $e }) // '',
	qr/S3 answered 503 SlowDown for bank\/one\/\Q$run\E\.ndjson/, 'a busy S3: it is tried again later') or diag jobs();
is($one->ledger($run, 'count(*)'), 0, 'the ledger has gone all the same');
is(scalar(() = $s3->keys('bank')), 1, 'the object has not');
$s3->rules;
due();
no_job();
nothing_is_left('when S3 is there again');

$id = small();
@runs = map { completed($id)->{id} } 1 .. 2;
$s3->rules({ method => 'DELETE', url => $runs[0], status => 403, code => 'AccessDenied' });
removed($id);
no_job();
is_deeply([$s3->keys('bank')], ["one/$runs[0].ndjson"], 'what may be removed is');
my $letters = $stack->request('GET', $dlq, key => $one->{key}{admin})->{json}{events};
is_deeply([map { "$_->{topic}: $_->{error}" } @$letters], ["campaign_runs: S3 answered 403 AccessDenied for bank/one/$runs[0].ndjson"],
	'a key that may not delete: a dead letter says so');
$s3->rules;
is($stack->request('POST', $dlq, key => $one->{key}{admin}, body => { action => 'retry' })->{json}{requeued}, 1, 'which is retried');
no_job();
nothing_is_left('then');

$s3->rules({ method => 'DELETE', status => 500 });
$id = small();
completed($id);
removed($id);
$stack->wait_for('an attempt', sub { $stack->owner("SELECT attempts FROM kaireon.jobs WHERE kind = 'run_purge'") || 0 });
$stack->owner('UPDATE kaireon.jobs SET max_attempts = 2, run_at = now()');
no_job();
is($stack->owner("SELECT kind || ' ' || retry_count FROM kaireon.dead_letter_events"), 'run_purge 2', 'an S3 that never recovers: a dead letter after the last attempt');
$s3->rules;
$stack->request('POST', $dlq, key => $one->{key}{admin}, body => { action => 'retry' });
no_job();
nothing_is_left('after a retry');

# A bucket that somebody removed has nothing to remove
is($stack->owner("INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, payload) VALUES ('one', 'job_x', 'campaign_runs', 'run_purge',
	'{\"runs\": [{\"id\": \"crun_x\", \"month\": \"2026-01-01\", \"file\": {\"destination\": \"s3\", \"s3Path\": \"gone/one\"}}]}') RETURNING id"), 'job_x', 'a bucket that is gone');
no_job();
is($stack->owner('SELECT count(*) FROM kaireon.dead_letter_events'), 0, 'is no trouble');

# Runs that end at their last step without a result

$id = large();
$s3->rules({ method => 'POST', url => 'uploadId', hang => \1 });
$s3->forget;
$run = $one->trigger($id);
$stack->wait_for('the last request', sub { grep { $_->{status} == 0 } $s3->requests(qr/^POST.*uploadId/) });
$stack->stop('worker', 'KILL');
is($s3->uploads, 1, 'a worker that is killed leaves an upload');
is($one->post("/$id/campaign-runs/$run/cancel")->{status}, 202, 'its run is cancelled');
is($stack->owner("SELECT kind || ' ' || (run_at > now() + interval '50 seconds') FROM kaireon.jobs"), 'run_discard true', 'a job comes when nothing is on its way any more');
$s3->rules;
due();
$stack->worker('worker');
no_job();
nothing_is_left('a run that was cancelled');

$s3->rules({ method => 'POST', url => 'uploadId', status => 403, code => 'AccessDenied', after => \1 });
$run = $one->finished($id, $one->trigger($id));
is($run->{status}, 'failed', 'an S3 that takes the file and says that it does not: the run has failed');
ok(defined $s3->object('bank', "one/$run->{id}.csv"), 'and its object is there');
$s3->rules;
due();
no_job();
nothing_is_left('a run that failed');
$stack->owner('DELETE FROM kaireon.dead_letter_events');

# The session ends while the file is published: who waits for S3 holds the run
# no more, gives up at once and begins nothing more

my $lost = q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker %' AND state = 'idle in transaction'};
for my $case (
	['a small file, in vain', \&small, { method => 'PUT', hang => \1 }, qr/^PUT/, 0],
	['a small file that arrives', \&small, { method => 'PUT', hang => \1, after => \1 }, qr/^PUT/, 1],
	['a large file, in vain', \&large, { method => 'POST', url => 'uploadId', hang => \1 }, qr/^POST.*uploadId/, 0],
	['a large file that arrives', \&large, { method => 'POST', url => 'uploadId', hang => \1, after => \1 }, qr/^POST.*uploadId/, 1],
) {
	my ($what, $make, $rule, $request, $arrives) = @$case;
	my $campaign = $make->();
	$s3->forget;
	$s3->rules($rule);
	my $begun = $one->trigger($campaign);
	$stack->wait_for('the request', sub { $s3->requests($request) });
	my $log = length $stack->slurp("$stack->{dir}/log/worker.log");
	is($stack->query('postgres', $lost), 't', "$what: the session ends");
	my $moved = $stack->wait_for('the run to be free', sub { my $a = $one->post("/$campaign/campaign-runs/$begun/cancel"); $a->{status} == 202 && $a });
	is($moved->{json}{status}, 'cancelled', 'the run is cancelled meanwhile');
	like($stack->wait_for('the worker', sub { my $said = substr $stack->slurp("$stack->{dir}/log/worker.log"), $log; $said =~ /job given up/ && $said }, 10) // '',
		qr/job given up.*run_finish/, 'the worker notices, long before S3 would have to answer');
	$s3->rules;
	is(scalar(grep { $_->{status} == 0 } $s3->requests($request)), scalar $s3->requests($request), 'and asks S3 not again');
	is(scalar(() = $s3->keys('bank')), $arrives, $arrives ? 'what arrived is there' : 'there is no object');
	is($stack->owner("SELECT count(*) FROM kaireon.interaction_history"), 0, 'nobody is contacted');
	due();
	no_job();
	nothing_is_left('then');
}

# A session that ends, and nobody who cancels: the other worker does it again
$id = large();
$s3->rules({ method => 'POST', url => 'uploadId', hang => \1, times => 1 });
$s3->forget;
$run = $one->trigger($id);
$stack->wait_for('the request', sub { $s3->requests(qr/^POST.*uploadId/) });
$stack->worker('other');
like($stack->query('postgres', $lost), qr/^t/, 'a session ends, the run goes on');
my $done = $one->finished($id, $run);
is($done->{status}, 'completed', 'by somebody else') or diag explain $done;
is(length $s3->object('bank', "one/$run.csv"), $done->{summary}{file}{bytes}, 'with its file');
is($stack->owner("SELECT count(*) FROM kaireon.interaction_history"), $done->{summary}{decisions}, 'each decision is a contact, once');

# An S3 that is slower than any lease: the session is not idle, the lease is kept
$stack->stop($_) for qw(worker other);
{
	local $stack->{settings} = { %{ $stack->{settings} }, WORKER_LEASE_SECONDS => 1 };
	$stack->worker('brief');
}
$stack->owner('DELETE FROM kaireon.interaction_history');
$id = small();
$s3->rules({ method => 'PUT', delay => 5000 });
$done = $one->finished($id, $one->trigger($id));
is($done->{status}, 'completed', 'an S3 that takes five leases for an answer: completed') or diag explain $done;
like($stack->slurp("$stack->{dir}/log/brief.log"), qr/job done.*kind=run_finish attempt=1 /, 'in one attempt');

# A playground that is reset

is($stack->request('POST', '/api/v1/tenant/reset', key => $one->{key}{admin}, body => { confirm => JSON::PP::true })->{status}, 200, 'the tenant is reset');
is($stack->owner("SELECT run_at BETWEEN created_at + interval '50 seconds' AND created_at + interval '70 seconds' FROM kaireon.jobs WHERE kind = 'run_purge'"), 't',
	'what is on its way to S3 has a minute to arrive');
due();
no_job();
nothing_is_left('a playground that is reset');

$stack->end;
done_testing;
