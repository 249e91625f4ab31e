package Kaireon::Cluster;

# A private PostgreSQL for the tests.
#
#	my $cluster = Kaireon::Cluster->new;       # one server for all tests
#	my $db = $cluster->clone;                  # a migrated database
#	$db->url('api');                           # as kaireon_api
#	$db->do('UPDATE …');                       # as superuser, through psql
#	my @rows = $db->rows('SELECT a, b FROM …', 'worker');   # array refs
#	my $value = $db->value('SELECT …');
#
# The server is made by the first test that needs one and kept with its
# template database below /tmp until the schema changes; it listens on a unix
# socket only. Each test holds a shared lock; whoever leaves last stops it.
# Kaireon::Cluster->new(private => 1) is a server for one test alone, which may
# stop and start it.

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::SHA qw(sha1_hex);
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IPC::Open3 qw(open3);
use POSIX ();

my $SRC = abs_path($ENV{KRN_SRCDIR} // dirname(__FILE__) . '/../../..');
my $BUILD = abs_path($ENV{KRN_BUILDDIR} // "$SRC/build");

my @open;    # clusters of this process

sub _pg_bin {
	for my $dir ($ENV{PG_BINDIR} // (), reverse(sort glob '/usr/lib/postgresql/*/bin'),
		split /:/, $ENV{PATH}) {
		return $dir if -x "$dir/initdb";
	}
	die "no PostgreSQL server programs found; set PG_BINDIR\n";
}

# Run a program; its standard output. Dies when it fails.
sub _run {
	my ($input, @command) = @_;
	my $errors = File::Temp->new;
	my $pid = open3(my $in, my $out, '>&' . fileno $errors, @command);
	print {$in} $input if defined $input;
	close $in;
	local $/;
	my $output = <$out>;
	waitpid $pid, 0;
	if ($?) {
		seek $errors, 0, 0;
		die "@command: exit " . ($? >> 8) . "\n" . <$errors>;
	}
	return $output // '';
}

# PostgreSQL refuses to run as root.
sub _as_server {
	my @command = @_;
	unshift @command, 'runuser', '-u', 'postgres', '--' if $> == 0;
	return _run(undef, @command);
}

sub _digest {
	my $sha = Digest::SHA->new(1);
	for my $file ("$SRC/sql/roles.sql", sort glob "$SRC/sql/schema/*.sql") {
		$sha->addfile($file);
	}
	return $sha->hexdigest;
}

sub _lock {
	my ($path, $how) = @_;
	open my $handle, '>>', $path or die "$path: $!";
	flock $handle, $how or return;
	return $handle;
}

sub new {
	my ($class, %how) = @_;
	my $self = bless {pid => $$, bin => _pg_bin(), clones => 0}, $class;

	if ($how{private}) {
		$self->{dir} = tempdir('kaireon-pg-XXXXXX', TMPDIR => 1, CLEANUP => 0);
		$self->{private} = 1;
		push @open, $self;
		$self->_make;
		return $self;
	}
	my ($shared) = grep { $_->{pid} == $$ && !$_->{private} } @open;
	return $shared if $shared;
	$self->{dir} = sprintf '/tmp/kaireon-test-%d-%s', $>, substr sha1_hex($BUILD), 0, 8;
	make_path($self->{dir});
	chmod 0755, $self->{dir};
	my $setup = _lock("$self->{dir}/setup.lock", LOCK_EX);
	$self->{users} = _lock("$self->{dir}/users.lock", LOCK_SH);
	push @open, $self;
	$self->_make if !$self->_is_made;
	$self->start if !$self->is_up;
	close $setup;
	return $self;
}

sub _is_made {
	my ($self) = @_;
	open my $handle, '<', "$self->{dir}/digest" or return 0;
	return <$handle> eq _digest();
}

# initdb, roles, and the template database.
sub _make {
	my ($self) = @_;
	my $data = "$self->{dir}/pg";

	$self->stop if -e "$data/postmaster.pid" && $self->is_up;
	remove_tree($data) if -e $data;
	make_path($data);
	chmod 0755, $self->{dir};
	if ($> == 0) {
		my (undef, undef, $uid, $gid) = getpwnam 'postgres';
		chown $uid, $gid, $data;
	}
	_as_server("$self->{bin}/initdb", '-D', "$data/data", '-U', 'postgres', '-A', 'trust',
		'-E', 'UTF8', '--locale=C.UTF-8', '--no-sync');
	$self->start;
	_run(undef, $self->_psql('postgres', 'postgres'), '-f', "$SRC/sql/roles.sql");
	my $template = Kaireon::Cluster::Database->new($self, 'kaireon_template');
	_run('CREATE DATABASE kaireon_template OWNER kaireon_owner;',
		$self->_psql('postgres', 'postgres'));
	local $ENV{DATABASE_ADMIN_URL} = $template->url('owner');
	_run(undef, "$BUILD/kaireonctl", 'migrate');
	open my $handle, '>', "$self->{dir}/digest" or die $!;
	print {$handle} _digest();
	close $handle;
}

sub _psql {
	my ($self, $database, $user) = @_;
	return ('psql', '-XAtq', '-F', "\x1f", '-R', "\x1e", '-P', 'null=\N', '-v', 'ON_ERROR_STOP=1',
		'-h', "$self->{dir}/pg", '-U', $user, '-d', $database);
}

sub is_up {
	my ($self) = @_;
	return eval { _run('SELECT 1;', $self->_psql('postgres', 'postgres')); 1 };
}

sub start {
	my ($self) = @_;
	my $data = "$self->{dir}/pg";
	_as_server("$self->{bin}/pg_ctl", '-D', "$data/data", '-w', '-t', '60', '-s', '-l', "$data/log",
		'-o', "-c listen_addresses= -c unix_socket_directories=$data -c fsync=off"
		. ' -c full_page_writes=off -c max_connections=100 -c shared_buffers=64MB'
		. ' -c log_line_prefix=%m[%p]%q%u@%d/%a: -c timezone=UTC', 'start');
}

# $mode: fast, immediate
sub stop {
	my ($self, $mode) = @_;
	_as_server("$self->{bin}/pg_ctl", '-D', "$self->{dir}/pg/data", '-w', '-s', '-m',
		$mode // 'fast', 'stop');
}

# A database of its own, made from the template.
sub clone {
	my ($self) = @_;
	my $name = sprintf 'krn_%d_%d', $$, ++$self->{clones};
	my $db = Kaireon::Cluster::Database->new($self, $name);
	_run("CREATE DATABASE $name TEMPLATE kaireon_template OWNER kaireon_owner;",
		$self->_psql('postgres', 'postgres'));
	push @{$self->{databases}}, $name;
	return $db;
}

# An empty database of the owner.
sub empty {
	my ($self) = @_;
	my $name = sprintf 'krn_%d_%d', $$, ++$self->{clones};
	_run("CREATE DATABASE $name OWNER kaireon_owner;", $self->_psql('postgres', 'postgres'));
	push @{$self->{databases}}, $name;
	return Kaireon::Cluster::Database->new($self, $name);
}

sub _leave {
	my ($self) = @_;
	if ($self->{private}) {
		eval { $self->stop('immediate') };
		remove_tree($self->{dir}) if !$ENV{KRN_TEST_LEAVE};
		return;
	}
	my $setup = _lock("$self->{dir}/setup.lock", LOCK_EX);
	for my $name (@{$self->{databases} // []}) {
		last if $ENV{KRN_TEST_LEAVE};
		eval {
			_run("DROP DATABASE IF EXISTS $name WITH (FORCE);",
				$self->_psql('postgres', 'postgres'));
		};
	}
	flock $self->{users}, LOCK_UN;
	if (flock $self->{users}, LOCK_EX | LOCK_NB) {
		eval { $self->stop };
	}
}

END {
	my $status = $?;
	for my $cluster (@open) {
		$cluster->_leave if $cluster->{pid} == $$;
	}
	$? = $status;
}

package Kaireon::Cluster::Database;

my %ROLES = (
	api => 'kaireon_api', worker => 'kaireon_worker', owner => 'kaireon_owner',
	super => 'postgres',
);

sub new {
	my ($class, $cluster, $name) = @_;
	return bless {cluster => $cluster, name => $name}, $class;
}

sub name { $_[0]{name} }

# The connection string of a role: api, worker, owner, super.
sub url {
	my ($self, $role) = @_;
	return "host=$self->{cluster}{dir}/pg dbname=$self->{name} user=$ROLES{$role}";
}

# Execute SQL through psql; what it printed. Dies on an error.
sub do {
	my ($self, $sql, $role) = @_;
	return Kaireon::Cluster::_run($sql,
		$self->{cluster}->_psql($self->{name}, $ROLES{$role // 'super'}));
}

# Rows as array references; NULL is undef.
sub rows {
	my ($self, $sql, $role) = @_;
	my $text = $self->do($sql, $role);
	chomp $text;
	# split makes nothing of an empty text
	return map {
		[map { $_ eq '\N' ? undef : $_ } length ? split(/\x1f/, $_, -1) : '']
	} split /\x1e/, $text, -1;
}

sub value {
	my ($self, $sql, $role) = @_;
	my @rows = $self->rows($sql, $role);
	return @rows ? $rows[0][0] : undef;
}

# A tenant, through the schema's own function.
sub tenant {
	my ($self, $id) = @_;
	$self->do("SELECT kaireon.tenant_create('$id', 'Tenant $id', false, 'UTC');");
	return $id;
}

1;
