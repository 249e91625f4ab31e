package Kaireon::Bundle;

# Random bundles of the nine kinds, whose references lead somewhere, and how
# they shrink: what a failing law needs is found by leaving things out.

use strict;
use warnings;
use utf8;

use JSON::PP;

my $true = JSON::PP::true;
my $false = JSON::PP::false;

# Names that a file system, a YAML reader or a careless program takes for
# something else, and plain ones.
my @NAMES = ('Gold', 'gold', 'yes', 'null', '007', '1e3', 'a/b', 'a%2Fb', '..', "it's", 'x: y', '- z', '#1', 'ümläut', '🙂', 'tab?',
	'{a}', '[b]', '&c', '*d', '!e', '|f', '@g', '`h`', '%', 'line' . "\x{2028}" . 'sep', 'x' x 200, 'Z z', '0', '~');
my @TEXTS = ('', 'plain', 'true', '1.0', "two\nlines", "tab\there", '"', '\\', ' outer ', "\x{85}", "\x{feff}bom", '🙂', "a\r\nb", '- x', ': ', '2026-03-30');

sub new { my ($class, $seed) = @_; return bless { state => $seed & 0xffffffff }, $class }

# A generator of our own: the same numbers on every machine.
sub below {
	my ($self, $bound) = @_;
	$self->{state} = ($self->{state} * 1664525 + 1013904223) & 0xffffffff;
	return int(($self->{state} >> 8) / 2**24 * $bound);
}

sub pick { my ($self, @list) = @_; return $list[$self->below(scalar @list)] }
sub chance { my ($self, $percent) = @_; return $self->below(100) < $percent }

# Any JSON, for the free-form fields.
sub free {
	my ($self, $depth) = @_;
	my $what = $self->below($depth > 2 ? 7 : 9);
	return $self->pick(@TEXTS) if $what < 2;
	return $self->below(1000) - 500 if $what == 2;
	return $self->pick(0.1, 1e19, -2.5e-7, 1e300, 123456.789, 4.5) if $what == 3;
	return $self->pick($true, $false) if $what == 4;
	return undef if $what == 5;
	return 9007199254740993 if $what == 6;
	return [map { $self->free($depth + 1) } 1 .. $self->below(4)] if $what == 7;
	return { map { ($self->pick('a', 'key', 'Ü', 'yes', '1', 'x y') => $self->free($depth + 1)) } 1 .. $self->below(4) };
}

sub object { my ($self) = @_; return { map { ("k$_" => $self->free(0)) } 1 .. $self->below(3) } }

sub resource {
	my ($kind, $name, $spec) = @_;
	return { apiVersion => 'kaireonai.com/v1', kind => $kind, metadata => { name => $name }, spec => $spec };
}

# Distinct names.
sub names {
	my ($self, $max) = @_;
	my %names = map { $self->pick(@NAMES) => 1 } 1 .. $self->below($max + 1);
	return sort keys %names;
}

# Some of the fields that may be there.
sub some {
	my ($self, %fields) = @_;
	return map { $self->chance(50) ? ($_ => $fields{$_}->()) : () } sort keys %fields;
}

sub bundle {
	my ($self) = @_;
	my ($status) = (sub { $self->pick(qw(draft active paused archived)) });
	my @list;
	my @categories = $self->names(3);
	push @list, map { resource('Category', $_, { $self->some(description => sub { $self->pick(@TEXTS) }, status => $status,
		ordinal => sub { $self->below(5) }, customFields => sub { [$self->object] }) }) } @categories;
	my @subs;
	for my $category (@categories) {
		for my $name ($self->names(2)) {
			push @list, resource('SubCategory', $name, { categoryRef => $category, $self->some(color => sub { $self->pick(@TEXTS) }) });
			push @subs, join '/', map { s/([%\/])/sprintf '%%%02X', ord $1/ger } $category, $name;
		}
	}
	my @channels = $self->names(2);
	push @list, map { resource('Channel', $_, { $self->some(deliveryMode => sub { $self->pick(qw(api file manual)) }, status => $status,
		providerConfig => sub { $self->object }) }) } @channels;
	my @offers = $self->names(4);
	push @list, map { resource('Offer', $_, { $self->some(priority => sub { $self->below(101) }, status => $status,
		businessValue => sub { $self->pick(0, 0.1, 1e19, 50) }, tags => sub { [$self->free(2)] }, budget => sub { $self->object },
		metadata => sub { { x => $self->free(0), @offers ? (offerRef => $self->pick(@offers)) : () } },
		margin => sub { $self->pick(undef, 0.25) }, shortDesc => sub { $self->pick(@TEXTS) }, mandatoryExpiresAt => sub { '2031-01-01T00:00:00Z' },
		categoryRef => sub { @categories ? $self->pick(@categories) : undef }, subCategoryRef => sub { @subs ? $self->pick(@subs) : undef }) }) } @offers;
	my @creatives;
	if (@offers && @channels) {
		@creatives = $self->names(2);
		push @list, map { resource('Creative', $_, { offerRef => $self->pick(@offers), channelRef => $self->pick(@channels),
			$self->some(weight => sub { $self->below(101) }, content => sub { $self->object }, placementId => sub { $self->pick(undef, 'top') }) }) } @creatives;
	}
	my @scopes = ([global => undef], (map { [category => $_] } @categories), (map { [subcategory => $_] } @subs), (map { [offer => $_] } @offers),
		(map { [channel => $_] } @channels), (map { [creative => $_] } @creatives));
	for my $name ($self->names(2)) {
		my $scope = $self->pick(@scopes, [placement => 'top']);
		push @list, resource('QualificationRule', $name, { scope => $scope->[0], scopeRef => $scope->[1], ruleType => 'attribute_condition',
			config => { attribute => 'age', operator => 'gte', value => $self->pick(18, 0.5, @TEXTS) } });
	}
	for my $name ($self->names(2)) {
		my $scope = $self->pick(@scopes);
		push @list, resource('ContactPolicy', $name, { scope => $scope->[0], scopeRef => $scope->[1], ruleType => 'cooldown',
			config => { cooldownHours => 1 + $self->below(100), x => $self->free(1) } });
	}
	my $n = 0;
	my @profiles = $self->names(2);
	push @list, map { resource('RankingProfile', $_, { key => 'p' . ($n++ + $self->below(2) * 10), weights => { $self->some(propensity => sub { 0.5 }) } }) } @profiles;
	$n = 0;
	my $default = $self->below(4);
	for my $name ($self->names(2)) {
		push @list, resource('DecisionFlow', $name, { key => 'f' . $n, status => $status->(), isDefault => $default == $n++ ? $true : $false,
			draftConfig => { version => 2, flowConfig => $self->object, nodes => [{ id => 'i', type => 'inventory', config => {
				@offers ? (offerRefs => [$self->pick(@offers)]) : (), @subs ? (subCategoryRefs => [$self->pick(@subs)]) : () } },
				{ id => 's', type => 'score', config => { x => $self->free(0), @profiles ? (strategyProfileRef => $self->pick(@profiles)) : () } }] } });
	}
	return $self->shuffled(@list);
}

sub shuffled {
	my ($self, @list) = @_;
	for my $i (reverse 1 .. $#list) {
		my $k = $self->below($i + 1);
		@list[$i, $k] = @list[$k, $i];
	}
	return \@list;
}

sub document { my ($list) = @_; return { manifest => { apiVersion => 'kaireonai.com/v1', kind => 'Bundle' }, resources => $list } }

# The smallest lists that still fail: leave out a resource, then a field,
# while fails(lists) says that they do.
sub shrink {
	my ($lists, $fails) = @_;
	my ($tries, $smaller) = (300, 1);
	while ($smaller) {
		$smaller = 0;
		for my $l (0 .. $#$lists) {
			for my $r (reverse 0 .. $#{ $lists->[$l] }) {
				my @without = @$lists;
				$without[$l] = [@{ $lists->[$l] }[grep { $_ != $r } 0 .. $#{ $lists->[$l] }]];
				return $lists if $tries-- <= 0;
				if ($fails->(@without)) { $lists = \@without; $smaller = 1; next }
				for my $field (sort keys %{ $lists->[$l][$r]{spec} }) {
					my %spec = %{ $lists->[$l][$r]{spec} };
					delete $spec{$field};
					@without = @$lists;
					$without[$l] = [@{ $lists->[$l] }];
					$without[$l][$r] = { %{ $lists->[$l][$r] }, spec => \%spec };
					return $lists if $tries-- <= 0;
					if ($fails->(@without)) { $lists = [@without]; $smaller = 1 }
				}
			}
		}
	}
	return $lists;
}

1;
