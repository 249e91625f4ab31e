/*
 * Step 3: settle the volume limits. The ledger holds what would be without
 * them; when none binds there is nothing to do, else the candidates are
 * walked once and those that the limits decide otherwise are updated.
 */

#include "base/base.h"

#include <errno.h>

#include "base/json_out.h"
#include "campaign/allocate.h"
#include "campaign/step_private.h"
#include "store/copy.h"

/* What is read or sent at once. */
#define ALLOCATE_BUFFER_BYTES 65536

struct allocate_walk {
	struct krn_step *step;
	const struct step_run *run;
	struct krn_allocate allocate;
	FILE *changes; /* rows of run_allocation, spooled: both streams at once
			  do not fit on one connection */
	int64_t changes_nr;
};

/* Would the natural choice break a limit? */
static enum krn_err
allocate_binds(struct krn_step *step, const struct step_run *run,
	       const struct step_limits *limits, bool *ret_binds,
	       struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(step->run_id)};
	const struct krn_plan *plan = run->plan;
	int64_t *offers = krn_arena_calloc(step->arena, plan->offers_nr,
					   sizeof(*offers));
	int64_t *channels = krn_arena_calloc(step->arena, plan->channels_nr,
					     sizeof(*channels));
	const struct krn_rows *rows;
	int64_t total = 0;
	enum krn_err e;

	if (!offers || !channels)
		return krn_arena_fail(step->arena, err);
	if ((e = krn_db_exec(step->db, KRN_STMT_run_counts, params, &rows, err)))
		return e;
	*ret_binds = false;
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		const int offer =
		    krn_plan_offer_find(plan, krn_rows_str(rows, i, 0));
		const int channel =
		    krn_plan_channel_find(plan, krn_rows_str(rows, i, 1));
		const int64_t nr = krn_rows_int(rows, i, 2);

		KRN_BUG_IF(offer < 0 || channel < 0);
		total += nr;
		offers[offer] += nr;
		channels[channel] += nr;
		*ret_binds |=
		    (limits->total >= 0 && total > limits->total) ||
		    (limits->per_offer >= 0 &&
		     offers[offer] > limits->per_offer) ||
		    (limits->per_channel >= 0 &&
		     channels[channel] > limits->per_channel);
	}
	return KRN_OK;
}

/* One candidate: customer number, customer, rank, offer, channel, status. */
static enum krn_err
allocate_candidate(struct allocate_walk *walk, const struct krn_str *fields,
		   struct krn_buf *line, struct krn_error *err)
{
	const struct krn_plan *plan = walk->run->plan;
	const int offer = krn_plan_offer_find(plan, fields[3]);
	const int channel = krn_plan_channel_find(plan, fields[4]);
	int64_t customer;
	enum krn_err e;

	if ((e = krn_parse_int64(fields[0], 0, INT64_MAX, &customer, err)))
		return e;
	KRN_BUG_IF(offer < 0 || channel < 0);
	const bool given =
	    krn_allocate_next(&walk->allocate, (size_t)customer, (size_t)offer,
			      (size_t)channel);

	if (given == krn_str_eq_c(fields[5], "selected"))
		return KRN_OK;
	walk->changes_nr++;
	krn_buf_clear(line);
	krn_copy_field(line, fields[1]);
	krn_copy_tab(line);
	krn_copy_field(line, fields[2]);
	krn_copy_tab(line);
	krn_buf_add_c(line, given ? "selected\n" : "dropped\n");
	if (line->failed)
		return krn_arena_fail(walk->step->arena, err);
	if (fwrite(line->data, 1, line->len, walk->changes) != line->len)
		return krn_fail_errno(err, "spool the allocation");
	return KRN_OK;
}

static enum krn_err
allocate_stream(struct allocate_walk *walk, struct krn_error *err)
{
	struct krn_step *step = walk->step;
	struct krn_str fields[6];
	struct krn_copy_row row;
	struct krn_buf line;
	enum krn_err e;

	krn_buf_init(&line, step->arena);
	step_argument(step, "run_month", walk->run->run_month);
	step_argument(step, "run_id", step->run_id);
	if ((e = krn_copy_out_begin(step->db, KRN_STMT_run_walk_copy, NULL,
				    err)))
		return e;
	while (!(e = krn_copy_out_next(step->db, &row, err)) && row.s) {
		if (krn_copy_split(row, fields, 6) != 6)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"a candidate row has too few fields");
		if ((e = allocate_candidate(walk, fields, &line, err)))
			return e;
	}
	return e;
}

static enum krn_err
allocate_store(struct allocate_walk *walk, struct krn_error *err)
{
	struct krn_step *step = walk->step;
	const struct krn_param params[] = {krn_param_str(step->run_id)};
	char *buffer = krn_arena_alloc(step->arena, ALLOCATE_BUFFER_BYTES);
	size_t len;
	enum krn_err e;

	if (!buffer)
		return krn_arena_fail(step->arena, err);
	if (walk->changes_nr == 0)
		return KRN_OK;
	rewind(walk->changes);
	krn_db_send(step->db, KRN_STMT_run_allocation_create, NULL, NULL);
	if ((e = krn_copy_in_begin(step->db, KRN_STMT_run_allocation_copy, NULL,
				   err)))
		return e;
	while ((len = fread(buffer, 1, ALLOCATE_BUFFER_BYTES, walk->changes)))
		if ((e = krn_copy_in_put(step->db, buffer, len, err)))
			return e;
	if (ferror(walk->changes))
		return krn_fail_errno(err, "read the spooled allocation");
	if ((e = krn_copy_in_end(step->db, NULL, err)))
		return e;
	return krn_db_exec(step->db, KRN_STMT_run_allocate, params, NULL, err);
}

/* What the limits did, for the summary of the last step. */
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
	};

	krn_db_send(step->db, KRN_STMT_run_allocated, params, NULL);
	return KRN_OK;
}

static void
allocate_close(void *data)
{
	fclose(data);
}

static enum krn_err
allocate_walk(struct krn_step *step, const struct step_run *run,
	      const struct step_limits *limits, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(step->run_id)};
	const struct krn_allocate_limits all = {
	    limits->total, limits->per_offer, limits->per_channel,
	    (int64_t)run->plan->max_candidates};
	struct allocate_walk walk = {.step = step, .run = run};
	const struct krn_rows *tally;
	enum krn_err e;

	walk.changes = tmpfile();
	if (!walk.changes)
		return krn_fail_errno(err, "make a temporary file");
	if ((e = krn_arena_defer(step->arena, allocate_close, walk.changes,
				 err)) ||
	    (e = krn_db_exec(step->db, KRN_STMT_run_tally, params, &tally,
			     err)) ||
	    (e = krn_allocate_init(&walk.allocate, step->arena, &all,
				   run->plan->offers_nr,
				   run->plan->channels_nr,
				   (size_t)krn_rows_int(tally, 0, 0), err)) ||
	    (e = allocate_stream(&walk, err)) ||
	    (e = allocate_store(&walk, err)))
		return e;
	return allocate_report(step, &walk.allocate, err);
}

enum krn_err
krn_step_allocate(struct krn_step *step, struct krn_error *err)
{
	struct step_run run;
	enum krn_err e;

	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = step_load(step, &run, err)))
		return e;
	if (run.is_running) {
		krn_db_send(step->db, KRN_STMT_run_work_mem, NULL, NULL);
		const struct step_limits limits = step_limits(&run.config);
		const struct krn_str payload =
		    krn_str_printf(step->arena, "{\"runId\": \"%.*s\"}",
				   KRN_STR_ARG(step->run_id));
		bool binds = false;

		if (!payload.s)
			return krn_arena_fail(step->arena, err);
		if (step_has_limits(&limits) &&
		    (e = allocate_binds(step, &run, &limits, &binds, err)))
			return e;
		if ((e = binds ? allocate_walk(step, &run, &limits, err)
			       : allocate_report(step, NULL, err)))
			return e;
		krn_job_enqueue(step->arena, step->db, KRN_STEP_TOPIC,
				"run_finish", payload);
	}
	return krn_job_complete(step->arena, step->db, step->job, err);
}
