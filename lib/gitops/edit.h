#ifndef KRN_EDIT_H
#define KRN_EDIT_H

/*
 * One object of the configuration as the API changes it, with ids where a
 * bundle has names. The rules, the lock and the writer are those of an apply
 * (change.h, apply.h). There is no revision: until a bundle says the same, a
 * drift check tells of it.
 *
 * Source: contract section 6; DESIGN section 6, GitOps.
 */

#include "access/caller.h"
#include "gitops/change.h"

struct krn_edit {
	enum krn_kind_id kind;
	struct krn_str id; /* .s NULL: a new object */

	/*
	 * An object: "name" and the fields of the kind's table, references as
	 * ids ("categoryId"). What a change does not have stays as it is. Of
	 * a flow, "rowVersion" too. NULL: delete.
	 */
	const struct krn_value *fields;

	/* check only, without the lock and whoever asks */
	bool is_dry;
};

struct krn_edit_done {
	struct krn_str id;
	struct krn_str name; /* that it has now, or had */
};

/*
 * Make the change, in a transaction that writes, with its rows of the audit
 * log and the epoch; the last thing before the commit. A change that changes
 * nothing writes nothing. The first flow of a tenant is its default; another
 * that becomes the default takes that from the one that was.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_NOTFOUND   no such object of the kind
 *            KRN_ERR_INVALID    with all problems of the fields
 *            KRN_ERR_CONFLICT   the name or key is taken, something refers to
 *                               what would go, a flow is published, or its
 *                               rowVersion is another
 *            KRN_ERR_FORBIDDEN  the role is too low for this object
 */
KRN_MUSTCHECK enum krn_err
krn_edit_make(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_caller *caller, const struct krn_edit *edit,
	      struct krn_edit_done *ret, struct krn_error *err);

/*
 * Does a live object keep the rules of today, and is there what it refers to?
 * Errors: KRN_ERR_NOTFOUND  no such object of the kind
 *         KRN_ERR_INVALID   with all problems
 */
KRN_MUSTCHECK enum krn_err krn_edit_check_live(struct krn_arena *arena,
					       struct krn_db *db,
					       enum krn_kind_id kind,
					       struct krn_str id,
					       struct krn_error *err);

#endif
