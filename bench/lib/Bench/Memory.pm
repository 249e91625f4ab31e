package Bench::Memory;

# The peak resident memory of our programs and of nginx: VmHWM of /proc, the
# highest of each program's processes.
#
#	my $memory = Bench::Memory->new;
#	$memory->sample(@pids);          # these processes and all below them
#	print $memory->report;
#
# VmHWM goes with its process, so short-lived ones are sampled while they run;
# as a program, this waits for the processes that it is given and tells:
#
#	perl -Ibench/lib -MBench::Memory -e 'Bench::Memory::watch(@ARGV)' PID…

use strict;
use warnings;

use Time::HiRes qw(sleep);

our $BAR_MIB = 64;

sub new { my ($class) = @_; return bless { peak => {}, processes => {} }, $class }

sub _slurp {
	my ($path) = @_;
	open my $in, '<', $path or return '';
	local $/;
	return scalar(<$in>) // '';
}

# pid => [children], of every process there is
sub _children {
	my %children;
	for my $stat (glob '/proc/[0-9]*/stat') {
		my ($pid, $parent) = _slurp($stat) =~ /^(\d+) \(.*\) \S (\d+)/s or next;
		push @{ $children{$parent} }, $pid;
	}
	return \%children;
}

# The name in the report; none for what is not ours, such as multiwatch.
sub _program {
	my ($pid) = @_;
	my @words = split /\0/, _slurp("/proc/$pid/cmdline");
	return if !@words;
	return 'nginx' if $words[0] =~ /^nginx:/;
	my ($name) = $words[0] =~ m{([^/]+)\z};
	return if $name !~ /^kaireon/;
	return $name eq 'kaireon-fcgi' ? "$name $words[-1]" : $name;
}

sub sample {
	my ($self, @pids) = @_;
	my $children = _children();
	while (defined(my $pid = shift @pids)) {
		push @pids, @{ $children->{$pid} || [] };
		my $program = _program($pid) // next;
		my ($kib) = _slurp("/proc/$pid/status") =~ /^VmHWM:\s*(\d+) kB/m or next;
		$self->{processes}{$program}{$pid} = 1;
		$self->{peak}{$program} = $kib if $kib > ($self->{peak}{$program} // 0);
	}
	return $self;
}

sub report {
	my ($self) = @_;
	my $text = '';
	for my $program (sort keys %{ $self->{peak} }) {
		my $mib = $self->{peak}{$program} / 1024;
		my $bar = $program eq 'nginx' || !$BAR_MIB ? '' : ", bar < $BAR_MIB: " . ($mib < $BAR_MIB ? 'met' : 'MISSED');
		$text .= sprintf "peak memory of %-18s %5.1f MiB (the highest of %d processes%s)\n",
			$program, $mib, scalar keys %{ $self->{processes}{$program} }, $bar;
	}
	return $text;
}

sub watch {
	my @pids = @_;
	my $self = __PACKAGE__->new;
	# one that has ended and waits for its parent has no memory any more
	while (grep { _slurp("/proc/$_/status") =~ /^VmHWM/m } @pids) {
		$self->sample(@pids);
		sleep 0.05;
	}
	print $self->report;
}

1;
