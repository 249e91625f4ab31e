-- customer_erase_names: the places where runs that have ended name an erased customer:
-- bounds of chunks, errors of the run and of its dead letter, decisions that no run will
-- record any more. They are no rows of the customer's and are not counted.
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
), letters AS (
	UPDATE kaireon.dead_letter_events AS e
	SET error = 'it named a customer who was erased', errors = '[]'
	WHERE e.tenant_id = kaireon.tenant_id() AND pg_catalog.strpos(e.error, '"' || $1::text || '"') > 0
)
UPDATE kaireon.campaign_runs AS r
SET error = 'it named a customer who was erased'
WHERE r.tenant_id = kaireon.tenant_id() AND pg_catalog.strpos(r.error, '"' || $1::text || '"') > 0;
