#!/usr/bin/perl
# What operators are given to watch with: alerts that fire, on metrics that there
# are, each with its section of the runbook; manual pages that know each command
# and option.
use strict;
use warnings;

use File::Copy qw(copy);
use File::Temp qw(tempdir);
use Test::More;

my $source = $ENV{KRN_SRCDIR} || '.';
my $build = $ENV{KRN_BUILDDIR} || "$source/build";

sub slurp { open my $in, '<', shift or return ''; local $/; return scalar <$in> }

# alerts
my $rules = slurp("$source/doc/prometheus.rules.yml");
my $runbook = slurp("$source/doc/runbook.md");
my %section = $rules =~ /^ +- alert: (\w+)\n(?:(?! +- alert:).*\n)*? +runbook: (\S+)$/mg;
cmp_ok(scalar keys %section, '>=', 10, 'there are alerts');
my %anchor = map { (lc s/ /-/gr) => 1 } $runbook =~ /^## (.+)$/mg;
my ($table) = $runbook =~ /^(\| alert \|.*?)\n\n/ms;
my %row;
for my $line (split /\n/, $table) {
	my ($names, undef, $link) = $line =~ /^\| (`.*?`) \| (.*?) \| \[.*?\]\(#(\S+)\) \|$/ or next;
	$row{$_} = $link for $names =~ /`(\w+)`/g;
}
is_deeply(\%row, \%section, 'the table of the runbook has each alert, with the section that the alert names');
ok($anchor{$_}, "the runbook has the section $_") for sort keys %{{ reverse %section }};
SKIP: {
	local $ENV{PATH} = "$build/promtool:$ENV{PATH}"; # where script/promtool puts it
	skip 'promtool is not there: script/promtool fetches it', 2 if system('command -v promtool >/dev/null 2>&1') != 0;
	my $dir = tempdir(CLEANUP => 1);
	copy("$source/doc/prometheus.rules.yml", $dir) or die $!;
	copy("$source/t/data/prometheus.test.yml", $dir) or die $!;
	my $said = `cd $dir && promtool check rules prometheus.rules.yml 2>&1`;
	is($?, 0, 'Prometheus takes the rules') or diag $said;
	$said = `cd $dir && promtool test rules prometheus.test.yml 2>&1`;
	is($?, 0, 'each fires when it should, and not otherwise') or diag $said;
}

# what alerts and the dashboard look at is there
my %family = map { $_ => 1 } (slurp("$source/lib/watch/metric.c") . slurp("$source/lib/base/registry.c")) =~ /"(kaireon_\w+)"/g;
for my $file (qw(prometheus.rules.yml grafana.json)) {
	my %used = map { s/_(?:bucket|sum|count)$//r => 1 } slurp("$source/doc/$file") =~ /\b(kaireon_\w+)/g;
	is_deeply([grep { !$family{$_} } sort keys %used], [], "doc/$file: metrics that there are");
}

# manual pages
my ($page, $usage) = (slurp("$source/doc/kaireonctl.1"), scalar `$build/kaireonctl --help`);
my @commands = $usage =~ /^  kaireonctl \[--json\] (.+)$/mg;
cmp_ok(scalar @commands, '>=', 20, 'there are commands');
for my $command (@commands) {
	my ($noun, $verb) = $command =~ /^([a-z-]+)(?: ([a-z]+)\b)?/;
	like($page, $verb ? qr/^\.It Ic \Q$noun\E (?:[a-z]+ \| )*\Q$verb\E\b/m : qr/^\.It Ic \Q$noun\E\b/m, "kaireonctl(1): $noun " . ($verb // ''));
}
my %option = map { $_ => 1 } $usage =~ /--([a-z-]+)/g;
is_deeply([grep { $page !~ /Fl -\Q$_\E\b/ } sort keys %option], [], 'and each option');
for my $program (qw(kaireon-fcgi kaireon-worker)) {
	my $manual = slurp("$source/doc/$program.8");
	my %known = map { $_ => 1 } `$build/$program --help` =~ /--([a-z-]+)/g;
	is_deeply([grep { $manual !~ /Fl -\Q$_\E\b/ } sort keys %known], [], "$program(8): each option");
}
done_testing;
