#ifndef KRN_CAMPAIGN_DUE_H
#define KRN_CAMPAIGN_DUE_H

/*
 * Campaigns whose time has come: each gets its run, and the time of its next
 * one, in one transaction. So of any number of callers at once, on whatever
 * hosts, one starts the run; and one that dies in between started nothing.
 *
 * Times that were missed, because nobody called or the campaign's run before
 * was still under way, become one run, begun late, when the last of them is
 * not longer ago than `late_seconds`; else none: nobody is surprised by a run
 * of last week.
 *
 * A campaign whose run cannot be started now (a run is open, there is no
 * channel for files) stays due and is tried again by the next call, until it
 * is too late. One that fails (its schedule cannot be read) keeps none of the
 * others waiting.
 *
 * Source: DESIGN section 6, schedules and tick.
 */

#include "store/db.h"

enum krn_campaign_due_outcome {
	KRN_CAMPAIGN_TRIGGERED,
	KRN_CAMPAIGN_MISSED,  /* too late: no run, the next time is set */
	KRN_CAMPAIGN_WAITING, /* it stays due; the error says why */
	KRN_CAMPAIGN_FAILED,  /* it stays due; the error says why */
	KRN_CAMPAIGN_DUE__MAX,
};

/* One campaign was seen to. `err` NULL: as it should be. */
typedef void (*krn_campaign_due_fn)(void *data, struct krn_str tenant_id,
				    struct krn_str campaign_id,
				    enum krn_campaign_due_outcome outcome,
				    const struct krn_error *err);

struct krn_campaign_due {
	/* filled by the caller */
	struct krn_arena *arena; /* of the call */
	struct krn_arena *batch; /* of one campaign; reset for each */
	struct krn_db *db;       /* as kaireon_worker, no transaction open */
	int64_t late_seconds;    /* SCHEDULE_LATE_SECONDS */
	int64_t deadline_us;     /* krn_clock_monotonic_us; no campaign is begun
				    after it */
	krn_campaign_due_fn told; /* or NULL */
	void *told_data;
	/* what came of it */
	int64_t counts[KRN_CAMPAIGN_DUE__MAX]; /* by outcome */
	bool is_complete; /* false: the deadline came first */
};

/*
 * See to all campaigns of all active tenants that are due.
 * Errors: KRN_ERR_UNAVAILABLE  the database is away; what was counted holds
 */
KRN_MUSTCHECK enum krn_err krn_campaign_due_run(struct krn_campaign_due *due,
						struct krn_error *err);

#endif
