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
 * Source: contract section 2; DESIGN sections 5 (late commits) and 6 (export).
 */

#include "base/buf.h"
#include "base/option.h"
#include "store/db.h"

/* One tenant's export failed; the others go on. For the program's log. */
typedef void (*krn_export_failed_fn)(void *data, struct krn_str tenant_id,
				     const struct krn_error *err);

/*
 * Run the job: write the answer (JSON) into `answer`.
 *
 * A second call while one runs does nothing and says so.
 * Errors: KRN_ERR_UNAVAILABLE  the database is away before anything was done
 */
KRN_MUSTCHECK enum krn_err
krn_export_interactions(struct krn_arena *arena, struct krn_db *db,
			const struct krn_options *options, bool drain,
			krn_export_failed_fn failed, void *data,
			struct krn_buf *answer, struct krn_error *err);

#endif
