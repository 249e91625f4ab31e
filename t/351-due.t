#!/usr/bin/perl
# Campaigns whose time has come: each runs once, whoever looks and how many at
# once; missed times become one late run, or none when it is too late; what
# cannot run keeps none of the others waiting.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
# a hundred at once
$stack->stop_postgres;
$stack->as_server("echo 'max_connections = 200' >>$stack->{dir}/pg/postgresql.conf");
$stack->start_postgres;
$stack->pool('api', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 5);
my $two = Kaireon::Campaign->new($stack, 'two', count => 5);

# what was seen to: campaign => outcome
sub look {
	my @lines = split /\n/, qx{env @{[map { "'$_'" } $stack->environment]} $stack->{build}/t/bin/due};
	is($?, 0, 'campaigns are seen to');
	return { map { /^\S+ (\S+) (\S+) (.*)$/ ? ($1 => $3 eq '-' ? $2 : "$2: $3") : () } @lines };
}

sub daily { my ($tenant, %field) = @_; return $tenant->campaign(status => 'active', scheduleType => 'daily', %field) }
sub past { my ($id, $ago) = @_; $stack->query('postgres', "UPDATE kaireon.campaigns SET next_run_at = now() - interval '$ago' WHERE id = '$id'") }
sub runs { return $stack->owner("SELECT count(*) FROM kaireon.campaign_runs WHERE campaign_id = '$_[0]'") + 0 }
sub done { $stack->query('postgres', "UPDATE kaireon.campaign_runs SET status = 'completed'; DELETE FROM kaireon.jobs") }
sub next_of { return $stack->owner("SELECT next_run_at > now() AND next_run_at <= now() + interval '24 hours' FROM kaireon.campaigns WHERE id = '$_[0]'") }

my $id = daily($one);
is_deeply(look(), {}, 'nothing is due');
past($id, '1 minute');
is_deeply(look(), { $id => 'triggered' }, 'a time has come');
is(runs($id), 1, 'there is a run');
is($one->get("/$id")->{json}{campaignRuns}[0]{triggeredBy}, 'schedule', 'of its schedule');
is($stack->owner("SELECT kind || (payload ->> 'runId' = (SELECT id FROM kaireon.campaign_runs)) FROM kaireon.jobs"), 'run_plantrue', 'and its job');
is($stack->owner("SELECT actor_id || ' ' || action FROM kaireon.audit_logs WHERE entity_type = 'campaign_run'"), 'schedule campaign_run.trigger', 'and its audit row');
is(next_of($id), 't', 'the next time is to come');
is_deeply(look(), {}, 'and is not due');

# what is not to run
done();
for my $case (
	['a paused campaign', sub { past($id, '1 minute'); $stack->query('postgres', "UPDATE kaireon.campaigns SET status = 'paused' WHERE id = '$id'") },
		sub { $stack->query('postgres', "UPDATE kaireon.campaigns SET status = 'active', next_run_at = now() + interval '1 hour' WHERE id = '$id'") }],
	['one of a suspended tenant', sub { past($id, '1 minute'); $stack->ctl('tenant', 'suspend', '--id', 'one') },
		sub { $stack->ctl('tenant', 'resume', '--id', 'one'); past($id, '-1 hour') }],
) {
	my ($what, $before, $after) = @$case;
	$before->();
	is_deeply(look(), {}, "$what does not run");
	$after->();
}

# missed times are one late run
past($id, '20 hours');
is_deeply(look(), { $id => 'triggered' }, 'a time that was missed is made up for');
done();
past($id, '72 hours');
is_deeply(look(), { $id => 'triggered' }, 'three that were missed, the last of them today');
is(runs($id), 3, 'once');
is_deeply(look(), {}, 'and no more');
done();
# it was to run once, and for two days nobody looked
my $old = daily($one, scheduleType => 'weekly', scheduleDayOfWeek => ((localtime)[6] + 4) % 7);
past($old, '48 hours');
is_deeply(look(), { $old => 'missed' }, 'one that was missed too long ago');
is(runs($old), 0, 'is not made up for');
is($stack->owner("SELECT next_run_at > now() FROM kaireon.campaigns WHERE id = '$old'"), 't', 'its next time is to come');
$stack->{settings}{SCHEDULE_LATE_SECONDS} = 3 * 86400;
past($old, '48 hours');
is_deeply(look(), { $old => 'triggered' }, 'unless it may be that late');
delete $stack->{settings}{SCHEDULE_LATE_SECONDS};

# a run that is open
past($old, '1 minute');
is_deeply(look(), { $old => 'waiting: a run of this campaign is pending or running' }, 'a campaign waits for its run');
is($stack->owner("SELECT next_run_at < now() FROM kaireon.campaigns WHERE id = '$old'"), 't', 'it stays due');
done();
is_deeply(look(), { $old => 'triggered' }, 'and runs when that has ended');
is(runs($old), 2, 'once');
done();

# one that fails, in each place of the order
my @other = map { daily($_) } $one, $two, $two;
$stack->query('postgres', "UPDATE kaireon.campaigns SET schedule_timezone = 'Nowhere/Here' WHERE id = '$other[1]'");
past($other[$_], 10 + $_ . ' minutes') for 0 .. 2;
my $seen = look();
is_deeply([map { $seen->{$_} =~ /^(\w+)/ } @other], [qw(triggered failed triggered)], 'one that fails keeps none waiting') or diag explain $seen;
unlike($seen->{ $other[1] }, qr/SELECT|kaireon\./, "and says why: $seen->{$other[1]}");
$stack->query('postgres', "UPDATE kaireon.campaigns SET schedule_timezone = 'UTC' WHERE id = '$other[1]'");
is_deeply(look(), { $other[1] => 'triggered' }, 'when it is mended it runs');
done();

# a hundred at once
my @many = map { daily($_ % 2 ? $one : $two, name => "Many $_") } 1 .. 20;
sub at_once {
	my ($nr) = @_;
	my @pids = map {
		my $pid = fork // die $!;
		if (!$pid) {
			open STDOUT, '>', '/dev/null';
			exec 'env', $stack->environment, "$stack->{build}/t/bin/due";
		}
		$pid;
	} 1 .. $nr;
	return @pids;
}
past($_, '1 minute') for @many;
waitpid $_, 0 for at_once(100);
is_deeply([map { runs($_) } @many], [(1) x @many], 'a hundred that look at once start one run of each');
is_deeply([map { next_of($_) } @many], [('t') x @many], 'and the next times are to come');
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), scalar @many, 'a job each');

# killed anywhere
for my $trial (1 .. 5) {
	done();
	past($_, '1 minute') for @many;
	my @pids = at_once(3);
	for my $pid (@pids) { sleep rand 0.1; kill 'KILL', $pid; waitpid $pid, 0 }
	$stack->wait_for('the ends of their sessions', sub { $stack->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'due%'}) eq '0' });
	my $before = $stack->owner('SELECT count(*) FROM kaireon.jobs');
	my $rest = look();
	is(keys(%$rest) + $before, scalar @many, "trial $trial: $before were started, the others are when somebody looks again");
	is_deeply([map { runs($_) } @many], [(1 + $trial) x @many], 'one run of each');
}

$stack->end;
done_testing;
