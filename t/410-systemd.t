#!/usr/bin/perl
# The units as systemd itself reads them; and that what they call is there.
use strict;
use warnings;

use File::Copy qw(copy);
use File::Temp qw(tempdir);
use Test::More;

my $source = $ENV{KRN_SRCDIR} || '.';
my $build = $ENV{KRN_BUILDDIR} || "$source/build";
plan skip_all => 'systemd-analyze is not installed here' if system('command -v systemd-analyze >/dev/null 2>&1') != 0;

# units of their own folder, with the programs of this build
my $dir = tempdir(CLEANUP => 1);
my (@units, %text);
mkdir "$dir/kaireon-.service.d" or die $!;
copy("$source/systemd/kaireon-.service.d/sandbox.conf", "$dir/kaireon-.service.d/") or die $!;
for my $path (sort glob "$source/systemd/*.{service,socket,target,timer}") {
	my ($name) = $path =~ m{([^/]+)$};
	open my $in, '<', $path or die $!;
	open my $out, '>', "$dir/$name" or die $!;
	while (my $line = <$in>) {
		$text{$name} .= $line;
		$line =~ s{/usr/s?bin/(?=kaireon)}{$build/};
		$line =~ s{/usr/lib/kaireon/}{$source/systemd/};
		print $out $line;
	}
	push @units, $name;
}
cmp_ok(scalar @units, '>=', 9, 'there are units');

# every timer and every instance that is meant to be started
my %instances = ('kaireon-worker@.service' => [1, 2],
	'kaireon-cron@.service' => [map { /^kaireon-cron-(.+)\.timer$/ ? $1 : () } @units]);
for my $unit (@units) {
	my @names = $unit =~ /\@\./ ? map { $unit =~ s/\@/\@$_/r } @{ $instances{$unit} || [] } : ($unit);
	ok(scalar @names, "$unit is used") or next;
	for my $name (@names) {
		my $said = `cd '$dir' && SYSTEMD_UNIT_PATH='$dir:' systemd-analyze verify --man=no '$name' 2>&1`;
		is("$?: $said", '0: ', "systemd accepts $name");
	}
}

# the sandbox: how exposed each service is, of 10, by systemd's own measure
my %exposure = ('kaireon-api.service' => 0.5, 'kaireon-cron.service' => 1.5, 'kaireon-worker@.service' => 1.5, 'kaireon-cron@.service' => 1.5);
for my $unit (grep { /\.service$/ } @units) {
	my $said = `SYSTEMD_UNIT_PATH='$dir:' systemd-analyze security --offline=true --no-pager '$dir/$unit' 2>&1`;
	my ($level) = $said =~ /Overall exposure level for \S+: ([\d.]+)/;
	cmp_ok($level // 10, '<=', $exposure{$unit} // 0, "$unit is exposed no more than allowed") or diag $said;
}
like($text{'kaireon-api.service'}, qr/^PrivateNetwork=yes$/m, 'the API pool has no network');
unlike($text{'kaireon-api.service'}, qr/AF_INET|DATABASE_WORKER_URL|CRON_/, 'no secret but its own, and AF_UNIX only');

# what a service that runs for long must have
for my $unit (qw(kaireon-api.service kaireon-cron.service kaireon-worker@.service)) {
	like($text{$unit}, qr/^\Q$_\E=./m, "$unit has $_") for qw(WatchdogSec Restart RestartSec TimeoutStopSec MemoryMax TasksMax LimitNOFILE LoadCredential Documentation);
	is(scalar(() = $text{$unit} =~ /^EnvironmentFile=-/mg), 1, "$unit reads the options");
}

# a secret is loaded from the folder where the package makes it, by its own name
for my $unit (@units) {
	while ($text{$unit} =~ /^LoadCredential=(.*)$/mg) {
		like($1, qr{^(\w+):/etc/kaireon/secrets/\1$}, "$unit: the file of $1");
	}
}

# a timer names a job that the route table has
my $routes = `$build/kaireon-fcgi --routes`;
for my $job (@{ $instances{'kaireon-cron@.service'} }) {
	my $path = $job eq 'tick' ? '/api/cron/tick' : "/api/v1/cron/$job";
	like($routes, qr{^GET\t\Q$path\E\t}m, "the route of the timer of $job");
	my $timer = $text{"kaireon-cron-$job.timer"};
	like($timer, qr/^\Q$_\E$/m, "$job: $_") for "Unit=kaireon-cron\@$job.service", 'Persistent=true';
	like($timer, qr/^$_=./m, "$job: $_") for qw(OnCalendar RandomizedDelaySec);
}
like($text{'kaireon-cron@.service'}, qr/^$_$/m, "a call: $_") for 'Type=oneshot', 'TimeoutStartSec=\d+';

# the same jobs where there is no systemd
{
	open my $in, '<', "$source/doc/crontab" or die $!;
	my @jobs = map { m{^\S+ \S+ \S+ \S+ \S+ root flock -n /run/lock/kaireon-(\S+) timeout 600 /usr/lib/kaireon/call-cron (\S+) >/dev/null$} && $1 eq $2 ? $1 : () } <$in>;
	is_deeply([sort @jobs], [sort @{ $instances{'kaireon-cron@.service'} }], 'the crontab calls the jobs of the timers');
	is_deeply([sort map { m{^(?:GET)\t/api/(?:v1/)?cron/(\S+)\t} ? $1 : () } split /\n/, $routes], [sort @jobs], 'which are all there are');
}

# and kaireonctl doctor looks at each of them
{
	open my $in, '<', "$source/ctl/cmd_doctor.c" or die $!;
	my ($table) = do { local $/; <$in> } =~ /doctor_jobs\[\] = \{\n(.*?)\};/s;
	is_deeply([sort $table =~ /^\s*\{"([a-z-]+)"/mg], [sort @{ $instances{'kaireon-cron@.service'} }], 'the jobs of doctor_jobs in ctl/cmd_doctor.c are those of the timers');
}

# an answer that is not ok fails the unit
for my $case ([0, '{"ok": true, "skipped": false}'], [1, '{"ok": false}'], [1, '{"error": {"status": 503}}'], [1, 'nothing'], [1, '']) {
	my ($want, $answer) = @$case;
	open my $in, '|-', "$build/kaireonctl cron check >/dev/null 2>&1" or die $!;
	print $in $answer;
	close $in;
	is($? >> 8, $want, "cron check of $answer");
}

# what a timer's unit calls: a secret with any character arrives, and is no argument
{
	my $tools = tempdir(CLEANUP => 1);
	my $write = sub {
		my ($name, $text) = @_;
		open my $out, '>', "$tools/$name" or die $!;
		print $out $text;
		close $out;
		chmod 0755, "$tools/$name";
	};
	$write->('curl', "#!/bin/sh\necho \"\$*\" >$tools/words\ncat >$tools/config\necho '{\"ok\": true}'\n");
	$write->('CRON_SECRET', qq{a"b\\c d\n});
	$write->('CRON_TOKEN', "token\n");
	symlink "$build/kaireonctl", "$tools/kaireonctl";
	for my $case (['cleanup', 'https://x/api/v1/cron/cleanup', q{header = "X-Cron-Secret: a\\"b\\\\c d"}], ['tick', 'https://x/api/cron/tick', 'header = "X-Cron-Token: token"']) {
		my ($job, $url, $header) = @$case;
		is(system("PATH=$tools:\$PATH CREDENTIALS_DIRECTORY=$tools BASE_URL=https://x $source/systemd/call-cron $job >/dev/null") >> 8, 0, "the call of $job");
		my ($words, $config) = map { my $path = "$tools/$_"; open my $in, '<', $path or die $!; local $/; <$in> } qw(words config);
		like($words, qr{ \Q$url\E$}, 'goes to its address');
		unlike($words, qr/a"b|token/, 'without a secret among the arguments');
		is($config, "$header\n", 'the secret as curl reads it');
	}
}

done_testing;
