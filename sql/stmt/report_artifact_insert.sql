-- report_artifact_insert: a report in one format.
-- params: run_id text, format text, content bytea, sha256 text, link_hash bytea, link_days int8
-- result: none
-- role: worker
-- access: write
INSERT INTO kaireon.report_artifacts (tenant_id, run_id, format, content, sha256, link_hash, link_expires_at)
SELECT kaireon.tenant_id(), $1::text, $2::text, $3::bytea, $4::text, $5::bytea,
       pg_catalog.now() + $6::int8 * interval '1 day';
