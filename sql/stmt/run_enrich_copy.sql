-- run_enrich_copy: what a schema says of a chunk's customers.
-- params:
-- result: copy_out
-- role: worker
-- access: read
-- identifiers: space, table, id, columns...
COPY (
	SELECT s.{id}, {s.columns...}
	FROM {space}.{table} AS s
	WHERE s.{id} >= kaireon.argument('low') AND s.{id} <= kaireon.argument('high')
	ORDER BY s.{id}
) TO STDOUT;
