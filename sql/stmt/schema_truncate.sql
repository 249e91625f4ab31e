-- schema_truncate: a data table begins anew, in the transaction that fills it.
-- params:
-- result: none
-- role: worker
-- access: write
-- identifiers: space, table, columns...
TRUNCATE {space}.{table};
