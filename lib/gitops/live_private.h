#ifndef KRN_LIVE_PRIVATE_H
#define KRN_LIVE_PRIVATE_H

/* What the files of live.h share. */

#include "gitops/live.h"

/* In the order of diffs, while the list grows. */
struct live_read {
	struct krn_arena *arena;
	struct krn_db *db;
	struct krn_live *live;
	size_t size; /* room for resources */
	krn_kind_set names_only;
};

/*
 * Append the rows of a kind as resources; references and links are still ids.
 * Errors: KRN_ERR_UNAVAILABLE, KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err live_read_kind(struct live_read *read,
					  enum krn_kind_id kind,
					  struct krn_error *err);

#endif
