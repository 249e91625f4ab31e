#!/usr/bin/perl
# Approvals: asked for, decided stage by stage, applied once; four eyes; and
# the cron job that lets them expire.
use strict;
use warnings;

use IPC::Open2 qw(open2);
use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $other = $stack->tenant('two');
$stack->pool('api', 4)->pool('cron', 2);
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $cron = '/api/v1/cron/approvals-expire';
my %secret = (headers => { X_CRON_SECRET => 'cron-secret' });

sub call {
	my ($method, $path, $body, $who) = @_;
	return $stack->request($method, "/api/v1/approvals$path", key => $who // $key->{editor}, $body ? (body => $body) : ());
}

sub ask { my (%fields) = @_; return call('POST', '', { entityType => 'offer', action => 'create', payload => { name => 'Card' }, %fields }) }
sub decide { my ($id, $action, $who, %more) = @_; return call('POST', "/$id", { action => $action, %more }, $who // $key->{admin}) }
sub details { my ($answer) = @_; return join '; ', map { "$_->{field}: $_->{message}" } @{ $answer->{json}{error}{details} || [] } }
sub told { my ($answer) = @_; return "$answer->{status} " . ($answer->{json}{error}{message} // $answer->{json}{status}) }
sub live { my ($columns, $kind) = @_; return $stack->owner("SELECT $columns FROM (SELECT * FROM kaireon." . ($kind // 'offers') . " WHERE tenant_id = 'one' AND deleted_at IS NULL ORDER BY name) AS t") }

my $seq = 0;
sub audit {
	my ($columns) = @_;
	my $text = $stack->owner("SELECT $columns FROM kaireon.audit_logs WHERE tenant_id = 'one' AND seq > $seq ORDER BY seq");
	$seq = $stack->owner("SELECT seq FROM kaireon.audit_heads WHERE tenant_id = 'one'");
	return $text;
}

audit('1');

# asked for
is_deeply(call('GET', '')->{json}, [], 'nothing is asked for');
my $answer = ask();
is($answer->{status}, 201, 'an approval is asked for') or diag $answer->{body};
my $first = $answer->{json};
is_deeply([@$first{qw(entityType entityId entityName action status requesterName payload stages approverId approverName comments decidedAt)}],
	['offer', undef, 'Card', 'create', 'pending', 'editor', { name => 'Card' },
	[{ stageName => 'Approval', requiredRole => 'admin', status => 'pending' }], undef, undef, undef, undef], 'with what is in it');
is(audit("action || ' ' || entity_type || ' ' || (entity_id = '$first->{id}') || ' ' || entity_name || ' ' || changes::text"),
	'approval.create approval true Card {"action": "create", "entityType": "offer"}', 'it is told in the audit log');
is_deeply(call('GET', '', undef, $key->{viewer})->{json}, [$first], 'it is in the list of what is pending');
is_deeply(call('GET', "/$first->{id}", undef, $key->{viewer})->{json}, $first, 'and by itself');
is_deeply(call('GET', '', undef, $other->{admin})->{json}, [], "another tenant's list has it not");
is(call('GET', "/$first->{id}", undef, $other->{admin})->{status}, 404, 'nor is it there for him');
is(live('count(*)'), 0, 'nothing is made yet');

for my $case (
	[{ entityType => 'algorithmModel' }, 400, qr/^entityType: must be one of arbitrationProfile, channel/],
	[{ entityType => undef, action => 'x' }, 400, qr/^entityType: is required; action: must be one of/],
	[{ action => 'update' }, 400, 'entityId: is required'],
	[{ action => 'update', entityId => 'off_x' }, 404, ''],
	[{ action => 'delete', entityId => 'off_x' }, 400, 'payload: does not go with the action delete'],
	[{ action => 'delete', entityId => 'off_x', payload => undef }, 404, ''],
	[{ entityId => 'off_x' }, 400, 'entityId: does not go with the action create'],
	[{ payload => undef }, 400, 'payload: is required, as an object'],
	[{ payload => [] }, 400, 'payload: is required, as an object'],
	[{ payload => { name => 'x', priority => 101, nothing => 1 } }, 400, 'nothing: unknown field; priority: must be 0 to 100'],
	[{ payload => { name => 'x', categoryId => 'cat_x' } }, 400, 'categoryId: there is no Category with the id "cat_x"'],
	[{ payload => { name => 'x', categoryRef => 'y' } }, 400, qr/^categoryRef: unknown field; did you mean "categoryId"/],
	[{ stages => [] }, 400, 'stages: must be a list of 1 to 10 stages'],
	[{ stages => [{ stageName => 'x', requiredRole => 'king' }] }, 400, 'stages[0].requiredRole: must be one of viewer, editor, admin'],
	[{ stages => [{ stageName => '', requiredRole => 'admin' }, 7] }, 400, qr/^stages\[0\]\.stageName: must be a string of 1 to 255 characters; stages\[1\]: must be an object/],
	[{ nothing => 1 }, 400, 'nothing: unknown field'],
) {
	my ($fields, $status, $why) = @$case;
	$answer = ask(%$fields);
	is($answer->{status}, $status, 'refused: ' . substr encode_json($fields), 0, 70) or diag $answer->{body};
	ref $why ? like(details($answer), $why, 'with the reason') : is(details($answer), $why, 'with the reason');
}
is(call('POST', '', {}, $key->{viewer})->{status}, 403, 'a viewer may not ask');
is(call('GET', "?$_")->{status}, 400, "refused: $_") for 'status=on', 'limit=0', 'limit=201', 'nothing=1';

# decided
is(told(decide($first->{id}, 'approve', $key->{editor})), '403 the stage "Approval" needs the role admin', 'an editor may not decide on the stage of an admin');
is(told(decide($first->{id}, 'reject', $key->{editor})), '403 the stage "Approval" needs the role admin', 'nor reject');
is(decide($first->{id}, 'approve', $key->{viewer})->{status}, 403, 'nor a viewer anything');
is(decide($first->{id}, 'approve', $other->{admin})->{status}, 404, "nor another tenant's admin");
is(decide($first->{id}, 'perhaps')->{status}, 400, 'one approves or rejects');
is(decide('apr_x', 'approve')->{status}, 404, 'an unknown one');
audit('1');
$answer = decide($first->{id}, 'approve', undef, comments => 'go on');
is(told($answer), '200 approved', 'an admin approves') or diag $answer->{body};
is_deeply([@{ $answer->{json} }{qw(approverName comments)}, $answer->{json}{stages}[0]{status}, $answer->{json}{stages}[0]{approverName}], ['admin', 'go on', 'approved', 'admin'], 'by name');
is(live('id'), $answer->{json}{entityId}, 'the offer is there, under the id of the approval');
is(audit("action || ' ' || entity_name || ' ' || coalesce(before->>'status', '-') || ' ' || (after->>'status')"), "offer.create Card - draft\napproval.approve Card pending approved", 'both are told');
is(told(decide($first->{id}, $_)), '409 the approval is approved already', "it is not decided again: $_") for qw(approve reject);
my $card = $answer->{json}{entityId};
is_deeply([map { $_->{id} } @{ call('GET', '?status=approved')->{json} }], [$first->{id}], 'it is among the approved');

# a rejection
$answer = ask(action => 'update', entityId => $card, payload => { priority => 90 });
is($answer->{json}{entityName}, 'Card', 'a change is asked for, by the name of what is there');
is(told(ask(action => 'delete', entityId => $card, entityName => 'Test', payload => undef)), '400 entityName is not the name of the object', 'under no other name');
is(told(decide($answer->{json}{id}, 'reject', undef, comments => 'no')), '200 rejected', 'rejected');
is(live('priority'), 50, 'nothing has changed');

# stages
my $staged = ask(action => 'update', entityId => $card, payload => { priority => 90, name => 'Gold card' },
	stages => [{ stageName => 'Look', requiredRole => 'viewer' }, { stageName => 'Check', requiredRole => 'editor' }, { stageName => 'Sign', requiredRole => 'admin' }])->{json}{id};
for my $step (['Look', 'editor', 'pending'], ['Check', 'editor', 'pending']) {
	$answer = decide($staged, 'approve', $key->{ $step->[1] });
	is(told($answer), "200 $step->[2]", "the stage $step->[0]");
}
is_deeply([map { $_->{status} } @{ $answer->{json}{stages} }], [qw(approved approved pending)], 'two of three');
is($answer->{json}{approverName}, undef, 'nobody has approved it yet');
is(live('priority'), 50, 'and nothing has changed');
is(decide($staged, 'approve', $key->{editor})->{status}, 403, 'the last stage is not for an editor');
is(told(decide($staged, 'approve')), '200 approved', 'but for an admin');
is(live("name || ' ' || priority"), 'Gold card 90', 'then it is changed');
$staged = ask(action => 'delete', entityId => $card, payload => undef, stages => [map { { stageName => $_, requiredRole => 'editor' } } 'a', 'b'])->{json}{id};
is(told(decide($staged, 'reject', $key->{editor})), '200 rejected', 'one rejection ends it');

# rules and policies need an admin, whatever the stages say
$answer = ask(entityType => 'contactPolicy', payload => { name => 'Rare', scope => 'offer', scopeId => $card, ruleType => 'frequency_cap', config => { maxPerWeek => 1 } },
	stages => [{ stageName => 'Quick', requiredRole => 'editor' }]);
my $rare = $answer->{json}{id};
is(told(decide($rare, 'approve', $key->{editor})), '403 these changes need the role admin: ContactPolicy "Rare"', 'an editor cannot give himself a policy');
is(call('GET', "/$rare")->{json}{status}, 'pending', 'it stays pending');
is(told(decide($rare, 'approve')), '200 approved', 'an admin can');
is(live("name || ' ' || (scope_id = '$card')", 'contact_policies'), 'Rare true', 'for the offer of that id');

# every kind
for my $kind (
	['arbitrationProfile', 'ranking_profiles', { name => 'P', weights => { propensity => 0.5 } }],
	['rankingProfile', 'ranking_profiles', { name => 'Q' }],
	['channel', 'channels', { name => 'Mail', deliveryMode => 'file' }],
	['decisionFlow', 'decision_flows', { name => 'F', draftConfig => { version => 2, nodes => [{ type => 'inventory', config => { offerIds => [$card] } }, { type => 'response' }] } }],
	['qualificationRule', 'qualification_rules', { name => 'R', ruleType => 'attribute_condition', config => { attribute => 'age', operator => 'gte', value => 18 } }],
) {
	my $made = ask(entityType => $kind->[0], payload => $kind->[2]);
	is($made->{status}, 201, "a $kind->[0] is asked for") or diag $made->{body};
	is(told(decide($made->{json}{id}, 'approve')), '200 approved', 'approved');
	is(live("count(*) FILTER (WHERE name = '$kind->[2]{name}')", $kind->[1]), 1, 'and made');
}
my $channel = live('id', 'channels');
$answer = ask(entityType => 'creative', payload => { name => 'Letter', offerId => $card, channelId => $channel, weight => 7 });
is(told(decide($answer->{json}{id}, 'approve')), '200 approved', 'a creative by the ids of offer and channel');
is(live("offer_id = '$card' AND channel_id = '$channel'", 'creatives'), 't', 'refers to both');

# what does not hold any more
my $stale = ask(payload => { name => 'Twice' })->{json}{id};
my $again = ask(payload => { name => 'Twice' })->{json}{id};
is(told(decide($stale, 'approve')), '200 approved', 'an offer');
is(told(decide($again, 'approve')), '409 there is another Offer of that name', 'a second one of the name is refused');
is(call('GET', "/$again")->{json}{status}, 'pending', 'and stays pending');
is(decide($again, 'reject')->{status}, 200, 'to be rejected');
my $gone = ask(entityType => 'creative', payload => { name => 'Late', offerId => $card, channelId => $channel })->{json}{id};
my $flow = live('id', 'decision_flows');
$stack->owner("UPDATE kaireon.creatives SET deleted_at = now(); UPDATE kaireon.contact_policies SET deleted_at = now(); UPDATE kaireon.decision_flows SET deleted_at = now();
	UPDATE kaireon.offers SET deleted_at = now() WHERE id = '$card'");
$answer = decide($gone, 'approve');
is("$answer->{status} " . details($answer), "400 offerId: there is no Offer with the id \"$card\"", 'what it refers to is gone');
is(call('GET', "/$gone")->{json}{status}, 'pending', 'it stays pending');
$gone = ask(entityType => 'offer', action => 'update', entityId => live('id'), payload => { priority => 1 })->{json}{id};
$stack->owner("UPDATE kaireon.offers SET deleted_at = now() WHERE name = 'Twice'");
is(decide($gone, 'approve')->{status}, 404, 'nor is a change made of what is gone');
$answer = $stack->request('POST', '/api/v1/decision-flows', key => $key->{editor}, body => { name => 'Versioned' })->{json};
my $versioned = ask(entityType => 'decisionFlow', action => 'update', entityId => $answer->{id}, payload => { description => 'new', rowVersion => $answer->{rowVersion} })->{json}{id};
$stack->request('PUT', "/api/v1/decision-flows/$answer->{id}", key => $key->{editor}, body => { description => 'faster' });
is(told(decide($versioned, 'approve')), '409 the flow was changed meanwhile: its rowVersion is 2', 'nor over what somebody else changed');

# four eyes
sub four_eyes { my ($value) = @_; $stack->owner(qq{UPDATE kaireon.tenants SET settings = '{"aiAnalyzerSettings": {"governance": {"fourEyesEnabled": $value}}}' WHERE tenant_id = 'one'}) }
for my $case (['false', 200], ['null', 200], ['true', 403], ['"yes"', 403]) {
	four_eyes($case->[0]);
	my $own = call('POST', '', { entityType => 'offer', action => 'create', payload => { name => "Own $case->[0]" } }, $key->{admin})->{json}{id};
	is(decide($own, 'approve')->{status}, $case->[1], "who asked approves, with four eyes $case->[0]");
	is(decide($own, 'reject')->{status}, $case->[1] == 200 ? 409 : 200, 'and may always take it back');
}
my $seen = ask(payload => { name => 'Seen' })->{json}{id};
is(told(decide($seen, 'approve')), '200 approved', 'somebody else approves');
four_eyes('false');

# many at once
my $once = ask(payload => { name => 'Once' })->{json}{id};
my $version = $stack->owner("SELECT epoch FROM kaireon.config_epochs WHERE tenant_id = 'one'");
my %count;
$count{$_}++ for @{[$stack->parallel(100, sub { decide($once, 'approve')->{status} })]};
is_deeply(\%count, { 200 => 1, 409 => 99 }, 'of a hundred that approve the last stage one does');
is($stack->owner("SELECT count(*) FROM kaireon.offers WHERE name = 'Once'"), 1, 'one offer');
is($stack->owner("SELECT epoch - $version FROM kaireon.config_epochs WHERE tenant_id = 'one'"), 1, 'and one change of the configuration');

# expired
sub age { my ($id, $hours) = @_; $stack->owner("UPDATE kaireon.approvals SET created_at = now() - interval '$hours hours' WHERE id = '$id'") }
$stack->owner("DELETE FROM kaireon.approvals WHERE status = 'pending'");
$answer = $stack->request('GET', $cron, %secret);
is_deeply([@{ $answer->{json} }{qw(ok skipped complete expired maxAgeHours)}], [$true, $false, $true, 0, 168], 'nothing to expire') or diag $answer->{body};
like($answer->{json}{cutoff}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'by a cutoff');
my @old = map { ask(payload => { name => "Old $_" })->{json}{id} } 1 .. 4;
my $young = ask(payload => { name => 'Young' })->{json}{id};
my $theirs = call('POST', '', { entityType => 'offer', action => 'create', payload => { name => 'Theirs' } }, $other->{editor})->{json}{id};
age($_, 169) for @old, $theirs;
age($young, 167);
$stack->ctl('tenant', 'suspend', '--id', 'two');
audit('1');
$answer = $stack->request('POST', $cron, %secret, body => 'x');
is($answer->{json}{expired}, 5, 'what is older expires, of suspended tenants too') or diag $answer->{body};
is(audit("action || ' ' || actor_name || ' ' || (changes->>'expired') || ' ' || (changes->'ids')::text"), 'approval.expire cron 4 ' . '[' . join(', ', map { "\"$_\"" } sort @old) . ']', 'an audit row with the ids');
is($stack->owner("SELECT (changes->'ids'->>0) FROM kaireon.audit_logs WHERE tenant_id = 'two' AND action = 'approval.expire'"), $theirs, 'one a tenant');
is_deeply([sort map { $_->{id} } @{ call('GET', '?status=expired')->{json} }], [sort @old], 'they are the expired ones');
is(told(decide($old[0], 'approve')), '409 the approval is expired already', 'and are not decided any more');
is(call('GET', "/$young")->{json}{status}, 'pending', 'what is younger is pending');
is($stack->request('GET', $cron, %secret)->{json}{expired}, 0, 'again: nothing');
is($stack->request('GET', $cron, headers => { X_CRON_SECRET => 'x' })->{status}, 401, 'not without the secret');
is($stack->owner("SELECT string_agg(totals->>'expired', ' ' ORDER BY started_at) FROM kaireon.cron_runs WHERE job = 'approvals-expire'"), '0 5 0', 'the ledger has every call');
$stack->ctl('tenant', 'resume', '--id', 'two');

# one call at a time
my $psql = open2(my $out, my $in, 'psql', '-qXAt', '-h', "$stack->{dir}/sock", '-U', 'kaireon_owner', '-d', 'kaireon');
print $in "SELECT pg_advisory_lock(hashtext('kaireon.cron'), hashtext('approvals-expire')), 'held';\n";
like(scalar readline $out, qr/held/, 'another call runs');
is_deeply($stack->request('GET', $cron, %secret)->{json}, { ok => $true, skipped => $true, complete => $false, durationMs => 0 }, 'so this one is skipped');

# a decision against the sweep
my (@outcomes, @bad);
close $in;
waitpid $psql, 0;
for my $trial (1 .. 12) {
	my $id = ask(payload => { name => "Race $trial" })->{json}{id};
	age($id, 200);
	my @status = $stack->parallel(2, sub { $_[0] ? decide($id, 'approve')->{status} : $stack->request('GET', $cron, %secret)->{json}{expired} });
	my $status = call('GET', "/$id")->{json}{status};
	my $made = $stack->owner("SELECT count(*) FROM kaireon.offers WHERE name = 'Race $trial'");
	push @outcomes, $status;
	push @bad, "$trial: @status $status $made" unless ($status eq 'approved' && $status[1] == 200 && $status[0] == 0 && $made == 1)
		|| ($status eq 'expired' && $status[1] == 409 && $status[0] == 1 && $made == 0);
}
is_deeply(\@bad, [], 'approved or expired, never both') or diag "@outcomes";

# a tenant whose work fails
age($young, 200);
my $more = call('POST', '', { entityType => 'offer', action => 'create', payload => { name => 'More' } }, $other->{editor})->{json}{id};
age($more, 200);
$stack->owner("DELETE FROM kaireon.audit_heads WHERE tenant_id = 'one'");
$stack->announce(qr/cron job failed for a tenant.*job=approvals-expire tenant=one/);
$answer = $stack->request('GET', $cron, %secret);
is_deeply([@{ $answer->{json} }{qw(ok expired)}], [$false, 1], 'one tenant fails, the other is done') or diag $answer->{body};
is(join(' ', map { $stack->owner("SELECT status FROM kaireon.approvals WHERE id = '$_'") } $young, $more), 'pending expired', 'without its audit row nothing expires');

# the age is an option, and a wrong one is not taken
$stack->stop("cron$_") for 1, 2;
$stack->{settings}{APPROVAL_MAX_AGE_HOURS} = 'soon';
$stack->pool('cron', 1);
is($stack->request('GET', $cron, %secret)->{json}{maxAgeHours}, 168, 'a wrong age is the default');
like($stack->slurp("$stack->{dir}/log/cron1.log"), qr/warning .*option=APPROVAL_MAX_AGE_HOURS/, 'with a warning');
$stack->stop('cron1');
$stack->{settings}{APPROVAL_MAX_AGE_HOURS} = 1;
$stack->pool('cron', 1);
is($stack->request('GET', $cron, %secret)->{json}{maxAgeHours}, 1, 'a right one is taken');

$stack->end;
done_testing;
