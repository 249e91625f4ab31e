#ifndef KRN_CRON_H
#define KRN_CRON_H

/*
 * Jobs that the clock calls, one after the other for every tenant: one call of
 * a job at a time over all hosts, a time budget, a row in the ledger of cron
 * calls, and a tenant's failure that is its own.
 *
 * The lock is the database session's: when the session is lost in the middle
 * of a call, the next tenant begins only if the lock could be had again. Where
 * one tenant's work takes several transactions, krn_cron_hold keeps those of
 * two sessions apart.
 *
 * Source: contract section 2, cron.
 */

#include "base/json_out.h"
#include "base/option.h"
#include "store/db.h"

struct krn_cron;

struct krn_cron_job {
	const char *name; /* "export-interactions": of lock, ledger and route */

	bool every_tenant; /* suspended ones too */

	/*
	 * The answer has no "tenants": what there is to tell of them, details
	 * tells. The ledger still keeps what a tenant's work wrote.
	 */
	bool unlisted;

	/* Work that is no tenant's, before theirs; NULL: none. */
	void (*before)(struct krn_cron *cron);

	/*
	 * Is there work for this tenant? One without is passed over, without
	 * a look at the database. NULL: there may be for each.
	 */
	bool (*wants)(const struct krn_cron *cron, struct krn_str id);

	/*
	 * Work for one tenant, outside a transaction, with `batch` empty.
	 * Writes members of the tenant's object into cron->out, also when it
	 * fails; the frame adds the error. NULL: `before` did it all.
	 */
	enum krn_err (*tenant)(struct krn_cron *cron, struct krn_str id,
			       struct krn_error *err);

	/* Members of the answer that are totals; the ledger keeps them, and
	 * every tenant may read it. */
	void (*totals)(const struct krn_cron *cron, struct krn_json_out *out);

	/* Members that name tenants, in an answer without "tenants"; NULL. */
	void (*details)(const struct krn_cron *cron, struct krn_json_out *out);
};

/* Something failed and the others go on. For the program's log; tenant_id.s
 * is NULL when it was no tenant's. */
typedef void (*krn_cron_failed_fn)(void *data, const char *job,
				   struct krn_str tenant_id,
				   const struct krn_error *err);

struct krn_cron {
	struct krn_arena *arena; /* of the call */
	struct krn_arena *batch; /* of one step; the job resets it */
	struct krn_db *db;
	const struct krn_options *options;
	struct krn_json_out out; /* the answer, or the tenant's part of it */
	int64_t deadline_us;     /* krn_clock_monotonic_us */
	int64_t rows;            /* that the job worked on, for the metrics */
	bool ok, complete;
	const struct krn_cron_job *job; /* krn_cron_run sets it */
	void *state;                    /* the job's own */
	krn_cron_failed_fn failed;
	void *failed_data;
};

/*
 * Run a job and write its answer (JSON). The caller fills arena, db, options,
 * state, failed and failed_data.
 * Errors: KRN_ERR_UNAVAILABLE  the database is away before anything was done
 */
KRN_MUSTCHECK enum krn_err krn_cron_run(struct krn_cron *cron,
					const struct krn_cron_job *job,
					struct krn_buf *answer,
					struct krn_error *err);

/* Begin a transaction of a tenant, in cron->batch. */
KRN_MUSTCHECK enum krn_err krn_cron_begin(struct krn_cron *cron, enum krn_tx tx,
					  struct krn_str tenant_id,
					  struct krn_error *err);

/*
 * Has this session had the job's lock all the while? Between statements, in a
 * transaction, which it shows not to be abandoned, or outside of one. What
 * lives in the transaction's arena, or in cron->batch, grows by a row.
 * Errors: KRN_ERR_UNAVAILABLE  the session that had it was lost
 */
KRN_MUSTCHECK enum krn_err krn_cron_hold(struct krn_cron *cron,
					 struct krn_error *err);

/* Has the time budget ended? Then the answer says that it is not complete. */
bool krn_cron_is_over(struct krn_cron *cron);

/* What a client is told of a failure. */
const char *krn_cron_message(const struct krn_error *err);

#endif
