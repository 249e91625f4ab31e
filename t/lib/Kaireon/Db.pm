package Kaireon::Db;

# lib/store by hand: t/bin/db as a process that answers commands.
#
#	my $conn = Kaireon::Db->new($db->url('worker'));
#	$conn->ok('begin', 'read');                  # the answer's words
#	my ($id, $sqlstate, $message, $detail) = $conn->fails('commit');

use strict;
use warnings;

use IPC::Open2 qw(open2);
use Test::More ();

sub new {
	my ($class, $url, %environment) = @_;
	local @ENV{keys %environment} = values %environment;
	my $pid = open2(my $out, my $in, "$ENV{KRN_BUILDDIR}/t/bin/db", $url);
	return bless {pid => $pid, in => $in, out => $out}, $class;
}

sub _escape {
	my ($word) = @_;
	return '\N' if !defined $word;
	my %codes = ("\\" => '\\\\', "\t" => '\t', "\n" => '\n', "\r" => '\r');
	$word =~ s/([\\\t\n\r])/$codes{$1}/g;
	return $word;
}

sub _unescape {
	my ($word) = @_;
	return undef if $word eq '\N';
	my %codes = (t => "\t", n => "\n", r => "\r");
	$word =~ s/\\(.)/$codes{$1} \/\/ $1/ge;
	return $word;
}

# One command; "ok" or "ERROR" and the words of the answer.
sub send {
	my ($self, @words) = @_;
	syswrite $self->{in}, join("\t", map { _escape($_) } @words) . "\n";
	my $line = readline $self->{out};
	die "t/bin/db ended at: @words\n" if !defined $line;
	chomp $line;
	my ($verdict, @answer) = split /\t/, $line, -1;
	return $verdict, map { _unescape($_) } @answer;
}

# For those that wait: write now, read later.
sub post {
	my ($self, @words) = @_;
	syswrite $self->{in}, join("\t", map { _escape($_) } @words) . "\n";
}

sub ok {
	my ($self, @words) = @_;
	my ($verdict, @answer) = $self->send(@words);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	Test::More::is($verdict, 'ok', "@words[0 .. ($#words > 1 ? 1 : $#words)]")
		or Test::More::diag("@answer");
	return @answer;
}

sub fails {
	my ($self, @words) = @_;
	my ($verdict, @answer) = $self->send(@words);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	Test::More::is($verdict, 'ERROR', "@words fails");
	return @answer;
}

# End the process; its exit status (a sanitizer's complaint is not 0).
sub end {
	my ($self) = @_;
	close $self->{in};
	waitpid $self->{pid}, 0;
	delete $self->{pid};
	return $?;
}

sub DESTROY {
	my ($self) = @_;
	my $status = $?;
	kill 'KILL', $self->{pid} if $self->{pid};
	waitpid $self->{pid}, 0 if $self->{pid};
	$? = $status;
}

1;
