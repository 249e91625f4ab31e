-- decide_config: what a run decides with: one document, and the moment that it holds for.
-- Deleted offers are in it where a policy counts what was sent of them.
-- params: run_id text
-- result: zero_or_one (config jsonb, now timestamptz, day timestamptz, week timestamptz, month timestamptz, ceiling xid8, revision int8, space text, view_name text)
-- role: worker
-- access: read
SELECT pg_catalog.jsonb_build_object(
	'flow', pg_catalog.jsonb_build_object('id', f.id, 'name', f.name, 'version', v.version, 'config', v.config),
	'offers', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', o.id, 'name', o.name,
			'status', CASE WHEN o.deleted_at IS NOT NULL THEN 'deleted' WHEN o.emergency_excluded THEN 'excluded' ELSE o.status END,
			'priority', o.priority, 'businessValue', o.business_value,
			'categoryId', o.category_id, 'categoryName', g.name,
			'subCategoryId', o.sub_category_id, 'subCategoryName', u.name,
			'budget', o.budget, 'inventory', o.inventory, 'frequencyCaps', o.frequency_caps,
			'category', o.category, 'group', o.offer_group, 'productType', o.product_type,
			'tags', o.tags, 'margin', o.margin, 'revenueValue', o.revenue_value, 'metadata', o.metadata,
			'mandatory', o.mandatory AND o.mandatory_expires_at > pg_catalog.now()) ORDER BY o.id), '[]')
		FROM kaireon.offers AS o
		LEFT JOIN kaireon.categories AS g ON g.tenant_id = o.tenant_id AND g.id = o.category_id
		LEFT JOIN kaireon.sub_categories AS u ON u.tenant_id = o.tenant_id AND u.id = o.sub_category_id
		WHERE o.tenant_id = c.tenant_id
		  AND (o.deleted_at IS NULL OR EXISTS (
			SELECT FROM kaireon.contact_policies AS p
			WHERE p.tenant_id = o.tenant_id AND p.deleted_at IS NULL AND p.status = 'active'
			  AND ((p.scope = 'category' AND p.scope_id = o.category_id)
			    OR (p.scope = 'subcategory' AND p.scope_id = o.sub_category_id)
			    OR (p.rule_type = 'category_suppression'
			        AND (p.config ->> 'categoryId' = o.category_id OR p.config ->> 'subCategoryId' = o.sub_category_id))
			    OR (p.rule_type = 'mutual_exclusion' AND p.config -> 'offerGroup' ? o.id))))),
	'channels', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', h.id, 'name', h.name, 'status', h.status, 'deliveryMode', h.delivery_mode,
			'channelType', h.channel_type) ORDER BY h.id), '[]')
		FROM kaireon.channels AS h
		WHERE h.tenant_id = c.tenant_id AND h.deleted_at IS NULL),
	'creatives', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', x.id, 'name', x.name, 'offerId', x.offer_id, 'channelId', x.channel_id,
			'placementId', x.placement_id, 'weight', x.weight)
			-- what they say is kept when the file is to have it
			|| CASE WHEN c.file_config->'includePersonalization' = 'true' OR c.file_config->'columns' ? 'personalization'
			   THEN pg_catalog.jsonb_build_object('content', x.content, 'personalization', x.personalization)
			   ELSE '{}' END ORDER BY x.id), '[]')
		FROM kaireon.creatives AS x
		WHERE x.tenant_id = c.tenant_id AND x.deleted_at IS NULL AND x.status = 'active'),
	'flows', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', y.id, 'name', y.name, 'config', w.config) ORDER BY y.id), '[]')
		FROM kaireon.decision_flows AS y
		JOIN kaireon.decision_flow_versions AS w
		  ON w.tenant_id = y.tenant_id AND w.flow_id = y.id AND w.version = y.published_version
		WHERE y.tenant_id = c.tenant_id AND y.deleted_at IS NULL
		  AND pg_catalog.jsonb_path_exists(v.config, '$.nodes[*] ? (@.type == "call_flow")')),
	'rules', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', q.id, 'name', q.name, 'scope', q.scope, 'scopeId', q.scope_id,
			'ruleType', q.rule_type, 'stage', q.stage, 'config', q.config,
			'priority', q.priority) ORDER BY q.priority DESC, q.name), '[]')
		FROM kaireon.qualification_rules AS q
		WHERE q.tenant_id = c.tenant_id AND q.deleted_at IS NULL AND q.status = 'active'),
	'policies', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', p.id, 'name', p.name, 'scope', p.scope, 'scopeId', p.scope_id,
			'ruleType', p.rule_type, 'config', p.config,
			'priority', p.priority) ORDER BY p.priority DESC, p.name), '[]')
		FROM kaireon.contact_policies AS p
		WHERE p.tenant_id = c.tenant_id AND p.deleted_at IS NULL AND p.status = 'active'),
	'profiles', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', k.id, 'name', k.name, 'weights', k.weights) ORDER BY k.id), '[]')
		FROM kaireon.ranking_profiles AS k
		WHERE k.tenant_id = c.tenant_id AND k.deleted_at IS NULL),
	'segments', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', s.id, 'name', s.name, 'viewName', s.view_name) ORDER BY s.id), '[]')
		FROM kaireon.segments AS s
		WHERE s.tenant_id = c.tenant_id),
	'schemas', CASE WHEN pg_catalog.jsonb_path_exists(v.config, '$.nodes[*] ? (@.type == "enrich" || @.type == "call_flow")')
		THEN (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', d.id, 'name', d.name, 'tableName', d.table_name, 'idColumn', d.id_column,
			'columns', d.columns) ORDER BY d.id), '[]')
		FROM kaireon.data_schemas AS d
		WHERE d.tenant_id = c.tenant_id)
		ELSE '[]' END,
	-- their custom fields, which nodes compute evaluate
	'categories', CASE WHEN pg_catalog.jsonb_path_exists(v.config, '$.nodes[*] ? (@.type == "compute")')
		THEN (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', g.id, 'name', g.name, 'customFields', g.custom_fields) ORDER BY g.id), '[]')
		FROM kaireon.categories AS g
		WHERE g.tenant_id = c.tenant_id AND g.deleted_at IS NULL)
		ELSE '[]' END,
	'subCategories', CASE WHEN pg_catalog.jsonb_path_exists(v.config, '$.nodes[*] ? (@.type == "compute")')
		THEN (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'id', u.id, 'name', u.name, 'customFields', u.custom_fields) ORDER BY u.id), '[]')
		FROM kaireon.sub_categories AS u
		WHERE u.tenant_id = c.tenant_id AND u.deleted_at IS NULL)
		ELSE '[]' END,
	'outcomes', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
			'key', u.key, 'classification', u.classification, 'category', u.category) ORDER BY u.key), '[]')
		FROM kaireon.outcome_types AS u
		WHERE u.tenant_id = c.tenant_id AND u.deleted_at IS NULL),
	'clock', pg_catalog.jsonb_build_object(
		'date', pg_catalog.to_char(n.at AT TIME ZONE t.time_zone, 'YYYY-MM-DD'),
		'weekday', extract(dow FROM n.at AT TIME ZONE t.time_zone)::int4,
		'hour', extract(hour FROM n.at AT TIME ZONE t.time_zone)::int4),
	'impressions', CASE WHEN EXISTS (
			SELECT FROM kaireon.contact_policies AS p
			WHERE p.tenant_id = c.tenant_id AND p.deleted_at IS NULL AND p.status = 'active'
			  AND p.rule_type = 'budget_exhausted')
		THEN (SELECT coalesce(pg_catalog.jsonb_object_agg(i.offer_id,
			pg_catalog.jsonb_build_object('today', i.today, 'ever', i.ever)), '{}')
		FROM (SELECT x.offer_id, sum(x.today)::int8 AS today, sum(x.ever)::int8 AS ever
		      FROM (SELECT h.offer_id, count(*) AS today, 0 AS ever
		            FROM kaireon.interaction_history AS h
		            JOIN kaireon.offers AS b ON b.tenant_id = h.tenant_id AND b.id = h.offer_id AND b.budget ? 'maxPerDay'
		            WHERE h.tenant_id = c.tenant_id
		              AND h.created_at >= pg_catalog.date_trunc('day', n.at, t.time_zone)
		              AND h.interaction_type = 'impression' AND h.direction = 'outbound'
		              AND h.commit_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
		            GROUP BY h.offer_id
		            UNION ALL
		            SELECT h.offer_id, 0, count(*)
		            FROM kaireon.interaction_history AS h
		            JOIN kaireon.offers AS b ON b.tenant_id = h.tenant_id AND b.id = h.offer_id AND b.budget ? 'maxImpressions'
		            WHERE h.tenant_id = c.tenant_id
		              AND h.interaction_type = 'impression' AND h.direction = 'outbound'
		              AND h.commit_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
		            GROUP BY h.offer_id) AS x
		      GROUP BY x.offer_id) AS i)
		ELSE '{}' END,
	-- what offers, their categories and all of them were answered, to learn from
	'answers', CASE WHEN pg_catalog.jsonb_path_exists(v.config, '$.nodes[*] ? (@.type == "score" && @.config.method == "propensity")')
		THEN (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
				'offerId', a.offer_id, 'categoryId', a.category_id, 'outcome', a.outcome, 'count', a.count))
				ORDER BY a.offer_id, a.category_id, a.outcome), '[]')
		FROM (SELECT h.offer_id, b.category_id, h.outcome, count(*) AS count
		      FROM kaireon.interaction_history AS h
		      JOIN kaireon.offers AS b ON b.tenant_id = h.tenant_id AND b.id = h.offer_id
		      WHERE h.tenant_id = c.tenant_id AND h.outcome IS NOT NULL
		        AND h.commit_xid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
		      GROUP BY GROUPING SETS ((h.outcome, h.offer_id), (h.outcome, b.category_id), (h.outcome))
		      -- of offers without a category
		      HAVING GROUPING(h.offer_id) = 0 OR GROUPING(b.category_id) = 1 OR b.category_id IS NOT NULL) AS a)
		ELSE '[]' END,
	'channelIds', c.channel_ids,
	'campaign', pg_catalog.jsonb_build_object('id', c.id, 'name', c.name,
		'volumeConstraints', c.volume_constraints, 'fileConfig', c.file_config)),
	n.at,
	pg_catalog.date_trunc('day', n.at, t.time_zone),
	pg_catalog.date_trunc('week', n.at, t.time_zone),
	pg_catalog.date_trunc('month', n.at, t.time_zone),
	pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()),
	e.revision, 't_' || c.tenant_id, seg.view_name
FROM kaireon.campaign_runs AS r
JOIN kaireon.campaigns AS c ON c.tenant_id = r.tenant_id AND c.id = r.campaign_id
JOIN kaireon.tenants AS t ON t.tenant_id = c.tenant_id
JOIN kaireon.config_epochs AS e ON e.tenant_id = c.tenant_id
JOIN kaireon.segments AS seg ON seg.tenant_id = c.tenant_id AND seg.id = coalesce(r.segment_id, c.segment_id)
JOIN kaireon.decision_flows AS f ON f.tenant_id = c.tenant_id AND f.id = coalesce(r.decision_flow_id, c.decision_flow_id)
JOIN kaireon.decision_flow_versions AS v
  ON v.tenant_id = f.tenant_id AND v.flow_id = f.id AND v.version = f.published_version
CROSS JOIN (SELECT pg_catalog.date_trunc('milliseconds', pg_catalog.now()) AS at) AS n
WHERE r.tenant_id = kaireon.tenant_id() AND r.id = $1::text;
