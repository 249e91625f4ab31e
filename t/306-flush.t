#!/usr/bin/perl
# The emergency flush: after its answer no process decides with the
# configuration of before, however many decide at that moment.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

use Kaireon::Campaign;
use Kaireon::Db;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
$stack->pool('api', 4)->pool('cron', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 20);
my $other = $stack->tenant('two');
my $cache = '/api/v1/admin/cache';

my $answer = $stack->request('POST', $cache, key => $demo->{key}{admin}, body => { scope => 'offers' });
is($answer->{status}, 200, 'a flush') or diag $answer->{body};
is(join(' ', @{ $answer->{json} }{qw(success flushed tenantId)}), '1 offers one', 'says what was flushed');
is($stack->request('POST', $cache, key => $demo->{key}{admin})->{json}{flushed}, 'all', 'all by default');
is($stack->request('POST', $cache, key => $demo->{key}{admin}, body => '{"scope": "x"}')->{status}, 400, 'an unknown scope');
is($stack->request('POST', $cache, key => $demo->{key}{editor})->{status}, 403, 'is an admin\'s');
is($stack->owner("SELECT string_agg(changes->>'scope', ' ' ORDER BY seq) FROM kaireon.audit_logs WHERE action = 'cache.flush'"), 'offers all', 'with audit rows');
is($stack->owner("SELECT epoch FROM kaireon.config_epochs WHERE tenant_id = 'two'"), 1, "another tenant's epoch stays");

# Processes that decide as fast as they can, each with what it compiled when
# the epoch was last another. Each decision is noted with what it was made
# with, after its commit. The configuration is the description of a category,
# changed behind the back of the epoch: only a flush tells.
$stack->owner("INSERT INTO kaireon.categories (tenant_id, id, name, description) VALUES ('one', 'cat_flush', 'flush', '0')");
my (@deciders, $flushes);
for my $n (1 .. 6) {
	my $pid = fork // die $!;
	if (!$pid) {
		$SIG{TERM} = sub { POSIX::_exit(0) };
		open my $log, '>', "$stack->{dir}/decider$n" or die $!;
		$log->autoflush(1);
		my $db = Kaireon::Db->new($stack->{settings}{DATABASE_WORKER_URL});
		my ($epoch, $compiled) = (0, '');
		for (;;) {
			$db->send('begin', 'write');
			$db->send('send', 'tenant_set', 'one');
			$db->send('send', 'epoch_hold');
			$db->send('flush');
			my $now = ($db->send('rows', 1, 1))[-1];
			if ($now != $epoch) {
				$compiled = $stack->owner("SELECT description FROM kaireon.categories WHERE id = 'cat_flush'");
				$epoch = $now;
			}
			my $at = time; # held: what a flush answered before this must be in it
			my ($verdict) = $db->send('commit');
			printf $log "%.6f %s\n", $at, $compiled if $verdict eq 'ok';
		}
	}
	push @deciders, $pid;
}
$stack->wait_for('everybody to decide', sub { 6 == grep { -s "$stack->{dir}/decider$_" } 1 .. 6 });
my @answered = (0);
for my $n (1 .. 40) {
	$stack->owner("UPDATE kaireon.categories SET description = '$n' WHERE id = 'cat_flush'");
	my $flushed = $stack->request('POST', $cache, key => $demo->{key}{admin});
	$flushes += $flushed->{status} == 200;
	$answered[$n] = time;
	my $size = -s "$stack->{dir}/decider1";
	$stack->wait_for('another decision', sub { -s "$stack->{dir}/decider1" > $size });
}
kill 'TERM', @deciders;
waitpid $_, 0 for @deciders;
is($flushes, 40, 'forty flushes under load');
my ($decisions, $stale, %seen) = (0, 0);
for my $n (1 .. 6) {
	for (split /\n/, $stack->slurp("$stack->{dir}/decider$n")) {
		my ($at, $with) = split ' ';
		next if !length($with // '');
		$decisions++;
		$seen{$with} = 1;
		$stale++ if grep { $answered[$_] < $at } $with + 1 .. 40;
	}
}
cmp_ok($decisions, '>', 200, "$decisions decisions by six processes");
is($stale, 0, 'none of them with what was flushed before');
cmp_ok(scalar keys %seen, '>', 20, 'and they did see the changes');

# who decides now is waited for, and who begins then sees the next epoch
my $holder = Kaireon::Db->new($stack->{settings}{DATABASE_WORKER_URL});
$holder->ok('begin', 'write');
$holder->ok('send', 'tenant_set', 'one');
$holder->ok('send', 'epoch_hold');
$holder->ok('flush');
my $pid = fork // die $!;
if (!$pid) { $stack->request('POST', $cache, key => $demo->{key}{admin}); $stack->spew("$stack->{dir}/flushed", time); POSIX::_exit(0) }
$stack->wait_for('the flush to wait', sub { $stack->query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%gitops_lock%'") });
ok(!-e "$stack->{dir}/flushed", 'a flush waits for a decision that is under way');
my $committed = time;
$holder->ok('commit');
waitpid $pid, 0;
cmp_ok($stack->slurp("$stack->{dir}/flushed"), '>=', $committed, 'and answers after it');
is($holder->end, 0, 'the holder ends');

# runs: what is planned after the answer is planned with what was there
$stack->worker("worker$_") for 1 .. 3;
my @campaigns = map { $demo->campaign(name => "run $_") } 1 .. 6;
for my $round (1 .. 3) {
	my @runs = map { [$_, $demo->post("/$_/campaign-runs")->{json}{id}] } @campaigns;
	my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $demo->{key}{admin}, body => { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' },
		resources => [{ apiVersion => 'kaireonai.com/v1', kind => 'Category', metadata => { name => "round $round" }, spec => {} }] });
	is($applied->{status}, 200, "round $round: an apply among runs");
	is($stack->request('POST', $cache, key => $demo->{key}{admin})->{status}, 200, 'a flush');
	my $after = $stack->owner('SELECT clock_timestamp()');
	$demo->finished(@$_) for @runs;
	is($stack->owner("SELECT count(*) FROM kaireon.campaign_runs WHERE tenant_id = 'one' AND started_at > '$after' AND config_revision < $applied->{json}{revision}"), 0,
		'no run is planned with less afterwards');
}

$stack->end;
done_testing;
