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

/*
 * Fill what find->arena and ->db leave open (->problems may be there); no
 * change is in the list yet.
 */
KRN_MUSTCHECK enum krn_err
change_begin(struct change_find *find, const struct krn_bundle *bundle,
	     const struct krn_live *live,
	     const struct krn_change_options *options, struct krn_changes *ret,
	     struct krn_error *err);

/* Fill the list: one pass over both sides, which are in the same order. */
KRN_MUSTCHECK enum krn_err change_compare(struct change_find *find,
					  struct krn_error *err);

/* The change of a kind and name, or NULL. */
const struct krn_change *change_of(const struct krn_changes *changes,
				   enum krn_kind_id kind, struct krn_str name);

/* Note what this resource names and will not be there. */
void change_check_references(struct change_find *find,
			     const struct krn_resource *from);

/* Note keys that two objects would have. */
KRN_MUSTCHECK enum krn_err change_check_keys(struct change_find *find,
					     struct krn_error *err);

/*
 * Does the bundle fit the live configuration: references, keys, the default
 * flow?
 * Errors: KRN_ERR_INVALID
 */
KRN_MUSTCHECK enum krn_err change_check_bundle(struct change_find *find,
					       struct krn_error *err);

/*
 * Note what a run would refuse of the flows, rules and policies that are new
 * or changed. Errors: as krn_arena_fail.
 */
KRN_MUSTCHECK enum krn_err change_check_plans(struct change_find *find,
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
