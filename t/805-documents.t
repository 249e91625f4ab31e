#!/usr/bin/perl
# Tables of the program and the documents that tell of them are the same.
use strict;
use warnings;

use Test::More;

my $source = $ENV{KRN_SRCDIR} || '.';
my $build = $ENV{KRN_BUILDDIR} || "$source/build";

sub slurp { open my $in, '<', shift or return ''; local $/; return scalar <$in> }

# options
my $options = slurp("$source/doc/options.md");
my @rows = split /\n/, `$build/kaireonctl options`;
cmp_ok(scalar @rows, '>', 15, 'the option table is printed');
ok(index($options, $_) >= 0, "doc/options.md: $_") for grep { /^\| `/ } @rows;
is(scalar(() = $options =~ /^\| `/mg), scalar(grep { /^\| `/ } @rows), 'and no other option');

# errors
my $errors = slurp("$source/doc/errors.md");
my @errors = slurp("$source/lib/base/errors.def") =~ /^KRN_ERR\((\w+), *(\d+), *"(\w+)", *"(.*)"\)$/mg;
cmp_ok(scalar @errors, '>', 40, 'the error list is read');
while (my ($id, $status, $code, $message) = splice @errors, 0, 4) {
	ok(index($errors, "| $id | $status | `$code` | $message |") >= 0, "doc/errors.md: $id");
}

# routes
my $openapi = slurp("$source/doc/openapi.yaml");
my (%document, $path);
for (split /\n/, $openapi) {
	$path = $1 if /^  (\/\S*):$/;
	$document{"\U$1\E $path"} = 1 if $path && /^    (get|post|put|patch|delete):$/;
	last if /^components:/;
}
my %routes = map { my @r = split /\t/; ("$r[0] $r[1]" => $r[3]) } split /\n/, `$build/kaireon-fcgi --routes`;
is_deeply([sort keys %document], [sort keys %routes], 'doc/openapi.yaml has every route and no other');

# programs say what is wrong and how they are called
is(system("$build/kaireonctl nothing >/dev/null 2>&1") >> 8, 2, 'kaireonctl: wrong usage is status 2');
is(system("$build/kaireon-fcgi >/dev/null 2>&1") >> 8, 2, 'kaireon-fcgi too');
is(system("$build/kaireon-worker --nothing >/dev/null 2>&1") >> 8, 2, 'kaireon-worker too');
like(`env EXPORT_MAX_ROWS=x API_KEY_PEPPER=short $build/kaireon-fcgi --check-config 2>&1`,
	qr/API_KEY_PEPPER.*|EXPORT_MAX_ROWS: must be a whole number/s, 'every wrong option is named');
my $dump = `env CRON_SECRET=planted $build/kaireon-fcgi --dump-config`;
unlike($dump, qr/planted/, 'a dump masks secrets');
like($dump, qr/^CRON_SECRET=\*+$/m, 'and shows that they are set');
done_testing;
