#ifndef KRN_EDIT_PRIVATE_H
#define KRN_EDIT_PRIVATE_H

/* What the files of edit.h share. */

#include "gitops/change_private.h"
#include "gitops/edit.h"

struct edit {
	struct change_find find; /* arena, db, changes, problems */
	const struct krn_caller *caller;
	const struct krn_edit *what;
	const struct krn_kind *kind;
	struct krn_live live;
	struct krn_str name;               /* that it will have */
	struct krn_str old_title;          /* when it gets another; .s NULL */
	const struct krn_resource *before; /* NULL: a new object */
	struct krn_resource *after;        /* NULL: delete */
	struct krn_changes changes;

	/* of a flow that is there */
	int64_t row_version;
	bool is_published;
};

/*
 * The fields of the body as a spec, over what is live; the names of what ids
 * stand for. Problems are noted.
 *
 * Ownership: *ret lives in the edit's arena.
 * Errors:    as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err edit_spec(struct edit *edit, struct krn_value *ret,
				     struct krn_error *err);

#endif
