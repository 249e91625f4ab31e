/*
 * Step 4: a chunk's decisions go into the ledger, with what the volume limits
 * gave. Only of runs with limits; the others' ledger is written by step 2.
 */

#include "base/base.h"

#include "base/json_in.h"
#include "campaign/ledger.h"
#include "campaign/step_private.h"
#include "store/copy.h"

enum krn_err
step_ledger_write(struct krn_step *step, const struct step_run *run,
		  struct krn_str pack, const unsigned char *given,
		  struct krn_error *err)
{
	struct krn_pack_reader *reader =
	    krn_arena_make(step->arena, struct krn_pack_reader);
	struct krn_buf rows;
	const struct krn_ledger ledger = {run->plan, step->job->tenant_id,
					  run->run_month, step->run_id, &rows};
	struct krn_pack_customer customer;
	struct krn_str text;
	size_t first = 0;
	enum krn_err e;

	if (!reader)
		return krn_arena_fail(step->arena, err);
	krn_buf_init(&rows, step->arena);
	krn_pack_open(reader, run->plan, pack);
	while (!(e = krn_pack_next(reader, &customer, err)) && customer.id.s) {
		krn_ledger_add(&ledger, &customer, given, first);
		first += customer.candidates_nr;
	}
	if (e || (e = krn_buf_end(&rows, &text, err)) ||
	    (e = krn_copy_in_begin(step->db, KRN_STMT_run_ledger_copy, NULL,
				   err)) ||
	    (e = krn_copy_in_put(step->db, text.s, text.len, err)))
		return e;
	return krn_copy_in_end(step->db, NULL, err);
}

static enum krn_err
record_chunk(struct krn_step *step, const struct step_run *run,
	     const struct krn_rows *rows, struct krn_error *err)
{
	struct krn_str decisions, given;
	enum krn_err e;

	if ((e = krn_rows_bytes(rows, 0, 0, step->arena, &decisions, err)) ||
	    (e = krn_rows_bytes(rows, 0, 1, step->arena, &given, err)))
		return e;
	return step_ledger_write(step, run, decisions,
				 (const unsigned char *)given.s, err);
}

enum krn_err
krn_step_record(struct krn_step *step, struct krn_error *err)
{
	const struct krn_value *number =
	    krn_value_find(step->job->payload, "chunk");
	const struct krn_param chunk[] = {
	    krn_param_str(step->run_id),
	    krn_param_int(step->arena, number && number->type == KRN_VALUE_INT
					   ? number->integer
					   : -1),
	    krn_param_int(step->arena, step->job->max_attempts),
	};
	const struct krn_rows *rows;
	struct step_run run;
	enum krn_err e;

	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = step_load(step, &run, err)) ||
	    (e = krn_db_exec(step->db, KRN_STMT_run_pack_get, chunk, &rows,
			     err)))
		return e;
	/* a run that was ended, a chunk that is recorded: only the job is left
	 */
	if (run.is_running && krn_rows_nr(rows)) {
		if ((e = record_chunk(step, &run, rows, err)))
			return e;
		krn_db_send(step->db, KRN_STMT_run_recorded, chunk, NULL);
	}
	return krn_job_complete(step->arena, step->db, step->job, err);
}
