#!/usr/bin/perl
# kaireonctl: imports of good and bad files, segments, exit statuses.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
$stack->tenant('one');
my $dir = $stack->{dir};
my $nr = 0;

# Import a text; extra options may follow. Gives status, output, error.
sub import_text {
	my ($text, @options) = @_;
	my $file = $stack->spew("$dir/in" . ++$nr . (grep(/ndjson/, @options) ? '.ndjson' : '.csv'), $text);
	@options = grep { !/^ndjson$/ } @options;
	push @options, '--schema', "s$nr" unless grep { $_ eq '--schema' } @options;
	push @options, '--id-column', 'id' unless grep { /--number-rows|--id-column/ } @options;
	return $stack->ctl_try('--json', 'import', '--tenant', 'one', @options, $file);
}

sub columns_of {
	my ($schema) = @_;
	return $stack->owner("SELECT string_agg(c->>'name' || ' ' || (c->>'type'), ', ') FROM kaireon.data_schemas, jsonb_array_elements(columns) AS c WHERE name = '$schema'");
}

sub rows_of { return $stack->query('kaireon_worker', "SELECT count(*) FROM t_one.ds_$_[0]") }

for my $case (['comma', "id,a,b\n1,2,x\n2,3,y\n"], ['semicolon and CRLF', "id;a;b\r\n1;2;x\r\n2;3;y\r\n"], ['tab', "id\ta\tb\n1\t2\tx\n2\t3\ty\n"],
	['a byte order mark', "\xef\xbb\xbfid,a,b\n1,2,x\n2,3,y\n"], ['no last newline', "id,a,b\n1,2,x\n2,3,y"],
	['quotes', "\"id\",\"a\",\"b\"\n\"1\",2,\"x, \"\"y\"\"\nz\"\n2,3,y\n"]) {
	my ($status, $out, $err) = import_text($case->[1]);
	is($status, 0, "CSV with $case->[0]") or diag $err;
	is(decode_json($out || '{}')->{rows}, 2, 'two rows');
	is(columns_of("s$nr"), 'id text, a bigint, b text', 'and their types');
}
is($stack->query('kaireon_worker', "SELECT b FROM t_one.ds_s$nr WHERE id = '1'"), "x, \"y\"\nz", 'a quoted field as it is');
my ($status, $out, $err) = import_text("id,a,b,c\n1,1.5,,01\n2,,\"\",x\n");
is(columns_of("s$nr"), 'id text, a double precision, b text, c text', 'a double, and an empty column is text');
is($stack->query('kaireon_worker', "SELECT b IS NULL FROM t_one.ds_s$nr WHERE id = '1'"), 't', 'empty unquoted is NULL');
is($stack->query('kaireon_worker', "SELECT b FROM t_one.ds_s$nr WHERE id = '2'"), '', 'empty quoted is not');
($status) = import_text("{\"id\": \"a\", \"n\": 1}\n{\"id\": \"b\", \"n\": null}\n", 'ndjson');
is($status, 0, 'NDJSON');
is(columns_of("s$nr"), 'id text, n bigint', 'with types');
($status) = import_text("a,b\n1,2\n3,4\n", '--number-rows', 'id');
is($status, 0, 'rows are numbered');
is($stack->query('kaireon_worker', "SELECT string_agg(id, ' ' ORDER BY id) FROM t_one.ds_s$nr"), '1 2', 'from 1');
($status) = import_text("id,zip\n1,01234\n", '--types', 'zip=text');
is($stack->query('kaireon_worker', "SELECT zip FROM t_one.ds_s$nr"), '01234', 'a type that was given');

# what is wrong is named, and nothing stays
for my $case (['line 3: 2 fields, the header has 3', "id,a,b\n1,2,x\n2,3\n"], ['line 2, column 2: a quote inside', "id,a\n1,x\"y\n"],
	['line 2, column 2: a quote without its end', "id,a\n1,\"x\n"], ['line 2, column 2: text behind a closing quote', "id,a\n1,\"x\"y\n"],
	['line 3, column 2: not UTF-8', "id,a\n1,x\n2,\xff\n"], ['line 2, column 2: a NUL byte', "id,a\n1,x\0y\n"],
	['line 3: the id "id" is empty', "id,a\n1,x\n,y\n"], ['an id stands twice', "id,a\n1,x\n1,y\n"], ['no column "id"', "a,b\n1,2\n"],
	['the column "a" stands twice', "id,a,a\n1,2,3\n"], ['the file is empty', '']) {
	($status, $out, $err) = import_text($case->[1]);
	is($status, 1, "refused: $case->[0]");
	like($err, qr/^kaireonctl: .*\Q$case->[0]\E/, 'and says where');
	is($stack->owner("SELECT count(*) FROM kaireon.data_schemas WHERE name = 's$nr'"), 0, 'nothing is left');
}
($status, undef, $err) = import_text("id,ctid\n1,2\n");
is($status, 1, 'a column of PostgreSQL\'s own');
($status, undef, $err) = import_text("{\"id\": 1}\n{\"id\"\n", 'ndjson');
like($err, qr/line 2/, 'NDJSON names its line');

# again
import_text("id,a\n1,2\n", '--schema', 'again');
($status, undef, $err) = import_text("id,a\n3,4\n", '--schema', 'again');
is($status, 1, 'an existing schema is an error');
($status) = import_text("id,a\n3,4\n", '--schema', 'again', '--append');
is($status . rows_of('again'), '02', 'unless rows are appended');
($status) = import_text("id,a\n5,x\n", '--schema', 'again', '--replace');
is($status . rows_of('again'), '12', 'a failed replace leaves what was there');
($status) = import_text("id,a\n5,6\n", '--schema', 'again', '--replace');
is($status . rows_of('again'), '01', 'or replaced');
($status, undef, $err) = import_text("id,b\n5,6\n", '--schema', 'again', '--append');
like($err, qr/not those of the existing schema/, 'other columns are refused');
is(($stack->ctl_try('import', '--tenant', 'one'))[0], 2, 'wrong usage is status 2');

# segments
import_text("id,age,job,joined\n1,30,cook,2026-01-01\n2,40,it's,2026-02-01\n3,,nurse,2026-03-01\n", '--schema', 'people', '--types', 'joined=date');
for my $case ([1, 'age:gte:35'], [1, 'age:lt:35'], [2, 'age:exists'], [1, 'age:not_exists'], [2, 'job:in:cook,nurse'], [1, "job:eq:it's"],
	[1, 'job:contains:urs'], [2, 'joined:gte:2026-02-01'], [1, 'job:not_in:cook,nurse']) {
	my ($code, $json, $why) = $stack->ctl_try('--json', 'segment', 'create', '--tenant', 'one', '--name', "seg $case->[1]", '--schema', 'people', '--where', $case->[1]);
	is($code ? $why : decode_json($json)->{customerCount}, $case->[0], "segment: $case->[1]");
}
for my $case (['unknown attribute', 'nothing:eq:1'], ['unknown operator', 'age:like:1'], ['not of its attribute', 'age:eq:x'], ['attribute:operator:value', 'age'],
	['not of its attribute', "age:eq:1; DROP TABLE x"]) {
	my ($code, undef, $why) = $stack->ctl_try('segment', 'create', '--tenant', 'one', '--name', 'bad', '--schema', 'people', '--where', $case->[1]);
	is($code, 1, "a segment with $case->[1]");
	like($why, qr/\Q$case->[0]\E/, 'is refused with a reason');
}
is($stack->owner("SELECT count(*) FROM kaireon.segments WHERE name = 'bad'"), 0, 'and leaves no row');

my ($bank) = grep { -f } $ENV{KRN_BANK_CSV} // '', "$stack->{source}/../shared/data/bank-full.csv";
SKIP: {
	skip 'bank-full.csv (UCI Bank Marketing) is not there: set KRN_BANK_CSV', 2 unless $bank;
	my $import = decode_json($stack->ctl('--json', 'import', '--tenant', 'one', '--schema', 'bank', '--number-rows', 'customer_id', $bank));
	is($import->{rows}, 45211, 'the bank customers');
	like(columns_of('bank'), qr/^customer_id text, age bigint, job text, .*balance bigint/, 'with their types');
}
$stack->end;
done_testing;
