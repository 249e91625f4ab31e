#!/usr/bin/perl
# kaireonctl doctor: content with a site that works; each check is broken once,
# says so, tells what helps, and is content again.
use strict;
use warnings;

use File::Path qw(make_path);
use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $dir = $stack->{dir};
make_path("$dir/secrets");
chmod 0700, "$dir/secrets";
for my $name (qw(API_KEY_PEPPER CRON_SECRET CRON_TOKEN)) {
	$stack->spew("$dir/secrets/$name", "$stack->{settings}{$name}-and-more\n");
	chmod 0600, "$dir/secrets/$name";
}
$stack->watched_pool('api', 1)->watched_pool('cron', 1);
$stack->worker;
chmod 0755, $dir;
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
	. "-addext subjectAltName=IP:127.0.0.1 -keyout $dir/key.pem -out $dir/cert.pem 2>/dev/null") == 0 or die;
my $port = do {
	require IO::Socket::INET;
	IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)->sockport;
};
{
	local %ENV = (%ENV, %{ $stack->{settings} }, RUN_DIR => $dir, LOG_DIR => "$dir/log", LISTEN => "127.0.0.1:$port",
		CERTIFICATE => "$dir/cert.pem", CERTIFICATE_KEY => "$dir/key.pem", USER_DIRECTIVE => $> == 0 ? 'user root;' : '');
	$stack->system_ok("$stack->{source}/nginx/render $dir/nginx");
}
sub nginx {
	$stack->spawn('nginx', undef, '/usr/sbin/nginx', '-e', "$dir/log/nginx-error.log", '-p', $dir, '-c', "$dir/nginx/kaireon.conf");
	$stack->wait_for('nginx', sub { IO::Socket::INET->new("127.0.0.1:$port") });
}
nginx();

# the report: exit status and the checks by name
my %more = (BASE_URL => "https://127.0.0.1:$port", CACERT => "$dir/cert.pem", CREDENTIALS_DIRECTORY => "$dir/secrets");
sub doctor {
	my (%settings) = @_;
	local $stack->{settings} = { %{ $stack->{settings} }, %more, %settings };
	my ($status, $out, $err) = $stack->ctl_try('--json', 'doctor', '--run-dir', $dir);
	my $report = eval { decode_json($out) } or die "$out$err";
	return ($status, { map { $_->{name} => $_ } @{ $report->{checks} } }, $report->{ok});
}

# wrong(NAME, PATTERN): that check and no other, with a remedy, and status 1
sub wrong {
	my ($name, $pattern, $what, %settings) = @_;
	my ($status, $checks, $ok) = doctor(%settings);
	is($status, 1, "$what: status 1");
	is_deeply([grep { $checks->{$_}{state} eq 'wrong' } sort keys %$checks], [$name], "the check of $name is wrong, no other");
	like($checks->{$name}{detail} // '', $pattern, 'it says what it saw');
	ok(length($checks->{$name}{remedy} // '') > 10, 'and what to do');
	ok(!$ok, 'ok is false');
}

sub fine {
	my ($what, %settings) = @_;
	my ($status, $checks) = doctor(%settings);
	is($status, 0, $what) or diag explain [grep { $_->{state} eq 'wrong' } values %$checks];
	return $checks;
}

my $checks = fine('a site that works');
is_deeply([sort keys %$checks], [sort qw(database schema replica clock secrets disk sockets site timers queue export)], 'every check is there');
is_deeply([grep { $checks->{$_}{state} ne 'ok' } keys %$checks], ['replica'], 'and ok, but for the replica that is not there');
{
	local $stack->{settings} = { %{ $stack->{settings} }, %more };
	my ($status, $out) = $stack->ctl_try('doctor', '--run-dir', $dir);
	like($out, qr/^ok       database  3 of 3 roles/m, 'a table for people');
	($status, $out) = $stack->ctl_try('doctor', '--run-dir', '/nowhere', '--skip', 'sockets,site');
	is($status, 0, 'a check can be left out') or diag $out;
}

# database
my $api = $stack->{settings}{DATABASE_URL};
wrong('database', qr/DATABASE_URL logs in as "kaireon_worker"/, 'a URL of another role', DATABASE_URL => $stack->{settings}{DATABASE_WORKER_URL});
wrong('database', qr/^DATABASE_URL: could not connect/, 'a server that is not there', DATABASE_URL => 'host=/nowhere dbname=kaireon user=kaireon_api');
$stack->query('postgres', 'ALTER ROLE kaireon_api BYPASSRLS', 'postgres');
wrong('database', qr/kaireon_api must not bypass/, 'a role that may do too much');
$stack->query('postgres', 'ALTER ROLE kaireon_api NOBYPASSRLS', 'postgres');
my (undef, $blind) = doctor(DATABASE_ADMIN_URL => 'host=/nowhere dbname=kaireon user=kaireon_owner');
is($blind->{$_}{state}, 'skipped', "without the owner's login $_ is left out, not called fine") for qw(schema clock timers queue export);

# schema
my $last = $stack->owner('SELECT max(number) FROM kaireon.schema_migrations');
$stack->owner("INSERT INTO kaireon.schema_migrations (number, name, sha256) VALUES (9999, '9999_next', '')");
like(fine('a database that is ahead, but serves us')->{schema}{detail}, qr/^version 9999, later than this program's/, 'is told');
$stack->owner('UPDATE kaireon.schema_migrations SET oldest_program = 9999 WHERE number = 9999');
my (undef, $ended) = doctor();
is_deeply([grep { $ended->{$_}{state} eq 'wrong' } sort keys %$ended], ['schema', 'site'], 'one that does not serve us any more: nor is the site ready');
like($ended->{schema}{remedy}, qr/upgrade this host/, 'asks for an upgrade');
$stack->owner("DELETE FROM kaireon.schema_migrations WHERE number = 9999; CREATE TABLE kaireon.kept AS SELECT * FROM kaireon.schema_migrations WHERE number = $last; DELETE FROM kaireon.schema_migrations WHERE number = $last");
my ($status, $behind) = doctor();
is($behind->{schema}{state}, 'wrong', 'a database that is behind');
like($behind->{schema}{remedy}, qr/kaireonctl migrate/, 'is migrated');
is($behind->{site}{state}, 'wrong', 'and its site is not ready');
$stack->owner("INSERT INTO kaireon.schema_migrations SELECT * FROM kaireon.kept; DROP TABLE kaireon.kept");
fine('the schema is right again');

# clock: ours goes ten seconds ahead
$stack->spew("$dir/clock.c", <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *ret)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	const int status = real(id, ret);
	if (id == CLOCK_REALTIME)
		ret->tv_sec += 10;
	return status;
}
C
$stack->system_ok("cc -shared -fPIC -o $dir/clock.so $dir/clock.c");
wrong('clock', qr/^10\.\d s ahead of the database's$/, 'a clock that is wrong', LD_PRELOAD => "$dir/clock.so", ASAN_OPTIONS => 'verify_asan_link_order=0:detect_leaks=0');

# secrets
chmod 0644, "$dir/secrets/CRON_SECRET";
wrong('secrets', qr{CRON_SECRET may be read by others}, 'a secret for everybody');
chmod 0600, "$dir/secrets/CRON_SECRET";
rename "$dir/secrets/CRON_SECRET", "$dir/CRON_SECRET";
wrong('secrets', qr/CRON_SECRET is not set/, 'a secret that is gone', CRON_SECRET => '');
rename "$dir/CRON_SECRET", "$dir/secrets/CRON_SECRET";

# disk
wrong('disk', qr{RUN_FILE_DIR: /nowhere/runs: No such file}, 'a folder that is not there', RUN_FILE_DIR => '/nowhere/runs');
SKIP: {
	skip 'only root may mount a small disk', 5 if $> != 0;
	make_path("$dir/small");
	my $mount = sub { system('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', "$dir/small") == 0 };
	skip 'a small disk cannot be mounted here', 5 if !$mount->();
	wrong('disk', qr{EXPORT_URL: \S+ has [01] MiB left}, 'a disk that is full', EXPORT_URL => "file://$dir/small");
	system('umount', "$dir/small");
}

# site and sockets
$stack->stop('nginx', 'QUIT');
wrong('site', qr{^https://127\.0\.0\.1:$port: }, 'nginx is gone');
nginx();
wrong('site', qr{certificate}i, 'a certificate that is not trusted', CACERT => '');
rename "$dir/cron.sock", "$dir/cron.gone";
wrong('sockets', qr{cron\.sock: No such file}, 'a pool is gone');
rename "$dir/cron.gone", "$dir/cron.sock";

# timers: nothing for two days, then a call
$stack->owner("UPDATE kaireon.schema_migrations SET applied_at = applied_at - interval '50 hours'");
wrong('timers', qr/approvals-expire: the last good call was 30\d\d minutes ago, if there ever was one/, 'timers that never fired');
my @headers = (headers => { X_CRON_SECRET => 'cron-secret' });
is($stack->request('GET', "/api/v1/cron/$_", @headers)->{json}{ok}, JSON::PP::true, "a call of $_") for qw(export-interactions);
my @others = grep { $_ ne 'export-interactions' } map { m{kaireon-cron-(.+)\.timer$} } glob "$stack->{source}/systemd/*.timer";
$stack->owner("INSERT INTO kaireon.cron_jobs (job, runs, failures, rows_total, seconds_total, last_success_at) VALUES ('$_', 1, 0, 0, 0, now()) ON CONFLICT (job) DO UPDATE SET last_success_at = now()") for @others;
fine('the calls are noted');
$stack->owner("UPDATE kaireon.cron_jobs SET last_success_at = now() - interval '200 minutes' WHERE job = 'export-interactions'");
wrong('timers', qr/export-interactions: the last good call was 200 minutes ago$/, 'a timer that stopped');
$stack->owner("UPDATE kaireon.cron_jobs SET last_success_at = now() WHERE job = 'export-interactions'");

# queue
$stack->stop('worker');
$stack->wait_for('its session ends', sub { $stack->query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker %'") == 0 });
wrong('queue', qr/no worker of any host is logged in/, 'no worker');
$stack->owner("INSERT INTO kaireon.jobs (tenant_id, id, topic, kind, run_at) VALUES ('one', 'job_x', 'campaign_runs', 'run_plan', now() - interval '1 hour')");
my $held = fork // die $!;
if (!$held) {
	exec 'psql', '-qX', '-h', "$dir/sock", '-U', 'kaireon_worker', '-d', 'kaireon', '-c', "SET application_name = 'kaireon-worker 1'", '-c', 'SELECT pg_sleep(60)';
	exit 127;
}
$stack->wait_for('a session like a worker', sub { $stack->query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kaireon-worker %'") == 1 });
wrong('queue', qr/1 jobs are due, the oldest for 60 minutes/, 'jobs that nobody takes');
$stack->owner('DELETE FROM kaireon.jobs');
$stack->owner("INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, retry_count) SELECT 'one', 'dle_' || i, 'campaign_runs', 'run_plan', '{}', 'x', 5 FROM generate_series(1, 101) AS i");
wrong('queue', qr/101 dead letters/, 'dead letters');
$stack->owner('DELETE FROM kaireon.dead_letter_events');

# export
$stack->owner("INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at) VALUES ('one', 'int_1', 'c', 'impression', 'outbound', now() - interval '4 hours')");
wrong('export', qr/not exported is 240 minutes old/, 'an export that lags');
$stack->owner("UPDATE kaireon.export_checkpoints SET status = 'failed', error = 'x'");
wrong('export', qr/the last export of 1 tenants failed/, 'an export that failed');
$stack->owner("UPDATE kaireon.export_checkpoints SET system_identifier = '1', status = 'ok'");
wrong('export', qr/checkpoint of another cluster/, 'after a restore');
$stack->owner("UPDATE kaireon.export_checkpoints SET system_identifier = (SELECT system_identifier::text FROM pg_control_system())");
is($stack->request('GET', '/api/v1/cron/export-interactions', @headers)->{json}{totalExported}, 1, 'the export catches up');
fine('all is well again');

kill 'TERM', $held;
waitpid $held, 0;
$stack->announce(qr/schema (is version|serves)/);
$stack->end;
done_testing;
