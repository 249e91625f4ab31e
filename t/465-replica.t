#!/usr/bin/perl
# DATABASE_REPLICA_URL: verifications and reports are read on a streaming
# replica that is always a moment behind, and miss nothing; one that is too far
# behind, away or no replica leads back to the primary or is told.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { DATABASE_REPLICA_WAIT_SECONDS => 20 });
my $dir = $stack->{dir};
my $key = $stack->tenant('one');
$stack->pool('api', 1)->pool('cron', 1);

# a streaming replica of the cluster, which applies each commit half a second later
mkdir "$dir/replica-sock";
chmod 0777, "$dir/replica-sock";
is($stack->as_server("$stack->{pg_bin}/pg_basebackup -h $dir/sock -U postgres -D $dir/replica -R -X stream -c fast >$dir/basebackup.log 2>&1"), 0, 'a replica is made')
	or diag $stack->slurp("$dir/basebackup.log");
sub start_replica {
	return $stack->as_server("$stack->{pg_bin}/pg_ctl -D $dir/replica -w -l $dir/replica.log -o \"-c listen_addresses='' "
		. "-c unix_socket_directories=$dir/replica-sock -c fsync=off -c recovery_min_apply_delay=500ms -c log_connections=on\" start >/dev/null");
}
sub stop_replica { return $stack->as_server("$stack->{pg_bin}/pg_ctl -D $dir/replica -w -m fast stop >/dev/null") }
sub replica {
	my ($sql) = @_;
	chomp(my $text = `psql -qXAt -h $dir/replica-sock -U postgres -d kaireon -c "$sql"`);
	return $text;
}
is(start_replica(), 0, 'and started');
is(replica('SELECT pg_is_in_recovery()'), 't', 'it is a replica');
my $url = $stack->{settings}{DATABASE_REPLICA_URL} = "host=$dir/replica-sock dbname=kaireon user=kaireon_worker";

# How often somebody of that name logged in there.
sub logins { my ($name) = @_; return scalar(() = $stack->slurp("$dir/replica.log") =~ /connection authorized: user=kaireon_worker database=kaireon application_name=\Q$name\E/g) }

# interactions, exported
my $customers = 0;
sub interact {
	my $from = $customers + 1;
	$customers += 50;
	$stack->query('postgres', "INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
		SELECT 'one', 'int_' || i, 'c' || i, 'impression', 'outbound', now() FROM generate_series($from, $customers) AS i");
}
my $exported = 0;
sub export {
	my $answer = $stack->request('POST', '/api/v1/cron/export-interactions?drain=true', headers => { X_CRON_SECRET => 'cron-secret' });
	is($answer->{json}{totalExported}, $customers - $exported, 'they are exported') or diag $answer->{body};
	$exported = $customers;
}
interact();
export();

# verifications, right after what they verify
for my $case (['verify-audit', qr/^one: /m], ['verify-export', qr/^intact: 50 rows in 1 files/m]) {
	my ($command, $says) = @$case;
	my ($before, $status, $out, $err) = (logins('kaireonctl'), $stack->ctl_try($command, '--tenant', 'one'));
	is($status, 0, "$command is content") or diag "$out$err";
	like($out, $says, 'and saw what had just been written');
	is(logins('kaireonctl'), $before + 1, 'on the replica');
}
is(($stack->ctl_try('tenant', 'create', '--id', 'two', '--name', 'Two'))[0], 0, 'a change goes to the primary');
like(($stack->ctl_try('doctor', '--skip', 'sockets,site,queue,secrets,timers'))[1], qr/^ok +replica +has what the primary has$/m, 'doctor is content');

# reports
my $template = $stack->request('POST', '/api/v1/reports/templates', key => $key->{editor}, body => {
	name => 'Funnel', formats => ['csv'], dataSources => [{ sourceKey => 'funnel', params => { days => 7 } }] })->{json}{id};
sub report {
	my ($what) = @_;
	interact();
	my $run = $stack->request('POST', "/api/v1/reports/templates/$template/run-now", key => $key->{editor})->{json}{runId};
	my $done = $stack->wait_for("the report $run", sub {
		my $got = $stack->request('GET', "/api/v1/reports/runs/$run", key => $key->{viewer})->{json};
		($got->{status} // 'pending') ne 'pending' && $got;
	}) || {};
	is($done->{status}, 'completed', "$what: a report") or diag explain $done;
	is($done->{sectionsData}[0]{rows}[0][1], $customers, 'with what had just happened');
}
sub work { $stack->stop('worker'); $stack->worker }
work();
for my $n (1 .. 2) {
	my $before = logins('kaireon-report');
	report('a replica a moment behind');
	is(logins('kaireon-report'), $before + 1, 'read there');
}

# too far behind
replica('SELECT pg_wal_replay_pause()');
$stack->{settings}{DATABASE_REPLICA_WAIT_SECONDS} = 1;
work();
my $primary = sub { scalar(() = $stack->slurp("$dir/log/worker.log") =~ /a report is read from the primary/g) };
my $before = $primary->();
report('a replica that does not move');
is($primary->(), $before + 1, 'read from the primary, and told');
export();
for my $command (qw(verify-audit verify-export)) {
	my ($status, $out, $err) = $stack->ctl_try($command, '--tenant', 'one');
	is("$status $out", '1 ', "$command finds nothing wrong with what it cannot see");
	like($err, qr/^kaireonctl: the replica is behind by more than 1 seconds$/m, 'but says so');
}
my ($status, $out, $err) = $stack->ctl_try('doctor', '--skip', 'sockets,site,queue,secrets,timers');
is($status, 1, 'doctor is not content');
like($out, qr/^wrong +replica +the replica is behind.*\n +to do: see pg_stat_replication/m, 'and says what to do');
replica('SELECT pg_wal_replay_resume()');
$stack->{settings}{DATABASE_REPLICA_WAIT_SECONDS} = 20;
like(($stack->ctl_try('verify-export', '--tenant', 'one'))[1], qr/^intact: $customers rows/m, 'it caught up');

# no replica at all: the primary itself, or nothing
for my $other ("host=$dir/sock dbname=kaireon user=kaireon_worker", "host=$dir/nowhere dbname=kaireon user=kaireon_worker") {
	$stack->{settings}{DATABASE_REPLICA_URL} = $other;
	work();
	$before = $primary->();
	report("not $other");
	is($primary->(), $before + 1, 'read from the primary, and told');
	is(($stack->ctl_try('verify-audit', '--tenant', 'one'))[0], 1, 'a verification fails');
}
$stack->{settings}{DATABASE_REPLICA_URL} = $url;

# one that goes and comes back
work();
$before = $primary->();
is(stop_replica(), 0, 'the replica is stopped');
report('a replica that is away');
is($primary->(), $before + 1, 'read from the primary, and told');
is(start_replica(), 0, 'it is back');
$before = logins('kaireon-report');
report('a replica that is back');
is(logins('kaireon-report'), $before + 1, 'read there again');

# without the primary: what is verified is what the replica has
$stack->announce(qr/database|connection/);
$stack->stop('worker');
$stack->stop_postgres('immediate');
($status, $out, $err) = $stack->ctl_try('verify-audit', '--tenant', 'one');
is($status, 0, 'without the primary it is verified still') or diag $err;
like($err, qr/the replica is taken as it is/, 'with a word about it');
is(($stack->ctl_try('tenant', 'list'))[0], 1, 'what is no verification does not turn to the replica');
stop_replica();
$stack->end;
done_testing;
