-- export_rebase_xid: a new transaction id, and the oldest that is under way.
-- params:
-- result: one_row (xid text, oldest text)
-- role: owner
-- access: write
SELECT pg_catalog.pg_current_xact_id()::text,
       pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text;
