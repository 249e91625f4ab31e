-- run_members_copy: which of a chunk's customers another segment holds.
-- params:
-- result: copy_out
-- role: worker
-- access: read
-- identifiers: space, view
COPY (
	SELECT s.customer_id
	FROM {space}.{view} AS s
	WHERE s.customer_id >= kaireon.argument('low') AND s.customer_id <= kaireon.argument('high')
	ORDER BY s.customer_id
) TO STDOUT;
