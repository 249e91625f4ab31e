-- run_inline_set: a run decides with this flow and segment; one that had ended begins anew.
-- params: id text, flow_id text, segment_id text
-- result: one_row (document text)
-- role: worker
-- access: write
WITH moved AS (
	UPDATE kaireon.campaign_runs AS r
	SET status = 'pending', step = 'plan', decision_flow_id = $2::text, segment_id = $3::text,
	    started_at = NULL, completed_at = NULL, planned_now = NULL, config = NULL,
	    config_revision = NULL, xid_ceiling = NULL, customers = NULL, chunks = NULL,
	    chunks_done = 0, processed = 0, summary = NULL, error = NULL, file_path = NULL
	WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text
	RETURNING r.*
)
SELECT kaireon.run_document(m::kaireon.campaign_runs)::text FROM moved AS m;
