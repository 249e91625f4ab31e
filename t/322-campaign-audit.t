#!/usr/bin/perl
# Every change of a campaign and of its runs leaves an audit row, with what was
# and what is; without the row there is no change.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
$stack->pool('api', 1)->pool('cron', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 20);
my $json = JSON::PP->new->canonical;

# The rows since the last call: action and status or what else is asked for.
my $seq = $stack->owner("SELECT seq FROM kaireon.audit_heads WHERE tenant_id = 'one'");
sub rows {
	my ($columns) = @_;
	my $text = $stack->owner("SELECT $columns FROM kaireon.audit_logs WHERE tenant_id = 'one' AND seq > $seq ORDER BY seq");
	$seq = $stack->owner("SELECT seq FROM kaireon.audit_heads WHERE tenant_id = 'one'");
	return $text;
}

sub call {
	my ($method, $path, $body, $role) = @_;
	return $stack->request($method, "/api/v1/runs$path", key => $one->{key}{ $role || 'editor' }, $body ? (body => $body) : (),
		$path eq '/execute-inline' ? (pool => 'cron') : ());
}

my $id = $one->campaign(name => 'First');
is(rows("action || ' ' || entity_type || ' ' || entity_name || ' ' || actor_name || ' ' || (before IS NULL) || ' ' || (after->>'name') || ' ' || (entity_id = '$id')"),
	'campaign.create campaign First editor true First true', 'a campaign is made');
call('PUT', "/$id", { name => 'Second', volumeConstraints => { maxPerOffer => 5 } });
is(rows("action || ' ' || (before->>'name') || (before->'volumeConstraints') || ' ' || (after->>'name') || (after->'volumeConstraints')"),
	'campaign.update First{} Second{"maxPerOffer": 5}', 'a change tells what was and what is');
is(call('PUT', "/$id", { status => 'nothing' })->{status}, 400, 'a refused change');
is(rows('action'), '', 'leaves no row');
my $run = call('POST', "/$id/campaign-runs")->{json}{id};
is(rows("action || ' ' || entity_type || ' ' || (entity_id = '$run') || ' ' || (changes->>'campaignId' = '$id') || ' ' || (changes->>'triggeredBy') || ' ' || (after->>'status')"),
	'campaign_run.trigger campaign_run true true manual pending', 'a run is triggered');
is(call('POST', "/$id/campaign-runs/$run/$_")->{status}, 202, $_) for qw(pause resume cancel);
is(rows("action || ' ' || (before->>'status') || ' ' || (after->>'status')"),
	"campaign_run.pause pending paused\ncampaign_run.resume paused pending\ncampaign_run.cancel pending cancelled", 'each tells the states');
is(call('POST', "/$id/campaign-runs/$run/resume")->{status}, 409, 'what its state forbids');
is(rows('action'), '', 'leaves no row');
my %inline = (runId => $run, decisionFlowId => $one->{flow}, segmentViewName => $one->{segment}{viewName});
is(call('POST', '/execute-inline', \%inline)->{status}, 200, 'the run is executed inline');
is(rows("action || ' ' || (before->>'status') || ' ' || (after->>'status') || ' ' || (changes->>'decisionFlowId' = '$one->{flow}')"),
	'campaign_run.execute_inline cancelled pending true', 'and that is told');
$one->finished($id, $run);
$run = call('POST', "/$id/campaign-runs")->{json}{id};
rows('action');
is(call('DELETE', "/$id?force=true", undef, 'admin')->{status}, 204, 'the campaign is deleted by force');
is(rows("action || ' ' || actor_name || ' ' || coalesce(entity_name, '') || ' ' || coalesce(before->>'name', before->>'status') || ' ' || (after IS NULL)"),
	"campaign_run.cancel admin  pending false\ncampaign.delete admin Second Second true", 'with its run');

# no row, no change
$stack->owner('REVOKE INSERT ON kaireon.audit_logs FROM kaireon_api');
$stack->announce(qr/route=campaign\.create status=500/);
is(call('POST', '', $one->fields(name => 'Unseen'))->{status}, 500, 'without an audit row');
is($stack->owner("SELECT count(*) FROM kaireon.campaigns WHERE name = 'Unseen'"), 0, 'nothing is made');
$stack->owner('GRANT INSERT ON kaireon.audit_logs TO kaireon_api');

is($stack->owner("SELECT count(*) FROM (SELECT seq, hash, prev_hash, lag(hash) OVER (ORDER BY seq) AS before FROM kaireon.audit_logs WHERE tenant_id = 'one') AS a
	WHERE seq > 1 AND prev_hash <> before"), 0, 'the chain is whole');
$stack->end;
done_testing;
