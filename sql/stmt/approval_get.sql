-- approval_get: an approval.
-- params: id text
-- result: zero_or_one (document text)
-- role: api
-- access: read
SELECT kaireon.approval_document(a)::text
FROM kaireon.approvals AS a
WHERE a.tenant_id = kaireon.tenant_id() AND a.id = $1::text;
