-- run_get: one run of a campaign.
-- params: campaign_id text, id text
-- result: zero_or_one (document text, file_path text)
-- role: api
-- access: read
SELECT kaireon.run_document(r)::text, r.file_path
FROM kaireon.campaign_runs AS r
WHERE r.tenant_id = kaireon.tenant_id() AND r.campaign_id = $1::text AND r.id = $2::text;
