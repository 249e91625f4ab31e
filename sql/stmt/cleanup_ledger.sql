-- cleanup_ledger: the oldest rows of the ledger of cron calls.
-- params: days int8, batch int8
-- result: none
-- role: worker
-- access: write
DELETE FROM kaireon.cron_runs AS r
WHERE r.id = ANY (ARRAY(
	SELECT o.id FROM kaireon.cron_runs AS o
	WHERE o.started_at < pg_catalog.now() - $1::int8 * interval '1 day'
	ORDER BY o.started_at
	LIMIT $2::int8));
