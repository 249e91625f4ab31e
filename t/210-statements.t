# Every statement of sql/stmt against the real schema, as each role of its
# head: it can be prepared, its parameters and columns have the types that the
# head declares, and the role has the privileges that it needs.

use strict;
use warnings;

use Test::More;

use Kaireon::Cluster;

# what the slots of statements with identifiers are filled with
my %DATA = (
	space => '"t_check"', view => '"seg_check"', table => '"ds_check"', id => '"customer_id"',
	'columns...' => [qw(customer_id age)],
);
my %KIND = (%DATA, table => '"offers"', parent => '"categories"', 'columns...' => [qw(id name)]);

# short names of the heads as PostgreSQL spells them
my %TYPES = (
	int8 => 'bigint', int4 => 'integer', float8 => 'double precision', bool => 'boolean',
	timestamptz => 'timestamp with time zone', 'int8[]' => 'bigint[]', 'float8[]' => 'double precision[]',
);

my $db = Kaireon::Cluster->new->clone;
$db->tenant('check');
$db->do(q{
	BEGIN;
	SELECT kaireon.tenant_set('check');
	SELECT kaireon.data_table_create('check', 'customer_id',
		'[{"name": "customer_id", "type": "text"}, {"name": "age", "type": "bigint"}]');
	CREATE VIEW t_check.seg_check WITH (security_invoker = true) AS
		SELECT customer_id, age FROM t_check.ds_check;
	GRANT SELECT ON t_check.seg_check TO kaireon_api, kaireon_worker;
	COMMIT;
});

# head and text of a file
sub read_statement {
	my ($file) = @_;
	my %head = (identifiers => '');
	open my $handle, '<', $file or die "$file: $!";
	my $text = '';
	while (my $line = <$handle>) {
		if ($line =~ /^-- (params|result|role|access|identifiers):\s*(.*?)\s*$/) {
			$head{$1} = $2;
		}
		$text .= $line if $line !~ /^--/;
	}
	my $names = $text =~ /kaireon\.\{table\}/ ? \%KIND : \%DATA;
	$text =~ s/\{(?:([a-z]+)\.)?([a-z]+(?:\.\.\.)?)\}/slot($names, $1, $2)/ge
		if $head{identifiers};
	$text =~ s/;\s*\z//;
	return \%head, $text;
}

sub slot {
	my ($names, $alias, $name) = @_;
	my $value = $names->{$name} // die "unknown slot {$name}";
	my $prefix = defined $alias ? "$alias." : '';
	return ref $value ? join ', ', map { qq{$prefix"$_"} } @$value : $value;
}

# "id text, n int8" as PostgreSQL spells the types
sub types {
	my ($list) = @_;
	return map { my $type = (split)[1]; $TYPES{$type} // $type } split /,\s*/, $list // '';
}

sub try {
	my ($sql, $role) = @_;
	my $output = eval { $db->do($sql, $role) };
	return ($output, $@ =~ s/^psql:|<stdin>:\d+:|\A.*exit \d+\n//gmr);
}

# A stream: begun and given up, as the role.
sub check_copy {
	my ($name, $role, $before, $text) = @_;
	my $end = $text =~ /\bFROM\s+STDIN\s*\z/ ? "\n\\.\n" : "\n";
	my (undef, $why) = try("BEGIN;$before $text;$end ROLLBACK;", $role);
	is $why, '', "$name as $role";
}

sub check_plain {
	my ($name, $role, $before, $head, $text) = @_;
	my @want = types($head->{params});
	my $nulls = @want ? '(' . join(', ', ('NULL') x @want) . ')' : '';

	# SET, TRUNCATE, CREATE cannot be prepared by name
	if ($text !~ /\A\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/) {
		my (undef, $why) = try("BEGIN;$before $text; ROLLBACK;", $role);
		return is $why, '', "$name as $role";
	}
	my ($output, $why) = try(<<"SQL", $role);
BEGIN;$before
PREPARE s AS $text;
SELECT coalesce(array_to_string(parameter_types, ','), '') FROM pg_prepared_statements WHERE name = 's';
EXPLAIN (COSTS off) EXECUTE s $nulls;
ROLLBACK;
SQL
	is $why, '', "$name as $role" or return;
	my ($params) = split /\x1e|\n/, $output;
	is $params // '', join(',', @want), "$name: types of the parameters";
	my ($columns) = $head->{result} =~ /\((.*)\)/;
	(my $described, $why) = try("BEGIN;$before $text \\gdesc\nROLLBACK;", $role);
	my @got = map { (split /\x1f/)[1] } grep { /\x1f/ } split /[\x1e\n]/, $described // '';
	is join(',', @got), join(',', types($columns)), "$name: types of the columns" or diag $why;
}

for my $file (sort glob "$ENV{KRN_SRCDIR}/sql/stmt/*.sql") {
	my ($name) = $file =~ m{([^/]+)\.sql$};
	my ($head, $text) = read_statement($file);
	# statements about a temporary table need it
	my $before = '';
	if ($text =~ /pg_temp\.run_allocation\b/) {
		(undef, $before) = read_statement("$ENV{KRN_SRCDIR}/sql/stmt/run_allocation_create.sql");
		$before .= ';';
	}
	for my $role (split /,\s*/, $head->{role}) {
		if ($head->{result} =~ /^copy/) {
			check_copy($name, $role, $before, $text);
		} else {
			check_plain($name, $role, $before, $head, $text);
		}
	}
	like $head->{access} // '', qr/^(?:read|write)$/, "$name: access";
}

done_testing;
