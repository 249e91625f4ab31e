#ifndef KRN_VERIFY_H
#define KRN_VERIFY_H

/*
 * The lake against the table: every published file of a tenant is read, each
 * of its lines compared with the line that the row makes now, in one snapshot
 * of the database.
 *
 * A row that the lake has and the table lacks was purged if its month's mark
 * (kaireon.purge_marks) says so: it is older than purged_before, and no more
 * of that month are gone than exported_rows; it was erased with its customer
 * if kaireon.erased_interactions has its id. Any other is extra.
 *
 * Files and manifests are named too: one that nobody published is extra, one
 * whose bytes are not those that were published is altered.
 */

#include "base/option.h"
#include "store/db.h"

enum krn_verify_kind {
	KRN_VERIFY_MISSING, /* in the table, not in the lake */
	KRN_VERIFY_EXTRA,   /* in the lake, not in the table */
	KRN_VERIFY_ALTERED, /* in both, and not the same */
	KRN_VERIFY__MAX,
};

/* "missing", "extra", "altered" */
const char *krn_verify_name(enum krn_verify_kind kind);

struct krn_verify_finding {
	enum krn_verify_kind kind;
	struct krn_str tenant_id;
	struct krn_str path; /* below EXPORT_URL */
	struct krn_str id;   /* of the row; .s NULL: the file as such */
};

/* The texts are valid during the call. */
typedef void (*krn_verify_fn)(void *data,
			      const struct krn_verify_finding *finding);

struct krn_verify {
	struct krn_db *db;      /* as the owner; or a replica, as the worker */
	struct krn_db *primary; /* of a replica; NULL: it is read as it is */
	const struct krn_options *options;
	krn_verify_fn found;
	void *found_data;
	/* totals, added to by each tenant */
	int64_t rows;   /* the same in lake and table */
	int64_t purged; /* in the lake, and purged or erased from the table */
	int64_t files;
	int64_t findings[KRN_VERIFY__MAX];
};

/*
 * Verify one tenant. What is found is no error.
 * Errors: KRN_ERR_UNAVAILABLE  database or S3 is away, or the replica
 *                              is behind
 *         KRN_ERR_INTERNAL     a file cannot be read
 *         KRN_ERR_INVALID      S3 refuses
 */
KRN_MUSTCHECK enum krn_err krn_verify_tenant(struct krn_verify *verify,
					     struct krn_str tenant_id,
					     struct krn_error *err);

#endif
