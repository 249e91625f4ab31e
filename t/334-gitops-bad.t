#!/usr/bin/perl
# Bundles that are too large, too deep, or meant to hurt; directories that are
# no bundles; what kaireonctl says of all that.
use strict;
use warnings;
use utf8;

use File::Path qw(make_path);
use JSON::PP;
use Test::More;

use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { REQUEST_MEMORY_MIB => 256 });
my $key = $stack->tenant('one');
$stack->pool('api', 1);
my $head = "manifest: {apiVersion: kaireonai.com/v1, kind: Bundle}\nresources:\n";

sub refuse {
	my ($status, $what, $body, $like, %option) = @_;
	my $answer = $stack->request('POST', '/api/v1/gitops/diff', key => $key->{admin}, type => 'application/yaml', body => $body, %option);
	is($answer->{status}, $status, $what) or diag substr $answer->{body}, 0, 300;
	like($answer->{json}{error}{message} // '', $like, 'with the reason') or diag substr $answer->{body}, 0, 300;
	unlike($answer->{body}, qr/SELECT|kaireon\.|\/lib\//, 'and nothing internal');
	return $answer;
}

sub offer { my ($name, $spec) = @_; return "- {apiVersion: kaireonai.com/v1, kind: Offer, metadata: {name: $name}, spec: {$spec}}\n" }

# too much
my $many = $head . join '', map { offer("o$_", '') } 1 .. 100_001;
refuse(400, '100,001 resources', $many, qr/^Invalid bundle: more than 100000 resources/);
refuse(400, '200 levels', $head . offer('x', 'metadata: ' . '{a: ' x 200 . '1' . '}' x 200), qr/nested too deep/);
refuse(400, '200 levels of JSON', '{"a":' x 200 . '1' . '}' x 200, qr/deep/, type => 'application/json');
refuse(400, '16 MiB that go deep at once', '[' x (16 << 20), qr/nested too deep/);
refuse(400, '16 MiB of JSON that go deep at once', '[' x (16 << 20), qr/deep/, type => 'application/json');
refuse(413, 'more than 96 MiB', 'x' x ((96 << 20) + 1), qr//);
my $wide = refuse(400, 'more problems than are told', $head . join('', map { offer("o$_", 'priority: 200') } 1 .. 500), qr/^Invalid bundle: /);
is(scalar @{ $wide->{json}{error}{details} }, 100, 'the first hundred');
is($wide->{json}{error}{problems}, 500, 'and how many there are');
like($wide->{json}{error}{details}[1]{message}, qr/^line 4, column \d+: must be 0 to 100$/, 'each at its line');

# aliases
my $laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" . join '', map { my ($from, $to) = (chr(96 + $_), chr(97 + $_)); "$to: &$to [" . join(',', ("*$from") x 10) . "]\n" } 1 .. 9;
refuse(400, 'a bomb of aliases', $laughs, qr/too many aliases/);
refuse(400, 'many aliases', "a: &a 1\nb: [" . join(',', ('*a') x 200_000) . ']', qr/too many aliases/);
refuse(400, 'an alias within what it names', "a: &a [*a]\n", qr/alias of nothing/);
my $answer = $stack->request('POST', '/api/v1/gitops/diff', key => $key->{admin}, type => 'application/yaml',
	body => "manifest: {apiVersion: kaireonai.com/v1, kind: Bundle}\nresources:\n- &o {apiVersion: kaireonai.com/v1, kind: Offer, metadata: {name: x}, spec: {tags: &t [a, b]}}\n"
		. "- {apiVersion: kaireonai.com/v1, kind: Offer, metadata: {name: y}, spec: {tags: *t}}\n");
is_deeply($answer->{json}{diffs}[1]{after}{tags}, ['a', 'b'], 'an honest alias is read') or diag $answer->{body};

# what YAML 1.1 would turn into something else
$answer = $stack->request('POST', '/api/v1/gitops/diff', key => $key->{admin}, type => 'application/yaml', body => $head
	. offer('x', 'metadata: {a: no, b: on, c: 0777, d: 1:30, e: 2026-03-30, f: 1_000, g: !!str 1, h: 0o17, i: 0x1F, j: ~, k: NULL, l: !!int 7, m: .5}'));
is_deeply($answer->{json}{diffs}[0]{after}{metadata}, { a => 'no', b => 'on', c => 777, d => '1:30', e => '2026-03-30', f => '1_000', g => '1', h => 15, i => 31,
	j => undef, k => undef, l => 7, m => 0.5 }, 'the 1.2 core schema decides') or diag $answer->{body};
for my $case (['a merge key', "a: &a {b: 1}\nc: {<<: *a}", qr/merge keys/], ['two documents', "a: 1\n---\nb: 2", qr/one document/],
	['a tab', "manifest:\n\tkind: Bundle", qr/YAML line 2/], ['a key twice', "manifest: 1\nmanifest: 2", qr/key "manifest" twice/],
	['a tag of a language', 'a: !!python/object:os.system x', qr/tag is not allowed/], ['a tag that does not fit', 'a: !!int x', qr/does not fit its tag/],
	['binary', join('', map { chr } 0 .. 255) . "\xff", qr/^Invalid bundle: /], ['a list', '- a', qr/must be an object/], ['a word', 'hello', qr/must be an object/],
	['no resources', 'manifest: {apiVersion: kaireonai.com/v1, kind: Bundle}', qr/resources: is required/],
	['another version', "manifest: {apiVersion: v2, kind: Bundle}\nresources: []", qr/manifest\.apiVersion: line 1, column \d+: must be kaireonai\.com\/v1/],
	['a slip of the pen', $head . '- {apiVersion: kaireonai.com/v1, kind: Offer, metdata: {name: x}, spec: {}}', qr/metdata: line 3, column \d+: unknown field; did you mean "metadata"/],
	['infinity', $head . offer('x', 'margin: .inf'), qr/out of range/], ['NaN', $head . offer('x', 'margin: .nan'), qr/out of range/]) {
	my ($what, $body, $like) = @$case;
	utf8::encode($body) if utf8::is_utf8($body);
	my $refused = $stack->request('POST', '/api/v1/gitops/diff', key => $key->{admin}, type => 'application/yaml', body => $body);
	is($refused->{status}, 400, $what);
	like(join("\n", $refused->{json}{error}{message} // '', map { "$_->{field}: $_->{message}" } @{ $refused->{json}{error}{details} || [] }), $like, 'with the reason')
		or diag $refused->{body};
}
is($stack->owner('SELECT count(*) FROM kaireon.offers'), 0, 'nothing of it is there');

# kaireonctl: no API, no key, no bundle
sub ctl { my ($env, @words) = @_; local @{ $stack->{settings} }{ keys %$env } = values %$env; return $stack->ctl_try(@words) }

my ($status, $out, $err) = ctl({}, 'gitops', 'diff', 'x.yaml');
is($status, 1, 'a bundle that is not there');
like($err, qr/^kaireonctl: could not open x\.yaml: /, 'is named');
$stack->spew("$stack->{dir}/b.yaml", $head);
($status, $out, $err) = ctl({}, 'gitops', 'diff', "$stack->{dir}/b.yaml");
like($err, qr/^kaireonctl: BASE_URL and API_KEY must be set/, 'without an address');
($status, $out, $err) = ctl({ BASE_URL => 'http://127.0.0.1:1', API_KEY => 'krn_x' }, 'gitops', 'export');
is("$status $out", '1 ', 'nobody answers');
like($err, qr/^kaireonctl: no answer: /, 'and that is said');
($status, $out, $err) = ctl({ BASE_URL => 'file:///etc', API_KEY => 'krn_x' }, 'gitops', 'export');
like($err, qr/^kaireonctl: the address has no host/, 'a file is no address');
($status, $out, $err) = ctl({ BASE_URL => 'ftp://127.0.0.1:1', API_KEY => 'krn_x' }, 'gitops', 'export');
like($err, qr/^kaireonctl: no answer: /, 'only http and https');
make_path("$stack->{dir}/repo/offers");
($status, $out, $err) = ctl({ BASE_URL => 'http://127.0.0.1:1', API_KEY => 'krn_x' }, 'gitops', 'apply', "$stack->{dir}/repo");
like($err, qr/^kaireonctl: could not open \S+bundle\.json/, 'a folder without bundle.yaml');
$stack->spew("$stack->{dir}/repo/bundle.yaml", "manifest: {apiVersion: kaireonai.com/v1, kind: Bundle}\n");
$stack->spew("$stack->{dir}/repo/offers/bad.yaml", "a: [\n");
($status, $out, $err) = ctl({ BASE_URL => 'http://127.0.0.1:1', API_KEY => 'krn_x' }, 'gitops', 'apply', "$stack->{dir}/repo");
like($err, qr{^kaireonctl: \S+/offers/bad\.yaml: YAML line \d}, 'a file that is no YAML is named, with the line');
unlink "$stack->{dir}/repo/offers/bad.yaml";
symlink "$stack->{dir}/b.yaml", "$stack->{dir}/repo/offers/link.yaml" or die $!;
($status, $out, $err) = ctl({ BASE_URL => 'http://127.0.0.1:1', API_KEY => 'krn_x' }, 'gitops', 'apply', "$stack->{dir}/repo");
like($err, qr{^kaireonctl: \S+/offers/link\.yaml is not a file but a symbolic link}, 'a link among the files is not followed');
unlink "$stack->{dir}/repo/offers/link.yaml";
make_path("$stack->{dir}/elsewhere");
symlink "$stack->{dir}/elsewhere", "$stack->{dir}/repo/channels" or die $!;
($status, $out, $err) = ctl({ BASE_URL => 'http://127.0.0.1:1', API_KEY => 'krn_x' }, 'gitops', 'apply', "$stack->{dir}/repo/");
like($err, qr{^kaireonctl: \S+/channels is not a folder but a symbolic link}, 'nor a folder that is one');
is((ctl({}, 'gitops', 'rollback'))[0], 2, 'wrong usage');

$stack->end;
done_testing;
