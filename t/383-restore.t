#!/usr/bin/perl
# A database that is brought back to an earlier moment, in the same cluster: the
# lake knows more than it does. The export refuses to go on until it was rebased;
# then nothing is lost and nothing comes twice. Purges meanwhile claim no more
# than is known.
use strict;
use warnings;

use File::Find ();
use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { EXPORT_MAX_ROWS => 100 });
my $root = "$stack->{dir}/data";

sub insert {
	my ($tenant, $nr, $prefix, $age) = @_;
	$age //= '1 second';
	$stack->query('postgres', "SELECT kaireon.partition_ensure('interaction_history', (now() - interval '$age')::date)");
	$stack->query('postgres', "INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
		SELECT '$tenant', '${prefix}_' || lpad(i::text, 5, '0'), 'c', 'impression', 'outbound', now() - interval '$age' FROM generate_series(1, $nr) AS i");
}

# tenants of an answer by their ids
sub export {
	my $answer = $stack->request('GET', '/api/v1/cron/export-interactions?drain=true', headers => { X_CRON_SECRET => 'cron-secret' })->{json};
	return { map { $_->{tenantId} => $_ } @{ $answer->{tenants} } };
}

# ids of a tenant in the lake, with how often each is there
sub lake {
	my ($tenant) = @_;
	my %seen;
	File::Find::find({ no_chdir => 1, wanted => sub {
		return unless -f && m{/exports/$tenant/};
		$seen{ decode_json($_)->{id} }++ for split /\n/, $stack->slurp($_);
	} }, "$root/exports");
	return \%seen;
}

sub verify {
	my ($status, $out, $err) = $stack->ctl_try('--json', 'verify-export', @_);
	return eval { decode_json($out) } // { error => "$out$err" };
}

sub rebase { return decode_json($stack->ctl('--json', 'export', 'rebase')) }

sub away {
	my ($code) = @_;
	$stack->stop_postgres;
	$stack->as_server($code) == 0 or die "failed: $code";
	$stack->start_postgres;
}

$stack->tenant($_) for qw(one two play);
$stack->pool('cron', 1);
insert('one', 250, 'a');
insert('two', 30, 'b');
export();
insert('one', 120, 'kept');

# a copy of the cluster, then files that it does not know
away("cp -a $stack->{dir}/pg $stack->{dir}/pg.before");
insert('one', 40, 'lost');
is(export()->{one}{exported}, 160, 'an export after the copy was made');
is(verify()->{ok}, JSON::PP::true, 'the lake is whole');
away("mv $stack->{dir}/pg $stack->{dir}/pg.after && mv $stack->{dir}/pg.before $stack->{dir}/pg");

insert('one', 20, 'new');
insert('two', 10, 'new');
for my $call (qw(first second)) {
	my $tenants = export();
	like($tenants->{one}{error}, qr{^the lake has "exports/one/interaction_history/\S+", which this database does not know: run kaireonctl export rebase$},
		"the $call call refuses");
	is($tenants->{two}{exported}, $call eq 'first' ? 10 : 0, 'who knows all of the lake goes on');
}
is(scalar keys %{ lake('one') }, 410, 'and nothing was written');
is_deeply(rebase(), { rebased => JSON::PP::true, rows => 410, files => 5, adopted => 2 }, 'rebased by what the lake has');
is_deeply(rebase()->{rebased}, JSON::PP::false, 'once');
is(export()->{one}{exported}, 20, 'what no file has is exported');
my $seen = lake('one');
is(scalar(grep { $_ > 1 } values %$seen), 0, 'nothing comes twice');
is(scalar(grep { /^(?:kept|new)/ } keys %$seen), 140, 'and nothing is lost');
my $report = verify();
is_deeply([@$report{qw(missing rows)}], [[], 390 + 40], 'every row is in the lake') or diag explain $report;
is_deeply([map { $_->{id} } @{ $report->{extra} }], [map { sprintf 'lost_%05d', $_ } 1 .. 40], 'what the database lacks is named');
insert('one', 5, 'later');
is(export()->{one}{exported}, 5, 'and it goes on');

# a database that knows nothing of the lake
$stack->query('postgres', "DELETE FROM kaireon.$_ WHERE tenant_id = 'two'") for qw(export_files export_checkpoints interaction_history);
insert('two', 7, 'anew');
like(export()->{two}{error}, qr/^the lake has "exports\/two/, 'a lake of another is not written to');
is(rebase()->{adopted}, 2, 'until it was adopted');
is(export()->{two}{exported}, 7, 'then it is');

# but one that was emptied knows its own
insert('play', 10, 'before');
is(export()->{play}{exported}, 10, 'a playground is exported');
$stack->query('postgres', "UPDATE kaireon.tenants SET is_playground = true WHERE tenant_id = 'play';
	SELECT kaireon.tenant_set('play'), kaireon.tenant_reset_some(100000), kaireon.tenant_reset_end()");
insert('play', 10, 'after');
is(export()->{play}{exported}, 10, 'and again after its reset');

# a purge between a restore and its rebase marks nothing as exported: nobody knows
insert('two', 6, 'old', '800 days');
insert('two', 6, 'older', '2000 days');
$stack->query('postgres', "UPDATE kaireon.retention_configs SET retention_days = 36500 WHERE tenant_id = 'one';
	UPDATE kaireon.export_checkpoints SET system_identifier = '1', commit_xid = '999999999' WHERE tenant_id = 'two'");
insert('one', 1, 'keeps', '800 days');
like(export()->{two}{error}, qr/^cluster changed/, 'a checkpoint of another cluster');
my $cleaned = $stack->request('GET', '/api/v1/cron/cleanup', headers => { X_CRON_SECRET => 'cron-secret' })->{json}{cleaned};
cmp_ok($cleaned->{partitionsDropped}, '>', 0, 'a month is dropped, of another the rows');
is($cleaned->{interactionHistory}, 12, 'twelve rows go');
is($stack->owner("SELECT string_agg(purged_rows || ' ' || exported_rows, ', ') FROM kaireon.purge_marks WHERE tenant_id = 'two'"), '6 0, 6 0',
	'and are marked as what they are');

# a dump without a checkpoint: its rows bear transaction ids that are yet to come
$stack->query('postgres', "UPDATE kaireon.interaction_history SET commit_xid = '88888888888' WHERE tenant_id = 'play';
	DELETE FROM kaireon.export_checkpoints WHERE tenant_id = 'play'; DELETE FROM kaireon.export_files WHERE tenant_id = 'play'");
like(export()->{play}{error}, qr/^cluster changed/, 'rows of another cluster');
rebase();
insert('play', 3, 'fresh');
is(export()->{play}{exported}, 3, 'are known after it');

$stack->announce(qr/cron job failed for a tenant.*(?:the lake has|cluster changed)/);
$stack->end;
done_testing;
