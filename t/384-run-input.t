#!/usr/bin/perl
# What a segment may hold: ids that hurt a file, attributes that are nothing,
# no number, or of another type than a rule expects; nobody at all; and a flow
# that names an offer which is gone.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8 encode_utf8);
use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 3 });
$stack->pool('api', 1);
$stack->worker('worker');

# ids, in the order of their bytes
my @ids = sort { encode_utf8($a) cmp encode_utf8($b) } 'x' x 1000, 'a"b', '"', 'a,b', "line\nbreak", "two\r\nlines", "tab\tstop", '=1+1', '+1', '-1', '@me', "\ttab", "\rreturn",
	'back\\slash', '\\N', '\\.', ' ', ' outer ', "it's", 'ümläut', '🙂', 'NULL', '0', '00', '1e3', '%s', "'; DROP TABLE x; --", '{}', "\x{7f}";
my $quoted = join '', map { '"' . s/"/""/gr . "\",40,admin.,married,tertiary,no,5000,no,no\n" } @ids;
my $one = Kaireon::Campaign->new($stack, 'one', csv => encode_utf8("$Kaireon::Campaign::HEADER\n$quoted"));

# RFC 4180 with CRLF, read by the letter
sub csv {
	my ($text) = @_;
	my @rows;
	while ($text =~ /\G(?!\z)/gc) {
		my @row;
		do {
			push @row, $text =~ /\G"((?:[^"]|"")*)"/gc ? $1 =~ s/""/"/gr : $text =~ /\G([^",\r\n]*)/gc ? $1 : die 'not CSV';
		} while $text =~ /\G,/gc;
		$text =~ /\G\r\n/gc or die 'not CSV at ' . pos $text;
		push @rows, \@row;
	}
	return @rows;
}

my @columns = qw(customer_id rank offer_name attr.age);
my $csv = $one->campaign(name => 'CSV', fileConfig => { format => 'csv', columns => \@columns });
my $run = $one->finished($csv, $one->trigger($csv));
is($run->{status}, 'completed', 'a run over ids that hurt') or diag $run->{error};
$one->laws($run);
my ($header, @rows) = csv(decode_utf8($one->file($run)));
is_deeply($header, \@columns, 'the header');
is_deeply([map { $_->[0] } @rows], [map { /^[=+\-@\t\r]/ ? "'$_" : $_ } @ids], 'CSV: each id, in the order of bytes; a formula is guarded');
is_deeply([map { $_->[3] } @rows], [(40) x @ids], 'with its attribute');
$stack->owner('DELETE FROM kaireon.interaction_history');
my $json = $one->campaign(name => 'JSON', fileConfig => { format => 'json', columns => \@columns });
$run = $one->finished($json, $one->trigger($json));
is_deeply([map { decode_json($_)->{customer_id} } split /\n/, $one->file($run)], \@ids, 'NDJSON: each id as it is');
is_deeply([sort map { $_->{customerId} } @{ $one->get("/$json?resultsLimit=1000")->{json}{results} }], [sort @ids], 'and in the detail');

# attributes: the same customers with other values, each of which a rule reads
my $view = "t_one.$one->{segment}{viewName}";
sub over {
	my ($what, $values, $check) = @_;
	$stack->owner(qq{SET client_min_messages = warning; DROP VIEW $view; CREATE VIEW $view WITH (security_invoker = true) AS SELECT v.* FROM (VALUES $values) AS v (customer_id, age, job, default1, balance);
		GRANT SELECT ON $view TO kaireon_worker, kaireon_api; DELETE FROM kaireon.interaction_history});
	local $one->{segment}{customerCount} = () = $values =~ /\('/g;
	my $done = $one->finished($csv, $one->trigger($csv));
	like($done->{status}, qr/^completed/, "$what: completed") or diag $done->{error};
	$one->laws($done);
	my %offers = map { split /\|/, $_, 2 } split /\n/, $stack->owner("SELECT customer_id || '|' || coalesce(offer_id, '-') FROM kaireon.campaign_run_results WHERE run_id = '$done->{id}' AND rank <= 1");
	$check->($done, \%offers);
}
my $text = q{::text COLLATE "C"};
over('NULL and not a number', "('null'$text, NULL::float8, NULL::text, 'no', NULL::float8), ('nan', 'NaN', 'admin.', 'no', 'NaN'), ('inf', 'Infinity', 'admin.', 'no', 'Infinity'), ('minus', '-Infinity', 'admin.', 'no', '-Infinity'), ('plain', 40, 'admin.', 'no', 5000)", sub {
	my ($done, $offers) = @_;
	is($done->{summary}{customersProcessed}, 5, 'everybody is seen to');
	isnt($offers->{plain}, '-', 'who has plain values is offered something');
	cmp_ok($done->{summary}{conversionFailures}, '>', 0, 'what is no number is counted');
	my ($head, @lines) = csv(decode_utf8($one->file($done)));
	my %age = map { ($_->[0] => $_->[3]) } @lines;
	is($age{inf}, 'Infinity', 'CSV has a value as the database spells it');
	is($age{null}, '', 'NULL is an empty cell') if exists $age{null};
});
over('texts where numbers are expected', "('word'$text, 'forty'$text, 'admin.', 'no', 'much'), ('empty', '', 'admin.', 'no', ''), ('digits', '40', 'admin.', 'no', '5000')", sub {
	my ($done, $offers) = @_;
	is($done->{summary}{customersProcessed}, 3, 'everybody is seen to');
	isnt($offers->{digits}, '-', 'a text of digits is a number');
});
over('other types', "('bool'$text, true, 'admin.', 'no', 5000::numeric), ('false', false, 'admin.', 'no', 10::numeric)", sub {
	my ($done) = @_;
	is($done->{summary}{customersProcessed}, 2, 'everybody is seen to');
});

# nobody
$stack->owner(qq{DROP VIEW $view; CREATE VIEW $view WITH (security_invoker = true) AS SELECT c.customer_id, c.age, c.job, c.default1, c.balance FROM t_one.ds_customers AS c WHERE false; GRANT SELECT ON $view TO kaireon_worker, kaireon_api});
for my $case ([$csv, "customer_id,rank,offer_name,attr.age\r\n"], [$json, '']) {
	my ($id, $want) = @$case;
	my $empty = $one->finished($id, $one->trigger($id));
	is("$empty->{status} $empty->{summary}{customersProcessed} $empty->{summary}{decisions}", 'completed 0 0', 'a run over nobody is completed');
	is($one->file($empty), $want, 'its file has no row');
	is($empty->{summary}{averagePerCustomer}, 0, 'and its summary divides by nothing');
}

# an offer that is gone
$stack->owner(qq{DROP VIEW $view; CREATE VIEW $view WITH (security_invoker = true) AS SELECT c.customer_id, c.age, c.job, c.default1, c.balance FROM t_one.ds_customers AS c; GRANT SELECT ON $view TO kaireon_worker, kaireon_api; DELETE FROM kaireon.interaction_history});
my $offers = $stack->owner(q{SELECT pg_catalog.jsonb_agg(id ORDER BY name) FROM kaireon.offers});
my @offers = @{ decode_json($offers) };
my $config = $stack->owner('SELECT config FROM kaireon.decision_flow_versions ORDER BY version DESC LIMIT 1');
my $flow = decode_json($config);
$_->{config} = { offerIds => \@offers } for grep { $_->{type} eq 'inventory' } @{ $flow->{nodes} };
$stack->query('postgres', "UPDATE kaireon.decision_flow_versions SET config = '" . encode_json($flow) . "'");
my $plain = $one->campaign(name => 'Plain');
my $all = $one->finished($plain, $one->trigger($plain));
is($all->{status}, 'completed', 'a flow that names its offers') or diag $all->{error};
my $gone = $all->{summary}{byOffer}[0]{offerId};
$stack->owner("DELETE FROM kaireon.interaction_history; UPDATE kaireon.offers SET deleted_at = now() WHERE id = '$gone'");
my $less = $one->finished($plain, $one->trigger($plain));
is($less->{status}, 'completed', 'one of them is deleted: the run is complete without it') or diag $less->{error};
is($one->ledger($less->{id}, 'count(*)', "offer_id = '$gone'"), 0, 'nobody is offered it');
cmp_ok($less->{summary}{decisions}, '>', 0, 'but others');
$one->laws($less);
$stack->owner("DELETE FROM kaireon.interaction_history; UPDATE kaireon.offers SET deleted_at = now()");
my $none = $one->finished($plain, $one->trigger($plain));
is("$none->{status} $none->{summary}{decisions}", 'completed 0', 'all are: it is complete, and nobody is offered anything') or diag $none->{error};
$stack->owner("UPDATE kaireon.offers SET deleted_at = NULL WHERE id <> '$gone'");
my $back = $one->finished($plain, $one->trigger($plain));
is("$back->{status} $back->{summary}{decisions}", "completed $less->{summary}{decisions}", 'they are back: triggered again it is what it was');

$stack->end;
done_testing;
