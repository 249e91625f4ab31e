#!/usr/bin/perl
# script/server as a new user starts it, then every command of doc/gitops.md,
# doc/operations.md, doc/alerts.md, doc/reports.md, doc/s3.md and doc/tour.md, whose
# counts are compared with an independent SQL formulation.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More;

my $source = abs_path($ENV{KRN_SRCDIR} || '.');
my ($bank) = grep { -f } $ENV{KRN_BANK_CSV} // '', "$source/../shared/data/bank-full.csv";
my $state = tempdir('krn-server-XXXXXX', DIR => '/tmp', CLEANUP => 1);
chmod 0755, $state;

# ports that are free now; the test asks the system for them
my @probes = map { IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $! } 1, 2;
my ($port, $s3_port) = map { $_->sockport } @probes;
close $_ for @probes;
local %ENV = (%ENV, KAIREON_STATE => $state, KAIREON_PORT => $port, KAIREON_S3_PORT => $s3_port);

sub server { my ($command) = @_; my $text = `cd $source && script/server $command 2>&1`; return ($? >> 8, $text) }

my ($status, $text) = server('start');
is($status, 0, 'script/server starts') or diag $text;
like($text, qr/"status":"completed"/, 'and does the main job before the reader');
like($text, qr/"ok":true,"totalExported":[1-9]/, 'up to the export');
is((stat "$state/demo.env")[2] & 07777, 0600, 'demo.env is for its owner');
my $api = qq{. $state/demo.env; curl -sS --cacert \$CACERT -H "X-API-Key: \$API_KEY" \$BASE_URL/api/v1/runs};
is(decode_json(`$api`)->{total}, 1, 'the call of the README works');
($status, $text) = server('start');
is($status, 0, 'starting again changes nothing');
unlike($text, qr/main job/, 'and repeats nothing');
is((server('status'))[0], 0, 'status says that all run');
is(`. $state/demo.env; psql -qXAt "\$DATABASE_ADMIN_URL" -c "SELECT count(*) FROM kaireon.tenants"`, "1\n", 'psql by DATABASE_ADMIN_URL');

# every command of a page; what they printed
sub page {
	my ($page) = @_;
	open my $in, '<', "$source/doc/$page.md" or die $!;
	my $commands = "set -eu\ncd $source\n";
	while (<$in>) { $commands .= $_ if /^```sh$/ .. /^```$/ and !/^```/ }
	open my $script, '>', "$state/$page.sh" or die $!;
	print $script $commands;
	close $script;
	my $out = `bash $state/$page.sh 2>&1`;
	is($?, 0, "every command of doc/$page.md works") or diag $out;
	return $out;
}

my $out = page('gitops');
like($out, qr/"created":0,"updated":1,"deleted":0,"unchanged":24.*"created":0,"updated":1,"deleted":0,"unchanged":24/s, 'the quick start: one update, told and made');
like($out, qr/priority: 85 → 80/, 'and taken back');
like($out, qr/created 0|25 created, 0 updated, 0 deleted, 0 unchanged/, 'a promotion makes the configuration of the next tenant');
like($out, qr/0 created, 1 updated, 1 deleted, 23 unchanged/, 'a change arrives');
like($out, qr/prod differs: 2.*prod is what Git says/s, 'as the exit codes say');
like($out, qr/\["update","Offer","Gold Card",\["priority"\],"kaireon_owner"\]/, 'a change past Git is found, and its maker');

$out = page('operations');
my @drops = $out =~ /"interactionHistory":(\d+),"partitionsDropped":(\d+)/;
cmp_ok($drops[0], '>=', 78, 'retention: what is older than a year goes');
cmp_ok($drops[1], '>=', 4, 'whole months of it at once');
like($out, qr/^left: 182$/m, 'and the rest is left');
like($out, qr/^marked: $drops[0]$/m, 'marks say how much went');
like($out, qr/"table":"interaction_history"\}.*^held: 10$/ms, 'a hold keeps it');
like($out, qr/"skips":\[\],"gone":10/, 'and lets it go');
like($out, qr/^retention_config\.upsert\|key_\w+\|\{.*730.*\}\|\{.*365.*\}\n.*^tenant\.hold\|kaireonctl\|\{"legalHold": true\}\|\{"legalHold": false\}$/ms, 'the audit log has it');

$out = page('alerts');
like($out, qr/"secret":"\x{e2}\x{80}\x{a2}|"secret":"•/, 'alerts: a secret is masked');
like($out, qr/"status":"pending","attempts":[1-9]\d*,"lastError":"the host has no address"/, 'a delivery says why it failed');
like($out, qr/"observed":0,"baseline":0,"threshold":100,"wouldFire":false/, 'a rule is tested');
like($out, qr/"evaluated":1,"fired":1\}\n\{"state":"firing","lastFired":true\}\n\{"kind":"fired","observed":250/, 'it fires');
like($out, qr/\{"fired":0,"cooldown":1\}\n\{"fired":0,"resolved":1\}/, 'is cool, and resolved');

$out = page('reports');
like($out, qr/\{"id":"trend","columns":4,"rows":8\}\n\{"id":"offers","columns":7/, 'reports: a preview');
like($out, qr/\{"status":"completed","formats":\["csv","html","markdown"\]\}\nsection,day,impressions/, 'a run and its artifact');
like($out, qr/\{"timezone":"America\/New_York","next":true,"lastStatus":"pending"\}/, 'a schedule');

$out = page('s3');
like($out, qr/fileConfig\.s3Path.*is not below a path that campaigns may write to/, 'S3: another place is refused');
like($out, qr{"status":"completed","path":"s3://bank/demo/trial/crun_\w+\.csv"}, 'a run puts its file there');
like($out, qr/file\.csv: OK\n/, 'what the link of the download gives has the bytes that the run tells of');
like($out, qr/^gone: 404\n/m, 'the object goes with its campaign');

# the last working day of the month, at nine in Lisbon
sub last_working_day {
	my ($from) = @_;
	local $ENV{TZ} = 'Europe/Lisbon';
	for my $month (0, 1) {
		my @at = (0, 0, 9, 0, (localtime $from)[4] + $month + 1, (localtime $from)[5], 0, 0, -1);
		my $at = POSIX::mktime(@at);
		$at = POSIX::mktime(@at) while $at && (localtime $at)[6] =~ /[06]/ && --$at[3] > -9;
		return $at if $at > $from;
	}
	return;
}

SKIP: {
	skip 'bank-full.csv (UCI Bank Marketing) is not there: set KRN_BANK_CSV', 27 unless $bank;
	local $ENV{BANK_CSV} = $bank;
	my $before = time;
	my $out = page('tour');
	like($out, qr/imported 45211 customers into bank/, '45,211 customers');
	my @said = $out =~ /^CHECK ([a-z -]+: \S+ \S+)$/mg;
	is(scalar @said, 9, 'nine counts are checked');
	for my $said (@said) {
		my ($what, $sql, $run) = split /: | /, $said =~ s/ (?=.*:)/_/gr;
		is($run, $sql, "$what: the run says what SQL says");
	}
	my @given = $out =~ /^LIMIT (.*)$/mg;
	is(scalar @given, 6, 'three limits are looked at twice');
	my %given = map { /^(\w+): (\d+) of (\d+)$/ ? ($1 => $2 - $3) : () } @given;
	is_deeply([sort grep { $given{$_} > 0 } keys %given], [], "none is exceeded: @given");
	is_deeply([sort map { /^(\w+): (\d+) of \2$/ ? $1 : () } @given[0 .. 2]], ['channel', 'offer'], 'channel and offer bind at first');
	like($given[3], qr/^run: 10000 of 10000/, 'then the run');
	my ($first, $second) = $out =~ /by channel: (.*)/g;
	isnt($first, $second, 'the second run goes to another channel: the policies are at work');
	my ($file, $sha256, $told) = $out =~ m{^(s3://bank/demo/tour/crun_\w+\.csv)\n.*?^([0-9a-f]{64})  \S+\n([0-9a-f]{64})\n}ms;
	ok($file && $sha256 eq $told, 'the file comes from S3 as the run tells it') or diag $out;
	like($out, qr/"ok": true/, 'the export is ok');
	like($out, qr/^\["held","paused",[\d.]+\]\n\["goes on","running"\]\n.*"status": "completed"/ms, 'a run is held, goes on and completes');
	my ($next) = $out =~ /"status": "active",\s+"scheduleType": "monthly",\s+"nextRunAt": "(\S+)"/;
	my %right = map { POSIX::strftime('%Y-%m-%dT%H:%M:%S.000Z', gmtime last_working_day($_)) => 1 } $before, time;
	ok($right{ $next // '' }, 'a monthly schedule in Lisbon says when it runs next') or diag $next, explain \%right;
	like($out, qr/^local\tutc\n\d{4}-\d\d-\d\dT09:00:00\t\Q$next\E$/m, 'as kaireonctl does');
	like($out, qr/"status": "paused",\s+"nextRunAt": null/, 'and a paused campaign does not');
}
is((server('stop'))[0], 0, 'script/server stop');
is(`ps -eo args | grep -c "[k]rn-server-.*run/"` + 0, 0, 'leaves no process');
done_testing;
