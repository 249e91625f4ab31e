#!/usr/bin/perl
# A dump that is restored into another cluster: the export refuses to go on
# until it was rebased; then nothing is lost and nothing comes twice.
use strict;
use warnings;

use File::Find ();
use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $old = Kaireon::Stack->new(settings => { EXPORT_MAX_ROWS => 100 });
my $root = "$old->{dir}/data";

sub insert {
	my ($stack, $tenant, $nr, $prefix) = @_;
	$stack->query('postgres', "INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
		SELECT '$tenant', '${prefix}_' || lpad(i::text, 5, '0'), 'c', 'impression', 'outbound', clock_timestamp() FROM generate_series(1, $nr) AS i");
}

sub export {
	my ($stack) = @_;
	return $stack->request('GET', '/api/v1/cron/export-interactions?drain=true', headers => { X_CRON_SECRET => 'cron-secret' })->{json};
}

# ids of a tenant in the lake, with how often each is there
sub lake {
	my ($tenant) = @_;
	my %seen;
	File::Find::find({ no_chdir => 1, wanted => sub {
		return unless -f && m{/exports/$tenant/};
		$seen{ decode_json($_)->{id} }++ for split /\n/, $old->slurp($_);
	} }, "$root/exports");
	return \%seen;
}

sub verify {
	my ($stack) = @_;
	my ($status, $out, $err) = $stack->ctl_try('--json', 'verify-export');
	return eval { decode_json($out) } // { error => "$out$err" };
}

$old->tenant($_) for qw(one two three);
$old->pool('cron', 1);
insert($old, 'one', 50, "a$_") for 1 .. 5;
insert($old, 'two', 30, 'b');
ok(export($old)->{ok}, 'an export before the dump');
insert($old, 'one', 70, 'dumped');
insert($old, 'two', 20, 'left');
$old->query('postgres', q{UPDATE kaireon.tenants SET status = 'suspended' WHERE tenant_id = 'one'});
is(($old->ctl_try('export', 'rebase'))[0], 0, 'in its own cluster there is nothing to rebase');
$old->system_ok("pg_dump -h $old->{dir}/sock -U postgres -Fc -f $old->{dir}/dump kaireon");
$old->query('postgres', q{UPDATE kaireon.tenants SET status = 'active'});
insert($old, 'one', 10, 'lost');
ok(export($old)->{ok}, 'and one after it, which the dump does not know');
my %before = map { $_ => scalar keys %{ lake($_) } } qw(one two);
is_deeply(\%before, { one => 330, two => 50 }, 'the lake has both');
is(verify($old)->{ok}, JSON::PP::true, 'and is whole');
$old->stop('cron1');

my $new = Kaireon::Stack->new(settings => { EXPORT_MAX_ROWS => 100, EXPORT_URL => "file://$root" });
$new->query('postgres', 'DROP DATABASE kaireon', 'postgres');
$new->query('postgres', 'CREATE DATABASE kaireon OWNER kaireon_owner', 'postgres');
$new->system_ok("pg_restore -h $new->{dir}/sock -U postgres -d kaireon $old->{dir}/dump");
$new->query('postgres', q{UPDATE kaireon.tenants SET status = 'active'});
$new->pool('cron', 1);
insert($new, 'one', 40, 'new');
my $refused = export($new);
ok(!$refused->{ok}, 'the export refuses');
like($refused->{tenants}[0]{error}, qr/cluster changed/, 'and says why');
my ($first) = glob "$root/exports/one/interaction_history/*/*/*/*.json";
rename $first, "$first.away" or die $!;
my ($status, undef, $why) = $new->ctl_try('export', 'rebase');
is($status, 1, 'a lake that lacks a file is no ground to go on from');
like($why, qr/batch-\S+" is gone from the lake/, 'the file is named');
rename "$first.away", $first;
my $open = $new->spawn('open', undef, 'psql', '-X', '-h', "$new->{dir}/sock", '-U', 'postgres', '-d', 'kaireon', '-c',
	q{BEGIN; INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
	VALUES ('one', 'open', 'c', 'impression', 'outbound', now()); SELECT pg_sleep(1); COMMIT});
$new->wait_for('an open transaction', sub { $new->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()}) });
my $done = decode_json($new->ctl('--json', 'export', 'rebase'));
is_deeply($done, { rebased => JSON::PP::true, rows => 380, files => 6, adopted => 2 }, 'rebased by what the lake has') or diag explain $done;
$new->wait_for('its end', sub { !$new->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()}) });
$new->stop('open');
is_deeply(decode_json($new->ctl('--json', 'export', 'rebase'))->{rebased}, JSON::PP::false, 'once');
my $after = export($new);
ok($after->{ok}, 'the export goes on') or diag explain $after;
my %nr = map { my $seen = lake($_); ($_ => scalar keys %$seen) } qw(one two);
is_deeply(\%nr, { one => 330 + 40 + 1, two => 50 }, 'nothing is lost: what was there, what is new, and what committed late');
is(scalar(grep { $_ > 1 } map { values %{ lake($_) } } qw(one two)), 0, 'nothing comes twice');
my $report = verify($new);
is_deeply([map { $_->{id} } @{ $report->{extra} }], [map { sprintf 'lost_%05d', $_ } 1 .. 10], 'what the dump lacks and the lake has is named') or diag explain $report;
is_deeply([@$report{qw(rows missing)}, [grep { $_->{id} } @{ $report->{altered} }]], [411, [], []], 'all else is whole');
insert($new, 'one', 5, 'later');
export($new);
is(scalar keys %{ lake('one') }, 376, 'and it goes on');
is($new->owner('SELECT count(*) FROM kaireon.export_rebase'), 0, 'no notes are left');

$new->announce(qr/cron job failed for a tenant.*cluster changed/);
$_->end for $new, $old;
done_testing;
