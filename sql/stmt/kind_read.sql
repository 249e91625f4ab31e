-- kind_read: the live objects of one kind.
-- params:
-- result: copy_out
-- role: api, worker, owner
-- access: read
-- identifiers: table, columns...
COPY (
	SELECT {t.columns...}
	FROM kaireon.{table} AS t
	WHERE t.tenant_id = kaireon.tenant_id() AND t.deleted_at IS NULL
	ORDER BY t.name
) TO STDOUT;
