#!/usr/bin/perl
# DATABASE_REPLICA_URL: what only verifies runs on a replica, and goes on while
# the primary is away; what changes something never goes there.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $dir = $stack->{dir};
my $key = $stack->tenant('one');
$stack->pool('api', 1);
is($stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $key->{admin}, body => {
	manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' },
	resources => [{ apiVersion => 'kaireonai.com/v1', kind => 'Category', metadata => { name => 'x' }, spec => {} }] })->{status}, 200, 'something that is audited');

# a streaming replica of the cluster
mkdir "$dir/replica-sock";
chmod 0777, "$dir/replica-sock";
is($stack->as_server("$stack->{pg_bin}/pg_basebackup -h $dir/sock -U postgres -D $dir/replica -R -X stream -c fast >$dir/basebackup.log 2>&1"), 0, 'a replica is made')
	or diag $stack->slurp("$dir/basebackup.log");
is($stack->as_server("$stack->{pg_bin}/pg_ctl -D $dir/replica -w -l $dir/replica.log "
	. "-o \"-c listen_addresses='' -c unix_socket_directories=$dir/replica-sock -c fsync=off\" start >/dev/null"), 0, 'and started');
$stack->{settings}{DATABASE_REPLICA_URL} = "host=$dir/replica-sock dbname=kaireon user=kaireon_owner";
my $written = $stack->query('postgres', 'SELECT pg_current_wal_lsn()', 'postgres');
$stack->wait_for('the replica to catch up', sub { `psql -qXAt -h $dir/replica-sock -U postgres -d postgres -c "SELECT pg_last_wal_replay_lsn() >= '$written'"` eq "t\n" });

my ($status, $out, $err) = $stack->ctl_try('verify-audit', '--tenant', 'one');
is($status, 0, 'the audit is verified') or diag $err;
like(`psql -qXAt -h $dir/replica-sock -U postgres -d postgres -c "SELECT pg_is_in_recovery()"`, qr/^t$/, 'on a replica');
is(($stack->ctl_try('tenant', 'create', '--id', 'two', '--name', 'Two'))[0], 0, 'a change goes to the primary');
$stack->announce(qr/database|connection/);
$stack->stop_postgres('immediate');
($status, $out, $err) = $stack->ctl_try('verify-audit', '--tenant', 'one');
is($status, 0, 'without the primary it is verified still') or diag $err;
is(($stack->ctl_try('tenant', 'list'))[0], 1, 'what is no verification does not turn to the replica');
$stack->as_server("$stack->{pg_bin}/pg_ctl -D $dir/replica -w -m fast stop >/dev/null");
$stack->end;
done_testing;
