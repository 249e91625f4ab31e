#!/usr/bin/perl
# Campaigns that are changed and deleted; runs that are paused, resumed,
# cancelled at any moment; inline execution with and without a worker.
use strict;
use warnings;

use IPC::Open2;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 100 });
$stack->pool('api', 2)->pool('cron', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 4000);
my $two = Kaireon::Campaign->new($stack, 'two', count => 20);

sub put {
	my ($tenant, $id, $body, $role) = @_;
	return $stack->request('PUT', "/api/v1/runs/$id", key => $tenant->{key}{ $role || 'editor' }, body => $body);
}

sub delete_ {
	my ($tenant, $id, $role, $query) = @_;
	return $stack->request('DELETE', "/api/v1/runs/$id" . ($query || ''), key => $tenant->{key}{ $role || 'admin' });
}

sub status_of { my ($campaign, $run) = @_; return $one->get("/$campaign/campaign-runs/$run")->{json}{status} }

# change
my $id = $one->campaign(name => 'First', description => 'as it was', volumeConstraints => { maxPerOffer => 5 }, scheduleTime => '10:30');
my $before = $one->get("/$id")->{json};
my $answer = put($one, $id, { name => 'Second' });
is($answer->{status}, 200, 'a change') or diag $answer->{body};
is_deeply({ %{ $answer->{json} }, name => 1, updatedAt => 1 }, { (map { $_ => $before->{$_} } keys %{ $answer->{json} }), name => 1, updatedAt => 1 },
	'of one field leaves the others') or diag $answer->{body};
is($answer->{json}{name}, 'Second', 'and makes that one');
is(put($one, $id, {})->{json}{name}, 'Second', 'an empty one changes nothing');
is_deeply(put($one, $id, { frequencyCaps => { maxTotalPerRun => 3 } })->{json}{volumeConstraints}, { maxTotalPerRun => 3 }, 'frequencyCaps is volumeConstraints');
is_deeply(put($one, $id, { volumeConstraints => undef })->{json}{volumeConstraints}, {}, 'null takes the default');
is(put($one, $id, { scheduleType => 'weekly' })->{json}{error}{details}[0]{field}, 'scheduleDayOfWeek', 'the result is checked, not the change');
is(put($one, $id, { scheduleType => 'weekly', scheduleDayOfWeek => 1 })->{status}, 200, 'whole it is accepted');
is(put($one, $id, { scheduleDayOfWeek => undef })->{status}, 400, 'and cannot be broken');
is(put($one, $id, { segmentId => $two->{segment}{id} })->{status}, 400, "not to another tenant's segment");
is(put($one, $id, { nothing => 1 })->{status}, 400, 'an unknown field');
is(put($one, 'camp_nothing', {})->{status}, 404, 'an unknown campaign');
is(put($two, $id, { name => 'x' })->{status}, 404, "another tenant's");
is(put($one, $id, {}, 'viewer')->{status}, 403, 'a viewer may not');
is(put($one, $id, { scheduleType => 'manual', scheduleDayOfWeek => undef, status => 'archived' })->{json}{status}, 'archived', 'archived');
is($one->post("/$id/campaign-runs")->{status}, 409, 'it does not run');
is(put($one, $id, { status => 'draft' })->{json}{status}, 'draft', 'and back');

# when it runs next
my $scheduled = $one->campaign(name => 'Scheduled', status => 'active', scheduleType => 'daily', scheduleTime => '09:00', scheduleTimezone => 'Europe/Lisbon');
like($one->get("/$scheduled")->{json}{nextRunAt}, qr/^\d{4}-\d\d-\d\dT0[89]:00:00\.000Z$/, 'an active campaign runs next');
is(put($one, $scheduled, { status => 'paused' })->{json}{nextRunAt}, undef, 'a paused one does not');
like(put($one, $scheduled, { status => 'active', scheduleTime => '12:00' })->{json}{nextRunAt}, qr/T1[12]:00:00\.000Z$/, 'active again, at another time');
is(put($one, $scheduled, { scheduleType => 'manual' })->{json}{nextRunAt}, undef, 'nor one without a schedule');

# a run that is undisturbed, to compare
sub forget { $stack->owner('DELETE FROM kaireon.interaction_history') }
$stack->worker('worker');
my $calm = $one->finished($id, $one->trigger($id));
is($calm->{status}, 'completed', 'a calm run');
my $hash = $calm->{summary}{file}{sha256};

# pause and resume at many moments: the same file, over the segment of its beginning
my $young = decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', 'Young', '--schema', 'customers', '--where', 'age:lt:30'));
for my $trial (1 .. 8) {
	forget();
	my $run = $one->trigger($id);
	sleep rand 0.4;
	my $start = time;
	$answer = $one->post("/$id/campaign-runs/$run/pause");
	my $took = time - $start;
	if ($answer->{status} == 409) {
		is(status_of($id, $run), 'completed', "trial $trial: it was done already");
		next;
	}
	is("$answer->{status} $answer->{json}{status}", '202 paused', "trial $trial: paused") or diag $answer->{body};
	note sprintf 'paused in %.3f s', $took;
	my $processed = $one->get("/$id/campaign-runs/$run")->{json}{progress}{processed};
	sleep 0.3;
	is(status_of($id, $run), 'paused', 'it stays so');
	is($one->get("/$id/campaign-runs/$run")->{json}{progress}{processed}, $processed, 'and does nothing');
	is($one->post("/$id/campaign-runs")->{status}, 409, 'a paused run counts as running');
	is($one->post("/$id/campaign-runs/$run/pause")->{status}, 409, 'it cannot be paused again');
	is(put($one, $id, { segmentId => $young->{id} })->{status}, 200, 'the campaign is given another segment') if $processed;
	$answer = $one->post("/$id/campaign-runs/$run/resume");
	is($answer->{status}, 202, 'resumed');
	like($answer->{json}{status}, qr/^(?:running|pending)$/, 'it goes on');
	my $done = $one->finished($id, $run);
	is("$done->{status} $done->{summary}{file}{sha256}", "completed $hash", 'to the same file');
	put($one, $id, { segmentId => $one->{segment}{id} });
	is($stack->owner("SELECT count(*) - count(DISTINCT customer_id) FROM kaireon.campaign_run_results WHERE run_id = '$run' AND rank <= 1"), 0, 'nobody twice');
}

# cancel at many moments: nothing of it is left to do
for my $trial (1 .. 8) {
	forget();
	my $run = $one->trigger($id);
	sleep rand 0.4;
	$answer = $one->post("/$id/campaign-runs/$run/cancel");
	next if $answer->{status} == 409 && status_of($id, $run) eq 'completed';
	is("$answer->{status} $answer->{json}{status}", '202 cancelled', "trial $trial: cancelled") or diag $answer->{body};
	is($stack->owner(q{SELECT count(*) FROM kaireon.jobs WHERE kind <> 'run_discard'}), 0, 'no job is left but the one that removes its file');
	$stack->wait_for('the end of that', sub { $stack->owner('SELECT count(*) FROM kaireon.jobs') eq '0' });
	is(scalar(() = glob "$stack->{settings}{RUN_FILE_DIR}/one/{,.}$run.*"), 0, 'no file is left') or diag glob "$stack->{settings}{RUN_FILE_DIR}/one/{,.}*";
	is(status_of($id, $run), 'cancelled', 'it stays so');
	is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run'"), 0, 'nobody was contacted');
	is($one->post("/$id/campaign-runs/$run/$_")->{status}, 409, "it cannot be moved: $_") for qw(resume pause cancel);
	is($one->get("/$id/campaign-runs/$run/file")->{status}, 404, 'it has no file');
}
is($one->post("/$id/campaign-runs/crun_nothing/$_")->{status}, 404, "an unknown run: $_") for qw(resume pause cancel);
is($two->post("/$id/campaign-runs/$calm->{id}/cancel")->{status}, 404, "another tenant's run");

# inline, with a worker
forget();
my $flow = $one->{flow};
my $view = $one->{segment}{viewName};
sub inline {
	my (%body) = @_;
	my $role = delete $body{role} || 'editor';
	return $stack->request('POST', '/api/v1/runs/execute-inline', pool => 'cron', key => $one->{key}{$role},
		body => { runId => $id, decisionFlowId => $flow, segmentViewName => $view, %body });
}
is(inline(role => 'viewer')->{status}, 403, 'inline: not by a viewer');
is(inline(runId => 'camp_nothing')->{status}, 404, 'nor of an unknown campaign');
is(inline(runId => undef)->{status}, 400, 'nor without one');
is(inline(segmentViewName => $two->{segment}{viewName} . 'x')->{status}, 400, 'nor over a view that is no segment');
is(inline(decisionFlowId => 'df_x')->{status}, 400, 'nor with an unknown flow');
is($stack->request('POST', '/api/v1/runs/execute-inline', key => $one->{key}{editor}, body => {})->{status}, 404, 'nor at the wrong pool')
	if $stack->announce(qr/the route is not of this pool/);
my $start = time;
$answer = inline();
is("$answer->{status} $answer->{json}{status}", '200 executing', 'a campaign is executed') or diag $answer->{body};
my $run = $answer->{json}{runId};
my $done = $one->finished($id, $run);
is("$done->{status} $done->{triggeredBy} $done->{summary}{file}{sha256}", "completed inline $hash", 'as a run of its own');
is($one->get("/$run")->{json}{id}, $run, 'which is found by its id alone');
is(inline(runId => $run)->{status}, 409, 'a completed run is not executed again');

# another segment than the campaign's own
forget();
$answer = inline(segmentViewName => $young->{viewName});
$done = $one->finished($id, $answer->{json}{runId});
is($done->{summary}{customersProcessed}, $young->{customerCount}, 'inline over another segment');

# a cancelled run begins anew
forget();
$run = $one->trigger($id);
sleep 0.15;
my $cancelled = $one->post("/$id/campaign-runs/$run/cancel")->{status} == 202;
SKIP: {
	skip 'it was faster than the cancel', 3 if !$cancelled;
	my $other = $one->campaign(name => 'other');
	is(inline(runId => $run)->{status}, 200, 'a cancelled run is executed');
	$done = $one->finished($id, $run);
	is("$done->{status} $done->{summary}{file}{sha256}", "completed $hash", 'from its beginning');
	is($stack->owner("SELECT count(*) - count(DISTINCT customer_id) FROM kaireon.campaign_run_results WHERE run_id = '$run' AND rank <= 1"), 0, 'nobody twice');
}

# without a worker somebody is started, and outlives the pool's process
$stack->stop('worker');
forget();
is($stack->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker%'}), 0, 'no worker');
$answer = inline();
is($answer->{status}, 200, 'executed all the same');
$stack->stop('cron1', 'KILL');
$done = $one->finished($id, $answer->{json}{runId});
is("$done->{status} $done->{summary}{file}{sha256}", "completed $hash", 'by a process of its own, which outlives the one that was asked');
$stack->wait_for('its end', sub { $stack->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker%'}) eq '0' });
$stack->pool('cron', 1);

# delete
forget();
$run = $one->trigger($id);
is(delete_($one, $id, 'editor')->{status}, 403, 'an editor may not delete');
is(delete_($one, $id)->{status}, 409, 'not while a run is open');
is(delete_($two, $id)->{status}, 404, "nor another tenant's");
my @files = glob "$stack->{settings}{RUN_FILE_DIR}/one/*";
cmp_ok(scalar @files, '>', 3, 'there are files');
$answer = delete_($one, $id, 'admin', '?force=true');
is("$answer->{status} $answer->{body}", '204 ', 'by force');
is($one->get("/$id")->{status}, 404, 'it is gone');
is(delete_($one, $id)->{status}, 404, 'and cannot be deleted again');
is($stack->owner("SELECT count(*) FROM kaireon.campaign_runs WHERE campaign_id = '$id'"), 0, 'with its runs');
$stack->worker('worker');
$stack->wait_for('the purge', sub { $stack->owner('SELECT count(*) FROM kaireon.jobs') eq '0' });
is($stack->owner("SELECT count(*) FROM kaireon.campaign_run_results WHERE tenant_id = 'one'"), 0, 'their ledgers go');
is(scalar(() = glob "$stack->{settings}{RUN_FILE_DIR}/one/*"), 0, 'and their files');

# a step that waits for its run holds nothing that a delete would wait for
$id = $one->campaign(name => 'Held');
for (1 .. 20) {
	$run = $one->trigger($id);
	sleep 0.15;
	$stack->stop('worker');
	last if $stack->owner("SELECT step FROM kaireon.campaign_runs WHERE id = '$run'") eq 'decide';
	$stack->worker('worker');
	$one->finished($id, $run);
}
my $psql = open2(my $out, my $in, 'psql', '-qXAt', '-h', "$stack->{dir}/sock", '-U', 'kaireon_owner', '-d', 'kaireon');
print $in "BEGIN;\nSELECT step FROM kaireon.campaign_runs WHERE id = '$run' FOR UPDATE;\n";
$in->flush;
chomp(my $step = <$out>);
is($step, 'decide', 'a run is locked between two steps');
$stack->worker('worker');
$stack->wait_for('a step that waits', sub { $stack->query('postgres',
	q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'kaireon_worker' AND wait_event_type = 'Lock'}) eq '1' });
print $in "SELECT count(*) > 0 FROM (SELECT FROM kaireon.campaign_run_chunks WHERE run_id = '$run' FOR UPDATE NOWAIT) AS c;\nCOMMIT;\n";
close $in;
is(<$out>, "t\n", 'no chunk is locked');
waitpid $psql, 0;
is($one->finished($id, $run)->{status}, 'completed', 'and the step goes on');

$stack->end;
done_testing;
