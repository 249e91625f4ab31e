/*
 * Looking for jobs that nobody takes.
 */

#include "base/base.h"

#include "queue/fallback.h"

#include "base/clock.h"

/* Looks in a wait: a worker that is restarted meanwhile is seen. */
#define FALLBACK_LOOKS 5

void
krn_fallback_init(struct krn_fallback *fallback, int64_t wait_seconds)
{
	*fallback = (struct krn_fallback){
	    .wait_us = wait_seconds * KRN_US_PER_SECOND,
	};
}

int
krn_fallback_wait_ms(const struct krn_fallback *fallback)
{
	const int64_t left_us = fallback->next_us - krn_clock_monotonic_us();

	if (fallback->wait_us == 0)
		return -1;
	return left_us > 0 ? (int)(left_us / 1000) + 1 : 0;
}

/* Is there a due job and no worker? */
static bool
fallback_is_needed(struct krn_arena *arena, struct krn_db *db)
{
	const struct krn_rows *rows;
	struct krn_error err;

	if (krn_db_begin(db, arena, KRN_TX_READ, &err))
		return false;
	krn_db_send(db, KRN_STMT_worker_needed, NULL, &rows);
	return !krn_db_commit(db, &err) && krn_rows_bool(rows, 0, 0);
}

bool
krn_fallback_look(struct krn_fallback *fallback, struct krn_arena *arena,
		  struct krn_db *db)
{
	const int64_t now_us = krn_clock_monotonic_us();

	if (fallback->wait_us == 0 || now_us < fallback->next_us)
		return false;
	fallback->next_us = now_us + fallback->wait_us / FALLBACK_LOOKS;
	if (!fallback_is_needed(arena, db)) {
		fallback->since_us = 0;
		return false;
	}
	if (fallback->since_us == 0)
		fallback->since_us = now_us;
	if (now_us - fallback->since_us < fallback->wait_us)
		return false;
	fallback->since_us = 0;
	return true;
}
