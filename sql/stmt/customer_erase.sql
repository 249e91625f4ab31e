-- customer_erase: a customer is gone from every table; how many rows of what.
-- params: customer_id text
-- result: one_row (erased text)
-- role: api
-- access: write
SELECT r.erased::text FROM kaireon.customer_erase($1::text) AS r (erased);
