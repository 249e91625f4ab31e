#!/usr/bin/perl
# Hostile input to every route of the table: each answers with a status of the
# client's and the shape of an error, tells nothing internal, and the processes
# that served it are still the same.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { CONNECTOR_ENCRYPTION_KEY => 'the-key-of-the-tests' });
my $key = $stack->tenant('one');
$stack->pool('api', 2)->pool('cron', 1);
my @processes = sort values %{ $stack->{pids} };
my @routes = map { my @r = split /\t/; { method => $r[0], path => $r[1], role => $r[3], pool => $r[4] eq 'cron' ? 'cron' : 'api', body => $r[5] } }
	split /\n/, `$stack->{build}/kaireon-fcgi --routes`;
cmp_ok(scalar @routes, '>', 80, 'the route table');

my %tried;
sub refused {
	my ($route, $what, $wanted, %option) = @_;
	my $path = delete $option{path} // $route->{path};
	my $id = delete $option{id} // 'nothing';
	$path =~ s/\{[^}]+\}/$id/g;
	$path .= delete $option{query} if $option{query};
	$stack->owner('DELETE FROM kaireon.rate_limit_hits') if $path =~ /audit-export|cleanup/;
	# an empty body is one that is there
	my %content = exists $option{body} && !length $option{body} ? (type => 'application/json') : ();
	my $answer = $stack->request($route->{method}, $path, pool => $route->{pool}, %content, %option);
	my $error = ref $answer->{json} eq 'HASH' ? $answer->{json}{error} : {};
	my @wrong;
	push @wrong, "status $answer->{status}" if $answer->{status} !~ /$wanted/;
	if ($route->{method} ne 'HEAD') {
		push @wrong, 'no shape of an error' if join(' ', grep { $_ !~ /^(?:details|problems)$/ } sort keys %{ $error || {} }) ne 'code message requestId status';
		push @wrong, 'another status within' if ($error->{status} // 0) != $answer->{status};
	}
	push @wrong, 'something internal' if $answer->{body} =~ /SELECT|INSERT|kaireon\.|pg_|\/tmp|\.c:|libpq/;
	$tried{$what}++;
	return if !@wrong;
	fail("$route->{method} $route->{path}: $what");
	diag(join ', ', @wrong, substr $answer->{body}, 0, 300);
}

my $deep = '[' x 40 . ']' x 40;
# what is no body of any JSON route
my %bad = ('nothing at all' => '', 'an array' => '[]', 'a text' => '"x"', 'a number' => '1', 'null' => 'null', 'true' => 'true', 'half an object' => '{"name": "x',
	'names twice' => '{"zz": 1, "zz": 2}', 'a NUL' => '{"name": "a\u0000b"}', 'a bare NUL' => "{\"name\": \"a\0b\"}", 'a lone surrogate' => '{"name": "\ud800"}',
	'bad UTF-8' => "{\"name\": \"\xc3\x28\"}", 'an overlong slash' => "{\"name\": \"\xc0\xaf\"}", 'depth' => "{\"name\": $deep}", 'much depth' => '{"a":' x 100_000,
	'NaN' => '{"name": NaN}', 'a huge number' => '{"name": 1e999}', 'an integer of 30 digits' => '{"name": ' . '9' x 30 . '}', 'trailing text' => '{} x',
	'a byte order mark' => "\xef\xbb\xbf{}", 'single quotes' => "{'name': 1}", 'a comment' => '{/* */}', 'an unknown field' => '{"zzUnknown": 1}',
	'a long name' => '{"' . 'z' x 100_000 . '": 1}', 'a thousand fields' => '{' . join(',', map { "\"zz$_\": 1" } 1 .. 1000) . '}', 'binary' => join('', map { chr } 0 .. 255));
my %free = map { $_ => 1 } 'an unknown field', 'a long name', 'a thousand fields';
my %secret = (cron_secret => [X_CRON_SECRET => 'cron-secret'], cron_token => [X_CRON_TOKEN => 'tick+token.with(regex']);

for my $route (@routes) {
	my $is_key = $route->{role} =~ /^(?:viewer|editor|admin)$/;
	my %as = $is_key ? (key => $key->{admin}) : $secret{ $route->{role} } ? (headers => { @{ $secret{ $route->{role} } } }) : ();
	my $is_raw = $route->{body} > 2_000_000; # a bundle
	my $is_gitops = $route->{path} =~ m{/gitops/};
	my $takes_body = $route->{body} > 0;
	my $is_needed = $route->{method} =~ /^(?:PUT|PATCH)$/;
	my $is_free = $route->{path} eq '/api/v1/tenant-settings'; # any members

	# the path
	if ($route->{path} =~ /\{/) {
		refused($route, "a path with $_->[0]", qr/^(?:400|404|409)$/, %as, id => $_->[1], $takes_body ? (body => '{}') : ())
			for ['bad UTF-8', "\xff\xfe"], ['a quote', "x' OR '1'='1"], ['dots', '..'], ['much text', 'x' x 1500], ['more than a path may have', 'x' x 5000], ['control characters', "\x01\x7f"];
	}
	# the query
	if (!$is_gitops) {
		refused($route, "a query with $_->[0]", qr/^40[04]$/, %as, query => "?$_->[1]", $takes_body ? (body => '{}') : ())
			for ['an unknown parameter', 'zzUnknown=1'], ['bad UTF-8', 'limit=%ff'], ['a NUL', 'limit=%00'], ['a parameter twice', 'zz=1&zz=1'], ['half an escape', 'limit=%'], ['much text', 'zz=' . 'x' x 50_000];
	}
	# the method
	refused({ %$route, method => $_ }, "the method $_", qr/^(?:404|405)$/, %as) for qw(BREW CONNECT TRACE);
	# the headers
	if ($is_key) {
		my %headers = ('a key twice' => { X_API_KEY => "$key->{admin}, $key->{admin}" }, 'an empty key' => { X_API_KEY => '' }, 'a long key' => { X_API_KEY => 'krn_' . 'x' x 60_000 },
			'Basic' => { AUTHORIZATION => 'Basic eA==' }, 'Bearer of nothing' => { AUTHORIZATION => 'Bearer ' }, 'Bearer twice' => { AUTHORIZATION => "Bearer $key->{admin}, Bearer $key->{admin}" },
			'a quote as a key' => { X_API_KEY => q{krn_' OR '1'='1} }, 'another tenant' => { X_TENANT_ID => 'two' });
		refused($route, "a header with $_", qr/^401$/, headers => $headers{$_}, $takes_body ? (body => '{}') : ()) for sort keys %headers;
		refused($route, 'a bad body of nobody', qr/^401$/, body => $_) for $takes_body && !$is_raw ? ('{"', "\xff", '{"a":1,"a":2}') : ();
	}
	refused($route, "a secret $_->[0]", qr/^401$/, headers => { %{ $as{headers} }, %{ $_->[1] } })
		for $secret{ $route->{role} } ? (['twice', { X_CRON_SECRET => 'cron-secret, cron-secret' }], ['and a wrong one', { AUTHORIZATION => 'Bearer x' }]) : ();
	next if !$is_key;
	# the body
	if (!$takes_body) {
		refused($route, 'a body where there is none', $is_gitops ? qr/^4(?:00|13)$/ : qr/^413$/, %as, body => 'x');
		next;
	}
	refused($route, 'a body beyond the limit', qr/^413$/, %as, awaits => $route->{body} + 1, type => 'application/json');
	refused($route, 'a body of a length beyond all', qr/^413$/, %as, awaits => $_, type => 'application/json') for '9223372036854775807', '99999999999999999999', '-1', 'x';
	# keys themselves are never kept, and a PUT may be repeated as it is
	refused($route, 'a key for repetitions that is none', qr/^(?:400|404)$/, %as, body => '{}', headers => { IDEMPOTENCY_KEY => "a b\x7f" }, query => $is_gitops ? '?dryRun=false' : '')
		if $route->{method} eq 'POST' && $route->{path} !~ /api-keys/;
	refused($route, "a body of $_", $is_gitops ? qr/^40[0349]$/ : qr/^400$/, %as, type => 'application/json', body => $bad{$_})
		for grep { $is_needed || $_ ne 'nothing at all' } grep { !$is_free || !$free{$_} } sort keys %bad;
	if (!$is_raw) {
		refused($route, "the content type $_", qr/^415$/, %as, body => '{}', type => $_)
			for 'text/plain', 'application/jsonx', 'application/json, application/json', 'multipart/form-data; boundary=x', 'application/xml', "application/json\x01";
	}
}
pass("$_: $tried{$_} routes") for sort keys %tried;

is_deeply([grep { kill 0, $_ } @processes], \@processes, 'every process is the one it was');
is($stack->request('GET', $_->[0], pool => $_->[1])->{status}, 200, "and the $_->[1] pool answers") for ['/readyz', 'api'], ['/readyz', 'cron'];
is($stack->owner("SELECT string_agg(DISTINCT action, ' ') FROM kaireon.audit_logs WHERE tenant_id = 'one' AND actor_id LIKE 'key\\_%'"), '', 'nothing has changed');

$stack->end;
done_testing;
