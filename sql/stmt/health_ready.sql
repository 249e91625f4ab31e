-- health_ready: the schema's version, the oldest program that it can serve, and
-- that the queue answers.
-- params:
-- result: one_row (version int8, oldest_program int8, jobs_due bool)
-- role: api, worker
-- access: read
SELECT (SELECT max(m.number) FROM kaireon.schema_migrations AS m),
       (SELECT max(m.oldest_program) FROM kaireon.schema_migrations AS m),
       EXISTS (SELECT FROM kaireon.jobs AS j WHERE j.tenant_id = kaireon.tenant_id());
