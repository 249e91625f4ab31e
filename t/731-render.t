#!/usr/bin/perl
# What makes PDF has no network, no files of others, no way to other processes,
# and does not outlive who asked.
use strict;
use warnings;

use File::Temp qw(tempdir);
use POSIX qw(:sys_wait_h);
use Test::More;

use Kaireon::Stack;

my $build = $ENV{KRN_BUILDDIR} || 'build';
plan skip_all => 'weasyprint is not installed' if !-x '/usr/bin/weasyprint';
# where everybody may read what this test writes
my $dir = tempdir(DIR => '/var/tmp', CLEANUP => 1);
chmod 0755, $dir;

sub spew { my ($path, $text) = @_; open my $out, '>', $path or die $!; print $out $text; close $out; return $path }

# a page through it: status, the PDF's text, complaints
sub render {
	my ($html, @before) = @_;
	spew("$dir/page.html", $html);
	unlink "$dir/page.pdf";
	system("@before $build/kaireon-render <$dir/page.html >$dir/page.pdf 2>$dir/complaints");
	my $status = $?;
	my $text = `pdftotext $dir/page.pdf - 2>/dev/null`;
	open my $in, '<', "$dir/complaints" or die $!;
	local $/;
	return ($status, $text, scalar <$in>);
}

my ($status, $text, $complaints) = render('<p>Gr&uuml;&szlig;e</p>');
is($status, 0, 'a page becomes a PDF') or diag $complaints;
like($text, qr/Gr\xc3\xbc\xc3\x9fe/, 'with its text');
spew("$dir/secret.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>');
($status, $text, $complaints) = render("<p>text</p><img src='file://$dir/secret.svg'><img src='http://127.0.0.1:9/x.svg'>");
is($status, 0, 'a page that refers to more is one too');
like($complaints, qr/127\.0\.0\.1:9.*Permission denied/, 'without what the network has');
my $has_landlock = system('perl', '-e', 'exit(syscall(444, 0, 0, 1) < 0)') == 0;
SKIP: {
	skip 'this kernel has no landlock', 1 if !$has_landlock;
	like($complaints, qr/secret\.svg.*Permission denied/, 'and without what other files have');
}

# who asked
is(system("$build/kaireon-render 1 <$dir/page.html >/dev/null 2>$dir/complaints") >> 8, 1, 'it serves none but its parent');

# in the place of weasyprint, a program that tries what it should not
my @unshare = ('unshare', $> == 0 ? '-mpf' : '-rmpf');
SKIP: {
	skip 'this user may not make a namespace', 2 if system(@unshare, 'true') != 0;
	is(system("@unshare sh -c '$build/kaireon-render 1 <$dir/page.html >$dir/page.pdf 2>$dir/complaints; exit \$?'"), 0,
		'its parent may be the first process of a container') or diag scalar `cat $dir/complaints`;
	spew("$dir/theirs", 'kept');
	chmod 0600, "$dir/theirs";
	spew("$dir/tries", <<'PERL' =~ s/THEIRS/$dir\/theirs/r);
#!/usr/bin/perl
# numbers of x86_64; others have their own test by name: none
use POSIX qw(:errno_h);
$| = 1;
my ($theirs, $name, $value) = ('THEIRS', 'user.x', 'x');
my %calls = (
	truncate => [76, $theirs, 0], chmod => [90, $theirs, 0666], fchmodat => [268, -100, $theirs, 0666], fchmodat2 => [452, -100, $theirs, 0666, 0],
	chown => [92, $theirs, $>, -1], fchownat => [260, -100, $theirs, $>, -1, 0], utime => [132, $theirs, 0], utimensat => [280, -100, $theirs, 0, 0],
	setxattr => [188, $theirs, $name, $value, 1, 0], removexattr => [197, $theirs, $name], fork => [57], vfork => [58], clone => [56, 17, 0, 0, 0, 0],
	socket => [41, 1, 1, 0], io_uring_setup => [425, 1, 0], ptrace => [101, 16, getppid, 0, 0], process_vm_readv => [310, getppid, 0, 0, 0, 0, 0],
	kill => [62, getppid, 0], tgkill => [234, getppid, getppid, 0], pidfd_open => [434, getppid, 0], prlimit64 => [302, getppid, 7, 0, 0], unshare => [272, 0x10000000],
);
for my $name (sort keys %calls) {
	$! = 0;
	my $got = syscall($calls{$name}[0], @{$calls{$name}}[1 .. $#{ $calls{$name} }]);
	print "$name ", $got < 0 && $! == EACCES ? 'refused' : "$got $!", "\n";
}
$! = 0;
print 'own limits ', syscall(302, 0, 7, 0, my $room = "\0" x 16), "\n";
print 'environment ', (open(my $in, '<', '/proc/' . getppid . '/environ') ? 'read' : 'refused'), "\n";
print 'clone3 ', syscall(435, 0, 0) < 0 && $! == ENOSYS ? 'is not there' : $!, "\n";
print 'descriptors ', join(' ', grep { open my $fd, '<&=', $_ } 3 .. 20), "\n";
print join(' ', sort grep { !/^_|^SHLVL$|^PWD$/ } keys %ENV), "\n";
syscall(0x40000000 | 39);
print "x32 is there\n";
PERL
	chmod 0755, "$dir/tries";
	chomp(my $machine = `uname -m`);
	skip "the calls of $machine are not listed here", 1 if $machine ne 'x86_64';
	my $said = `@unshare sh -c 'mount --bind $dir/tries /usr/bin/weasyprint && PLANTED=secret $build/kaireon-render 2>&1; echo status \$?' 2>/dev/null 5</dev/null`;
	$said =~ s/^Bad system call.*\n//m; # the shell says so
	my @want = ((map { "$_ refused" } sort qw(truncate chmod fchmodat fchmodat2 chown fchownat utime utimensat setxattr removexattr fork vfork clone io_uring_setup kill pidfd_open prlimit64 process_vm_readv ptrace socket tgkill unshare)),
		'own limits 0', $has_landlock ? 'environment refused' : 'environment read', 'clone3 is not there', 'descriptors ', 'HOME LC_ALL PATH PYTHONNOUSERSITE',
		'status 159'); # x32: SIGSYS
	is($said, join("\n", @want) . "\n", 'nothing else is to be had');
}

# a report that takes longer than a lease stays with its worker
SKIP: {
	skip 'this user may not make a namespace', 2 if system(@unshare, 'true') != 0;
	my $stack = Kaireon::Stack->new(settings => { WORKER_LEASE_SECONDS => 1 });
	my $key = $stack->tenant('one')->{editor};
	$stack->pool('api', 1);
	spew("$dir/slow", "#!/usr/bin/perl\nsleep 1 until -e '$stack->{dir}/go';\nprint '%PDF-1.7 slow';\n");
	chmod 0755, "$dir/slow";
	my $template = $stack->request('POST', '/api/v1/reports/templates', key => $key, body => { name => 'slow', formats => ['pdf'], dataSources => [{ sourceKey => 'funnel' }] })->{json}{id};
	my $run = $stack->request('POST', "/api/v1/reports/templates/$template/run-now", key => $key)->{json}{runId};
	$stack->spawn('slow', undef, 'unshare', $> == 0 ? '-m' : '-rm', 'sh', '-c',
		"mount --bind $dir/slow /usr/bin/weasyprint && exec $build/kaireon-worker");
	my $leased = $stack->wait_for('the lease', sub { $stack->owner('SELECT leased_until FROM kaireon.jobs WHERE leased_until IS NOT NULL') });
	$stack->worker('other');
	$stack->wait_for('the lease to be renewed', sub { $stack->owner("SELECT leased_until > '$leased'::timestamptz + interval '3 seconds' FROM kaireon.jobs") eq 't' });
	is($stack->owner('SELECT attempts FROM kaireon.jobs'), 1, 'the lease is kept while the PDF is made');
	spew("$stack->{dir}/go", '');
	$stack->wait_for('the run', sub { $stack->request('GET', "/api/v1/reports/runs/$run", key => $key)->{json}{status} eq 'completed' });
	is($stack->request('GET', "/api/v1/reports/runs/$run/artifacts/pdf", key => $key)->{body}, '%PDF-1.7 slow', 'and the run is completed by who began it');
	$stack->end;
}
done_testing;
