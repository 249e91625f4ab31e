#ifndef KRN_APPLY_H
#define KRN_APPLY_H

/*
 * Applying changes: all of them, the revision, the epoch and the audit row in
 * the caller's transaction, or none.
 *
 * Source: contract section 4; DESIGN section 6, GitOps.
 */

#include "access/caller.h"
#include "gitops/change.h"

/*
 * Lock the tenant's configuration against other applies until the end of the
 * transaction. What is read afterwards is what will be changed.
 * Errors: KRN_ERR_CONFLICT  another apply takes too long
 */
KRN_MUSTCHECK enum krn_err krn_config_lock(struct krn_db *db,
					   struct krn_error *err);

/* The number of the last revision; 0: none yet. */
KRN_MUSTCHECK enum krn_err krn_config_revision(struct krn_db *db, int64_t *ret,
					       struct krn_error *err);

/*
 * May this role apply these changes for real? A rule, a policy and a
 * mandatory offer need an admin.
 * Errors: KRN_ERR_FORBIDDEN  names what needs more
 */
KRN_MUSTCHECK enum krn_err
krn_changes_allowed(const struct krn_changes *changes, enum krn_role role,
		    struct krn_error *err);

/*
 * Write the rows of all changes, as their actor: one statement a kind and
 * operation. Neither revision nor epoch nor audit row yet.
 * Errors: KRN_ERR_CONFLICT  a key that another object has
 */
KRN_MUSTCHECK enum krn_err krn_changes_write(struct krn_arena *arena,
					     struct krn_db *db,
					     const struct krn_changes *changes,
					     struct krn_error *err);

/*
 * Apply; the configuration is locked (krn_config_lock). Ends with the audit
 * row, so it is the last thing before the commit. `note` is the audit row's
 * entity name: what was applied, when it was no bundle of the caller's (.s
 * NULL: it was).
 * Errors: KRN_ERR_CONFLICT  a key that another object has
 */
KRN_MUSTCHECK enum krn_err
krn_changes_apply(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_changes *changes, krn_kind_set kinds,
		  struct krn_str note, const struct krn_caller *caller,
		  int64_t *ret_revision, struct krn_error *err);

#endif
