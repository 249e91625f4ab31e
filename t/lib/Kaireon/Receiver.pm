package Kaireon::Receiver;

# Servers that tests send to: HTTP over TLS and SMTP with STARTTLS, on a port
# of loopback that the system gives. What they take is kept in a file.
#
#	my $receiver = Kaireon::Receiver->new($dir);          # makes a certificate
#	$receiver->{https}, $receiver->{smtp}, $receiver->{ca}
#	my @taken = $receiver->taken;     # {method, path, headers, body, at}
#	my @mails = $receiver->mails;     # {from, to, message, user}
#
# The path says what happens: /ok…, /late (after a second), /status/500, /hang,
# /redirect, /big, and /switch/name, whose status is what the test wrote by $receiver->switch.

use strict;
use warnings;

use Fcntl qw(:flock);
use IO::Socket::INET;
use IO::Socket::SSL;
use JSON::PP;
use MIME::Base64;
use Time::HiRes qw(sleep time);

sub new {
	my ($class, $dir) = @_;
	my $self = bless {dir => "$dir/receiver", owner => $$}, $class;
	mkdir $self->{dir};
	$self->{ca} = "$self->{dir}/certificate.pem";
	system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
		. "-addext subjectAltName=DNS:localhost,DNS:two.example,IP:127.0.0.1,IP:::1 "
		. "-keyout $self->{dir}/key.pem -out $self->{ca} 2>/dev/null") == 0 or die 'no certificate';
	for my $kind (qw(https smtp)) {
		my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 128, ReuseAddr => 1) or die $!;
		$self->{"${kind}_port"} = $listen->sockport;
		my $pid = fork // die $!;
		if (!$pid) {
			$SIG{CHLD} = 'IGNORE';
			$SIG{TERM} = sub { local $SIG{TERM} = 'IGNORE'; kill 'TERM', -$$; POSIX::_exit(0) };
			setpgrp;
			open STDOUT, '>', '/dev/null';
			while (1) {
				my $client = $listen->accept or next;
				my $child = fork // die $!;
				if (!$child) {
					$SIG{TERM} = 'DEFAULT';
					close $listen;
					eval { $self->${\"_$kind"}($client) };
					POSIX::_exit(0);
				}
				close $client;
			}
		}
		$self->{pids}{$kind} = $pid;
	}
	$self->{https} = "https://localhost:$self->{https_port}";
	$self->{smtp} = "smtp://localhost:$self->{smtp_port}";
	return $self;
}

sub _tls {
	my ($self, $client) = @_;
	return IO::Socket::SSL->start_SSL($client, SSL_server => 1, SSL_cert_file => $self->{ca},
		SSL_key_file => "$self->{dir}/key.pem");
}

sub _note {
	my ($self, $kind, $what) = @_;
	open my $out, '>>', "$self->{dir}/$kind.log" or die $!;
	flock $out, LOCK_EX;
	print {$out} JSON::PP->new->canonical->ascii->encode($what), "\n";
	close $out;
}

sub _noted {
	my ($self, $kind) = @_;
	open my $in, '<', "$self->{dir}/$kind.log" or return;
	return map { decode_json($_) } <$in>;
}

sub taken { $_[0]->_noted('https') }
sub mails { $_[0]->_noted('smtp') }

sub forget {
	my ($self) = @_;
	unlink map { "$self->{dir}/$_.log" } qw(https smtp);
}

# What /switch/name answers from now on; SMTP: refuse => 1.
sub switch {
	my ($self, $name, $status) = @_;
	open my $out, '>', "$self->{dir}/switch-$name" or die $!;
	print {$out} $status;
	close $out;
}

sub _switched {
	my ($self, $name) = @_;
	open my $in, '<', "$self->{dir}/switch-$name" or return 200;
	return scalar <$in>;
}

sub _https {
	my ($self, $client) = @_;
	my $tls = $self->_tls($client) or return;
	my ($head, $body, $line) = ('', '');
	while (defined($line = <$tls>)) {
		last if $line eq "\r\n";
		$head .= $line;
	}
	my ($method, $path) = $head =~ /^(\S+) (\S+)/ or return;
	my %headers = map { /^([^:]+):\s*(.*?)\r?$/ ? (lc $1 => $2) : () } split /\n/, $head;
	my $length = $headers{'content-length'} // 0;
	while (length $body < $length) {
		$tls->sysread($body, $length - length $body, length $body) or last;
	}
	$self->_note('https', {method => $method, path => $path, headers => \%headers, body => $body, at => time});
	my $status = $path =~ m{^/status/(\d+)} ? $1 : $path =~ m{^/switch/(\w+)} ? $self->_switched($1) : 200;
	if ($path =~ m{^/hang} || $status eq 'hang') {
		sleep 120;
		return;
	}
	sleep 1 if $path =~ m{^/late};
	if ($path =~ m{^/redirect}) {
		print $tls "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n";
	} elsif ($path =~ m{^/big}) {
		print $tls "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n";
		my $part = 'x' x 1_000_000;
		for (1 .. 10_000) { print $tls $part or return }
	} else {
		print $tls "HTTP/1.1 $status Said\r\nContent-Length: 2\r\n\r\nok";
	}
	close $tls;
}

# RFC 5321 and 3207, as far as a client goes that does it right.
sub _smtp {
	my ($self, $in) = @_;
	my ($user, $from, @to, $tls);
	$in->autoflush(1);
	print $in "220 receiver ESMTP\r\n";
	while (defined(my $line = <$in>)) {
		$line =~ s/\r?\n\z//;
		if ($line =~ /^EHLO/i) {
			print $in "250-receiver\r\n", ($tls ? '250-AUTH PLAIN' : '250-STARTTLS'), "\r\n250 8BITMIME\r\n";
		} elsif ($line =~ /^STARTTLS/i) {
			print $in "220 go on\r\n";
			$in = $self->_tls($in) or return;
			$in->autoflush(1);
			$tls = 1;
		} elsif ($line =~ /^AUTH PLAIN ?(.*)/i) {
			my $secret = $1;
			if (!length $secret) { print $in "334 \r\n"; $secret = <$in> }
			$user = join ':', (split /\0/, decode_base64($secret))[1, 2];
			print $in "235 ok\r\n";
		} elsif ($line =~ /^MAIL FROM:<(.*?)>/i) {
			$from = $1;
			print $in $tls ? "250 ok\r\n" : "530 STARTTLS first\r\n";
		} elsif ($line =~ /^RCPT TO:<(.*?)>/i) {
			push @to, $1;
			print $in $self->_switched('smtp') eq 'refuse' ? "550 no such user\r\n" : "250 ok\r\n";
		} elsif ($line =~ /^DATA/i) {
			print $in "354 go on\r\n";
			my $message = '';
			while (defined(my $text = <$in>)) {
				last if $text eq ".\r\n";
				$text =~ s/^\.//;
				$message .= $text;
			}
			$self->_note('smtp', {from => $from, to => \@to, message => $message, user => $user, at => time});
			print $in "250 taken\r\n";
		} elsif ($line =~ /^QUIT/i) {
			print $in "221 bye\r\n";
			return;
		} else {
			print $in "502 what?\r\n";
		}
	}
}

sub stop {
	my ($self) = @_;
	for my $pid (values %{delete $self->{pids} // {}}) {
		kill 'TERM', $pid;
		waitpid $pid, 0;
	}
}

sub DESTROY {
	my ($self) = @_;
	return if $$ != $self->{owner};
	local $?;
	$self->stop;
}

1;
