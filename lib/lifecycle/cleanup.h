#ifndef KRN_CLEANUP_H
#define KRN_CLEANUP_H

/*
 * What is deleted when its time is over: by the clock for every tenant, and by
 * a tenant's admin.
 *
 * Rows go in batches, each a transaction that locks the retention of its data
 * class and the tenant, deletes, and notes in kaireon.purge_marks what it took.
 * A hold that commits first is seen; one that comes later waits for the batch
 * at work, and nothing goes after it. The batch that an export has begun stays,
 * and with CLEANUP_WAIT_FOR_EXPORT whatever the export has not taken. A batch has
 * CLEANUP_BATCH_ROWS, or 300 rows while this host answers requests, of which
 * METRICS_FILE tells.
 *
 * Source: contract sections 2 and 3; DESIGN section 6 (cleanup).
 */

#include "access/caller.h"
#include "queue/cron.h"

/*
 * The cron job. See krn_cron_run.
 * Errors: KRN_ERR_UNAVAILABLE  the database is away before anything was done
 */
KRN_MUSTCHECK enum krn_err krn_cleanup_run(struct krn_cron *cron,
					   struct krn_buf *answer,
					   struct krn_error *err);

/* Audit rows that one call purges at most: the chain is locked meanwhile. */
#define KRN_CLEANUP_AUDIT_ROWS 100000

struct krn_cleaned {
	int64_t variant_assignments, audit_logs;
};

/*
 * The caller's own tenant: expired variant assignments, unless the tenant is
 * held, and the audit rows whose time is over, unless their class or the tenant
 * is held. With its audit row, in the caller's transaction of the API role.
 * Errors: KRN_ERR_UNAVAILABLE, KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err krn_cleanup_tenant(struct krn_arena *arena,
					      struct krn_db *db,
					      const struct krn_caller *caller,
					      struct krn_cleaned *ret,
					      struct krn_error *err);

#endif
