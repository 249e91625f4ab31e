#!/usr/bin/perl
# The laws of GitOps over random bundles. KRN_LAW_TRIALS says how many, and
# KRN_LAW_SEED begins where a failure was; a failure is shrunk before it is
# told.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Bundle;
use Kaireon::Stack;

my $trials = $ENV{KRN_LAW_TRIALS} || 400;
my $seed = $ENV{KRN_LAW_SEED} || int rand 2**31;
my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one')->{admin};
$stack->pool('api', 1);
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
diag "KRN_LAW_SEED=$seed" if $ENV{KRN_LAW_SEED} || $ENV{CI};

sub call {
	my ($method, $path, $body, $type) = @_;
	my $answer = $stack->request($method, "/api/v1/gitops/$path", key => $key, defined $body ? (type => $type || 'application/json',
		body => ref $body ? $json->encode(Kaireon::Bundle::document($body)) : $body) : ());
	die "$method $path answers $answer->{status}: " . substr($answer->{body}, 0, 600) . "\n" if $answer->{status} != 200;
	return $answer;
}

sub apply { my ($body, $query) = @_; return call('POST', "apply?prune=true&maxDeletes=1000000&dryRun=$query", $body)->{json} }

# The export but for its time, and, when asked, but for annotations.
sub export {
	my ($format, $bare) = @_;
	my $text = call('GET', "export?format=$format")->{body};
	$text =~ s/("?exportedAt"?: ?)"[^"]*"/$1"then"/;
	$text =~ s/"kaireonai\.com\/(?:version|id)": ?"[^"]*"/"-": "-"/g if $bare;
	return $text;
}

sub quiet { my ($answer) = @_; return join ' ', map { "$_->{op}:$_->{kind}:$_->{name}" } grep { $_->{op} ne 'unchanged' } @{ $answer->{diffs} } }

sub expect { my ($what, $good) = @_; die "$what\n" unless $good }

# All laws over one list and the next; dies with the law that does not hold.
sub laws {
	my ($generator, $first, $second) = @_;
	my $dry = apply($first, 'true');
	my $real = apply($first, 'false');
	expect('diff predicts exactly what apply does', $json->encode([@$dry{qw(diffs summary)}]) eq $json->encode([@$real{qw(diffs summary)}]));
	expect('no dry run makes a revision', $dry->{revision} <= $real->{revision});
	my ($as_json, $as_yaml, $bare) = (export('json'), export('yaml'), export('json', 1));
	expect('export -> diff is all unchanged: ' . quiet(call('POST', 'diff', $as_json)->{json}), quiet(call('POST', 'diff', $as_json)->{json}) eq '');
	my $back = call('POST', 'diff', $as_yaml, 'application/yaml')->{json};
	expect('YAML and JSON agree: ' . quiet($back), quiet($back) eq '' && $back->{summary}{unchanged} == @$first);
	# keys in the order of a hash, which is another one each time
	my $again = apply(JSON::PP->new->utf8->encode(Kaireon::Bundle::document($generator->shuffled(@$first))), 'false');
	expect('apply twice, in any order, changes nothing: ' . quiet($again), quiet($again) eq '' && $again->{revision} == $real->{revision});
	apply($as_json, 'false');
	expect('export -> apply -> export is the same text', export('json') eq $as_json && export('yaml') eq $as_yaml);
	my $next = apply($second, 'false');
	if ($real->{revision} > 0 && $next->{revision} > $real->{revision}) {
		call('POST', "rollback?to=$real->{revision}&dryRun=false");
		expect('apply, then rollback gives the earlier export', export('json', 1) eq $bare);
	}
}

# Two failures are one when they say the same, but for names and numbers.
sub kind_of { my ($text) = @_; return $text =~ /answers (\d+).*?"message":"([^"]{0,40})/ ? "$1 $2" =~ s/\d+//gr : (split /:/, $text)[0] }

my $failure;
for my $trial (0 .. $trials - 1) {
	my $generator = Kaireon::Bundle->new($seed + $trial);
	my ($first, $second) = ($generator->bundle, $generator->bundle);
	next if eval { laws($generator, $first, $second); 1 };
	$failure = $@;
	my $lists = Kaireon::Bundle::shrink([$first, $second], sub {
		my @lists = @_;
		return !eval { apply([], 'false'); laws(Kaireon::Bundle->new(1), @lists); 1 } && kind_of($@) eq kind_of($failure);
	});
	diag 'KRN_LAW_SEED=' . ($seed + $trial) . " fails: $failure" . JSON::PP->new->utf8->canonical->pretty->encode($lists);
	last;
}
is($failure, undef, "the laws hold over $trials random configurations and what follows each");
cmp_ok($stack->owner('SELECT count(*) FROM kaireon.gitops_revisions'), '>', $trials, 'each was a revision');
is($stack->owner("SELECT count(*) FROM kaireon.audit_logs WHERE action = 'gitops_apply'"), 
	$stack->owner("SELECT h.seq - (SELECT count(*) FROM kaireon.audit_logs WHERE action = 'api_key.create') FROM kaireon.audit_heads AS h"),
	'and each apply an audit row');

$stack->end;
done_testing;
