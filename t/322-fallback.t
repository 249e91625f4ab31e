#!/usr/bin/perl
# Runs without a worker: the cron pool starts one, which sees them through,
# whatever becomes of the client, of the pool, and of that worker.
use strict;
use warnings;

use IPC::Open2;
use POSIX ();
use Test::More;
use Time::HiRes ();

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 100, WORKER_FALLBACK_SECONDS => 1 });
$stack->pool('api', 1)->pool('cron', 2);
my $one = Kaireon::Campaign->new($stack, 'one', count => 1000);
my $id = $one->campaign(name => 'Inline');

sub sessions { return $stack->query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '$_[0]%'") }
sub started { my $log = join '', map { $stack->slurp("$stack->{dir}/log/$_.log") } qw(cron1 cron2 api1); return scalar(() = $log =~ /started a worker/g) }
sub forget { $stack->owner('DELETE FROM kaireon.interaction_history') }
sub alone { $stack->wait_for('the end of who was started', sub { sessions('kaireon-worker') eq '0' }) }
sub once_each {
	my ($run) = @_;
	return is($one->ledger($run, "count(DISTINCT customer_id) || ' ' || count(*) FILTER (WHERE rank <= 1)"), "$one->{segment}{customerCount} $one->{segment}{customerCount}", 'each customer once');
}

# looks of the cron pool, as its sessions show them
sub looks {
	my ($nr) = @_;
	my $last = '';
	$stack->wait_for("$nr looks", sub {
		my $now = $stack->query('postgres', q{SELECT max(query_start) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-fcgi cron%'});
		$nr-- if $now ne $last;
		$last = $now;
		return $nr < 0;
	});
}

# a trigger, and nobody there
my $run = $one->trigger($id);
my $calm = $one->finished($id, $run);
is($calm->{status}, 'completed', 'a run without a worker');
cmp_ok(started(), '>=', 1, 'is done by one that the cron pool started');
unlike($stack->slurp("$stack->{dir}/log/api1.log"), qr/started a worker/, 'not the API pool');
alone();

# one that is connected is left to it
forget();
my $before = started();
$stack->worker('frozen');
$stack->wait_for('a worker', sub { sessions('kaireon-worker ') eq '1' });
kill 'STOP', $stack->{pids}{frozen};
$run = $one->trigger($id);
looks(12);
is(started(), $before, 'no worker is started while one is there');
is($one->get("/$id/campaign-runs/$run")->{json}{status}, 'pending', 'the run is left to it');
kill 'CONT', $stack->{pids}{frozen};
is($one->finished($id, $run)->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'which does it');
$stack->stop('frozen');

# what fails for a while is tried again by the same one
forget();
$stack->owner('REVOKE INSERT ON kaireon.campaign_run_results FROM kaireon_worker');
$run = $one->trigger($id);
$stack->wait_for('a failure', sub { $stack->owner('SELECT count(*) FROM kaireon.jobs WHERE errors <> \'[]\'') ne '0' });
my $pid = $stack->query('postgres', q{SELECT min(application_name) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker%'});
$stack->owner('GRANT INSERT ON kaireon.campaign_run_results TO kaireon_worker');
is($one->finished($id, $run)->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'a run that fails for a while');
like($pid, qr/^kaireon-worker-once \d+$/, 'was in the hands of one that was started');
once_each($run);
alone();

# killed in the middle, with the pool's process that started it
forget();
my $in;
my $lock = open2(my $out, $in, 'psql', '-qXAt', '-h', "$stack->{dir}/sock", '-U', 'kaireon_owner', '-d', 'kaireon');
print {$in} "BEGIN;\nLOCK TABLE kaireon.campaign_run_results IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n";
$in->flush;
is(<$out>, "locked\n", 'nothing can be decided');
$run = $one->trigger($id);
my $busy = q{SELECT min(split_part(application_name, ' ', 2)) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker-once%' AND wait_event_type = 'Lock'};
$pid = $stack->wait_for('a step that waits', sub { $stack->query('postgres', $busy) });
$stack->stop('cron1', 'KILL');
kill 'KILL', $pid;
my $other = $stack->wait_for('another one', sub { my $now = $stack->query('postgres', $busy); $now && $now ne $pid && $now });
ok($other, 'a worker that is killed is replaced');
print {$in} "COMMIT;\n";
close $in;
waitpid $lock, 0;
is($one->finished($id, $run)->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'and the run is the same');
once_each($run);
alone();

# inline: clients that do not wait, two at once
my $two = $one->campaign(name => 'Second');
for my $trial (1 .. 3) {
	forget();
	my @pids = map {
		my $campaign = $_;
		my $child = fork // die $!;
		if (!$child) {
			# the client is gone before the answer
			local $SIG{ALRM} = sub { POSIX::_exit(0) };
			Time::HiRes::ualarm(1 + int rand 30_000);
			$stack->request('POST', '/api/v1/runs/execute-inline', pool => 'cron', key => $one->{key}{editor},
				body => { runId => $campaign, decisionFlowId => $one->{flow}, segmentViewName => $one->{segment}{viewName} });
			POSIX::_exit(0);
		}
		$child;
	} $id, $id, $two, $two;
	waitpid $_, 0 for @pids;
	$stack->wait_for('the answers', sub { looks(2); 1 });
	$stack->wait_for('the end of all', sub { $stack->owner('SELECT count(*) FROM kaireon.jobs') eq '0' });
	for my $found (split /\n/, $stack->owner("SELECT campaign_id || ' ' || id || ' ' || status FROM kaireon.campaign_runs WHERE triggered_by = 'inline'")) {
		my ($campaign, $done, $status) = split / /, $found;
		is($status, 'completed', "trial $trial: a run whose client has gone");
		once_each($done);
	}
	is($stack->owner(q{SELECT count(*) FROM (SELECT FROM kaireon.interaction_history GROUP BY campaign_run_id, customer_id, rank HAVING count(*) > 1) AS x}), 0, 'nobody was contacted twice');
	alone();
}
is($stack->owner('SELECT count(*) FROM kaireon.dead_letter_events'), 0, 'nothing is dead');

$stack->end;
done_testing;
