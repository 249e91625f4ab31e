# Migrations: up from empty, again, several at once, and what is refused.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use Test::More;

use Kaireon::Cluster;

my $cluster = Kaireon::Cluster->new;

sub migrate {
	my ($db) = @_;
	local $ENV{DATABASE_ADMIN_URL} = $db->url('owner');
	my $output = `$ENV{KRN_BUILDDIR}/kaireonctl migrate 2>&1`;
	return ($? >> 8, $output);
}

my @files = map { m{(\d{3})_(\w+)\.sql$} ? [0 + $1, "$1_$2", $_] : () }
	sort glob "$ENV{KRN_SRCDIR}/sql/schema/*.sql";

sub sha256_of {
	open my $handle, '<:raw', $_[0] or die "$_[0]: $!";
	local $/;
	return sha256_hex(readline $handle);
}

my $all = 'SELECT number, name, sha256, applied_at FROM kaireon.schema_migrations ORDER BY number;';
my $db = $cluster->empty;
my ($status, $output) = migrate($db);
is $status, 0, 'up from empty' or diag $output;
my @rows = $db->rows($all);
is_deeply [map { [@$_[0 .. 2]] } @rows], [map { [$_->[0], $_->[1], sha256_of($_->[2])] } @files],
	'each file in its order, with its checksum';
($status) = migrate($db);
is $status, 0, 'again';
is_deeply [$db->rows($all)], \@rows, 'changes nothing';

$db->do(q{UPDATE kaireon.schema_migrations SET sha256 = 'another' WHERE number = 2;});
($status, $output) = migrate($db);
is $status, 1, 'a file that was edited after it was applied is refused';
like $output, qr/migration \Q$files[1][1]\E was edited after it was applied/, 'and named';

$db = $cluster->clone;
$db->do(q{INSERT INTO kaireon.schema_migrations (number, name, sha256) VALUES (999, '999_future', '');});
($status, $output) = migrate($db);
is $status, 1, 'a database that is ahead of the program is refused';
like $output, qr/ahead of this program/, 'and told so';

# something is in the way of the first: nothing of it stays
$db = $cluster->empty;
$db->do('CREATE SCHEMA kaireon;');
($status, $output) = migrate($db);
is $status, 1, 'a migration that fails';
like $output, qr/^kaireonctl: /m, 'is told';
is $db->value(q{SELECT count(*) FROM pg_class WHERE relnamespace = 'kaireon'::regnamespace;}), 0,
	'and leaves nothing behind';

# four programs at once: each step is made by one of them
$db = $cluster->empty;
my @pids = map {
	my $pid = fork // die "fork: $!";
	if (!$pid) {
		my ($status) = migrate($db);
		POSIX::_exit($status);
	}
	$pid;
} 1 .. 4;
is join(' ', map { waitpid $_, 0; $? } @pids), '0 0 0 0', 'four at once';
is $db->value('SELECT count(*) FROM kaireon.schema_migrations;'), scalar @files, 'each file once';

# Expand, then contract: a migration that takes something away from programs that
# still run must say whom it ends (HACKING.md). The rule begins with the file
# that made it possible.
my @takes_away = (
	[qr/\bDROP\s+(TABLE|COLUMN|FUNCTION|VIEW|SCHEMA|TYPE|DOMAIN)\b/i, 'a DROP'],
	[qr/\bRENAME\b/i, 'a RENAME'],
	[qr/\bALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE\b/i, 'another type'],
	[qr/\bSET\s+NOT\s+NULL\b/i, 'SET NOT NULL'],
	[qr/\bADD\s+COLUMN\s+(IF\s+NOT\s+EXISTS\s+)?\w+\s+(?:(?!\bDEFAULT\b)[^,;])*\bNOT\s+NULL\b(?:(?!\bDEFAULT\b)[^,;])*[,;]/i, 'a new column that must be given'],
	[qr/\bREVOKE\b(?!.*\bFROM\s+PUBLIC\b)/i, 'a REVOKE'],
);

# What of a text takes something away, but for bodies of functions and comments.
sub taken_away {
	my ($text) = @_;
	$text =~ s/--.*$//mg;
	$text =~ s/\$(\w*)\$.*?\$\1\$/''/sg;
	return if $text =~ /\bSELECT\s+kaireon\.contract\s*\(\s*\d+\s*\)/i;
	return map { $text =~ $_->[0] ? $_->[1] : () } @takes_away;
}
for my $case (['DROP TABLE kaireon.x;', 1], ['ALTER TABLE kaireon.x DROP COLUMN y;', 1], ['ALTER TABLE kaireon.x RENAME y TO z;', 1],
	['ALTER TABLE kaireon.x ALTER COLUMN y TYPE text;', 1], ['ALTER TABLE kaireon.x ALTER y SET NOT NULL;', 1],
	['ALTER TABLE kaireon.x ADD COLUMN y text NOT NULL;', 1], ["ALTER TABLE kaireon.x ADD COLUMN y text NOT NULL DEFAULT '';", 0],
	['ALTER TABLE kaireon.x ADD COLUMN y text;', 0], ["-- DROP TABLE\nCREATE TABLE kaireon.x (y text NOT NULL);", 0],
	["CREATE FUNCTION f() RETURNS void LANGUAGE sql AS \$\$ DROP TABLE x \$\$;", 0], ['REVOKE SELECT ON kaireon.x FROM kaireon_api;', 1],
	['REVOKE ALL ON FUNCTION kaireon.f() FROM PUBLIC;', 0], ["SELECT kaireon.contract(12);\nDROP TABLE kaireon.x;", 0]) {
	my ($text, $wanted) = @$case;
	is scalar(() = taken_away($text)) ? 1 : 0, $wanted, "the rule about: $text";
}
my ($begins) = map { $_->[1] =~ /_contract$/ ? $_->[0] : () } @files;
for my $file (grep { $_->[0] > $begins } @files) {
	open my $handle, '<', $file->[2] or die $!;
	my $text = do { local $/; <$handle> };
	is join(', ', taken_away($text)), '', "$file->[1] only adds, or calls kaireon.contract";
}

# what contract says is kept with the migration's row
$db = $cluster->clone;
is $db->value('SELECT max(oldest_program) FROM kaireon.schema_migrations;'), 0, 'no migration ended a program yet';
$db->do("BEGIN; SELECT kaireon.contract(7); INSERT INTO kaireon.schema_migrations (number, name, sha256) VALUES (999, 'x', ''); COMMIT;");
$db->do("INSERT INTO kaireon.schema_migrations (number, name, sha256) VALUES (1000, 'y', '');");
is $db->value('SELECT oldest_program FROM kaireon.schema_migrations WHERE number = 999;'), 7, 'one that does says so';
is $db->value('SELECT oldest_program FROM kaireon.schema_migrations WHERE number = 1000;'), 0, 'and only it';

done_testing;
