package Kaireon::Fill;

# A row for a tenant in every table of tenants, found over the catalog: each
# column that must be given, by its type. Foreign keys are not the point.
#
#	Kaireon::Fill::rows($stack, 'one', 'x');      # texts are x
#	my @tables = Kaireon::Fill::tables($stack);
#	my %digest = Kaireon::Fill::digest($stack, 'one');

use strict;
use warnings;

sub tables {
	my ($stack) = @_;
	return split /\n/, $stack->owner(q{
		SELECT c.relname FROM pg_class AS c
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
		WHERE c.relnamespace = 'kaireon'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		ORDER BY 1});
}

sub rows {
	my ($stack, $tenant, $text) = @_;
	my $sql = q{
	SET session_replication_role = replica;
	DO $$
	DECLARE t record; col record; names text; vals text; tenant text := 'TENANT';
	BEGIN
		FOR t IN SELECT c.oid, c.relname FROM pg_class AS c
			JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
			WHERE c.relnamespace = 'kaireon'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		LOOP
			names := 'tenant_id'; vals := quote_literal(tenant);
			IF t.relname = 'contact_policies' THEN -- its default scope needs an object
				names := names || ', scope'; vals := vals || ', ''global''';
			END IF;
			FOR col IN SELECT a.attname, format_type(a.atttypid, NULL) AS type,
				(SELECT substring(pg_get_constraintdef(k.oid) FROM '''([a-z_]+)''::text')
				 FROM pg_constraint AS k WHERE k.conrelid = t.oid AND k.contype = 'c'
				 AND pg_get_constraintdef(k.oid) LIKE '%(' || a.attname || ' = %' LIMIT 1) AS allowed
				FROM pg_attribute AS a
				WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
				  AND NOT a.atthasdef AND a.attidentity = '' AND a.attname <> 'tenant_id'
			LOOP
				names := names || ', ' || quote_ident(col.attname);
				vals := vals || ', ' || CASE
					WHEN col.attname = 'key_hash' THEN quote_literal('\x' || md5(tenant) || md5(tenant)) || '::bytea'
					WHEN col.allowed IS NOT NULL THEN quote_literal(col.allowed)
					WHEN col.type LIKE '%[]' THEN '''{}'''
					WHEN col.type LIKE 'timestamp%' THEN 'now()'
					WHEN col.type = 'date' THEN 'date_trunc(''month'', now())::date'
					WHEN col.type IN ('bigint', 'integer', 'double precision') THEN '1'
					WHEN col.type = 'jsonb' THEN '''{}'''
					WHEN col.type = 'bytea' THEN '''x'''
					WHEN col.type = 'boolean' THEN 'true'
					ELSE quote_literal('TEXT') END;
			END LOOP;
			BEGIN
				EXECUTE format('INSERT INTO kaireon.%I (%s) VALUES (%s)', t.relname, names, vals);
			EXCEPTION WHEN unique_violation THEN -- made with the tenant
			END;
		END LOOP;
	END $$;};
	$sql =~ s/TENANT/$tenant/;
	$sql =~ s/TEXT/$text/;
	$stack->query('postgres', $sql);
}

# What each table has of a tenant, as a number of rows and a hash over them.
sub digest {
	my ($stack, $tenant) = @_;
	return map {
		$_ => $stack->query('postgres', "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')
			FROM kaireon.$_ AS t WHERE t.tenant_id = '$tenant'")
	} tables($stack);
}

1;
