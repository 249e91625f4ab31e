#!/usr/bin/perl
# API keys: made, listed, revoked by the API and by kaireonctl; scopes, expiry,
# last use; the key itself is in one answer and nowhere else.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $key = $stack->tenant('one');
my $other = $stack->tenant('two');
$stack->pool('api', 4);
my $keys = '/api/v1/api-keys';
my $runs = '/api/v1/runs';

sub create { my (%body) = @_; return $stack->request('POST', $keys, key => $key->{admin}, body => encode_json(\%body)) }
sub list { return $stack->request('GET', $keys, key => $key->{admin})->{json} }
sub status { my ($key, $path) = @_; return $stack->request('GET', $path // $runs, key => $key)->{status} }

# made and shown once
my $made = create(name => 'pipeline', role => 'editor', expiresAt => '2099-01-01T00:00:00Z');
is($made->{status}, 201, 'a key is made') or diag $made->{body};
is_deeply([sort keys %{ $made->{json} }], [qw(createdAt expiresAt id key name prefix role scopes warning)], 'with all that is known of it');
like($made->{json}{key}, qr/^krn_[0-9A-Za-z]{40}$/, 'the key');
is($made->{json}{prefix}, substr($made->{json}{key}, 0, 12), 'and how it begins');
is($made->{json}{expiresAt}, '2099-01-01T00:00:00.000Z', 'when it ends');
is(status($made->{json}{key}), 200, 'it opens');
my $default = $stack->request('POST', $keys, key => $key->{admin});
like($default->{json}{name}, qr/^key-\d{13}$/, 'a name by default');
is_deeply([@{ $default->{json} }{qw(role scopes expiresAt)}], ['admin', [], undef], 'the role of who makes it, no scopes, no end');
my $list = list();
is($list->{total}, 5, 'the list counts');
is_deeply([sort keys %{ $list->{data}[0] }], [qw(createdAt expiresAt id lastUsedAt name prefix role scopes)], 'and shows no key');
is_deeply([map { $_->{name} } @{ $list->{data} }[0, 1]], [$default->{json}{name}, 'pipeline'], 'newest first');
is($stack->request('GET', $keys, key => $other->{admin})->{json}{total}, 3, 'another tenant sees its own');

# what is refused
my %bad = ('a role that is none' => { role => 'owner' }, 'an empty name' => { name => '' }, 'a name too long' => { name => 'x' x 256 },
	'a time that is none' => { expiresAt => 'tomorrow' }, 'a time that is over' => { expiresAt => '2020-01-01T00:00:00Z' },
	'too many scopes' => { scopes => [('x') x 17] }, 'a scope too long' => { scopes => ['x' x 65] }, 'an empty scope' => { scopes => [''] },
	'a scope that is no text' => { scopes => [1] }, 'scopes that are no list' => { scopes => 'x' }, 'an unknown field' => { key => 'krn_mine' });
is(create(%{ $bad{$_} })->{status}, 400, $_) for sort keys %bad;
is(list()->{total}, 5, 'and leaves no key');
is(create(name => 'x' x 255, scopes => [('x' x 64) x 16], expiresAt => undef)->{status}, 201, 'the most that may be');

# an Idempotency-Key would keep the key
my $repeat = sub { return $stack->request('POST', $keys, key => $key->{admin}, headers => { IDEMPOTENCY_KEY => 'again' })->{json}{key} };
isnt($repeat->(), $repeat->(), 'a call that is repeated makes another key');

# scopes
my $scoped = create(name => 'scoped', role => 'admin', scopes => ['gitops', 'campaign.list'])->{json}{key};
is(status($scoped), 200, 'the route that a scope names');
is(status($scoped, "$runs/x"), 403, 'not its neighbour');
is(status($scoped, '/api/v1/gitops/export'), 200, 'every route of a noun');
is(status($scoped, '/api/v1/gitops/revisions'), 200, 'the next one');
is(status($scoped, $keys), 403, 'nothing else');
is($stack->request('GET', $keys, key => $scoped)->{json}{error}{message}, "the key's scopes do not allow this", 'and it is told why');
is(status(create(role => 'admin', scopes => ['scim'])->{json}{key}), 403, 'a scope of routes that are not there opens nothing');
is(status(create(role => 'viewer', scopes => ['api-keys'])->{json}{key}, $keys), 403, 'a scope gives no role');

# expiry, in every process at once
my $short = create(name => 'short', role => 'viewer', expiresAt => '2099-01-01T00:00:00Z')->{json};
$stack->owner("UPDATE kaireon.api_keys SET expires_at = now() WHERE id = '$short->{id}'");
is_deeply([grep { $_ != 401 } $stack->parallel(8, sub { status($short->{key}) })], [], 'an expired key is dead in every process');

# revoked
my $id = $made->{json}{id};
sub revoke { return $stack->request('DELETE', "$keys?id=$_[0]", key => $_[1] || $key->{admin}, $_[2] ? (body => $_[2]) : ()) }
is(revoke($id, $other->{admin})->{status}, 404, "another tenant's key is not there");
is(revoke($id, undef, '{"reason": 1}')->{status}, 400, 'a reason that is no text');
is($stack->request('DELETE', $keys, key => $key->{admin})->{status}, 400, 'an id is needed');
is(status($made->{json}{key}), 200, 'it still opens');
is(revoke($id, undef, '{"reason": "it leaked"}')->{status}, 204, 'revoked');
is_deeply([grep { $_ != 401 } $stack->parallel(8, sub { status($made->{json}{key}) })], [], 'and dead in every process');
is(revoke($id)->{status}, 404, 'once');
is(scalar(grep { $_->{id} eq $id } @{ list()->{data} }), 0, 'and not listed');
my $second = create(name => 'second')->{json}{id};
is(scalar(grep { $_ == 204 } $stack->parallel(8, sub { revoke($second)->{status} })), 1, 'of eight who revoke one does');

# the audit has it all but the key
my @audit = map { decode_json($_) } split /\n/, $stack->owner(qq{SELECT json_build_object('action', action, 'name', entity_name, 'actor', actor_name,
	'before', before, 'after', after, 'changes', changes) FROM kaireon.audit_logs WHERE entity_id = '$id' ORDER BY seq});
is_deeply([map { "$_->{action} $_->{name} $_->{actor}" } @audit], ['api_key.create pipeline admin', 'api_key.revoke pipeline admin'], 'two audit rows');
is($audit[0]{after}{role} . $audit[1]{before}{role} . $audit[1]{changes}{reason}, 'editoreditorit leaked', 'with before, after and reason');
unlike($stack->owner('SELECT string_agg(to_json(a)::text, chr(10)) FROM kaireon.audit_logs AS a'), qr/\Q$made->{json}{key}\E|key_?hash/i, 'never with the key');

# last use: after the response, at most once a minute
my $used = create(name => 'used', role => 'viewer')->{json};
sub last_used { return (map { $_->{lastUsedAt} } grep { $_->{id} eq $used->{id} } @{ list()->{data} })[0] }
is(last_used(), undef, 'never used');
is_deeply([grep { $_ != 200 } $stack->parallel(8, sub { status($used->{key}) })], [], 'used by eight at once');
$stack->wait_for('the use to be noted', \&last_used);
my $at = last_used();
like($at, qr/^\d{4}-\d\d-\d\dT/, 'its last use is noted');
my $version = sub { $stack->owner("SELECT xmin || ' ' || last_used_at FROM kaireon.api_keys WHERE id = '$used->{id}'") };
my $before = $version->();
status($used->{key}) for 1 .. 20;
is($version->(), $before, 'and not again within a minute');
$stack->owner("UPDATE kaireon.api_keys SET last_used_at = now() - interval '61 seconds' WHERE id = '$used->{id}'");
$before = $version->();
status($used->{key});
ok($stack->wait_for('the next use', sub { $version->() ne $before }), 'a minute later it is');

# no more than itself
my $narrow = create(role => 'admin', scopes => ['api-keys', 'gitops'], expiresAt => '2099-01-01T00:00:00Z')->{json}{key};
my $child = sub { return $stack->request('POST', $keys, key => $narrow, body => encode_json({ @_ }))->{status} };
is($child->(), 403, 'a key with scopes makes none without');
is($child->(scopes => ['campaign'], expiresAt => '2099-01-01T00:00:00Z'), 403, 'none with others');
is($child->(scopes => ['gitops']), 403, 'one that ends makes none that does not');
is($child->(scopes => ['gitops'], expiresAt => '2099-01-02T00:00:00Z'), 403, 'or later');
is($child->(scopes => ['gitops'], expiresAt => '2098-01-01T00:00:00Z'), 201, 'but less than itself');

# kaireonctl
my $ctl = decode_json($stack->ctl('--json', 'key', 'create', '--tenant', 'one', '--role', 'viewer', '--name', 'by hand', '--scopes', 'campaign,gitops.export'));
is(status($ctl->{key}) . status($ctl->{key}, '/api/v1/gitops/revisions'), '200403', 'a key by kaireonctl has its scopes');
my ($row) = grep { $_->{id} eq $ctl->{id} } @{ decode_json($stack->ctl('--json', 'key', 'list', '--tenant', 'one')) };
is("$row->{status} $row->{scopes}", 'active campaign,gitops.export', 'and is listed');
$stack->ctl('key', 'revoke', '--tenant', 'one', '--id', $ctl->{id}, '--reason', 'no more');
is(status($ctl->{key}), 401, 'until it is revoked');
is($stack->owner("SELECT string_agg(action || ' ' || actor_id, ', ' ORDER BY seq) FROM kaireon.audit_logs WHERE entity_id = '$ctl->{id}'"),
	'api_key.create kaireonctl, api_key.revoke kaireonctl', 'in the audit under its name');
my ($failed, undef, $why) = $stack->ctl_try('key', 'revoke', '--tenant', 'one', '--id', $ctl->{id});
is($failed, 1, 'a second time fails');
($failed) = $stack->ctl_try('key', 'create', '--tenant', 'nobody', '--role', 'viewer', '--name', 'x');
is($failed, 1, 'so does a key of no tenant');

$stack->end;
done_testing;
