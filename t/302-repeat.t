#!/usr/bin/perl
# Idempotency-Key: an effect happens once and its answer is given again, however
# often and by how many at once it is asked for, and whoever dies meanwhile.
use strict;
use warnings;

use IPC::Open2 qw(open2);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $trials = $ENV{KRN_KILL_TRIALS} || 12;
$stack->watched_pool('api', 8)->pool('cron', 1);
my $demo = Kaireon::Campaign->new($stack, 'one', count => 20);
my $other = $stack->tenant('two');
my $runs = '/api/v1/runs';

# One call under a key: a campaign of that name unless said.
sub post {
	my ($key, %option) = @_;
	$option{body} //= $demo->fields(name => $key);
	$option{body} = JSON::PP->new->canonical->encode($option{body}) if ref $option{body}; # the same bytes each time
	return $stack->request('POST', $option{path} // $runs, key => $demo->{key}{editor}, %option, headers => { IDEMPOTENCY_KEY => $key, %{ $option{headers} || {} } });
}
sub campaigns { return $stack->owner("SELECT count(*) FROM kaireon.campaigns WHERE name = '$_[0]'") }
sub replayed { return ($_[0]{headers}{'idempotency-replayed'} // '') eq 'true' ? 1 : 0 }
sub kept { return $stack->owner('SELECT count(*) FROM kaireon.idempotency_keys') }

# the same again
my $first = post('a');
is($first->{status} . replayed($first), '2010', 'the first call creates');
my $again = post('a');
is($again->{status} . replayed($again), '2011', 'the second is answered with the first');
is($again->{body}, $first->{body}, 'byte for byte');
is($again->{headers}{'content-type'}, $first->{headers}{'content-type'}, 'of the same type');
is(campaigns('a'), 1, 'and one campaign is there');
$stack->owner("UPDATE kaireon.campaigns SET description = 'changed' WHERE name = 'a'");
is(post('a')->{body}, $first->{body}, 'also when the object has changed since');

# another request under the key
my $mismatch = post('a', body => $demo->fields(name => 'b'));
is($mismatch->{status} . $mismatch->{json}{error}{code}, '422IDEMPOTENCY_MISMATCH', 'another body');
is(post('a', body => { decisionFlowID => 1 })->{status}, 400, 'a bad body is refused before');
is(campaigns('b'), 0, 'does nothing');
is(post('a', key => $_)->{status}, 401, 'identity first') for 'krn_' . 'x' x 40;
is(post('a', key => $demo->{key}{viewer})->{status}, 403, 'role first');
is(post('a', key => $other->{editor})->{status}, 400, "another tenant's key is another key"); # its flow is not theirs
is(post('')->{status}, 400, 'an empty key');
is(post('x' x 256)->{status}, 400, 'a key too long');
is(post('x' x 255)->{status}, 201, 'the longest');
is(post($_)->{status}, 400, 'a key that is not visible ASCII') for 'a b', "a\tb", "\xc3\xa4", "\x7f";
is(post(' ', key => 'none')->{status}, 401, 'nobody learns that without a key');

# what is not a success is not kept
my $before = kept();
is(post('c', body => $demo->fields(segmentId => 'seg_nothing'))->{status}, 400, 'a refusal');
is(kept(), $before, 'leaves nothing');
is(post('c')->{status}, 201, 'so the key is still to be had');
my $id = $first->{json}{id};
my $trigger = "$runs/$id/campaign-runs";
$stack->request('POST', $trigger, key => $demo->{key}{editor});
is(post('d', path => $trigger, body => '')->{status}, 409, 'a conflict');
is(post('d', path => $trigger, body => '')->{status}, 409, 'is one again');

# never
$before = kept();
is(post('e', path => '/api/v1/gitops/apply', body => { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [] })->{status},
	200, 'a dry run');
is(kept(), $before, 'is not kept');
is($stack->request('POST', '/api/v1/cron/export-interactions', headers => { X_CRON_SECRET => 'cron-secret', IDEMPOTENCY_KEY => 'e' })->{status}, 200, 'a cron call');
is(kept(), $before, 'neither');
is($stack->request('GET', $runs, key => $demo->{key}{viewer}, headers => { IDEMPOTENCY_KEY => ' ' })->{status}, 200, 'nor looked at elsewhere');

# a day later it is another call
$stack->owner("UPDATE kaireon.idempotency_keys SET created_at = now() - interval '24 hours 1 second' WHERE key = 'a'");
my $later = post('a', body => $demo->fields(name => 'later'));
is($later->{status} . replayed($later), '2010', 'after 24 hours the key is free');
is(replayed(post('a', body => $demo->fields(name => 'later'))), 1, 'and taken anew');

# and the cleanup removes what is over
$stack->owner("UPDATE kaireon.idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'c'");
$before = kept();
is($stack->request('POST', '/api/v1/cron/cleanup', headers => { X_CRON_SECRET => 'cron-secret' })->{status}, 200, 'a cleanup');
is(kept(), $before - 1, 'removes what is over');

# many at once
my @answers = $stack->parallel(24, sub { my $a = post('f'); return [$a->{status}, $a->{json}{id}, replayed($a)] });
is(scalar(grep { $_->[0] == 201 && $_->[1] eq $answers[0][1] } @answers), 24, 'of 24 at once all get one answer');
is(scalar(grep { !$_->[2] } @answers), 1, 'one of them the first');
is(campaigns('f'), 1, 'of one campaign');
my $offer = { apiVersion => 'kaireonai.com/v1', kind => 'Offer', metadata => { name => 'repeated' }, spec => {} };
my $bundle = { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [$offer] };
sub apply { return post('g', path => '/api/v1/gitops/apply?dryRun=false', body => $bundle, @_) }
@answers = $stack->parallel(8, sub { my $a = apply(); return [$a->{status}, $a->{json}{revision}, replayed($a)] });
is(scalar(grep { $_->[0] == 200 && $_->[1] == $answers[0][1] } @answers), 8, 'a real apply by eight at once is one revision')
	or diag explain \@answers;
is(scalar(grep { !$_->[2] } @answers), 1, 'that one of them made');
is(apply(key => $demo->{key}{viewer})->{status}, 403, 'its answer is not for a lower role');
is(apply(path => '/api/v1/gitops/apply?dryRun=false&prune=false')->{status}, 422, 'another query is another request');

# a run that is executed inline
my $cancel = $stack->owner("SELECT id FROM kaireon.campaign_runs WHERE campaign_id = '$id'");
$stack->request('POST', "$trigger/$cancel/cancel", key => $demo->{key}{editor});
my $inline = sub { return post('h', path => "$runs/execute-inline", pool => 'cron',
	body => { runId => $cancel, decisionFlowId => $demo->{flow}, segmentViewName => $demo->{segment}{viewName} }) };
$stack->worker;
is($inline->()->{status}, 200, 'an inline run begins');
$again = $inline->();
is($again->{status} . replayed($again), '2001', 'once');

# the first dies in the middle of its effect: the table is locked, so it waits
my $psql = open2(my $out, my $in, 'psql', '-qXAt', '-h', "$stack->{dir}/sock", '-U', 'kaireon_owner', '-d', 'kaireon');
sub locked {
	my ($what, $key) = @_;
	print $in "BEGIN; LOCK TABLE kaireon.campaigns IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n";
	readline $out;
	my $waiting = q{FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%campaign%' AND application_name LIKE 'kaireon-fcgi api%'};
	my $pid = fork // die $!;
	if (!$pid) { eval { post($key) }; POSIX::_exit(0) }
	$stack->wait_for('the effect to begin', sub { $stack->query('postgres', "SELECT count(*) $waiting") });
	my $killed = $stack->query('postgres', $what eq 'process' ? "SELECT substring(application_name FROM '\\d+') $waiting" : "SELECT pg_terminate_backend(pid) $waiting");
	kill 'KILL', $killed if $what eq 'process';
	print $in "COMMIT; SELECT 'free';\n";
	readline $out;
	waitpid $pid, 0;
	my $answer = $stack->wait_for('an answer', sub { my $a = eval { post($key) }; $a && $a->{status} == 201 ? $a : undef });
	is(replayed($answer), 0, "the first call's $what died: the next is the first");
	is(campaigns($key), 1, 'one campaign');
}
$stack->announce(qr/status=503|UNAVAILABLE|terminat/);
locked('process', 'i');
locked('session', 'j');
close $in;
waitpid $psql, 0;

# kills at random moments: whoever got no answer asks again
for my $trial (1 .. $trials) {
	my $killer = fork // die $!;
	if (!$killer) {
		for (1 .. 3) {
			sleep rand 0.02;
			my @children = $stack->children('api');
			kill 'KILL', $children[rand @children] if @children;
		}
		POSIX::_exit(0);
	}
	my @ids = $stack->parallel(6, sub {
		for (1 .. 200) {
			my $a = eval { post("k$trial") };
			return $a->{json}{id} if $a && $a->{status} == 201;
			sleep 0.01;
		}
		return;
	});
	waitpid $killer, 0;
	my %ids = map { ($_ // 'none') => 1 } @ids;
	is(join(' ', scalar keys %ids, campaigns("k$trial")), '1 1', "kills, trial $trial: one campaign, one answer") or diag explain \@ids;
}

$stack->end;
done_testing;
