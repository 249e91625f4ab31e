# The connection: transactions, errors in pipelines, lost servers, COPY,
# notifications. t/bin/db does what the commands say.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Kaireon::Cluster;
use Kaireon::Db;

my $cluster = Kaireon::Cluster->new(private => 1);
my $db = $cluster->clone;
my ($conn, @words);

$db->tenant('acme');
$db->do(<<'SQL');
BEGIN;
SELECT kaireon.tenant_set('acme');
SELECT kaireon.data_table_create('hostile', 'id',
	'[{"name": "id", "type": "text"}, {"name": "a\"b c", "type": "text"}]');
COMMIT;
SQL

# the columns a statement names in its head
my @migration = qw(number name sha256);

sub backend_of {
	my ($conn) = @_;
	return $db->value("SELECT pid FROM pg_stat_activity WHERE application_name = 'db $conn->{pid}';");
}

# end a backend and wait until it is gone
sub end_backend {
	my $pid = shift;
	$db->do("SELECT pg_terminate_backend($pid, 5000);");
}

subtest 'the session is pinned' => sub {
	$conn = Kaireon::Db->new($db->url('worker'), STATEMENT_TIMEOUT_MS => 7000, LOCK_TIMEOUT_MS => 3000);
	$conn->ok('connect');
	like backend_of($conn), qr/^\d+$/, 'application_name has the process id';
	# a data table's view of the settings: through a COPY with a query
	$conn->ok('begin', 'write');
	$conn->ok('send', 'tenant_set', 'acme');
	$conn->ok('commit');
	is $conn->end, 0, 'clean exit';
};

subtest 'round trips' => sub {
	$conn = Kaireon::Db->new($db->url('owner'));
	$conn->ok('begin', 'read');
	$conn->ok('send', 'migration_list');
	$conn->ok('send', 'migration_exists');
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');
	is_deeply [$conn->ok('trips')], [1], 'begin, three statements, commit: one';
	my @first = $conn->ok('rows', 0, 3);
	is_deeply [$conn->ok('rows', 2, 3)], \@first, 'the same statement twice in one pipeline';
	is_deeply [@first[0, 1]], [1, '001_base'], 'rows as declared';
	is_deeply [$conn->ok('rows', 1, 1)], ['t'], 'each send has its rows';
	$conn->ok('begin', 'snapshot');
	$conn->ok('send', 'migration_list');
	$conn->ok('flush');
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');
	is_deeply [$conn->ok('trips')], [2], 'with a flush: two';
	$conn->ok('begin', 'read');
	$conn->ok('send', 'migration_list');
	$conn->ok('rollback');
	is_deeply [$conn->ok('trips')], [1], 'an unread transaction is undone in one';
	$conn->ok('commit');
};

subtest 'the server works while the client does' => sub {
	my $waiting = q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'db %' AND state = 'idle in transaction';};
	my $there = 'SELECT count(*) FROM kaireon.schema_migrations WHERE number > 9000;';
	$conn = Kaireon::Db->new($db->url('owner'));
	$conn->ok('begin', 'write');
	$conn->ok('post');
	$conn->ok('send', 'migration_insert', 9005, 'posted', 'x');
	$conn->ok('post');
	for (1 .. 200) {
		last if $db->value($waiting);
		sleep 0.05;
	}
	is $db->value($waiting), 1, 'what was posted is done before anybody waits for it';
	is $db->value($there), 0, 'and holds for nobody';
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');
	is_deeply [$conn->ok('trips')], [1], 'it is waited for once';
	is $db->value($there), 1, 'it holds with the commit';
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 9006, 'posted', 'x');
	$conn->ok('post');
	$conn->ok('rollback');
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 9005, 'again', 'x');
	$conn->ok('post');
	$conn->ok('send', 'migration_insert', 9007, 'after', 'x');
	my ($id, $sqlstate) = $conn->fails('commit');
	is "$id $sqlstate", 'CONFLICT 23505', 'what fails is told by the commit';
	is $db->value($there), 1, 'and what came after it, or was undone, does not hold';
	$db->do('DELETE FROM kaireon.schema_migrations WHERE number > 9000;');
	$conn->ok('begin', 'read');
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');
};

subtest 'errors in a pipeline' => sub {
	$conn = Kaireon::Db->new($db->url('owner'));
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 9001, 'first', 'x');
	$conn->ok('send', 'migration_insert', 1, 'again', 'x');
	$conn->ok('send', 'migration_insert', 9002, 'after', 'x');
	my ($id, $sqlstate, $message, $detail) = $conn->fails('commit');
	is $id, 'CONFLICT', 'a unique violation is a conflict';
	is $sqlstate, '23505', 'with its SQLSTATE';
	is $message, '', 'and no words of the server for the client';
	like $detail, qr/migration_insert: 23505: duplicate key/, 'the log learns statement and cause';
	is $db->value('SELECT count(*) FROM kaireon.schema_migrations WHERE number > 9000;'), 0,
		'nothing of the transaction holds';

	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 1, 'again', 'x');
	$conn->fails('flush');
	($id) = $conn->fails('flush');
	is $id, 'INTERNAL', 'a failed transaction stays failed';
	$conn->ok('rollback');
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 9003, 'third', 'x');
	$conn->ok('commit');
	is $db->value('SELECT count(*) FROM kaireon.schema_migrations WHERE number > 9000;'), 1,
		'the connection goes on after errors';
	$db->do('DELETE FROM kaireon.schema_migrations WHERE number > 9000;');

	$conn->ok('begin', 'read');
	$conn->ok('send', 'migration_insert', 9004, 'fourth', 'x');
	($id, $sqlstate) = $conn->fails('commit');
	is "$id $sqlstate", 'INTERNAL 25006', 'a read-only transaction refuses to write';
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 'seven', 'x', 'x');
	($id, $sqlstate) = $conn->fails('commit');
	is "$id $sqlstate", 'INTERNAL 22P02', 'input was to be validated before';
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 9005, undef, 'x');
	($id) = $conn->fails('commit');
	is $id, 'INTERNAL', 'NULL where none may be';
	is $conn->end, 0, 'clean exit';
};

subtest 'a prepared statement that failed first' => sub {
	$conn = Kaireon::Db->new($db->url('owner'));
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 1, 'again', 'x');
	$conn->ok('send', 'migration_list');    # parsed only by a later pipeline
	$conn->fails('commit');
	$conn->ok('begin', 'read');
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');
	$db->do('ALTER TABLE kaireon.schema_migrations ALTER number TYPE integer;');
	my $other = Kaireon::Db->new($db->url('owner'));
	for my $time (1, 2) {
		$other->ok('begin', 'read');
		$other->ok('send', 'migration_list');
		my ($id, undef, undef, $detail) = $other->fails('commit');
		is $id, 'INTERNAL', 'a type that is not the head\'s is refused';
		like $detail, qr/migration_list: column 1 is not int8/, 'and named';
	}
	$db->do('ALTER TABLE kaireon.schema_migrations ALTER number TYPE bigint;');
	$other->ok('begin', 'read');
	$other->ok('send', 'migration_list');
	my (undef, $sqlstate) = $other->fails('commit');
	is $sqlstate, '0A000', 'a table that changed under a prepared statement';
	$other->ok('begin', 'read');
	$other->ok('send', 'migration_list');
	$other->ok('commit');
	pass 'costs a new connection and no more';
	is $other->end, 0, 'clean exit';
};

subtest 'our own SQLSTATEs' => sub {
	$conn = Kaireon::Db->new($db->url('api'));
	$conn->ok('begin', 'read');
	$conn->ok('send', 'authenticate', '\x00', 'viewer', 'a route');
	my ($id, $sqlstate, $message) = $conn->fails('commit');
	is "$id $sqlstate", 'UNAUTHORIZED KR401', 'KR401';
	is $message, 'a valid API key is required', 'its message is for the client';
	$conn->ok('begin', 'read');
	$conn->ok('send', 'authenticate_tenant', 'nobody', 'viewer', 'viewer');
	($id, $sqlstate) = $conn->fails('commit');
	is "$id $sqlstate", 'FORBIDDEN KR403', 'KR403';
	$conn->ok('begin', 'read');
	$conn->ok('send', 'authenticate_tenant', 'acme', 'viewer', 'viewer');
	$conn->ok('commit');
	is(($conn->ok('rows', 0, 2))[0], 'acme', 'one row');
};

subtest 'shape' => sub {
	$conn = Kaireon::Db->new($db->url('worker'));
	$conn->ok('begin', 'write');
	$conn->ok('send', 'tenant_set', 'acme');
	$conn->ok('send', 'export_rest');
	my ($id, undef, undef, $detail) = $conn->fails('commit');
	is $id, 'NOTFOUND', 'one_row without a row';
	like $detail, qr/export_rest gave no row/, 'named';
};

subtest 'busy and slow' => sub {
	my $holder = Kaireon::Db->new($db->url('owner'));
	$holder->ok('begin', 'write');
	$holder->ok('send', 'migration_lock');
	$holder->ok('flush');
	$conn = Kaireon::Db->new($db->url('owner'), LOCK_TIMEOUT_MS => 50);
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_lock');
	my ($id, $sqlstate, $message) = $conn->fails('commit');
	is "$id $sqlstate", 'CONFLICT 55P03', 'a lock that was not given in time';
	like $message, qr/busy/, 'is told as busy';
	$conn = Kaireon::Db->new($db->url('owner'), STATEMENT_TIMEOUT_MS => 50);
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_lock');
	($id, $sqlstate) = $conn->fails('commit');
	is "$id $sqlstate", 'UNAVAILABLE 57014', 'a statement that took too long';
	$holder->ok('rollback');
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_lock');
	$conn->ok('commit');
};

subtest 'a lost backend' => sub {
	$conn = Kaireon::Db->new($db->url('owner'));
	$conn->ok('connect');
	end_backend(backend_of($conn));
	$conn->ok('begin', 'read');
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');
	pass 'it is noticed before use';
	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 9001, 'lost', 'x');
	$conn->ok('flush');
	end_backend(backend_of($conn));
	$conn->ok('send', 'migration_list');
	my ($id) = $conn->fails('commit');
	is $id, 'UNAVAILABLE', 'in a transaction it is told';
	$conn->ok('begin', 'read');
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');
	is $db->value('SELECT count(*) FROM kaireon.schema_migrations WHERE number > 9000;'), 0,
		'and the transaction is undone';
	is $conn->end, 0, 'clean exit';
};

my @table = ('t_acme|ds_hostile|id,a"b c');
my @hostile = (
	"tab\there", "new\nline", "back\\slash", "\\N", "\\.", '', undef, "cr\r", "quote'\"",
	"\x{e2}\x{82}\x{ac}", "ends with \\", "\\t literal", ' space ',
);

subtest 'COPY of hostile values' => sub {
	$conn = Kaireon::Db->new($db->url('worker'));
	$conn->ok('begin', 'write');
	$conn->ok('send', 'tenant_set', 'acme');
	$conn->ok('copyin', 'schema_copy', $table[0]);
	for my $i (0 .. $#hostile) {
		$conn->ok('put', sprintf("%02d\t%s", $i, Kaireon::Db::_escape($hostile[$i])));
	}
	is_deeply [$conn->ok('end')], [scalar @hostile], 'rows stored';
	$conn->ok('send', 'argument_set', 'low', '00');
	$conn->ok('send', 'argument_set', 'high', '99');
	$conn->ok('commit');
	my @got = map { $_->[0] } $db->rows(<<'SQL');
SELECT encode(convert_to("a""b c", 'UTF8'), 'hex') FROM t_acme.ds_hostile ORDER BY id;
SQL
	is_deeply \@got, [map { defined $_ ? unpack 'H*', $_ : undef } @hostile],
		'byte for byte in the table';

	$db->do(q{CREATE VIEW t_acme."v ""1""" AS SELECT id AS customer_id, "a""b c" FROM t_acme.ds_hostile;
		GRANT SELECT ON t_acme."v ""1""" TO kaireon_worker;});
	$conn->ok('begin', 'read');
	$conn->ok('send', 'tenant_set', 'acme');
	$conn->ok('send', 'argument_set', 'low', '00');
	$conn->ok('send', 'argument_set', 'high', '99');
	my @out = $conn->ok('copyout', 'run_customers_copy', 't_acme|v "1"|customer_id,a"b c');
	is pop @out, scalar @hostile, 'rows read';
	is_deeply [@out[grep { $_ % 2 } 0 .. $#out]], \@hostile, 'and byte for byte back';
	$conn->ok('commit');

	$conn->ok('begin', 'read');
	$conn->ok('send', 'tenant_set', 'acme');
	$conn->ok('send', 'argument_set', 'low', '00');
	$conn->ok('send', 'argument_set', 'high', '99');
	$conn->ok('copyfirst', 'run_customers_copy', 't_acme|v "1"|customer_id,a"b c');
	$conn->ok('send', 'health_ready');
	$conn->ok('commit');
	pass 'a stream that was ended early leaves the transaction usable';
	is $conn->end, 0, 'clean exit';
};

subtest 'COPY that fails' => sub {
	$conn = Kaireon::Db->new($db->url('worker'));
	$conn->ok('begin', 'write');
	$conn->ok('send', 'tenant_set', 'acme');
	$conn->ok('copyin', 'schema_copy', $table[0]);
	$conn->ok('put', "00\tdouble");
	my ($id, $sqlstate, undef, $detail) = $conn->fails('end');
	is "$id $sqlstate", 'CONFLICT 23505', 'a duplicate';
	like $detail, qr/schema_copy: 23505.*line 1/, 'with statement and line';
	($id) = $conn->fails('commit');
	is $id, 'INTERNAL', 'a failed transaction cannot be committed';

	$conn->ok('begin', 'write');
	$conn->ok('send', 'tenant_set', 'acme');
	$conn->ok('copyin', 'schema_copy', $table[0]);
	$conn->ok('put', "zz\tabandoned");
	$conn->ok('abort');
	$conn->fails('flush');
	$conn->ok('rollback');

	$conn->ok('begin', 'write');
	$conn->ok('send', 'tenant_set', 'acme');
	$conn->ok('copyin', 'schema_copy', $table[0]);
	$conn->ok('put', "yy\tlost");
	end_backend(backend_of($conn));
	my ($verdict, @why) = $conn->send('put', "yz\tlost");
	($verdict, @why) = $conn->send('end') if $verdict eq 'ok';
	is "$verdict $why[0]", 'ERROR UNAVAILABLE', 'a backend lost in a stream';

	$conn->ok('begin', 'write');
	$conn->ok('send', 'tenant_set', 'acme');
	($id, undef, undef, $detail) = $conn->fails('copyin', 'schema_copy', 't_acme||id');
	is $id, 'INVALID', 'an empty name is refused';
	($id, $sqlstate) = $conn->fails('copyin', 'schema_copy', 't_acme|ds_hostile|id"; DROP TABLE x --');
	is "$id $sqlstate", 'INTERNAL 42703', 'a name is a name and never SQL';
	$conn->ok('rollback');
	is $db->value('SELECT count(*) FROM t_acme.ds_hostile;'), scalar @hostile, 'nothing was left behind';
	is $conn->end, 0, 'clean exit';
};

subtest 'notifications' => sub {
	$conn = Kaireon::Db->new($db->url('worker'));
	$conn->ok('listen');
	is_deeply [$conn->ok('wait', 10)], ['no'], 'nothing yet';
	$conn->post('wait', 20000);
	$db->do(q{SELECT pg_notify('kaireon_jobs', '');});
	my ($answer) = (split /\t/, readline $conn->{out})[1];
	is $answer, "yes\n", 'woken';
	end_backend(backend_of($conn));
	my ($verdict) = $conn->send('wait', 1000);
	is $verdict, 'ERROR', 'a lost connection is told';
	$conn->ok('begin', 'read');
	$conn->ok('commit');
	$db->do(q{SELECT pg_notify('kaireon_jobs', '');});
	is_deeply [$conn->ok('wait', 20000)], ['yes'], 'the new connection listens too';
	is $conn->end, 0, 'clean exit';
};

subtest 'a server that stops and starts' => sub {
	$conn = Kaireon::Db->new($db->url('owner'));
	$conn->ok('begin', 'read');
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');
	$cluster->stop;
	my ($id) = $conn->fails('begin', 'read');
	is $id, 'UNAVAILABLE', 'told at once';
	my $start = time;
	($id, undef, undef, my $detail) = $conn->fails('begin', 'read');
	like $detail, qr/a moment ago/, 'and not tried again within the pause';
	cmp_ok time - $start, '<', 1, 'without waiting';
	$cluster->start;
	my $deadline = time + 20;
	my $verdict = '';
	while ($verdict ne 'ok' && time < $deadline) {
		($verdict) = $conn->send('begin', 'read');
		sleep 0.05 if $verdict ne 'ok';
	}
	is $verdict, 'ok', 'it comes back by itself';
	$conn->ok('send', 'migration_list');
	$conn->ok('commit');

	$conn->ok('begin', 'write');
	$conn->ok('send', 'migration_insert', 9009, 'x', 'x');
	$conn->ok('flush');
	$cluster->stop('immediate');
	($id) = $conn->fails('commit');
	is $id, 'UNAVAILABLE', 'a server that dies in a transaction';
	$cluster->start;
	is $conn->end, 0, 'clean exit';
};

done_testing;
