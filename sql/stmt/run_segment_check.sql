-- run_segment_check: can every customer of a segment be told apart?
-- params:
-- result: one_row (customers int8, nulls int8, empty int8, duplicate text)
-- role: worker
-- access: read
-- identifiers: space, view
SELECT count(*), count(*) FILTER (WHERE n.customer_id IS NULL),
       count(*) FILTER (WHERE n.customer_id = ''),
       min(n.customer_id) FILTER (WHERE n.customer_id = n.previous)
FROM (SELECT s.customer_id, lag(s.customer_id) OVER (ORDER BY s.customer_id) AS previous
      FROM {space}.{view} AS s) AS n;
