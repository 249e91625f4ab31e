#!/usr/bin/perl
# Reports: templates, previews, runs in every format, schedules over a year of
# clock changes, deliveries with the artifact or a link.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP;
use MIME::Base64;
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Receiver;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => {
	CONNECTOR_ENCRYPTION_KEY => 'the-key-of-the-tests', EGRESS_ALLOW => '127.0.0.0/8, ::1', DELIVERY_TIMEOUT_MS => 5000,
	SMTP_FROM => 'kaireon@example.com', PUBLIC_URL => 'https://kaireon.example/',
});
my $receiver = Kaireon::Receiver->new($stack->{dir});
$stack->{settings}{EGRESS_CACERT} = $receiver->{ca};
$stack->{settings}{SMTP_URL} = $receiver->{smtp};
chmod 0755, $stack->{dir};
my ($key, $other) = map { $stack->tenant($_) } qw(one two);
$stack->pool('api', 2)->pool('cron', 2);
my $reports = '/api/v1/reports';
my $has_pdf = -x '/usr/bin/weasyprint';

sub api {
	my ($method, $path, $body, %option) = @_;
	return $stack->request($method, $path =~ m{^/api} ? $path : "$reports$path", key => ($option{tenant} // $key)->{ $option{role} // 'editor' }, $body ? (body => $body) : ());
}

sub tick {
	my $answer = $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} });
	is($answer->{status}, 200, 'a tick') or diag $answer->{body};
	return $answer->{json};
}

sub provider {
	my ($kind, $config) = @_;
	my $made = api('POST', '/api/v1/notifications/providers', { kind => $kind, name => $kind, config => $config }, role => 'admin');
	is($made->{status}, 201, "a $kind") or diag $made->{body};
	return $made->{json}{id};
}

# three weeks of two offers on two channels, hostile names among them
my $nasty = q{Card <script>alert(1)</script> & "more" | =1+1};
$stack->query('postgres', qq{
	INSERT INTO kaireon.categories (tenant_id, id, name) VALUES ('one', 'cat_1', 'c');
	INSERT INTO kaireon.offers (tenant_id, id, name, category_id, budget) VALUES ('one', 'off_1', 'Loan', 'cat_1', '{"maxImpressions": 500}'), ('one', 'off_2', \$\$$nasty\$\$, 'cat_1', '{}');
	INSERT INTO kaireon.channels (tenant_id, id, name, channel_type) VALUES ('one', 'ch_1', 'email', 'email'), ('one', 'ch_2', '=cmd|x', 'push');
	INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, offer_id, channel_id, created_at)
		SELECT 'one', 'ih_' || i, 'c' || i, 'impression', 'outbound', 'off_' || 1 + i % 3 / 2, 'ch_' || 1 + i % 2,
		       now() - (i % 20) * interval '1 day' - interval '1 hour' FROM generate_series(1, 600) AS i;
	INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, outcome, conversion_value, offer_id, channel_id, created_at)
		SELECT 'one', 'iv_' || i, 'c' || i, 'outcome', 'inbound', CASE i % 3 WHEN 0 THEN 'convert' WHEN 1 THEN 'click' ELSE 'dismiss' END,
		       CASE i % 3 WHEN 0 THEN 12.5 * (1 + i % 7) END, 'off_1', 'ch_1', now() - (i % 20) * interval '1 day' - interval '1 hour' FROM generate_series(1, 120) AS i;
	INSERT INTO kaireon.decision_traces (tenant_id, id, customer_id, decision_flow_key, created_at, pipeline, result, total_latency_ms)
		SELECT 'one', 'dt_' || i, 'c', 'flow', now() - interval '1 hour', '[{"stage": "qualification", "candidates": 10, "passed": 6}, {"stage": "contact_policy", "candidates": 6, "passed": 5}]',
		       '{"count": 2}', i FROM generate_series(1, 100) AS i});
$stack->query('postgres', q{INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, offer_id, channel_id, created_at)
	SELECT 'one', 'iz_' || i, 'c', 'impression', 'outbound', 'off_1', 'ch_1', now() - interval '3 days' FROM generate_series(1, 200) AS i});

# templates
my @sources = qw(offer_performance channel_effectiveness selection_frequency anomaly_candidates why_not_ranked decision_traces_summary funnel revenue_trend daily_trend budget_burn);
my $mail = provider('ops_email', { recipients => ['boss@example.com'] });
my $hook = provider('webhook', { url => "$receiver->{https}/ok/report" });
my %fields = (name => 'Weekly <b>', description => 'What was shown', dataSources => [map { { sourceKey => $_, params => { days => 21 } } } @sources],
	narrative => { enabled => JSON::PP::true, prompt => 'as you like' },
	formats => ['csv', 'markdown', 'html', $has_pdf ? 'pdf' : ()], filters => { destinations => [$mail, $hook] });
my $made = api('POST', '/templates', \%fields);
is($made->{status}, 201, 'a template') or diag $made->{body};
my $template = $made->{json}{id};
for my $case ([dataSources => []], [dataSources => [{ sourceKey => 'secrets' }]], [dataSources => [{ sourceKey => 'funnel', params => { days => 0 } }]], [dataSources => [7]],
	[sections => [{ id => 'a', title => 'A', dataSourceIndex => 10 }]], [sections => [{ id => 'a' }]], [formats => ['xls']], [formats => []], [filters => { destinations => ['np_x'] }],
	[filters => { more => 1 }], [name => undef], [enabled => 'yes'], [nothing => 1]) {
	is(api('POST', '/templates', { %fields, $case->[0] => $case->[1] })->{status}, 400, "$case->[0] " . JSON::PP->new->allow_nonref->encode($case->[1]));
}
is(api('PATCH', "/templates/$template", { description => 'changed' })->{json}{description}, 'changed', 'a part is changed');
is(api('GET', "/templates/$template", undef, tenant => $other)->{status}, 404, "another tenant's is not there");
is(scalar @{ api('GET', '/templates', undef, role => 'viewer')->{json}{data} }, 1, 'it is listed');

# the preview: every source over real rows
my $preview = api('GET', "/templates/$template/preview", undef, role => 'viewer');
is($preview->{status}, 200, 'a preview') or diag $preview->{body};
my %data = map { $_->{sourceKey} => $_ } @{ $preview->{json}{sectionsData} };
is_deeply([sort keys %data], [sort @sources], 'has every source');
is_deeply($data{offer_performance}{rows}[0], ['Loan', 600, 80, 80 / 600, 80, 80 / 600, $data{offer_performance}{rows}[0][6]], 'offers');
is($data{offer_performance}{rows}[0][6], 0 + $stack->owner('SELECT sum(conversion_value) FROM kaireon.interaction_history'), 'with their revenue');
is_deeply([map { $_->[0] } @{ $data{channel_effectiveness}{rows} }], ['email', '=cmd|x'], 'channels');
is_deeply($data{selection_frequency}{rows}[0], ['Loan', 600, 0.75], 'shares');
is_deeply([map { [@$_[0, 1]] } @{ $data{funnel}{rows} }], [['Impressions', 800], ['Positive answers', 80], ['Clicks', 80], ['Conversions', 40]], 'the funnel');
is(scalar @{ $data{daily_trend}{rows} }, 22, 'each day of the span');
is($data{anomaly_candidates}{rows}[0][0], 'Loan', 'the day that stands out');
# two impressions an hour: neither the part of a day at the begin nor the one at the end stands out
$stack->query('postgres', q{INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, offer_id, created_at)
	SELECT 'two', 'iu_' || i, 'c', 'impression', 'outbound', 'off', date_trunc('day', now(), 'UTC') - i * interval '30 minutes' FROM generate_series(0, 480) AS i});
my $candidates = join '', grep { !/^--/ } split /^/, $stack->slurp("$stack->{source}/sql/stmt/report_anomaly_candidates.sql");
sub odd_days {
	return (split /\n/, $stack->query('postgres', "SELECT kaireon.tenant_set('two'); SELECT set_config('kaireon.tenant_id', 'two', false); PREPARE c (timestamptz, timestamptz) AS $candidates;"
		. q{EXECUTE c (date_trunc('day', now(), 'UTC') - interval '9 days 1 hour', date_trunc('day', now(), 'UTC') + interval '1 hour')}))[-1];
}
is(odd_days(), '[]', 'parts of days do not stand out');
$stack->query('postgres', q{DELETE FROM kaireon.interaction_history WHERE tenant_id = 'two' AND created_at >= date_trunc('day', now(), 'UTC') - interval '3 days' AND created_at < date_trunc('day', now(), 'UTC') - interval '2 days'});
like(odd_days(), qr/^\[\["off", "\d{4}-\d\d-\d\d", 0, /, 'a day without any does');
is_deeply($data{why_not_ranked}{rows}, [['qualification', 1000, 600, 400, 0.4], ['contact_policy', 600, 500, 100, 1 / 6]], 'where candidates were dropped');
is_deeply([@{ $data{decision_traces_summary}{rows}[0] }[0 .. 4]], ['flow', 100, 1, 0, 50.5], 'decisions');
is_deeply($data{budget_burn}{rows}, [['Loan', 'maxImpressions', 500, 600, 1.2]], 'budgets');
my $preview_told = $preview->{json}{narrativeOutput};
my @told = split /\n/, $preview->{json}{narrativeOutput};
is(scalar @told, 10, 'a sentence of each');
is($told[0], 'Offers: Acceptance is highest for Loan (13.33 %) and lowest for ' . $nasty . ' (0.00 %).', 'of the ranking');
like($told[6], qr/^Funnel: Impressions 800, Positive answers 80 \(10\.00 %\), Clicks 80 \(10\.00 %\), Conversions 40 \(5\.00 %\)\.$/, 'of the stages');
like($told[8], qr/^Impressions by day: Impressions 800 in all, most on \d{4}-\d\d-\d\d \(2[23]0\)\.$/, 'of the days');
like($told[3], qr/^Days that stand out: 1, first of all Loan on \d{4}-\d\d-\d\d \(2[12]\d, the mean is \d+\.\d\d\)\.$/, 'and of what stands out') or diag $told[3];
is($stack->owner('SELECT count(*) FROM kaireon.report_runs'), 0, 'nothing is kept of a preview');
my $page = api('GET', "/templates/$template/preview?format=html");
like($page->{headers}{'content-type'}, qr{^text/html}, 'a page');
like($page->{headers}{'content-security-policy'}, qr/default-src 'none'.*sandbox/, 'that runs nothing');
unlike($page->{body}, qr/<script/, 'and has no script');
unlike($page->{body}, qr{(?:src|href)=}, 'nor anything from elsewhere');
is(api('GET', "/templates/$template/preview?format=pdf")->{status}, 400, 'another format is refused');
$preview = api('POST', '/templates', { %fields, name => 'empty' }, tenant => $other)->{status};
is($preview, 400, 'providers of another tenant are unknown');

# a run by hand
my $run = api('POST', "/templates/$template/run-now");
is($run->{status}, 202, 'a run') or diag $run->{body};
is($run->{json}{run}{status}, 'pending', 'waits for the worker');
$stack->worker;
sub finished {
	my ($id) = @_;
	return $stack->wait_for("the report $id", sub { my $got = api('GET', "/runs/$id")->{json}; ($got->{status} // '') ne 'pending' && $got }, 60) || {};
}
my $done = finished($run->{json}{runId});
is($done->{status}, 'completed', 'it is completed') or diag explain $done;
is_deeply([map { $_->{format} } @{ $done->{artifacts} }], [sort @{ $fields{formats} }], 'with every format');
is(scalar @{ $done->{sectionsData} }, 10, 'and the data');
is($done->{narrativeOutput}, $preview_told, 'and the sentences');
my %artifact;
for my $one (@{ $done->{artifacts} }) {
	my $got = api('GET', "/runs/$done->{id}/artifacts/$one->{format}", undef, role => 'viewer');
	is($got->{status}, 200, "the $one->{format}");
	is(sha256_hex($got->{body}), $one->{sha256}, 'is what was made');
	is(length $got->{body}, $one->{bytes}, 'all of it');
	$artifact{ $one->{format} } = $got->{body};
}
like($artifact{csv}, qr/^section,name,impressions,clicks,ctr,positives,acceptanceRate,revenue\r\noffer_performance,Loan,600,80,0\.13333/, 'CSV has numbers as they are');
like($artifact{csv}, qr/^channel_effectiveness,'=cmd\|x,/m, 'and no formulas');
like($artifact{csv}, qr/^offer_performance,"Card <script>alert\(1\)<\/script> & ""more"" \| =1\+1",/m, 'and quotes');
like($artifact{markdown}, qr/^\| Loan \| 600 \| 80 \| 13\.33 % \|/m, 'Markdown has tables');
like($artifact{markdown}, qr/Card \\<script\\>/, 'and escapes');
like($artifact{html}, qr/Card &lt;script&gt;/, 'HTML too');
like($artifact{html}, qr{<li>Offers: Acceptance is highest for Loan \(13\.33 %\) and lowest for Card &lt;script&gt;}, 'its sentences too');
like($artifact{markdown}, qr/^- Offers: Acceptance is highest for Loan/m, 'Markdown has them as a list');
is(scalar(() = $artifact{html} =~ /<svg /g), 8, 'with a chart where there is one');
like($artifact{html}, qr/prefers-color-scheme:dark/, 'and dark');
like($artifact{html}, qr{>0</text>.*>100</text>.*>500</text>}s, 'the axis of a trend has round numbers');
SKIP: {
	skip 'weasyprint is not installed', 2 if !$has_pdf;
	like($artifact{pdf}, qr/^%PDF-1/, 'PDF is one');
	$stack->spew("$stack->{dir}/report.pdf", $artifact{pdf});
	my $text = `pdftotext -layout $stack->{dir}/report.pdf - 2>/dev/null`;
	skip 'pdftotext is not installed', 1 if $? != 0;
	like($text, qr/Weekly <b>.*Loan\s+600\s+80/s, 'and says the same');
}
if ($ENV{KRN_REPORT_DIR}) { $stack->spew("$ENV{KRN_REPORT_DIR}/report.$_", $artifact{$_}) for keys %artifact }

# its deliveries: by mail with the artifacts, elsewhere with links
$stack->wait_for('the deliveries', sub { 2 == grep { $_->{status} eq 'delivered' } @{ api('GET', "/runs/$done->{id}")->{json}{deliveries} } });
is($stack->owner("SELECT count(*) FROM kaireon.outbox_events WHERE payload::text LIKE '%links%'"), 0, 'which leave no link behind');
my ($letter) = $receiver->mails;
like($letter->{message}, qr/^Subject: Report: Weekly <b>\r$/m, 'a mail');
my ($part) = $letter->{message} =~ /filename="report\.csv"\r\nContent-Transfer-Encoding: base64\r\n\r\n(.*?)\r\n--/s;
is(decode_base64($part // ''), $artifact{csv}, 'has the artifacts');
my ($call) = map { decode_json($_->{body}) } $receiver->taken;
is($call->{type}, 'report.ready', 'a webhook is told');
is($call->{text}, "changed\n$preview_told", 'in sentences');
my %link = map { $_->{format} => $_->{url} } @{ $call->{data}{artifacts} };
like($link{csv}, qr{^https://kaireon\.example/api/v1/reports/links/[0-9a-f]{64}$}, 'with links');
my ($path) = $link{csv} =~ m{(/api/.*)};
my $linked = $stack->request('GET', $path);
is($linked->{status}, 200, 'which need no key');
is($linked->{body}, $artifact{csv}, 'and lead to the artifact');
is($stack->request('GET', $path =~ s/.$/x/r)->{status}, 404, 'another leads nowhere');
$stack->query('postgres', 'UPDATE kaireon.report_artifacts SET link_expires_at = now()');
is($stack->request('GET', $path)->{status}, 404, 'nor does one that is too old');
unlike($stack->owner('SELECT string_agg(concat(a.*), chr(10)) FROM kaireon.audit_logs AS a'), qr/links/, 'no link is in the audit');

# schedules
my %schedule = (templateId => $template, name => 'Mondays', cronExpression => '0 9 * * *', timezone => 'America/New_York', destinations => [$hook]);
for my $case ([cronExpression => '0 25 * * *'], [cronExpression => '* * *'], [timezone => 'America/Nowhere'], [templateId => 'rt_x'], [destinations => ['np_x']], [enabled => 1]) {
	is(api('POST', '/schedules', { %schedule, $case->[0] => $case->[1] })->{status}, 400, "$case->[0] " . JSON::PP->new->allow_nonref->encode($case->[1]));
}
$made = api('POST', '/schedules', \%schedule);
is($made->{status}, 201, 'a schedule') or diag $made->{body};
my $schedule = $made->{json}{id};
is($stack->owner("SELECT to_char('$made->{json}{nextRunAt}'::timestamptz AT TIME ZONE 'America/New_York', 'HH24:MI')"), '09:00', 'runs at nine in New York');
is(api('PATCH', "/schedules/$schedule", { timezone => 'Europe/Berlin' })->{status}, 200, 'its zone is changed');
my $changed = api('GET', "/schedules/$schedule")->{json};
is($stack->owner("SELECT to_char('$changed->{nextRunAt}'::timestamptz AT TIME ZONE 'Europe/Berlin', 'HH24:MI')"), '09:00', 'and its next run');
api('PATCH', "/schedules/$schedule", { timezone => 'America/New_York' });

# late by three hours, and called by many at once: one run
$stack->stop('worker');
$stack->owner("UPDATE kaireon.report_schedules SET next_run_at = now() - interval '3 hours' WHERE id = '$schedule'");
my @children;
for (1 .. 8) {
	my $pid = fork // die $!;
	if (!$pid) {
		for (1 .. 3) { eval { $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} }) } }
		POSIX::_exit(0);
	}
	push @children, $pid;
}
waitpid $_, 0 for @children;
tick();
is($stack->owner("SELECT count(*) FROM kaireon.report_runs WHERE schedule_id = '$schedule'"), 1, 'what was due three hours ago runs once');
is($stack->owner(q{SELECT count(*) FROM kaireon.jobs WHERE kind = 'report_run'}), 1, 'with one job');
is($stack->owner("SELECT next_run_at > now() FROM kaireon.report_schedules WHERE id = '$schedule'"), 't', 'and the next is in the future');

# a year of nine o'clocks in New York: the tick's own step, with its clock moved
my %days;
$stack->owner("UPDATE kaireon.report_schedules SET next_run_at = '2026-01-01 14:00+00' WHERE id = '$schedule'");
my @next = split /\n/, $stack->ctl('schedule', 'next', '--cron', '0 9 * * *', '--zone', 'America/New_York', '--from', '2026-01-01T00:00:00Z', '--count', 365);
shift @next;
$days{ substr $_, 0, 10 }++ for @next;
is(scalar(grep { $_ != 1 } values %days), 0, 'once a day');
is(scalar keys %days, 365, 'every day');
is(scalar(grep { !/^\d{4}-\d\d-\d\dT09:00:00\t/ } @next), 0, 'at nine, also when clocks change');
$stack->owner("UPDATE kaireon.report_schedules SET next_run_at = now() + interval '1 day' WHERE id = '$schedule'");

# killed in the middle of a run: it is carried out once
for my $kill (1 .. 3) {
	$stack->worker("doomed$kill");
	sleep 0.1 + rand 0.3;
	my $pid = delete $stack->{pids}{"doomed$kill"};
	kill 'KILL', $pid;
	waitpid $pid, 0;
}
$receiver->forget;
$stack->worker('survivor');
my $planned = $stack->owner("SELECT id FROM kaireon.report_runs WHERE schedule_id = '$schedule'");
is(finished($planned)->{status}, 'completed', 'it is completed after kills');
is($stack->owner("SELECT count(*) FROM kaireon.outbox_events WHERE source_id = '$planned'"), 1, 'with one delivery');
is(api('GET', "/schedules/$schedule")->{json}{lastStatus}, 'completed', 'the schedule knows');

# a schedule that cannot be read any more is told and parked; the others run
$stack->announce(qr/cron job failed for a tenant.*job=tick/);
my $sound = api('POST', '/schedules', { %schedule, name => 'sound' })->{json}{id};
$stack->owner("UPDATE kaireon.report_schedules SET next_run_at = now(), cron_expression = CASE id WHEN '$schedule' THEN 'nonsense' ELSE cron_expression END");
my $tick = tick();
is_deeply($tick->{reports}, { due => 2, fired => 1, failed => 1 }, 'one fails, one runs');
is_deeply([map { "$_->{kind} $_->{id}" } @{ $tick->{errors} }], ["report $schedule"], 'which is told');
is(api('GET', "/schedules/$schedule")->{json}{nextRunAt}, undef, 'and parked');
is_deeply(tick()->{reports}, { due => 0, fired => 0, failed => 0 }, 'until somebody changes it');

# what goes with what
is(api('GET', "/runs?templateId=$template&limit=2")->{json}{total}, 3, 'runs are listed');
is(api('DELETE', "/schedules/$sound")->{status}, 204, 'a schedule goes');
is(api('DELETE', "/templates/$template")->{status}, 204, 'a template goes');
is($stack->owner("SELECT count(*) FROM kaireon.report_schedules") . $stack->owner("SELECT count(*) FROM kaireon.report_runs"), '00', 'with its schedules and runs');

$receiver->stop;
$stack->end;
done_testing;
