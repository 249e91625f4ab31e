-- run_customers_copy: a chunk's customers and what the plan needs of them.
-- params:
-- result: copy_out
-- role: worker
-- access: read
-- identifiers: space, view, columns...
COPY (
	SELECT {s.columns...}
	FROM {space}.{view} AS s
	WHERE s.customer_id >= kaireon.argument('low') AND s.customer_id <= kaireon.argument('high')
	ORDER BY s.customer_id
) TO STDOUT;
