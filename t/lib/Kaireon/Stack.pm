package Kaireon::Stack;

# A whole system for one test file: a private PostgreSQL, pools, workers and,
# when asked, nginx, all on unix sockets in a temporary folder. It ends with
# the object: processes are stopped, logs are read for errors that the test
# did not announce and for sanitizer reports. KRN_TEST_LEAVE=1 keeps the
# folder.

use strict;
use warnings;

use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

my $source = $ENV{KRN_SRCDIR} || '.';
my $build = $ENV{KRN_BUILDDIR} || (-d "$source/build" ? "$source/build" : '.');
my $is_root = $> == 0;

sub new {
	my ($class, %option) = @_;
	my $dir = tempdir('krn-XXXXXX', DIR => '/tmp', CLEANUP => 0);
	my $self = bless {
		dir => $dir, build => $build, source => $source, pids => {}, announced => [],
		owner => $$,
		settings => {
			API_KEY_PEPPER => 'pepper-of-the-tests', CRON_SECRET => 'cron-secret',
			CRON_TOKEN => 'tick+token.with(regex', RUN_FILE_DIR => "$dir/data/runs",
			EXPORT_URL => "file://$dir/data", WORKER_POLL_MS => 100,
			WORKER_FALLBACK_SECONDS => 0, # what a test starts is all that runs
			%{ $option{settings} || {} },
		},
	}, $class;
	make_path("$dir/sock", "$dir/data/runs", "$dir/log");
	if ($is_root) {
		my ($uid, $gid) = (getpwnam 'postgres')[2, 3];
		chown $uid, $gid, $dir, "$dir/sock";
	}
	my ($bin) = sort { $b cmp $a } glob '/usr/lib/postgresql/*/bin';
	$self->{pg_bin} = $bin;
	$self->as_server("$bin/initdb -D $dir/pg -U postgres -E UTF8 --locale=C.UTF-8 "
		. "--auth=trust --no-sync >$dir/initdb.log 2>&1") == 0 or die 'initdb failed';
	$self->start_postgres;
	$self->system_ok("psql -qX -h $dir/sock -U postgres -d postgres -f $source/sql/roles.sql");
	$self->query('postgres', 'CREATE DATABASE kaireon OWNER kaireon_owner', 'postgres');
	$self->{settings}{"DATABASE$_->[0]_URL"} = "host=$dir/sock dbname=kaireon user=$_->[1]"
		for ['', 'kaireon_api'], ['_WORKER', 'kaireon_worker'], ['_ADMIN', 'kaireon_owner'];
	$self->ctl('migrate');
	$self->start_pooler if $ENV{KRN_TEST_POOLER} || $option{pooler};
	return $self;
}

# PgBouncer in transaction mode between the API pool and the database, with
# fewer connections than there are processes. KRN_TEST_POOLER=1 puts it into
# every test.
sub start_pooler {
	my ($self) = @_;
	my $dir = $self->{dir};
	make_path("$dir/pooler");
	$self->spew("$dir/pooler/users", qq{"kaireon_api" ""\n});
	$self->spew("$dir/pooler/pgbouncer.ini", <<"INI");
[databases]
kaireon = host=$dir/sock dbname=kaireon
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = $dir/pooler
auth_type = trust
auth_file = $dir/pooler/users
pool_mode = transaction
default_pool_size = 2
server_login_retry = 1
query_wait_timeout = 3
INI
	if ($is_root) {
		my ($uid, $gid) = (getpwnam 'postgres')[2, 3];
		chown $uid, $gid, "$dir/pooler";
	}
	$self->spawn('pooler', undef, ($is_root ? ('setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups') : ()),
		'/usr/sbin/pgbouncer', '-q', "$dir/pooler/pgbouncer.ini");
	$self->wait_for('the pooler', sub { -S "$dir/pooler/.s.PGSQL.6432" });
	$self->{settings}{DATABASE_URL} = "host=$dir/pooler port=6432 dbname=kaireon user=kaireon_api";
	$self->{settings}{DATABASE_PREPARE} = 'off';
}

sub as_server {
	my ($self, $command) = @_;
	return $is_root ? system('runuser', '-u', 'postgres', '--', 'sh', '-c', "cd / && $command")
		: system('sh', '-c', $command);
}

sub start_postgres {
	my ($self) = @_;
	$self->as_server("$self->{pg_bin}/pg_ctl -D $self->{dir}/pg -w -l $self->{dir}/pg.log "
		. "-o \"-c listen_addresses='' -c unix_socket_directories=$self->{dir}/sock -c fsync=off\" "
		. 'start >/dev/null') == 0 or die 'PostgreSQL did not start';
}

sub stop_postgres {
	my ($self, $mode) = @_;
	$self->as_server("$self->{pg_bin}/pg_ctl -D $self->{dir}/pg -w -m " . ($mode || 'fast')
		. ' stop >/dev/null 2>&1');
}

sub system_ok {
	my ($self, $command) = @_;
	system('sh', '-c', $command) == 0 or die "failed: $command";
}

# Rows of a query as text, columns separated by |; as the owner unless said.
sub query {
	my ($self, $user, $sql, $database) = @_;
	my $pid = open my $out, '-|', 'psql', '-qXAt', '-v', 'ON_ERROR_STOP=1', '-h', "$self->{dir}/sock",
		'-U', $user, '-d', $database || 'kaireon', '-c', $sql or die $!;
	local $/;
	my $text = <$out> // '';
	close $out;
	$text =~ s/\n+\z//;
	return $text;
}

sub owner { my ($self, $sql) = @_; return $self->query('kaireon_owner', $sql) }

# With an exit status: runs sql and tells stderr.
sub try_query {
	my ($self, $user, $sql) = @_;
	open my $in, '>', "$self->{dir}/try.sql" or die $!;
	print $in $sql;
	close $in;
	my $text = `psql -qXAt -v ON_ERROR_STOP=1 -h $self->{dir}/sock -U $user -d kaireon -f $self->{dir}/try.sql 2>&1`;
	my $status = $? >> 8;
	$text =~ s/\n+\z//;
	return ($status, $text);
}

sub environment { my ($self) = @_; return map { "$_=$self->{settings}{$_}" } sort keys %{ $self->{settings} } }

# kaireonctl: status, stdout, stderr.
sub ctl_try {
	my ($self, @words) = @_;
	local %ENV = (%ENV, %{ $self->{settings} });
	my $pid = fork // die $!;
	if (!$pid) {
		open STDOUT, '>', "$self->{dir}/ctl.out";
		open STDERR, '>', "$self->{dir}/ctl.err";
		exec "$build/kaireonctl", @words;
		exit 127;
	}
	waitpid $pid, 0;
	my $status = $? >> 8;
	return ($status, $self->slurp("$self->{dir}/ctl.out"), $self->slurp("$self->{dir}/ctl.err"));
}

sub ctl {
	my ($self, @words) = @_;
	my ($status, $out, $err) = $self->ctl_try(@words);
	die "kaireonctl @words: $err" if $status;
	return $out;
}

sub slurp {
	my ($self, $path) = @_;
	open my $in, '<:raw', $path or return '';
	local $/;
	return scalar <$in>;
}

sub spew {
	my ($self, $path, $text) = @_;
	open my $out, '>:raw', $path or die "$path: $!";
	print $out $text;
	close $out;
	return $path;
}

# A tenant with a key of each role: {admin}, {editor}, {viewer}.
sub tenant {
	my ($self, $id) = @_;
	$self->ctl('tenant', 'create', '--id', $id, '--name', ucfirst $id, '--playground');
	return { map { $_ => decode_json($self->ctl('--json', 'key', 'create', '--tenant', $id,
		'--role', $_, '--name', $_))->{key} } qw(admin editor viewer) };
}

# Start a program in the background, its output in a log.
sub spawn {
	my ($self, $name, $stdin, @command) = @_;
	my $pid = fork // die $!;
	if (!$pid) {
		POSIX::setsid();
		open STDIN, '<&', $stdin if $stdin;
		open STDIN, '<', '/dev/null' if !$stdin;
		open STDOUT, '>>', "$self->{dir}/log/$name.log";
		open STDERR, '>&', \*STDOUT;
		exec 'env', '-u', 'JOURNAL_STREAM', $self->environment, @command;
		exit 127;
	}
	$self->{pids}{$name} = $pid;
	return $pid;
}

# One process of a pool on a unix socket.
sub pool {
	my ($self, $pool, $nr, $program) = @_;
	my $path = "$self->{dir}/$pool.sock";
	unlink $path;
	my $socket = IO::Socket::UNIX->new(Local => $path, Listen => 128) or die $!;
	chmod 0777, $path;
	$self->{sockets}{$pool} = $path;
	for my $i (1 .. $nr || 1) {
		$self->spawn("$pool$i", $socket, $program || "$build/kaireon-fcgi", '--pool', $pool);
	}
	close $socket;
	return $self;
}

# A pool as it is run: spawn-fcgi and multiwatch, which replaces who dies.
sub watched_pool {
	my ($self, $pool, $nr) = @_;
	my $path = $self->{sockets}{$pool} = "$self->{dir}/$pool.sock";
	my $pid = $self->spawn($pool, undef, 'spawn-fcgi', '-n', '-s', $path, '-b', 128, '--',
		'/usr/bin/multiwatch', '-f', $nr, '-t', 0, '--', "$build/kaireon-fcgi", '--pool', $pool);
	$self->wait_for("the $pool pool", sub { -S $path && $self->children($pool) == $nr });
	$self->wait_for('its first answer', sub { eval { $self->request('GET', '/readyz', pool => $pool)->{status} == 200 } });
	return $self;
}

sub children {
	my ($self, $name) = @_;
	return map { chomp; $_ } split /\n/, `ps -o pid= --ppid $self->{pids}{$name} | tr -d ' '`;
}

sub worker {
	my ($self, $name) = @_;
	return $self->spawn($name || 'worker', undef, "$build/kaireon-worker");
}

# TERM and wait; the exit status must be 0.
sub stop {
	my ($self, $name, $signal) = @_;
	my $pid = delete $self->{pids}{$name} or return;
	kill $signal || 'TERM', $pid;
	my $end = time + 20;
	while (waitpid($pid, WNOHANG) == 0) {
		if (time > $end) { kill 'KILL', $pid; waitpid $pid, 0; last }
		sleep 0.02;
	}
	return $?;
}

# A certificate for this host that signs itself: paths of key and certificate.
sub certificate {
	my ($self, $name) = @_;
	my @paths = map { "$self->{dir}/$name-$_.pem" } qw(key cert);
	$self->system_ok("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
		. "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout $paths[0] -out $paths[1] 2>/dev/null");
	return @paths;
}

# nginx with the site as it is, on a unix socket.
sub site {
	my ($self) = @_;
	my $dir = $self->{dir};
	chmod 0755, $dir;
	(my $key, $self->{site_cert}) = $self->certificate('site');
	local %ENV = (%ENV, %{ $self->{settings} }, RUN_DIR => $dir, LOG_DIR => "$dir/log", LISTEN => "unix:$dir/site.sock",
		CERTIFICATE => $self->{site_cert}, CERTIFICATE_KEY => $key, USER_DIRECTIVE => $is_root ? 'user root;' : '');
	$self->system_ok("$self->{source}/nginx/render $dir/nginx");
	$self->spawn('nginx', undef, '/usr/sbin/nginx', '-e', "$dir/log/nginx-error.log", '-p', $dir, '-c', "$dir/nginx/kaireon.conf");
	$self->wait_for('nginx', sub { -S "$dir/site.sock" });
	return $self;
}

# A call by curl: status, headers and body.
sub curl {
	my ($self, @words) = @_;
	my $pid = open my $out, '-|', 'curl', '-sS', '-i', '--http1.1', '--max-time', 30, @words or die $!;
	local $/;
	my $text = <$out> // '';
	close $out;
	$text =~ s/\AHTTP\S+ 100.*?\r\n\r\n//s;
	my ($head, $body) = split /\r\n\r\n/, $text, 2;
	my %header = map { /^([^:]+):\s*(.*)$/ ? (lc($1) => $2) : () } split /\r\n/, $head // '';
	my ($status) = ($head // '') =~ /^HTTP\S+ (\d+)/;
	return { status => $status // 0, headers => \%header, body => $body // '', json => scalar eval { decode_json($body) } };
}

# The same through the site.
sub call {
	my ($self, $path, @options) = @_;
	return $self->curl('--unix-socket', "$self->{dir}/site.sock", '--cacert', $self->{site_cert}, @options, "https://localhost$path");
}

# The raw FastCGI of a request; returns status, headers, body. awaits => N: a body of so many bytes
# is announced and never comes.
sub request {
	my ($self, $method, $path, %option) = @_;
	my $pool = $option{pool} || ($path =~ m{^/api/(v1/)?cron/} ? 'cron' : 'api');
	my $socket = IO::Socket::UNIX->new(Peer => $self->{sockets}{$pool}) or die "no pool: $!";
	my ($name, $query) = split /\?/, $path, 2;
	my $body = $option{body} // '';
	$body = encode_json($body) if ref $body;
	my %param = (REQUEST_METHOD => $method, SCRIPT_NAME => $name, QUERY_STRING => $query // '',
		CONTENT_LENGTH => $option{awaits} // length $body, CONTENT_TYPE => $option{type} // (length $body ? 'application/json' : ''),
		REMOTE_ADDR => $option{address} // '127.0.0.1', REQUEST_ID => $option{id} // 'test-' . ++$self->{requests});
	$param{HTTP_X_API_KEY} = $option{key} if defined $option{key};
	$param{"HTTP_$_"} = $option{headers}{$_} for keys %{ $option{headers} || {} };
	my $params = '';
	for my $key (sort keys %param) {
		my $value = $param{$key};
		$params .= join('', map { length($_) < 128 ? chr length $_ : pack 'N', length($_) | 0x80000000 } $key, $value)
			. $key . $value;
	}
	my $out = pack('CCnnCC', 1, 1, 1, 8, 0, 0) . pack('nCx5', 1, 0);
	while (length $params) {
		my $part = substr $params, 0, 65000, '';
		$out .= pack('CCnnCC', 1, 4, 1, length $part, 0, 0) . $part;
	}
	$out .= pack 'CCnnCC', 1, 4, 1, 0, 0, 0;
	while (length $body) {
		my $part = substr $body, 0, 65000, '';
		$out .= pack('CCnnCC', 1, 5, 1, length $part, 0, 0) . $part;
	}
	$out .= pack 'CCnnCC', 1, 5, 1, 0, 0, 0 if !$option{awaits};
	local $SIG{PIPE} = 'IGNORE';
	print $socket $out;
	$socket->flush;
	my ($in, $answer) = ('', '');
	while (sysread $socket, my $part, 65536) { $in .= $part }
	while (length $in >= 8) {
		my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $in;
		$answer .= substr $in, 8, $length if $type == 6;
		substr $in, 0, 8 + $length + $padding, '';
	}
	my ($head, $text) = split /\r\n\r\n/, $answer, 2;
	my %header = map { /^([^:]+):\s*(.*)$/ ? (lc $1, $2) : () } split /\r\n/, $head // '';
	return { status => ($header{status} || 0) + 0, headers => \%header, body => $text // '',
		json => scalar(($text // '') =~ /^\s*[\[{]/ ? eval { decode_json($text) } : undef) };
}

# Code of $nr processes at once, each begun when all are there; what each
# gave (JSON's types), in order. Code takes its number.
sub parallel {
	my ($self, $nr, $code) = @_;
	pipe my $gate, my $opener or die $!;
	my @readers;
	for my $n (0 .. $nr - 1) {
		pipe my $in, my $out or die $!;
		my $pid = fork // die $!;
		if (!$pid) {
			close $opener;
			sysread $gate, my $byte, 1; # the end of it is the sign
			print $out JSON::PP->new->allow_nonref->encode(scalar $code->($n));
			close $out;
			POSIX::_exit(0);
		}
		push @readers, [$pid, $in];
	}
	close $opener;
	local $/;
	return map {
		my $in = $_->[1];
		my $text = <$in>;
		waitpid $_->[0], 0;
		length $text ? JSON::PP->new->allow_nonref->decode($text) : undef;
	} @readers;
}

# Until code gives true, or the deadline.
sub wait_for {
	my ($self, $what, $code, $seconds) = @_;
	my $end = time + ($seconds || 30);
	while (time < $end) {
		my $value = $code->();
		return $value if $value;
		sleep 0.02;
	}
	fail("waited in vain for $what");
	return;
}

# Nobody else gets at a table until release_table: requests that want it wait.
sub hold_table {
	my ($self, $table) = @_;
	my $pid = fork // die $!;
	if (!$pid) {
		open STDERR, '>', '/dev/null';
		exec 'psql', '-qX', '-h', "$self->{dir}/sock", '-U', 'postgres', '-d', 'kaireon', '-c', "SET application_name = 'holder'",
			'-c', "BEGIN; LOCK TABLE $table IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)";
		exit 127;
	}
	$self->{held}{$table} = $pid;
	$self->wait_for("the lock on $table", sub { $self->locks($table, 1) });
}

sub release_table {
	my ($self, $table) = @_;
	$self->query('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
	waitpid delete $self->{held}{$table}, 0;
}

# How many hold a lock on the table, or wait for one.
sub locks {
	my ($self, $table, $granted) = @_;
	return $self->query('postgres', "SELECT count(*) FROM pg_locks WHERE relation = '$table'::regclass AND granted = " . ($granted ? 'true' : 'false'));
}

# Log lines that match may be there.
sub announce { my ($self, @patterns) = @_; push @{ $self->{announced} }, @patterns }

# Everything stopped, nothing unexpected in the logs.
sub end {
	my ($self) = @_;
	return if $self->{ended}++;
	for my $name (sort keys %{ $self->{pids} }) {
		is($self->stop($name, $name =~ /^nginx/ ? 'QUIT' : $name =~ /pooler$/ ? 'INT' : 'TERM'), 0, "$name ends with status 0");
	}
	$self->stop_postgres;
	my @bad;
	for my $log (glob "$self->{dir}/log/*.log") {
		for my $line (split /\n/, $self->slurp($log)) {
			next unless $line =~ / error kaireon|Sanitizer|runtime error|^bug:|\[(emerg|alert|crit)\]/;
			push @bad, $line unless grep { $line =~ $_ } @{ $self->{announced} };
		}
	}
	is(scalar @bad, 0, 'no error in the logs that was not announced') or diag(join "\n", @bad[0 .. ($#bad > 9 ? 9 : $#bad)]);
	remove_tree($self->{dir}) unless $ENV{KRN_TEST_LEAVE} || !Test::More->builder->is_passing;
}

sub DESTROY {
	my ($self) = @_;
	return if $self->{ended} || $self->{owner} != $$;
	local $?;
	kill 'KILL', values %{ $self->{pids} };
	waitpid $_, 0 for values %{ $self->{pids} };
	$self->stop_postgres('immediate');
}

1;
