#!/usr/bin/perl
# Runs: against an independent SQL formulation of the rules, under kills, and
# what the export makes of them.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep);

use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 200 });
my $key = $stack->tenant('one');
$stack->pool('api', 1)->pool('cron', 1);
$stack->spew("$stack->{dir}/c.csv", $stack->ctl('demo', 'customers', '--count', 3000, '--seed', 7));
my $import = decode_json($stack->ctl('--json', 'import', '--tenant', 'one', '--schema', 'customers', '--id-column',
	'customer_id', "$stack->{dir}/c.csv"));
is($import->{rows}, 3000, 'customers are imported');
my $bundle = $stack->slurp("$stack->{source}/doc/demo/bundle.yaml");
my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $key->{admin}, type => 'application/yaml', body => $bundle);
is($applied->{status}, 200, 'the demo bundle is applied') or diag $applied->{body};
my $flow = $stack->owner('SELECT id FROM kaireon.decision_flows');
my $segment = decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', 'one', '--name', 'Working age',
	'--schema', 'customers', '--where', 'age:gte:18', '--where', 'age:lte:65'));

sub campaign {
	my (%field) = @_;
	my $made = $stack->request('POST', '/api/v1/runs', key => $key->{editor},
		body => { decisionFlowId => $flow, segmentId => $segment->{id}, %field });
	is($made->{status}, 201, 'a campaign is created') or diag $made->{body};
	return $made->{json}{id};
}

sub trigger {
	my ($campaign) = @_;
	my $run = $stack->request('POST', "/api/v1/runs/$campaign/campaign-runs", key => $key->{editor});
	is($run->{status}, 201, 'a run is triggered') or diag $run->{body};
	return $run->{json}{id};
}

sub finished {
	my ($campaign, $run) = @_;
	my $answer;
	$stack->wait_for("run $run", sub {
		$answer = $stack->request('GET', "/api/v1/runs/$campaign/campaign-runs/$run", key => $key->{viewer})->{json};
		$answer->{status} !~ /pending|running/;
	}, 60);
	return $answer;
}

sub file_of {
	my ($run) = @_;
	return $stack->slurp("$stack->{settings}{RUN_FILE_DIR}/" . $run->{summary}{file}{path});
}

my $schema = 't_one.ds_customers';
# the rules of doc/demo/bundle.yaml once more, as SQL over the customers
my $expected = qq{
	WITH customer AS (SELECT * FROM $schema WHERE age BETWEEN 18 AND 65),
	offer AS (SELECT o.name, o.id, o.priority, o.business_value, c.name AS category FROM kaireon.offers AS o
	          JOIN kaireon.categories AS c ON c.id = o.category_id),
	pair AS (SELECT k.customer_id, o.*, CASE WHEN k.job IN ('admin.', 'management', 'technician') THEN 1 ELSE 0.6 END AS fit,
	                k.default1 = 'no' AND (o.category <> 'loans' OR k.balance >= 500) AND (o.category <> 'cards' OR k.age >= 25) AS good
	         FROM customer AS k CROSS JOIN offer AS o),
	ranked AS (SELECT p.*, row_number() OVER (PARTITION BY customer_id ORDER BY
	               power(0.5::float8, 0.2::float8) * power(fit::float8, 0.3::float8) * power(business_value / 100, 0.3::float8) * power(priority / 100.0::float8, 0.2::float8) DESC,
	               priority DESC, name COLLATE "C") AS place FROM pair AS p WHERE good)
};

# an undisturbed run without limits: exactly what SQL says
$stack->worker;
my $first = campaign(name => 'No limits', fileConfig => { format => 'csv', destination => 'download',
	columns => [qw(customer_id rank offer_name channel score attr.age)] });
my $run = finished($first, trigger($first));
is($run->{status}, 'completed', 'the run is completed') or diag encode_json($run);
is($run->{summary}{customersProcessed}, $segment->{customerCount}, 'every customer of the segment');
is($stack->query("kaireon_worker", "$expected SELECT count(*) FROM ranked WHERE place = 1"), $run->{summary}{decisions}, 'as many decisions as SQL finds');
is($stack->query("kaireon_worker", "$expected SELECT count(*) * 2 FROM pair WHERE NOT good"), $run->{summary}{droppedBy}{qualification}, 'as many pairs dropped');
is($stack->query("kaireon_worker", "$expected SELECT count(*) FROM ranked AS r JOIN kaireon.campaign_run_results AS l
	ON l.customer_id = r.customer_id AND l.run_id = '$run->{id}' AND l.rank = 1 AND l.status = 'selected'
	WHERE r.place = 1 AND l.offer_id = r.id"), $run->{summary}{decisions}, 'the same offer for each customer');
is($stack->owner("SELECT count(DISTINCT customer_id) FROM kaireon.campaign_run_results WHERE run_id = '$run->{id}'"),
	$segment->{customerCount}, 'the ledger has each customer');
is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$run->{id}'
	AND interaction_type = 'impression' AND direction = 'outbound' AND outcome IS NULL"), $run->{summary}{decisions}, 'one interaction a decision');
my $file = file_of($run);
is(sha256_hex($file), $run->{summary}{file}{sha256}, 'the file is what the summary says');
my @lines = split /\r\n/, $file;
is($lines[0], 'customer_id,rank,offer_name,channel,score,attr.age', 'the header');
is(scalar @lines - 1, $run->{summary}{decisions}, 'a line a decision');
is_deeply([map { (split /,/)[0] } @lines[1 .. $#lines]], [sort map { (split /,/)[0] } @lines[1 .. $#lines]], 'in byte order of the customers');
like($file, qr/,email,/, 'by e-mail');

# the same again: e-mail rests, so letters go out
my $second = finished($first, trigger($first));
unlike(file_of($second), qr/,email,/, 'a second run on the same day writes letters: the cooldown holds');
my $third = finished($first, trigger($first));
is($third->{summary}{decisions}, 0, 'a third one finds the weekly cap reached');
is($stack->request('GET', "/api/v1/runs/$first", key => $key->{viewer})->{json}{runCount}, 3, 'three runs are counted');

# limits
$stack->owner('TRUNCATE kaireon.interaction_history');
my $limited = campaign(name => 'Limits', volumeConstraints => { maxTotalPerRun => 900, maxPerOffer => 250, maxPerChannel => 5000 });
my $bounded = finished($limited, trigger($limited));
is($bounded->{status}, 'completed', 'a run with limits');
cmp_ok($bounded->{summary}{decisions}, '<=', 900, 'the total holds');
cmp_ok($stack->owner("SELECT max(n) FROM (SELECT count(*) AS n FROM kaireon.campaign_run_results
	WHERE run_id = '$bounded->{id}' AND status = 'selected' GROUP BY offer_id) AS x"), '<=', 250, 'the limit an offer holds');
is($stack->owner("WITH l AS (SELECT * FROM kaireon.campaign_run_results WHERE run_id = '$bounded->{id}' AND rank > 0),
	given AS (SELECT * FROM l WHERE status = 'selected')
	SELECT count(*) FROM l WHERE status <> 'selected'
	  AND NOT EXISTS (SELECT FROM given AS g WHERE g.customer_id = l.customer_id)
	  AND (SELECT count(*) FROM given) < 900
	  AND (SELECT count(*) FROM given AS g WHERE g.offer_id = l.offer_id) < 250"), 0, 'and none has room for a candidate that was skipped');

# kills: the same file, whatever happens
my $want = file_of($bounded);
$want =~ s/\r\n//g;
for my $trial (1 .. ($ENV{KRN_RUN_TRIALS} || 6)) {
	$stack->owner('TRUNCATE kaireon.interaction_history');
	my $id = trigger($limited);
	for my $kill (1 .. 4) {
		sleep 0.01 + rand 0.12;
		$stack->stop($_, 'KILL') for grep { /worker/ } keys %{ $stack->{pids} };
		$stack->worker("worker$_") for 1 .. 1 + $trial % 2;
	}
	my $again = finished($limited, $id);
	my $got = file_of($again);
	$got =~ s/\r\n//g;
	ok($got eq $want, "trial $trial: the file is that of the undisturbed run");
	is($stack->owner("SELECT count(*) FROM kaireon.interaction_history WHERE campaign_run_id = '$id'"),
		$again->{summary}{decisions}, 'interactions are the decisions');
	is($stack->owner("SELECT count(*) - count(DISTINCT customer_id) FROM kaireon.campaign_run_results WHERE run_id = '$id' AND rank <= 1"), 0,
		'nobody twice');
}
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'no job is left');

# what cannot succeed says why
$stack->owner("DROP VIEW t_one.$segment->{viewName}");
$stack->announce(qr/job failed.*view is gone/);
my $failed = finished($limited, trigger($limited));
is($failed->{status}, 'failed', 'a run without its view fails');
like($failed->{error}, qr/view is gone/, 'with a reason');
is($stack->owner('SELECT count(*) FROM kaireon.dead_letter_events'), 1, 'and a dead letter');

# the export: every row once, also when it is killed in the middle of a file
$stack->owner('TRUNCATE kaireon.interaction_history');
my $insert = q{INSERT INTO kaireon.interaction_history (tenant_id, id, customer_id, interaction_type, direction, created_at, context)
	SELECT 'one', 'ih_' || i, 'cust "' || i, 'impression', 'outbound', now(), '{"a": [1, "x\ty"]}' FROM generate_series(%d, %d) AS i};
$stack->owner(sprintf $insert, 1, 60000);
my $cron = '/api/v1/cron/export-interactions';
my %secret = (headers => { X_CRON_SECRET => 'cron-secret' });
$stack->stop('cron1');
for my $trial (1 .. 5) {
	$stack->{settings}{EXPORT_MAX_ROWS} = 7000;
	$stack->pool('cron', 1);
	my $pid = fork // die;
	if (!$pid) { eval { $stack->request('GET', "$cron?drain=true", %secret) }; POSIX::_exit(0) }
	sleep 0.02 + rand 0.1;
	$stack->stop('cron1', 'KILL');
	waitpid $pid, 0;
}
$stack->pool('cron', 1);
my $export = $stack->wait_for('the lock of the killed session', sub {
	my $answer = $stack->request('GET', "$cron?drain=true", %secret)->{json};
	$answer && !$answer->{skipped} && $answer;
});
ok($export->{ok}, 'the export is ok') or diag encode_json($export);
my (%seen, $twice);
for my $path (grep { !m{/_manifest/} } split /\n/, `find $stack->{dir}/data/exports -type f`) {
	like($path, qr{/exports/one/interaction_history/year=\d{4}/month=\d\d/day=\d\d/batch-[\dTZ-]+\.json$}, 'a file of the layout') unless $path =~ /\.json$/;
	for my $line (split /\n/, $stack->slurp($path)) {
		my $row = decode_json($line);
		$twice++ if $seen{ $row->{id} }++;
	}
}
is(scalar keys %seen, 60000, 'every row is in a file');
is($twice // 0, 0, 'and none twice');
is(`find $stack->{dir}/data/exports -name '*.tmp'`, '', 'no temporary file is left');
is($export->{tenants}[0]{hasMore}, JSON::PP::false, 'nothing more');

$stack->end;
done_testing;
