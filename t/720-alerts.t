#!/usr/bin/perl
# Alert rules: their six metrics, what becomes of them at each tick, and that
# each transition is told exactly once, whatever dies and however many call.
use strict;
use warnings;

use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Receiver;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => {
	CONNECTOR_ENCRYPTION_KEY => 'the-key-of-the-tests', EGRESS_ALLOW => '127.0.0.0/8, ::1', DELIVERY_TIMEOUT_MS => 2000,
});
my $receiver = Kaireon::Receiver->new($stack->{dir});
$stack->{settings}{EGRESS_CACERT} = $receiver->{ca};
chmod 0755, $stack->{dir};
my %key = map { $_ => $stack->tenant($_) } qw(one two);
$stack->pool('api', 2)->pool('cron', 4);
my $alerts = '/api/v1/alerts';

sub api {
	my ($method, $path, $body, %option) = @_;
	return $stack->request($method, $path, key => $key{ $option{tenant} // 'one' }{ $option{role} // 'editor' }, $body ? (body => $body) : ());
}

sub tick {
	my $answer = $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} });
	is($answer->{status}, 200, 'a tick') or diag $answer->{body};
	return $answer->{json};
}

sub provider {
	my ($path, $tenant) = @_;
	my $made = api('POST', '/api/v1/notifications/providers', { kind => 'webhook', name => $path, config => { url => "$receiver->{https}$path" } },
		role => 'admin', tenant => $tenant // 'one');
	is($made->{status}, 201, "a provider at $path") or diag $made->{body};
	return $made->{json}{id};
}

sub rule {
	my (%field) = @_;
	my $tenant = delete $field{tenant};
	my $made = api('POST', $alerts, { name => 'r', metric => 'revenue', operator => 'gt', threshold => 100, %field }, tenant => $tenant // 'one');
	is($made->{status}, 201, 'a rule') or diag $made->{body};
	return $made->{json}{id};
}

my $rows = 0;
sub interaction {
	my ($minutes_ago, %column) = @_;
	my $tenant = delete $column{tenant} // 'one';
	my %row = (interaction_type => 'impression', direction => 'outbound', customer_id => 'c', %column);
	my @names = sort keys %row;
	$stack->query('postgres', "INSERT INTO kaireon.interaction_history (tenant_id, id, created_at, " . join(', ', @names) . ") "
		. "VALUES ('$tenant', 'ih_" . $rows++ . "', now() - interval '$minutes_ago minutes', " . join(', ', map { "'$_'" } @row{@names}) . ')');
}

# a moment passes for a rule: its stored times move back
sub ages { my ($rule, $minutes) = @_; $stack->owner("UPDATE kaireon.alert_rules SET last_fired_at = last_fired_at - interval '$minutes minutes', state_since = state_since - interval '$minutes minutes' WHERE id = '$rule'") }
sub seen { my ($rule, $tenant) = @_; return api('GET', "$alerts/$rule", undef, tenant => $tenant // 'one')->{json} }
sub told { my ($rule) = @_; return grep { $_->{data}{ruleId} eq $rule } map { decode_json($_->{body}) } $receiver->taken }

# the form
my $hook = provider('/ok/hook');
my $made = api('POST', $alerts, { name => 'Clicks', metric => 'ctr', operator => 'lt', threshold => 0.1, channels => [$hook] });
is($made->{status}, 201, 'a rule by its defaults') or diag $made->{body};
is_deeply({ map { $_ => $made->{json}{$_} } qw(windowMinutes cooldownMinutes forMinutes enabled notifyResolved status state lastFiredAt) },
	{ windowMinutes => 5, cooldownMinutes => 60, forMinutes => 0, enabled => JSON::PP::true, notifyResolved => JSON::PP::true, status => 'ok', state => 'ok', lastFiredAt => undef }, 'which are');
for my $case ([metric => 'error_rate'], [operator => '>'], [threshold => '1'], [windowMinutes => 0], [windowMinutes => 10081], [windowMinutes => 1.5],
	[channels => ['np_nothing']], [channels => [{ type => 'webhook', target => 'https://example.com/' }]], [channels => [$hook, $hook]],
	[cooldownMinutes => -1], [enabled => 1], [name => ''], [name => undef], [forMinutes => 'x'], [nothing => 1]) {
	my ($field, $value) = @$case;
	is(api('POST', $alerts, { name => 'r', metric => 'ctr', operator => 'gt', threshold => 1, $field => $value })->{status}, 400,
		"$field " . JSON::PP->new->allow_nonref->encode($value));
}
is(api('PUT', "$alerts/$made->{json}{id}", { threshold => 0.2 })->{json}{threshold}, 0.2, 'a part is changed');
is(seen($made->{json}{id})->{name}, 'Clicks', 'the rest stays');
is(api('GET', "$alerts/$made->{json}{id}", undef, tenant => 'two')->{status}, 404, "another tenant's is not there");
is(api('POST', $alerts, { name => 'r', metric => 'ctr', operator => 'gt', threshold => 1, channels => [$hook] }, tenant => 'two')->{status}, 400, 'nor its provider');
is(api('DELETE', "$alerts/$made->{json}{id}")->{status}, 204, 'it goes');
is_deeply(api('GET', $alerts, undef, role => 'viewer')->{json}, [], 'and none is left');

# nothing to do
my $tick = tick();
is_deeply([@$tick{qw(ok skipped complete tenants errors)}], [JSON::PP::true, JSON::PP::false, JSON::PP::true, 2, []], 'a tick without rules');
is($tick->{alerts}{evaluated}, 0, 'evaluates none');

# the six metrics, in the window and before it
interaction($_ < 4 ? 1 : 7) for 1 .. 13;                                 # 3 impressions now, 10 before
interaction(1, interaction_type => 'outcome', direction => 'inbound', outcome => $_) for qw(click accept dismiss);
interaction(2, interaction_type => 'outcome', direction => 'inbound', outcome => 'convert', conversion_value => 60.5);
interaction(6, interaction_type => 'outcome', direction => 'inbound', outcome => 'convert', conversion_value => 40);
interaction(11, interaction_type => 'outcome', direction => 'inbound', outcome => 'convert', conversion_value => 1000); # in no window
$stack->query('postgres', q{INSERT INTO kaireon.decision_traces (tenant_id, id, customer_id, created_at, result, total_latency_ms, degraded_scoring)
	SELECT 'one', 'dt_' || i, 'c', now() - (CASE WHEN i <= 100 THEN 1 ELSE 7 END) * interval '1 minute', jsonb_build_object('count', i % 2), i, i % 10 = 0
	FROM generate_series(1, 150) AS i});
my %want = (acceptance_rate => [1, 0.1], ctr => [2 / 3, 0.1], revenue => [60.5, 40], selection_frequency => [0.5, 0.5],
	latency_p99 => [99.01, 149.51], degraded_scoring_rate => [0.1, 0.1]);
for my $metric (sort keys %want) {
	my $rule = rule(metric => $metric, threshold => 1e9);
	my $test = api('POST', "$alerts/$rule/test");
	is($test->{status}, 202, "a test of $metric") or diag $test->{body};
	for my $at (['observed', 0], ['baseline', 1]) {
		my $off = abs($test->{json}{ $at->[0] } - $want{$metric}[$at->[1]]);
		cmp_ok($off, '<', 1e-9, "$metric $at->[0]") or diag $test->{body};
	}
	is($test->{json}{wouldFire}, JSON::PP::false, 'it would not fire');
	api('DELETE', "$alerts/$rule");
}
$stack->query('postgres', q{INSERT INTO kaireon.outcome_types (tenant_id, key, name, classification, category) VALUES ('one', 'dismiss', 'Dismiss', 'positive', 'response')});
my $rule = rule(metric => 'acceptance_rate', threshold => 2);
is(api('POST', "$alerts/$rule/test")->{json}{observed}, 4 / 3, "the tenant's own outcome types count");
my $empty = rule(metric => 'ctr', tenant => 'two');
is_deeply([@{ api('POST', "$alerts/$empty/test", undef, tenant => 'two')->{json} }{qw(observed noData wouldFire)}], [undef, JSON::PP::true, JSON::PP::false], 'without data');
api('DELETE', "$alerts/$rule");

# fired, in cooldown, again, resolved
$rule = rule(name => 'Money <&>', threshold => 20, channels => [$hook], cooldownMinutes => 30);
is_deeply([@{ tick()->{alerts} }{qw(evaluated fired noData deliveryFailed)}], [2, 1, 1, 0], 'it fires');
is_deeply([@{ seen($rule) }{qw(status state)}], ['fired', 'firing'], 'and says so');
my @told = told($rule);
is(scalar @told, 1, 'one message');
is_deeply([@{ $told[0] }{qw(type title severity)}], ['alert.fired', 'Alert: Money <&>', 'critical'], 'of what fired') or diag explain \@told;
is($told[0]{data}{observed}, 60.5, 'with what was observed');
is(seen($empty, 'two')->{status}, 'no_data', 'the one without data says so');
is_deeply([@{ tick()->{alerts} }{qw(fired cooldown)}], [0, 1], 'then it is cool');
is(seen($rule)->{status}, 'cooldown', 'and says so');
ages($rule, 31);
is(tick()->{alerts}{fired}, 1, 'it is told again after the cooldown');
$stack->query('postgres', 'DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL');
is_deeply([@{ tick()->{alerts} }{qw(fired resolved)}], [0, 1], 'it is resolved');
is_deeply([map { $_->{type} } told($rule)], [qw(alert.fired alert.fired alert.resolved)], 'which is told');
is_deeply([map { "$_->{kind} $_->{deliveries}[0]{status}" } reverse @{ api('GET', "$alerts/$rule/events")->{json} }],
	['fired delivered', 'fired delivered', 'resolved delivered'], 'and kept');
is(tick()->{alerts}{resolved}, 0, 'once');
is($stack->owner(q{SELECT count(*) FROM kaireon.audit_logs WHERE action = 'alert_rule.transition'}), 3, 'the audit has each');
interaction(1, conversion_value => 500);
is_deeply([@{ tick()->{alerts} }{qw(fired cooldown)}], [0, 1], 'back within the cooldown it is not told');
$stack->query('postgres', 'DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL');
is_deeply([@{ tick()->{alerts} }{qw(resolved cooldown)}], [0, 0], 'nor that it went');

# for: pending first
my $patient = rule(threshold => 20, forMinutes => 10, channels => [$hook]);
interaction(1, conversion_value => 30);
is(tick()->{alerts}{pending}, 1, 'it has to hold for a while');
is(seen($patient)->{state}, 'pending', 'and is pending');
ages($patient, 9);
is(tick()->{alerts}{fired}, 0, 'not yet');
ages($patient, 2);
ages($rule, 60);
is(tick()->{alerts}{fired}, 2, 'now, and the other is cool again');
is(scalar told($patient), 1, 'which is told once');
$stack->query('postgres', 'DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL');
is(tick()->{alerts}{resolved}, 2, 'both are resolved');
interaction(1, conversion_value => 30);
tick();
$stack->query('postgres', 'DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL');
tick();
is(seen($patient)->{state}, 'ok', 'what did not hold for long enough is forgotten');

# severity, by the distance from the threshold or from the baseline
for my $case ([100, 'info'], [85, 'info'], [70, 'warning'], [50, 'critical'], [0, 'critical']) {
	my ($threshold, $severity) = @$case;
	my $one = rule(threshold => $threshold, operator => 'gte');
	interaction(1, conversion_value => 110);
	is(api('POST', "$alerts/$one/test")->{json}{severity}, $severity, "110 of $threshold is $severity");
	$stack->query('postgres', 'DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL');
	api('DELETE', "$alerts/$one");
}

# nobody takes it; a metric that is none; data that cannot be computed with
$stack->announce(qr/delivery (failed|given up)/, qr/cron job failed for a tenant.*job=tick tenant=two/);
my $deaf = rule(threshold => 20, channels => [provider('/status/503')], tenant => 'one');
my $strange = rule(metric => 'ctr', tenant => 'two');
$stack->query('postgres', "UPDATE kaireon.alert_rules SET metric = 'error_rate' WHERE id = '$strange'");
rule(metric => 'revenue', tenant => 'two');
interaction(1, conversion_value => 30);
interaction(1, conversion_value => '1e308', tenant => 'two') for 1, 2;
ages($_, 60) for $rule, $patient;
$tick = tick();
is_deeply([@{ $tick->{alerts} }{qw(unsupported deliveryFailed)}], [1, 1], 'an unknown metric and a deaf receiver are counted');
is(seen($deaf)->{status}, 'delivery_failed', 'the rule says so');
is(seen($strange, 'two')->{status}, 'unsupported', 'the other too');
is($tick->{ok}, JSON::PP::false, 'the tick is not ok');
is_deeply([map { "$_->{tenantId} $_->{kind}" } @{ $tick->{errors} }], ['two alert'], 'one tenant could not be evaluated');
is($tick->{alerts}{fired}, 2, "the others' rules were");
is(tick()->{alerts}{fired}, 0, 'and stay told');
is(seen($deaf)->{status}, 'delivery_failed', 'that nobody took it is not forgotten');
$stack->query('postgres', "DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL; DELETE FROM kaireon.alert_rules");

# a suspended tenant is left alone
my $asleep = rule(threshold => 20, channels => [provider('/ok/two', 'two')], tenant => 'two');
interaction(1, conversion_value => 30, tenant => 'two');
$stack->ctl('tenant', 'suspend', '--id', 'two');
is_deeply([@{ tick() }{qw(tenants)}, tick()->{alerts}{evaluated}], [1, 0], 'a suspended tenant is not evaluated');
$stack->ctl('tenant', 'resume', '--id', 'two');
is(tick()->{alerts}{fired}, 1, 'and is when it is back');
$stack->query('postgres', "DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL; DELETE FROM kaireon.alert_rules");

# changed while it is being evaluated: what was seen was another rule
my $edited = rule(threshold => 20, channels => [$hook]);
interaction(1, conversion_value => 30);
open my $editor, '|-', 'psql', '-qX', '-o', '/dev/null', '-h', "$stack->{dir}/sock", '-U', 'postgres', '-d', 'kaireon' or die $!;
$editor->autoflush(1);
my $update = join '', grep { !/^--/ } split /^/, $stack->slurp("$stack->{source}/sql/stmt/alert_update.sql");
print $editor "SET application_name = 'editor'; BEGIN; SELECT kaireon.tenant_set('one'); PREPARE u (text, jsonb) AS $update\n",
	qq{EXECUTE u ('$edited', '{"name": "r", "metric": "revenue", "operator": "gt", "threshold": 20, "windowMinutes": 5, "channels": ["$hook"], "cooldownMinutes": 1,
		"forMinutes": 10, "notifyResolved": true, "enabled": true}');\n};
$stack->wait_for('the change', sub { $stack->query('postgres', q{SELECT state FROM pg_stat_activity WHERE application_name = 'editor'}) eq 'idle in transaction' });
my $evaluation = fork // die $!;
if (!$evaluation) {
	eval { $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} }) };
	POSIX::_exit(0);
}
$stack->wait_for('an evaluation that would fire it', sub { $stack->query('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%alert_move%'}) });
print $editor "COMMIT;\n";
close $editor;
waitpid $evaluation, 0;
is($stack->owner("SELECT count(*) FROM kaireon.alert_events WHERE rule_id = '$edited'"), 0, 'a rule that was changed meanwhile does not fire');
is(tick()->{alerts}{pending}, 1, 'the next tick sees it as it is now');

# what was told is kept for a while, the last of a rule for longer, a held tenant's for good
ages($edited, 11);
tick();
$stack->query('postgres', 'DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL');
tick();
sub events_after_cleanup {
	my $cleaned = $stack->request('GET', '/api/v1/cron/cleanup', headers => { X_CRON_SECRET => $stack->{settings}{CRON_SECRET} });
	is($cleaned->{json}{ok}, JSON::PP::true, 'a cleanup') or diag $cleaned->{body};
	return $stack->owner("SELECT string_agg(kind, ' ' ORDER BY kind) FROM kaireon.alert_events WHERE rule_id = '$edited'");
}
$stack->owner("UPDATE kaireon.alert_events SET created_at = now() - interval '399 days'");
is(events_after_cleanup(), 'fired resolved', 'what was told is kept for a year');
$stack->owner("UPDATE kaireon.alert_events SET created_at = now() - interval '401 days'");
$stack->ctl('tenant', 'hold', '--id', 'one');
is(events_after_cleanup(), 'fired resolved', 'longer under a hold');
$stack->ctl('tenant', 'hold', '--id', 'one', '--off');
is(events_after_cleanup(), 'resolved', 'and then but the last');
$stack->query('postgres', 'DELETE FROM kaireon.alert_rules');

# a hundred ticks at once around a firing and a resolve, and kills
$receiver->forget;
my @law = map { rule(threshold => 20, channels => [$hook], cooldownMinutes => 600) } 1 .. 5;
my $trials = $ENV{KRN_TICK_TRIALS} || 2;

# ticks from children, some of whose processes die; how many were answered
sub storm {
	my ($kills) = @_;
	my @children;
	for my $child (1 .. 10) {
		my $pid = fork // die $!;
		if (!$pid) {
			for (1 .. 10) { eval { $stack->request('POST', '/api/cron/tick', headers => { X_CRON_TOKEN => $stack->{settings}{CRON_TOKEN} }) } }
			POSIX::_exit(0);
		}
		push @children, $pid;
	}
	for my $kill (1 .. $kills) {
		sleep 0.05 + rand 0.1;
		my @names = grep { /^cron\d/ } sort keys %{ $stack->{pids} };
		my $name = $names[rand @names];
		kill 'KILL', $stack->{pids}{$name};
		waitpid $stack->{pids}{$name}, 0;
		my $socket = IO::Socket::UNIX->new_from_fd($stack->{listening}->fileno, '+<') if $stack->{listening};
		$stack->spawn($name, $stack->{listening}, "$stack->{build}/kaireon-fcgi", '--pool', 'cron');
	}
	waitpid $_, 0 for @children;
}

for my $trial (1 .. $trials) {
	# the pool's socket stays open here, so that a killed process has a successor
	$stack->stop($_) for grep { /^cron\d/ } keys %{ $stack->{pids} };
	unlink "$stack->{dir}/cron.sock";
	$stack->{listening} = IO::Socket::UNIX->new(Local => "$stack->{dir}/cron.sock", Listen => 128) or die $!;
	chmod 0777, "$stack->{dir}/cron.sock";
	$stack->spawn("cron$_", $stack->{listening}, "$stack->{build}/kaireon-fcgi", '--pool', 'cron') for 1 .. 4;
	interaction(1, conversion_value => 30);
	storm(6);
	tick();
	$stack->query('postgres', 'DELETE FROM kaireon.interaction_history WHERE conversion_value IS NOT NULL');
	storm(6);
	tick();
	for my $what (qw(fired resolved)) {
		is($stack->owner("SELECT string_agg(n::text, ' ') FROM (SELECT count(e.id) AS n FROM kaireon.alert_rules AS r LEFT JOIN kaireon.alert_events AS e
			ON e.rule_id = r.id AND e.kind = '$what' GROUP BY r.id) AS x"), join(' ', ($trial) x 5), "each rule $what exactly once in trial $trial");
	}
	is($stack->owner(q{SELECT count(*) FROM (SELECT e.id FROM kaireon.alert_events AS e LEFT JOIN kaireon.outbox_events AS o ON o.source_id = e.id
		WHERE e.kind <> 'test' GROUP BY e.id HAVING count(o.id) <> 1) AS x}), 0, 'and each has one delivery');
	$stack->owner("UPDATE kaireon.alert_rules SET last_fired_at = last_fired_at - interval '1 day'");
}
$stack->wait_for('the deliveries', sub { tick(); $stack->owner("SELECT count(*) FROM kaireon.outbox_events WHERE status IN ('pending', 'processing') AND provider_id = '$hook'") == 0 });
my %of_law = map { ($_ => 1) } @law;
my %keys = map { ($_ => 1) } grep { $of_law{ (split /:/)[0] } } map { $_->{headers}{'idempotency-key'} } $receiver->taken;
is(scalar keys %keys, 10 * $trials, 'every transition arrived, under its own key');
close $stack->{listening};

$receiver->stop;
$stack->end;
done_testing;
