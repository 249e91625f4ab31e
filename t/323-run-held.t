#!/usr/bin/perl
# Runs that are held, cancelled and deleted at awkward moments: while they are
# planned, between their file and its name, as they end.
use strict;
use warnings;

use IPC::Open2;
use POSIX ();
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 100, WORKER_LEASE_SECONDS => 1 });
$stack->pool('api', 2)->pool('cron', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 500);
my $id = $one->campaign(name => 'Held');
my $files = "$stack->{settings}{RUN_FILE_DIR}/one";

# a session that executed sql, and executes more
sub session {
	my ($sql) = @_;
	my $pid = open2(my $out, my $in, 'psql', '-qXAt', '-h', "$stack->{dir}/sock", '-U', 'kaireon_owner', '-d', 'kaireon');
	my $self = { pid => $pid, in => $in, out => $out };
	$in->autoflush(1);
	tell_session($self, $sql);
	return $self;
}
sub tell_session { my ($session, $sql) = @_; print { $session->{in} } "$sql;\n\\echo done\n"; while (defined(my $line = readline $session->{out})) { last if $line eq "done\n" } return }
sub leave { my ($session, $sql) = @_; tell_session($session, $sql); close $session->{in}; waitpid $session->{pid}, 0; return }

sub waits { return $stack->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker%' AND wait_event_type = 'Lock'}) eq '1' }
sub blocked { my ($what) = @_; return $stack->wait_for($what, \&waits) }
sub forget { $stack->owner('DELETE FROM kaireon.interaction_history') }
sub left { my ($run) = @_; return scalar(() = glob "$files/{,.}$run.*") }
sub no_job { return $stack->wait_for('the last job', sub { $stack->owner('SELECT count(*) FROM kaireon.jobs') eq '0' }) }

$stack->worker('first');
my $calm = $one->finished($id, $one->trigger($id));
is($calm->{status}, 'completed', 'an undisturbed run');
forget();

# a plan that takes long keeps nobody waiting
my $lock = session('BEGIN; LOCK TABLE t_one.ds_customers IN ACCESS EXCLUSIVE MODE');
my $run = $one->trigger($id);
blocked('a plan');
for my $move ([pause => 'paused'], [resume => 'pending'], [pause => 'paused'], [cancel => 'cancelled']) {
	my $answer = $one->post("/$id/campaign-runs/$run/$move->[0]");
	is("$answer->{status} $answer->{json}{status}", "202 $move->[1]", "$move->[0] while it is planned");
}
ok(waits(), 'the plan is still under way');
my $inline = $stack->request('POST', '/api/v1/runs/execute-inline', pool => 'cron', key => $one->{key}{editor},
	body => { runId => $run, decisionFlowId => $one->{flow}, segmentViewName => $one->{segment}{viewName} });
is($inline->{status}, 200, 'it is executed anew') or diag $inline->{body};
leave($lock, 'COMMIT');
my $done = $one->finished($id, $run);
is($done->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'and becomes what it would have been');
$one->laws($done);
forget();

# at its last step, with the file written and without its name
sub at_the_end {
	my ($history) = (session('BEGIN; LOCK TABLE kaireon.interaction_history IN SHARE MODE'));
	my $begun = $one->trigger($_[0]);
	$stack->wait_for('the last step', sub { $stack->owner("SELECT step FROM kaireon.campaign_runs WHERE id = '$begun'") eq 'finish' && waits() });
	ok(-e "$files/.$begun.csv.tmp", 'a file is written');
	return ($begun, $history);
}

# killed between the name and the commit, and cancelled
($run, my $history) = at_the_end($id);
$stack->stop('first', 'KILL');
rename "$files/.$run.csv.tmp", "$files/$run.csv" or die $!;
is($one->post("/$id/campaign-runs/$run/cancel")->{status}, 202, 'a run that is cancelled at its end');
leave($history, 'COMMIT');
$stack->worker('second');
no_job();
is(left($run), 0, 'leaves no file');
is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run'"), 0, 'and contacted nobody');

# a worker that freezes right before it gives the file its name
my $gone = $one->campaign(name => 'Gone');
($run, $history) = at_the_end($gone);
my $row = session("BEGIN; SELECT FROM kaireon.campaign_runs WHERE id = '$run' FOR UPDATE");
leave($history, 'COMMIT');
$stack->wait_for('the worker at the row', sub { $stack->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker%' AND wait_event_type = 'Lock' AND query LIKE '%run_hold%'}) eq '1' });
kill 'STOP', $stack->{pids}{second};
leave($row, 'COMMIT');
my $answer = $stack->request('DELETE', "/api/v1/runs/$gone?force=true", key => $one->{key}{admin});
is($answer->{status}, 204, 'its campaign is deleted all the same') or diag $answer->{body};
$stack->worker('third');
no_job();
is(left($run), 0, 'nothing of the run is left');
kill 'CONT', $stack->{pids}{second};
$stack->wait_for('it to notice', sub { $stack->slurp("$stack->{dir}/log/second.log") =~ /job (?:failed|given up).*run_finish/ });
is($stack->stop('second'), 0, 'the worker goes on');
is(left($run), 0, 'and left no file');

# a run that ends while its campaign is deleted
my $ends = $one->campaign(name => 'Ends');
$stack->stop('third');
$run = $one->trigger($ends);
$row = session("BEGIN; SELECT FROM kaireon.campaign_runs WHERE id = '$run' FOR UPDATE");
my $pid = fork // die $!;
if (!$pid) {
	POSIX::_exit($stack->request('DELETE', "/api/v1/runs/$ends?force=true", key => $one->{key}{admin})->{status} == 204 ? 0 : 1);
}
$stack->wait_for('the delete', sub { $stack->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'kaireon_api' AND wait_event_type = 'Lock'}) eq '1' });
leave($row, "UPDATE kaireon.campaign_runs SET status = 'completed', step = 'done', completed_at = now() WHERE id = '$run'; COMMIT");
waitpid $pid, 0;
is($?, 0, 'a campaign whose run ends meanwhile is deleted');
is($one->get("/$ends")->{status}, 404, 'and gone');

$stack->end;
done_testing;
