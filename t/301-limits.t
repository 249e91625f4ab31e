#!/usr/bin/perl
# Rate limits: five calls pass in any sixty seconds over all processes, the
# sixth does not; who is refused counts for nothing.
use strict;
use warnings;

use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $other = $stack->tenant('two');
$stack->pool('api', 8);
my $cleanup = '/api/v1/cleanup';

# whatever comes of a call that passed
sub cleanup { return $stack->request('POST', $cleanup, key => $key->{admin}, @_) }
sub passed { return $_[0]{status} != 429 }

# before the limit is identity; what is refused there is not counted
for my $case ([401], [403, key => $key->{editor}], [415, key => $key->{admin}, type => 'text/plain', body => 'x']) {
	my ($status, @option) = @$case;
	my $answer = $stack->request('POST', $cleanup, @option);
	is($answer->{status}, $status, "$status comes before the limit");
	ok(!defined $answer->{headers}{ratelimit}, 'and takes no call');
}
is($stack->request('OPTIONS', $cleanup, key => $key->{admin})->{status}, 204, 'nor does OPTIONS');

# forty callers of eight processes at once
my @answers = $stack->parallel(40, sub { my $a = cleanup(); return [$a->{status}, $a->{headers}] });
my @accepted = grep { $_->[0] != 429 } @answers;
is(scalar @accepted, 5, 'five of forty pass');
is_deeply([sort map { $_->[1]{ratelimit} =~ /^"cleanup";r=(\d);t=(?:60|59|5[0-8])$/ ? $1 : $_->[1]{ratelimit} } @accepted], [0 .. 4],
	'each is told how many are left');
is(scalar(grep { ($_->[1]{'ratelimit-policy'} // '') eq '"cleanup";q=5;w=60' } @answers), 40, 'the policy is told to all');
for my $refused (grep { $_->[0] == 429 } @answers) {
	my ($left, $reset) = ($refused->[1]{ratelimit} // '') =~ /^"cleanup";r=(\d+);t=(\d+)$/;
	ok(defined $left && $left == 0 && $refused->[1]{'retry-after'} eq $reset && $reset >= 1 && $reset <= 60,
		'who is refused is told when to come again') or last;
}
is($answers[0][1]{'cache-control'}, 'no-store', 'as any answer');
my $refused = cleanup();
is($refused->{json}{error}{code}, 'TOO_MANY_REQUESTS', 'the shape of the refusal');
ok(passed($stack->request('POST', $cleanup, key => $other->{admin})), 'another tenant has calls of its own');

is($stack->request('POST', $cleanup, key => $key->{admin}, type => 'application/json', awaits => 200_000)->{status}, 429, 'the limit comes before the body');

# the window slides: a call comes free when the oldest is sixty seconds old
sub age { $stack->owner("UPDATE kaireon.rate_limit_hits SET hits = ARRAY(SELECT h - interval '$_[0] seconds' FROM unnest(hits) WITH ORDINALITY AS u (h, n) ORDER BY n) WHERE tenant_id = 'one'") }
is($stack->owner("SELECT cardinality(hits) FROM kaireon.rate_limit_hits WHERE tenant_id = 'one'"), 5, 'the refused left nothing');
$stack->owner("UPDATE kaireon.rate_limit_hits SET hits[1] = now() - interval '59.5 seconds' WHERE tenant_id = 'one'");
$refused = cleanup();
is($refused->{status} . " $refused->{headers}{'retry-after'}", '429 1', 'at 59.5 seconds none is free');
$stack->owner("UPDATE kaireon.rate_limit_hits SET hits[1] = now() - interval '60 seconds' WHERE tenant_id = 'one'");
is(scalar(grep { $_ != 429 } $stack->parallel(10, sub { cleanup()->{status} })), 1, 'at 60 seconds one is');
age(61);
is(scalar(grep { $_ != 429 } $stack->parallel(10, sub { cleanup()->{status} })), 5, 'after a pause five are');

# a call that fails later has passed
age(61);
is(cleanup(body => '{"')->{headers}{ratelimit}, '"cleanup";r=4;t=60', 'a bad body is a call too');
like(cleanup(body => '{}')->{headers}{ratelimit}, qr/r=3/, 'the next counts on');

$stack->end;
done_testing;
