-- What happened in the last minutes, of all tenants, is found without reading the month:
-- rows lie in the order of their times.
CREATE INDEX interaction_history_window ON kaireon.interaction_history USING brin (created_at)
	WITH (autosummarize = on);
CREATE INDEX decision_traces_window ON kaireon.decision_traces USING brin (created_at)
	WITH (autosummarize = on);
