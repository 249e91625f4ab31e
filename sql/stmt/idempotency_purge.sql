-- idempotency_purge: the oldest answers that are kept no longer, of all tenants.
-- params: hours int8, max int8
-- result: none
-- role: worker
-- access: write
DELETE FROM kaireon.idempotency_keys AS k
USING (SELECT o.tenant_id, o.method, o.path, o.key
       FROM kaireon.idempotency_keys AS o
       WHERE o.created_at < pg_catalog.now() - $1::int8 * interval '1 hour'
       ORDER BY o.created_at LIMIT $2::int8 FOR UPDATE SKIP LOCKED) AS old
WHERE k.tenant_id = old.tenant_id AND k.method = old.method AND k.path = old.path
  AND k.key = old.key AND old.tenant_id = k.tenant_id;
