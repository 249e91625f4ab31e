-- run_chunk_insert: cut a segment into ranges of customers.
-- params: run_id text, size int8
-- result: none
-- role: worker
-- access: write
-- identifiers: space, view
INSERT INTO kaireon.campaign_run_chunks (tenant_id, run_id, chunk, low, high, customers)
SELECT kaireon.tenant_id(), $1::text, n.place / $2::int8, min(n.customer_id), max(n.customer_id), count(*)
FROM (SELECT s.customer_id, row_number() OVER (ORDER BY s.customer_id) - 1 AS place
      FROM {space}.{view} AS s) AS n
GROUP BY n.place / $2::int8;
