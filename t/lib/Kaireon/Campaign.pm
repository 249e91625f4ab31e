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

1;
