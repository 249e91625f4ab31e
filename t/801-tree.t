#!/usr/bin/perl
# What the tree promises: foreign headers at home, includes in one direction,
# headers that compile alone, no SQL in C, names that are ours.
use strict;
use warnings;

use File::Find;
use Test::More;

my $source = $ENV{KRN_SRCDIR} || '.';
my $build = $ENV{KRN_BUILDDIR} || "$source/build";
my @files;
find({ no_chdir => 1, wanted => sub { push @files, substr $_, 1 + length $source if m{/(lib|fcgi|worker|ctl)/[^.]*\.[ch]$} && !/\.gen\./ } },
	map { "$source/$_" } qw(lib fcgi worker ctl));
cmp_ok(scalar @files, '>', 80, 'the sources are found');

my %home = ('fcgiapp.h' => qr{^fcgi/io\.c$}, 'libpq-fe.h' => qr{^lib/store/}, 'json.h' => qr{^lib/base/json_(in|out)\.c$},
	'yaml.h' => qr{^lib/gitops/yaml_in\.c$}, 'openssl/' => qr{^lib/base/crypto\.c$}, 'curl/' => qr{^lib/egress/http(_\w+)?\.[ch]$},
	'zlib.h' => qr{^lib/base/codec\.c$}, 'zstd.h' => qr{^lib/base/codec\.c$});
my %level = (base => 0, store => 1, egress => 1, access => 2, catalog => 2, queue => 2, schedule => 2, gitops => 3, decide => 3, campaign => 4, lifecycle => 4, watch => 4);
my (@foreign, @upward, @sql, @allow, @long, %static);
for my $file (@files) {
	open my $in, '<', "$source/$file" or die $!;
	my $text = do { local $/; <$in> };
	push @long, $file if ($text =~ tr/\n//) > 620;
	for my $header (keys %home) {
		push @foreign, "$file: $header" if $text =~ /#include <\Q$header\E/ && $file !~ $home{$header};
	}
	if ($file =~ m{^lib/(\w+)/}) {
		my $own = $level{$1};
		while ($text =~ /#include "(\w+)\//g) {
			push @upward, "$file: $1" if !defined $level{$1} || $level{$1} > $own;
		}
	}
	push @allow, $file if $text =~ /#define KRN_ALLOW_MALLOC/;
	# tx.c, notify.c and db.c speak of transactions and LISTEN, which are no statements of the table
	push @sql, $file if $file =~ /\.c$/ && $file !~ m{^lib/store/} && $text =~ /"[^"\n]*\b(SELECT|INSERT INTO|DELETE FROM|UPDATE) [^"\n]*"/;
	while ($text =~ /^static [^;=({]*\n(\w+)\(/mg) { push @{ $static{$1} }, $file }
}
is_deeply(\@foreign, [], 'foreign headers stay at home');
is_deeply(\@upward, [], 'includes go one way');
is_deeply(\@sql, [], 'no SQL in C');
is_deeply(\@long, [], 'no file is far longer than 500 lines');
is_deeply([grep { !m{^(lib/base/arena|lib/store/(db|tx)|fcgi/io)\.c$} } @allow], [], 'only these files use the allocator');
is_deeply([map { "$_: @{ $static{$_} }" } grep { my %f = map { $_ => 1 } @{ $static{$_} }; keys %f > 1 && $_ !~ /^test_/ } sort keys %static], [],
	'static functions have names of their own');
chomp(my $pq = `pkg-config --cflags libpq`);
for my $file (grep { /\.h$/ } @files) {
	is(system("cc -std=c11 -fsyntax-only -x c $pq -I$source/lib -I$source -I$build -I$build/lib/store -include $source/lib/base/base.h $source/$file 2>/dev/null"), 0,
		"$file compiles alone");
}
my @global = grep { !/^(krn_|main$|_|__)/ } map { /^\S* [TDBR] (\w+)/ ? $1 : () } split /\n/, `nm $build/libkaireon.a 2>/dev/null`;
@global = grep { !/^(db|stmt|plan|decide|formula|step|import|asan|tx|notify|copy|resource|change|edit|live|merge|lake|s3|http|deliver|tick)_/ } @global; # shared by private headers of one folder
is_deeply(\@global, [], 'only krn_ names are global');
done_testing;
