#!/usr/bin/perl
# The tenant wall, over the catalog: whatever table is added is tested too.
use strict;
use warnings;

use Test::More;

use Kaireon::Fill;
use Kaireon::Stack;

my $stack = Kaireon::Stack->new;
$stack->tenant($_) for qw(one two);

my @tables = split /\n/, $stack->owner(q{
	SELECT c.relname FROM pg_class AS c
	JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
	WHERE c.relnamespace = 'kaireon'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
	ORDER BY 1});
cmp_ok(scalar @tables, '>', 35, 'there are the tables of tenants');

is($stack->owner(q{
	SELECT string_agg(c.relname, ' ') FROM pg_class AS c
	WHERE c.relnamespace = 'kaireon'::regnamespace AND c.relkind IN ('r', 'p')
	  AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
	  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)}), '', 'row security is forced on each');

Kaireon::Fill::rows($stack, $_, 'x') for qw(one two);

for my $table (@tables) {
	my $all = $stack->owner("SELECT count(DISTINCT tenant_id) FROM kaireon.$table");
	is($all, 2, "$table has rows of both tenants");
	my ($status, $none) = $stack->try_query('kaireon_api', "SELECT count(tenant_id) FROM kaireon.$table");
	if ($status) {
		like($none, qr/permission denied/, "$table: the API role may not read it at all");
		next;
	}
	is($none, 0, "$table: nothing is seen without a tenant");
	(undef, my $seen) = $stack->try_query('kaireon_api', "BEGIN; SELECT FROM set_config('kaireon.tenant_id', 'one', true);
		SELECT coalesce(string_agg(DISTINCT tenant_id, ' '), '') FROM kaireon.$table; COMMIT");
	$seen =~ s/^\n+|\n+$//g;
	is($seen, 'one', "$table: only the tenant's own rows are seen");
	my ($failed, $why) = $stack->try_query('kaireon_api', "BEGIN; SELECT FROM set_config('kaireon.tenant_id', 'one', true);
		INSERT INTO kaireon.$table (tenant_id) VALUES ('two'); COMMIT");
	like($why, qr/row-level security|permission denied|violates not-null|no partition/, "$table: no row for another tenant");
}

is($stack->owner(q{SELECT count(*) FROM pg_class AS c WHERE c.relispartition
	AND (has_table_privilege('kaireon_api', c.oid, 'SELECT') OR has_table_privilege('kaireon_api', c.oid, 'INSERT')
	     OR has_table_privilege('kaireon_api', c.oid, 'UPDATE') OR has_table_privilege('kaireon_api', c.oid, 'DELETE'))}),
	0, 'the API role has no grant on any partition');
is($stack->owner(q{SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'kaireon_api'}), 'f', 'and does not bypass');
is($stack->owner(q{SELECT count(*) FROM pg_class WHERE relowner = 'kaireon_api'::regrole}), 0, 'and owns nothing');
is($stack->owner(q{SELECT coalesce(string_agg(k.conrelid::regclass || '.' || k.conname, ' '), '') FROM pg_constraint AS k
	JOIN pg_class AS c ON c.oid = k.conrelid
	WHERE c.relnamespace = 'kaireon'::regnamespace AND k.contype IN ('p', 'f')
	  AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = k.conrelid AND a.attname = 'tenant_id')
	  AND (SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = k.conrelid AND a.attnum = k.conkey[1]) <> 'tenant_id'
	  AND k.conname <> 'cron_run_tenants_cron_run_id_fkey'}), '', 'every key begins with tenant_id');
is($stack->owner(q{SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute AS a
	WHERE a.attrelid = 'kaireon.interaction_history'::regclass AND a.attnum > 0 AND a.attnotnull AND NOT a.atthasdef}),
	'created_at customer_id direction id interaction_type tenant_id', 'what an interaction must have');
is($stack->owner(q{SELECT string_agg(p.proname, ' ' ORDER BY p.proname) FROM pg_proc AS p
	WHERE p.pronamespace = 'kaireon'::regnamespace AND p.prosecdef}),
	'apikey_used audit_purge authenticate authenticate_tenant customer_erase data_table_create dead_letter_count partition_drop partition_ensure report_link_open '
	. 'segment_view_create tenant_create tenant_reset_begin tenant_reset_begin tenant_reset_end tenant_reset_some tenant_reset_some tenant_schema_drop tenant_schema_drop', 'the privileged functions');
is($stack->owner(q{SELECT count(*) FROM pg_proc AS p WHERE p.pronamespace = 'kaireon'::regnamespace AND p.prosecdef
	AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)}), 0, 'with a fixed search path');
is($stack->owner(q{SELECT count(*) FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'kaireon'::regnamespace AND a.grantee = 0}), 0, 'and nothing for PUBLIC');

$stack->end;
done_testing;
