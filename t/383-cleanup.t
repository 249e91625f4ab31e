# The cleanup: what goes, what stays, and what the answer says of it.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Cluster;
use Kaireon::Worker;

# the export waits for every open transaction of the cluster: a cluster apart
my $cluster = Kaireon::Cluster->new(private => 1);
my $path = '/api/v1/cron/cleanup';
my ($db, $worker);

sub begin {
	my (%env) = @_;
	$worker->stop if $worker;
	$db = $cluster->clone;
	$worker = Kaireon::Worker->new(db => $db, pool => 'cron', env => {EXPORT_URL => 'file:///nowhere', %env});
}

# $nr interactions of a tenant, from $days days ago on, a second apart
sub interactions {
	my ($tenant, $days, $nr, $prefix) = @_;
	$prefix //= "${days}d";
	$db->do(<<"SQL");
SELECT kaireon.partition_ensure('interaction_history', (m AT TIME ZONE 'UTC')::date)
FROM generate_series(0, 1) AS n, LATERAL (SELECT now() - interval '$days days' + n * interval '$nr seconds' AS m) AS m;
INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at)
SELECT '$tenant', 'int_$prefix' || i, 'c', 'impression', 'outbound', now() - interval '$days days' + i * interval '1 second'
FROM generate_series(1, $nr) AS i;
SQL
}

sub traces {
	my ($tenant, $days, $nr) = @_;
	$db->do(<<"SQL");
SELECT kaireon.partition_ensure('decision_traces', ((now() - interval '$days days') AT TIME ZONE 'UTC')::date);
INSERT INTO kaireon.decision_traces (tenant_id, id, customer_id, created_at)
SELECT '$tenant', 'trc_$days.' || i, 'c', now() - interval '$days days' + i * interval '1 millisecond'
FROM generate_series(1, $nr) AS i;
SQL
}

sub summaries {
	my ($tenant, $days) = @_;
	$db->do(<<"SQL");
INSERT INTO kaireon.interaction_summaries (tenant_id, customer_id, period_type, period_key, period_end)
SELECT '$tenant', 'c', p, '$days', now() - interval '$days days'
FROM unnest('{daily,weekly,monthly,alltime}'::text[]) AS p;
SQL
}

sub retain {
	my ($tenant, $class, $days, $hold) = @_;
	$db->do("UPDATE kaireon.retention_configs SET retention_days = $days, legal_hold = " . ($hold ? 'true' : 'false')
		. " WHERE tenant_id = '$tenant' AND data_class = '$class';");
}

sub rows_of {
	my ($tenant, $table) = @_;
	return $db->value("SELECT count(*) FROM kaireon.${\ ($table // 'interaction_history')} WHERE tenant_id = '$tenant';");
}

sub months { return scalar $db->value("SELECT count(*) FROM pg_inherits WHERE inhparent = 'kaireon.$_[0]'::regclass;") }

# JSON texts that $nr processes get at once
sub at_once {
	my ($nr, $call) = @_;
	my @pipes = map {
		my $pid = open(my $pipe, '-|') // die "fork: $!";
		if (!$pid) {
			print $call->($_);
			close STDOUT;
			POSIX::_exit(0);
		}
		$pipe;
	} 1 .. $nr;
	return map { local $/; JSON::PP->new->utf8->decode(readline $_) } @pipes;
}

subtest 'nothing to do' => sub {
	begin();
	$db->tenant('acme');
	is $worker->get($path)->{status}, 401, 'no secret';
	is $worker->cron("$path?drain=true")->{status}, 400, 'no parameters';
	is_deeply [$db->rows(q{SELECT data_class, retention_days, legal_hold FROM kaireon.retention_configs ORDER BY 1;})],
		[['audit', 2555, 'f'], ['decisions', 90, 'f'], ['interactions', 730, 'f'], ['metrics', 2555, 'f']],
		'a tenant has its four rows from creation';
	$db->do('DROP TABLE ' . join(', ', map { $_->[0] } $db->rows(
		q{SELECT oid::regclass::text FROM pg_class WHERE relispartition AND relkind = 'r'
			AND right(relname, 7) > to_char(now(), 'YYYY_MM');})) . ';');
	my $answer = $worker->cron($path);
	is $answer->{status}, 200, 'status' or diag $answer->{body};
	my $json = $answer->{json};
	like delete $json->{timestamp}, qr/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/, 'timestamp';
	like delete $json->{durationMs}, qr/^\d+$/, 'durationMs';
	is_deeply $json, {
		status => 'ok', ok => JSON::PP::true, skipped => JSON::PP::false, complete => JSON::PP::true,
		cleaned => {expiredSuppressions => 0, interactionHistory => 0, interactionSummaries => 0, decisionTraces => 0,
			oldDailySummaries => 0, partitionsEnsured => 12, partitionsDropped => 0},
		legalHoldSkips => [], perTenantErrors => [], waitingForExport => [], partitionErrors => [],
	}, 'the answer: twelve months were missing';
	is $worker->cron($path)->{json}{cleaned}{partitionsEnsured}, 0, 'and are there now';
	is $db->value(q{SELECT string_agg(n::text, ' ') FROM (SELECT count(*) AS n FROM pg_inherits AS i
		JOIN pg_partitioned_table AS p ON p.partrelid = i.inhparent
		WHERE right(i.inhrelid::regclass::text, 7) > to_char(now(), 'YYYY_MM') GROUP BY i.inhparent) AS m;}), '3 3 3 3',
		'three months ahead of each table';
};

subtest 'retention, tenant by tenant' => sub {
	begin(CLEANUP_BATCH_ROWS => 7);
	$db->tenant($_) for qw(acme brief sleeper);
	$db->do(q{SELECT kaireon.tenant_create('player', 'Player', true, 'UTC');
		UPDATE kaireon.tenants SET status = 'suspended' WHERE tenant_id = 'sleeper';});
	retain('brief', 'interactions', 30);
	for my $tenant (qw(acme brief player sleeper)) {
		interactions($tenant, 731, 20);
		interactions($tenant, 40, 30);
		interactions($tenant, 2, 5);
		traces($tenant, $_, 9) for 91, 89;
		summaries($tenant, $_) for 2556, 2554;
		$db->do(<<"SQL");
INSERT INTO kaireon.suppressions (tenant_id, id, customer_id, scope, expires_at)
SELECT '$tenant', 'sup_' || i, 'c', 'global', CASE WHEN i <= 10 THEN now() - interval '1 second'
       WHEN i = 11 THEN now() + interval '1 hour' END FROM generate_series(1, 12) AS i;
SQL
	}
	retain('player', 'interactions', 1, 1);
	my $answer = $worker->cron($path)->{json};
	is_deeply {%{$answer->{cleaned}}{qw(expiredSuppressions interactionHistory interactionSummaries decisionTraces oldDailySummaries)}},
		{expiredSuppressions => 40, interactionHistory => 20 + 50 + 20, interactionSummaries => 16, decisionTraces => 36,
			oldDailySummaries => 4}, 'what was cleaned';
	is_deeply $answer->{legalHoldSkips}, [{tenantId => 'player', table => 'interaction_history'}], 'a class on hold is listed';
	is_deeply [map { rows_of($_) } qw(acme brief player sleeper)], [35, 5, 55, 35], 'each by its own retention';
	is_deeply [map { rows_of($_, 'suppressions') } qw(acme brief player sleeper)], [2, 2, 2, 2], 'suppressions whatever the retention';
	is_deeply [map { rows_of($_, 'interaction_summaries') } qw(acme sleeper)], [4, 4], 'all four period types';
	is_deeply [map { rows_of($_, 'decision_traces') } qw(acme player)], [9, 9], 'traces';
	is $db->value(q{SELECT count(*) FROM kaireon.interaction_history AS h JOIN kaireon.retention_configs AS c
		ON c.tenant_id = h.tenant_id AND c.data_class = 'interactions' AND NOT c.legal_hold
		WHERE h.created_at < now() - c.retention_days * interval '1 day';}), 0, 'nothing is left that should have gone';
	is_deeply [$db->rows(q{SELECT table_name, sum(purged_rows), sum(exported_rows) FROM kaireon.purge_marks
		WHERE tenant_id = 'brief' GROUP BY 1 ORDER BY 1;})],
		[['decision_traces', 9, 0], ['interaction_history', 50, 0], ['interaction_summaries', 4, 0]], 'a purge leaves its marks';
	is $db->value(q{SELECT count(*) FROM kaireon.purge_marks AS m WHERE purged_before > now()}), 0, 'not of what is to come';
	is_deeply [$db->rows(q{SELECT tenant_id, result->'suppressions'->>'purged' FROM kaireon.cron_run_tenants ORDER BY 1;})],
		[map { [$_, 10] } qw(acme brief player sleeper)], 'the ledger has each tenant\'s part';
	unlike $db->value('SELECT totals FROM kaireon.cron_runs;'), qr/player/, 'its totals name no tenant';
	is_deeply [$db->rows('SELECT runs, failures, rows_total, last_success_at IS NOT NULL FROM kaireon.cron_jobs;')],
		[[1, 0, 40 + 90 + 16 + 36, 't']], 'what the metrics count';
	is_deeply [@{$worker->cron($path)->{json}{cleaned}}{qw(interactionHistory expiredSuppressions)}], [0, 0], 'once';
	is $db->value('SELECT count(*) FROM kaireon.cron_run_tenants;'), 4 + 1, 'who has nothing to tell has no part';
};

subtest 'holds' => sub {
	begin();
	$db->tenant($_) for qw(acme held);
	for my $tenant (qw(acme held)) {
		interactions($tenant, 731, 10);
		traces($tenant, 91, 10);
		summaries($tenant, 2556);
	}
	$db->do(q{UPDATE kaireon.tenants SET legal_hold = true WHERE tenant_id = 'held';});
	retain('acme', 'decisions', 90, 1);
	my $answer = $worker->cron($path)->{json};
	is_deeply $answer->{legalHoldSkips}, [{tenantId => 'acme', table => 'decision_traces'},
		map { {tenantId => 'held', table => $_} } qw(interaction_history interaction_summaries decision_traces)], 'each is listed';
	ok $answer->{ok}, 'and is no failure';
	is_deeply [map { rows_of('held', $_) } qw(interaction_history interaction_summaries decision_traces)], [10, 4, 10], 'nothing of the tenant went';
	is_deeply [map { rows_of('acme', $_) } qw(interaction_history interaction_summaries decision_traces)], [0, 0, 10], 'nothing of the class';
	$db->do(q{UPDATE kaireon.tenants SET legal_hold = false;});
	is $worker->cron($path)->{json}{cleaned}{interactionHistory}, 10, 'lifted, it goes';
};

subtest 'months' => sub {
	begin();
	$db->tenant($_) for qw(acme long);
	retain('long', 'interactions', 36500);
	interactions('acme', 900, 100, 'a');
	interactions('acme', 1000, 50, 'b');
	interactions('long', 1000, 1, 'c');
	traces('acme', 200, 10);
	my ($before, $traces) = (months('interaction_history'), months('decision_traces'));
	my $answer = $worker->cron($path)->{json};
	cmp_ok $answer->{cleaned}{partitionsDropped}, '>=', 2, 'a month that nobody keeps goes as a whole';
	is $before - months('interaction_history') + $traces - months('decision_traces'), $answer->{cleaned}{partitionsDropped}, 'as often as it is told';
	is_deeply [@{$answer->{cleaned}}{qw(interactionHistory decisionTraces)}], [150, 10], 'its rows count';
	is_deeply [map { rows_of($_) } qw(acme long)], [0, 1], 'the month that somebody keeps is there, without the others\' rows';
	is $db->value(q{SELECT sum(purged_rows) FROM kaireon.purge_marks WHERE table_name = 'interaction_history';}), 150, 'marks for both ways';
	is $db->value(q{SELECT count(*) FROM pg_inherits WHERE inhparent = 'kaireon.interaction_history'::regclass
		AND inhrelid::regclass::text ~ to_char(now() - interval '1 month', 'YYYY_MM');}), 1, 'last month stays, empty as it is';

	# a hold, and a reader that does not go away
	interactions('acme', 900, 10, 'd');
	$db->do(q{UPDATE kaireon.tenants SET legal_hold = true WHERE tenant_id = 'acme';});
	is $worker->cron($path)->{json}{cleaned}{partitionsDropped}, 0, 'a hold keeps the month';
	is rows_of('acme'), 10, 'with its rows';
	is $db->value(q{SELECT dropped FROM kaireon.partition_drop('interaction_history',
		((now() - interval '900 days') AT TIME ZONE 'UTC')::date, false);}, 'worker'), 'f', 'the function itself refuses';
	$db->do(q{UPDATE kaireon.tenants SET legal_hold = false;});
	my $reader = $db->{cluster}->{dir} . '/pg';
	open my $psql, '|-', "psql -qXAt -h $reader -U postgres -d " . $db->name . ' >/dev/null' or die $!;
	$psql->autoflush;
	print {$psql} "BEGIN; SELECT count(*) FROM kaireon.interaction_history;\n";
	sleep 0.01 until $db->value(q{SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND usename = 'postgres';});
	$answer = $worker->cron($path)->{json};
	is_deeply [map { "$_->{table} $_->{error}" } @{$answer->{partitionErrors}}], ['interaction_history the object is busy, try again'],
		'a reader keeps the month from being dropped';
	ok $answer->{ok}, 'which is no failure:';
	is rows_of('acme'), 0, 'its rows go one by one';
	print {$psql} "COMMIT;\n";
	close $psql;
	is $worker->cron($path)->{json}{cleaned}{partitionsDropped}, 1, 'and the empty month the next time';
	unlike $worker->log, qr/Sanitizer/, 'no report';
};

subtest 'what the export has not taken' => sub {
	my $root = File::Temp::tempdir(CLEANUP => 1);
	begin(EXPORT_URL => "file://$root", EXPORT_MAX_ROWS => 10, CLEANUP_WAIT_FOR_EXPORT => 'true', CLEANUP_BATCH_ROWS => 4);
	$db->tenant($_) for qw(acme other);
	interactions('acme', 800, 25);
	interactions('other', 800, 5);
	my $answer = $worker->cron($path)->{json};
	is_deeply $answer->{waitingForExport}, [{tenantId => 'acme', table => 'interaction_history', rows => 25},
		{tenantId => 'other', table => 'interaction_history', rows => 5}], 'is kept and listed';
	is $answer->{cleaned}{interactionHistory}, 0, 'nothing goes';
	is $answer->{cleaned}{partitionsDropped}, 0, 'no month either';
	$worker->cron('/api/v1/cron/export-interactions');
	$answer = $worker->cron($path)->{json};
	is_deeply $answer->{waitingForExport}, [{tenantId => 'acme', table => 'interaction_history', rows => 15}], 'what is exported goes';
	is $answer->{cleaned}{interactionHistory}, 15, 'of both tenants';
	is_deeply [$db->rows(q{SELECT tenant_id, purged_rows, exported_rows FROM kaireon.purge_marks ORDER BY 1;})],
		[['acme', 10, 10], ['other', 5, 5]], 'the marks say that the lake has it';

	# a batch under way stays, also when nothing is waited for
	$worker->stop;
	$worker = Kaireon::Worker->new(db => $db, pool => 'cron', env => {EXPORT_URL => "file://$root", EXPORT_MAX_ROWS => 10});
	$db->do(q{UPDATE kaireon.export_checkpoints AS k SET intent_commit_xid = h.commit_xid, intent_id = h.id,
			intent_at = now(), intent_path = 'exports/acme/interaction_history/later.json'
		FROM (SELECT commit_xid, id FROM kaireon.interaction_history WHERE tenant_id = 'acme'
			ORDER BY commit_xid, id OFFSET 3 LIMIT 1) AS h WHERE k.tenant_id = 'acme';});
	$answer = $worker->cron($path)->{json};
	is_deeply $answer->{waitingForExport}, [{tenantId => 'acme', table => 'interaction_history', rows => 4}], 'a batch under way is kept';
	is rows_of('acme'), 4, 'the rest goes';
	is_deeply [$db->rows(q{SELECT purged_rows, exported_rows FROM kaireon.purge_marks WHERE tenant_id = 'acme';})], [[21, 10]],
		'and the lake does not have it';

	# of another cluster: nobody knows what was exported
	$worker->stop;
	$db->do(q{UPDATE kaireon.export_checkpoints SET system_identifier = '1', intent_path = NULL, intent_id = NULL,
		intent_commit_xid = NULL, intent_at = NULL, commit_xid = '999999999';});
	$worker = Kaireon::Worker->new(db => $db, pool => 'cron', env => {EXPORT_URL => "file://$root", CLEANUP_WAIT_FOR_EXPORT => 'true'});
	is $worker->cron($path)->{json}{waitingForExport}[0]{rows}, 4, 'a checkpoint of another cluster';
};

subtest 'one tenant fails, the others do not' => sub {
	begin();
	$db->tenant($_) for qw(able broken charlie);
	for my $tenant (qw(able broken charlie)) {
		interactions($tenant, 731, 10);
		traces($tenant, 91, 10);
	}
	retain('charlie', 'interactions', 36500, 1);    # nobody drops the month
	retain('charlie', 'decisions', 36500, 1);
	$db->do(<<'SQL');
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN RAISE EXCEPTION 'a secret place %', OLD.id; END $$;
CREATE TRIGGER refuse BEFORE DELETE ON kaireon.interaction_history FOR EACH ROW
	WHEN (OLD.tenant_id = 'broken') EXECUTE FUNCTION public.refuse();
SQL
	my $answer = $worker->cron($path);
	is $answer->{status}, 200, 'still 200';
	is_deeply [@{$answer->{json}}{qw(status)}, $answer->{json}{ok} ? 1 : 0], ['partial', 0], 'partial, and not ok';
	is_deeply $answer->{json}{perTenantErrors}, [{tenantId => 'broken', table => 'interaction_history', error => 'internal error'}],
		'the table that failed is listed';
	unlike $answer->{body}, qr/secret place/, 'without the cause';
	like $worker->log, qr/tenant=broken.*secret place/, 'which the log has';
	is_deeply [map { rows_of($_) } qw(able broken charlie)], [0, 10, 10], 'the others are done';
	is rows_of('broken', 'decision_traces'), 0, 'and its other tables';
	is_deeply [$db->rows('SELECT runs, failures FROM kaireon.cron_jobs;')], [[1, 1]], 'the metrics count it';

	$db->do(q{REVOKE DELETE ON kaireon.interaction_history, kaireon.decision_traces, kaireon.suppressions,
		kaireon.interaction_summaries FROM kaireon_worker;
		DROP TABLE kaireon.audit_logs_} . $db->value(q{SELECT to_char(now() + interval '3 months', 'YYYY_MM');}) . ';');
	$answer = $worker->cron($path)->{json};
	is scalar(@{$answer->{perTenantErrors}}), 3 * 4, 'nothing may be deleted';
	is $answer->{cleaned}{partitionsEnsured}, 1, 'and months are made';
	$db->do(q{REVOKE EXECUTE ON FUNCTION kaireon.partition_ensure(text, date) FROM kaireon_worker;
		GRANT DELETE ON kaireon.interaction_history, kaireon.decision_traces, kaireon.suppressions,
		kaireon.interaction_summaries TO kaireon_worker; DROP TRIGGER refuse ON kaireon.interaction_history;
		DROP TABLE kaireon.audit_logs_} . $db->value(q{SELECT to_char(now() + interval '3 months', 'YYYY_MM');}) . ';');
	$answer = $worker->cron($path)->{json};
	is scalar(@{$answer->{partitionErrors}}), 1, 'a month that cannot be made';
	is_deeply [$answer->{status}, $answer->{ok} ? 1 : 0], ['ok', 0], 'is seen: not ok';
	is $answer->{cleaned}{interactionHistory}, 10, 'and everything else is done';
};

subtest 'a busy host' => sub {
	my $shared = File::Temp::tempdir(CLEANUP => 1);
	begin(METRICS_FILE => "$shared/registry");
	my $api = Kaireon::Worker->new(db => $db, pool => 'api', env => {METRICS_FILE => "$shared/registry"});
	$db->tenant($_) for qw(acme keeper);
	retain('keeper', 'interactions', 36500);
	interactions('keeper', 731, 1);
	$db->do(<<'SQL');
CREATE TABLE kaireon.batches (nr bigint);
CREATE FUNCTION kaireon.note_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = kaireon AS $$
BEGIN
	INSERT INTO batches SELECT count(*) FROM gone;
	PERFORM pg_sleep(0.04);
	RETURN NULL;
END $$;
CREATE TRIGGER note AFTER DELETE ON kaireon.interaction_history REFERENCING OLD TABLE AS gone
	FOR EACH STATEMENT EXECUTE FUNCTION kaireon.note_batch();
SQL
	my $batches = sub {
		$db->do('TRUNCATE kaireon.batches;');
		interactions('acme', 731, 6000);
		is $worker->cron($path)->{json}{cleaned}{interactionHistory}, 6000, 'all of it goes';
		return map { $_->[0] } $db->rows('SELECT nr FROM kaireon.batches WHERE nr > 0;');
	};
	my @quiet = $batches->();
	my $test = $$;
	my @clients = map {
		my $pid = fork // die "fork: $!";
		if (!$pid) {
			$api->get('/healthz') while getppid == $test;
			POSIX::_exit(0);
		}
		$pid;
	} 1 .. 3;
	my @busy = $batches->();
	kill 'KILL', @clients;
	waitpid $_, 0 for @clients;
	cmp_ok scalar(@quiet), '<', 6, "in few batches while nobody asks anything: @quiet";
	cmp_ok scalar(grep { $_ <= 300 } @busy), '>', 9, "and in small ones beside requests: @busy";
	$api->stop;
};

subtest 'a time budget, and calls at once' => sub {
	begin(CRON_BUDGET_SECONDS => 1, CLEANUP_BATCH_ROWS => 1);
	$db->tenant($_) for qw(acme keeper);
	retain('keeper', 'interactions', 36500);
	interactions('keeper', 731, 1);
	interactions('acme', 731, 8000);
	my $answer = $worker->cron($path)->{json};
	is_deeply [map { $answer->{$_} ? 1 : 0 } qw(ok complete)], [1, 0], 'ends early and says so';
	is rows_of('acme'), 8000 - $answer->{cleaned}{interactionHistory}, 'at the end of a batch';
	$worker->stop;
	my @workers = map { Kaireon::Worker->new(db => $db, pool => 'cron', env => {CLEANUP_BATCH_ROWS => 500}) } 1 .. 4;
	my $left = rows_of('acme');
	my @answers = at_once(100, sub { $workers[$_[0] % 4]->cron($path)->{body} });
	is scalar(grep { $_->{ok} } @answers), 100, 'a hundred calls';
	my $sum = 0;
	$sum += $_->{cleaned}{interactionHistory} // 0 for @answers;
	is $sum, $left, 'have one effect';
	is rows_of('acme'), 0, 'all of it';
	is $db->value('SELECT sum(purged_rows) FROM kaireon.purge_marks;'), 8000, 'and it is marked once';
	is $db->value('SELECT count(*) FROM kaireon.cron_runs WHERE NOT skipped OR finished_at IS NOT NULL;'), 101, 'every call has its row';
	$_->stop for @workers;
	undef $worker;
};

done_testing;
