#!/usr/bin/perl
# Applies that are killed at a random moment, by the death of the program or
# of its database session: before or after, never between. Readers during an
# apply, and two applies at once. KRN_KILL_TRIALS says how many.
use strict;
use warnings;

use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Bundle;
use Kaireon::Stack;

my $trials = $ENV{KRN_KILL_TRIALS} || 200;
my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one')->{admin};
$stack->watched_pool('api', 2);
my $json = JSON::PP->new->utf8->canonical;

sub gitops {
	my ($method, $path, $list, %option) = @_;
	return eval { $stack->request($method, "/api/v1/gitops/$path", key => $key, type => 'application/json',
		$list ? (body => $json->encode(Kaireon::Bundle::document($list))) : (), %option) } || { status => 0, body => '' };
}

sub export {
	my $text = gitops('GET', 'export?format=json')->{body};
	$text =~ s/("exportedAt": ?)"[^"]*"/$1"then"/;
	$text =~ s/"kaireonai\.com\/(?:version|id)": ?"[^"]*"/"-": "-"/g;
	return $text;
}

# two configurations that differ everywhere, and what each exports to
my $generator = Kaireon::Bundle->new(20260330);
my @lists;
while (@lists < 2) {
	my $list = $generator->bundle;
	push @lists, $list if @$list > 12;
}
my $apply = 'apply?dryRun=false&prune=true&maxDeletes=1000000';
my ($longest, @exports) = 0;
for my $i (0, 1, 0, 1) {
	my $begin = time;
	my $answer = gitops('POST', $apply, $lists[$i]);
	is($answer->{status}, 200, "configuration $i is applied") or diag $answer->{body};
	$longest = time - $begin if time - $begin > $longest;
	$exports[$i] = export();
}
isnt($exports[0], $exports[1], 'they differ');

# somebody does this beside us
sub beside {
	my ($code) = @_;
	my $pid = fork // die $!;
	if (!$pid) { $code->(); POSIX::_exit(0) }
	return $pid;
}

$stack->announce(qr/lost the connection|sqlstate=57P01|error=(?:unavailable|internal)/);
# a session that is there already, so that a kill comes when it is meant to
open my $psql, '|-', "psql -qXAt -h $stack->{dir}/sock -U postgres -d kaireon >/dev/null" or die $!;
$psql->autoflush(1);
my ($now, %met) = (1);
for my $trial (1 .. $trials) {
	my $next = 1 - $now;
	my @alive = $stack->children('api');
	my $pid = beside(sub { gitops('POST', $apply, $lists[$next]) });
	sleep rand 1.2 * $longest;
	if ($trial % 2) {
		print {$psql} "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'kaireon_api' AND state <> 'idle';\n";
	} else {
		kill 'KILL', @alive;
	}
	waitpid $pid, 0;
	my $found = '';
	$stack->wait_for('an export', sub { ($found = export()) =~ /^\{"manifest"/ });
	my ($is) = grep { $exports[$_] eq $found } 0, 1;
	if (!defined $is) {
		fail("trial $trial: neither before nor after");
		diag $found;
		last;
	}
	$met{ $is == $next ? 'after' : 'before' }++;
	$now = $is;
}
close $psql;
note "$trials kills: " . join ', ', map { "$met{$_} $_" } sort keys %met;
is(($met{before} // 0) + ($met{after} // 0), $trials, "$trials kills in an apply leave the configuration before or after it");
ok($met{before} && $met{after}, 'of both there were some');
is($stack->owner('SELECT count(*) = max(revision) AND max(revision) = (SELECT revision FROM kaireon.config_epochs) FROM kaireon.gitops_revisions'), 't',
	'no revision is missing');
is($stack->owner('SELECT count(*) FROM kaireon.gitops_revisions AS r WHERE NOT EXISTS (SELECT FROM kaireon.audit_logs AS a WHERE a.id = r.audit_id)'), 0,
	'and each has its audit row');

# readers during applies
my $readers = beside(sub {
	my %seen;
	for (1 .. 60) {
		my $text = export();
		$seen{ $text eq $exports[0] ? 0 : $text eq $exports[1] ? 1 : 'mix' }++;
	}
	$stack->spew("$stack->{dir}/seen", $json->encode(\%seen));
});
for my $i (1 .. 1000) {
	last if waitpid($readers, POSIX::WNOHANG()) == $readers;
	gitops('POST', $apply, $lists[$i % 2]);
}
waitpid $readers, 0;
my $seen = $json->decode($stack->slurp("$stack->{dir}/seen"));
note $json->encode($seen);
is(join(' ', sort keys %$seen), '0 1', 'a reader sees the old or the new configuration, never a mix');

# two at once: with a plan one wins, without one both do, one after the other
for my $trial (1 .. 10) {
	gitops('POST', $apply, $lists[0]);
	my $plan = gitops('POST', 'apply?prune=true&maxDeletes=1000000', $lists[1])->{json}{planHash};
	for my $header ({ IF_MATCH => "\"$plan\"" }, {}) {
		my @pids = map {
			my $n = $_;
			beside(sub { $stack->spew("$stack->{dir}/status$n", gitops('POST', $apply, $lists[1], headers => $header)->{status}) });
		} 0, 1;
		waitpid $_, 0 for @pids;
		my $both = join ' ', sort map { $stack->slurp("$stack->{dir}/status$_") } 0, 1;
		is($both, %$header ? '200 412' : '200 200', %$header ? "pair $trial under one plan: the second is stale" : 'without a plan the second waits and finds nothing to do');
	}
	is(export(), $exports[1], 'the configuration is what both wanted');
}

$stack->end;
done_testing;
