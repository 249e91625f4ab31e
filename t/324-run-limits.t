#!/usr/bin/perl
# Decisions that wait for the volume limits: they are gone when the run has
# ended, in whatever way; a run does not end before they are in the ledger; and
# what a worker of an earlier version did of it is done anew.
use strict;
use warnings;

use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new(settings => { RUN_CHUNK_CUSTOMERS => 100 });
$stack->pool('api', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 450);
my %limits = (maxTotalPerRun => 90, maxPerOffer => 40);
my $id = $one->campaign(volumeConstraints => \%limits);
my $packs = 'SELECT count(*) FROM kaireon.campaign_run_packs';

$stack->worker;
my $calm = $one->finished($id, $one->trigger($id));
is($calm->{status}, 'completed', 'an undisturbed run');
is($calm->{summary}{decisions}, 90, 'with as much as its limit');
$one->laws($calm, limits => \%limits);
is($stack->owner($packs), 0, 'no decisions wait after its end');
is($stack->owner("SELECT chunks_recorded = chunks FROM kaireon.campaign_runs WHERE id = '$calm->{id}'"), 't', 'each chunk was recorded');

# from now on jobs of a kind are held until they are let go
$stack->owner(<<'SQL');
CREATE TABLE kaireon.held_kind (kind text);
-- the step record has jobs of kind allocate
CREATE FUNCTION kaireon.job_step(kind text, payload jsonb) RETURNS text LANGUAGE sql
	RETURN CASE WHEN kind = 'run_allocate' AND payload ? 'chunk' THEN 'run_record' ELSE kind END;
CREATE FUNCTION kaireon.job_hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	IF EXISTS (SELECT FROM kaireon.held_kind AS h WHERE h.kind = kaireon.job_step(NEW.kind, NEW.payload)) THEN
		NEW.run_at := 'infinity';
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER hold BEFORE INSERT ON kaireon.jobs FOR EACH ROW EXECUTE FUNCTION kaireon.job_hold();
SQL

# a run whose next step is of this kind, and held
sub run_before {
	my ($kind) = @_;
	$stack->owner('DELETE FROM kaireon.interaction_history');
	$stack->owner("INSERT INTO kaireon.held_kind VALUES ('$kind')");
	my $run = $one->trigger($id);
	$stack->wait_for("a held $kind", sub { $stack->owner("SELECT count(*) > 0 FROM kaireon.jobs WHERE kaireon.job_step(kind, payload) = '$kind' AND run_at = 'infinity'") eq 't' });
	$stack->owner('DELETE FROM kaireon.held_kind');
	return $run;
}

sub let_go {
	$stack->owner("UPDATE kaireon.jobs SET run_at = now() WHERE run_at = 'infinity'; NOTIFY kaireon_jobs");
	return;
}

for my $kind (qw(run_allocate run_record)) {
	my $run = run_before($kind);
	is($stack->owner($packs), 5, "before $kind the decisions of each chunk wait");
	is($one->ledger($run, 'count(*)'), 0, 'and the ledger is empty');
	my ($status, $refused) = $stack->try_query('kaireon_worker', "UPDATE kaireon.campaign_runs SET step = 'finish' WHERE id = '$run'");
	isnt($status, 0, 'the run cannot come to its end');
	like($refused, qr/not in its ledger yet/, 'since its decisions are not there');
	let_go();
	my $done = $one->finished($id, $run);
	is($done->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'let go it comes to the same file');
	$one->laws($done, limits => \%limits);
	is($stack->owner($packs), 0, 'and no decisions wait');

	$run = run_before($kind);
	is($one->post("/$id/campaign-runs/$run/cancel")->{status}, 202, "cancelled before $kind");
	$stack->wait_for('decisions of the cancelled run go', sub { $stack->owner($packs) == 0 });
	is($stack->owner("SELECT count(*) FROM kaireon.jobs WHERE run_at = 'infinity'"), 0, 'and its jobs');

	$run = run_before($kind);
	$stack->owner("UPDATE kaireon.campaign_runs SET config = config - 'flow' WHERE id = '$run'");
	let_go();
	is($one->finished($id, $run)->{status}, 'failed', "failed at $kind");
	$stack->wait_for('decisions of the failed run go', sub { $stack->owner($packs) == 0 });
}

# a pack that is damaged is no reason to guess
my $damaged = run_before('run_record');
$stack->owner("UPDATE kaireon.campaign_run_packs SET decisions = substr(decisions, 1, 20) WHERE chunk = 1; UPDATE kaireon.jobs SET max_attempts = 1");
let_go();
my $failed = $one->finished($id, $damaged);
is($failed->{status}, 'failed', 'damaged decisions fail the run');
like($failed->{error}, qr/log says why/, 'with a reason');
is($one->get("/$id/campaign-runs/$damaged")->{json}{summary}, undef, 'and no result');
$stack->wait_for('the rest goes', sub { $stack->owner($packs) == 0 });

# whoever is erased is not kept in what waits for its removal
my $left = run_before('run_allocate');
$stack->owner("INSERT INTO kaireon.held_kind VALUES ('run_discard')");
is($one->post("/$id/campaign-runs/$left/cancel")->{status}, 202, 'cancelled once more');
is($stack->owner($packs), 5, 'and nobody has removed what it left');
is($stack->request('POST', '/api/v1/gdpr/erasure', key => $one->{key}{admin}, body => { customerId => 'nobody' })->{status}, 200, 'an erasure');
is($stack->owner($packs), 0, 'removes it');
$stack->owner('DELETE FROM kaireon.held_kind');
let_go();

# decisions of a run that begins anew are of another plan: none is used
my $anew = run_before('run_allocate');
$stack->owner("UPDATE kaireon.jobs SET max_attempts = 1; UPDATE kaireon.campaign_runs SET config = config - 'flow' WHERE id = '$anew'; INSERT INTO kaireon.held_kind VALUES ('run_discard')");
let_go();
is($one->finished($id, $anew)->{status}, 'failed', 'a run that failed');
is($stack->owner($packs), 5, 'has left its decisions');
my $letter = $stack->owner("SELECT id FROM kaireon.dead_letter_events WHERE payload ->> 'runId' = '$anew'");
is($stack->request('POST', '/api/v1/admin/dlq', key => $one->{key}{admin}, body => { action => 'retry', eventIds => [$letter] })->{status}, 200, 'and begins anew');
$stack->owner('DELETE FROM kaireon.held_kind');
is($one->finished($id, $anew)->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'it comes to the same file');
let_go();

# a job whose decisions are gone, or were settled for fewer, fails loudly
for my $case (['are gone' => 'DELETE FROM kaireon.campaign_run_packs WHERE chunk = 2'], ['were settled for fewer' => "UPDATE kaireon.campaign_run_allocations SET given = '\\x00' WHERE chunk = 2"]) {
	my ($name, $sql) = @$case;
	my $run = run_before('run_record');
	$stack->owner("$sql; UPDATE kaireon.jobs SET max_attempts = 1");
	let_go();
	is($one->finished($id, $run)->{status}, 'failed', "decisions that $name: failed");
}

# chunk 1 and 3 as an earlier version left them: in the ledger, as without limits
my $mixed = run_before('run_allocate');
$stack->owner(<<"SQL");
INSERT INTO kaireon.campaign_run_results (tenant_id, run_month, run_id, customer_id, rank, status, offer_id, channel_id, creative_id, score, error)
SELECT r.tenant_id, r.run_month, r.id, l.customer_id, l.rank,
       CASE WHEN l.rank = 0 THEN l.status WHEN l.rank = 1 THEN 'selected' ELSE 'dropped' END, l.offer_id, l.channel_id, l.creative_id, l.score, l.error
FROM kaireon.campaign_runs AS r JOIN kaireon.campaign_run_chunks AS k ON k.run_id = r.id AND k.chunk IN (1, 3)
JOIN kaireon.campaign_run_results AS l ON l.run_id = '$calm->{id}' AND l.customer_id BETWEEN k.low AND k.high
WHERE r.id = '$mixed';
DELETE FROM kaireon.campaign_run_packs WHERE chunk IN (1, 3);
SQL
cmp_ok($one->ledger($mixed, 'count(DISTINCT customer_id)'), '==', 200, 'two chunks in the ledger already');
let_go();
my $done = $one->finished($id, $mixed);
is($done->{status}, 'completed', 'the run completes');
is($done->{summary}{file}{sha256}, $calm->{summary}{file}{sha256}, 'with the same file');
$one->laws($done, limits => \%limits);
is($stack->owner($packs), 0, 'no decisions wait');
is($stack->owner('SELECT count(*) FROM kaireon.jobs'), 0, 'no job is left');

# the failures that were made
$stack->announce(qr/job failed.*kind=run_allocate/);
$stack->end;
done_testing;
