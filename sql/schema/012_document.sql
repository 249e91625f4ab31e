-- Answers that are one JSON document, built where the rows are. Times are
-- texts, keys are in the order of the contract.

CREATE FUNCTION kaireon.run_document(r kaireon.campaign_runs) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object(
	'id', r.id, 'campaignId', r.campaign_id, 'runNumber', r.run_number,
	'triggeredBy', r.triggered_by, 'status', r.status,
	'createdAt', kaireon.time_text(r.created_at),
	'startedAt', kaireon.time_text(r.started_at),
	'completedAt', kaireon.time_text(r.completed_at),
	'progress', json_build_object(
		'customers', r.customers, 'processed', r.processed,
		'percent', CASE WHEN r.step = 'done' THEN 100
		           WHEN r.customers > 0
		           THEN round(100.0 * r.processed / r.customers, 1) ELSE 0 END,
		'etaSeconds', CASE WHEN r.status = 'running' AND r.processed > 0
		              THEN ceil(extract(epoch FROM now() - r.started_at)
		                   * (r.customers - r.processed) / r.processed)::bigint END),
	'summary', CASE WHEN r.step = 'done' THEN r.summary END, 'error', r.error);

CREATE FUNCTION kaireon.campaign_document(c kaireon.campaigns) RETURNS json
LANGUAGE sql STABLE
RETURN (
	SELECT json_build_object(
		'id', c.id, 'name', c.name, 'description', c.description,
		'status', c.status,
		'decisionFlowId', c.decision_flow_id, 'decisionFlowName', f.name,
		'segmentId', c.segment_id, 'segmentName', s.name,
		'segmentCustomerCount', s.customer_count,
		'scheduleType', c.schedule_type,
		'scheduleDayOfWeek', c.schedule_day_of_week,
		'scheduleDayOfMonth', c.schedule_day_of_month,
		'scheduleTime', c.schedule_time,
		'scheduleTimezone', c.schedule_timezone,
		'scheduleCron', c.schedule_cron,
		'nextRunAt', kaireon.time_text(c.next_run_at),
		'volumeConstraints', c.volume_constraints,
		'fileConfig', c.file_config, 'channelIds', c.channel_ids,
		'runCount', c.run_count,
		'lastRunAt', kaireon.time_text(c.last_run_at),
		'latestRun', (SELECT kaireon.run_document(r)
		              FROM kaireon.campaign_runs AS r
		              WHERE r.tenant_id = c.tenant_id AND r.campaign_id = c.id
		              ORDER BY r.run_number DESC LIMIT 1),
		'createdAt', kaireon.time_text(c.created_at),
		'updatedAt', kaireon.time_text(c.updated_at))
	FROM kaireon.decision_flows AS f, kaireon.segments AS s
	WHERE f.tenant_id = c.tenant_id AND f.id = c.decision_flow_id
	  AND s.tenant_id = c.tenant_id AND s.id = c.segment_id);

GRANT EXECUTE ON FUNCTION kaireon.run_document(kaireon.campaign_runs),
	kaireon.campaign_document(kaireon.campaigns) TO kaireon_api, kaireon_worker;
