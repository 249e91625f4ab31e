#!/usr/bin/perl
# The API pool behind PgBouncer in transaction mode, DATABASE_PREPARE=off: more
# processes than connections, tenants that take turns on them, settings that
# hold. KRN_TEST_POOLER=1 puts the pooler under every other test as well;
# script/test does so with some, script/test --pooler with all.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

plan skip_all => 'PgBouncer is not installed here' if !-x '/usr/sbin/pgbouncer';
my $stack = Kaireon::Stack->new(pooler => 1, settings => { LOCK_TIMEOUT_MS => 300 });
my %key = map { $_ => $stack->tenant($_) } qw(one two);
my $processes = 6;
$stack->pool('api', $processes);

# each tenant has one category of its own name
for my $tenant (sort keys %key) {
	my $answer = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $key{$tenant}{admin}, body => {
		manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' },
		resources => [{ apiVersion => 'kaireonai.com/v1', kind => 'Category', metadata => { name => "of $tenant" }, spec => {} }] });
	is($answer->{status}, 200, "tenant $tenant applies a bundle") or diag $answer->{body};
}

# many at once: who sees what
my @children;
for my $n (1 .. $processes) {
	my $tenant = $n % 2 ? 'one' : 'two';
	my $other = $n % 2 ? 'two' : 'one';
	pipe my $in, my $out or die $!;
	my $pid = fork // die $!;
	if (!$pid) {
		my ($good, $bad) = (0, 0);
		for (1 .. 40) {
			my $text = $stack->request('GET', '/api/v1/gitops/export?format=json', key => $key{$tenant}{viewer})->{body};
			$text =~ /"of $tenant"/ && $text !~ /"of $other"/ ? $good++ : $bad++;
		}
		print $out "$good $bad";
		close $out;
		POSIX::_exit(0);
	}
	close $out;
	push @children, [$pid, $in];
}
my ($good, $bad) = (0, 0);
for my $child (@children) {
	my ($g, $b) = split / /, readline($child->[1]) // '0 1';
	waitpid $child->[0], 0;
	$good += $g;
	$bad += $b;
}
is("$good $bad", 40 * $processes . ' 0', 'six processes, two connections: each tenant sees its own, in every request');
my $sessions = $stack->query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'kaireon_api'");
cmp_ok($sessions, '<=', 2, 'the server has no more sessions than the pooler may open');
is($stack->query('kaireon_api', "SELECT count(*) FROM pg_prepared_statements"), 0, 'nothing is prepared');

# settings that a connection of its own gets when it is made
$stack->hold_table('kaireon.categories');
my $answer = $stack->request('GET', '/api/v1/gitops/export', key => $key{one}{viewer});
is($answer->{json}{error}{code}, 'CONFLICT', 'LOCK_TIMEOUT_MS holds behind the pooler') or diag $answer->{body};
$stack->release_table('kaireon.categories');

# the pooler goes and comes back
$stack->stop('pooler', 'QUIT');
is($stack->request('GET', '/api/v1/runs', key => $key{one}{viewer})->{status}, 503, 'without the pooler: 503');
$stack->start_pooler;
ok($stack->wait_for('recovery', sub { $stack->request('GET', '/api/v1/runs', key => $key{one}{viewer})->{status} == 200 }), 'and it recovers without a restart');
my ($status, $out) = $stack->ctl_try('doctor', '--skip', 'sockets,site,queue,secrets,timers');
is($status, 0, 'doctor logs in through it') or diag $out;

# setup tells a pooler by what becomes of a setting, not by a login that fails
my $srcdir = $ENV{KRN_SRCDIR} || '.';
my $functions = join '', $stack->slurp("$srcdir/ctl/setup") =~ /^(?:secret\(\) .*\n|(?:logs_in|setup_pooler)\(\) \{\n(?s:.*?)^\}\n)/mg;
sub setup_finds {
	my ($url) = @_;
	mkdir "$stack->{dir}/setup";
	unlink "$stack->{dir}/setup/kaireon.env";
	$stack->spew("$stack->{dir}/setup/DATABASE_URL", $url);
	$stack->spew("$stack->{dir}/setup/run", "set -eu\nsecrets=$stack->{dir}/setup etc=\$secrets root=/ dry_run=\nstep() { :; }\n${functions}setup_pooler\n");
	is(system('bash', "$stack->{dir}/setup/run"), 0, 'setup looks for a pooler');
	return -e "$stack->{dir}/setup/kaireon.env" ? $stack->slurp("$stack->{dir}/setup/kaireon.env") : '';
}
my $pooled = $stack->{settings}{DATABASE_URL};
is(setup_finds("host=$stack->{dir}/sock dbname=kaireon user=kaireon_api"), '', 'a server is none');
is(setup_finds("host=$stack->{dir}/none dbname=kaireon user=kaireon_api"), '', 'nor is who is away');
is(setup_finds($pooled), "DATABASE_PREPARE=off\n", 'one that refuses settings is found');
$stack->spew("$stack->{dir}/pooler/pgbouncer.ini", $stack->slurp("$stack->{dir}/pooler/pgbouncer.ini") . "ignore_startup_parameters = options\n");
kill HUP => $stack->{pids}{pooler};
$stack->wait_for('the pooler to ignore settings', sub { system("PGOPTIONS='-c search_path=pg_temp' psql -qXAt -d '$pooled' -c 'SELECT 1' >/dev/null 2>&1") == 0 });
is(setup_finds($pooled), "DATABASE_PREPARE=off\n", 'and one that drops them');
$stack->end;

done_testing;
