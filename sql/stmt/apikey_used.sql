-- apikey_used: a key was used; noted at most once a minute.
-- params: key_hash bytea
-- result: none
-- role: api, worker
-- access: write
SELECT FROM kaireon.apikey_used($1::bytea);
