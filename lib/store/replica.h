#ifndef KRN_REPLICA_H
#define KRN_REPLICA_H

/*
 * A streaming replica (DATABASE_REPLICA_URL) that is read instead of the
 * primary. It is behind by nature, so whoever reads it says first what it must
 * have: a point of the primary's log, taken after everything that the reader
 * already knows of.
 *
 *	krn_replica_point(arena, primary, &point, err)
 *	krn_replica_wait(arena, replica, &point, seconds, err)
 *	… a read-only transaction on replica …
 *
 * Source: PostgreSQL, "Hot Standby" and "Recovery Control Functions"
 */

#include "store/db.h"

struct krn_replica_point {
	struct krn_str cluster; /* its system identifier */
	struct krn_str written; /* LSN as text */
};

/*
 * What the primary has written: every commit that can be seen now.
 * Within a transaction of `primary`, whose arena *ret lives in.
 * Errors: those of a statement
 */
KRN_MUSTCHECK enum krn_err krn_replica_point(struct krn_db *primary,
					     struct krn_replica_point *ret,
					     struct krn_error *err);

/*
 * Wait until the replica has all of it, `seconds` at most. Outside a
 * transaction of `replica`; `arena` is the caller's.
 * Errors: KRN_ERR_CONFLICT     it is no replica of that cluster
 *         KRN_ERR_UNAVAILABLE  it is away, or still behind
 */
KRN_MUSTCHECK enum krn_err
krn_replica_wait(struct krn_arena *arena, struct krn_db *replica,
		 const struct krn_replica_point *point, int64_t seconds,
		 struct krn_error *err);

/*
 * Both: wait for what `primary` has now, in transactions of their own.
 * Errors: those of both
 */
KRN_MUSTCHECK enum krn_err krn_replica_catch_up(struct krn_arena *arena,
						struct krn_db *primary,
						struct krn_db *replica,
						int64_t seconds,
						struct krn_error *err);

#endif
