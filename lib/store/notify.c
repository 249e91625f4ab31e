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
krn_notify_listen(struct krn_db *db, struct krn_error *err)
{
	enum krn_err e;

	KRN_BUG_IF(db->state != DB_IDLE);
	if ((e = krn_db_connect(db, err)) || (e = db_leave_pipeline(db, err)))
		return e;
	PQsetnonblocking(db->conn, 0);
	PGresult *result = PQexec(db->conn, NOTIFY_LISTEN);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		e = db_fail_result(err, result, "listen");
	PQclear(result);
	PQsetnonblocking(db->conn, 1);
	db->listens = e == KRN_OK;
	return e;
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
	/* without a connection ppoll ignores the descriptor and only waits */
	const int ready = ppoll(&fd, 1, &timeout, mask);

	if (!db->conn)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "not connected");
	if (ready <= 0)
		return KRN_OK;
	if (!PQconsumeInput(db->conn))
		return db_lost(db, err);
	*ret_notified = notify_take(db);
	return KRN_OK;
}
