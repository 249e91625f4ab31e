/*
 * Step 3: settle the volume limits. The decisions of a run with limits are not
 * in the ledger yet but packed, chunk by chunk; they are walked once, and each
 * chunk is told what was given of it. Without limits there is nothing to do.
 */

#include "base/base.h"

#include "base/json_out.h"
#include "campaign/allocate.h"
#include "campaign/step_private.h"
#include "campaign/walk.h"
#include "store/copy.h"

/* So many candidates are a few milliseconds. */
#define ALLOCATE_TICK_CANDIDATES ((size_t)1 << 16)

struct allocate_run {
	struct krn_step *step;
	struct krn_walk *walk;
	struct krn_allocate allocate;
	int64_t *chunks; /* their numbers, in the order of the walk */
	size_t chunks_size;
	unsigned char **given;
};

/* A row of run_packs_copy: chunk, decisions. */
static enum krn_err
allocate_add(struct allocate_run *run, struct krn_str *fields,
	     struct krn_error *err)
{
	struct krn_arena *arena = run->step->arena;
	const size_t nr = krn_walk_chunks(run->walk);

	run->chunks = krn_arena_room(arena, run->chunks, nr, &run->chunks_size,
				     sizeof(*run->chunks));
	if (!run->chunks)
		return krn_arena_fail(arena, err);
	run->chunks[nr] = krn_copy_int(fields[0]);
	return krn_walk_add(run->walk, fields[1], err);
}

static enum krn_err
allocate_read(struct allocate_run *run, struct krn_error *err)
{
	struct krn_step *step = run->step;
	struct krn_str fields[2];
	struct krn_copy_row row;
	enum krn_err e;

	step_argument(step, "run_id", step->run_id);
	if ((e = krn_copy_out_begin(step->db, KRN_STMT_run_packs_copy, NULL,
				    err)))
		return e;
	while (!(e = krn_copy_out_next(step->db, &row, err)) && row.s) {
		const size_t nr = krn_copy_split_binary(row, fields, 2);

		if (nr == 0)
			continue; /* what stands behind the last row */
		if (nr != 2)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"a chunk's row has too few fields");
		if ((e = allocate_add(run, fields, err)))
			return e;
	}
	return e;
}

/* Room for a bit a candidate. */
static enum krn_err
allocate_given(struct allocate_run *run, struct krn_error *err)
{
	struct krn_arena *arena = run->step->arena;
	const size_t nr = krn_walk_chunks(run->walk);

	run->given = krn_arena_calloc(arena, nr + 1, sizeof(*run->given));
	if (!run->given)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < nr; i++) {
		run->given[i] = krn_arena_calloc(
		    arena, krn_walk_candidates(run->walk, i) / 8 + 1, 1);
		if (!run->given[i])
			return krn_arena_fail(arena, err);
	}
	return KRN_OK;
}

static enum krn_err
allocate_walk(struct allocate_run *run, struct krn_error *err)
{
	const struct krn_walk_candidate *candidate;
	size_t chunk, nr = 0;
	enum krn_err e;

	if ((e = krn_walk_begin(run->walk, err)))
		return e;
	while (!(e = krn_walk_next(run->walk, &candidate, &chunk, err)) &&
	       candidate) {
		if (krn_allocate_next(&run->allocate, candidate->customer,
				      candidate->offer, candidate->channel))
			krn_given_set(run->given[chunk], candidate->candidate);
		/* the database hears nothing of us meanwhile */
		if (++nr % ALLOCATE_TICK_CANDIDATES == 0 &&
		    !step_session_tick(run->step->db))
			return krn_fail(err, KRN_ERR_CONFLICT,
					"the job was lost while the limits "
					"were settled");
	}
	return e;
}

/* Tell each chunk what was given of it. */
static enum krn_err
allocate_store(struct allocate_run *run, struct krn_error *err)
{
	struct krn_step *step = run->step;
	enum krn_err e;

	if ((e = krn_copy_in_begin(step->db, KRN_STMT_run_allocation_copy, NULL,
				   err)))
		return e;
	for (size_t i = 0; i < krn_walk_chunks(run->walk); i++) {
		const struct krn_str given =
		    krn_str_from((const char *)run->given[i],
				 krn_walk_candidates(run->walk, i) / 8 + 1);

		if ((e = step_chunk_put(step, run->chunks[i], given, err)))
			return e;
	}
	return krn_copy_in_end(step->db, NULL, err);
}

/* What the limits did, for the summary of the last step; and what comes next.
 */
static enum krn_err
allocate_report(struct krn_step *step, const struct krn_allocate *allocate,
		struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;
	struct krn_str text;
	enum krn_err e;

	krn_buf_init(&buf, step->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_int(&out, "volume", allocate ? allocate->skipped : 0);
	krn_json_arr_open(&out, "limitsReached");
	if (allocate && allocate->reached_total)
		krn_json_c(&out, NULL, "maxTotalPerRun");
	if (allocate && allocate->reached_offer)
		krn_json_c(&out, NULL, "maxPerOffer");
	if (allocate && allocate->reached_channel)
		krn_json_c(&out, NULL, "maxPerChannel");
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(step->run_id),
	    krn_param_str(text),
	    krn_param_int(step->arena, step->job->max_attempts),
	};

	krn_db_send(step->db, KRN_STMT_run_allocated, params, NULL);
	return KRN_OK;
}

/* The disk's reason is the log's. */
static enum krn_err
allocate_spool_failed(enum krn_err e, struct krn_error *err)
{
	if (e == KRN_ERR_INTERNAL && err && !err->message[0] &&
	    !err->sqlstate[0])
		snprintf(err->message, sizeof(err->message),
			 "the temporary file of the volume limits could not be "
			 "written");
	return e;
}

static enum krn_err
allocate_limits(struct krn_step *step, const struct krn_plan *plan,
		const struct step_limits *limits, struct krn_error *err)
{
	const struct krn_allocate_limits all = {
	    limits->total, limits->per_offer, limits->per_channel,
	    (int64_t)plan->max_candidates};
	struct allocate_run run = {.step = step};
	enum krn_err e;

	if ((e = krn_walk_new(step->arena, plan, &run.walk, err)) ||
	    (e = allocate_read(&run, err)) ||
	    (e = krn_allocate_init(&run.allocate, step->arena, &all,
				   plan->offers_nr, plan->channels_nr,
				   krn_walk_customers(run.walk), err)) ||
	    (e = allocate_given(&run, err)) || (e = allocate_walk(&run, err)))
		return allocate_spool_failed(e, err);
	if ((e = allocate_store(&run, err)))
		return e;
	return allocate_report(step, &run.allocate, err);
}

/* With limits; unless chunks are to be decided again before. */
static enum krn_err
allocate_or_redo(struct krn_step *step, const struct krn_plan *plan,
		 const struct step_limits *limits, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(step->run_id),
	    krn_param_int(step->arena, step->job->max_attempts),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(step->db, KRN_STMT_run_chunks_bare, params, &rows,
			     err)))
		return e;
	if (!krn_rows_bool(rows, 0, 0))
		return allocate_limits(step, plan, limits, err);
	krn_db_send(step->db, KRN_STMT_run_chunks_redo, params, NULL);
	return KRN_OK;
}

enum krn_err
krn_step_allocate(struct krn_step *step, struct krn_error *err)
{
	struct step_run run;
	enum krn_err e;

	/* see run_allocated */
	if (step_chunk(step) >= 0)
		return krn_step_record(step, err);
	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = step_load(step, &run, err)))
		return e;
	if (run.is_running) {
		const struct step_limits limits = step_limits(&run.config);

		if ((e = step_has_limits(&limits)
			     ? allocate_or_redo(step, run.plan, &limits, err)
			     : allocate_report(step, NULL, err)))
			return e;
	}
	return krn_job_complete(step->arena, step->db, step->job, err);
}
