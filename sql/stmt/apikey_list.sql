-- apikey_list: the tenant's keys, newest first.
-- params:
-- result: rows (id text, name text, role text, prefix text, status text, scopes text, expires_at text, last_used_at text, created_at text)
-- role: owner
-- access: read
SELECT k.id, k.name, k.role, k.prefix,
       CASE WHEN k.revoked_at IS NOT NULL THEN 'revoked'
            WHEN k.expires_at <= pg_catalog.now() THEN 'expired'
            ELSE 'active' END,
       (SELECT coalesce(pg_catalog.string_agg(s.scope, ',' ORDER BY s.n), '')
        FROM pg_catalog.jsonb_array_elements_text(k.scopes) WITH ORDINALITY AS s (scope, n)),
       kaireon.time_text(k.expires_at), kaireon.time_text(k.last_used_at),
       kaireon.time_text(k.created_at)
FROM kaireon.api_keys AS k
WHERE k.tenant_id = kaireon.tenant_id()
ORDER BY k.created_at DESC, k.id DESC;
