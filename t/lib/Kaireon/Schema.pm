package Kaireon::Schema;

# JSON Schema 2020-12, as much of it as doc/openapi.yaml uses.
#
#	my $schema = Kaireon::Schema->new($document);
#	my @problems = $schema->problems($part, $value);     # a schema or {$ref}
#	my $part = $schema->resolve({ '$ref' => '#/components/…' });
#
# A keyword that is not known here dies: a schema that is read in part only
# would accept anything.

use strict;
use warnings;

use B ();
use JSON::PP ();

my $json = JSON::PP->new->canonical->allow_nonref;
my %annotation = map { $_ => 1 } qw(description default);

sub new {
	my ($class, $document) = @_;
	return bless { document => $document }, $class;
}

sub resolve {
	my ($self, $part) = @_;
	my $depth = 0;
	while (ref $part eq 'HASH' && exists $part->{'$ref'}) {
		my ($path) = $part->{'$ref'} =~ m{^#/(.+)$} or die "not a local reference: $part->{'$ref'}\n";
		die "a $part->{'$ref'} with siblings\n" if keys %$part > 1;
		die "references without end: $path\n" if $depth++ > 20;
		$part = $self->{document};
		for my $name (map { s/~1/\//gr =~ s/~0/~/gr } split m{/}, $path) {
			$part = ref $part eq 'HASH' ? $part->{$name} : undef;
			die "nothing at #/$path\n" if !defined $part;
		}
	}
	return $part;
}

# null, boolean, integer, number, string, array, object: as JSON::PP read it.
# 1.0 is an integer too, as JSON Schema has it.
sub type_of {
	my ($value) = @_;
	return 'null' if !defined $value;
	return 'boolean' if JSON::PP::is_bool($value);
	return 'object' if ref $value eq 'HASH';
	return 'array' if ref $value eq 'ARRAY';
	return 'string' if B::svref_2object(\$value)->FLAGS & B::SVp_POK;
	return $value == int $value ? 'integer' : 'number';
}

sub _is_type {
	my ($wanted, $value) = @_;
	my $type = type_of($value);
	return $type eq $wanted || ($wanted eq 'number' && $type eq 'integer');
}

sub _is_number { return type_of($_[0]) =~ /^(integer|number)$/ }
sub _is_string { return type_of($_[0]) eq 'string' }

# a date and a time that exist; Source: RFC 3339, 5.6
sub _is_time {
	my ($year, $month, $day, $hour, $minute, $second) =
		$_[0] =~ /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/ or return 0;
	my $leap = $year % 4 == 0 && ($year % 100 || $year % 400 == 0);
	my $days = (0, 31, $leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[$month] || 0;
	return $day >= 1 && $day <= $days && $hour < 24 && $minute < 60 && $second <= 60;
}

# Each takes keyword's value, value, place; tells what is wrong with the value.
my %keyword = (
	type => sub {
		my (undef, $types, $value) = @_;
		return if grep { _is_type($_, $value) } ref $types ? @$types : $types;
		return 'is of the type ' . type_of($value);
	},
	enum => sub {
		my (undef, $list, $value) = @_;
		my $text = $json->encode($value);
		return (grep { $json->encode($_) eq $text } @$list) ? () : "$text is not of the list";
	},
	const => sub {
		my (undef, $want, $value) = @_;
		my $text = $json->encode($value);
		return $text eq $json->encode($want) ? () : "$text is not " . $json->encode($want);
	},
	# in ECMA 262 the dollar is the end, not a newline before it
	pattern => sub { my $pattern = $_[1] =~ s/\$\z/\\z/r; _is_string($_[2]) && $_[2] !~ /$pattern/ ? "\"$_[2]\" does not match" : () },
	format => sub {
		my (undef, $format, $value) = @_;
		die "unknown format $format\n" if $format ne 'date-time';
		return _is_string($value) && !_is_time($value) ? "\"$value\" is not a time" : ();
	},
	minLength => sub { _is_string($_[2]) && length $_[2] < $_[1] ? 'is too short' : () },
	maxLength => sub { _is_string($_[2]) && length $_[2] > $_[1] ? 'is too long' : () },
	minimum => sub { _is_number($_[2]) && $_[2] < $_[1] ? "$_[2] is below $_[1]" : () },
	maximum => sub { _is_number($_[2]) && $_[2] > $_[1] ? "$_[2] is above $_[1]" : () },
	minItems => sub { ref $_[2] eq 'ARRAY' && @{ $_[2] } < $_[1] ? 'has too few items' : () },
	maxItems => sub { ref $_[2] eq 'ARRAY' && @{ $_[2] } > $_[1] ? 'has too many items' : () },
	required => sub {
		my (undef, $names, $value) = @_;
		return ref $value eq 'HASH' ? map { exists $value->{$_} ? () : "lacks $_" } @$names : ();
	},
);

# All that is wrong with the value, each with its place.
sub problems {
	my ($self, $part, $value, $place) = @_;
	my $schema = $self->resolve($part);
	my @problems;
	$place //= '$';
	for my $name (sort keys %$schema) {
		next if $annotation{$name} || $name =~ /^(properties|additionalProperties|items|oneOf)$/;
		my $check = $keyword{$name} or die "$place: unknown keyword $name\n";
		push @problems, map { "$place $_" } $check->($self, $schema->{$name}, $value);
	}
	push @problems, $self->_one_of($schema->{oneOf}, $value, $place) if $schema->{oneOf};
	push @problems, $self->_members($schema, $value, $place) if ref $value eq 'HASH';
	if (ref $value eq 'ARRAY' && $schema->{items}) {
		push @problems, map { $self->problems($schema->{items}, $value->[$_], $place . "[$_]") } 0 .. $#$value;
	}
	return @problems;
}

sub _members {
	my ($self, $schema, $value, $place) = @_;
	my $known = $schema->{properties} || {};
	my $others = $schema->{additionalProperties};
	my @problems;
	for my $name (sort keys %$value) {
		if (exists $known->{$name}) {
			push @problems, $self->problems($known->{$name}, $value->{$name}, "$place.$name");
		} elsif (ref $others eq 'HASH') {
			push @problems, $self->problems($others, $value->{$name}, "$place.$name");
		} elsif (defined $others && !$others) {
			push @problems, "$place has $name besides";
		}
	}
	return @problems;
}

# Exactly one must fit; when none does, what the nearest lacks.
sub _one_of {
	my ($self, $list, $value, $place) = @_;
	my @all = map { [$self->problems($_, $value, $place)] } @$list;
	my $fitting = grep { !@$_ } @all;
	return if $fitting == 1;
	return "$place fits $fitting of oneOf" if $fitting;
	my ($nearest) = sort { @$a <=> @$b } @all;
	return ("$place fits none of oneOf, the nearest:", @$nearest);
}

1;
