-- report_link_open: the artifact that a link leads to, in hex.
-- params: link_hash bytea
-- result: zero_or_one (format text, content text, name text)
-- role: api
-- access: read
SELECT l.format, pg_catalog.encode(l.content, 'hex'), l.name
FROM kaireon.report_link_open($1::bytea) AS l
WHERE l.format IS NOT NULL;
