package Bench;

# What the benchmarks share: the tests' Stack with its pools under spawn-fcgi
# and multiwatch as in production, the site of nginx/ without TLS, programs of
# bench/floor/, medians. Everything ends with the program.
#
#	my $bench = Bench->new(settings => {…});
#	$bench->pool('api', 4, $bench->program('kaireon-fcgi'), '--pool', 'api');
#	$bench->site('/floor/hello' => 'hello');
#	my ($status, $body) = $bench->get('/healthz');
#	$bench->end;                       # stops it all, prints the peaks

use strict;
use warnings;

use IO::Socket::UNIX;
use Test::More ();
use Time::HiRes qw(sleep time);

use Bench::Memory;
use Kaireon::Stack;

my $running;

sub new {
	my ($class, %option) = @_;
	# the Stack asserts as it ends: failures are told, successes are not
	Test::More->builder->output(\my $silence);
	Test::More->builder->no_ending(1);
	$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
	$SIG{PIPE} = 'IGNORE';
	my $self = bless { stack => Kaireon::Stack->new(%option), memory => Bench::Memory->new }, $class;
	chmod 0755, $self->{stack}{dir};
	$running = $self;
	return $self;
}

sub stack { return $_[0]{stack} }
sub dir { return $_[0]{stack}{dir} }
sub program { my ($self, $name) = @_; return "$self->{stack}{build}/$name" }

# Compile a program of bench/floor/.
sub floor {
	my ($self, $name) = @_;
	my $to = $self->dir . "/$name";
	my $flags = join ' ', map { `pkg-config --cflags --libs $_` =~ s/\n//r } qw(libpq yaml-0.1);
	$self->{stack}->system_ok("cc -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -o $to "
		. "$self->{stack}{source}/bench/floor/$name.c -lfcgi $flags");
	return $to;
}

# $nr processes of a command behind a socket, kept by multiwatch.
sub pool {
	my ($self, $name, $nr, @command) = @_;
	my $path = $self->dir . "/$name.sock";
	$self->{stack}->spawn($name, undef, qw(spawn-fcgi -n -M 0666 -b 1024 -s), $path, '--',
		qw(/usr/bin/multiwatch -t 0 -f), $nr, '--', @command);
	$self->{stack}->wait_for($name, sub { -S $path });
	push @{ $self->{pools} }, $name;
	return $self;
}

# nginx with the site as it is, but for TLS, and with a location for each pair
# of path and pool: the same server serves us and the floors.
sub site {
	my ($self, %location) = @_;
	my ($stack, $dir) = ($self->{stack}, $self->dir);
	local %ENV = (%ENV, %{ $stack->{settings} }, RUN_DIR => $dir, LOG_DIR => "$dir/log",
		LISTEN => "unix:$dir/site.sock", TRUSTED_PROXIES => 'unix:',
		USER_DIRECTIVE => $> == 0 ? 'user root;' : '');
	$stack->system_ok("$stack->{source}/nginx/render $dir/nginx");
	my $site = $stack->slurp("$dir/nginx/site");
	my $more = join '', map { "\tlocation = $_ {\n\t\tfastcgi_pass unix:$dir/$location{$_}.sock;\n\t}\n" } sort keys %location;
	$site =~ s/^(?=\tlocation \/ \{)/$more/m or die 'the site has no location /';
	$stack->spew("$dir/nginx/site", $site);
	$stack->spawn('nginx', undef, '/usr/sbin/nginx', '-e', "$dir/log/nginx-error.log", '-p', $dir,
		'-c', "$dir/nginx/kaireon.conf");
	$stack->wait_for('nginx', sub { IO::Socket::UNIX->new(Peer => "$dir/site.sock") });
	return $self;
}

# One request through nginx: status and body.
sub get {
	my ($self, $path, @headers) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $self->dir . '/site.sock') or die "nginx: $!";
	print $socket join("\r\n", "GET $path HTTP/1.0", 'Host: localhost', @headers, '', '');
	$socket->flush;
	local $/;
	my $text = <$socket> // '';
	my ($status) = $text =~ /^HTTP\S+ (\d+)/;
	return ($status // 0, $text =~ s/\A.*?\r\n\r\n//sr);
}

# Load rows by COPY: what a query gives goes into a table.
sub copy {
	my ($self, $query, $table) = @_;
	$query =~ s/\s+/ /g;
	my $psql = 'psql -qX -v ON_ERROR_STOP=1 -d kaireon -U postgres -h ' . $self->dir . '/sock';
	$self->{stack}->spew($self->dir . '/copy.sql', "COPY ($query) TO STDOUT");
	system('bash', '-o', 'pipefail', '-c', "$psql -f " . $self->dir . "/copy.sql | $psql -c 'COPY $table FROM STDIN'") == 0
		or die "could not load $table\n";
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return $sorted[$#sorted / 2];
}

sub verdict { my ($ratio, $bar) = @_; return "bar >= $bar: " . ($ratio >= $bar ? 'met' : 'MISSED') }

sub sample { my ($self) = @_; return $self->{memory}->sample(values %{ $self->{stack}{pids} }) }

sub end {
	my ($self) = @_;
	undef $running;
	print $self->sample->report;
	# multiwatch hands the signal on; its own status is not ours to judge
	$self->{stack}->stop($_) for grep { $self->{stack}{pids}{$_} } @{ $self->{pools} };
	$self->{stack}->end;
	return Test::More->builder->is_passing ? 0 : 1;
}

# Left early: the processes of a pool are in the group that setsid made.
END {
	if ($running) {
		my $status = $?;
		kill 'KILL', map { -$_ } values %{ $running->{stack}{pids} };
		my $dir = $running->dir;
		print STDERR "the logs are in $dir\n";
		undef $running;
		$? = $status || 1;
	}
}

1;
