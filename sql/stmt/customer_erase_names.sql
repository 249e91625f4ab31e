-- customer_erase_names: the places where runs that have ended name an erased customer:
-- bounds of chunks, errors of the run, of jobs and of dead letters, decisions that no run
-- will record any more. They are no rows of the customer's and are not counted. A history
-- may name them in any form; a short id empties more of them than speak of the customer.
-- params: customer_id text
-- result: none
-- role: api
-- access: write
WITH packs AS (
	DELETE FROM kaireon.campaign_run_packs AS p
	WHERE p.tenant_id = kaireon.tenant_id()
), bounds AS (
	UPDATE kaireon.campaign_run_chunks AS k
	SET low = CASE WHEN k.low = $1::text THEN '' ELSE k.low END,
	    high = CASE WHEN k.high = $1::text THEN '' ELSE k.high END
	WHERE k.tenant_id = kaireon.tenant_id() AND (k.low = $1::text OR k.high = $1::text)
), id AS ( -- as it stands in a JSON text
	SELECT pg_catalog.regexp_replace(pg_catalog.to_jsonb($1::text)::text, '^"(.*)"$', '\1') AS json
), letters AS (
	UPDATE kaireon.dead_letter_events AS e
	SET errors = '[]',
	    error = CASE WHEN pg_catalog.strpos(e.error, '"' || $1::text || '"') > 0
	                 THEN 'it named a customer who was erased' ELSE e.error END
	FROM id
	WHERE e.tenant_id = kaireon.tenant_id()
	  AND (pg_catalog.strpos(e.error, '"' || $1::text || '"') > 0
	       OR pg_catalog.strpos(e.errors::text, id.json) > 0)
), jobs AS (
	UPDATE kaireon.jobs AS j
	SET errors = '[]'
	FROM id
	WHERE j.tenant_id = kaireon.tenant_id() AND pg_catalog.strpos(j.errors::text, id.json) > 0
)
UPDATE kaireon.campaign_runs AS r
SET error = 'it named a customer who was erased'
WHERE r.tenant_id = kaireon.tenant_id() AND pg_catalog.strpos(r.error, '"' || $1::text || '"') > 0;
