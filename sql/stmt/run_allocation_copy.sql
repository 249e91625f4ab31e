-- run_allocation_copy: the candidates that limits decide otherwise.
-- params:
-- result: copy_in
-- role: worker
-- access: write
COPY pg_temp.run_allocation (customer_id, rank, status) FROM STDIN;
