#ifndef KRN_STEP_PRIVATE_H
#define KRN_STEP_PRIVATE_H

/* What the steps share: the run as it was planned. */

#include "campaign/step.h"
#include "decide/plan.h"

struct step_run {
	bool is_running; /* false: nothing is left to do for it */
	struct krn_str campaign_id, space, view_name, run_month, ceiling;
	struct krn_value config;
	const struct krn_plan *plan;
	int64_t now_us, started_us;
};

/* The limits of a run; -1: none. Source: contract 5, volumeConstraints. */
struct step_limits {
	int64_t total, per_offer, per_channel;
};

/*
 * In an open transaction: load the run and compile its plan.
 * Errors: as krn_step_run
 */
KRN_MUSTCHECK enum krn_err
step_load(struct krn_step *step, struct step_run *ret, struct krn_error *err);

/*
 * The same of a run in whatever state.
 * Errors: KRN_ERR_NOTFOUND  there is none, or it was not planned yet
 */
KRN_MUSTCHECK enum krn_err step_load_planned(struct krn_step *step,
					     struct step_run *ret,
					     struct krn_error *err);

/*
 * Decide for one customer again and write down why; nothing is stored.
 * Errors: KRN_ERR_NOTFOUND  the segment has no such customer
 */
KRN_MUSTCHECK enum krn_err step_decide_explain(struct krn_step *step,
					       const struct step_run *run,
					       struct krn_str customer_id,
					       struct krn_str *ret,
					       struct krn_error *err);

/* Begin, with the tenant set. */
KRN_MUSTCHECK enum krn_err step_begin(struct krn_step *step, enum krn_tx tx,
				      struct krn_error *err);

/* The columns of the segment's view, and the plan compiled for them. */
KRN_MUSTCHECK enum krn_err
step_compile(struct krn_step *step, const struct krn_value *config,
	     struct krn_str space, struct krn_str view,
	     const struct krn_plan_times *times, const struct krn_plan **ret,
	     const struct krn_rows **ret_columns, struct krn_error *err);

/* The place of a name in rows of segment_columns; -1: it has none. */
int64_t step_column(const struct krn_rows *columns, struct krn_str name);

struct step_limits step_limits(const struct krn_value *config);

static inline bool
step_has_limits(const struct step_limits *limits)
{
	return limits->total >= 0 || limits->per_offer >= 0 ||
	       limits->per_channel >= 0;
}

struct step_source;

/*
 * What the plan's data schemas say of the customers between the arguments low
 * and high. Ownership: *ret lives in the step's arena.
 */
KRN_MUSTCHECK enum krn_err step_sources_read(struct krn_step *step,
					     const struct step_run *run,
					     struct step_source **ret,
					     struct krn_error *err);

/*
 * The plan's columns of a customer, from the fields of the view: the customer
 * and the view's columns; and from the sources. Customers come in byte order.
 */
void step_sources_fill(const struct krn_plan *plan, struct step_source *sources,
		       const struct krn_str *fields, struct krn_str *columns);

/*
 * Where the file of a run lies: the path that the run tells of, and its
 * address. `file_config` is the campaign's, as the run was planned.
 * Ownership: both live in the step's arena.
 * Errors:    as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err
step_file_place(struct krn_step *step, struct krn_str run_id,
		const struct krn_value *file_config, struct krn_str *ret_path,
		struct krn_str *ret_url, struct krn_error *err);

/*
 * May campaigns of the tenant still write there?
 * Errors: KRN_ERR_INVALID  no
 */
KRN_MUSTCHECK enum krn_err step_file_check(struct krn_step *step,
					   struct krn_str url,
					   struct krn_error *err);

/*
 * Remove the file of a run, wherever it lies, if there is one; one of the
 * ticks below is called meanwhile.
 * Errors: as krn_file_remove and krn_s3_remove
 */
KRN_MUSTCHECK enum krn_err step_file_remove(struct krn_step *step,
					    struct krn_str run_id,
					    const struct krn_value *file_config,
					    bool (*tick)(void *db),
					    struct krn_error *err);

/*
 * To be called (with a struct krn_db) while a step waits for something else
 * than the database. False: the job is somebody else's.
 */
bool step_tick(void *db);

/*
 * The same in a transaction: false, too, when the session has ended, which
 * then holds neither the run nor the job. To ask also tells the database that
 * the transaction is not abandoned.
 */
bool step_session_tick(void *db);

/*
 * Write the decisions of a pack into the ledger; `given` has a bit for each
 * candidate, .s NULL: there are no limits (krn_ledger_add). Nothing may be
 * queued.
 * Errors: KRN_ERR_INTERNAL  the pack is damaged, or has more candidates than
 *                           there are bits
 *         as krn_copy_in_end
 */
KRN_MUSTCHECK enum krn_err step_ledger_write(struct krn_step *step,
					     const struct step_run *run,
					     struct krn_str pack,
					     struct krn_str given,
					     struct krn_error *err);

/*
 * In an open COPY of packs or allocations: a chunk's row.
 * Errors: as krn_copy_in_put
 */
KRN_MUSTCHECK enum krn_err step_chunk_put(struct krn_step *step, int64_t chunk,
					  struct krn_str bytes,
					  struct krn_error *err);

/* The chunk that a job is about; -1: it names none. */
int64_t step_chunk(const struct krn_step *step);

/* A value for the COPY statements of this transaction; queued. */
void step_argument(struct krn_step *step, const char *name,
		   struct krn_str value);

#endif
