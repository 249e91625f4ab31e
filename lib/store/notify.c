/*
 * LISTEN and waiting for notifications.
 */

#include "base/base.h"

#include "store/notify.h"

#include <poll.h>

#include "store/db_private.h"

/* The one channel; pg_notify in sql/stmt/job_*.sql names it too. */
#define NOTIFY_LISTEN "LISTEN kaireon_jobs"

enum krn_err
notify_begin(struct krn_db *db, struct krn_error *err)
{
	return db_run_text(db, NOTIFY_LISTEN, PGRES_COMMAND_OK, "LISTEN", err);
}

enum krn_err
krn_notify_listen(struct krn_db *db, struct krn_error *err)
{
	enum krn_err e;

	if (db->listens)
		return krn_db_connect(db, err);
	if ((e = krn_db_connect(db, err)) || (e = notify_begin(db, err)))
		return e;
	db->listens = true;
	return KRN_OK;
}

static bool
notify_take(struct krn_db *db)
{
	PGnotify *notify;
	bool any = false;

	while ((notify = PQnotifies(db->conn))) {
		PQfreemem(notify);
		any = true;
	}
	return any;
}

enum krn_err
krn_notify_wait(struct krn_db *db, int timeout_ms, const sigset_t *mask,
		bool *ret_notified, struct krn_error *err)
{
	const struct timespec timeout = {timeout_ms / 1000,
					 timeout_ms % 1000 * 1000000L};
	struct pollfd fd = {.fd = db->conn ? PQsocket(db->conn) : -1,
			    .events = POLLIN};

	*ret_notified = db->conn && notify_take(db);
	if (*ret_notified)
		return KRN_OK;
	KRN_BUG_IF(db->state != DB_IDLE);
	/* without a connection ppoll ignores the descriptor and only waits */
	const int ready = ppoll(&fd, 1, &timeout, mask);

	if (!db->conn)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "not connected");
	if (ready <= 0)
		return KRN_OK;
	if (!db_is_alive(db))
		return db_lost(db, err);
	*ret_notified = notify_take(db);
	return KRN_OK;
}
