#!/usr/bin/perl
# A run whose file cannot be written says so while it is tried again, and is
# completed when the trouble is over.
use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Campaign;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
# where the folder should be lies a file
$stack->{settings}{RUN_FILE_DIR} = "$stack->{dir}/blocked/runs";
$stack->spew("$stack->{dir}/blocked", 'in the way');
$stack->pool('api', 1);
my $one = Kaireon::Campaign->new($stack, 'one', count => 300);
my $id = $one->campaign;
my $run = $one->trigger($id);
$stack->worker('worker');
my $held = $stack->wait_for('trouble', sub {
	my $now = $one->get("/$id/campaign-runs/$run")->{json};
	$now->{error} && $now;
});
is($held->{status}, 'running', 'a run whose file cannot be written goes on');
is($held->{error}, 'attempt 1 of 25 failed, it will be tried again: the file of the run could not be written', 'and says what is wrong');
unlike($held->{error}, qr{/}, 'without a path');
like($stack->slurp("$stack->{dir}/log/worker.log"), qr{job failed.*run_finish.*blocked}, 'which the log has');
is($stack->owner('SELECT count(*) FROM kaireon.interaction_history'), 0, 'nobody was contacted yet');
unlink "$stack->{dir}/blocked" or die $!;
$stack->query('postgres', 'UPDATE kaireon.jobs SET run_at = now()');
my $done = $one->finished($id, $run);
is($done->{status}, 'completed', 'when the trouble is over it is completed');
is($done->{error}, undef, 'and nothing is said of it any more');
is(length $one->file($done), $done->{summary}{file}{bytes}, 'with its file');
is($stack->owner('SELECT count(*) FROM kaireon.interaction_history'), $done->{summary}{decisions}, 'each decision is a contact, once');

$stack->end;
done_testing;
