-- argument_set: a value for the COPY statements of this transaction.
-- params: name text, value text
-- result: none
-- role: api, worker, owner
-- access: read
SELECT FROM kaireon.argument_set($1::text, $2::text);
