package Kaireon::Campaign;

# A tenant of a Kaireon::Stack that is ready to run campaigns: customers, the
# demo configuration and a segment of all customers.
#
#	my $demo = Kaireon::Campaign->new($stack, 'one', csv => $text);
#	my $id = $demo->campaign(name => 'x');
#	my $run = $demo->finished($id, $demo->trigger($id));

use strict;
use warnings;

use JSON::PP;
use Test::More;

# The columns that the demo configuration knows.
our $HEADER = 'customer_id,age,job,marital,education,default1,balance,housing,loan';

sub new {
	my ($class, $stack, $tenant, %option) = @_;
	my $self = bless { stack => $stack, tenant => $tenant, key => $stack->tenant($tenant) }, $class;
	my $csv = $option{csv} // $stack->ctl('demo', 'customers', '--count', $option{count} || 100, '--seed', 7);
	$stack->ctl('import', '--tenant', $tenant, '--schema', 'customers', '--id-column', 'customer_id',
		$stack->spew("$stack->{dir}/$tenant.csv", $csv));
	my $applied = $stack->request('POST', '/api/v1/gitops/apply?dryRun=false', key => $self->{key}{admin},
		type => 'application/yaml', body => $stack->slurp("$stack->{source}/doc/demo/bundle.yaml"));
	die "$applied->{status}: $applied->{body}" if $applied->{status} != 200;
	$self->{flow} = $stack->owner("SELECT id FROM kaireon.decision_flows WHERE tenant_id = '$tenant'");
	$self->{segment} = decode_json($stack->ctl('--json', 'segment', 'create', '--tenant', $tenant,
		'--name', 'Everybody', '--schema', 'customers'));
	return $self;
}

sub get {
	my ($self, $path) = @_;
	return $self->{stack}->request('GET', "/api/v1/runs$path", key => $self->{key}{viewer});
}

sub post {
	my ($self, $path, $body) = @_;
	return $self->{stack}->request('POST', "/api/v1/runs$path", key => $self->{key}{editor},
		$body ? (body => $body) : ());
}

sub fields {
	my ($self, %field) = @_;
	return { decisionFlowId => $self->{flow}, segmentId => $self->{segment}{id}, %field };
}

sub campaign {
	my ($self, %field) = @_;
	my $made = $self->post('', $self->fields(%field));
	is($made->{status}, 201, 'a campaign is created') or diag $made->{body};
	return $made->{json}{id};
}

sub trigger {
	my ($self, $campaign) = @_;
	my $run = $self->post("/$campaign/campaign-runs");
	is($run->{status}, 201, 'a run is triggered') or diag $run->{body};
	return $run->{json}{id};
}

# The run when it has ended.
sub finished {
	my ($self, $campaign, $run) = @_;
	return $self->{stack}->wait_for("the end of run $run", sub {
		my $answer = $self->get("/$campaign/campaign-runs/$run")->{json};
		($answer->{status} // 'pending') !~ /^(?:pending|running)$/ && $answer;
	}, 60) || {};
}

sub file {
	my ($self, $run) = @_;
	return $self->{stack}->slurp("$self->{stack}{settings}{RUN_FILE_DIR}/$run->{summary}{file}{path}");
}

# What the owner's SQL says of a run's ledger.
sub ledger {
	my ($self, $run, $columns, $where) = @_;
	return $self->{stack}->owner("SELECT $columns FROM kaireon.campaign_run_results WHERE run_id = '$run'"
		. ($where ? " AND $where" : ''));
}

# What holds of every complete run, whatever happened to it: limits are those
# of its campaign, max how many decisions a customer may have.
sub laws {
	my ($self, $run, %option) = @_;
	my ($id, $stack, $view) = ($run->{id}, $self->{stack}, "t_$self->{tenant}.$self->{segment}{viewName}");
	my $max = $option{max} || 1;
	my $ledger = "(SELECT * FROM kaireon.campaign_run_results WHERE run_id = '$id') AS l";
	my $apart = sub {
		my ($one, $other) = @_;
		return $stack->query('postgres', "SELECT count(*) FROM (($one EXCEPT ALL $other) UNION ALL ($other EXCEPT ALL $one)) AS x");
	};
	is($apart->("SELECT customer_id FROM $ledger WHERE rank <= 1", "SELECT customer_id FROM $view"), 0, 'the ledger is the segment, each customer once');
	is($self->ledger($id, 'count(*)', "(rank = 0) <> (status IN ('none', 'error'))"), 0, 'who has nothing has rank 0, and nobody else');
	is($stack->owner("SELECT count(*) FROM (SELECT FROM $ledger GROUP BY customer_id HAVING max(rank) <> count(*) AND max(rank) > 0 OR min(rank) = 0 AND count(*) > 1) AS x"), 0,
		'ranks have no gap');
	is($apart->("SELECT customer_id, rank, offer_id, channel_id, creative_id, score FROM $ledger WHERE status = 'selected'",
		"SELECT customer_id, rank, offer_id, channel_id, creative_id, score FROM kaireon.interaction_history WHERE campaign_run_id = '$id'"), 0,
		'interactions are the selected decisions');
	# what each limit counts
	my %column = (maxTotalPerRun => 'total', maxPerOffer => 'per_offer', maxPerChannel => 'per_channel');
	my %limit = %{ $option{limits} || {} };
	my $counts = "WITH l AS (SELECT * FROM kaireon.campaign_run_results WHERE run_id = '$id'),
		n AS (SELECT p.*, (SELECT count(*) FROM l AS s WHERE s.status = 'selected') AS total,
		             (SELECT count(*) FROM l AS s WHERE s.status = 'selected' AND s.offer_id = p.offer_id) AS per_offer,
		             (SELECT count(*) FROM l AS s WHERE s.status = 'selected' AND s.channel_id = p.channel_id) AS per_channel
		      FROM (SELECT DISTINCT offer_id, channel_id FROM l WHERE rank > 0) AS p),
		has AS (SELECT customer_id, count(*) FILTER (WHERE status = 'selected') AS nr FROM l GROUP BY customer_id)";
	is($stack->owner("$counts SELECT count(*) FROM n WHERE $column{$_} > $limit{$_}"), 0, "$_ is not exceeded") for sort keys %limit;
	my $room = join ' AND ', 'true', map { "n.$column{$_} < $limit{$_}" } sort keys %limit;
	is($stack->owner("$counts SELECT count(*) FROM l JOIN n USING (offer_id, channel_id) JOIN has USING (customer_id)
		WHERE l.status = 'dropped' AND has.nr < $max AND $room"), 0, 'no limit has room for a candidate of a customer who has room');
	is($stack->owner("SELECT count(*) FROM (SELECT FROM $ledger WHERE status = 'selected' GROUP BY customer_id HAVING count(*) > $max) AS x"), 0, 'nobody has more than may be');
	is($run->{summary}{file}{rows}, $self->ledger($id, 'count(*)', "status = 'selected'"), 'the file has a row for each decision');
	is($run->{progress}{processed}, $self->{segment}{customerCount}, 'each customer is counted once');
	return;
}

1;
