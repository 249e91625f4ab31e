#!/usr/bin/perl
# The documented examples of administration, as a client sends them: by curl,
# through nginx, with an API key. Status and shape of each answer.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('tenant_001');
$stack->pool('api', 2)->pool('cron', 1);
$stack->site;

my $time = qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/;
my $text = qr/./;

# What a JSON value is, exactly: members, elements, types. A regex is that of a
# text, \'integer' and \'boolean' are types, anything else is the value itself.
sub differs {
	my ($got, $want, $at) = @_;
	if (ref $want eq 'HASH') {
		return "$at is no object" if ref $got ne 'HASH';
		return "$at has @{[ sort keys %$got ]}" if join(' ', sort keys %$got) ne join(' ', sort keys %$want);
		return map { differs($got->{$_}, $want->{$_}, "$at.$_") } sort keys %$want;
	}
	if (ref $want eq 'ARRAY') {
		return "$at is no array" if ref $got ne 'ARRAY';
		return "$at has " . @$got . ' elements' if @$got != @$want;
		return map { differs($got->[$_], $want->[$_], "$at\[$_]") } 0 .. $#$want;
	}
	my $json = JSON::PP->new->allow_nonref->encode($got);
	return ref $want eq 'Regexp' ? ($json =~ /\A"/ && $got =~ $want ? () : "$at is $json")
		: ref $want eq 'SCALAR' ? ($json =~ { integer => qr/\A\d+\z/, boolean => qr/\A(?:true|false)\z/ }->{$$want} ? () : "$at is $json")
		: $json eq JSON::PP->new->allow_nonref->encode($want) ? () : "$at is $json";
}

sub example {
	my ($what, $call, $want, @words) = @_;
	my ($method, $path) = split ' ', $call;
	my $answer = $stack->call($path, '-X', $method, '-H', "X-API-Key: $key->{admin}", @words);
	is($answer->{status}, 200, "$what: status") or diag $answer->{body};
	is_deeply([differs($answer->{json}, $want, 'it')], [], "$what: shape");
	return $answer->{json};
}
sub json { return ('-H', 'Content-Type: application/json', '-d', $_[0]) }
my ($true, $false) = (JSON::PP::true, JSON::PP::false);

# the cache
my %flushed = (success => $true, tenantId => 'tenant_001', timestamp => $time);
example('flush', 'POST /api/v1/admin/cache', { %flushed, flushed => 'all' });
example("flush of $_", 'POST /api/v1/admin/cache', { %flushed, flushed => $_ }, json(qq({"scope": "$_"}))) for qw(all offers qualificationRule contactPolicy);

# dead letters
my %topics = (interaction_events => 10, report_deliveries => 5);
$stack->owner("INSERT INTO kaireon.dead_letter_events (tenant_id, id, topic, kind, payload, error, retry_count, failed_at)
	SELECT 'tenant_001', 'dle_${_}_' || n, '$_', 'test', '{\"customerId\": \"CUST001\"}', 'Timeout after 30000ms', 3, '2026-03-16T12:00:00Z'
	FROM generate_series(1, $topics{$_}) AS n") for sort keys %topics;
my $event = { id => $text, topic => $text, payload => { customerId => 'CUST001' }, error => 'Timeout after 30000ms', errors => [], retryCount => 3, failedAt => '2026-03-16T12:00:00.000Z' };
my %queue = (totalEvents => 15, byTopic => \%topics, alert => 'WARNING');
example('dead letters', 'GET /api/v1/admin/dlq', { %queue, events => [($event) x 15] });
my $topic = example('of a topic', 'GET /api/v1/admin/dlq?limit=2&topic=report_deliveries', { %queue, events => [({ %$event, topic => 'report_deliveries' }) x 2] });
example('retry of some', 'POST /api/v1/admin/dlq', { action => 'retry', requeued => 2 }, json(encode_json({ action => 'retry', eventIds => [map { $_->{id} } @{ $topic->{events} }] })));
example('retry of a topic', 'POST /api/v1/admin/dlq', { action => 'retry', requeued => 10 }, json('{"action": "retry", "topic": "interaction_events"}'));
example('purge', 'POST /api/v1/admin/dlq', { action => 'purge', deleted => 3 }, json('{"action": "purge"}'));

# retention
my %days = (interactions => 730, decisions => 90, metrics => 2555, audit => 2555);
my $configs = example('retention', 'GET /api/v1/admin/retention-configs',
	[({ id => $text, dataClass => $text, retentionDays => \'integer', legalHold => $false }) x 4]);
is_deeply({ map { $_->{dataClass} => $_->{retentionDays} } @$configs }, \%days, 'defaults of all classes');
my %set = (id => $text, dataClass => 'interactions', retentionDays => 365, legalHold => $false);
example('retention is set', 'POST /api/v1/admin/retention-configs', \%set, '-H', 'X-Tenant-Id: my-tenant', json('{
    "dataClass": "interactions",
    "retentionDays": 365,
    "legalHold": false
  }'));
is($stack->owner("SELECT retention_days FROM kaireon.retention_configs WHERE tenant_id = 'tenant_001' AND data_class = 'interactions'"), 365, 'of the tenant that the key names');

# cleanup, at most five in a minute
for my $n (1 .. 5) {
	example("cleanup $n", 'POST /api/v1/cleanup', { cleaned => { expiredVariantAssignments => \'integer', oldAuditLogs => \'integer' } });
}
my $sixth = $stack->call('/api/v1/cleanup', '-X', 'POST', '-H', "X-API-Key: $key->{admin}");
is($sixth->{status}, 429, 'the sixth is refused');
like($sixth->{headers}{'retry-after'} // '', qr/\A[1-9]\d?\z/, 'and told when to come again');

# metrics: every family in its form
my $summary = $stack->call('/api/v1/metrics/summary', '-H', "X-API-Key: $key->{admin}")->{json};
cmp_ok(scalar keys %$summary, '>', 10, 'metrics');
my @wrong;
for my $name (sort keys %$summary) {
	my $family = $summary->{$name};
	push @wrong, $name if $name !~ /\Akaireon_/ || $family->{type} !~ /\A(?:counter|gauge|histogram)\z/;
	push @wrong, differs({ %$family, values => [] }, { name => $name, type => $text, help => $text, values => [] }, $name);
	push @wrong, grep { ref $_->{labels} ne 'HASH' || !defined $_->{value} } @{ $family->{values} };
}
is_deeply(\@wrong, [], 'each with name, type and values');
ok(scalar(grep { $_->{labels}{le} && $_->{labels}{le} eq '0.1' } @{ $summary->{kaireon_http_request_duration_seconds}{values} }), 'a histogram has its buckets');

# reset
example('reset', 'POST /api/v1/tenant/reset', { message => 'Workspace reset successfully. Decision counter is back to 0.' }, json('{"confirm": true}'));

# the table of roles
my %body = ('POST /api/v1/admin/dlq' => '{"action": "purge"}', 'POST /api/v1/admin/retention-configs' => '{"dataClass": "audit", "retentionDays": 1}',
	'POST /api/v1/tenant/reset' => '{"confirm": true}');
for my $call ('POST /api/v1/admin/cache', 'GET /api/v1/admin/dlq', 'POST /api/v1/admin/dlq', 'GET /api/v1/admin/retention-configs',
	'POST /api/v1/admin/retention-configs', 'POST /api/v1/cleanup', 'GET /api/v1/metrics/summary', 'POST /api/v1/tenant/reset') {
	my ($method, $path) = split ' ', $call;
	is($stack->call($path, '-X', $method, '-H', "X-API-Key: $key->{$_}", $body{$call} ? json($body{$call}) : ())->{status}, 403, "$call is not for $_") for qw(viewer editor);
}

$stack->end;
done_testing;
