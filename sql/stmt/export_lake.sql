-- export_lake: what this database knows of a tenant's lake, by paths below its folder.
-- A file behind `ahead` was published by a database that knew more. Behind `known` are
-- those that no row of export_files has; the batch under way may be the first of them.
-- A row that bears a transaction id which is yet to come is of another cluster, too.
-- params:
-- result: one_row (changed bool, due bool, ahead text, known text, files int8)
-- role: owner, worker
-- access: read
SELECT p.system_identifier <> c.system_identifier::text
       OR coalesce((SELECT h.commit_xid >= pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())
                    FROM kaireon.interaction_history AS h
                    WHERE h.tenant_id = kaireon.tenant_id()
                    ORDER BY h.commit_xid DESC, h.id DESC LIMIT 1), false),
       p.intent_path IS NOT NULL
       OR EXISTS (SELECT FROM kaireon.interaction_history AS h
                  WHERE h.tenant_id = kaireon.tenant_id()
                    AND (h.commit_xid, h.id) > (p.commit_xid, p.id)
                    AND h.commit_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())),
       -- "~" is behind any ending
       kaireon.export_path(p.path_at, '~'),
       kaireon.export_path(CASE WHEN p.intent_path IS NULL THEN p.path_at
                           ELSE p.path_at - interval '1 millisecond' END, '~'),
       p.files_total
FROM kaireon.export_checkpoints AS p, pg_catalog.pg_control_system() AS c
WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history';
