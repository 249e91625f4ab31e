-- actor_set: who changes the configuration in this transaction.
-- params: actor text, audit_id text
-- result: none
-- role: api, worker, owner
-- access: write
SELECT FROM pg_catalog.set_config('kaireon.actor', $1::text, true) AS actor,
            pg_catalog.set_config('kaireon.audit_id', $2::text, true) AS audit;
