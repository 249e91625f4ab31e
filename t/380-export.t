# The export: each row once, whatever happens to the process, the disk, a
# tenant or another transaction.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use File::Find ();
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Cluster;
use Kaireon::Worker;

# an open transaction anywhere in the cluster holds rows back: a cluster apart
my $cluster = Kaireon::Cluster->new(private => 1);
my $path = '/api/v1/cron/export-interactions';

my ($db, $root, $worker);

sub begin {
	my (%env) = @_;
	$worker->stop if $worker;
	$db = $cluster->clone;
	$root = tempdir('kaireon-export-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	$worker = Kaireon::Worker->new(
		db => $db, pool => 'cron', env => {EXPORT_URL => "file://$root", %env},
	);
}

# $nr rows of a tenant, in one transaction
sub insert {
	my ($tenant, $nr, $prefix) = @_;
	$db->do(<<"SQL");
INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type,
	direction, offer_id, rank, score, context, created_at)
SELECT '$tenant', 'int_$prefix' || lpad(i::text, 7, '0'), 'c' || i % 97, 'impression',
       'outbound', 'off_1', i % 5, i / 7.0::float8, '{"a": 1}', now() - interval '10 seconds'
FROM generate_series(1, $nr) AS i;
SQL
}

sub files {
	my ($tenant) = @_;
	my @found;
	File::Find::find(sub { push @found, $File::Find::name if -f }, $root);
	return grep { !m{/_manifest/} } grep { !defined $tenant || m{/exports/\Q$tenant\E/} } sort @found;
}

sub slurp {
	my ($file) = @_;
	open my $handle, '<:raw', $file or die "$file: $!";
	local $/;
	return <$handle> // '';
}

# Every row of the table is in the files, once, and nothing else.
sub is_complete {
	my ($tenant, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @lines = map { split /\n/, slurp($_) } files($tenant);
	my @ids = sort map { /^\{"id":"([^"]+)"/ ? $1 : "broken line: $_" } @lines;
	my @table = map { $_->[0] }
		$db->rows(qq{SELECT id FROM kaireon.interaction_history WHERE tenant_id = '$tenant' ORDER BY id COLLATE "C";});
	ok "@ids" eq "@table", $what
		or diag scalar(@ids) . ' lines, ' . scalar(@table) . ' rows';
	is scalar(grep { /\.tmp$/ } files()), 0, "$what: no temporary file is left";
}

sub tenant_of {
	my ($answer, $id) = @_;
	my ($tenant) = grep { $_->{tenantId} eq $id } @{$answer->{json}{tenants}};
	return $tenant // {};
}

sub wait_for {
	my ($what, $condition) = @_;
	my $deadline = time + 60;
	while (time < $deadline) {
		return 1 if $condition->();
		sleep 0.001;
	}
	fail "waited for $what";
	return 0;
}

subtest 'who may call' => sub {
	begin();
	is $worker->get($path)->{status}, 401, 'no secret';
	is $worker->get($path, headers => {Authorization => 'Bearer wrong'})->{status}, 401, 'a wrong one';
	is $worker->cron("$path?dry=true")->{status}, 400, 'no other parameter';
	is $worker->request('POST', $path, body => 'ignored',
		headers => {'X-Cron-Secret' => $Kaireon::Worker::ENVIRONMENT{CRON_SECRET}})->{status}, 200,
		'POST, body ignored';
};

subtest 'nothing, then something' => sub {
	begin();
	$db->tenant('acme');
	my $answer = $worker->cron($path);
	is $answer->{status}, 200, 'status';
	my $tenant = tenant_of($answer, 'acme');
	is $tenant->{exported}, 0, 'nothing new';
	ok exists $tenant->{filePath} && !defined $tenant->{filePath}, 'filePath null';
	is_deeply [files()], [], 'no file';

	$db->do(<<'SQL');
INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction,
	outcome, offer_id, score, context, created_at)
VALUES ('acme', 'int_1', E'q"\\b\tt\nn\x01é€', 'impression', 'outbound', NULL, 'off_1', 0.1,
	'{"k": "v\n", "z": [1, null]}', now() - interval '1 hour'),
       ('acme', 'int_2', 'c2', 'click', 'inbound', 'accepted', NULL, 'NaN', NULL, now() - interval '1 hour');
SQL
	$answer = $worker->cron($path);
	is_deeply [map { ref $_ ? $$_ : $_ } @{$answer->{json}}{qw(skipped complete totalExported)}],
		[0, 1, 2], 'totals' or diag $answer->{body};
	ok $answer->{json}{ok}, 'ok';
	$tenant = tenant_of($answer, 'acme');
	like $tenant->{filePath}, qr{^exports/acme/interaction_history/year=(\d{4})/month=(\d\d)/day=(\d\d)/batch-\1-\2-\3T\d\d-\d\d-\d\d-\d{3}Z\.json$},
		'the path has the time of the batch';
	my $bytes = slurp("$root/$tenant->{filePath}");
	is $tenant->{bytes}, length $bytes, 'bytes';
	is $tenant->{sha256}, sha256_hex($bytes), 'sha256';
	ok !$tenant->{hasMore}, 'no more';
	my ($first, $second) = split /\n/, $bytes;
	my @keys = $first =~ /"(\w+)":/g;
	is_deeply [grep { !/^[kz]$/ } @keys], [qw(id tenantId customerId interactionType direction outcome
		offerId creativeId channelId campaignId campaignRunId recommendationId rank score
		conversionValue context createdAt)], 'all keys in their order';
	my $row = JSON::PP->new->utf8->decode($first);
	is $row->{customerId}, "q\"\\b\tt\nn\x01\x{e9}\x{20ac}", 'hostile text';
	is $row->{score}, 0.1, 'a number';
	is_deeply $row->{context}, {k => "v\n", z => [1, undef]}, 'JSON as JSON';
	like $row->{createdAt}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'time';
	$row = JSON::PP->new->utf8->decode($second);
	ok exists $row->{score} && !defined $row->{score}, 'NaN has no JSON: null';
	is_deeply [$db->rows('SELECT status, rows_total, last_rows, last_sha256, intent_path FROM kaireon.export_checkpoints;')],
		[['ok', 2, 2, $tenant->{sha256}, undef]], 'checkpoint';
	is $db->value('SELECT count(*) FROM kaireon.cron_runs WHERE ok AND complete AND finished_at IS NOT NULL;'), 2,
		'each call has its row';
	$answer = $worker->cron($path);
	is tenant_of($answer, 'acme')->{exported}, 0, 'not twice';
	is_complete('acme', 'all rows once');
};

subtest 'batches' => sub {
	begin(EXPORT_MAX_ROWS => 10);
	$db->tenant('acme');
	insert('acme', 35, 'a');
	my $tenant = tenant_of($worker->cron("$path?drain=yes"), 'acme');
	is $tenant->{exported}, 10, 'EXPORT_MAX_ROWS a call; drain takes only true';
	ok $tenant->{hasMore}, 'and more to come';
	cmp_ok $tenant->{lagSeconds}, '>=', 10, 'lag is the age of the oldest row left';
	$tenant = tenant_of($worker->cron("$path?drain=true"), 'acme');
	is $tenant->{exported}, 25, 'drain: all of it';
	is scalar @{$tenant->{files}}, 3, 'in files';
	is $tenant->{filePath}, $tenant->{files}[-1], 'filePath is the last';
	ok !$tenant->{hasMore}, 'nothing left';
	is_complete('acme', 'all rows once');
};

subtest 'a transaction that commits late' => sub {
	begin();
	$db->tenant('acme');
	insert('acme', 3, 'a');
	my $psql = open2(my $out, my $in, $cluster->_psql($db->name, 'postgres'));
	print {$in} <<'SQL';
BEGIN;
INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
VALUES ('acme', 'int_0late', 'c', 'impression', 'outbound', now() - interval '100 seconds') RETURNING id;
SQL
	is scalar(readline $out), "int_0late\n", 'it is open';
	insert('acme', 4, 'b');
	my $tenant = tenant_of($worker->cron($path), 'acme');
	is $tenant->{exported}, 3, 'what came after it waits';
	ok !$tenant->{hasMore}, 'hasMore speaks of rows below the ceiling';
	cmp_ok $tenant->{lagSeconds}, '>=', 10, 'but the lag shows it';
	print {$in} "COMMIT;\n\\q\n";
	close $in;
	waitpid $psql, 0;
	is tenant_of($worker->cron($path), 'acme')->{exported}, 5, 'then all of it comes';
	is_complete('acme', 'no row was passed by');
};

subtest 'killed in the middle of a file' => sub {
	begin(EXPORT_MAX_ROWS => 1000000, STATEMENT_TIMEOUT_MS => 600000);
	$db->tenant('acme');
	insert('acme', 60000, 'a');
	my $size = sub { my ($file) = grep { /\.tmp$/ } files(); defined $file ? -s $file : undef };
	my %moments = (
		'as the file begins' => sub { defined $size->() },
		'with a part of it' => sub { ($size->() // 0) > 1000000 },
		'with most of it' => sub { ($size->() // 0) > 8000000 },
		'as it has its name' => sub { scalar grep { /\.json$/ } files() },
	);
	my $intent;
	for my $moment ('as the file begins', 'with a part of it', 'with most of it', 'as it has its name') {
		my $socket = $worker->send('GET', $path,
			headers => {'X-Cron-Secret' => $Kaireon::Worker::ENVIRONMENT{CRON_SECRET}});
		wait_for($moment, $moments{$moment}) or last;
		$worker->kill;
		$worker->start;
		my $path = $db->value('SELECT coalesce(intent_path, last_path) FROM kaireon.export_checkpoints;');
		$intent //= $path;
		is $path, $intent, "$moment: the intent stays";
		# the lock goes with the session that the server still has to end
		wait_for('the lock', sub {
			!$db->value(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory';});
		});
	}
	my $answer = $worker->cron("$path?drain=true");
	ok $answer->{json}{ok}, 'then it runs through';
	is_deeply [files()], ["$root/$intent"], 'one file, under the name of the first attempt';
	is sha256_hex(slurp("$root/$intent")),
		$db->value('SELECT last_sha256 FROM kaireon.export_checkpoints;'), 'sha256 of the checkpoint';
	is $db->value('SELECT rows_total FROM kaireon.export_checkpoints;'), 60000, 'rows of the checkpoint';
	is_complete('acme', 'every row once');
};

subtest 'a session that is lost in the middle' => sub {
	begin(EXPORT_MAX_ROWS => 1000000, STATEMENT_TIMEOUT_MS => 600000);
	$db->tenant('acme');
	insert('acme', 60000, 'a');
	my $socket = $worker->send('GET', $path,
		headers => {'X-Cron-Secret' => $Kaireon::Worker::ENVIRONMENT{CRON_SECRET}});
	wait_for('the file', sub { scalar files() });
	$db->do(q{SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
		WHERE usename = 'kaireon_worker' AND datname = current_database();});
	my $answer = $worker->answer($socket);
	ok !$answer->{json}{ok}, 'is a failure of the tenant';
	is tenant_of($answer, 'acme')->{exported}, 0, 'of which nothing counts';
	is tenant_of($worker->cron($path), 'acme')->{exported}, 60000, 'the next call begins anew';
	is scalar(files()), 1, 'in the same file';
	is_complete('acme', 'every row once');
};

subtest 'a session that has lost the lock between two transactions' => sub {
	begin(EXPORT_MAX_ROWS => 10);
	$db->tenant('acme');
	insert('acme', 25, 'a');
	# of each checkpoint that is written the lock goes
	$db->do(<<'SQL');
CREATE FUNCTION public.lose() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN PERFORM pg_catalog.pg_advisory_unlock_all(); RETURN NULL; END';
CREATE TRIGGER lose AFTER UPDATE OF intent_path ON kaireon.export_checkpoints
	FOR EACH STATEMENT EXECUTE FUNCTION public.lose();
SQL
	my $answer = $worker->cron("$path?drain=true");
	ok !$answer->{json}{ok}, 'is a failure of the tenant';
	is_deeply [files()], [], 'which writes nothing';
	like $worker->log, qr/the session that had the lock of export-interactions was lost/, 'the log says why';
	$db->do('DROP TRIGGER lose ON kaireon.export_checkpoints;');
	is tenant_of($worker->cron("$path?drain=true"), 'acme')->{exported}, 25, 'the next call does it';
	is_complete('acme', 'every row once');
};

subtest 'two calls at once' => sub {
	begin(EXPORT_MAX_ROWS => 1000000);
	$db->tenant('acme');
	insert('acme', 60000, 'a');
	my $other = Kaireon::Worker->new(db => $db, pool => 'cron', env => {EXPORT_URL => "file://$root"});
	my $socket = $worker->send('GET', $path,
		headers => {'X-Cron-Secret' => $Kaireon::Worker::ENVIRONMENT{CRON_SECRET}});
	wait_for('the file', sub { scalar files() });
	my $answer = $other->cron($path);
	is $answer->{status}, 200, 'the second';
	is_deeply $answer->{json}, {ok => JSON::PP::true, skipped => JSON::PP::true,
		complete => JSON::PP::false, durationMs => 0}, 'does nothing and says so';
	is $worker->answer($socket)->{json}{totalExported}, 60000, 'the first does its work';
	ok !$other->cron($path)->{json}{skipped}, 'the lock is free again';
	$other->stop;
	is_complete('acme', 'every row once');
};

subtest 'one tenant fails, the others do not' => sub {
	begin();
	$db->tenant($_) for qw(able broken charlie moved);
	insert($_, 5, $_) for qw(able broken charlie moved);
	mkdir "$root/exports";
	open my $file, '>', "$root/exports/broken" or die $!;    # where a folder should be
	close $file;
	$db->do(q{INSERT INTO kaireon.export_checkpoints (tenant_id, stream, system_identifier)
		VALUES ('moved', 'interaction_history', '1');});
	my $answer = $worker->cron($path);
	is $answer->{status}, 200, 'still 200';
	ok !$answer->{json}{ok}, 'not ok';
	is $answer->{json}{totalExported}, 10, 'two tenants';
	my $broken = tenant_of($answer, 'broken');
	is $broken->{exported}, 0, 'the broken one';
	ok length $broken->{error}, 'says that it failed';
	unlike $answer->{body}, qr/\Q$root\E|mkdir|folder/, 'without a path or a cause';
	like $worker->log, qr/broken/, 'the log has it';
	like tenant_of($answer, 'moved')->{error}, qr/cluster changed/, 'another cluster\'s checkpoint';
	is_deeply [$db->rows('SELECT tenant_id, status FROM kaireon.export_checkpoints ORDER BY 1;')],
		[[qw(able ok)], [qw(broken failed)], [qw(charlie ok)], [qw(moved failed)]], 'checkpoints';
	my $intent = $db->value(q{SELECT intent_path FROM kaireon.export_checkpoints WHERE tenant_id = 'broken';});
	unlink "$root/exports/broken";
	insert('broken', 5, 'later');
	is tenant_of($worker->cron($path), 'broken')->{filePath}, $intent, 'the next call takes the same batch';
	is tenant_of($worker->cron($path), 'broken')->{exported}, 5, 'then the rest';
	is_complete('broken', 'every row once');
	$db->do(q{UPDATE kaireon.tenants SET status = 'suspended' WHERE tenant_id = 'able';});
	is_deeply tenant_of($worker->cron($path), 'able'), {}, 'a suspended tenant is left out';
};

subtest 'many small batches' => sub {
	begin(EXPORT_MAX_ROWS => 1);
	$db->tenant('acme');
	insert('acme', 100, 'a');
	is tenant_of($worker->cron("$path?drain=true"), 'acme')->{exported}, 100, 'a row a file';
	is scalar(files('acme')), 100, 'each has a name of its own';
	is_complete('acme', 'every row once');
};

$worker->stop;
done_testing;
