#!/usr/bin/perl
# Campaigns and runs as a client meets them: every field that can be wrong,
# states that do not allow a call, other tenants, customers that are hard to
# write down, and a database that goes away in the middle of a run.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8 decode_utf8);
use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 50 });
$stack->pool('api', 2);

# ids with all that a file format may stumble over; a value that is missing
my @ids = ('plain', 'a "quoted" one', 'a,comma', "two\nlines", '=1+1', '+49', '-x', '@x', "\ttab", 'ümläut 🙂', 'x' x 1000);
my @rows = map { my $id = s/"/""/gr; qq("$id",40,admin.,single,tertiary,no,100,no,no) } @ids;
my $csv = join '', map { "$_\n" } $Kaireon::Campaign::HEADER, @rows,
	map { "c$_," . ($_ % 2 ? 30 : '') . ',technician,married,secondary,no,5000,no,no' } 1 .. 200;
my $one = Kaireon::Campaign->new($stack, 'one', csv => encode_utf8($csv));
my $two = Kaireon::Campaign->new($stack, 'two', count => 20);

sub details { my ($answer) = @_; return join '; ', map { "$_->{field}: $_->{message}" } @{ $answer->{json}{error}{details} || [] } }

# one wrong field each, and what is said of it
my @bad = (
	[{ decisionFlowId => 'flow_nothing' }, 'decisionFlowId: no such decision flow'],
	[{ decisionFlowId => $two->{flow} }, 'decisionFlowId: no such decision flow'],
	[{ decisionFlowId => undef }, 'decisionFlowId: is required'],
	[{ segmentId => 'seg_nothing' }, 'segmentId: no such segment'],
	[{ segmentId => $two->{segment}{id} }, 'segmentId: no such segment'],
	[{ decisionFlowId => [] }, 'decisionFlowId: must be a string'],
	[{ segmentId => 7 }, 'segmentId: must be a string'],
	[{ name => '' }, 'name: must not be empty'],
	[{ name => 'x' x 256 }, 'name: must have at most 255 characters'],
	[{ status => 'on' }, 'status: must be one of draft, active, paused, archived'],
	[{ channelIds => 'all' }, 'channelIds: must be a list of channel ids'],
	[{ channelIds => [1] }, 'channelIds: must be a list of channel ids'],
	[{ channelIds => ['chan_nothing'] }, 'channelIds: not a channel for files: chan_nothing'],
	[{ scheduleTimezone => 'Europe/Nowhere' }, 'scheduleTimezone: unknown time zone'],
	[{ scheduleTime => '24:00' }, 'scheduleTime: must be HH:mm, 00:00 to 23:59'],
	[{ scheduleTime => '9:00' }, 'scheduleTime: must be HH:mm, 00:00 to 23:59'],
	[{ scheduleType => 'hourly' }, 'scheduleType: must be one of manual, daily, weekly, monthly'],
	[{ scheduleType => 'weekly' }, 'scheduleDayOfWeek: is required for weekly'],
	[{ scheduleType => 'weekly', scheduleDayOfWeek => 7 }, 'scheduleDayOfWeek: must be 0 (Sunday) to 6'],
	[{ scheduleType => 'monthly' }, 'scheduleDayOfMonth: is required for monthly'],
	[{ scheduleType => 'monthly', scheduleDayOfMonth => '29' }, 'scheduleDayOfMonth: must be "1" to "28" or last_working_day'],
	[{ scheduleType => 'daily', scheduleCron => '0 9 * * *' }, 'scheduleCron: goes with the schedule type manual only'],
	[{ volumeConstraints => 5 }, 'volumeConstraints: must be an object'],
	[{ volumeConstraints => { maxPerOffer => -1 } }, 'volumeConstraints.maxPerOffer: must be a whole number, 0 or more'],
	[{ volumeConstraints => { maxPerOffer => 1.5 } }, 'volumeConstraints.maxPerOffer: must be a whole number, 0 or more'],
	[{ volumeConstraints => { maxPerDay => 1 } }, 'volumeConstraints.maxPerDay: unknown field'],
	[{ frequencyCaps => { maxPerOffer => 1 }, volumeConstraints => {} }, 'frequencyCaps: is the same as volumeConstraints: give one'],
	[{ fileConfig => [] }, 'fileConfig: must be an object'],
	[{ fileConfig => { format => 'xml' } }, 'fileConfig.format: must be one of csv, json'],
	[{ fileConfig => { delimiter => ';' } }, 'fileConfig: unknown field "delimiter"'],
	[{ fileConfig => { columns => [] } }, 'fileConfig.columns: must be a list of 1 to 100 columns'],
	[{ fileConfig => { columns => ['nothing'] } }, 'fileConfig.columns[0]: unknown column'],
	[{ fileConfig => { columns => ['rank', 3] } }, 'fileConfig.columns[1]: must be a string'],
	[{ fileConfig => { columns => ['attr.age', 'attr.wage'] } }, 'fileConfig.columns: the segment has no such attribute: attr.wage'],
	[{ fileConfig => { columns => ["attr.age') --"] } }, "fileConfig.columns: the segment has no such attribute: attr.age') --"],
);
for my $case (@bad) {
	my ($field, $want) = @$case;
	my $answer = $one->post('', $one->fields(%$field));
	is($answer->{status}, 400, 'refused: ' . JSON::PP->new->canonical->encode($field));
	is(details($answer), $want, 'and told what is wrong');
}
my $answer = $one->post('', { status => 'on', scheduleTime => 'x', volumeConstraints => { maxPerOffer => 'many' } });
is(scalar @{ $answer->{json}{error}{details} }, 5, 'all problems, not the first') or diag details($answer);
is($stack->owner('SELECT count(*) FROM kaireon.campaigns'), 0, 'nothing of it was stored');

# defaults, and what is stored is what is answered
$answer = $one->post('', $one->fields);
is($answer->{status}, 201, 'a campaign with nothing but its references');
my $plain = $answer->{json};
like($plain->{name}, qr/^.+ – Everybody – \d{4}-\d\d-\d\d$/, 'is named after them');
is_deeply($plain->{fileConfig}, { format => 'csv', columns => [qw(customer_id offer_name channel score)],
	includePersonalization => JSON::PP::false, destination => 'download' }, 'has the documented file');
is("$plain->{status} $plain->{scheduleType} $plain->{scheduleTimezone}", 'draft manual UTC', 'and the documented defaults');
is($plain->{latestRun}, undef, 'no run yet');
is_deeply({ %{ $one->get("/$plain->{id}")->{json} }, campaignRuns => undef, results => undef },
	{ %$plain, campaignRuns => undef, results => undef }, 'one object everywhere');

# other tenants and states
is($two->get("/$plain->{id}")->{status}, 404, "another tenant's campaign is not there");
is($two->post("/$plain->{id}/campaign-runs")->{status}, 404, 'and cannot be triggered');
is($stack->request('POST', "/api/v1/runs/$plain->{id}/campaign-runs", key => $one->{key}{viewer})->{status}, 403, 'nor by a viewer');
is($one->post('/camp_nothing/campaign-runs')->{status}, 404, 'an unknown campaign');
my $archived = $one->campaign(status => 'archived');
$answer = $one->post("/$archived/campaign-runs");
is("$answer->{status} $answer->{json}{error}{message}", '409 the campaign is archived', 'an archived campaign');
my $run = $one->trigger($plain->{id});
$answer = $one->post("/$plain->{id}/campaign-runs");
is("$answer->{status} $answer->{json}{error}{message}", '409 a run of this campaign is pending or running', 'a second run at once');
is($one->get("/$plain->{id}/campaign-runs/$run")->{json}{status}, 'pending', 'without a worker a run is pending');
is($one->get("/$plain->{id}/campaign-runs/$run/file")->{status}, 404, 'and has no file');
is($one->get("/$plain->{id}/campaign-runs/crun_nothing")->{status}, 404, 'an unknown run');
$stack->worker('worker');
is($one->finished($plain->{id}, $run)->{status}, 'completed', 'with one it is done');

# files: every customer can be read back, whatever the id
my @columns = qw(customer_id offer_id offer_name category creative_id channel channel_id rank score campaign_id campaign_run_id
	decided_at attr.age attr.job);
my %files;
for my $format (qw(csv json)) {
	$stack->owner('DELETE FROM kaireon.interaction_history');
	my $campaign = $one->campaign(fileConfig => { format => $format, columns => \@columns });
	my $done = $one->finished($campaign, $one->trigger($campaign));
	is($done->{status}, 'completed', "a run with all columns as $format") or diag $done->{error};
	$files{$format} = { run => $done, text => $one->file($done) };
}
my @lines = map { decode_json($_) } split /\n/, $files{json}{text};
is(scalar @lines, $files{json}{run}{summary}{file}{rows}, 'a line a decision');
is_deeply([sort keys %{ $lines[0] }], [sort @columns], 'NDJSON has the columns asked for');
my %seen = map { $_->{customer_id} => 1 } @lines;
is(join("\x{1}", grep { !$seen{$_} } @ids), '', 'every odd id is there, unaltered');
is((grep { $_->{customer_id} eq 'c2' } @lines)[0]{'attr.age'}, undef, 'a missing value is null') if $seen{c2};
my @csv;
my $text = decode_utf8($files{csv}{text});
while ($text =~ /\G((?:(?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,|\r\n))+?)(?<=\n)/gc) {
	my $line = $1;
	push @csv, [map { s/^"(.*)"$/$1/s ? s/""/"/gr : $_ } $line =~ /\G("(?:[^"]|"")*"|[^",\r\n]*)(?:,|\r\n)/gs];
}
is(pos $text, length $text, 'the CSV parses to its end');
is(scalar @csv, 1 + @lines, 'a header and the same rows');
is_deeply($csv[0], \@columns, 'the header');
my %guarded = map { $_->[0] => 1 } @csv;
for my $id (@ids) {
	my $want = $id =~ /^[=+\-@\t\r]/ ? "'$id" : $id;
	ok($guarded{$want}, 'in CSV: ' . encode_utf8(substr($want, 0, 20) =~ s/\n/\\n/r));
}
is($files{$_}{run}{summary}{file}{bytes}, length $files{$_}{text}, "the summary knows the size of the $_ file") for qw(csv json);

# limits of nothing, and a segment of nobody
$stack->owner('DELETE FROM kaireon.interaction_history');
for my $limit (qw(maxTotalPerRun maxPerOffer maxPerChannel)) {
	my $campaign = $one->campaign(volumeConstraints => { $limit => 0 });
	my $done = $one->finished($campaign, $one->trigger($campaign));
	is("$done->{status} $done->{summary}{decisions}", 'completed 0', "$limit 0 lets nobody pass");
	is_deeply($done->{summary}{limitsReached}, [$limit], 'and is told');
}
my $nobody = decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', 'Nobody', '--schema', 'customers',
	'--where', 'age:gt:200'));
my $campaign = $one->campaign(segmentId => $nobody->{id});
my $done = $one->finished($campaign, $one->trigger($campaign));
is("$done->{status} $done->{summary}{customersProcessed} $done->{summary}{file}{rows}", 'completed 0 0', 'an empty segment is a run of nobody');
is($one->file($done), "customer_id,offer_name,channel,score\r\n", 'with a file of a header');

# what breaks between a campaign and its run
$stack->announce(qr/job failed/);
my $odd = decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', 'Gone', '--schema', 'customers'));
$campaign = $one->campaign(segmentId => $odd->{id});
$stack->query('postgres', "DROP VIEW t_one.\"$odd->{viewName}\"");
$done = $one->finished($campaign, $one->trigger($campaign));
is($done->{status}, 'failed', 'a run over a view that is gone fails');
is($done->{error}, "the segment's view is gone or has no column customer_id", 'and says why');
is($one->post("/$campaign/campaign-runs")->{status}, 201, 'it can be triggered again');
$one->finished($campaign, $stack->owner('SELECT id FROM kaireon.campaign_runs ORDER BY created_at DESC LIMIT 1'));

# the database restarts under a run
$stack->owner('DELETE FROM kaireon.interaction_history');
my $calm = $one->finished($plain->{id}, $one->trigger($plain->{id}));
$stack->owner('DELETE FROM kaireon.interaction_history');
$run = $one->trigger($plain->{id});
for my $mode (qw(immediate fast)) {
	$stack->wait_for('a chunk', sub { $stack->owner("SELECT count(*) > 0 FROM kaireon.campaign_run_results WHERE run_id = '$run'") eq 't'
		|| $stack->owner("SELECT status FROM kaireon.campaign_runs WHERE id = '$run'") eq 'completed' });
	$stack->stop_postgres($mode);
	$stack->start_postgres;
}
$stack->wait_for('the pool', sub { $one->get("/$plain->{id}")->{status} == 200 });
$done = $one->finished($plain->{id}, $run);
is($done->{status}, 'completed', 'a run outlives restarts of the database');
is($done->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'with the file of a calm run');

$stack->end;
done_testing;
