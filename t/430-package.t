#!/usr/bin/perl
# The Debian package: it builds from the clone, lintian is content, its files
# are where and what they should be, and its kaireonctl setup brings up a
# database, a tenant and a site, twice with the same result.
use strict;
use warnings;

use File::Path qw(make_path);
use JSON::PP;
use Test::More;

use Kaireon::Stack;

for my $tool (qw(dpkg-buildpackage dh lintian)) {
	plan skip_all => "$tool is not installed here" if system("command -v $tool >/dev/null 2>&1") != 0;
}
my $stack = Kaireon::Stack->new;
my ($source, $dir) = @$stack{qw(source dir)};
plan skip_all => 'this is not a clone: the package is made of what Git knows' if system("git -C $source rev-parse >/dev/null 2>&1") != 0;

# the compiled tests are the suite's already
my $said = `DEB_BUILD_OPTIONS='nocheck noautodbgsym parallel=2' $source/script/package $dir/dist 2>&1`;
is($?, 0, 'it builds, and lintian has nothing to say') or do { diag $said; $stack->end; done_testing; exit };
my ($deb) = glob "$dir/dist/kaireon_*.deb";
my $root = "$dir/root";
$stack->system_ok("mkdir $root && dpkg-deb -x $deb $root && dpkg-deb -e $deb $dir/control");

# files
my %program = map { m{([^/]+)$} ? ($1 => $_) : () } glob "$root/usr/{bin,sbin}/*";
ok(delete $program{$_}, $_) for my @programs = qw(kaireonctl kaireon-fcgi kaireon-worker);
for my $name (sort @programs, 'kaireon-render', keys %program) {
	my @pages = glob "$root/usr/share/man/man?/$name.?.gz";
	is(scalar @pages, 1, "$name has a manual page");
}
ok(-s "$root/usr/share/doc/kaireon/$_" || -s "$root/usr/share/doc/kaireon/$_.gz", "doc: $_") for qw(prometheus.rules.yml grafana.json runbook.md);
ok(-s "$root/usr/share/man/man5/kaireon.env.5.gz", 'the options have a manual page');
is(`for page in $root/usr/share/man/man*/*.gz; do gzip -dc \$page | mandoc -T lint -W error 2>&1; done`, '', 'mandoc reads the pages');
for my $path (glob "$source/systemd/*.{service,socket,target,timer}") {
	my ($name) = $path =~ m{([^/]+)$};
	ok(-f "$root/lib/systemd/system/$name", "unit $name");
}
ok(-f "$root/lib/systemd/system/kaireon-.service.d/sandbox.conf", 'the sandbox');
my @called = `grep -hoE '/usr/[a-z]*/?[a-z]*/(kaireon[a-z-]*|kaireon/[a-z-]+)' $root/lib/systemd/system/*.service $dir/control/p*`;
chomp @called;
ok(-x "$root$_", "what units and scripts call is there: $_") for sort keys %{{ map { $_ => 1 } @called }};
is(`find $root -perm /6022 ! -type l`, '', 'nothing is setuid, setgid or writable by others');
is(system("sh -n $dir/control/$_"), 0, "$_ is a shell script") for qw(postinst prerm postrm);
like($stack->slurp("$dir/control/control"), qr/^Depends:.*\bmultiwatch\b/m, 'it depends on what the units call');

# user and directories, as systemd's tools make them in another root
make_path("$root/etc");
$stack->spew("$root/etc/passwd", "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh\n");
$stack->spew("$root/etc/group", "root:x:0:\nwww-data:x:33:\n");
SKIP: {
	skip 'only root may make users and give folders away', 7 if $> != 0;
	is(system("systemd-sysusers --root=$root kaireon.conf"), 0, 'the user');
	like($stack->slurp("$root/etc/passwd"), qr{^kaireon:x:\d+:\d+:kaireon daemons:/var/lib/kaireon:/usr/sbin/nologin$}m, 'who cannot log in');
	is(system("systemd-tmpfiles --root=$root --create kaireon.conf"), 0, 'the folders');
	my %mode = ('etc/kaireon/secrets' => 0700, 'var/lib/kaireon' => 0711, 'var/lib/kaireon/runs' => 02750, 'var/lib/kaireon/exports' => 0750);
	is((stat "$root/$_")[2] & 07777, $mode{$_}, "mode of $_") for sort keys %mode;
}

# completion
my $complete = sub {
	my (@words) = @_;
	local $ENV{PATH} = "$root/usr/bin:$ENV{PATH}";
	my $list = join ' ', map { "'$_'" } 'kaireonctl', @words;
	return join ' ', split /\n/, `bash -c 'source $root/usr/share/bash-completion/completions/kaireonctl; compopt() { :; }; COMP_WORDS=($list); COMP_CWORD=\$((\${#COMP_WORDS[@]} - 1)); _kaireonctl; printf "%s\\n" "\${COMPREPLY[\@]}"' 2>&1`;
};
is($complete->('ten'), 'tenant', 'a noun is completed');
is($complete->('tenant', 're'), 'resume', 'a verb');
is($complete->('key', 'create', '--ro'), '--role', 'an option');
is($complete->('key', 'create', '--role', 'e'), 'editor', 'a role');

# setup, below a root of its own, on a PostgreSQL that knows users of the host only
$stack->system_ok("printf 'local all postgres trust\\nlocal all all peer\\n' >$dir/hba && cat $dir/hba >$dir/pg/pg_hba.conf");
$stack->query('postgres', 'SELECT pg_reload_conf()', 'postgres');
my $site = "$dir/site";
my $ctl = sub {
	my (@words) = @_;
	my $pid = open my $out, '-|', "env -u DATABASE_ADMIN_URL $root/usr/bin/kaireonctl " . join(' ', map { "'$_'" } @words) . ' 2>&1 </dev/null' or die $!;
	local $/;
	my $text = <$out> // '';
	close $out;
	return ($? >> 8, $text);
};
my @setup = ('setup', '--root', $site, '--admin-url', "host=$dir/sock user=postgres dbname=postgres", '--database', 'offers', '--database-host', "$dir/sock",
	'--server-name', 'offers.example', '--tenant', 'acme', '--tenant-name', 'Acme', '--time-zone', 'Europe/Vienna', '--workers', 2);
my ($status, $text) = $ctl->('setup', '--root', $site);
is($status, 2, 'without a terminal nothing is asked');
like($text, qr/--server-name is required/, 'the missing option is named');
is(($ctl->(@setup, '--workers', 'many'))[0], 2, 'a wrong value is refused');
is(($ctl->(@setup, '--database-host', 'db.example'))[0], 2, 'a remote database needs a pooler for the API pool');
($status, $text) = $ctl->(@setup, '--dry-run');
is($status, 0, 'a dry run') or diag $text;
like($text, qr/^would: roles .*^would: the schema.*^would: the tenant acme.*^would: the site/ms, 'says what would be done');
ok(!-e $site, 'and does nothing');
is($stack->query('postgres', "SELECT count(*) FROM pg_database WHERE datname = 'offers'", 'postgres'), 0, 'not in the database either');

($status, $text) = $ctl->(@setup);
is($status, 0, 'setup') or diag $text;
my ($key) = $text =~ /^  (krn_\S+)$/m;
ok($key, 'shows the key');
like($text, qr/logins with passwords/, 'lets its roles in');
like($stack->slurp("$dir/pg/pg_hba.conf"), qr/\A# kaireon.*\nlocal\toffers\tkaireon_owner,kaireon_worker,kaireon_api\tscram-sha-256\nlocal all postgres trust/, 'by one line of pg_hba.conf, before the others');
is(((stat "$site/etc/kaireon/secrets/$_")[2] & 07777), 0600, "only its owner reads $_") for qw(API_KEY_PEPPER CRON_SECRET CRON_TOKEN DATABASE_ADMIN_URL DATABASE_URL DATABASE_WORKER_URL);
is((stat "$site/etc/kaireon/secrets")[2] & 07777, 0700, 'nor may others look into the folder');
is((stat "$site/etc/nginx/kaireon/cron_secret.map")[2] & 07777, 0600, 'nor at the cron gate');
like($stack->slurp("$site/etc/nginx/kaireon/site"), qr{server_name offers\.example;.*alias /var/lib/kaireon/runs/;}s, 'the site');
like($stack->slurp("$site/etc/nginx/kaireon/site"), qr{include /etc/nginx/kaireon/cron_secret\.map;}, 'as nginx will find it');
unlike($stack->slurp("$site/etc/nginx/kaireon/site") . $stack->slurp("$site/etc/nginx/kaireon/listen_kaireon"), qr/\Q$dir\E|@[A-Z_]+@/, 'with nothing left of the folder where it was made');
is($stack->slurp("$site/etc/nginx/sites-enabled/kaireon"), "include /etc/nginx/kaireon/site;\n", 'and is enabled');
like(`openssl x509 -in $site/etc/kaireon/certificate.pem -noout -ext subjectAltName`, qr/DNS:offers\.example/, 'a certificate');
like($stack->slurp("$site/etc/kaireon/kaireon.env"), qr{^BASE_URL=https://localhost\nCACERT=/etc/kaireon/certificate\.pem\n}m, 'the options');
my $url = $stack->slurp("$site/etc/kaireon/secrets/DATABASE_WORKER_URL");
chomp $url;
is(`psql -qXAt -d '$url' -c 'SELECT current_user'`, "kaireon_worker\n", 'a role logs in with its password');
is(system("psql -qXAt -d 'host=$dir/sock dbname=offers user=kaireon_worker password=wrong' -c 'SELECT 1' >/dev/null 2>&1") >> 8, 2, 'and with no other');

my $before = `cd $site && find . -type f -exec sha256sum {} + | sort -k2`;
($status, $text) = $ctl->(@setup);
is($status, 0, 'setup again') or diag $text;
like($text, qr/^kept: the roles.*^kept: the tenant acme.*^kept: its key/ms, 'keeps what is there');
unlike($text, qr/krn_/, 'shows no key again');
is(`cd $site && find . -type f -exec sha256sum {} + | sort -k2`, $before, 'and changes no file');

# an installed kaireonctl finds the site without a word in the environment
{
	local $ENV{KAIREON_ETC} = "$site/etc/kaireon";
	my ($state, $list) = $ctl->('tenant', 'list', '--json');
	is(eval { decode_json($list)->[0]{timeZone} } // $list, 'Europe/Vienna', 'kaireonctl reads the secrets of the host');
}

# pools on other hosts, each time
my $options = $stack->slurp("$site/etc/kaireon/kaireon.env");
$stack->spew("$site/etc/kaireon/kaireon.env", qq{${options}API_SERVERS="10.0.0.5:9101 10.0.0.6:9101"\nCRON_SERVERS=10.0.0.5:9102\n});
$ctl->(@setup);
like($stack->slurp("$site/etc/nginx/kaireon/site"), qr/server 10\.0\.0\.5:9101 .*server 10\.0\.0\.6:9101 .*server 10\.0\.0\.5:9102 /s, 'the site leads to the hosts in kaireon.env');
$stack->spew("$site/etc/kaireon/kaireon.env", $options);

# with the operator's certificate, behind a proxy, on another host
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x -keyout $dir/k.pem -out $dir/c.pem 2>/dev/null");
($status, $text) = $ctl->(@setup, '--certificate', "$dir/c.pem", '--certificate-key', "$dir/k.pem");
like($stack->slurp("$site/etc/nginx/kaireon/listen_kaireon"), qr{^ssl_certificate \Q$dir\E/c\.pem;$}m, "the operator's certificate");
($status, $text) = $ctl->(@setup, '--behind-proxy', '10.0.0.1');
like($stack->slurp("$site/etc/nginx/kaireon/listen_kaireon"), qr{^listen 127\.0\.0\.1:8080 .*^set_real_ip_from 10\.0\.0\.1;$}ms, 'behind a proxy');
is(($ctl->('setup', '--root', "$dir/other", '--no-nginx', '--no-tenant', '--admin-url', "host=$dir/sock user=nobody dbname=none"))[0], 1, 'a database that is not there is an error');
ok(!-e "$dir/other/etc/kaireon/secrets/DATABASE_URL", 'and leaves no half of a login');

# purge: what a database needs to be of use stays, and is taken again
my $purge = sub { my ($folder) = @_; return `DPKG_ROOT=$folder sh $dir/control/postrm purge 2>&1` };
$stack->spew("$site/etc/kaireon/secrets/CONNECTOR_ENCRYPTION_KEY_PREVIOUS", "previous\n");
my %kept = map { $_ => $stack->slurp("$site/etc/kaireon/secrets/$_") } qw(API_KEY_PEPPER CONNECTOR_ENCRYPTION_KEY CONNECTOR_ENCRYPTION_KEY_PREVIOUS);
for my $time ('a purge', 'a second one, without a setup in between') {
	like($purge->($site), qr{kept for its database, see README there}, "$time says what it keeps");
	is(`cd $site/etc && find . -type f | sort`, join('', map { "./kaireon/secrets/$_\n" } sort keys %kept, 'README'), 'and keeps the keys of the database');
	$stack->system_ok("$root/usr/lib/kaireon/make-secrets $site/etc/kaireon/secrets");
	is($stack->slurp("$site/etc/kaireon/secrets/$_"), $kept{$_}, "a new installation takes $_") for sort keys %kept;
}
($status, $text) = $ctl->(@setup);
is($status, 0, 'setup after it') or diag $text;
like($text, qr/^kept: its key/m, 'on the database that is there');
$stack->system_ok("mkdir -p $dir/never/etc/kaireon/secrets && $root/usr/lib/kaireon/make-secrets $dir/never/etc/kaireon/secrets");
unlike($purge->("$dir/never"), qr/README/, 'where setup never ran');
ok(!-e "$dir/never/etc/kaireon", 'nothing is kept');

$stack->start_postgres if !-e "$dir/pg/postmaster.pid";
$stack->end;
done_testing;
