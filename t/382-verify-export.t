#!/usr/bin/perl
# The lake against the table: what is missing, extra or altered has a name,
# what was purged is known, files are compressed, in S3, and read by others.
use strict;
use warnings;

use File::Find ();
use JSON::PP;
use POSIX ();
use Test::More;

use Kaireon::Npm;
use Kaireon::S3;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { EXPORT_MAX_ROWS => 100 });
my $root = "$stack->{dir}/data";
$stack->tenant($_) for qw(acme other);

# $nr rows of a tenant in one transaction, some months old
sub insert {
	my ($tenant, $nr, $prefix, $age) = @_;
	$age //= '10 seconds';
	$stack->query('postgres', "SELECT kaireon.partition_ensure('interaction_history', (now() - interval '$age')::date)");
	$stack->query('postgres', "INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, offer_id,
		rank, score, context, created_at) SELECT '$tenant', '${prefix}_' || lpad(i::text, 5, '0'), 'c\"' || i % 97, 'impression', 'outbound',
		'off_1', i % 5, i / 7.0::float8, '{\"a\": [1, null]}', now() - interval '$age' FROM generate_series(1, $nr) AS i");
}

sub pool {
	my (%setting) = @_;
	$stack->stop('cron1') if $stack->{pids}{cron1};
	$stack->{settings}{$_} = $setting{$_} for keys %setting;
	$stack->pool('cron', 1);
}

sub export {
	my $answer = $stack->request('GET', '/api/v1/cron/export-interactions?drain=true', headers => { X_CRON_SECRET => 'cron-secret' });
	ok($answer->{json}{ok}, 'an export') or diag $answer->{body};
	return { map { $_->{tenantId} => $_ } @{ $answer->{json}{tenants} } };
}

sub verify {
	my ($status, $out, $err) = $stack->ctl_try('--json', 'verify-export', @_);
	my $report = eval { decode_json($out) } or diag "$out$err";
	is($status, $report->{ok} ? 0 : 1, 'the exit status says whether all is well');
	return $report;
}

sub is_whole {
	my ($rows, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $report = verify();
	is_deeply([@$report{qw(ok rows missing extra altered)}], [JSON::PP::true, $rows, [], [], []], $what) or diag explain $report;
	return $report;
}

# What is wrong, as "kind id", sorted.
sub wrongs {
	my $report = verify(@_);
	return join ' ', sort map { my $kind = $_; map { "$kind:" . ($_->{id} // 'file') } @{ $report->{$kind} } } qw(missing extra altered);
}

sub files {
	my ($tenant) = @_;
	my @found;
	File::Find::find(sub { push @found, $File::Find::name if -f && $File::Find::name =~ m{/exports/\Q$tenant\E/} }, "$root/exports");
	return sort @found;
}

# Change a file's text, and put it back afterwards.
sub with {
	my ($file, $change, $check) = @_;
	my $text = $stack->slurp($file);
	$stack->spew($file, $change->($text));
	$check->();
	$stack->spew($file, $text);
}

pool();
is_whole(0, 'nothing was exported, nothing is wrong');
insert('acme', 250, 'a');
insert('other', 30, 'o');
my $files = export()->{acme}{files};
is(scalar @$files, 3, 'in files of a hundred');
is(is_whole(280, 'an export is whole')->{files}, 4, 'all files were read');
my ($first, $second) = files('acme');

# what a hand can do to a lake
with($first, sub { $_[0] =~ s/^.*"a_00007".*\n//mr }, sub { is(wrongs(), 'missing:a_00007', 'a line taken out') });
with($first, sub { $_[0] =~ s/\A.*\n//r }, sub { is(wrongs(), 'missing:a_00001', 'the first line') });
with($second, sub { $_[0] =~ s/.*\n\z//r }, sub { is(wrongs(), 'missing:a_00200', 'the last line of a file in the middle') });
with($first, sub { $_[0] =~ s/("a_00007".*"rank":)\d/${1}9/r }, sub { is(wrongs(), 'altered:a_00007', 'a number changed') });
with($first, sub { $_[0] =~ s/^(.*)"a_00007"(.*\n)/$1"a_00007"$2$1"z_1"$2/mr }, sub { is(wrongs(), 'extra:z_1', 'a line put in') });
with($first, sub { $_[0] =~ s/^(.*"a_00007".*\n)/$1$1/mr }, sub { is(wrongs(), 'extra:a_00007', 'a line twice') });
with($first, sub { $_[0] =~ s/^(.*"a_00007".*\n)(.*\n)/$2$1/mr }, sub { is(wrongs(), 'altered:file', 'two lines in another order: the file is not what was published') });
with($first, sub { $_[0] . "garbage\n" }, sub { is(wrongs(), 'extra:garbage', 'something behind the end') });
with($first, sub { substr $_[0], 0, 5000 }, sub { like(wrongs(), qr/^altered:\S+ missing:.* missing:a_00100$/s, 'a file that was cut off') });
with($first, sub { $_[0] =~ s/"a_00007"/"a_00008"/r }, sub { is(wrongs(), 'extra:a_00008 missing:a_00007', 'another id') });
rename $first, "$first.away" or die $!;
my $report = verify('--tenant', 'acme');
is(scalar @{ $report->{missing} }, 100, 'a file that is gone: each of its rows is missing');
is_deeply([map { $_->{path} } @{ $report->{extra} }], [substr("$first.away", 1 + length $root)], 'one that nobody published is extra');
rename "$first.away", $first;
is(wrongs('--tenant', 'other'), '', 'one tenant, which is whole');
is(($stack->ctl_try('verify-export', '--tenant', 'nobody'))[0], 1, 'an unknown tenant is an error');
my ($manifest) = glob "$root/exports/_manifest/acme/interaction_history/*.json";
my $line = decode_json($stack->slurp($manifest));
is_deeply([@$line{qw(path number rows range previousSha256 tenantId)}], [$files->[0], 1, 100, { from => 1, to => 100 }, undef, 'acme'], 'a manifest');
my @manifests = map { decode_json($stack->slurp($_)) } glob "$root/exports/_manifest/acme/interaction_history/*.json";
is($manifests[$_]{previousSha256}, $manifests[$_ - 1]{sha256}, 'names the file before it') for 1, 2;
with($manifest, sub { $_[0] =~ s/"rows":100/"rows":99/r }, sub { is(wrongs(), 'altered:file', 'a manifest that was altered') });
like(($stack->ctl_try('verify-export'))[1], qr/^intact: 280 rows in 4 files/, 'for people');

# what was purged is known, and nothing else is
$stack->query('postgres', "DELETE FROM kaireon.interaction_history WHERE id = 'a_00150'");
is(wrongs(), 'extra:a_00150', 'a row that went without a mark');
$stack->query('postgres', "INSERT INTO kaireon.purge_marks (tenant_id, table_name, month, purged_before, purged_rows, exported_rows)
	VALUES ('acme', 'interaction_history', date_trunc('month', now() AT TIME ZONE 'UTC'), now(), 1, 1)");
is(verify()->{purged}, 1, 'with one it was purged');
$stack->query('postgres', "DELETE FROM kaireon.interaction_history WHERE id = 'a_00151'");
like(wrongs(), qr/^extra:a_0015[01]$/, 'one more than the mark tells of');
$stack->query('postgres', 'UPDATE kaireon.purge_marks SET exported_rows = 2');
insert('acme', 150, 'old', '800 days');
export();
my $cleaned = $stack->request('GET', '/api/v1/cron/cleanup', headers => { X_CRON_SECRET => 'cron-secret' })->{json}{cleaned};
is($cleaned->{interactionHistory}, 150, 'a cleanup purges what is two years old');
is(is_whole(278, 'the lake is whole')->{purged}, 152, 'and what went is known');

# who was erased is known, too
insert('acme', 10, 'e"x');
export();
$stack->query('postgres', q{SELECT set_config('kaireon.tenant_id', 'acme', false), kaireon.customer_erase('c"3')});
my $erased = verify();
is_deeply([@$erased{qw(ok extra)}], [JSON::PP::true, []], 'rows that went with their customer are known') or diag explain $erased;
my $gone = $erased->{purged} - 152;
cmp_ok($gone, '>', 3, 'and counted');

# compressed
for my $kind (['zstd', 'zst', 'zstd -dc'], ['gzip', 'gz', 'gzip -dc']) {
	my ($name, $ending, $unpack) = @$kind;
	pool(EXPORT_COMPRESS => $name);
	insert('acme', 150, $name);
	my ($path) = @{ export()->{acme}{files} };
	like($path, qr/\.json\.$ending$/, "$name: the name tells");
	is(`$unpack $root/$path | jq -r .tenantId | sort | uniq -c` =~ s/\s+/ /gr, ' 100 acme ', 'others read it') if $name eq 'gzip' || -x '/usr/bin/zstd';
	with("$root/$path", sub { substr $_[0], 0, 500 }, sub { like(wrongs(), qr/missing:${name}_00100$/, 'cut off: rows are missing') });
	with("$root/$path", sub { 'x' x 500 }, sub { is(scalar(() = wrongs() =~ /missing:/g), 100, 'broken: all are') });
}
is_whole(588 - $gone, 'all of it is whole');

# by others: DuckDB with hive partitioning, jq
my $npm = Kaireon::Npm::dir();
$stack->spew("$stack->{dir}/duck.js", <<'JS');
const { DuckDBInstance } = require('module').createRequire(process.env.KRN_NPM + '/')('@duckdb/node-api');
(async () => {
	const db = await (await DuckDBInstance.create(':memory:')).connect();
	const rows = await db.runAndReadAll(`SELECT count(*)::int, count(DISTINCT id)::int, min(year)::varchar, max(score) > 20 AS number,
		count(*) FILTER (WHERE context.a[1]::int = 1)::int FROM read_json('${process.argv[2]}/exports/acme/**/*.json*', hive_partitioning = true)`);
	console.log(JSON.stringify(rows.getRows()[0]));
})();
JS
my $duck = `KRN_NPM=$npm node $stack->{dir}/duck.js $root 2>&1`;
is_deeply(eval { decode_json($duck) }, [710, 710, (gmtime)[5] + 1900 . '', JSON::PP::true, 710], 'DuckDB reads the lake') or diag $duck;
is(`cat $first $second | jq -rs 'map(.customerId) | length'` + 0, 200, 'and so does jq');

# in S3
my $s3 = Kaireon::S3->new($stack);
$stack->tenant('cloud');
pool(EXPORT_URL => 's3://lake/one', EXPORT_COMPRESS => '');
$stack->query('postgres', q{UPDATE kaireon.tenants SET status = 'suspended' WHERE tenant_id <> 'cloud'});
insert('cloud', 250, 's');
$s3->rules({ method => 'PUT', status => 403, code => 'AccessDenied', times => 1 });
my $refused = $stack->request('GET', '/api/v1/cron/export-interactions?drain=true', headers => { X_CRON_SECRET => 'cron-secret' })->{json}{tenants}[0];
like($refused->{error}, qr/^S3 answered 403 AccessDenied for lake\/one\/exports\/cloud/, 'an S3 that refuses: the answer says so');
$s3->rules({ method => 'PUT', url => 'interaction_history/year', status => 500, after => \1, times => 1 });
my $cloud = export()->{cloud};
is_deeply([@$cloud{qw(exported hasMore)}], [250, JSON::PP::false], 'then it is exported');
is(scalar(grep { !/_manifest/ } $s3->keys('lake')), 3, 'as objects');
is(wrongs('--tenant', 'cloud'), '', 'which are whole');
my ($key) = grep { !/_manifest/ } $s3->keys('lake');
my $object = "$s3->{dir}/objects/lake/${key}._S3rver_object";
with($object, sub { $_[0] =~ s/"s_00007"/"x_00007"/r }, sub { is(wrongs('--tenant', 'cloud'), 'extra:x_00007 missing:s_00007', 'or not') });
unlink $object;
is(scalar(() = wrongs('--tenant', 'cloud') =~ /missing:/g), 100, 'an object that is gone');
insert('cloud', 40000, 'big');
# parts take longer than a statement may, and than a transaction may be idle
pool(EXPORT_MAX_ROWS => 100000, STATEMENT_TIMEOUT_MS => 2000);
$s3->rules({ method => 'PUT', url => 'partNumber=[12]', delay => 5000, times => 2 });
is(export()->{cloud}{exported}, 40000, 'a large object, and an S3 that is slow');
$s3->rules;
pool(STATEMENT_TIMEOUT_MS => 30000);
is(scalar(() = wrongs('--tenant', 'cloud') =~ /missing:/g), 100, 'is read in parts');


# a session that is lost while S3 is waited for: the lock went with it
insert('cloud', 5, 'session');
$s3->forget;
$s3->rules({ method => 'PUT', hang => \1, times => 1 });
my $objects = () = $s3->keys('lake');
my $call = fork // die $!;
if (!$call) {
	eval { $stack->request('GET', '/api/v1/cron/export-interactions', headers => { X_CRON_SECRET => 'cron-secret' }) };
	$stack->{owner} = 0;
	POSIX::_exit(0);
}
$stack->wait_for('S3', sub { $s3->requests(qr/^PUT/) });
$stack->query('postgres', q{SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'kaireon_worker'});
waitpid $call, 0;
$s3->rules;
is(scalar $s3->requests(qr/^PUT/), 1, 'an upload whose session was lost is not tried again');
is(scalar(() = $s3->keys('lake')), $objects, 'no object appears');
is($stack->query('postgres', q{SELECT status FROM kaireon.export_checkpoints WHERE tenant_id = 'cloud'}), 'failed', 'the checkpoint says that it failed');
is(export()->{cloud}{exported}, 5, 'the next call does it');

# it is listed from where the lake was left, and what lies behind that is found
$s3->forget;
insert('cloud', 5, 'listed');
is(export()->{cloud}{exported}, 5, 'an export looks at the lake first');
my @lists = $s3->requests(qr/^GET .*list-type=2/);
is_deeply([map { $_->{status} . ' ' . ($_->{url} =~ /start-after=one%2Fexports%2Fcloud%2Finteraction_history%2Fyear/ ? 1 : 0) } @lists], ['200 1'], 'at its end only');
$stack->query('postgres', "UPDATE kaireon.export_checkpoints SET path_at = path_at - interval '1 hour' WHERE tenant_id = 'cloud'");
insert('cloud', 5, 'refused');
like($stack->request('GET', '/api/v1/cron/export-interactions', headers => { X_CRON_SECRET => 'cron-secret' })->{json}{tenants}[0]{error},
	qr{^the lake has "exports/cloud/interaction_history/\S+", which this database does not know}, 'objects that it does not know stop it');

$stack->announce(qr/cron job failed for a tenant.*(?:S3|the lake has)|lost the connection|57P01/);
$stack->end;
done_testing;
