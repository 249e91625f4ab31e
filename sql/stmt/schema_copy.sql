-- schema_copy: customers of an import.
-- params:
-- result: copy_in
-- role: worker
-- access: write
-- identifiers: space, table, columns...
COPY {space}.{table} ({columns...}) FROM STDIN;
