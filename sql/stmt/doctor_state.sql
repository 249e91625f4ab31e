-- doctor_state: what a look at the whole system needs of the database, in one row.
-- The version is NULL before the first migration; workers are those of every host.
-- params:
-- result: one_row (schema_version int8, oldest_program int8, installed_seconds int8, now_us int8, jobs_due int8, due_seconds int8, workers int8, dead_letters int8, exports_failed int8, exports_foreign int8, export_lag_seconds int8)
-- role: owner
-- access: read
SELECT (SELECT max(m.number) FROM kaireon.schema_migrations AS m),
       (SELECT max(m.oldest_program) FROM kaireon.schema_migrations AS m),
       (SELECT extract(epoch FROM pg_catalog.now() - min(m.applied_at))::int8
        FROM kaireon.schema_migrations AS m),
       (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::int8,
       q.due, q.seconds,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity AS a
        WHERE a.datname = pg_catalog.current_database() AND a.application_name LIKE 'kaireon-worker %'),
       (SELECT count(*) FROM kaireon.dead_letter_events AS d),
       p.failed, p.foreign_cluster, p.lag
FROM (SELECT count(*) AS due,
             coalesce(extract(epoch FROM pg_catalog.now() - min(j.run_at))::int8, 0) AS seconds
      FROM kaireon.jobs AS j
      WHERE j.run_at <= pg_catalog.now() AND j.leased_until IS NULL) AS q,
     (SELECT count(*) FILTER (WHERE c.status = 'failed') AS failed,
             count(*) FILTER (WHERE c.system_identifier <> s.system_identifier::text) AS foreign_cluster,
             coalesce(max(r.seconds), 0) AS lag
      FROM kaireon.tenants AS t
      CROSS JOIN pg_catalog.pg_control_system() AS s
      LEFT JOIN kaireon.export_checkpoints AS c
        ON c.tenant_id = t.tenant_id AND c.stream = 'interaction_history'
      LEFT JOIN LATERAL (
              -- the oldest that is not exported
              SELECT extract(epoch FROM pg_catalog.now() - h.created_at)::int8 AS seconds
              FROM kaireon.interaction_history AS h
              WHERE h.tenant_id = t.tenant_id
                AND (h.commit_xid, h.id) > (coalesce(c.commit_xid, '0'), coalesce(c.id, ''))
              ORDER BY h.commit_xid, h.id
              LIMIT 1) AS r ON true
      WHERE t.status = 'active') AS p;
