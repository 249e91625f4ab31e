-- audit_head: the end of the tenant's audit chain, locked until the commit.
-- params:
-- result: one_row (seq int8, hash text, now text)
-- role: api, worker, owner
-- access: write
SELECT h.seq, h.hash, kaireon.time_text(pg_catalog.clock_timestamp())
FROM kaireon.audit_heads AS h
WHERE h.tenant_id = kaireon.tenant_id()
FOR UPDATE OF h;
