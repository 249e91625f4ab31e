#!/usr/bin/perl
# When schedules fire, by the zones that PostgreSQL has: around changes of
# clocks, over years, and nextRunAt of campaigns.
use strict;
use warnings;

use JSON::PP;
use POSIX qw(strftime);
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
my $source = $ENV{KRN_SRCDIR} || '.';

sub next_of {
	my (@options) = @_;
	my ($status, $out, $err) = $stack->ctl_try('--json', 'schedule', 'next', @options);
	return $status ? $err : decode_json($out);
}

# "daily 02:30", "weekly 02:30 0", "monthly 02:30 1", or a cron expression
sub options {
	my ($schedule) = @_;
	my ($type, $time, $day) = $schedule =~ /^([a-z]+) (\d\d:\d\d) ?(\S*)$/ or return ('--cron', $schedule);
	return ('--type', $type, '--time', $time, $type eq 'weekly' ? ('--day-of-week', $day) : $type eq 'monthly' ? ('--day-of-month', $day) : ());
}

# zone, schedule, from, and what the clocks of the zone show and UTC
for my $case (
	['America/New_York', 'daily 02:30', '2026-03-07T08:00:00Z', '2026-03-08T03:00:00 07:00', '2026-03-09T02:30:00 06:30'],
	['America/New_York', 'daily 01:30', '2026-10-31T12:00:00Z', '2026-11-01T01:30:00 05:30', '2026-11-02T01:30:00 06:30'],
	['America/New_York', 'daily 01:30', '2026-11-01T06:10:00Z', '2026-11-02T01:30:00 06:30', '2026-11-03T01:30:00 06:30'],
	['America/New_York', '*/30 * * * *', '2026-03-08T06:30:00Z', '2026-03-08T03:00:00 07:00', '2026-03-08T03:30:00 07:30'],
	['America/New_York', '*/30 * * * *', '2026-11-01T05:00:00Z', '2026-11-01T01:30:00 05:30', '2026-11-01T02:00:00 07:00'],
	['America/New_York', '0 9 * * 1', '2026-03-02T14:00:00Z', '2026-03-09T09:00:00 13:00', '2026-03-16T09:00:00 13:00'],
	['Europe/London', 'daily 01:30', '2026-03-28T12:00:00Z', '2026-03-29T02:00:00 01:00', '2026-03-30T01:30:00 00:30'],
	['Europe/London', 'weekly 01:30 0', '2026-10-24T12:00:00Z', '2026-10-25T01:30:00 00:30', '2026-11-01T01:30:00 01:30'],
	['Australia/Lord_Howe', 'daily 02:15', '2026-10-02T20:00:00Z', '2026-10-04T02:30:00 15:30', '2026-10-05T02:15:00 15:15'],
	['Australia/Lord_Howe', 'daily 01:45', '2026-04-03T20:00:00Z', '2026-04-05T01:45:00 14:45', '2026-04-06T01:45:00 15:15'],
	['Africa/Casablanca', 'daily 02:30', '2026-02-14T12:00:00Z', '2026-02-15T02:30:00 01:30', '2026-02-16T02:30:00 02:30'],
	['Africa/Casablanca', 'daily 02:30', '2026-03-21T12:00:00Z', '2026-03-22T03:00:00 02:00', '2026-03-23T02:30:00 01:30'],
	['Pacific/Apia', 'daily 09:00', '2011-12-29T20:00:00Z', '2011-12-31T00:00:00 10:00', '2011-12-31T09:00:00 19:00'],
	['Pacific/Apia', 'monthly 09:00 last_working_day', '2011-12-29T20:00:00Z', '2011-12-31T00:00:00 10:00', '2012-01-31T09:00:00 19:00'],
	['Asia/Kolkata', 'monthly 00:15 1', '2026-01-01T00:00:00Z', '2026-02-01T00:15:00 18:45', '2026-03-01T00:15:00 18:45'],
	# changes that are no whole quarter of an hour
	['Africa/Monrovia', 'daily 00:30', '1972-01-06T12:00:00Z', '1972-01-07T00:44:30 00:44', '1972-01-08T00:30:00 00:30'],
	# years away: by the offset of then
	['America/New_York', '30 1 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T01:30:00 06:30', '2032-02-29T01:30:00 06:30'],
	['America/New_York', '0 12 29 2 */7', '2032-03-01T00:00:00Z', '2060-02-29T12:00:00 17:00', '2088-02-29T12:00:00 17:00'],
	['Europe/Berlin', '0 12 1 7 *', '2050-07-01T12:00:00Z', '2051-07-01T12:00:00 10:00', '2052-07-01T12:00:00 10:00'],
) {
	my ($zone, $schedule, $from, @want) = @$case;
	my $got = next_of(options($schedule), '--zone', $zone, '--from', $from, '--count', 2);
	is_deeply([map { "$_->{local} " . substr $_->{utc}, 11, 5 } ref $got ? @$got : ()], \@want, "$zone: $schedule") or diag explain $got;
}

# nights of Sundays, a year long: PostgreSQL reads each instant as that local time
for my $zone ('America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kathmandu', 'America/St_Johns') {
	my $got = next_of('--cron', '*/30 1-3 * * 0', '--zone', $zone, '--from', '2026-02-10T00:00:00Z', '--count', 250);
	my $values = join ', ', map { "('$_->{local}'::timestamp, '$_->{utc}'::timestamptz)" } @$got;
	is($stack->owner("SELECT count(*) || ' ' || count(*) FILTER (WHERE timezone('$zone', u) = l) || ' ' || count(DISTINCT u) FROM (VALUES $values) AS v (l, u)"),
		'250 250 250', "$zone: local time and UTC agree");
}

# UTC, as another implementation has it
open my $in, '<', "$source/t/data/cron.tsv" or die $!;
my @lines = grep { !/^#/ } <$in>;
close $in;
cmp_ok(scalar @lines, '>=', 300, 'the expressions are there');
my @bad;
for my $i (grep { $_ % 10 == 0 } 0 .. $#lines) {
	chomp(my $line = $lines[$i]);
	my ($expression, $from, @want) = split /\t/, $line;
	my $got = next_of('--cron', $expression, '--zone', 'UTC', '--from', $from, '--count', 5);
	push @bad, $line if !ref $got || "@want" ne join ' ', map { $_->{utc} } @$got;
}
is_deeply(\@bad, [], 'every tenth of them fires alike');

# for people; nothing to show; what is wrong
is($stack->ctl('schedule', 'next', '--cron', '0 9 * * *', '--zone', 'Europe/Berlin', '--from', '2026-07-01T00:00:00Z'),
	"local\tutc\n2026-07-01T09:00:00\t2026-07-01T07:00:00.000Z\n", 'one without a count, as a table');
is_deeply(next_of('--cron', '0 9 30 2 *', '--zone', 'UTC', '--count', 3), [], '30 February is never');
for my $case (
	[2, qr/--zone is required/, '--cron', '* * * * *'],
	[2, qr/give one of --cron and --type/, '--zone', 'UTC'],
	[2, qr/give one of --cron and --type/, '--zone', 'UTC', '--cron', '* * * * *', '--type', 'daily', '--time', '09:00'],
	[2, qr/go with --type/, '--zone', 'UTC', '--cron', '* * * * *', '--time', '09:00'],
	[2, qr/--type needs --time/, '--zone', 'UTC', '--type', 'daily'],
	[2, qr/--day-of-week goes with/, '--zone', 'UTC', '--type', 'weekly', '--time', '09:00'],
	[2, qr/--day-of-month goes with/, '--zone', 'UTC', '--type', 'daily', '--time', '09:00', '--day-of-month', 1],
	[1, qr/position 3: not a valid hour/, '--zone', 'UTC', '--cron', '* 24 * * *'],
	[1, qr/unknown time zone/, '--zone', 'Europe/Nowhere', '--cron', '* * * * *'],
	[1, qr/unknown time zone/, '--zone', 'X+3', '--cron', '* * * * *'],
	[1, qr/the type must be/, '--zone', 'UTC', '--type', 'hourly', '--time', '09:00'],
	[1, qr/the type must be/, '--zone', 'UTC', '--type', 'manual', '--time', '09:00'],
	[1, qr/the time must be/, '--zone', 'UTC', '--type', 'daily', '--time', '25:00'],
	[1, qr/last_working_day/, '--zone', 'UTC', '--type', 'monthly', '--time', '09:00', '--day-of-month', 29],
	[1, qr/1900/, '--zone', 'UTC', '--cron', '* * * * *', '--from', '0001-01-01T00:00:00Z'],
) {
	my ($want, $message, @options) = @$case;
	my ($status, undef, $err) = $stack->ctl_try('schedule', 'next', @options);
	is($status, $want, "refused: @options");
	like($err, $message, 'and told why');
}

# nextRunAt
$stack->pool('api', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 5);
sub created { my $answer = $one->post('', $one->fields(@_)); return $answer->{status} == 201 ? $answer->{json} : $answer->{json}{error} }

for my $case (
	['daily 09:00', scheduleType => 'daily'],
	['weekly 18:30 3', scheduleType => 'weekly', scheduleTime => '18:30', scheduleDayOfWeek => 3],
	['monthly 09:00 last_working_day', scheduleType => 'monthly', scheduleDayOfMonth => 'last_working_day'],
	['15 4 * * MON', scheduleCron => '15 4 * * MON'],
) {
	my ($schedule, @fields) = @$case;
	my $campaign = created(status => 'active', scheduleTimezone => 'America/New_York', @fields);
	my $from = $campaign->{createdAt};
	my $want = next_of(options($schedule), '--zone', 'America/New_York', '--from', $from);
	is($campaign->{nextRunAt}, $want->[0]{utc}, "nextRunAt: $schedule") or diag explain $campaign;
	cmp_ok($campaign->{nextRunAt}, 'gt', $from, 'in the future');
	is($one->get("/$campaign->{id}")->{json}{nextRunAt}, $campaign->{nextRunAt}, 'in the detail too');
	is((grep { $_->{id} eq $campaign->{id} } @{ $one->get('')->{json}{runs} })[0]{nextRunAt}, $campaign->{nextRunAt}, 'and in the list');
}
for my $status (qw(draft paused archived)) {
	is(created(status => $status, scheduleType => 'daily')->{nextRunAt}, undef, "none when $status");
}
is(created(status => 'active')->{nextRunAt}, undef, 'none by hand');
my $never = created(status => 'active', scheduleCron => '0 9 30 2 *');
ok(exists $never->{id} && !defined $never->{nextRunAt}, 'none when it never comes') or diag explain $never;

$stack->end;
done_testing;
