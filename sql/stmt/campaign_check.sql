-- campaign_check: what a campaign refers to, all in one row.
-- params: flow_id text, segment_id text, channel_ids jsonb, time_zone text, columns jsonb
-- result: one_row (flow_name text, flow_published bool, segment_name text, bad_channels text, batch_channels int8, zone_known bool, bad_columns text)
-- role: api, worker
-- access: read
SELECT (SELECT f.name FROM kaireon.decision_flows AS f
        WHERE f.tenant_id = kaireon.tenant_id() AND f.id = $1::text AND f.deleted_at IS NULL),
       (SELECT f.published_version IS NOT NULL FROM kaireon.decision_flows AS f
        WHERE f.tenant_id = kaireon.tenant_id() AND f.id = $1::text AND f.deleted_at IS NULL),
       (SELECT s.name FROM kaireon.segments AS s
        WHERE s.tenant_id = kaireon.tenant_id() AND s.id = $2::text),
       (SELECT string_agg(a.id, ', ' ORDER BY a.id)
        FROM pg_catalog.jsonb_array_elements_text($3::jsonb) AS a (id)
        WHERE NOT EXISTS (SELECT FROM kaireon.channels AS c
                          WHERE c.tenant_id = kaireon.tenant_id() AND c.id = a.id
                            AND c.deleted_at IS NULL AND c.delivery_mode = 'file')),
       (SELECT count(*) FROM kaireon.channels AS c
        WHERE c.tenant_id = kaireon.tenant_id() AND c.deleted_at IS NULL
          AND c.delivery_mode = 'file' AND c.status = 'active'
          AND ($3::jsonb = '[]' OR $3::jsonb ? c.id)),
       EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = $4::text),
       (SELECT string_agg(o.name, ', ' ORDER BY o.place)
        FROM pg_catalog.jsonb_array_elements_text($5::jsonb) WITH ORDINALITY AS o (name, place)
        JOIN kaireon.segments AS s ON s.tenant_id = kaireon.tenant_id() AND s.id = $2::text
        WHERE o.name LIKE 'attr.%'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                          JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
                          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                          WHERE n.nspname = 't_' || s.tenant_id AND c.relname = s.view_name
                            AND a.attnum > 0 AND NOT a.attisdropped
                            AND a.attname::text = pg_catalog.substr(o.name, 6)));
