-- role_worker: the rest of this transaction is the worker's: it may COPY.
-- params:
-- result: none
-- role: owner
-- access: write
SET LOCAL ROLE kaireon_worker;
