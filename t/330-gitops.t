#!/usr/bin/perl
# GitOps laws: what is exported applies to itself, one transaction, plans,
# roles, hostile bundles, and the audit chain recomputed.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $two = $stack->tenant('two');
$stack->pool('api', 4);
my $bundle = $stack->slurp("$stack->{source}/doc/demo/bundle.yaml");

sub gitops {
	my ($what, $body, %option) = @_;
	return $stack->request('POST', "/api/v1/gitops/$what", key => $key->{admin}, type => 'application/yaml', body => $body, %option);
}

sub export {
	my ($query, %option) = @_;
	my $text = $stack->request('GET', '/api/v1/gitops/export' . ($query // ''), key => $key->{viewer}, %option)->{body};
	$text =~ s/(exportedAt"?: ?)"[^"]*"/$1"then"/;
	return $text;
}

my $answer = gitops('diff', $bundle);
is($answer->{status}, 200, 'a diff') or diag $answer->{body};
is_deeply($answer->{json}{summary}, { created => 25, updated => 0, deleted => 0, unchanged => 0 }, 'all would be created');
is($stack->owner('SELECT count(*) FROM kaireon.offers'), 0, 'and nothing was');
my $plan = $answer->{json}{planHash};
$answer = gitops('apply', $bundle);
is($answer->{json}{dryRun}, JSON::PP::true, 'apply is dry by default');
$answer = gitops('apply?dryRun=false', $bundle, headers => { IF_MATCH => "\"$plan\"" });
is($answer->{status}, 200, 'applied under its plan') or diag $answer->{body};
is($answer->{json}{revision}, 1, 'as revision 1');
is($stack->owner('SELECT count(*) FROM kaireon.decision_flow_versions'), 1, 'the active flow is published');
is(gitops('apply?dryRun=false', $bundle, headers => { IF_MATCH => "\"$plan\"" })->{status}, 412, 'the same plan is stale now');

# fixed points
my ($yaml, $json) = (export(), export('?format=json'));
for my $text ([$yaml, 'application/yaml'], [$json, 'application/json'],
	[encode_json({ yamlText => $yaml }), 'application/json'], [$yaml, 'text/plain']) {
	$answer = gitops('diff', $text->[0], type => $text->[1]);
	is_deeply($answer->{json}{summary}, { created => 0, updated => 0, deleted => 0, unchanged => 25 }, "export, then diff as $text->[1]")
		or diag $answer->{body};
}
is(gitops('apply?dryRun=false&prune=true', $yaml)->{json}{summary}{unchanged}, 25, 'applying the export changes nothing');
is($stack->owner('SELECT revision FROM kaireon.config_epochs WHERE tenant_id = \'one\''), 1, 'and makes no revision');
is($stack->owner("SELECT count(*) FROM kaireon.audit_logs WHERE action = 'gitops_apply'"), 2, 'but an audit row');
is(export(), $yaml, 'and the export is the same text');
my $value = decode_json($json);
$value->{resources} = [reverse @{ $value->{resources} }];
is(gitops('diff', encode_json($value), type => 'application/json')->{json}{summary}{unchanged}, 25, 'the order of resources and keys does not matter');
my $files = $stack->request('GET', '/api/v1/gitops/export?layout=files', key => $key->{viewer})->{json};
is(scalar keys %{ $files->{files} }, 26, 'files: one a resource, and the index');
ok($files->{files}{'offers/Gold%20Card.yaml'}, 'a name that is not safe is encoded');

# a change, and what it says
(my $changed = $yaml) =~ s/(name: Gold Card\n.*?priority: )80/${1}81/s;
$answer = gitops('diff', $changed);
my ($diff) = grep { $_->{op} ne 'unchanged' } @{ $answer->{json}{diffs} };
is_deeply([@$diff{qw(kind name op)}, $diff->{changedFields}, $diff->{before}, $diff->{after}],
	['Offer', 'Gold Card', 'update', ['priority'], { priority => 80 }, { priority => 81 }], 'a diff tells field, before and after');
my $predicted = $answer->{json};
$answer = gitops('apply?dryRun=false', $changed)->{json};
is_deeply([$answer->{diffs}, $answer->{summary}], [$predicted->{diffs}, $predicted->{summary}], 'apply does what diff said');
is($stack->owner("SELECT priority, version FROM kaireon.offers WHERE name = 'Gold Card'"), '81|2', 'in the database');
is($stack->owner('SELECT count(*) FROM kaireon.decision_flow_versions'), 1, 'the flow did not change: no new version');

# pruning
(my $less = $yaml) =~ s/  - apiVersion: kaireonai.com\/v1\n    kind: Offer\n    metadata:\n      name: Car Loan\n.*?(?=  - apiVersion)//s;
is(gitops('diff', $less)->{json}{summary}{deleted}, 0, 'nothing is deleted without prune');
is(gitops('apply?dryRun=true&prune=true', $less)->{json}{summary}{deleted}, 1, 'with it, one');
is(gitops('apply?prune=true&maxDeletes=0', $less)->{status}, 409, 'not beyond the budget, even dry');
is(gitops('apply?prune=true&kinds=Category', "manifest: {apiVersion: kaireonai.com/v1, kind: Bundle}\nresources: []")->{status}, 409, 'nor what others refer to');

# roles
is(gitops('diff', $yaml, key => $key->{viewer})->{status}, 200, 'a viewer may diff');
is(gitops('apply?dryRun=false', $yaml, key => $key->{viewer})->{status}, 403, 'and not apply');
is(gitops('apply?dryRun=false', $yaml, key => $key->{editor})->{status}, 200, 'an editor may change an offer back');
(my $rule = $yaml) =~ s/(name: cards from 25 on\n.*?value: )25/${1}26/s;
$answer = gitops('apply?dryRun=false', $rule, key => $key->{editor});
is($answer->{status}, 403, 'but not a rule');
like($answer->{json}{error}{message}, qr/cards from 25 on/, 'which is named');
is($stack->request('GET', '/api/v1/gitops/export?format=json', key => $two->{viewer})->{json}{resources}[0], undef, 'another tenant has its own');

# bad bundles
my $before = export();
my $head = "manifest: {apiVersion: kaireonai.com/v1, kind: Bundle}\nresources:\n";
my $one = sub { "$head- apiVersion: kaireonai.com/v1\n  kind: Offer\n  metadata: {name: $_[0]}\n  spec: {$_[1]}\n" };
for my $case (['Empty request body', ''], ['manifest', '{}'], ['', "\x00\x01\xff"], ['must be 0 to 100', $one->('x', 'priority: 101')],
	['must be an integer', $one->('x', 'priority: 1.5')], ['did you mean', $one->('x', 'priorty: 1')], ['there is no Category', $one->('x', 'categoryRef: nowhere')],
	['unknown kind', $head . "- {apiVersion: kaireonai.com/v1, kind: Nothing, metadata: {name: x}, spec: {}}"],
	['mandatoryReason', $one->('x', 'mandatory: true')], ['metadata.name', $one->('"a\nb"', '')], ['written as', $one->('x', 'metadata: {categoryId: y}')],
	['a second Offer', $one->('x', '') . "- apiVersion: kaireonai.com/v1\n  kind: Offer\n  metadata: {name: x}\n  spec: {}\n"],
	['twice', $one->('x', 'priority: 1, priority: 2')], ['must be a boolean', $one->('x', 'mandatory: yes')], ['one document', $yaml . "---\n" . $yaml]) {
	$answer = gitops('diff', $case->[1]);
	is($answer->{status}, 400, "a bad bundle: $case->[0]") or diag $answer->{body};
	like($answer->{json}{error}{message} // '', qr/^Invalid bundle:/, 'is an invalid bundle');
	like($answer->{body}, qr/\Q$case->[0]\E/, 'and says why');
}
is(gitops('diff?kinds=Nothing', $yaml)->{status}, 400, 'an unknown kind in the query');
is(export(), $before, 'none of it changed anything');

# two applies at once, and backends that die in the middle
for my $trial (1 .. 8) {
	my @pids = map {
		my $n = $_;
		my $pid = fork // die;
		if (!$pid) {
			(my $mine = $yaml) =~ s/(name: Gold Card\n.*?priority: )\d+/${1}$n/s;
			$mine =~ s/(name: Car Loan\n.*?priority: )\d+/${1}$n/s;
			eval { gitops('apply?dryRun=false', $mine) };
			POSIX::_exit(0);
		}
		$pid;
	} 10 + $trial, 50 + $trial;
	sleep rand 0.05;
	$stack->query('postgres', q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'kaireon_api' AND state <> 'idle'})
		if $trial % 2;
	waitpid $_, 0 for @pids;
	is($stack->owner("SELECT count(DISTINCT priority) FROM kaireon.offers WHERE name IN ('Gold Card', 'Car Loan')"), 1, "trial $trial: one or the other, never a mix");
}
$stack->announce(qr/route="?gitops|lost the connection|route=gitops/);

# the chain, recomputed from the rows
my $rows = decode_json($stack->owner(q{SELECT json_agg(json_build_object('seq', seq, 'prev', prev_hash, 'hash', hash, 'row', json_build_object(
	'action', action, 'actorId', actor_id, 'actorName', actor_name, 'after', after, 'before', before, 'changes', changes,
	'createdAt', kaireon.time_text(created_at), 'entityId', entity_id, 'entityName', entity_name, 'entityType', entity_type,
	'id', id, 'requestId', request_id, 'seq', seq, 'tenantId', tenant_id)) ORDER BY seq) FROM kaireon.audit_logs WHERE tenant_id = 'one'}));
my ($last, $good) = ('', 0);
my $canonical = JSON::PP->new->canonical->utf8;
for my $row (@$rows) {
	$good++ if $row->{prev} eq $last && $row->{hash} eq sha256_hex($last . $canonical->encode($row->{row}));
	$last = $row->{hash};
}
is($good, scalar @$rows, 'every link of the audit chain holds');
is($stack->owner("SELECT hash FROM kaireon.audit_heads WHERE tenant_id = 'one'"), $last, 'up to its head');

$stack->end;
done_testing;
