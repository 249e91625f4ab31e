#!/usr/bin/perl
# What creatives say to customers, in both formats: variables from attributes,
# fallbacks, placeholders of both spellings, texts that hurt a file.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
$stack->pool('api', 1);
my @rows = map { $_->[1] = '"' . ($_->[1] =~ s/"/""/gr) . '"' if length $_->[1]; join ',', @$_ } ['c1', 'admin.'], ['c2', ''], ['c3', "quo\"te, line\nbreak"], ['c4', '=1+1'], ['c5', 'ümläut 🙂'];
my $csv = "$Kaireon::Campaign::HEADER\n" . join '', map { my ($id, $job) = /^(\w+),(.*)$/s; "$id,40,$job,married,tertiary,no,5000,no,no\n" } @rows;
my $one = Kaireon::Campaign->new($stack, 'one', csv => encode_utf8($csv));

# a creative for every offer and channel, and a flow that asks for them
my $bundle = $stack->request('GET', '/api/v1/gitops/export?format=json', key => $one->{key}{viewer})->{json};
my ($flow) = grep { $_->{kind} eq 'DecisionFlow' } @{ $bundle->{resources} };
splice @{ $flow->{spec}{draftConfig}{nodes} }, 1, 0, { id => 'creatives', type => 'match_creatives', config => { requireCreative => JSON::PP::true } };
my %content = (headline => 'Hello {{job}}, {age}', body => "{{ job }} {unknown} {{nothing}} {job}{job}", ctaUrl => 'https://example.invalid/?a={age}', number => 7);
for my $channel (grep { $_->{kind} eq 'Channel' && $_->{spec}{deliveryMode} eq 'file' } @{ $bundle->{resources} }) {
	for my $offer (grep { $_->{kind} eq 'Offer' } @{ $bundle->{resources} }) {
		push @{ $bundle->{resources} }, { apiVersion => 'kaireonai.com/v1', kind => 'Creative',
			metadata => { name => "$offer->{metadata}{name} by $channel->{metadata}{name}" }, spec => { offerRef => $offer->{metadata}{name},
				channelRef => $channel->{metadata}{name}, status => 'active', content => \%content, personalization => [
					{ variable => 'job', source => 'customer.job', fallback => 'friend' }, { key => 'age', source => 'age' },
					{ variable => 'limit', source => 'personalization.limit', fallback => 'none' }, { source => 'age' }] } };
	}
}
my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $one->{key}{admin}, body => $bundle);
is($applied->{status}, 200, 'creatives are applied') or diag $applied->{body};
$stack->worker('worker');

my %jobs = (c1 => 'admin.', c2 => 'friend', c3 => "quo\"te, line\nbreak", c4 => '=1+1', c5 => 'ümläut 🙂');
my %lines;
for my $format (qw(json csv)) {
	$stack->owner('DELETE FROM kaireon.interaction_history');
	my $campaign = $one->campaign(fileConfig => { format => $format, columns => ['customer_id', 'creative_id', 'attr.age'], includePersonalization => JSON::PP::true });
	my $done = $one->finished($campaign, $one->trigger($campaign));
	is($done->{status}, 'completed', "a personalized run as $format") or diag $done->{error};
	$lines{$format} = $one->file($done);
}
my %seen;
for my $line (map { decode_json($_) } split /\n/, $lines{json}) {
	my $job = $jobs{ $line->{customer_id} };
	$seen{ $line->{customer_id} } = $line->{personalization};
	is_deeply($line->{personalization}, { variables => { job => $job, age => '40', limit => 'none' },
		content => { headline => "Hello $job, 40", body => "{{ job }} {unknown} {{nothing}} $job$job", ctaUrl => 'https://example.invalid/?a=40' } },
		"what $line->{customer_id} is told") or diag explain $line;
	like($line->{creative_id}, qr/^crea_/, 'by a creative');
}
is(join(' ', sort keys %seen), join(' ', sort keys %jobs), 'all are told');
my ($header) = $lines{csv} =~ /\A(.*?)\r\n/;
is($header, 'customer_id,creative_id,attr.age,personalization', 'the CSV has the column');
my %csv;
while ($lines{csv} =~ /^(c\d),crea_\w+,40,"((?:[^"]|"")*)"\r\n/mg) { my ($id, $text) = ($1, $2); $csv{$id} = decode_json($text =~ s/""/"/gr) }
is_deeply(\%csv, \%seen, 'with the same, as JSON in a cell');

# without creatives there is nothing to tell
my $plain = Kaireon::Campaign->new($stack, 'two', count => 50);
my $campaign = $plain->campaign(fileConfig => { format => 'json', columns => ['customer_id', 'personalization'] });
my $done = $plain->finished($campaign, $plain->trigger($campaign));
is((grep { !/"personalization":null\}$/ } split /\n/, $plain->file($done)), 0, 'a decision without a creative says null');
cmp_ok($done->{summary}{decisions}, '>', 0, 'of which there are some');

$stack->end;
done_testing;
