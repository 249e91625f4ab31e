#ifndef KRN_CHANGE_H
#define KRN_CHANGE_H

/*
 * What a bundle would change: one change a resource, in the order of diffs,
 * with a hash of everything that the answer depends on.
 *
 * Source: contract section 4, diff / apply.
 */

#include "base/crypto.h"
#include "base/json_out.h"
#include "gitops/live.h"

enum krn_change_op {
	KRN_CHANGE_CREATE,
	KRN_CHANGE_UPDATE,
	KRN_CHANGE_DELETE,
	KRN_CHANGE_UNCHANGED,
	KRN_CHANGE__MAX,
};

struct krn_change {
	enum krn_change_op op;
	const struct krn_resource *before; /* live; NULL: create */
	const struct krn_resource *after;  /* of the bundle; NULL: delete */
	struct krn_str id; /* live, or made for a create; "": frozen, none */
	uint64_t fields; /* of an update: bit i is the kind's fields[i] */
	struct krn_str old_title; /* of an update by id that gives another name;
				     .s NULL: the name stays */
};

struct krn_changes {
	struct krn_change *list;
	size_t nr;
	int64_t count[KRN_CHANGE__MAX]; /* by op */
	char hash[KRN_SHA256_HEX_BYTES];
	const struct krn_live *live;
	const struct krn_bundle *bundle;
};

struct krn_change_options {
	krn_kind_set kinds;
	krn_kind_set frozen; /* looked at, always unchanged */
	bool prune;
	int64_t max_deletes; /* -1: the default budget */
	bool any_bundle; /* whether it fits the live configuration or not */
	bool any_delete; /* whatever the budget, and whoever refers to it */
};

/*
 * Compare. In an open transaction; reads what refers to objects from outside
 * the configuration when something would be deleted.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INVALID       references that lead nowhere
 *            KRN_ERR_PRUNE_BUDGET  details name what would be deleted
 *            KRN_ERR_CONFLICT      something that stays refers to a deletion
 */
KRN_MUSTCHECK enum krn_err
krn_changes_find(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_bundle *bundle, const struct krn_live *live,
		 const struct krn_change_options *options,
		 struct krn_changes *ret, struct krn_error *err);

/* "create", "update", "delete", "unchanged" */
const char *krn_change_op_name(enum krn_change_op op);

/* The members "created", "updated", "deleted", "unchanged". */
void krn_change_write_counts(struct krn_json_out *out,
			     const struct krn_changes *changes);

/*
 * One side of a change: the fields of an update, or the whole spec; with the
 * name when that changed. `name` as in json_out.h.
 */
KRN_MUSTCHECK enum krn_err
krn_change_write_spec(struct krn_arena *arena, struct krn_json_out *out,
		      const char *name, const struct krn_change *change,
		      const struct krn_resource *from, struct krn_error *err);

/* The id that a name will have after the changes; .s NULL: none. */
struct krn_str krn_changes_id(const struct krn_changes *changes,
			      enum krn_kind_id kind, struct krn_str name);

#endif
