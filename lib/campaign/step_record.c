/*
 * Step 4: a chunk's decisions go into the ledger, with what the volume limits
 * gave. Only of runs with limits; the others' ledger is written by step 2.
 */

#include "base/base.h"

#include "campaign/allocate.h"
#include "campaign/ledger.h"
#include "campaign/step_private.h"
#include "store/copy.h"

/* What is sent at once. */
#define RECORD_PUT_BYTES ((size_t)64 * 1024)

static enum krn_err
record_put(struct krn_step *step, struct krn_buf *rows, size_t min_len,
	   struct krn_error *err)
{
	struct krn_str text;
	enum krn_err e;

	if ((e = krn_buf_end(rows, &text, err)) || text.len < min_len)
		return e;
	e = krn_copy_in_put(step->db, text.s, text.len, err);
	krn_buf_clear(rows);
	return e;
}

static enum krn_err
record_pack(struct krn_step *step, const struct krn_ledger *ledger,
	    struct krn_pack_reader *reader, struct krn_str given,
	    struct krn_error *err)
{
	struct krn_pack_customer customer;
	size_t first = 0;
	enum krn_err e;

	while (!(e = krn_pack_next(reader, &customer, err)) && customer.id.s) {
		if (given.s && first + customer.candidates_nr > 8 * given.len)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"a chunk has more candidates than the "
					"limits were settled for");
		krn_ledger_add(ledger, &customer,
			       (const unsigned char *)given.s, first);
		first += customer.candidates_nr;
		if ((e = record_put(step, ledger->to, RECORD_PUT_BYTES, err)))
			return e;
	}
	return e ? e : record_put(step, ledger->to, 0, err);
}

enum krn_err
step_ledger_write(struct krn_step *step, const struct step_run *run,
		  struct krn_str pack, struct krn_str given,
		  struct krn_error *err)
{
	struct krn_pack_reader *reader =
	    krn_arena_make(step->arena, struct krn_pack_reader);
	struct krn_buf rows;
	const struct krn_ledger ledger = {run->plan, step->job->tenant_id,
					  run->run_month, step->run_id, &rows};
	enum krn_err e;

	if (!reader)
		return krn_arena_fail(step->arena, err);
	krn_buf_init(&rows, step->arena);
	krn_pack_open(reader, run->plan, pack);
	if ((e = krn_copy_in_begin(step->db, KRN_STMT_run_ledger_copy, NULL,
				   err)) ||
	    (e = record_pack(step, &ledger, reader, given, err)))
		return e;
	return krn_copy_in_end(step->db, NULL, err);
}

enum krn_err
step_chunk_put(struct krn_step *step, int64_t chunk, struct krn_str bytes,
	       struct krn_error *err)
{
	struct krn_buf row;
	struct krn_str text;
	enum krn_err e;

	krn_buf_init(&row, step->arena);
	krn_copy_field(&row, step->job->tenant_id);
	krn_copy_tab(&row);
	krn_copy_field(&row, step->run_id);
	krn_copy_tab(&row);
	krn_buf_add_int(&row, chunk);
	krn_copy_tab(&row);
	if ((e = krn_buf_end(&row, &text, err)) ||
	    (e = krn_copy_in_put(step->db, text.s, text.len, err)) ||
	    (e = krn_copy_in_bytes(step->db, bytes, err)))
		return e;
	return krn_copy_in_put(step->db, "\n", 1, err);
}

int64_t
step_chunk(const struct krn_step *step)
{
	const struct krn_value *number =
	    krn_value_find(step->job->payload, "chunk");

	return number && number->type == KRN_VALUE_INT ? number->integer : -1;
}

/* The chunk's decisions and what was given; .s NULL: there are none. */
static enum krn_err
record_read(struct krn_step *step, struct krn_str *ret_pack,
	    struct krn_str *ret_given, struct krn_error *err)
{
	const struct krn_param chunk =
	    krn_param_int(step->arena, step_chunk(step));
	struct krn_str fields[2];
	struct krn_copy_row row;
	enum krn_err e;

	step_argument(step, "run_id", step->run_id);
	step_argument(step, "chunk", krn_str_from(chunk.value, chunk.len));
	if ((e = krn_copy_out_begin(step->db, KRN_STMT_run_record_copy, NULL,
				    err)))
		return e;
	while (!(e = krn_copy_out_next(step->db, &row, err)) && row.s) {
		if (krn_copy_split_binary(row, fields, 2) != 2)
			continue; /* what stands behind the last row */
		*ret_pack = krn_str_dup(step->arena, fields[0]);
		*ret_given = krn_str_dup(step->arena, fields[1]);
		if (!ret_pack->s || !ret_given->s)
			return krn_arena_fail(step->arena, err);
	}
	return e;
}

enum krn_err
krn_step_record(struct krn_step *step, struct krn_error *err)
{
	const struct krn_param done[] = {
	    krn_param_str(step->run_id),
	    krn_param_int(step->arena, step_chunk(step)),
	    krn_param_int(step->arena, step->job->max_attempts),
	};
	struct krn_str pack = {NULL, 0}, given = {NULL, 0};
	struct step_run run;
	enum krn_err e;

	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = step_load(step, &run, err)))
		return e;
	if (run.is_running) {
		if ((e = record_read(step, &pack, &given, err)))
			return e;
		/* it goes in one transaction with this job */
		if (!pack.s)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"the decisions of a chunk are gone");
		if ((e = step_ledger_write(step, &run, pack, given, err)))
			return e;
		krn_db_send(step->db, KRN_STMT_run_recorded, done, NULL);
	}
	return krn_job_complete(step->arena, step->db, step->job, err);
}
