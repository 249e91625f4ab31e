# The laws of a cleanup, by trials: holds that come in the middle of it, an
# export beside it, processes killed and the database restarted at random
# moments. KRN_CLEANUP_TRIALS and KRN_LAW_SEED: for longer, or the same again.

use strict;
use warnings;

use File::Find ();
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Cluster;
use Kaireon::Worker;

my $trials = $ENV{KRN_CLEANUP_TRIALS} // 20;
my $seed = $ENV{KRN_LAW_SEED} // int rand 2**31;
srand $seed;
note "seed $seed";

my $cluster = Kaireon::Cluster->new(private => 1);
my $db = $cluster->clone;
my $root = tempdir('kaireon-laws-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my %env = (CLEANUP_BATCH_ROWS => 40, EXPORT_URL => "file://$root", EXPORT_MAX_ROWS => 90);
my $worker = Kaireon::Worker->new(db => $db, pool => 'cron', env => \%env);
my ($cleanup, $export) = map { "/api/v1/cron/$_" } qw(cleanup export-interactions);
my $secret = {'X-Cron-Secret' => $Kaireon::Worker::ENVIRONMENT{CRON_SECRET}};
my ($inserted, $round) = (0, 0);

# a connection that is there already, so that its statements come at once
my ($psql, $out, $in);
sub connect_psql { $psql = open2($out, $in, $cluster->_psql($db->name, 'postgres')) }
sub ask {
	my ($sql) = @_;
	local $/ = "\x1e";
	print {$in} "$sql\n\\echo -n \\036\n" =~ s/\\036/\x1e/r;
	my $text = readline $out;
	return $text;
}

# $nr rows that are over, of a month that $shared says others keep rows of
sub old_rows {
	my ($nr, $shared) = @_;
	$round++;
	$db->do(<<"SQL");
DELETE FROM kaireon.interaction_history WHERE tenant_id = 'keeper';
SELECT kaireon.partition_ensure('interaction_history', date '2020-03-01');
INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
SELECT 'acme', 'int_' || $round || '.' || i, 'c', 'impression', 'outbound', timestamptz '2020-03-02Z' + i * interval '1 second'
FROM generate_series(1, $nr) AS i
UNION ALL SELECT 'keeper', 'int_k$round', 'c', 'impression', 'outbound', timestamptz '2020-03-03Z' WHERE $shared = 1;
SQL
	$inserted += $nr;
}

# how many rows a purge at work has left by now
sub left_now { return (ask(q{SELECT count(*) FROM kaireon.interaction_history WHERE tenant_id = 'acme';}) =~ /(\d+)/)[0] }

sub left { return $db->value(q{SELECT count(*) FROM kaireon.interaction_history WHERE tenant_id = 'acme';}) }
# in one snapshot: a session whose process was killed may still commit
sub accounted {
	return $db->value(q{SELECT (SELECT coalesce(sum(purged_rows), 0) FROM kaireon.purge_marks WHERE tenant_id = 'acme')
		+ (SELECT count(*) FROM kaireon.interaction_history WHERE tenant_id = 'acme');});
}
sub marked { return $db->value(q{SELECT coalesce(sum(purged_rows), 0) FROM kaireon.purge_marks WHERE tenant_id = 'acme';}) }

$db->tenant($_) for qw(acme keeper);
$db->do(q{UPDATE kaireon.retention_configs SET retention_days = 36500 WHERE tenant_id = 'keeper';});
connect_psql();

# how long a cleanup takes, for the moments to be spread over it
old_rows(1000, 1);
my $start = time;
$worker->cron($cleanup);
my $span = time - $start;

subtest 'a hold in the middle of a purge' => sub {
	my @holds = (
		[q{UPDATE kaireon.tenants SET legal_hold = true WHERE tenant_id = 'acme';}, q{UPDATE kaireon.tenants SET legal_hold = false;}],
		[q{UPDATE kaireon.retention_configs SET legal_hold = true WHERE tenant_id = 'acme' AND data_class = 'interactions';},
			q{UPDATE kaireon.retention_configs SET legal_hold = false WHERE tenant_id = 'acme';}],
	);
	my ($wrong, $middle, $before) = (0, 0, 0);
	for my $trial (1 .. $trials) {
		my $shared = $trial % 3 ? 1 : 0;
		my ($set, $lift) = @{$holds[rand @holds]};
		old_rows(1000 - left(), $shared);
		my $socket = $worker->send('GET', $cleanup, headers => $secret);
		if ($trial % 2) {
			sleep rand $span * ($shared ? 1 : 0.3);
		} else {
			my $moment = int rand 1000;
			1 while left_now() > $moment;
		}
		# its own transaction; the count is of a later moment
		ask($set);
		my $at_hold = left_now();
		my $answer = $worker->answer($socket);
		my $after = left();
		$wrong++ if $after != $at_hold || !$answer->{json}{ok};
		diag "trial $trial: $at_hold rows at the hold, $after after the purge: $answer->{body}" if $after != $at_hold;
		$middle++ if $after > 0 && $after < 1000;
		$before++ if $after == 1000;
		ask($lift);
	}
	is $wrong, 0, "no row went whose hold was committed first, $trials trials";
	note "$middle in the middle, $before before the first batch";
	cmp_ok $middle, '>', 0, 'holds came in the middle';
	is accounted(), $inserted, 'every row is there or marked';
	$worker->cron($cleanup);
};

subtest 'an export beside it' => sub {
	my $other = Kaireon::Worker->new(db => $db, pool => 'cron', env => \%env);
	my $wrong = 0;
	for my $trial (1 .. 1 + $trials / 5) {
		old_rows(300, int rand 2);
		my $first = $other->send('GET', "$export?drain=true", headers => $secret);
		sleep rand 0.2;
		my $second = $worker->send('GET', $cleanup, headers => $secret);
		my @answers = ($other->answer($first), $worker->answer($second));
		$wrong += grep { !$_->{json}{ok} } @answers;
	}
	is $wrong, 0, 'both go through';
	$other->cron("$export?drain=true");
	$other->stop;
	my %lake;
	File::Find::find({no_chdir => 1, wanted => sub {
		return if !/\.json$/ || !m{/exports/acme/interaction_history/};
		open my $file, '<', $_ or die "$_: $!";
		while (<$file>) { $lake{$1}++ if /^\{"id":"([^"]+)"/ }
	}}, "$root/exports");
	is scalar(grep { $_ > 1 } values %lake), 0, 'no row is in two files';
	delete @lake{map { $_->[0] } $db->rows(q{SELECT id FROM kaireon.interaction_history WHERE tenant_id = 'acme';})};
	is $db->value(q{SELECT sum(exported_rows) FROM kaireon.purge_marks WHERE tenant_id = 'acme';}), scalar keys %lake,
		'the marks account for each row of the lake that the table lacks';
	is accounted(), $inserted, 'and for each row that is gone';
};

subtest 'kills and restarts' => sub {
	for my $trial (1 .. 2 + $trials / 4) {
		old_rows(600, $trial % 2);
		my $socket = $worker->send('GET', $cleanup, headers => $secret);
		sleep rand $span;
		if ($trial % 4) {
			$worker->kill;
			$worker->start;
		} else {
			close $in;
			waitpid $psql, 0;
			$cluster->stop('immediate');
			$cluster->start;
			connect_psql();
			$worker->answer($socket);
		}
		is accounted(), $inserted, "trial $trial: every row is there or marked";
		# the lock goes with the session that the server still has to end
		sleep 0.01 while $db->value(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory';});
	}
	my $answer;
	for (1 .. 50) {    # a database that was away is asked again after a pause
		$answer = $worker->cron($cleanup);
		last if $answer->{status} == 200;
		sleep 0.2;
	}
	ok $answer->{json}{ok}, 'then it runs through';
	is left(), 0, 'to the end';
	is marked(), $inserted, 'and every row is marked once';
	is $db->value(q{SELECT count(*) FROM pg_class WHERE relname LIKE 'interaction_history_%' AND relkind = 'r' AND NOT relispartition;}), 0,
		'no month hangs loose';
};

close $in;
waitpid $psql, 0;
$worker->stop;
done_testing;
