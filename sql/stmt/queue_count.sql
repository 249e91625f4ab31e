-- queue_count: count a long queue for the scrapes to come, when it is time.
-- params:
-- result: one_row (counted bool)
-- role: worker
-- access: write
SELECT kaireon.queue_count();
