#!/usr/bin/perl
# doc/openapi.yaml and the program: the same routes, and every answer is what
# the document says of its status; what the document refuses is refused.
use strict;
use warnings;

use IPC::Open2 qw(open2);
use JSON::PP;
use Test::More;

use Kaireon::Schema;
use Kaireon::Stack;
use Kaireon::Yaml;

my $stack = Kaireon::Stack->new(settings => { CONNECTOR_ENCRYPTION_KEY => 'the-key-of-the-tests', RUN_CHUNK_CUSTOMERS => 50, AWS_ACCESS_KEY_ID => 'id', AWS_SECRET_ACCESS_KEY => 'secret' });
my $document = Kaireon::Yaml::read($stack->slurp("$stack->{source}/doc/openapi.yaml"));
my $schema = Kaireon::Schema->new($document);
my $schemas = $document->{components}{schemas};
my $key = $stack->tenant('one');
my $other = $stack->tenant('two');
$stack->pool('api', 2)->pool('cron', 1);

# the table of routes
my %route = map { my @r = split /\t/; ("$r[0] $r[1]" => { id => lc("$r[0].") . $r[2], role => $r[3], pool => $r[4] }) }
	split /\n/, `$stack->{build}/kaireon-fcgi --routes`;
my %operation;
for my $path (sort keys %{ $document->{paths} }) {
	for my $method (qw(get put post delete patch)) {
		my $op = $document->{paths}{$path}{$method} or next;
		$operation{"\U$method\E $path"} = $op;
		$op->{parameters} = [map { $schema->resolve($_) } @{ $document->{paths}{$path}{parameters} || [] }, @{ $op->{parameters} || [] }];
		is_deeply([map { $_->{name} } grep { $_->{in} eq 'path' } @{ $op->{parameters} }], [$path =~ /\{(\w+)\}/g], "\U$method\E $path: its path parameters");
	}
}
is_deeply([sort keys %operation], [sort keys %route], 'the document has every route and no other');
is_deeply({ map { $_ => "$operation{$_}{operationId} $operation{$_}{'x-role'}" } keys %operation },
	{ map { $_ => "$route{$_}{id} $route{$_}{role}" } keys %route }, 'under its name and role');
is_deeply([sort @{ $schemas->{Error}{properties}{error}{properties}{code}{enum} }],
	[do { my %c = map { $_ => 1 } $stack->slurp("$stack->{source}/lib/base/errors.def") =~ /^KRN_ERR\([^"]*"(\w+)"/mg,
		$stack->slurp("$stack->{source}/nginx/errors_kaireon.in") =~ /"code":"(\w+)"/g; sort keys %c }], 'every code of an error');

# One call; its answer has the status and is what the document says of it.
my %reached;
sub call {
	my ($status, $what, %option) = @_;
	my ($method, $template, $query) = $what =~ /^(\S+) ([^?]+)(\?.*)?$/;
	my $op = $operation{"$method $template"} or die "no operation $what";
	my $path = $template =~ s/\{(\w+)\}/$option{$1}/gr;
	my $pool = $route{"$method $template"}{pool} eq 'cron' ? 'cron' : 'api';
	$option{headers}{X_CRON_SECRET} //= 'cron-secret' if $op->{'x-role'} =~ /^cron_secret/ && !$option{nobody};
	$option{headers}{X_CRON_TOKEN} //= $stack->{settings}{CRON_TOKEN} if $op->{'x-role'} eq 'cron_token' && !$option{nobody};
	$option{key} //= $key->{admin} if $op->{'x-role'} =~ /^(viewer|editor|admin)$/ && !$option{nobody};
	my $answer = $stack->request($method, $path . ($query // ''), pool => $pool, %option);
	is($answer->{status}, $status, $option{title} // $what) or diag $answer->{body};
	my $at = exists $op->{responses}{ $answer->{status} } ? $answer->{status} : 'default';
	$reached{"$method $template $at"}++;
	my @problems = answer_problems($schema->resolve($op->{responses}{$at}), $answer);
	push @problems, 'a success that the document does not know' if $at eq 'default' && $status < 300;
	is_deeply(\@problems, [], '… as the document says');
	return $answer;
}

sub answer_problems {
	my ($said, $answer) = @_;
	my ($type) = ($answer->{headers}{'content-type'} // '') =~ /^([^;]*)/;
	my $content = $said->{content} ? $said->{content}{ $type // '' } : undef;
	my @problems = $answer->{headers}{'x-request-id'} ? () : 'no request id';
	for my $name (sort keys %{ $said->{headers} || {} }) {
		my ($header, $value) = ($said->{headers}{$name}, $answer->{headers}{ lc $name });
		push @problems, "no $name" if $header->{required} && !defined $value;
		push @problems, $schema->problems($header->{schema}, $value, $name) if defined $value;
	}
	push @problems, 'may be stored' if ($answer->{headers}{'cache-control'} // '') ne 'no-store';
	return length $answer->{body} ? (@problems, 'a body') : @problems if !$said->{content};
	return (@problems, 'the content type "' . ($type // '') . '"') if !$content;
	return @problems if $type !~ m{^application/(schema\+)?json$};
	push @problems, $schema->problems($content->{schema}, eval { decode_json($answer->{body}) });
	my $error = $answer->{status} >= 400 && $answer->{json}{error} or return @problems;
	push @problems, 'another status in the body' if $error->{status} != $answer->{status};
	push @problems, 'another request id in the body' if $error->{requestId} ne $answer->{headers}{'x-request-id'};
	return @problems;
}

# what is not built yet, and who may not call
for my $what (sort keys %operation) {
	my $op = $operation{$what};
	my %option = (id => 'nothing', runId => 'nothing', version => 1, token => 'nothing', format => 'nothing');
	$option{body} = '{}' if $what =~ /^(POST|PUT|PATCH)/;
	call(501, $what, %option) if $op->{responses}{501} && !$op->{requestBody} && !$op->{responses}{200};
	call(401, $what, %option, nobody => 1, title => "$what without a key") if $op->{'x-role'} !~ /^(none|operator)$/;
	call(403, $what, address => '192.0.2.1', title => "$what from elsewhere") if $op->{'x-role'} eq 'operator';
	my $below = { editor => 'viewer', admin => 'editor' }->{ $op->{'x-role'} };
	call(403, $what, %option, key => $key->{$below}, title => "$what with the key of a role below") if $below;
}

# health; a parameter that is not documented
call(200, 'GET /healthz');
call(200, 'GET /metrics');
call(200, 'GET /readyz');
for my $what (sort grep { /^GET/ && $operation{$_}{responses}{200} } keys %operation) {
	call($what =~ m{/v1/gitops} ? 200 : 400, "$what?nothing=1", id => 'x', runId => 'x', version => 1, token => 'x', format => 'x');
}

# API keys
my $keys = '/api/v1/api-keys';
my $new = call(201, "POST $keys", body => { name => 'new', role => 'viewer', scopes => ['gitops'], expiresAt => '2099-01-01T00:00:00Z' })->{json};
call(201, "POST $keys", title => 'a key by its defaults');
for my $name (sort(keys %{ $schemas->{ApiKeyFields}{properties} }), 'nothing') {
	for my $value (undef, 7, '', 'x', 'x' x 256, 'editor', '2099-01-01T00:00:00Z', [], ['x'], [''], [1], [('x') x 17], {}) {
		my $try = { $name => $value };
		call($schema->problems($schemas->{ApiKeyFields}, $try) ? 400 : 201, "POST $keys", body => $try,
			title => 'a key with ' . JSON::PP->new->encode($try));
	}
}
call(200, "GET $keys");
call(204, "DELETE $keys?id=$new->{id}", body => { reason => 'over' });
call(404, "DELETE $keys?id=$new->{id}");
call(400, "DELETE $keys");

# erasure, reset: of a tenant that nobody else needs
my $third = $stack->tenant('three');
call(200, 'POST /api/v1/gdpr/erasure', body => { customerId => 'c' }, key => $third->{admin});
call(400, 'POST /api/v1/gdpr/erasure', body => $_, key => $third->{admin}) for {}, { customerId => '' }, { customerId => 'c', x => 1 };
call(200, 'POST /api/v1/tenant/reset', body => { confirm => JSON::PP::true }, key => $third->{admin});
call(400, 'POST /api/v1/tenant/reset', body => $_, key => $third->{admin}) for {}, { confirm => JSON::PP::false }, { confirm => 1 };
$stack->owner("UPDATE kaireon.tenants SET legal_hold = true WHERE tenant_id = 'three'");
call(409, 'POST /api/v1/gdpr/erasure', body => { customerId => 'c' }, key => $third->{admin});
call(409, 'POST /api/v1/tenant/reset', body => { confirm => JSON::PP::true }, key => $third->{admin});
$stack->owner("UPDATE kaireon.tenants SET legal_hold = false WHERE tenant_id = 'three'");
$stack->ctl('tenant', 'suspend', '--id', 'three'); # no cron call tells of it

call(200, 'GET /api/v1/metrics/summary');

# cache, dead letters
call(200, 'POST /api/v1/admin/cache');
call(200, 'GET /api/v1/admin/dlq?topic=campaign_runs');
for my $case (['POST /api/v1/admin/cache', 'CacheFields', {}, 'scope'], ['POST /api/v1/admin/dlq', 'DeadLetterMove', { action => 'retry' }, qw(action eventIds topic)]) {
	my ($what, $type, $base, @names) = @$case;
	for my $name (@names, 'nothing') {
		for my $value (undef, 7, '', 'x', 'all', 'offers', 'retry', 'purge', 'campaign_runs', [], ['x'], [1], {}) {
			my $try = { %$base, $name => $value };
			call($schema->problems($schemas->{$type}, $try) ? 400 : 200, $what, body => $try, title => "$what with " . JSON::PP->new->allow_nonref->encode($try));
		}
	}
}

# audit; its exports are limited, so the window is emptied between the calls
sub audit_window { $stack->owner('DELETE FROM kaireon.rate_limit_hits') }
call(200, 'GET /api/v1/audit-logs');
call(200, 'GET /api/v1/audit-logs/verify');
call(400, "GET /api/v1/audit-logs?$_=x") for qw(startDate endDate);
for my $format (qw(json csv soc2)) {
	audit_window();
	call(200, "GET /api/v1/audit-export?format=$format");
}
my $check = { action => 'verify_integrity', startDate => '2020-01-01' };
call(200, 'POST /api/v1/audit-export', body => $check);
call(400, 'POST /api/v1/audit-export', body => { %$check, endDate => 'x' });
$stack->request('GET', '/api/v1/audit-export', key => $key->{admin}) for 1 .. 10;
call(429, 'GET /api/v1/audit-export');
audit_window();

# GitOps
my ($diff, $apply, $rollback, $snapshot) = map { "POST /api/v1/gitops/$_" } qw(diff apply rollback snapshot);
my ($export, $revisions) = map { "GET /api/v1/gitops/$_" } qw(export revisions);
my $yaml = $stack->slurp("$stack->{source}/doc/demo/bundle.yaml");
my %yaml = (type => 'application/yaml', body => $yaml);
my $plan = call(200, $diff, %yaml, key => $key->{viewer})->{json}{planHash};
call(200, $apply, %yaml, key => $key->{viewer}, title => 'a dry apply');
call(403, "$apply?dryRun=false", %yaml, key => $key->{viewer});
call(200, "$apply?dryRun=false", %yaml, headers => { IF_MATCH => qq{"$plan"} }, title => 'an apply');
call(412, "$apply?dryRun=false", %yaml, headers => { IF_MATCH => qq{"$plan"} }, title => 'a stale one');
sub resource { my ($kind, $name, $spec) = @_; return { apiVersion => 'kaireonai.com/v1', kind => $kind, metadata => { name => $name }, spec => $spec } }
sub bundle { return { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => [@_] } }
my $more = bundle(resource('SubCategory', 'cars', { categoryRef => 'loans' }), resource('Channel', 'fax', { deliveryMode => 'file' }),
	resource('Creative', 'a car', { offerRef => 'Car Loan', channelRef => 'email', placementId => 'top' }),
	resource('Offer', 'to be seen', { subCategoryRef => 'loans/cars', mandatory => JSON::PP::true, map { ("mandatory$_->[0]" => $_->[1]) }
		['Reason', 'the law'], ['ApprovedBy', 'me'], ['ExpiresAt', '2030-01-01T02:00:00+02:00'] }));
is(call(200, "$apply?dryRun=false", body => $more, title => 'another apply')->{json}{revision}, 2, 'makes the second revision');
call(200, $export);
call(200, "$export?layout=files&format=$_") for qw(yaml json);
my $live = call(200, "$export?format=json")->{json};
for my $kind (@{ $schemas->{Kind}{enum} }) {
	call(200, "$export?format=json&kinds=$kind");
	my ($one) = grep { $_->{kind} eq $kind } @{ $live->{resources} };
	is_deeply([sort keys %{ $one->{spec} }], [sort keys %{ $schemas->{ $kind . 'Spec' }{properties} }], "$kind is exported with every field of the document");
}
is_deeply([map { $schema->problems($schemas->{MaybeTime}, $_->{spec}{mandatoryExpiresAt}) } grep { $_->{kind} eq 'Offer' } @{ $live->{resources} }], [],
	'times are exported in one way');
call(400, "$export?$_=nothing") for qw(format layout kinds);
my ($first) = grep { $_->{kind} eq 'Offer' } @{ $live->{resources} };
my $body = $schema->resolve($operation{$diff}{requestBody})->{content}{'application/json'}{schema};
for my $case ([200, bundle()], [200, $live], [200, { yamlText => $yaml }], [400, {}], [400, { yamlText => $yaml, x => 1 }], [400, { yamlText => 1 }],
	[400, { %{ bundle() }, more => 1 }], [400, bundle(7)], [400, bundle({ %$first, more => 1 })], [400, bundle({ %$first, metadata => {} })],
	[400, bundle({ %$first, metadata => { name => '' } })], [400, bundle({ %$first, apiVersion => 'v2' })], [400, bundle({ %$first, spec => undef })]) {
	my $text = substr encode_json($case->[1]), 0, 60;
	is(!$schema->problems($body, $case->[1]), $case->[0] == 200, "the document of a body $text");
	call($case->[0], $_, body => $case->[1], title => "the program of the same") for $diff, $snapshot;
}
call(400, $apply, body => '');
for my $kind (qw(Category RankingProfile)) {
	for my $name ('x', 'x y', "x\x{feff}y", '..', '%/', 'x' x 200, 'x' x 201, 'x' x 255, 'x' x 256, '', ' ', ' x', 'x ', "x\n", "\tx", "x\ty", "x\x{7f}y",
		"x\x{85}y", "\x{a0}x", "x\x{a0}y", "x\x{2003}", "x\x{2003}y", "\x{2028}x", "\x{1f600}" x 200, undef, 7, []) {
		my $try = bundle(resource($kind, $name, {}));
		my $text = substr JSON::PP->new->ascii->allow_nonref->encode($name), 0, 20;
		call($schema->problems($body, $try) ? 400 : 200, $diff, body => $try, title => "$kind of the name $text, as the document has it");
	}
}
my $fewer = bundle(grep { $_->{kind} !~ /^(Offer|Creative)$/ } @{ $live->{resources} });
call(409, "$_?prune=true&maxDeletes=0", body => $fewer, title => 'beyond the budget') for $diff, $apply;
my $changed = bundle({ %$first, spec => { %{ $first->{spec} }, priority => 3 } }, { %$first, metadata => { name => 'new' } });
my %ops = map { $_->{op} => 1 } map { @{ call(200, "$diff?$_", body => $changed)->{json}{diffs} } } 'x=1', 'prune=true&kinds=Offer&maxDeletes=100';
is_deeply([sort keys %ops], [qw(create delete update)], 'creations, deletions, updates');

# back and forth
$plan = call(200, "$rollback?to=1", key => $key->{editor}, title => 'a dry rollback')->{json}{planHash};
call(403, "$rollback?to=1&dryRun=false", key => $key->{editor}, title => 'one that touches a mandatory offer');
call(200, "$apply?dryRun=false", body => $changed);
call(412, "$rollback?to=1&dryRun=false", headers => { IF_MATCH => qq{"$plan"} }, title => 'a stale one');
is_deeply(call(200, "$rollback?to=2&dryRun=false", key => $key->{editor}, title => 'a rollback')->{json}{summary},
	{ created => 0, updated => 1, deleted => 1, unchanged => scalar @{ $live->{resources} } - 1 }, 'updates and deletes');
call(404, "$rollback?to=99");
call(404, "$rollback?to=1", key => $other->{admin}, title => "another tenant's revision");
is(call(200, $revisions, key => $key->{viewer})->{json}{total}, 4, 'four revisions');
is(scalar @{ call(200, "$revisions?limit=1")->{json}{revisions} }, 1, 'a page of one');
is_deeply(call(200, $snapshot, key => $key->{editor}, title => 'the live configuration as the snapshot')->{json},
	{ snapshotRevision => 4, resources => scalar @{ $live->{resources} } }, 'every resource of it');

# the schema of a bundle and the document
my $served = Kaireon::Schema->new(call(200, 'GET /api/v1/gitops/schema', key => $key->{viewer})->{json});
for my $kind (@{ $schemas->{Kind}{enum} }) {
	my ($its, $ours) = ($served->{document}{'$defs'}{$kind}, $schemas->{ $kind . 'Spec' });
	is_deeply([map { [sort @$_] } [keys %{ $its->{properties} }], $its->{required}],
		[map { [sort @$_] } [keys %{ $ours->{properties} }], $ours->{required} || []], "$kind has the same fields in the schema");
}

# what a field may be: what the document refuses is refused, and the reverse
# what is free-form is tried by its type only: a rule's config depends on the
# ruleType, and t/331-gitops-kinds.t tries it by that
my @values = (undef, 7, -1, 101, 1_000_001, 1.5, 'nothing', 'x' x 5000, JSON::PP::true, [], ['x'], {});
my @spec_values = ('', 'x' x 101, 'x' x 1001, [(1) x 501], { x => 0.5 }, { x => 2 }, { x => 'x' }, '2030-01-01T00:00:00Z', '2030-01-01T00:00:00.5+02:00',
	'2030-02-30T00:00:00Z', '2030-01-01', map({ { nodes => $_ } } [], [1], [{}], [{ type => 'x' }], [{ type => 'inventory' }], [{ type => 'score' }], {}),
	{ nodes => [], version => 2 }, { nodes => [], version => 3 }, \'absent');
my (@lax, @strict, @served);
sub judge {
	my ($place, $said, $accepted) = @_;
	push @lax, $place if !$said && $accepted;
	push @strict, $place if $said && !$accepted;
}
for my $kind (map { $_->{properties}{kind}{const} } @{ $schemas->{Resource}{oneOf} }) {
	my ($one) = grep { $_->{kind} eq $kind } @{ $live->{resources} };
	for my $field (sort(keys %{ $one->{spec} }), 'nothing') {
		for my $value (@values, @spec_values) {
			my $spec = { %{ $one->{spec} }, $field => $value };
			delete $spec->{$field} if ref $value eq 'SCALAR';
			my $answer = $stack->request('POST', '/api/v1/gitops/diff', key => $key->{viewer}, body => bundle({ %$one, spec => $spec }));
			my $said = !$schema->problems({ '$ref' => "#/components/schemas/${kind}Spec" }, $spec);
			my $place = "$kind.$field = " . (ref $value eq 'SCALAR' ? $$value : substr JSON::PP->new->allow_nonref->encode($value), 0, 20);
			push @served, $place if $answer->{status} == 200 && $served->problems({ '$ref' => "#/\$defs/$kind" }, $spec);
			# the document says nothing of what a name refers to, nor of what fields or nodes say together
			next if $said && $answer->{status} == 400
				&& $answer->{body} =~ /there is no|is required (when|for)|must be null when|exactly one inventory/;
			next if $said && $field eq 'config' && $answer->{body} =~ /"resources\[0\]\.spec\.config\b/;
			judge($place, $said, $answer->{status} == 200);
		}
	}
}
is_deeply(\@lax, [], 'the program takes no spec that the document refuses');
is_deeply(\@strict, [], 'nor the reverse');
is_deeply(\@served, [], 'nor what the schema of a bundle refuses');

# flows, of the other tenant
my ($flows, $flow_one, $publish) = map { "/api/v1/decision-flows$_" } '', '/{id}', '/publish';
my @owner = (key => $other->{admin});
call(200, "GET $flows", @owner);
my $flow = call(201, "POST $flows", @owner, body => { name => 'A flow', draftConfig => { version => 2, nodes => [{ type => 'inventory', config => {} }, { type => 'response' }] } })->{json};
call(409, "POST $flows", @owner, body => { name => 'A flow' });
for my $what ("POST $flows", "PUT $flow_one", "POST $publish") {
	call(413, $what, @owner, id => $flow->{id}, body => 'x' x 1_100_000);
	call(415, $what, @owner, id => $flow->{id}, body => '{}', type => 'text/plain');
}
(@lax, @strict) = ();
for my $case (['PUT', $flow_one, 'FlowChange', {}], ['POST', $flows, 'FlowFields', { name => 'tried' }]) {
	my ($method, $path, $its, $base) = @$case;
	for my $name (sort(keys %{ $schemas->{$its}{properties} }), 'nothing') {
		for my $value (@values, @spec_values) {
			my $try = { %$base, $name => $value };
			delete $try->{$name} if ref $value eq 'SCALAR';
			my $answer = $stack->request($method, $path =~ s/\{id\}/$flow->{id}/r, @owner, body => $try);
			is(scalar(answer_problems($schema->resolve($operation{"$method $path"}{responses}{ $answer->{status} }), $answer)), 0,
				"$method $name: an answer of the document") or diag $answer->{body};
			$reached{"$method $path $answer->{status}"}++;
			my $said = !$schema->problems($schemas->{$its}, $try);
			next if $said && ($answer->{status} == 409 || $answer->{body} =~ /exactly one inventory/);
			judge("$method $name = " . (ref $value eq 'SCALAR' ? 'absent' : substr JSON::PP->new->canonical->allow_nonref->encode($value), 0, 30), $said, $answer->{status} < 300);
			$stack->request('DELETE', "$flows/$answer->{json}{id}", @owner) if $answer->{status} == 201;
		}
	}
}
is_deeply(\@lax, [], 'the program takes no flow that the document refuses');
is_deeply(\@strict, [], 'nor the reverse');
$flow = call(200, "PUT $flow_one", @owner, id => $flow->{id}, body => { name => 'A flow', draftConfig => $flow->{draftConfig} })->{json};
call(409, "PUT $flow_one", @owner, id => $flow->{id}, body => { rowVersion => 1 });
call(200, "POST $publish", @owner, body => { flowId => $flow->{id}, notes => 'n', rowVersion => $flow->{rowVersion} });
call(409, "POST $publish", @owner, body => { flowId => $flow->{id}, rowVersion => $flow->{rowVersion} });
call(404, "POST $publish", @owner, body => { flowId => 'df_x' });
call(400, "POST $publish", @owner, body => {});
call(200, "GET $flow_one", @owner, id => $flow->{id});
call(409, "DELETE $flow_one", @owner, id => $flow->{id}, title => 'what was published');
call(200, "GET $flow_one/versions", @owner, id => $flow->{id});
call(200, "GET $flow_one/versions/{version}", @owner, id => $flow->{id}, version => 1);
call(404, $_, @owner, id => 'df_x', version => 1, $_ =~ /^PUT/ ? (body => {}) : ()) for map({ "$_ $flow_one" } qw(GET PUT DELETE)), map { "GET $flow_one/versions$_" } '', '/{version}';
my $spare = call(201, "POST $flows", @owner, body => { name => 'spare' })->{json}{id};
call(204, "DELETE $flow_one", @owner, id => $spare);
my $named = call(201, "POST $flows", @owner, body => { name => 'Base flow', key => 'not-base' })->{json}{id};
call(409, "POST $flows/ensure-base", @owner, title => 'the name of the base flow is taken');
call(204, "DELETE $flow_one", @owner, id => $named);
call(201, "POST $flows/ensure-base", @owner);
call(200, "POST $flows/ensure-base", @owner);

# approvals
my ($approvals, $approval) = ('/api/v1/approvals', '/api/v1/approvals/{id}');
my %ask = (entityType => 'offer', action => 'create', payload => { name => 'approved' });
(@lax, @strict) = ();
for my $name (sort(keys %{ $schemas->{ApprovalFields}{properties} }), 'nothing') {
	for my $value (@values, 'offer', 'create', { name => 'x' }, [{ stageName => 'x', requiredRole => 'viewer' }], [{ stageName => 'x', requiredRole => 'king' }],
		[{ stageName => '', requiredRole => 'admin' }], [{ requiredRole => 'admin' }], [{ stageName => 'x', requiredRole => 'admin', x => 1 }]) {
		my $try = { %ask, $name => $value };
		my $answer = $stack->request('POST', $approvals, @owner, body => $try);
		is(scalar(answer_problems($schema->resolve($operation{"POST $approvals"}{responses}{ $answer->{status} }), $answer)), 0,
			"$name: an answer of the document") or diag $answer->{body};
		my $said = !$schema->problems($schemas->{ApprovalFields}, $try);
		# what the action needs, and what the object is and may be, is told elsewhere
		next if $said && $answer->{body} =~ /entityId|entityName is not the name|payload|"field":"name"/;
		judge("$name = " . substr(JSON::PP->new->canonical->allow_nonref->encode($value), 0, 30), $said, $answer->{status} == 201);
	}
}
is_deeply(\@lax, [], 'the program takes no approval that the document refuses');
is_deeply(\@strict, [], 'nor the reverse');
my @asked = map { call(201, "POST $approvals", @owner, body => { %ask, payload => { name => "approved $_" } })->{json}{id} } 1 .. 3;
call(400, "POST $approvals", @owner, body => {});
call(404, "POST $approvals", @owner, body => { %ask, action => 'update', entityId => 'off_x' });
call(200, "POST $approval", @owner, id => $asked[0], body => { action => 'approve', comments => 'c' });
call(409, "POST $approval", @owner, id => $asked[0], body => { action => 'approve' });
call(409, "POST $approvals", @owner, body => { %ask, payload => { name => 'approved 1' } });
call(200, "POST $approval", @owner, id => $asked[1], body => { action => 'reject', comments => undef });
call(403, "POST $approval", key => $other->{editor}, id => $asked[2], body => { action => 'reject' });
call(400, "POST $approval", @owner, id => $asked[2], body => { action => 'x' });
call(404, "POST $approval", @owner, id => 'apr_x', body => { action => 'reject' });
for my $what ("POST $approvals", "POST $approval") {
	call(413, $what, @owner, id => $asked[2], body => 'x' x 1_100_000);
	call(415, $what, @owner, id => $asked[2], body => '{}', type => 'text/plain');
}
call(200, "GET $approval", @owner, id => $_) for @asked;
call(404, "GET $approval", id => $asked[0], title => "another tenant's approval");
$stack->owner("UPDATE kaireon.approvals SET created_at = '2020-01-01' WHERE id = '$asked[2]'");
is(call(200, 'POST /api/v1/cron/approvals-expire', title => 'the old ones')->{json}{expired}, 1, 'expire');
is(call(200, 'GET /api/v1/cron/approvals-expire', title => 'again')->{json}{expired}, 0, 'nothing is left');
cmp_ok(scalar @{ call(200, "GET $approvals?status=$_", @owner)->{json} }, '>', 0, "a list of $_") for qw(pending approved rejected expired);

# campaigns
$stack->spew("$stack->{dir}/c.csv", $stack->ctl('demo', 'customers', '--count', 400, '--seed', 7));
$stack->ctl('import', '--tenant', 'one', '--schema', 'customers', '--id-column', 'customer_id', "$stack->{dir}/c.csv");
my $segment = decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', 'All', '--schema', 'customers'));
my ($runs, $one, $its_runs) = map { "/api/v1/runs$_" } '', '/{id}', '/{id}/campaign-runs';
my %fields = (decisionFlowId => $stack->owner("SELECT id FROM kaireon.decision_flows WHERE tenant_id = 'one'"), segmentId => $segment->{id});
is(call(200, "GET $runs")->{json}{total}, 0, 'no campaign yet');
my $csv = call(201, "POST $runs", body => \%fields, title => 'a campaign by its defaults')->{json}{id};
my %full = (%fields, name => 'Weekly', description => 'd', status => 'active', scheduleType => 'weekly', scheduleDayOfWeek => 1, scheduleTime => '09:00',
	scheduleTimezone => 'Europe/Berlin', scheduleCron => undef, scheduleDayOfMonth => '28',
	volumeConstraints => { maxTotalPerRun => 100, maxPerOffer => undef },
	fileConfig => { format => 'json', columns => [qw(customer_id rank score attr.age)], destination => 'download', includePersonalization => JSON::PP::false },
	channelIds => [$stack->owner("SELECT id FROM kaireon.channels WHERE name = 'email'")]);
my $json = call(201, "POST $runs", body => \%full, title => 'one with every field')->{json}{id};
call(201, "POST $runs", body => { %fields, scheduleCron => '0 9 * * 1', frequencyCaps => { maxPerChannel => 0 } }, title => 'one with the alias');
call(415, "POST $runs", body => '{}', type => 'text/plain');
call(413, "POST $runs", body => 'x' x 1_100_000);
my $fields = $schemas->{CampaignFields};
(@lax, @strict) = ();
for my $name (sort(keys %{ $fields->{properties} }), 'nothing') {
	for my $value (@values, '1', '29', 'last_working_day', '24:00', '23:59', { format => 'xml' }, { columns => [] }, { columns => ['x'] },
		{ maxPerOffer => -1 }, { maxPerOffer => 'x' }, { maxPerNothing => 1 }, { includePersonalization => 'x' }) {
		my $try = { %fields, $name => $value };
		my $said = !$schema->problems($fields, $try);
		my $answer = $stack->request('POST', $runs, key => $key->{editor}, body => $try);
		is(scalar(answer_problems($schema->resolve($operation{"POST $runs"}{responses}{ $answer->{status} }), $answer)), 0,
			"$name: an answer of the document") or diag $answer->{body};
		# what there is, and what fields say together, is not the document's
		next if $said && $answer->{body} =~ /no such|not a channel|unknown time zone|position \d|is required for/;
		judge("$name = " . substr(JSON::PP->new->canonical->allow_nonref->encode($value), 0, 30), $said, $answer->{status} == 201);
	}
}
$reached{"POST $runs 400"}++;
is_deeply(\@lax, [], 'the program takes no campaign that the document refuses');
is_deeply(\@strict, [], 'nor the reverse');

# watching: providers, messages, alert rules, the tick
my $watch = '/api/v1/notifications';
my $provider = call(201, "POST $watch/providers", body => { kind => 'webhook', name => 'hook', config => { url => 'https://hook.example/x', secret => 'x' x 20 } })->{json}{id};
call(400, "POST $watch/providers", body => { kind => 'pager', name => 'x', config => {} });
call(200, "GET $watch/providers");
call(200, "GET $watch/providers/{id}", id => $provider);
call(200, "PATCH $watch/providers/{id}", id => $provider, body => { name => 'the hook' });
call(400, "PATCH $watch/providers/{id}", id => $provider, body => { kind => 'slack' });
call(202, "POST $watch/send", body => { providerIds => [$provider], title => 'hello' });
call(400, "POST $watch/send", body => { providerIds => ['np_x'], title => 'hello' });
is(call(200, "GET $watch/deliveries?status=pending")->{json}{total}, 1, 'a delivery waits');
call(400, "GET $watch/deliveries?status=lost");
my %rule = (name => 'Clicks', metric => 'ctr', operator => 'lt', threshold => 0.1, channels => [$provider]);
my $alert = call(201, 'POST /api/v1/alerts', body => \%rule)->{json}{id};
call(400, 'POST /api/v1/alerts', body => { %rule, metric => 'error_rate' });
call(200, 'GET /api/v1/alerts');
call(200, 'GET /api/v1/alerts/{id}', id => $alert);
call(200, 'PUT /api/v1/alerts/{id}', id => $alert, body => { threshold => 0.5 });
call(400, 'PUT /api/v1/alerts/{id}', id => $alert, body => { threshold => 'x' });
call(202, 'POST /api/v1/alerts/{id}/test', id => $alert);
call(200, 'GET /api/v1/alerts/{id}/events', id => $alert);
for my $what ('GET /api/v1/alerts/{id}', 'PUT /api/v1/alerts/{id}', 'DELETE /api/v1/alerts/{id}', 'GET /api/v1/alerts/{id}/events', 'POST /api/v1/alerts/{id}/test',
	"GET $watch/providers/{id}", "PATCH $watch/providers/{id}", "DELETE $watch/providers/{id}") {
	call(404, $what, id => 'nothing', $what =~ /^(PUT|PATCH)/ ? (body => '{}') : ());
}
$stack->announce(qr/delivery (failed|given up)/);
call(200, 'POST /api/cron/tick');
call(200, 'GET /api/cron/tick');
my $rules = call(201, 'POST /api/v1/alerts', body => \%rule)->{json}{id};
call(204, 'DELETE /api/v1/alerts/{id}', id => $rules);
my $second = call(201, "POST $watch/providers", body => { kind => 'slack', name => 'x', config => { webhookUrl => 'https://chat.example/x' } })->{json}{id};
call(204, "DELETE $watch/providers/{id}", id => $second);

# reports
my $rep = '/api/v1/reports';
my $template = call(201, "POST $rep/templates", body => { name => 'Weekly', dataSources => [{ sourceKey => 'funnel' }, { sourceKey => 'daily_trend' }], formats => ['html', 'csv', 'markdown'] })->{json}{id};
call(400, "POST $rep/templates", body => { name => 'x', dataSources => [] });
my $schedule = call(201, "POST $rep/schedules", body => { templateId => $template, name => 'Mondays', cronExpression => '0 9 * * 1' })->{json}{id};
call(400, "POST $rep/schedules", body => { templateId => $template, name => 'x', cronExpression => '99 * * * *' });
for my $case (['templates', $template, { formats => ['x'] }], ['schedules', $schedule, { timezone => 'x' }]) {
	my ($noun, $id, $bad) = @$case;
	call(200, "GET $rep/$noun");
	call(200, "GET $rep/$noun/{id}", id => $id);
	call(200, "PATCH $rep/$noun/{id}", id => $id, body => { name => 'changed' });
	call(400, "PATCH $rep/$noun/{id}", id => $id, body => $bad);
	call(404, "$_ $rep/$noun/{id}", id => 'nothing', $_ eq 'PATCH' ? (body => '{}') : ()) for qw(GET PATCH DELETE);
}
call(200, "GET $rep/templates/{id}/preview$_", id => $template) for '', '?format=html';
call(400, "GET $rep/templates/{id}/preview?format=pdf", id => $template);
call(404, "GET $rep/templates/{id}/preview", id => 'nothing');
my $report = call(202, "POST $rep/templates/{id}/run-now", id => $template)->{json}{runId};
call(404, "POST $rep/templates/{id}/run-now", id => 'nothing');
call(200, "GET $rep/runs?templateId=$template");
call(200, "GET $rep/runs/{id}", id => $report, title => 'a run of a report that waits');
$stack->worker('reporter');
$stack->wait_for('the report', sub { $stack->owner("SELECT status FROM kaireon.report_runs WHERE id = '$report'") eq 'completed' });
$stack->stop('reporter');
call(200, "GET $rep/runs/{id}", id => $report, title => 'one that is completed');
call(200, "GET $rep/runs/{id}/artifacts/{format}", id => $report, format => $_, title => $_) for qw(html csv markdown);
call(404, "GET $rep/runs/{id}/artifacts/{format}", id => $report, format => 'pdf');
call(404, "GET $rep/runs/{id}", id => 'nothing');
call(404, "GET $rep/links/{token}", token => 'nothing');
my $linked = 'a' x 64;
$stack->owner("UPDATE kaireon.report_artifacts SET link_hash = sha256('$linked') WHERE format = 'html'");
call(200, "GET $rep/links/{token}", token => $linked);
call(204, "DELETE $rep/schedules/{id}", id => $schedule);
call(204, "DELETE $rep/templates/{id}", id => $template);

# parameters: both ends of the range are taken, and nothing beyond
for my $what (sort keys %operation) {
	for my $parameter (grep { $_->{in} eq 'query' && ($_->{schema}{type} // '') eq 'integer' } @{ $operation{$what}{parameters} }) {
		my ($name, $low, $high) = ($parameter->{name}, @{ $parameter->{schema} }{qw(minimum maximum)});
		my %option = ($what =~ /decision-flows/ ? (id => $flow->{id}, @owner) : (id => $what =~ m{v1/alerts} ? $alert : $csv), $what =~ /diff|apply/ ? %yaml : ());
		audit_window() if $what =~ /audit-export/;
		call(400, "$what?$name=$_", %option) for 'x', '';
		call(200, "$what?$name=$_", %option) for grep { defined } $low, $high;
		call(400, "$what?$name=$_", %option) for $low - 1, defined $high ? $high + 1 : ();
		call(400, $what, %option, title => "$what without $name") if $parameter->{required};
	}
}
call(201, "POST $runs", body => { %fields, channelIds => [$stack->owner("SELECT id FROM kaireon.channels WHERE name = 'fax'")] });
call(409, "$rollback?to=1", title => 'a rollback of what a campaign uses');
call(400, "GET $one?resultsCursor=" . 'x' x 2001, id => $csv, title => 'a cursor too long');

# runs
for my $what (map { ("GET $_", "POST $_") } $one, $its_runs, map { "$its_runs/{runId}$_" } '', '/file') {
	next if !$operation{$what};
	call(404, $what, id => 'camp_x', runId => 'crun_x') ;
	call(404, $what, id => $csv, runId => 'crun_x', key => $other->{admin}, title => "$what of another tenant");
}
call(400, "POST $its_runs", id => $csv, body => { x => 1 });
my $pending = call(201, "POST $its_runs", id => $csv)->{json};
is($pending->{status}, 'pending', 'a run is pending');
call(409, "POST $its_runs", id => $csv, title => 'a second one at once');
call(200, "GET $its_runs/{runId}", id => $csv, runId => $pending->{id}, title => 'while it is pending');
call(404, "GET $its_runs/{runId}/file", id => $csv, runId => $pending->{id}, title => 'without a file');
$stack->worker;

# until it is over; each answer on the way is checked
sub finished {
	my ($campaign, $run) = @_;
	my $answer;
	$stack->wait_for("run $run", sub {
		$answer = $stack->request('GET', "/api/v1/runs/$campaign/campaign-runs/$run", key => $key->{viewer});
		my @problems = $schema->problems($schemas->{Run}, $answer->{json});
		is_deeply(\@problems, [], "… while it is $answer->{json}{status}") if @problems;
		$answer->{json}{status} !~ /pending|running/;
	}, 60);
	call(200, "GET $its_runs/{runId}", id => $campaign, runId => $run, title => 'and when it is over');
	return $answer->{json};
}
my $done = finished($csv, $pending->{id});
is($done->{status}, 'completed', 'a run is completed');
cmp_ok(scalar @{ $done->{summary}{byOffer} }, '>', 0, 'with offers in its summary');
# else the contacts of the first would hold this one's back
$stack->owner('TRUNCATE kaireon.interaction_history');
my $limited = finished($json, call(201, "POST $its_runs", id => $json, body => {})->{json}{id});
is_deeply($limited->{summary}{limitsReached}, ['maxTotalPerRun'], 'another reached a limit') or diag encode_json($limited);
for my $file ([$csv, $done, 'text/csv'], [$json, $limited, 'application/x-ndjson']) {
	my $answer = call(200, "GET $its_runs/{runId}/file", id => $file->[0], runId => $file->[1]{id});
	like($answer->{headers}{'content-type'}, qr/^\Q$file->[2]\E/, "a file as $file->[2]");
}
$stack->owner("UPDATE kaireon.campaign_runs SET file_path = 's3://bucket/x.csv' WHERE id = '$limited->{id}'");
call(303, "GET $its_runs/{runId}/file", id => $json, runId => $limited->{id}, title => 'a file in S3');
my $detail = call(200, "GET $one", id => $csv, title => 'a campaign with results')->{json};
ok((grep { @{ $_->{decisions} } } @{ $detail->{results} }) && (grep { !@{ $_->{decisions} } } @{ $detail->{results} }), 'with decisions and without');
my $page = call(200, "GET $one?resultsCursor=$detail->{results}[1]{customerId}", id => $csv)->{json}{results};
is_deeply([@$page[0 .. 97]], [@{ $detail->{results} }[2 .. 99]], 'the next page begins after the cursor');
is(call(200, "GET $one", id => $done->{id}, title => 'a run by the same path')->{json}{id}, $done->{id}, 'is that run');
is(scalar @{ call(200, "GET $its_runs", id => $csv)->{json} }, 1, 'a list of runs');
call(200, "GET $runs", title => 'a list of campaigns with runs');

# changes
call(200, "PUT $one", id => $csv, body => { description => 'changed' });
call(400, "PUT $one", id => $csv, body => { status => 'on' });
call(404, "PUT $one", id => 'camp_nothing', body => {});
call(413, "PUT $one", id => $csv, body => 'x' x 1_100_000);
call(415, "PUT $one", id => $csv, body => '{}', type => 'text/plain');
$stack->stop('worker');
my $moved = call(201, "POST $its_runs", id => $csv)->{json}{id};
for my $move (['pause', 202], ['pause', 409], ['resume', 202], ['resume', 409], ['cancel', 202], ['cancel', 409]) {
	my ($verb, $status) = @$move;
	call($status, "POST $its_runs/{runId}/$verb", id => $csv, runId => $moved);
	call(404, "POST $its_runs/{runId}/$verb", id => $csv, runId => 'crun_nothing');
	call(400, "POST $its_runs/{runId}/$verb", id => $csv, runId => $moved, body => { x => 1 });
}
my %inline = (runId => $moved, decisionFlowId => $fields{decisionFlowId}, segmentViewName => $segment->{viewName});
$stack->worker('worker');
call(200, "POST $runs/execute-inline", body => \%inline);
is(finished($csv, $moved)->{status}, 'completed', 'an inline run');
call(409, "POST $runs/execute-inline", body => \%inline);
call(404, "POST $runs/execute-inline", body => { %inline, runId => 'crun_nothing' });
call(400, "POST $runs/execute-inline", body => { %inline, segmentViewName => 'x' });
call(413, "POST $runs/execute-inline", body => 'x' x 1_100_000);
call(415, "POST $runs/execute-inline", body => '{}', type => 'text/plain');
my $doomed = call(201, "POST $runs", body => \%fields)->{json}{id};
$stack->stop('worker');
call(201, "POST $its_runs", id => $doomed);
call(409, "DELETE $one", id => $doomed);
call(204, "DELETE $one?force=true", id => $doomed);
call(404, "DELETE $one", id => $doomed);
$stack->worker('worker');
$stack->owner("DROP VIEW t_one.$segment->{viewName}");
$stack->announce(qr/job failed.*view is gone/);
is(finished($csv, call(201, "POST $its_runs", id => $csv)->{json}{id})->{status}, 'failed', 'a run that fails');
call(200, "GET $one", id => $csv, title => 'its campaign');

# the export: rows, none, all, one tenant that fails
my $cron = '/api/v1/cron/export-interactions';
is(call(200, "GET $cron", title => 'an export')->{json}{totalExported}, $stack->owner('SELECT count(*) FROM kaireon.interaction_history'), 'of every decision');
is(call(200, "GET $cron", title => 'one without anything new')->{json}{tenants}[0]{filePath}, undef, 'has no file');
$stack->owner(q{INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
	SELECT t, 'ih_1', 'c', 'impression', 'outbound', now() FROM unnest('{one,two}'::text[]) AS t});
$stack->spew("$stack->{dir}/data/exports/two", 'in the way');
$stack->announce(qr/cron job failed for a tenant.*job=export-interactions tenant=two/);
my $failed = call(200, "POST $cron?drain=true", title => 'one with a tenant that fails')->{json};
is_deeply([map { exists $_->{error} ? 1 : 0 } sort { $a->{tenantId} cmp $b->{tenantId} } @{ $failed->{tenants} }], [0, 1], 'which is told');

# retention, settings, and what is cleaned by them
my ($retention, $settings) = map { "/api/v1/$_" } qw(admin/retention-configs tenant-settings);
is(scalar @{ call(200, "GET $retention")->{json} }, 4, 'four data classes');
call(200, "POST $retention", body => { dataClass => 'interactions', retentionDays => 1, legalHold => JSON::PP::true });
call(415, "POST $retention", body => '{}', type => 'text/plain');
call(413, "POST $retention", body => 'x' x 1_100_000);
for my $case ({}, { dataClass => 'x', retentionDays => 1 }, (map { { dataClass => 'audit', retentionDays => $_ } } 0, 36501, '1', 1.5, undef),
	{ dataClass => 'audit', retentionDays => 1, legalHold => 'true' }, { dataClass => 'audit', retentionDays => 1, x => 1 }) {
	ok($schema->problems($schemas->{RetentionChange}, $case), 'the document refuses ' . encode_json($case));
	call(400, "POST $retention", body => $case, title => 'and so does the program');
}
is_deeply(call(200, "GET $settings")->{json}, {}, 'no settings');
is_deeply(call(200, "PUT $settings", body => { theme => 'dark', legalHold => JSON::PP::true })->{json},
	{ theme => 'dark', legalHold => JSON::PP::true }, 'some, and a hold');
call(400, "PUT $settings", body => $_) for '[]', { legalHold => 1 };
call(413, "PUT $settings", body => { x => 'x' x 300_000 });
call(415, "PUT $settings", body => '{}', type => 'text/plain');
call(200, "POST /api/v1/cleanup");
call(400, "POST /api/v1/cleanup", body => { x => 1 });
my $cleanup = '/api/v1/cron/cleanup';
is(scalar @{ call(200, "GET $cleanup", title => 'a cleanup')->{json}{legalHoldSkips} }, 3, 'tells of the hold');
$stack->owner('REVOKE DELETE ON kaireon.decision_traces FROM kaireon_worker; REVOKE EXECUTE ON FUNCTION kaireon.partition_ensure(text, date) FROM kaireon_worker;'
	. ' DROP TABLE kaireon.audit_logs_' . $stack->owner(q{SELECT to_char(now() + interval '3 months', 'YYYY_MM')}));
$stack->announce(qr/cron job failed.*(job=cleanup|job=partitions)/);
is(call(200, "POST $cleanup", title => 'one of which a part fails')->{json}{status}, 'partial', 'is partial');
$stack->owner('GRANT DELETE ON kaireon.decision_traces TO kaireon_worker; GRANT EXECUTE ON FUNCTION kaireon.partition_ensure(text, date) TO kaireon_worker');
my $ledger = call(200, "GET /api/v1/admin/cron-runs?job=cleanup")->{json}{cronRuns};
is(scalar @$ledger, 2, 'the ledger of that job');
is($ledger->[0]{tenant}{tenantId}, 'one', "with the caller's part");

# drift: none, of each sort, one tenant that fails
my $drift = '/api/v1/cron/gitops-drift-check';
is_deeply([map { [@$_{qw(tenantId snapshotRevision drifted)}] } sort { $a->{tenantId} cmp $b->{tenantId} } @{ call(200, "GET $drift")->{json}{tenants} }],
	[['one', 4, 0], ['two', undef, 0]], 'nothing has drifted');
call(200, $snapshot, body => bundle(@{ $live->{resources} }, resource('Offer', 'never there', {})), title => 'a snapshot of a bundle');
call(200, $snapshot, body => bundle(), key => $other->{admin}, title => 'of the other tenant');
$stack->owner("UPDATE kaireon.offers SET priority = 99 WHERE name = 'Car Loan'; UPDATE kaireon.creatives SET deleted_at = now()");
$stack->owner("INSERT INTO kaireon.categories (tenant_id, id, name) VALUES ('one', 'cat_x', 'smuggled')");
$stack->owner(q{UPDATE kaireon.gitops_snapshots SET bundle = '{}' WHERE tenant_id = 'two'});
$stack->announce(qr/cron job failed for a tenant.*job=gitops-drift-check tenant=two/);
my $drifted = call(200, "POST $drift", title => 'a drift check with a tenant that fails')->{json};
my ($its) = grep { $_->{tenantId} eq 'one' } @{ $drifted->{tenants} };
is_deeply([map { "$_->{op} $_->{kind} " . ($_->{lastChange} ? 'known' : 'unknown') } @{ $its->{diffs} }],
	['delete Category known', 'update Offer known', 'create Offer unknown', 'create Creative known'], 'what has drifted');
is_deeply([grep { exists $_->{error} } @{ $drifted->{tenants} }], [grep { $_->{tenantId} eq 'two' } @{ $drifted->{tenants} }], 'the failure is told');

# a call beside another of its job
my $psql = open2(my $out, my $in, 'psql', '-qXAt', '-h', "$stack->{dir}/sock", '-U', 'kaireon_owner', '-d', 'kaireon');
for my $job (qw(approvals-expire cleanup export-interactions gitops-drift-check)) {
	print $in "SELECT pg_advisory_lock(hashtext('kaireon.cron'), hashtext('$job')), 'held';\n";
	like(scalar readline $out, qr/held/, "another call of $job runs");
	is(call(200, "GET /api/v1/cron/$job", title => 'so this one')->{json}{skipped}, JSON::PP::true, 'is skipped');
}
close $in;
waitpid $psql, 0;

# without the database
$stack->stop_postgres('immediate');
call(503, 'GET /readyz', title => 'not ready');
call(503, "GET $runs", title => 'not available');
call(503, 'GET /metrics', title => 'nor for operators');
$stack->start_postgres;

# the document says nothing that was not seen
my @unseen = grep { !$reached{$_} } map { my $what = $_; map { "$what $_" } sort keys %{ $operation{$what}{responses} } } sort keys %operation;
is_deeply(\@unseen, [], 'every answer of the document was seen');

$stack->end;
done_testing;
