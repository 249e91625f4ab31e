#ifndef KRN_VERIFY_MERGE_H
#define KRN_VERIFY_MERGE_H

/*
 * Two sequences of lines that should be the same, of which either may lack
 * some or have them in another order: lines that have no partner yet wait, by
 * id, until it comes. As long as both are the same nothing waits; memory
 * grows with how far partners are apart.
 */

#include "base/buf.h"

enum merge_side { MERGE_LAKE, MERGE_TABLE };

struct merge;

/* NULL: out of memory. */
struct merge *merge_new(struct krn_arena *arena);

/*
 * Is a line of this id waiting on `side`? It is taken out then, and
 * *ret_same says whether it was the same line.
 */
bool merge_take(struct merge *merge, enum merge_side side, struct krn_str id,
		struct krn_str line, bool *ret_same);

/* Let a line wait. False: out of memory. */
KRN_MUSTCHECK bool merge_wait(struct merge *merge, enum merge_side side,
			      struct krn_str id, struct krn_str line,
			      int64_t created_us);

/*
 * Take out any line that waits on `side`; false: none does. *ret_id is valid
 * until the next call.
 */
bool merge_rest(struct merge *merge, enum merge_side side,
		struct krn_str *ret_id, int64_t *ret_created_us);

#endif
