#!/usr/bin/perl
# The wall is the database's: with every tenant condition taken out of the
# statements, another tenant still finds nothing and changes nothing. The
# program is linked anew with statements of which that was done.
use strict;
use warnings;

use File::Path qw(make_path);
use Test::More;

use Kaireon::Matrix;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my ($source, $build, $dir) = @$stack{qw(source build dir)};

# the statements without their conditions
make_path("$dir/stmt");
my ($conditions, @left) = (0);
for my $file (glob "$source/sql/stmt/*.sql") {
	my ($name) = $file =~ m{([^/]+)$};
	my $text = $stack->slurp($file);
	$conditions += $text =~ s/\b\w+\.tenant_id = kaireon\.tenant_id\(\)/true/g;
	# what is left is a value, a name or a comment
	my $code = $text =~ s/^\s*--.*$//mgr;
	push @left, $name if $code =~ /tenant_id\s*(?:=|<>|IN)\s*kaireon\.tenant_id\(\)/;
	$stack->spew("$dir/stmt/$name", $text);
}
cmp_ok($conditions, '>', 100, "$conditions conditions are taken out");
is_deeply(\@left, [], 'and none is left');

# linked as the build does
my %make = map { /^(\w+) = (.*)$/ ? ($1 => $2) : () } split /\n/, $stack->slurp("$build/Makefile") =~ s/\\\n\s*//gr;
my $libraries = $make{kaireon_fcgi_LDADD};
1 while $libraries =~ s/\$\((\w+)\)/$make{$1}/;
$libraries =~ s{\blibkaireon\.a}{$build/libkaireon.a};
my $objects = join ' ', glob "$build/fcgi/*.o";
my $program = "$dir/kaireon-fcgi";
$stack->system_ok("sh $source/sql/embed.sh table $dir/stmt/*.sql >$dir/stmt.gen.c");
$stack->system_ok("$make{CC} $make{KRN_CFLAGS} $make{CFLAGS} -I$source/lib -I$source -I$build/lib/store -I$build -c -o $dir/stmt.gen.o $dir/stmt.gen.c");
$stack->system_ok("$make{CC} $make{KRN_CFLAGS} $make{CFLAGS} $make{KRN_LDFLAGS} -o $program $objects $dir/stmt.gen.o $libraries");

$stack->pool('api', 2, $program)->pool('cron', 1);
my $matrix = Kaireon::Matrix->new($stack);
# the cron pool's role bypasses row security: its statements keep their conditions
$matrix->isolation(pool => 'api');
$stack->end;
done_testing;
