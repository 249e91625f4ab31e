#!/usr/bin/perl
# The export among kills at any of its calls, a full and a broken disk, a lost
# session, a hundred calls at once, and writers that commit late, roll back and
# prepare while the disk fills and the database restarts: the lake is the table,
# row for row.
# KRN_EXPORT_KILLS says how many places are tried, "all" each once;
# KRN_EXPORT_SECONDS how long the writers write; KRN_EXPORT_SEED begins where a
# failure was.
use strict;
use warnings;

use File::Find ();
use JSON::PP;
use POSIX ();
use List::Util qw(shuffle sum);
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Stack;

my $kills = $ENV{KRN_EXPORT_KILLS} || 8;
my $seconds = $ENV{KRN_EXPORT_SECONDS} || 5;
my $writers = $ENV{KRN_EXPORT_WRITERS} || 6;
my $seed = $ENV{KRN_EXPORT_SEED} || int rand 2**31;
srand $seed;

my $stack = Kaireon::Stack->new(settings => { EXPORT_MAX_ROWS => 100, EXPORT_COMPRESS => (qw(zstd gzip), '')[rand 3] });
my $root = "$stack->{dir}/data/exports";
$stack->tenant('acme');
$stack->query('postgres', 'ALTER SYSTEM SET max_prepared_transactions = 100');
$stack->stop_postgres;
$stack->start_postgres;
$stack->announce(qr/lost the connection|sqlstate=57P0|cron job failed|error=(?:UNAVAILABLE|INTERNAL)|database/i);

sub insert {
	my ($nr, $prefix) = @_;
	return "INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, score, created_at)
		SELECT 'acme', '${prefix}_' || i, 'c' || i, 'impression', 'outbound', i / 3.0::float8, clock_timestamp() FROM generate_series(1, $nr) AS i;\n";
}

sub call {
	my $answer = eval { $stack->request('GET', '/api/v1/cron/export-interactions?drain=true', headers => { X_CRON_SECRET => 'cron-secret' }) };
	return $answer && $answer->{json} || {};
}

# Until an export ran through: the killed one's session still has the lock.
sub export {
	return $stack->wait_for('an export', sub { my $answer = call(); $answer->{ok} && !$answer->{skipped} && $answer });
}

# A call in a process of its own, and its answer.
sub in_background {
	my ($code) = @_;
	my $pid = open(my $from, '-|') // die $!;
	return $from if $pid;
	print encode_json($code->());
	close STDOUT;
	$stack->{owner} = 0;
	POSIX::_exit(0);
}
sub answer_of { my ($from) = @_; local $/; my $text = readline $from; close $from; return decode_json($text || '{}') }

# Files of the lake, without their manifests.
sub published {
	my @found;
	File::Find::find(sub { push @found, $File::Find::name if -f && /^batch/ && $File::Find::name !~ m{/_manifest/} }, $root) if -d $root;
	return sort @found;
}

# The lines of the lake and the rows of the table, by another way than verify-export's.
sub lake_lines {
	return sort map {
		my $line = decode_json($_);
		join '|', @$line{qw(id tenantId customerId interactionType direction createdAt)}, sprintf '%.10g', $line->{score};
	} map { my $unpack = /\.zst$/ ? 'zstd -dcq' : /\.gz$/ ? 'gzip -dc' : 'cat'; split /\n/, `$unpack $_` } published();
}
sub table_rows {
	return sort map { my @row = split /\|/; $row[-1] = sprintf '%.10g', $row[-1]; join '|', @row } split /\n/, $stack->query('postgres', q{
		SELECT id, tenant_id, customer_id, interaction_type, direction, kaireon.time_text(date_trunc('milliseconds', created_at)), score
		FROM kaireon.interaction_history});
}

sub pool {
	my (%setting) = @_;
	local $stack->{settings} = { %{ $stack->{settings} }, %setting };
	$stack->pool('cron', 1);
}

sub is_whole {
	my ($what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($status, $out, $err) = $stack->ctl_try('--json', 'verify-export');
	my $report = eval { decode_json($out) } || {};
	ok($report->{ok}, "$what: the lake is the table") or diag "KRN_EXPORT_SEED=$seed $out$err";
	is($report->{rows}, $stack->owner('SELECT count(*) FROM kaireon.interaction_history'), 'with every row');
	my $left = 0;
	File::Find::find(sub { $left++ if /\.tmp$/ }, $root) if -d $root;
	is($left, 0, 'no temporary file is left');
}

# Killed at any call

my %preload;
for my $name (qw(kill_at full_disk)) {
	$preload{$name} = "$stack->{dir}/$name.so";
	$stack->system_ok("cc -shared -fPIC -O -o $preload{$name} $stack->{source}/t/lib/$name.c");
}
my %san = (ASAN_OPTIONS => 'verify_asan_link_order=0:detect_leaks=0');

$stack->query('postgres', insert(120, 'calm') . insert(110, 'calmer'));
pool(%san, LD_PRELOAD => $preload{kill_at}, KRN_KILL_COUNT => "$stack->{dir}/calls");
export();
is($stack->stop('cron1'), 0, 'an export that nobody disturbs');
chomp(my $places = $stack->slurp("$stack->{dir}/calls"));
cmp_ok($places, '>', 50, "in $places calls");
is_whole('undisturbed');
my @places = shuffle 1 .. $places;
@places = @places[0 .. $kills - 1] if $kills ne 'all' && $kills < @places;
my $killed = 0;
for my $place (@places) {
	$stack->query('postgres', insert(120, "k$place") . insert(110, "l$place"));
	pool(%san, LD_PRELOAD => $preload{kill_at}, KRN_KILL_AT => $place);
	call();
	my $status = $stack->stop('cron1');
	$killed++ if $status == 9;
	pool();
	export();
	$stack->stop('cron1');
	is_whole("killed before call $place");
}
cmp_ok($killed, '>=', @places * 0.7, 'most were killed');

# A disk that is full, one that breaks

for my $trouble (qw(KRN_FULL_DISK KRN_BROKEN_DISK)) {
	my $file = $stack->spew("$stack->{dir}/trouble", '');
	$stack->query('postgres', insert(150, $trouble));
	pool(%san, LD_PRELOAD => $preload{full_disk}, $trouble => $file);
	my $answer = call();
	ok(!$answer->{ok}, "$trouble: the export says so") or diag explain $answer;
	unlike(encode_json($answer), qr/\Q$stack->{dir}\E|No space/, 'without a path or a cause');
	unlink $file;
	export();
	$stack->stop('cron1');
	is_whole($trouble);
}

# A session that is lost while the disk is waited for: the lock went with it, and
# another call may be at the same batch

$stack->query('postgres', insert(150, 'session'));
my $slow = $stack->spew("$stack->{dir}/slow", '');
pool(%san, LD_PRELOAD => $preload{full_disk}, KRN_SLOW_DISK => $slow);
my $before = () = published();
my $waiting = in_background(\&call);
$stack->wait_for('the disk', sub { -e "$slow.waits" });
$stack->query('postgres', q{SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'kaireon_worker'});
unlink $slow;
my $lost = answer_of($waiting);
ok(!$lost->{ok}, 'a session that was lost: the export says so') or diag explain $lost;
is(scalar(() = published()), $before, 'and publishes nothing');
export();
$stack->stop('cron1');
is_whole('a lost session');

# A database that took over while the disk was waited for and does not know the
# batch: it notes no other, whose time would hide the file from the next look

$stack->query('postgres', insert(150, 'forgotten'));
$stack->spew($slow, '');
unlink "$slow.waits";
pool(%san, LD_PRELOAD => $preload{full_disk}, KRN_SLOW_DISK => $slow);
$waiting = in_background(\&call);
$stack->wait_for('the disk', sub { -e "$slow.waits" });
my $columns = 'intent_commit_xid, intent_id, intent_at, intent_path';
$stack->query('postgres', "CREATE TABLE public.forgotten AS SELECT tenant_id, $columns FROM kaireon.export_checkpoints;
	UPDATE kaireon.export_checkpoints SET ($columns) = (SELECT NULL::xid8, NULL, NULL::timestamptz, NULL)");
unlink $slow;
my $unknown = answer_of($waiting);
ok(!$unknown->{ok}, 'a batch that the database does not know: the export says so') or diag explain $unknown;
is($stack->query('postgres', 'SELECT count(intent_path) FROM kaireon.export_checkpoints'), 0, 'and notes no other');
$stack->query('postgres', "UPDATE kaireon.export_checkpoints AS p SET ($columns) = (SELECT $columns FROM public.forgotten AS f WHERE f.tenant_id = p.tenant_id);
	DROP TABLE public.forgotten");
export();
$stack->stop('cron1');
is_whole('a batch that was forgotten');

# A hundred at once

$stack->query('postgres', insert(500, 'at_once'));
$stack->pool('cron', 4);
my @answers = $stack->parallel(100, \&call);
is(sum(map { $_->{totalExported} // 0 } @answers), 500, 'a hundred calls at once: one effect');
is(scalar(grep { $_->{ok} } @answers), 100, 'and all are content');
is_whole('at once');

# Writers that come late, while the export is killed and the database restarts

my $end = time + $seconds;
my @writers = map {
	my $writer = $_;
	my $pid = fork // die $!;
	if (!$pid) {
		srand $seed + $writer;
		for (my $n = 0; time < $end; $n++) {
			my $sql = "BEGIN;\n" . insert(1 + int rand 30, "w${writer}_${n}a") . "SAVEPOINT s;\n" . insert(1 + int rand 10, "w${writer}_${n}b")
				. (rand() < 0.5 ? "ROLLBACK TO s;\n" : "RELEASE s;\n") . 'SELECT pg_sleep(' . rand(0.3) . ");\n" . insert(1, "w${writer}_${n}c");
			$sql .= rand() < 0.2 ? "ROLLBACK;\n" : rand() < 0.1 ? "PREPARE TRANSACTION 'p${writer}_$n';\nSELECT pg_sleep(0.3);\nCOMMIT PREPARED 'p${writer}_$n';\n" : "COMMIT;\n";
			open my $psql, '|-', "psql -qX -h $stack->{dir}/sock -U postgres -d kaireon >/dev/null 2>&1" or next;
			local $SIG{PIPE} = 'IGNORE';
			print $psql $sql;
			close $psql;
		}
		POSIX::_exit(0);
	}
	$pid;
} 1 .. $writers;
my $full = "$stack->{dir}/full";
my %trouble = (%san, LD_PRELOAD => $preload{full_disk}, KRN_FULL_DISK => $full);
sub pools { local $stack->{settings} = { %{ $stack->{settings} }, %trouble }; $stack->pool('cron', 4) }
$stack->stop($_) for grep { /^cron/ } keys %{ $stack->{pids} };
pools();
my ($rounds, $restarts, $restart) = (0, 0, $end - $seconds / 2);
while (time < $end) {
	$stack->spew($full, '') if rand() < 0.2;
	call();
	unlink $full;
	sleep rand 0.1;
	if (rand() < 0.5) {
		my $name = 'cron' . (1 + int rand 4);
		my $other = fork // die $!;
		if (!$other) { call(); POSIX::_exit(0) }
		sleep rand 0.05;
		$stack->stop($_, 'KILL') for grep { /^cron/ } keys %{ $stack->{pids} };
		waitpid $other, 0;
		pools();
	}
	if (time > $restart) {
		$stack->stop_postgres(rand() < 0.5 ? 'immediate' : 'fast');
		$stack->start_postgres;
		$restarts++;
		$restart = time + 20;
	}
	$rounds++;
}
waitpid $_, 0 for @writers;
# what a restart left prepared is decided at last
$stack->query('postgres', rand() < 0.5 ? "COMMIT PREPARED '$_'" : "ROLLBACK PREPARED '$_'")
	for split /\n/, $stack->query('postgres', 'SELECT gid FROM pg_prepared_xacts');
my $last = export();
is($last->{tenants}[0]{hasMore}, JSON::PP::false, "after $rounds rounds and $restarts restarts nothing is left");
is_whole('writers');
my ($lines, $rows) = ([lake_lines()], [table_rows()]);
is_deeply($lines, $rows, 'what others read of the lake is what others read of the table') or diag "KRN_EXPORT_SEED=$seed";
note scalar(@$rows) . ' rows in ' . scalar(() = published()) . ' files';

$stack->end;
done_testing;
