/*
 * Rate limits.
 */

#include "base/base.h"

#include "access/ratelimit.h"

void
krn_ratelimit_send(struct krn_arena *arena, struct krn_db *db,
		   const struct krn_ratelimit *limit,
		   const struct krn_rows **ret_rows)
{
	const struct krn_param params[] = {
	    krn_param_c(limit->name),
	    krn_param_int(arena, limit->quota),
	    krn_param_int(arena, limit->window_seconds),
	};

	krn_db_send(db, KRN_STMT_ratelimit_take, params, ret_rows);
}

struct krn_ratelimit_state
krn_ratelimit_read(const struct krn_rows *rows)
{
	return (struct krn_ratelimit_state){
	    .accepted = krn_rows_bool(rows, 0, 0),
	    .remaining = krn_rows_int(rows, 0, 1),
	    .reset_seconds = krn_rows_int(rows, 0, 2),
	};
}
