#!/usr/bin/perl
# Ticks by a clock that is moved, of PostgreSQL and of the pools: a year of nine
# o'clocks in New York, over both changes of clocks; and a tick that comes three
# hours late. libfaketime moves the clock.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Campaign;
use Kaireon::Stack;

my ($faketime) = glob '/usr/lib/*/faketime/libfaketimeMT.so.1';
plan skip_all => 'libfaketime is not installed' if !$faketime;

my $stack = Kaireon::Stack->new(settings => { SCHEDULE_LATE_SECONDS => 86400 });
chmod 0755, $stack->{dir};
# the clock stands where it is put; what waits goes by another, which runs
my %clock = (LD_PRELOAD => $faketime, FAKETIME_TIMESTAMP_FILE => "$stack->{dir}/clock", FAKETIME_NO_CACHE => 1, FAKETIME_DONT_FAKE_MONOTONIC => 1, TZ => 'UTC');

sub clock {
	my ($at) = @_;
	$stack->spew("$stack->{dir}/clock.new", "$at\n");
	rename "$stack->{dir}/clock.new", "$stack->{dir}/clock" or die $!;
}

sub tick {
	my $answer = $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} });
	return $answer->{json} // die "$answer->{status}: $answer->{body}";
}

# the next calendar year; what PostgreSQL takes for nine o'clock there is the oracle
my $zone = 'America/New_York';
my @nines = split /\n/, $stack->owner(qq{SELECT to_char((d + interval '9 hours') AT TIME ZONE '$zone' AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
	FROM generate_series(date_trunc('year', now()::timestamp) + interval '1 year', date_trunc('year', now()::timestamp) + interval '2 years -1 day', interval '1 day') AS d});
my $demo = Kaireon::Campaign->new($stack->pool('api', 1), 'one', count => 1);
$stack->stop('api1');
$stack->stop_postgres;
my $start = $nines[0] =~ s/ .*/ 00:00:00/r;
clock($start);
{
	my $environment = join ' ', map { "$_=$clock{$_}" } sort keys %clock;
	local $stack->{pg_bin} = "env $environment $stack->{pg_bin}";
	$stack->start_postgres;
}
@{ $stack->{settings} }{keys %clock} = values %clock;
# a sanitizer wants to be first, and is linked, not preloaded
$stack->{settings}{ASAN_OPTIONS} = join ':', 'verify_asan_link_order=0', $ENV{ASAN_OPTIONS} // ();
$stack->pool('api', 1)->pool('cron', 2);
is($stack->owner("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"), $start, 'the clock is moved');
# partitions are made by the cleanup, as they are every night
sub cleanup { return $stack->request('GET', '/api/v1/cron/cleanup', headers => { X_CRON_SECRET => $stack->{settings}{CRON_SECRET} })->{json}{ok} }
is(cleanup(), JSON::PP::true, 'there is a place for its months');
is(substr(tick()->{tickAt} =~ tr/T/ /r, 0, 19), $start, "the pools' too");

sub made {
	my ($path, $body) = @_;
	my $made = $stack->request('POST', "/api/v1/$path", key => $demo->{key}{admin}, body => $body);
	is($made->{status}, 201, $path) or diag $made->{body};
	return $made->{json}{id};
}

my $template = made('reports/templates', { name => 'Morning', dataSources => [{ sourceKey => 'funnel' }], formats => ['csv'] });
sub schedule { my ($cron, $in) = @_; return made('reports/schedules', { templateId => $template, name => $cron, cronExpression => $cron, timezone => $in // $zone }) }
sub planned { return [split /\n/, $stack->owner("SELECT to_char(planned_for AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') FROM kaireon.report_runs WHERE schedule_id = '$_[0]' ORDER BY 1")] }
sub shifted { my ($at, $seconds) = @_; return $stack->owner("SELECT to_char(timestamp '$at' + interval '$seconds seconds', 'YYYY-MM-DD HH24:MI:SS')") }
# a run is over as soon as it is there: the next need not wait for it
$stack->query('postgres', q{CREATE FUNCTION kaireon.over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.status = 'completed'; RETURN NEW; END $$;
	CREATE TRIGGER over BEFORE INSERT ON kaireon.campaign_runs FOR EACH ROW EXECUTE FUNCTION kaireon.over()});

# the days on which clocks have changed are looked at by the hour, and with a
# campaign and reports of times that are skipped or come twice
my $daily = schedule('0 9 * * *');
my %changed = map { $_ && substr($nines[$_], 11) ne substr($nines[$_ - 1], 11) ? ($_ => 1) : () } 0 .. $#nines;
is(scalar keys %changed, 2, 'clocks change twice');
my ($early, $triggered, @nights, $campaign) = (0, 0);
for my $i (0 .. $#nines) {
	if ($changed{ $i + 1 }) {
		$campaign = $demo->campaign(name => "Morning $i", status => 'active', scheduleType => 'daily', scheduleTime => '09:00', scheduleTimezone => $zone);
		@nights = (schedule('30 2 * * *'), schedule('30 1 * * *'));
	}
	if ($changed{$i}) {
		for my $hour (1 .. 23) {
			clock(shifted($nines[$i], -3600 * (24 - $hour)));
			$early += tick()->{campaigns}{triggered};
		}
		clock(shifted($nines[$i], -1));
		my $tick = tick();
		$early += $tick->{campaigns}{triggered} + $tick->{reports}{fired};
	}
	clock($nines[$i]);
	cleanup() if $i && substr($nines[$i], 0, 7) ne substr($nines[$i - 1], 0, 7);
	my $tick = tick();
	is_deeply($tick->{errors}, [], "no errors at $nines[$i]") if !$tick->{ok};
	$triggered += $tick->{campaigns}{triggered};
	if ($i > 1 && $changed{ $i - 1 }) {
		$stack->query('postgres', "UPDATE kaireon.campaigns SET status = 'paused'");
		for my $night (@nights) {
			my $cron = $stack->owner("SELECT cron_expression FROM kaireon.report_schedules WHERE id = '$night'");
			is($stack->owner("SELECT count(*) || ' ' || count(DISTINCT (planned_for AT TIME ZONE '$zone')::date) FROM kaireon.report_runs WHERE schedule_id = '$night'"),
				'3 3', "$cron comes once a day: " . join ', ', @{ planned($night) });
			$stack->query('postgres', "DELETE FROM kaireon.report_schedules WHERE id = '$night'");
		}
	}
}
is($early, 0, 'nothing comes before its time, or again');
is($triggered, 6, 'the campaign runs at each nine that it is there for');
is_deeply(planned($daily), \@nines, 'the report of nine comes once a day at nine, all year');

# three hours late: everything that was due, once
$stack->query('postgres', "DELETE FROM kaireon.report_schedules; UPDATE kaireon.campaigns SET status = 'paused'");
clock($start); # where the months of interactions are
my $hourly = schedule('5 * * * *', 'UTC');
my $noon = $demo->campaign(name => 'One', status => 'active', scheduleType => 'daily', scheduleTime => '01:00', scheduleTimezone => 'UTC');
my %alert = map { $_ => made('alerts', { name => "after $_", metric => 'revenue', operator => 'gt', threshold => 20, windowMinutes => 600, forMinutes => $_ }) } 0, 60, 240;
is_deeply([@{ tick() }{qw(alerts reports campaigns)}], [
	{ evaluated => 3, map({ $_ => 0 } qw(fired resolved cooldown pending noData deliveryFailed unsupported)) },
	{ due => 0, fired => 0, failed => 0 }, { due => 0, triggered => 0, failed => 0 }], 'nothing is due');
$stack->query('postgres', q{INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, conversion_value, created_at)
	VALUES ('one', 'ih_1', 'c', 'outcome', 'inbound', 30, now())});
is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE tenant_id = 'one'"), 1, 'something happens');
$stack->query('postgres', "UPDATE kaireon.alert_rules SET state = 'pending', state_since = now() WHERE id IN ('$alert{60}', '$alert{240}')");
clock(shifted($start, 3 * 3600 + 600));
my %sum;
for my $tick ($stack->parallel(8, sub { tick() })) {
	for my $part (qw(alerts reports campaigns)) { $sum{"$part $_"} += $tick->{$part}{$_} // 0 for qw(fired due triggered failed) }
	$sum{errors} += @{ $tick->{errors} // [] };
}
tick();
is_deeply({ map { $sum{$_} ? ($_ => $sum{$_}) : () } keys %sum }, { 'alerts fired' => 2, 'reports due' => 1, 'reports fired' => 1, 'campaigns due' => 1, 'campaigns triggered' => 1 },
	'eight ticks at once, three hours late, find all that was due, each once') or diag explain \%sum;
is($stack->owner("SELECT string_agg(rule_id, ' ' ORDER BY rule_id) FROM kaireon.alert_events"), join(' ', sort @alert{0, 60}), 'the rules that held for long enough');
is($stack->owner("SELECT count(*) FROM kaireon.report_runs WHERE schedule_id = '$hourly'"), 1, 'one run for the three that were missed');
is($stack->owner("SELECT to_char(next_run_at AT TIME ZONE 'UTC', 'HH24:MI') FROM kaireon.report_schedules"), '04:05', 'and the next is the next');
is($stack->owner("SELECT count(*) FROM kaireon.campaign_runs WHERE campaign_id = '$noon'"), 1, 'one run of the campaign');

$stack->end;
done_testing;
