-- Campaigns: changed, deleted; runs held, cancelled, restarted.

-- what a run decides with instead of its campaign's own; NULL: that
ALTER TABLE kaireon.campaign_runs
	ADD COLUMN decision_flow_id text COLLATE "C",
	ADD COLUMN segment_id       text COLLATE "C",
	ADD FOREIGN KEY (tenant_id, decision_flow_id) REFERENCES kaireon.decision_flows,
	ADD FOREIGN KEY (tenant_id, segment_id) REFERENCES kaireon.segments;

GRANT DELETE ON kaireon.campaigns TO kaireon_api;
-- holding a run takes its jobs away from whoever has them: a new fence
GRANT UPDATE (seq, run_at, fence, attempts, leased_until, lease_pid, lease_start), DELETE
	ON kaireon.jobs TO kaireon_api;
GRANT UPDATE (status, step, error, completed_at) ON kaireon.campaign_runs TO kaireon_api;

-- claims take turns between tenants, each in the order of its jobs
DROP INDEX kaireon.jobs_claim;
CREATE INDEX jobs_claim ON kaireon.jobs (tenant_id, seq);
