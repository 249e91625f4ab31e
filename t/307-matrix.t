#!/usr/bin/perl
# Every route × no key, viewer, editor, admin, revoked, expired, unknown, another
# tenant's: generated from the route table.
use strict;
use warnings;

use Test::More;

use Kaireon::Matrix;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
$stack->pool('api', 2)->pool('cron', 1);
my $matrix = Kaireon::Matrix->new($stack);
$matrix->roles;
$matrix->isolation;
$stack->end;
done_testing;
