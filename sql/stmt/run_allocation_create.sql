-- run_allocation_create: room for the candidates that limits decide otherwise.
-- params:
-- result: none
-- role: worker
-- access: write
CREATE TEMPORARY TABLE run_allocation (
	customer_id text COLLATE "C" NOT NULL,
	rank        integer NOT NULL,
	status      text NOT NULL
) ON COMMIT DROP;
