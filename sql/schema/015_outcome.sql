-- Outcomes of a range of customers: policies and metrics look at them in runs.

CREATE INDEX interaction_history_outcome
	ON kaireon.interaction_history (tenant_id, customer_id, created_at)
	WHERE outcome IS NOT NULL;
