package Kaireon::Worker;

# One process of a pool on a unix socket of its own, asked in raw FastCGI.
#
#	my $worker = Kaireon::Worker->new(db => $db, pool => 'cron', env => {…});
#	my $answer = $worker->get('/api/v1/…', headers => {'X-Api-Key' => $key});
#	$answer->{status}, $answer->{headers}{allow}, $answer->{json}, $answer->{body}
#
# stop() asserts a clean exit and a log without sanitizer reports.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX ();
use Socket qw(SOCK_STREAM);
use Test::More ();

use constant {
	FCGI_BEGIN => 1, FCGI_END => 3, FCGI_PARAMS => 4, FCGI_IN => 5, FCGI_OUT => 6,
};

# Secrets that tests use.
our %ENVIRONMENT = (
	API_KEY_PEPPER => 'pepper-of-the-tests', CRON_SECRET => 'cron-secret-of-the-tests',
);

sub new {
	my ($class, %how) = @_;
	my $self = bless {
		pool => $how{pool} // 'api', db => $how{db}, env => $how{env} // {},
		dir => tempdir('kaireon-worker-XXXXXX', TMPDIR => 1, CLEANUP => 1), owner => $$,
	}, $class;

	$self->{path} = "$self->{dir}/sock";
	$self->{socket} = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $self->{path}, Listen => 64)
		or die "$self->{path}: $!";
	$self->{socket}->blocking(0);    # as the pool's socket is
	$self->start;
	return $self;
}

# Start the process; also again, after a kill.
sub start {
	my ($self) = @_;
	# libfcgi's request lives as long as the process
	open my $known, '>', "$self->{dir}/known-leaks" or die $!;
	print {$known} "leak:krn_io_new\n";
	close $known;
	my %env = (
		LSAN_OPTIONS => "print_suppressions=0:suppressions=$self->{dir}/known-leaks",
		%ENVIRONMENT, DATABASE_URL => $self->{db}->url('api'),
		DATABASE_WORKER_URL => $self->{db}->url('worker'), %{$self->{env}},
	);
	my $pid = fork // die "fork: $!";

	if (!$pid) {
		@ENV{keys %env} = values %env;
		POSIX::dup2($self->{socket}->fileno, 0);
		my $log = POSIX::open("$self->{dir}/log", POSIX::O_WRONLY | POSIX::O_CREAT | POSIX::O_APPEND, 0600);
		POSIX::dup2($log, $_) for 1, 2;
		POSIX::close($_) for 3 .. 20;
		exec {"$ENV{KRN_BUILDDIR}/kaireon-fcgi"} 'kaireon-fcgi', '--pool', $self->{pool}
			or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
}

sub kill {
	my ($self) = @_;
	CORE::kill 'KILL', $self->{pid};
	waitpid delete $self->{pid}, 0;
}

sub log {
	my ($self) = @_;
	open my $handle, '<', "$self->{dir}/log" or return '';
	local $/;
	return <$handle> // '';
}

sub stop {
	my ($self) = @_;
	if ($self->{pid}) {
		CORE::kill 'TERM', $self->{pid};
		waitpid delete $self->{pid}, 0;
		Test::More::is($?, 0, "the $self->{pool} process leaves with 0");
	}
	Test::More::unlike($self->log, qr/Sanitizer|runtime error/, 'no report of a sanitizer');
}

sub _record {
	my ($type, $content) = @_;
	return pack('CCnnCx', 1, $type, 1, length $content, 0) . $content;
}

sub _pair {
	my ($name, $value) = @_;
	return join '', (map { length > 127 ? pack 'N', length() | 0x80000000 : pack 'C', length } $name, $value),
		$name, $value;
}

# The parts of a stream, and its end.
sub _stream {
	my ($type, $bytes) = @_;
	return join '', (map { _record($type, $_) } unpack '(a32768)*', $bytes), _record($type, '');
}

# Send a request; the connection, to be read by answer().
sub send {
	my ($self, $method, $path, %how) = @_;
	my ($script, $query) = split /\?/, $path, 2;
	my $body = $how{body} // '';
	my %params = (
		REQUEST_METHOD => $method, SCRIPT_NAME => $script, QUERY_STRING => $query // '',
		CONTENT_LENGTH => length $body ? length $body : '', CONTENT_TYPE => $how{type} // '',
		REQUEST_ID => $how{request_id} // 'req-of-the-tests',
	);
	while (my ($name, $value) = each %{$how{headers} // {}}) {
		$params{'HTTP_' . uc $name =~ tr/-/_/r} = $value;
	}
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $self->{path})
		or die "$self->{path}: $!";
	my $request = _record(FCGI_BEGIN, pack 'nCx5', 1, 0)
		. _stream(FCGI_PARAMS, join '', map { _pair($_, $params{$_}) } sort keys %params)
		. _stream(FCGI_IN, $body);
	local $SIG{PIPE} = 'IGNORE';
	print {$socket} $request;
	$socket->flush;
	return $socket;
}

# Read the whole answer; undef when the process died.
sub answer {
	my ($self, $socket) = @_;
	my ($bytes, $out, $ended) = ('', '', 0);
	1 while sysread $socket, $bytes, 65536, length $bytes;
	while (length $bytes >= 8) {
		my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $bytes;
		$out .= substr $bytes, 8, $length if $type == FCGI_OUT;
		$ended = 1 if $type == FCGI_END;
		substr $bytes, 0, 8 + $length + $padding, '';
	}
	return undef if !$ended;
	my ($head, $body) = split /\r\n\r\n/, $out, 2;
	my %headers = map { /^([^:]+):\s*(.*)$/ ? (lc $1 => $2) : () } split /\r\n/, $head;
	my ($status) = ($headers{status} // '200') =~ /^(\d+)/;
	return {
		status => $status, headers => \%headers, body => $body,
		json => eval { JSON::PP->new->utf8->decode($body) },
	};
}

sub request {
	my ($self, @request) = @_;
	return $self->answer($self->send(@request));
}

sub get { my ($self, @rest) = @_; return $self->request('GET', @rest) }

# A cron call with the secret of the tests.
sub cron {
	my ($self, $path) = @_;
	return $self->get($path, headers => {Authorization => "Bearer $ENVIRONMENT{CRON_SECRET}"});
}

sub DESTROY {
	my ($self) = @_;
	return if $$ != $self->{owner} || !$self->{pid};
	local $?;
	CORE::kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
