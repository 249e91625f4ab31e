package Kaireon::Npm;

# The folder of the npm packages that tests talk to, made on first use.

use strict;
use warnings;

use Cwd qw(abs_path);

sub dir {
	my $source = $ENV{KRN_SRCDIR} || '.';
	my $build = $ENV{KRN_BUILDDIR} || (-d "$source/build" ? "$source/build" : '.');
	my $dir = abs_path($build) . '/npm';
	system("$source/script/npm", $dir) == 0 or die "the npm packages could not be installed\n";
	return $dir;
}

1;
