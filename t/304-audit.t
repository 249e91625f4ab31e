#!/usr/bin/perl
# The audit log: its pages, its exports, and that no row can be edited, deleted,
# moved, doubled or cut without being found where it was.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Bundle;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $other = $stack->tenant('two');
$stack->pool('api', 2);
my ($logs, $export) = ('/api/v1/audit-logs', '/api/v1/audit-export');
sub get { my ($path, %option) = @_; return $stack->request('GET', $path, key => $key->{admin}, %option) }

# rows with every sort of value, by applies of random bundles
my $random = Kaireon::Bundle->new(20261121);
for my $i (1 .. 12) {
	my $bundle = Kaireon::Bundle::document($random->bundle);
	my $answer = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false&prune=true&maxDeletes=1000', key => $key->{admin}, body => $bundle);
	is($answer->{status}, 200, "a random configuration $i") or diag $answer->{body};
}
# and some that are like them in the columns: by the append that all share
for my $value ('{"k": [1, -0, 0.1, 1e21, 1e-7, 9007199254740993, 123456789012345678, 1.50, true, null, "\u00e9\u2028\\\"\n\t\u0001\ud83d\ude00"], "": {}, "\ufb33": 1, "\ud83d\ude00": 2, "a\"b\\c": 3, "z": {"bb": 1, "a": [[]]}}') {
	my $made = $stack->request('POST', '/api/v1/api-keys', key => $key->{admin}, body => encode_json({ name => "odd \x{1f600} \" \\ \x{2028} \x{e9}", role => 'viewer' }));
	is($made->{status}, 201, 'a key with an odd name');
	is($stack->request('PUT', '/api/v1/tenant-settings', key => $key->{admin}, body => $value)->{status} =~ /^(200|501|400)$/, 1, 'settings of every value');
	$stack->request('DELETE', "/api/v1/api-keys?id=$made->{json}{id}", key => $key->{admin}, body => '{"reason": "a\ttab, a \"quote\", a \\\\backslash\n"}');
}

# pages
my $page = get($logs)->{json};
my $total = $stack->owner("SELECT count(*) FROM kaireon.audit_logs WHERE tenant_id = 'one'");
is_deeply([sort keys %$page], [qw(limit logs page total)], 'a page');
is("$page->{total} $page->{page} $page->{limit}", "$total 1 50", 'of all');
is_deeply([sort keys %{ $page->{logs}[0] }], [sort qw(id seq action entityType entityId entityName changes before after entityVersion userId userName
	tenantId requestId integrityHash prevHash timestamp)], 'a row');
is_deeply([map { $_->{seq} } @{ $page->{logs} }], [reverse 1 .. $total], 'newest first');
my $second = get("$logs?limit=3&page=2")->{json};
is_deeply([map { $_->{seq} } @{ $second->{logs} }], [$total - 3, $total - 4, $total - 5], 'the second page');
my $beyond = get("$logs?page=1000")->{json};
is("$beyond->{total} @{ $beyond->{logs} }", "$total ", 'a page beyond the last is empty');
is(get("$logs?action=api_key.create&entityType=api_key")->{json}{total}, 4, 'filters');
is(get("$logs?userId=kaireonctl")->{json}{total}, 3, 'by who did it');
is(get("$logs?endDate=2020-01-01")->{json}{total}, 0, 'before a day');
is(get("$logs?startDate=2020-01-01T00:00:00Z")->{json}{total}, $total, 'since a moment');
is(get("$logs?$_")->{status}, 400, $_) for qw(page=0 limit=101 limit=0 startDate=yesterday endDate=2026-13-01 nothing=1);
is(get($logs, key => $other->{admin})->{json}{total}, 3, "another tenant's rows are its own");
is($stack->request($_, $logs, key => $key->{admin})->{status}, 405, "$_ is not for a log") for qw(PUT PATCH DELETE POST);

# many: all by the chain, some by a count that has an end
my $last = $stack->owner("SELECT seq FROM kaireon.audit_heads WHERE tenant_id = 'two'");
$stack->owner("INSERT INTO kaireon.audit_logs (tenant_id, id, seq, action, entity_type, entity_id, actor_id, actor_name, request_id, created_at, prev_hash, hash)
	SELECT 'two', 'many' || n, $last + n, CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'often' END, 'offer', 'off_' || n % 7, 'a', 'a', 'r', now(), '', '' FROM generate_series(1, 12000) AS n;
	UPDATE kaireon.audit_heads SET seq = seq + 12000 WHERE tenant_id = 'two'; ANALYZE kaireon.audit_logs");
sub many { return get("$logs?$_[0]", key => $other->{admin})->{json} }
is_deeply([@{ many('page=2') }{qw(total totalExact)}, map { $_->{seq} } @{ many('page=240&limit=50')->{logs} }], [$last + 12000, undef, reverse $last + 1 .. $last + 50],
	'any page of all is found by its numbers');
is_deeply([map { $_->{seq} } @{ many('page=241')->{logs} }], [reverse 1 .. $last], 'the last one has the rest');
is_deeply([@{ many('action=often') }{qw(total totalExact)}], [10000, JSON::PP::false], 'with a filter the count ends');
is_deeply([@{ many('action=rare') }{qw(total totalExact)}], [12, undef], 'fewer are counted');
is_deeply([map { $_->{seq} - $last } @{ many('action=rare&limit=5&page=3')->{logs} }], [2000, 1000], 'and paged');
is(many('entityType=offer&entityId=off_3&userId=a&startDate=2020-01-01')->{total}, 1715 - 1, 'several filters');
is(get("$export?action=often&limit=1", key => $other->{admin})->{json}{total}, 11988, 'an export counts them all');
$stack->query('postgres', "DELETE FROM kaireon.audit_logs WHERE tenant_id = 'two' AND seq > $last; UPDATE kaireon.audit_heads SET seq = $last WHERE tenant_id = 'two'");
is(get("$logs/verify?limit=100001")->{status}, 400, 'a request verifies so many rows');

# exports
my $json = get("$export?limit=5&offset=2")->{json};
is(scalar @{ $json->{data} } . " $json->{total} $json->{data}[0]{seq}", "5 $total " . ($total - 2), 'as JSON');
my $csv = get("$export?format=csv");
is($csv->{headers}{'content-disposition'}, 'attachment; filename="audit-one.csv"', 'as CSV');
like($csv->{body}, qr/^id,timestamp,action,entityType,entityId,entityName,userId,userName,requestId,changes,before,after,prevHash,integrityHash\r\n/, 'with its header');
like($csv->{body}, qr/"odd \xf0\x9f\x98\x80 "" \\/, 'quoted');
my $soc2 = get("$export?format=soc2&startDate=2020-01-01")->{json};
is_deeply($soc2->{integrity}, { verified => JSON::PP::true, recordsChecked => $total + 0, chainIntact => JSON::PP::true }, 'as evidence, with its integrity');
is((grep { $_->{control} eq 'CC6.2' } @{ $soc2->{controls} })[0]{events}, 5, 'by controls');
is(get("$export?$_")->{status}, 400, $_) for qw(format=xml limit=10001);
my $check = $stack->request('POST', $export, key => $key->{admin}, body => { action => 'verify_integrity', startDate => '2020-01-01' });
is_deeply($check->{json}, { verified => JSON::PP::true, recordsChecked => $total + 0, chainIntact => JSON::PP::true, startDate => '2020-01-01', endDate => undef }, 'verified on demand');
is($stack->request('POST', $export, key => $key->{admin}, body => { action => 'x' })->{status}, 400, 'another action');
get($export) for 1 .. 8;
is(get($export)->{status}, 429, 'ten exports a minute');

# the chain holds
sub verify {
	my (@words) = @_;
	my ($status, $out, $err) = $stack->ctl_try('--json', 'verify-audit', @words);
	my %tenant = map { $_->{tenantId} => $_ } @{ (eval { decode_json($out) }) || [] };
	return ($status, \%tenant, $err);
}
sub findings { my ($tenant) = @_; return join ' ', map { "$_->{seq}:$_->{reason}" } @{ $tenant->{findings} } }
my ($status, $told) = verify();
is($status, 0, 'verify-audit: every chain is intact');
is("$told->{one}{rows} $told->{one}{headSeq} $told->{two}{rows}", "$total $total 3", 'and every row was looked at');
my $head = "$told->{one}{headSeq}:$told->{one}{headHash}";
is_deeply(get("$logs/verify")->{json}, { intact => JSON::PP::true, verified => $total + 0, total => $total + 0, scanned => $total + 0 }, 'the API says so too');
is(get("$logs/verify?limit=4")->{json}{scanned}, 4, 'of the newest rows');
is((verify('--tenant', 'one', '--head', $head))[0], 0, 'the head that was kept');
is((verify('--tenant', 'one', '--head', $_))[0], 1, "a bad head") for 'x', "5:abc", '0:' . 'a' x 64;
is((verify('--head', $head))[0], 1, 'a head without its tenant');

# every kind of change is found where it is
$stack->query('postgres', 'CREATE TABLE public.kept AS SELECT * FROM kaireon.audit_logs; CREATE TABLE public.heads AS SELECT * FROM kaireon.audit_heads');
sub tampered {
	my ($what, $sql, $want, @words) = @_;
	$stack->query('postgres', $sql);
	my ($status, $told) = verify(@words);
	is($status, 1, "$what: found");
	like(findings($told->{one}), $want, 'where it is');
	my $api = get("$logs/verify")->{json};
	ok(!$api->{intact} && $api->{brokenReason} =~ /^(hash|chain_link)_mismatch$/, 'the API finds it') if !@words;
	$stack->query('postgres', 'TRUNCATE kaireon.audit_logs; INSERT INTO kaireon.audit_logs SELECT * FROM public.kept; '
		. 'UPDATE kaireon.audit_heads AS h SET seq = k.seq, hash = k.hash, anchor_seq = k.anchor_seq, anchor_hash = k.anchor_hash, '
		. 'anchor_count = k.anchor_count FROM public.heads AS k WHERE k.tenant_id = h.tenant_id');
}
my $row = "WHERE tenant_id = 'one' AND seq";
my $gitops = $stack->owner("SELECT min(seq) FROM kaireon.audit_logs WHERE tenant_id = 'one' AND action = 'gitops_apply'");
for my $edit ("action = action || 'x'", "entity_type = upper(entity_type)", "entity_id = entity_id || '1'", "entity_name = coalesce(entity_name, '') || ' '", "actor_id = 'x'",
	"actor_name = actor_name || '.'", "request_id = 'x'", "created_at = created_at + interval '1 microsecond'", "created_at = created_at - interval '1 millisecond'",
	"changes = '{}'", "changes = jsonb_set(changes, '{created}', '999')", "before = '{}'", "before = 'null'", "after = '[1]'", "id = id || 'x'", "entity_id = NULL", "request_id = NULL") {
	tampered("SET $edit", "UPDATE kaireon.audit_logs SET $edit $row = " . ($edit =~ /entity_id/ ? $total : $gitops),
		qr/^(\d+):hash_mismatch$/);
}
# the text of a time has four digits for its year
$stack->query('postgres', "CREATE TABLE kaireon.audit_logs_far PARTITION OF kaireon.audit_logs FOR VALUES FROM ('11000-01-01') TO ('13000-01-01')");
tampered('ten thousand years later', "UPDATE kaireon.audit_logs SET created_at = created_at + interval '10000 years' $row = 6", qr/^6:hash_mismatch$/);
$stack->query('postgres', 'DROP TABLE kaireon.audit_logs_far');
tampered('another hash', "UPDATE kaireon.audit_logs SET hash = md5('x') || md5('x') $row = 6", qr/^6:hash_mismatch 7:chain_link_mismatch$/);
tampered('another previous hash', "UPDATE kaireon.audit_logs SET prev_hash = md5('x') || md5('x') $row = 6", qr/^6:chain_link_mismatch 6:hash_mismatch$/);
tampered('a deleted row', "DELETE FROM kaireon.audit_logs $row = 7", qr/^7:rows_missing$/);
tampered('several', "DELETE FROM kaireon.audit_logs $row BETWEEN 5 AND 8", qr/^5:rows_missing$/);
tampered('the first', "DELETE FROM kaireon.audit_logs $row = 1", qr/^1:rows_missing$/);
tampered('the last', "DELETE FROM kaireon.audit_logs $row = $total", qr/^$total:truncated$/);
tampered('all', "DELETE FROM kaireon.audit_logs WHERE tenant_id = 'one'", qr/^1:truncated$/);
tampered('two rows in each other\'s place', "UPDATE kaireon.audit_logs SET seq = CASE seq WHEN 6 THEN 9 ELSE 6 END $row IN (6, 9)", qr/^6:chain_link_mismatch 6:hash_mismatch 7:chain_link_mismatch 9:/);
tampered('a row twice', "INSERT INTO kaireon.audit_logs SELECT tenant_id, id || 'x', seq, action, entity_type, entity_id, entity_name, changes, before, after, actor_id, actor_name,
	request_id, created_at, prev_hash, hash FROM kaireon.audit_logs $row = 8", qr/^8:row_twice 8:hash_mismatch/);
tampered('a row more', "INSERT INTO kaireon.audit_logs SELECT tenant_id, id || 'x', $total + 1, action, entity_type, entity_id, entity_name, changes, before, after, actor_id, actor_name,
	request_id, created_at, hash, hash FROM kaireon.audit_logs $row = $total", qr/hash_mismatch.*truncated/);
tampered('a row of another tenant', "UPDATE kaireon.audit_logs SET tenant_id = 'two' $row = 9", qr/^9:rows_missing$/);
tampered('an anchor that nothing was purged for', "UPDATE kaireon.audit_heads SET anchor_seq = 4, anchor_hash = (SELECT hash FROM kaireon.audit_logs $row = 4) WHERE tenant_id = 'one';
	DELETE FROM kaireon.audit_logs $row <= 4", qr/^4:anchor_mismatch$/);
tampered('the end cut, and the head with it', "DELETE FROM kaireon.audit_logs $row > $total - 2;
	UPDATE kaireon.audit_heads SET seq = $total - 2, hash = (SELECT hash FROM kaireon.audit_logs $row = $total - 2) WHERE tenant_id = 'one'",
	qr/^$total:kept_head_mismatch$/, '--tenant', 'one', '--head', $head);
tampered('a chain made anew', "UPDATE kaireon.audit_logs SET hash = md5('y') || md5('y') $row = $total; UPDATE kaireon.audit_heads SET hash = md5('y') || md5('y') WHERE tenant_id = 'one'",
	qr/$total:kept_head_mismatch/, '--tenant', 'one', '--head', $head);
is((verify())[0], 0, 'as it was, it is intact');

# after a purge the rest still proves itself, and the next row too
$stack->owner("UPDATE kaireon.retention_configs SET retention_days = 1 WHERE data_class = 'audit'");
$stack->query('postgres', q{BEGIN; SELECT kaireon.tenant_set('one');
	SELECT kaireon.partition_ensure('audit_logs', (now() - interval '400 days')::date); COMMIT});
# the rows of a chain that is old: their hashes hold for their times
is($stack->query('postgres', q{WITH purged AS (DELETE FROM kaireon.audit_logs WHERE tenant_id = 'one' AND seq <= 6 RETURNING seq, hash)
	UPDATE kaireon.audit_heads SET anchor_seq = 6, anchor_hash = (SELECT hash FROM purged WHERE seq = 6), anchor_count = 6 WHERE tenant_id = 'one' RETURNING 'purged'}), 'purged', 'a prefix is purged');
($status, $told) = verify();
is("$status $told->{one}{rows} $told->{one}{purgedTo}", '0 ' . ($total - 6) . ' 6', 'the rest continues the anchor');
is(get("$logs/verify")->{json}{total}, $total - 6, 'for the API too');
$stack->request('POST', '/api/v1/api-keys', key => $key->{admin});
is((verify())[0], 0, 'and goes on');
is((verify('--tenant', 'one', '--head', $head))[0], 0, 'the head that was kept is still in it');
is((verify('--tenant', 'one', '--head', '2:' . 'a' x 64))[0], 0, 'one that was purged since cannot be compared');
is((verify('--tenant', 'one', '--head', '6:' . 'a' x 64))[0], 1, 'but at the anchor');
$stack->query('postgres', "DELETE FROM kaireon.audit_logs $row = 7");
like(findings((verify())[1]->{one}), qr/^7:rows_missing$/, 'a row behind the anchor is missed');

$stack->end;
done_testing;
