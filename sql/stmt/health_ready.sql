-- health_ready: the schema's version, and that the queue answers.
-- params:
-- result: one_row (version int8, jobs_due bool)
-- role: api, worker
-- access: read
SELECT (SELECT max(m.number) FROM kaireon.schema_migrations AS m),
       EXISTS (SELECT FROM kaireon.jobs AS j WHERE j.tenant_id = kaireon.tenant_id());
