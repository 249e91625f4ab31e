-- zone_known: is it the name of a time zone?
-- params: time_zone text
-- result: one_row (known bool)
-- role: owner
-- access: read
SELECT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = $1::text);
