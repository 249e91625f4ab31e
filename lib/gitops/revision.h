#ifndef KRN_REVISION_H
#define KRN_REVISION_H

/*
 * Revisions, each the whole configuration as a real apply left it, and the
 * snapshot that drift is measured against.
 *
 * Source: contract section 4.
 */

#include "access/caller.h"
#include "gitops/live.h"

/*
 * The bundle of a revision, all kinds.
 * Errors: KRN_ERR_NOTFOUND  there is no such revision
 */
KRN_MUSTCHECK enum krn_err krn_revision_read(struct krn_arena *arena,
					     struct krn_db *db,
					     int64_t revision,
					     struct krn_bundle *ret,
					     struct krn_error *err);

/*
 * Make resources (of a bundle, or live) the snapshot, with an audit row; the
 * last thing before the commit.
 */
KRN_MUSTCHECK enum krn_err
krn_snapshot_set(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_resource *resources, size_t nr,
		 const struct krn_caller *caller, int64_t *ret_revision,
		 struct krn_error *err);

#endif
