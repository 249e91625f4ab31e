#!/usr/bin/perl
# What a flow computes for a decision: in the ledger, in both formats of the
# file, in what a creative says; and formulas that are refused with their place.
use strict;
use warnings;
use utf8;

use Encode qw(decode_utf8 encode_utf8);
use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 2 });
$stack->pool('api', 1);
my @rows = (['c1', 40, 'admin.', 5000], ['c2', 41, '', -20.5], ['c3', '', "quo\"te\\ , line\nbreak", 0], ['c4', 50, '=1+1', 1e300], ['c5', 60, 'ümläut 🙂', '']);
my $csv = "$Kaireon::Campaign::HEADER\n" . join '', map { my ($id, $age, $job, $balance) = @$_; $job =~ s/"/""/g;
	qq{$id,$age,} . ($job eq '' ? '' : qq{"$job"}) . ",married,tertiary,no,$balance,no,no\n" } @rows;
my $one = Kaireon::Campaign->new($stack, 'one', csv => encode_utf8($csv));
$stack->ctl('import', '--tenant', 'one', '--schema', 'scores', '--id-column', 'id', $stack->spew("$stack->{dir}/s.csv", "id,loyalty\nc1,10\nc4,2.5\n"));

sub resource { my ($kind, $name, %spec) = @_; return { apiVersion => 'kaireonai.com/v1', kind => $kind, metadata => { name => $name }, spec => \%spec } }

sub apply {
	my (@resources) = @_;
	return $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $one->{key}{admin},
		body => { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => \@resources });
}

sub flow {
	my (@nodes) = @_;
	my $number = 0;
	return resource('DecisionFlow', 'computing', status => 'active', draftConfig => { version => 2, flowConfig => {},
		nodes => [map { { id => 'n' . $number++, type => $_->[0], config => $_->[1] || {} } } @nodes] });
}

my $bundle = $stack->request('GET', '/api/v1/gitops/export?format=json', key => $one->{key}{viewer})->{json};
my ($category) = grep { $_->{kind} eq 'Category' && $_->{metadata}{name} eq 'cards' } @{ $bundle->{resources} };
my @offers = grep { $_->{kind} eq 'Offer' } @{ $bundle->{resources} };
my ($first) = grep { $_->{spec}{categoryRef} eq 'cards' } @offers;
$category->{spec}{customFields} = [{ key => 'base_rate', type => 'number', defaultValue => 8 },
	{ key => 'rate', label => 'Rate', type => 'computed', formula => 'base_rate * (1 - customer.s.loyalty * 0.01)', outputType => 'number' }];
$first->{spec}{metadata} = { base_rate => 4 };
my @nodes = (['inventory'], [match_creatives => { requireCreative => JSON::PP::false }], [enrich => { sources => [{ schemaId => 'scores', prefix => 's' }] }],
	['score'], [rank => { maxCandidates => 3 }],
	[compute => { formulas => [{ name => 'greeting', formula => "concat('Dear ', coalesce(customer.job, 'you'))" },
		{ name => 'half', formula => 'customer.balance / 2' }, { name => 'tenth', formula => 'customer.balance * 1e22' },
		{ name => 'old', formula => 'customer.age > 45' }, { name => 'limit', formula => 'round(half, 0)', outputType => 'text' }] }],
	[set_properties => { properties => { wave => 'spring', 'a "name"' => -1 } }], ['response']);
my @creatives = map { my $offer = $_->{metadata}{name}; map { resource('Creative', "$offer by $_", offerRef => $offer, channelRef => $_, status => 'active',
	content => { headline => '{{greeting}}: {limit}' }, personalization => [{ variable => 'greeting', source => 'personalization.greeting' },
		{ variable => 'limit', source => 'personalization.limit', fallback => 'none' }, { variable => 'other', source => 'personalization.other', fallback => '-' }]) } qw(email letter) } @offers;
my $applied = apply($category, $first, @creatives, flow(@nodes));
is($applied->{status}, 200, 'a flow that computes is applied') or diag $applied->{body};
$one->{flow} = $stack->owner("SELECT id FROM kaireon.decision_flows WHERE name = 'computing'");
$stack->worker('worker');

my %want = (c1 => { job => 'admin.', balance => 5000, old => 0, loyalty => 10 }, c2 => { job => 'you', balance => -20.5, old => 0 },
	c3 => { job => "quo\"te\\ , line\nbreak", balance => 0, old => 0 }, c4 => { job => '=1+1', balance => 1e300, old => 1, loyalty => 2.5 },
	c5 => { job => 'ümläut 🙂', old => 1 });
my @columns = map { "personalization.$_" } 'greeting', 'half', 'old', 'limit', 'rate', 'wave', 'a "name"', 'tenth';
my (%run, %file);
for my $format (qw(json csv)) {
	$stack->owner('DELETE FROM kaireon.interaction_history');
	my $campaign = $one->campaign(fileConfig => { format => $format, columns => ['customer_id', 'offer_name', 'rank', @columns, 'attr.age'], includePersonalization => JSON::PP::true });
	$run{$format} = $one->finished($campaign, $one->trigger($campaign));
	is($run{$format}{status}, 'completed', "a run as $format") or diag $run{$format}{error};
	$file{$format} = $one->file($run{$format});
}
my %category = map { $_->{metadata}{name} => $_->{spec}{categoryRef} } @offers;
my ($nr, $cards, %told) = (0, 0);
for my $line (map { decode_json($_) } split /\n/, $file{json}) {
	my ($id, $offer) = @$line{qw(customer_id offer_name)};
	my $want = $want{$id};
	my $half = defined $want->{balance} ? $want->{balance} / 2 : undef;
	my $limit = !defined $half ? undef : $id eq 'c4' ? '5e+299' : int($half - ($half < 0 ? .5 : 0));
	my $base = $offer eq $first->{metadata}{name} ? 4 : 8;
	my $rate = $category{$offer} eq 'cards' && defined $want->{loyalty} ? $base * (1 - $want->{loyalty} * 0.01) : undef;
	is_deeply([map { $line->{"personalization.$_"} } qw(greeting half old rate wave), 'a "name"'],
		["Dear $want->{job}", $half, $want->{old}, $rate, 'spring', -1], "what is computed for $id and $offer") or diag explain $line;
	is($line->{'personalization.limit'}, $limit, 'as a text');
	is_deeply($line->{personalization}, { variables => { greeting => "Dear $want->{job}", limit => $limit // 'none', other => '-' },
		content => { headline => "Dear $want->{job}: " . ($limit // 'none') } }, 'a creative says it');
	$told{ $id } = 1;
	$nr++;
	$cards += defined $rate;
}
is(join(' ', sort keys %told), 'c1 c2 c3 c4 c5', 'for all');
cmp_ok($cards, '>', 1, 'some have a rate');
like($file{json}, qr/"personalization\.half":2500,/, 'a number is one in NDJSON');
like($file{json}, qr/"personalization\.limit":"2500"/, 'a text is one');
like($file{csv}, qr/\A(?:[^\r\n]+),"personalization\.a ""name""",/, 'CSV has the columns');
like($file{csv}, qr/,-10\.25,0,-11?,|,-10\.25,0,'-1[01],/, 'a number stands as it is, a text that begins with - does not');
like(decode_utf8($file{csv}), qr/^c5,[^,]+,1,Dear ümläut 🙂,,1,,,spring,-1,,60,/m, 'null is an empty cell') or diag $file{csv};
for my $format (qw(json csv)) {
	is($one->ledger($run{$format}{id}, "count(*) FILTER (WHERE personalization->>'wave' = 'spring'), count(*)"), "$nr|$nr", 'the ledger has it');
	is($stack->query('postgres', "SELECT count(*) FROM kaireon.campaign_run_results AS l JOIN t_one.ds_customers AS k USING (customer_id)
		WHERE l.run_id = '$run{$format}{id}' AND personalization->>'greeting' = 'Dear ' || coalesce(k.job, 'you')"), $nr, 'as computed');
	is($one->ledger($run{$format}{id}, "string_agg(DISTINCT personalization->>'tenth', ',')", "customer_id IN ('c1', 'c4')"), '5e+25', 'what is no number is null');
}

# files of flows that do not compute it; nothing to compute
# with volume limits decisions wait before they are in the ledger: what was computed waits too
my $limited = $one->campaign(volumeConstraints => { maxTotalPerRun => 1000000 }, fileConfig => { format => 'csv',
	columns => ['customer_id', 'offer_name', 'rank', @columns, 'attr.age'], includePersonalization => JSON::PP::true });
$stack->owner('DELETE FROM kaireon.interaction_history');
my $waited = $one->finished($limited, $one->trigger($limited));
is($waited->{status}, 'completed', 'a run with limits');
is($waited->{summary}{file}{sha256}, $run{csv}{summary}{file}{sha256}, 'has the same file when none of them binds');
my $plain = $one->campaign(fileConfig => { format => 'csv', columns => ['customer_id', 'personalization.other'] });
$stack->announce(qr/job failed/);
my $failed = $one->finished($plain, $one->trigger($plain));
is($failed->{status}, 'failed', 'a column that nobody computes fails the run');
is($failed->{error}, 'the flow computes no "other" for the file', 'with the reason');
is($one->ledger($failed->{id}, 'count(*)'), 0, 'before it decided');
is($one->post('', $one->fields(fileConfig => { format => 'csv', columns => ['personalization.'] }))->{status}, 400, 'a column without a name');

# texts without an end
$applied = apply(flow(@nodes[0 .. 4], [compute => { formulas => [{ name => 'a', formula => "concat(customer.job, 'x')" },
	map { { name => 'a', formula => 'a + a + a + a' } } 1 .. 5] }], ['response']));
is($applied->{status}, 200, 'a flow that makes long texts') or diag $applied->{body};
my $long = $one->campaign;
my $errors = $one->finished($long, $one->trigger($long));
is($errors->{status}, 'completed_with_errors', 'fails the customers whose texts are too long');
is($errors->{summary}{errors}, 3, 'and counts them');
is($one->ledger($errors->{id}, "string_agg(customer_id, ' ' ORDER BY customer_id)", "status = 'error'"), 'c1 c3 c5', 'not the others');
like($one->ledger($errors->{id}, 'error', "customer_id = 'c3'"), qr/^the computed texts of offer "[^"]+" take more than 16384 bytes$/, 'with the reason');

# what is wrong is refused with its place
for my $bad ([flow(['inventory'], [compute => { formulas => [{ name => 'x', formula => 'customer.age +' }] }], ['response']),
		'resources[0].spec.draftConfig.nodes[1]', 'node "n1": "x": at character 15: a value must stand here, not the end'],
	[flow(['inventory'], [compute => { formulas => [{ name => 'x', formula => 'a b' }] }], ['response']),
		'resources[0].spec.draftConfig.nodes[1]', 'node "n1": "x": at character 3: an operator must follow, not "b"'],
	[flow(['inventory'], [compute => {}], ['rank'], ['response']), 'resources[0].spec.draftConfig.nodes[2]', 'node "n2": rank comes too late'],
	[resource('Category', 'cards', customFields => [{ key => 'rate', type => 'computed', formula => 'sin(1)' }]),
		'resources[0].spec.customFields', 'category "cards": "rate": at character 1: there is no such function'],
	[resource('SubCategory', 'gold', categoryRef => 'cards', customFields => [{ name => 'rate', type => 'computed' }]),
		'resources[0].spec.customFields', qr/"rate": the formula must be a text$/]) {
	my $answer = apply($bad->[0]);
	is($answer->{status}, 400, 'is refused') or diag $answer->{body};
	my $detail = $answer->{json}{error}{details}[0];
	is($detail->{field}, $bad->[1], 'at its place');
	like($detail->{message} =~ s/^line \d+, column \d+: //r, ref $bad->[2] ? $bad->[2] : qr/^\Q$bad->[2]\E$/, 'with the reason');
}

$stack->end;
done_testing;
