#ifndef KRN_CHANGE_PRIVATE_H
#define KRN_CHANGE_PRIVATE_H

/* What the files of change.h share. */

#include "gitops/change.h"

struct change_find {
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_change_options *options;
	struct krn_changes *changes;
	struct krn_problems *problems;
};

/* The change of a kind and name, or NULL. */
const struct krn_change *change_of(const struct krn_changes *changes,
				   enum krn_kind_id kind, struct krn_str name);

/*
 * Does the bundle fit the live configuration: references, keys, the default
 * flow?
 * Errors: KRN_ERR_INVALID
 */
KRN_MUSTCHECK enum krn_err change_check_bundle(struct change_find *find,
					       struct krn_error *err);

/* Errors: KRN_ERR_PRUNE_BUDGET */
KRN_MUSTCHECK enum krn_err change_check_budget(struct change_find *find,
					       struct krn_error *err);

/*
 * Does what stays refer to what goes? Resources, and campaigns.
 * Errors: KRN_ERR_CONFLICT
 */
KRN_MUSTCHECK enum krn_err change_check_deletes(struct change_find *find,
						struct krn_error *err);

#endif
