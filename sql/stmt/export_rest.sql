-- export_rest: what is not exported yet: below the ceiling, and how old the oldest
-- row is, also when an open transaction holds it back.
-- params:
-- result: one_row (has_more bool, lag_seconds int8)
-- role: worker
-- access: read
SELECT EXISTS (SELECT FROM kaireon.interaction_history AS h
               WHERE h.tenant_id = kaireon.tenant_id()
                 AND (h.commit_xid, h.id) > (p.commit_xid, p.id)
                 AND h.commit_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())),
       coalesce((SELECT greatest(0, extract(epoch FROM pg_catalog.now() - h.created_at))::int8
                 FROM kaireon.interaction_history AS h
                 WHERE h.tenant_id = kaireon.tenant_id()
                   AND (h.commit_xid, h.id) > (p.commit_xid, p.id)
                 ORDER BY h.commit_xid, h.id LIMIT 1), 0)
FROM kaireon.export_checkpoints AS p
WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history';
