package Kaireon::Matrix;

# Every route of the program's table, called by whoever may and may not.
#
#	my $matrix = Kaireon::Matrix->new($stack);
#	$matrix->roles;            # every route × every kind of caller
#	$matrix->isolation;        # another tenant finds nothing, changes nothing

use strict;
use warnings;

use JSON::PP;
use Test::More;

use Kaireon::Fill;

my %rank = (viewer => 1, editor => 2, admin => 3);
# a text that no answer to another tenant may hold
our $MARK = 'xsecretofone';

sub new {
	my ($class, $stack) = @_;
	my $self = bless { stack => $stack, key => $stack->tenant('one'), other => $stack->tenant('two') }, $class;
	$self->{routes} = [map { my @r = split /\t/; { method => $r[0], path => $r[1], role => $r[3], pool => $r[4] } }
		split /\n/, `$stack->{build}/kaireon-fcgi --routes`];
	my $dead = sub { decode_json($stack->ctl('--json', 'key', 'create', '--tenant', 'one', '--role', 'admin', '--name', @_)) };
	my $revoked = $dead->('revoked');
	$stack->ctl('key', 'revoke', '--tenant', 'one', '--id', $revoked->{id});
	$self->{dead} = { revoked => $revoked->{key}, expired => $dead->('expired', '--expires', '2020-01-01T00:00:00Z')->{key},
		unknown => 'krn_' . 'x' x 40 };
	return $self;
}

# One call; ids of the path are $id.
sub call {
	my ($self, $route, $key, $id) = @_;
	my $path = $route->{path} =~ s/\{[^}]+\}/$id/gr;
	# no limit is the point here
	$self->{stack}->owner('DELETE FROM kaireon.rate_limit_hits WHERE name IN (\'audit-export\', \'cleanup\')') if $path =~ /audit-export|cleanup/;
	return $self->{stack}->request($route->{method}, $path, pool => $route->{pool} eq 'cron' ? 'cron' : 'api',
		$route->{method} =~ /^(POST|PUT|PATCH)$/ ? (body => '{}') : (), defined $key ? (key => $key) : ());
}

sub roles {
	my ($self) = @_;
	cmp_ok(scalar @{ $self->{routes} }, '>', 60, 'the route table is printed');
	for my $route (@{ $self->{routes} }) {
		my $what = "$route->{method} $route->{path}";
		if (my $needed = $rank{ $route->{role} }) {
			is($self->call($route, undef, 'nothing')->{status}, 401, "$what without a key");
			is($self->call($route, $self->{dead}{$_}, 'nothing')->{status}, 401, "$what with a key that is $_") for sort keys %{ $self->{dead} };
			for my $role (sort keys %rank) {
				my $answer = $self->call($route, $self->{key}{$role}, 'nothing');
				if ($rank{$role} < $needed) {
					is($answer->{status} . ($answer->{json}{error}{message} // ''), "403this needs the role $route->{role}", "$what as $role");
				} else {
					unlike($answer->{status}, qr/^(?:0|401|403|405|5(?!01)\d\d)$/, "$what as $role") or diag $answer->{body};
				}
			}
		} elsif ($route->{role} =~ /^cron_/) {
			is($self->call($route, $_, 'nothing')->{status}, 401, "$what is nobody's with a key") for undef, values %{ $self->{key} };
		} else {
			# a token of the path is a key of its own
			is($self->call($route, undef, 'nothing')->{status}, $route->{path} =~ /\{/ ? 404 : 200, "$what needs no key");
			is($self->{stack}->request($route->{method}, $route->{path}, pool => 'cron', address => '192.0.2.1')->{status}, 403, "$what from elsewhere")
				if $route->{role} eq 'operator';
		}
	}
}

# What one has is, for two, not there: each answer is the one that two would get
# for an id that nobody has, and nothing of one has changed afterwards.
sub isolation {
	my ($self, %option) = @_;
	my $stack = $self->{stack};
	Kaireon::Fill::rows($stack, 'one', $MARK);
	my %before = Kaireon::Fill::digest($stack, 'one');
	cmp_ok(scalar(grep { /^[1-9]/ } values %before), '==', scalar keys %before, 'one has rows in every table');
	for my $route (grep { $rank{ $_->{role} } } @{ $self->{routes} }) {
		next if $option{pool} && $route->{pool} ne $option{pool};
		my $what = "$route->{method} $route->{path}";
		my $answer = $self->call($route, $self->{other}{admin}, $MARK);
		unlike($answer->{status}, qr/^(?:0|401|403|5(?!01)\d\d)$/, "$what by another tenant") or diag $answer->{body};
		if ($route->{path} =~ /\{/) {
			my $nothing = $self->call($route, $self->{other}{admin}, 'xnothingatall');
			my ($got, $want) = map { my $body = $_->{body} =~ s/"requestId":"[^"]*"//r; $body =~ s/$MARK|xnothingatall//g; "$_->{status} $body" } $answer, $nothing;
			is($got, $want, '… is answered as if it were not there');
			isnt($answer->{status}, 200, '… and not with 200');
		}
		unlike($answer->{body}, qr/$MARK/, '… and tells nothing of it') if $answer->{status} < 300;
	}
	my %after = Kaireon::Fill::digest($stack, 'one');
	is_deeply([grep { $before{$_} ne $after{$_} } sort keys %before], [], 'and nothing of it has changed');
}

1;
