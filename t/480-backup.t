#!/usr/bin/perl
# Every command of doc/backup.md: a base backup with an archive, a restore of
# what came after it, a dump into another cluster; and what is found there is
# what was there.
use strict;
use warnings;

use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $dir = $stack->{dir};
my @server = $> == 0 ? ('runuser', '-u', 'postgres', '--') : ();
mkdir "$dir/$_" for qw(backup backup/wal restored-sock other-sock other-data secrets);
$stack->spew("$dir/secrets/API_KEY_PEPPER", "x\n");
if ($> == 0) {
	chown((getpwnam 'postgres')[2, 3], "$dir/$_") for qw(backup backup/wal restored-sock other-sock other-data secrets secrets/API_KEY_PEPPER);
}
$stack->stop_postgres;
$stack->system_ok("printf \"archive_mode = on\\narchive_command = 'cp %%p $dir/backup/wal/%%f'\\n\" >>$dir/pg/postgresql.conf");
$stack->start_postgres;

# the page: code blocks by their headings
my %block;
{
	open my $in, '<', "$stack->{source}/doc/backup.md" or die $!;
	my $heading = 'needs';
	while (<$in>) {
		$heading = lc $1 if /^## (.+)$/;
		$block{$heading} .= $_ if /^```sh$/ .. /^```$/ and !/^```/;
	}
}
is_deeply([sort keys %block], [sort 'needs', 'back up', 'restore', 'check', 'a dump'], 'the page has its parts');

# as the server's user, in the folder of the sources
sub page {
	my ($heading) = @_;
	$stack->spew("$dir/page.sh", "set -eu\ncd $stack->{source}\n" . ($block{$heading} or die $heading));
	mkdir "$dir/bin";
	symlink "$stack->{build}/kaireonctl", "$dir/bin/kaireonctl";
	my %own = (BIN => $stack->{pg_bin}, SOCKET => "$dir/sock", BACKUP => "$dir/backup", SECRETS => "$dir/secrets", FILES => "$dir/data",
		RESTORED => "$dir/backup/restored", RESTORED_SOCKET => "$dir/restored-sock", OTHER_SOCKET => "$dir/other-sock");
	local %ENV = (%ENV, %own, %{ $stack->{settings} }, PATH => "$dir/bin:$ENV{PATH}");
	my $out = `cd / && @server bash $dir/page.sh 2>&1`;
	is($?, 0, "the commands of \"$heading\"") or diag $out;
	return $out;
}

# a tenant with a run and an export before the backup
$stack->pool('api', 1)->pool('cron', 1);
$stack->worker;
my $demo = Kaireon::Campaign->new($stack, 'one', count => 200);
my $run = $demo->finished($demo->campaign(name => 'before'), $demo->trigger($stack->owner('SELECT id FROM kaireon.campaigns')));
is($run->{status}, 'completed', 'a run before the backup');
my @headers = (headers => { X_CRON_SECRET => 'cron-secret' });
is($stack->request('GET', '/api/v1/cron/export-interactions', @headers)->{json}{ok}, JSON::PP::true, 'an export before it');
chmod 0755, $dir;
$stack->system_ok("chmod -R a+rX $dir/data $dir/secrets");
page('needs');
like(page('back up'), qr/"ok": ?true/, 'the audit is sound');
ok(-s "$dir/backup/secrets/API_KEY_PEPPER", 'secrets are copied');
my @files = glob "$dir/backup/files/runs/*";
ok(scalar @files, 'files are copied');

# and something after it, which only the archive has
is($demo->campaign(name => 'after') =~ /^camp_/, 1, 'a change after the backup');
my $state = sub {
	my ($socket) = @_;
	return join ' ', map { `psql -qXAt -h $socket -U postgres -d kaireon -c "$_"` =~ s/\s+//gr }
		'SELECT count(*) FROM kaireon.campaigns', 'SELECT count(*), md5(string_agg(id, \',\' ORDER BY id)) FROM kaireon.interaction_history',
		'SELECT count(*), max(seq) FROM kaireon.audit_logs',
		q{SELECT string_agg(c.relname || (xpath('/row/c/text()', query_to_xml('SELECT count(*) AS c FROM t_one.' || quote_ident(c.relname), false, true, '')))[1]::text, ',' ORDER BY c.relname) FROM pg_class AS c WHERE c.relnamespace = 't_one'::regnamespace AND c.relkind IN ('r', 'v')};
};
my $before = $state->("$dir/sock");
my $segment = $stack->query('postgres', 'SELECT pg_walfile_name(pg_switch_wal())', 'postgres');
$stack->wait_for('the archive', sub { -s "$dir/backup/wal/$segment" });
$stack->announce(qr/./);
$stack->stop($_) for qw(api1 cron1 worker);
$stack->stop_postgres('immediate');
page('restore');
like($before, qr/200/, 'the customers are counted');
is($state->("$dir/restored-sock"), $before, 'all of it is there, with what came after the base backup');
my $out = page('check');
like($out, qr/^ok       export/m, 'doctor is content with the export: the cluster is the same');

# a dump into another cluster
$stack->start_postgres;
$stack->as_server("$stack->{pg_bin}/initdb -D $dir/other-data -U postgres -E UTF8 --locale=C.UTF-8 --auth=trust --no-sync >/dev/null 2>&1");
$stack->as_server("$stack->{pg_bin}/pg_ctl -D $dir/other-data -w -s -l $dir/other.log -o \"-c listen_addresses='' -c unix_socket_directories=$dir/other-sock -c fsync=off\" start >/dev/null");
my ($dump, $rebase) = split /^(?=kaireonctl export rebase$)/m, $block{'a dump'};
is($rebase, "kaireonctl export rebase\n", 'the last command of the page is the rebase');
$block{dump} = $dump;
$block{rebase} = $rebase;
page('dump');
is($state->("$dir/other-sock"), $before, 'a dump has all of it too');
{
	local $stack->{settings} = { %{ $stack->{settings} }, DATABASE_ADMIN_URL => "host=$dir/other-sock dbname=kaireon user=kaireon_owner" };
	my ($status, $text) = $stack->ctl_try('doctor', '--skip', 'database,sockets,site,timers,queue,secrets');
	is($status, 1, 'doctor sees that the cluster is another');
	like($text, qr/checkpoint of another cluster/, 'and says so');
	page('rebase');
	($status, $text) = $stack->ctl_try('doctor', '--skip', 'database,sockets,site,timers,queue,secrets');
	is($status, 0, 'until the export goes on from what the lake has') or diag $text;
}
$stack->as_server("$stack->{pg_bin}/pg_ctl -D $_ -w -m immediate stop >/dev/null 2>&1") for "$dir/backup/restored", "$dir/other-data";
$stack->end;
done_testing;
