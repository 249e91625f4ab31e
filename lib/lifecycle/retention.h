#ifndef KRN_RETENTION_H
#define KRN_RETENTION_H

/*
 * How long a tenant's data is kept: one row a data class (interactions,
 * decisions, metrics, audit), there from the tenant's creation. In a
 * transaction of the API role.
 *
 * Source: contract section 3, retention-configs.
 */

#include "access/caller.h"
#include "store/db.h"

struct krn_retention {
	struct krn_str data_class;
	int64_t days;
	bool has_hold, hold; /* without has_hold it stays as it is */
};

/* The four rows as a JSON array. *ret lives in the transaction's arena. */
KRN_MUSTCHECK enum krn_err krn_retention_list(struct krn_db *db,
					      struct krn_str *ret,
					      struct krn_error *err);

/*
 * Change a row, with its audit row; *ret is the row after it, as JSON. A batch
 * of a purge that is at work with the class is waited for.
 * Errors: KRN_ERR_CONFLICT     the row is busy
 *         KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err
krn_retention_set(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_caller *caller,
		  const struct krn_retention *retention, struct krn_str *ret,
		  struct krn_error *err);

#endif
