-- export_failed: the batch failed; its intent stays for the next call.
-- params: error text
-- result: none
-- role: worker
-- access: write
UPDATE kaireon.export_checkpoints AS p
SET status = 'failed', error = $1::text
WHERE p.tenant_id = kaireon.tenant_id() AND p.stream = 'interaction_history';
