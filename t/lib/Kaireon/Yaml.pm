package Kaireon::Yaml;

# The YAML that doc/openapi.yaml is written in, and no more: block mappings and
# sequences, flow collections, plain and quoted scalars on one line. Perl has no
# reader of its own; what this one does not know ends the test.
#
#	my $value = Kaireon::Yaml::read($text);
#
# Values are those that JSON::PP makes of the same document, so that numbers,
# texts and booleans can be told apart.

use strict;
use warnings;

use JSON::PP ();

# One reader is {lines => [[number, indent, text], …]}, what is left to read.

sub read {
	my ($text) = @_;
	my ($self, $number) = (bless({ lines => [] }), 0);
	for my $line (split /\n/, $text) {
		$number++;
		next if $line =~ /^\s*(#|$)/;
		die "line $number: a tab, or a space at the end\n" if $line =~ /\t|\s$/;
		my ($space, $rest) = $line =~ /^( *)(.*)/;
		push @{ $self->{lines} }, [$number, length $space, $rest];
	}
	my $value = $self->_block(0);
	$self->_fail('not indented as it should be') if @{ $self->{lines} };
	return $value;
}

sub _fail {
	my ($self, $what) = @_;
	my $line = $self->{lines}[0] || $self->{last};
	die "line $line->[0]: $what: $line->[2]\n";
}

# A mapping or a sequence whose entries begin in this column.
sub _block {
	my ($self, $indent) = @_;
	my $lines = $self->{lines};
	my ($map, $list);
	while (@$lines && $lines->[0][1] == $indent) {
		if ($lines->[0][2] =~ /^- /) {
			$self->_fail('a sequence within a mapping') if $map;
			# what follows the dash is a block of its own, two columns on
			$lines->[0][1] += 2;
			$lines->[0][2] =~ s/^- //;
			push @{ $list ||= [] }, $lines->[0][2] =~ /^[[{]/ || $lines->[0][2] !~ /^\S+:( |$)/
				? $self->_value : $self->_block($indent + 2);
			next;
		}
		$self->_fail('a mapping within a sequence') if $list;
		$lines->[0][2] =~ s/^(?:"([^"\\]*)"|([^\s"'\[{&*!|>%@`-][^\s"']*)):(?: |$)// or $self->_fail('not a key');
		my $key = defined $1 ? $1 : $2;
		$self->_fail("a second $key") if exists $map->{$key};
		if (length $lines->[0][2]) {
			$map->{$key} = $self->_value;
			next;
		}
		$self->{last} = shift @$lines;
		$self->_fail("no value of $key") if !@$lines || $lines->[0][1] <= $indent;
		$map->{$key} = $self->_block($lines->[0][1]);
	}
	return $map || $list || $self->_fail('nothing');
}

# What is left of a line; a flow collection may go on in the next ones.
sub _value {
	my ($self) = @_;
	$self->{last} = shift @{ $self->{lines} };
	my $text = $self->{last}[2];
	return _plain($text) if $text =~ /^[^\s"'\[{&*!|>%@`#]/ && $text !~ /: | #/;
	$text .= ' ' . (shift @{ $self->{lines} })->[2] while $text =~ /^[[{]/ && !_is_whole($text) && @{ $self->{lines} };
	my $value = $self->_flow(\$text);
	$self->_fail('text after a value') if $text =~ /\S/;
	return $value;
}

sub _is_whole {
	my ($text) = @_;
	$text =~ s/"(?:[^"\\]|\\.)*"|'[^']*'//g;
	return ($text =~ tr/[{//) == ($text =~ tr/]}//);
}

sub _flow {
	my ($self, $text) = @_;
	$$text =~ s/^ +//;
	if ($$text =~ s/^"((?:[^"\\]|\\["\\])*)"//) {
		return $1 =~ s/\\(.)/$1/gr;
	}
	return $1 if $$text =~ s/^'([^']*)'//;
	return $self->_flow_list($text) if $$text =~ s/^\[ *//;
	return $self->_flow_map($text) if $$text =~ s/^\{ *//;
	$$text =~ s/^([^\s"'\[\]{},&*!|>%@`#](?:[^\[\]{},:#]|:(?! )|(?<! )#)*)// or $self->_fail('not a value');
	return _plain($1 =~ s/ +$//r);
}

sub _flow_list {
	my ($self, $text) = @_;
	my @list;
	until ($$text =~ s/^ *\]//) {
		push @list, $self->_flow($text);
		$$text =~ s/^ *, *// || $$text =~ /^ *\]/ or $self->_fail('no comma');
	}
	return \@list;
}

sub _flow_map {
	my ($self, $text) = @_;
	my %map;
	until ($$text =~ s/^ *\}//) {
		$$text =~ s/^(?:"([^"\\]*)"|([^\s"'\[\]{},]+)): // or $self->_fail('not a key');
		my $key = defined $1 ? $1 : $2;
		$self->_fail("a second $key") if exists $map{$key};
		$map{$key} = $self->_flow($text);
		$$text =~ s/^ *, *// || $$text =~ /^ *\}/ or $self->_fail('no comma');
	}
	return \%map;
}

# By the core schema.
sub _plain {
	my ($text) = @_;
	return undef if $text eq 'null';
	return $text eq 'true' ? JSON::PP::true : JSON::PP::false if $text =~ /^(true|false)$/;
	return 0 + $text if $text =~ /^-?(0|[1-9]\d*)(\.\d+)?$/;
	return $text;
}

1;
