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

done_testing;
