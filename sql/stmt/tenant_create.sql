-- tenant_create: a tenant with all that it has from the beginning.
-- params: tenant_id text, name text, is_playground bool, time_zone text
-- result: none
-- role: owner
-- access: write
SELECT FROM (SELECT kaireon.tenant_create($1::text, $2::text, $3::bool, $4::text) OFFSET 0) AS made;
