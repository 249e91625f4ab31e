#ifndef KRN_LIFECYCLE_EXPORT_H
#define KRN_LIFECYCLE_EXPORT_H

/*
 * The export of interactions: new rows of every active tenant as NDJSON files
 * in a Hive layout, each row exactly once.
 *
 * A batch is an intent that was committed before its file was begun: upper
 * bound, path and time. Whatever happens, the next call finds the intent and
 * writes the same rows to the same path; the checkpoint moves only after the
 * file is durable under its name. Rows are read below the snapshot's ceiling
 * in the order (commit_xid, id), so a transaction that commits late is waited
 * for and never passed by.
 *
 * All of a tenant's batches are one session's, which has the job's lock: each
 * transaction asks. A file is given its name only after that session was there
 * when all was durable; an object of S3 while it is asked for about every
 * second. A request that S3 has got by then nobody can call back: it has the
 * rows of the batch, too.
 *
 * Who finds a file in the lake that this database does not know stops: it was
 * restored to an earlier moment (rebase.h).
 *
 * Source: contract section 2; DESIGN sections 5 (late commits) and 6 (export).
 */

#include "queue/cron.h"

/*
 * Run the job; with `drain` until nothing is left. See krn_cron_run.
 * Errors: KRN_ERR_UNAVAILABLE  the database is away before anything was done
 */
KRN_MUSTCHECK enum krn_err krn_export_interactions(struct krn_cron *cron,
						   bool drain,
						   struct krn_buf *answer,
						   struct krn_error *err);

#endif
