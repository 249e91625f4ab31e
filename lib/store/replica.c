/*
 * Waiting for a replica. PostgreSQL has no call that does (before 18), so it
 * is asked again and again.
 */

#include "base/base.h"

#include "store/replica.h"

#include "base/clock.h"
#include "base/service.h"

/* A replica that is well is behind by less than the first. */
#define REPLICA_PAUSE_FIRST_MS 10
#define REPLICA_PAUSE_MAX_MS 500

enum krn_err
krn_replica_point(struct krn_db *primary, struct krn_replica_point *ret,
		  struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(primary, KRN_STMT_replica_point, NULL, &rows,
			     err)))
		return e;
	ret->cluster = krn_rows_str(rows, 0, 0);
	ret->written = krn_rows_str(rows, 0, 1);
	return KRN_OK;
}

static enum krn_err
replica_has(struct krn_arena *arena, struct krn_db *replica,
	    const struct krn_replica_point *point, bool *ret,
	    struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(point->cluster),
	    krn_param_str(point->written),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(replica, arena, KRN_TX_READ, err)))
		return e;
	krn_db_send(replica, KRN_STMT_replica_has, params, &rows);
	if ((e = krn_db_commit(replica, err)))
		return e;
	*ret = krn_rows_bool(rows, 0, 1);
	return krn_rows_bool(rows, 0, 0)
		   ? KRN_OK
		   : krn_refuse(err, KRN_ERR_CONFLICT,
				"DATABASE_REPLICA_URL leads to no replica of "
				"this database");
}

enum krn_err
krn_replica_wait(struct krn_arena *arena, struct krn_db *replica,
		 const struct krn_replica_point *point, int64_t seconds,
		 struct krn_error *err)
{
	const int64_t end_us =
	    krn_clock_monotonic_us() + seconds * KRN_US_PER_SECOND;
	int64_t pause_ms = REPLICA_PAUSE_FIRST_MS;
	bool has = false;
	enum krn_err e;

	while (!(e = replica_has(arena, replica, point, &has, err)) && !has) {
		if (krn_clock_monotonic_us() >= end_us)
			return krn_refuse(err, KRN_ERR_UNAVAILABLE,
					  "the replica is behind by more than "
					  "%lld seconds",
					  (long long)seconds);
		krn_pause_ms(pause_ms);
		pause_ms = pause_ms * 2 < REPLICA_PAUSE_MAX_MS
			       ? pause_ms * 2
			       : REPLICA_PAUSE_MAX_MS;
		krn_db_tick(replica);
		krn_service_alive();
	}
	return e;
}

enum krn_err
krn_replica_catch_up(struct krn_arena *arena, struct krn_db *primary,
		     struct krn_db *replica, int64_t seconds,
		     struct krn_error *err)
{
	struct krn_replica_point point;
	enum krn_err e;

	if ((e = krn_db_begin(primary, arena, KRN_TX_READ, err)))
		return e;
	if ((e = krn_replica_point(primary, &point, err))) {
		krn_db_rollback(primary);
		return e;
	}
	if ((e = krn_db_commit(primary, err)))
		return e;
	return krn_replica_wait(arena, replica, &point, seconds, err);
}
