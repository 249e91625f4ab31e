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
my @units;
for my $path (sort glob "$source/systemd/*.{service,timer}") {
	my ($name) = $path =~ m{([^/]+)$};
	open my $in, '<', $path or die $!;
	open my $out, '>', "$dir/$name" or die $!;
	while (my $line = <$in>) {
		$line =~ s{/usr/s?bin/(?=kaireon)}{$build/};
		print $out $line;
	}
	push @units, $name;
}
cmp_ok(scalar @units, '>=', 4, 'there are units');

# every timer and every instance that is meant to be started
my %instances = ('kaireon-fcgi@.service' => ['api', 'cron'],
	'kaireon-cron@.service' => [map { /^kaireon-cron-(.+)\.timer$/ ? $1 : () } @units]);
for my $unit (@units) {
	my @names = $unit =~ /\@\./ ? map { $unit =~ s/\@/\@$_/r } @{ $instances{$unit} || [] } : ($unit);
	ok(scalar @names, "$unit is used") or next;
	for my $name (@names) {
		my $said = `cd '$dir' && SYSTEMD_UNIT_PATH='$dir:' systemd-analyze verify --man=no '$name' 2>&1`;
		is("$?: $said", '0: ', "systemd accepts $name");
	}
}

# a timer names a job that the route table has
my $routes = `$build/kaireon-fcgi --routes`;
for my $job (@{ $instances{'kaireon-cron@.service'} }) {
	like($routes, qr{^GET\t/api/v1/cron/\Q$job\E\t}m, "the route of the timer of $job");
}

# an answer that is not ok fails the unit
for my $case ([0, '{"ok": true, "skipped": false}'], [1, '{"ok": false}'], [1, '{"error": {"status": 503}}'], [1, 'nothing'], [1, '']) {
	my ($want, $answer) = @$case;
	open my $in, '|-', "$build/kaireonctl cron check >/dev/null 2>&1" or die $!;
	print $in $answer;
	close $in;
	is($? >> 8, $want, "cron check of $answer");
}

done_testing;
