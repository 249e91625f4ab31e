/*
 * The connection: made, waited for, lost, made anew. Entry points:
 * krn_db_new, krn_db_connect. What is done with it: tx.c, copy.c, notify.c,
 * migrate.c.
 *
 * The socket is never waited for inside libpq but by db_wait, so that a server
 * that is gone without a word is noticed.
 */

#define KRN_ALLOW_MALLOC
#include "base/base.h"

#include "store/db.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/option.h"
#include "base/service.h"
#include "store/db_private.h"

#define DB_PAUSE_FIRST_US (KRN_US_PER_SECOND / 10)
#define DB_PAUSE_MAX_US (5 * KRN_US_PER_SECOND)
#define DB_CONNECT_TIMEOUT_MS 3000

/* A server that is silent for longer than its own time limits is dead. */
#define DB_PATIENCE_MARGIN_MS 10000

/* SQLSTATE to error; a row's text is a prefix. The rest is INTERNAL. */
static const struct {
	const char *sqlstate;
	enum krn_err code;
	const char *message; /* for the client; "": the error's own */
} db_states[] = {
    /* raised by our functions: the server's message is for clients */
    {"KR400", KRN_ERR_INVALID, NULL},
    {"KR401", KRN_ERR_UNAUTHORIZED, NULL},
    {"KR403", KRN_ERR_FORBIDDEN, NULL},
    {"KR404", KRN_ERR_NOTFOUND, NULL},
    {"KR409", KRN_ERR_CONFLICT, NULL},
    {"23505", KRN_ERR_CONFLICT, ""},
    {"23503", KRN_ERR_CONFLICT, ""},
    {"23P01", KRN_ERR_CONFLICT, ""},
    {"40", KRN_ERR_CONFLICT, "another change came first, try again"},
    {"55P03", KRN_ERR_CONFLICT, "the object is busy, try again"},
    {"57014", KRN_ERR_UNAVAILABLE, ""},
    {"57P", KRN_ERR_UNAVAILABLE, ""},
    {"08", KRN_ERR_UNAVAILABLE, ""},
    {"53", KRN_ERR_UNAVAILABLE, ""},
};

bool
krn_db_was_busy(const struct krn_error *err)
{
	return strcmp(err->sqlstate, "55P03") == 0 ||
	       strcmp(err->sqlstate, "40P01") == 0;
}

static const char *
db_field(const PGresult *result, int field)
{
	const char *text = PQresultErrorField(result, field);

	return text ? text : "";
}

enum krn_err
db_fail_result(struct krn_error *err, const PGresult *result, const char *what)
{
	const char *state = db_field(result, PG_DIAG_SQLSTATE);
	const char *text = db_field(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = db_field(result, PG_DIAG_MESSAGE_DETAIL);
	/* of a COPY: the line and the column */
	const char *context = db_field(result, PG_DIAG_CONTEXT);
	/* libpq's own errors have no SQLSTATE: the connection broke */
	enum krn_err code = *state ? KRN_ERR_INTERNAL : KRN_ERR_UNAVAILABLE;
	const char *message = "";

	if (!*text)
		text = PQresultErrorMessage(result);
	for (size_t i = 0; i < KRN_NR(db_states); i++) {
		if (krn_str_has_prefix(krn_str_c(state),
				       krn_str_c(db_states[i].sqlstate))) {
			code = db_states[i].code;
			message = db_states[i].message;
			break;
		}
	}
	krn_fail(err, code, "could not execute %s: %s: %s", what, state, text);
	if (err) {
		const size_t len = strlen(err->detail);

		snprintf(err->detail + len, sizeof(err->detail) - len,
			 "%s%s%s%s", *detail ? "; " : "", detail,
			 *context ? "; " : "", context);
		err->detail[krn_str_whole(krn_str_c(err->detail)).len] = '\0';
		err->values_at = len;
		snprintf(err->sqlstate, sizeof(err->sqlstate), "%.5s", state);
		snprintf(err->message, sizeof(err->message), "%s",
			 message ? message : text);
	}
	return code;
}

/* Life cycle */

struct krn_db *
krn_db_new(struct krn_str url, const char *program,
	   const struct krn_options *options)
{
	struct krn_db *db = calloc(1, sizeof(*db));

	if (!db)
		return NULL;
	db->conninfo = calloc(1, url.len + 1);
	if (!db->conninfo) {
		free(db);
		return NULL;
	}
	memcpy(db->conninfo, url.s, url.len);
	snprintf(db->application_name, sizeof(db->application_name), "%s %d",
		 program, (int)getpid());
	db->timeouts_ms[0] = options->statement_timeout_ms;
	db->timeouts_ms[1] = options->lock_timeout_ms;
	db->timeouts_ms[2] = options->idle_timeout_ms;
	snprintf(db->settings, sizeof(db->settings),
		 "-c search_path=pg_catalog -c TimeZone=UTC -c DateStyle=ISO "
		 "-c extra_float_digits=1 "
		 /* a backend whose client died ends soon: leases hang on it */
		 "-c client_connection_check_interval=1000 "
		 "-c statement_timeout=%lld -c lock_timeout=%lld "
		 "-c idle_in_transaction_session_timeout=%lld",
		 (long long)options->statement_timeout_ms,
		 (long long)options->lock_timeout_ms,
		 (long long)options->idle_timeout_ms);
	/* without a limit on statements silence has none either */
	db->patience_ms =
	    options->statement_timeout_ms
		? (int)options->statement_timeout_ms + DB_PATIENCE_MARGIN_MS
		: -1;
	db->last = &db->first;
	return db;
}

void
krn_db_set_pooled(struct krn_db *db)
{
	KRN_BUG_IF(db->conn || db->listens);
	db->is_pooled = true;
	/* session_set brings them */
	db->settings[0] = '\0';
}

void
db_close(struct krn_db *db)
{
	if (db->copy_row)
		PQfreemem(db->copy_row);
	db->copy_row = NULL;
	PQfinish(db->conn);
	db->conn = NULL;
	db->in_pipeline = false;
	db->in_copy = false;
	db->is_stale = false;
	memset(db->prepared, 0, sizeof(db->prepared));
}

void
krn_db_free(struct krn_db *db)
{
	if (!db)
		return;
	db_close(db);
	free(db->conninfo);
	free(db);
}

enum krn_err
db_lost(struct krn_db *db, struct krn_error *err)
{
	const enum krn_err code = krn_fail(
	    err, KRN_ERR_UNAVAILABLE, "lost the connection to the database: %s",
	    db->conn ? PQerrorMessage(db->conn) : "closed");

	db_close(db);
	db->first = NULL;
	db->last = &db->first;
	if (db->state != DB_IDLE)
		db->state = DB_FAILED;
	return code;
}

void
krn_db_set_tick(struct krn_db *db, int every_ms, krn_db_tick_fn tick,
		void *data)
{
	db->tick.call = tick;
	db->tick.data = data;
	db->tick.every_us = tick ? (int64_t)every_ms * 1000 : 0;
	db->tick.next_us = krn_clock_monotonic_us() + db->tick.every_us;
	db->tick.is_over = false;
}

bool
krn_db_tick(struct krn_db *db)
{
	if (!db->tick.every_us || db->tick.is_over ||
	    krn_clock_monotonic_us() < db->tick.next_us)
		return !db->tick.is_over;
	db->tick.is_over = !db->tick.call(db->tick.data);
	db->tick.next_us = krn_clock_monotonic_us() + db->tick.every_us;
	return !db->tick.is_over;
}

/* Milliseconds until the server is taken for dead, 0: now; -1: never. */
static int
db_patience_left(const struct krn_db *db, int64_t start_us)
{
	if (db->patience_ms < 0)
		return -1;
	const int64_t waited_ms = (krn_clock_monotonic_us() - start_us) / 1000;

	return waited_ms < db->patience_ms ? db->patience_ms - (int)waited_ms
					   : 0;
}

/* The sooner of two, where -1 is never. */
static int
db_sooner(int one_ms, int other_ms)
{
	return one_ms < 0 || (other_ms >= 0 && other_ms < one_ms) ? other_ms
								  : one_ms;
}

/* How long to poll at most: somebody may have to be told that we live. */
static int
db_poll_ms(const struct krn_db *db, int left_ms)
{
	const int64_t now_us = krn_clock_monotonic_us();
	const int64_t tick_us =
	    db->tick.next_us > now_us ? db->tick.next_us - now_us : 0;

	if (db->tick.every_us)
		left_ms = db_sooner(left_ms, (int)(tick_us / 1000) + 1);
	return db_sooner(left_ms, krn_service_patience_ms());
}

bool
db_wait(struct krn_db *db, bool to_write)
{
	struct pollfd fd = {.fd = PQsocket(db->conn),
			    .events =
				(short)(POLLIN | (to_write ? POLLOUT : 0))};
	const int64_t start = krn_clock_monotonic_us();
	int ready, left_ms;

	if (fd.fd < 0)
		return false;
	/*
	 * An interrupted wait is tried again: the signal is looked at later.
	 * To wait for a database that works is to live.
	 */
	while ((left_ms = db_patience_left(db, start)) != 0) {
		krn_service_alive();
		if (!krn_db_tick(db))
			return false;
		ready = poll(&fd, 1, db_poll_ms(db, left_ms));
		if (ready > 0)
			return PQconsumeInput(db->conn) == 1;
		if (ready < 0 && errno != EINTR)
			return false;
	}
	return false;
}

PGresult *
db_next_result(struct krn_db *db, bool *ret_lost)
{
	*ret_lost = false;
	for (;;) {
		const int flushed = PQflush(db->conn);

		if (flushed < 0)
			break;
		if (flushed == 0 && !PQisBusy(db->conn))
			return PQgetResult(db->conn);
		if (!db_wait(db, flushed > 0))
			break;
	}
	*ret_lost = true;
	return NULL;
}

enum krn_err
db_leave_pipeline(struct krn_db *db, struct krn_error *err)
{
	if (db->in_pipeline && PQexitPipelineMode(db->conn) != 1)
		return krn_fail(err, KRN_ERR_INTERNAL,
				"could not leave pipeline mode: %s",
				PQerrorMessage(db->conn));
	db->in_pipeline = false;
	return KRN_OK;
}

enum krn_err
db_run_text(struct krn_db *db, const char *text, ExecStatusType wanted,
	    const char *what, struct krn_error *err)
{
	const int64_t start = krn_clock_monotonic_us();
	enum krn_err e;
	PGresult *result;
	bool lost, done = false;

	if ((e = db_leave_pipeline(db, err)))
		return e;
	if (PQsendQuery(db->conn, text) != 1)
		return db_lost(db, err);
	db->round_trips++;
	while (!done && (result = db_next_result(db, &lost))) {
		const ExecStatusType status = PQresultStatus(result);

		done = status == PGRES_COPY_IN || status == PGRES_COPY_OUT;
		db->copy_is_binary = done && PQbinaryTuples(result);
		if (!e && status != wanted &&
		    (wanted != PGRES_COMMAND_OK || status != PGRES_TUPLES_OK))
			e = db_fail_result(err, result, what);
		PQclear(result);
	}
	db->spent_us += krn_clock_monotonic_us() - start;
	if (lost || PQstatus(db->conn) == CONNECTION_BAD)
		return db_lost(db, err);
	if (e && db->state != DB_IDLE)
		db->state = DB_FAILED;
	return e;
}

static void
db_no_notice(void *data KRN_UNUSED, const PGresult *result KRN_UNUSED)
{
}

/* Poll libpq's asynchronous connect until it is done or time is up. */
static bool
db_connect_wait(PGconn *conn)
{
	const int64_t end =
	    krn_clock_monotonic_us() + DB_CONNECT_TIMEOUT_MS * 1000;

	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK) {
		if (status == PGRES_POLLING_FAILED)
			return false;
		struct pollfd fd = {.fd = PQsocket(conn),
				    .events = status == PGRES_POLLING_READING
						  ? POLLIN
						  : POLLOUT};
		const int64_t left = (end - krn_clock_monotonic_us()) / 1000;

		if (left <= 0 || poll(&fd, 1, (int)left) == 0)
			return false;
		status = PQconnectPoll(conn);
	}
	return true;
}

static enum krn_err
db_connect_now(struct krn_db *db, struct krn_error *err)
{
	/*
	 * The connection string may override what stands before it; the
	 * server's end has the same times (sql/roles.sql).
	 */
	static const char *const names[] = {
	    "keepalives_idle",
	    "keepalives_interval",
	    "keepalives_count",
	    "tcp_user_timeout",
	    "dbname",
	    "application_name",
	    "options",
	    "client_encoding",
	    NULL,
	};
	const char *const values[] = {
	    "15",         "5",          "3",
	    "30000",      db->conninfo, db->application_name,
	    db->settings, "UTF8",       NULL,
	};

	db->conn = PQconnectStartParams(names, values, 1);
	if (!db->conn || PQstatus(db->conn) == CONNECTION_BAD ||
	    !db_connect_wait(db->conn) || PQsetnonblocking(db->conn, 1) != 0) {
		const enum krn_err code = krn_fail(
		    err, KRN_ERR_UNAVAILABLE,
		    "could not connect to the database: %s",
		    db->conn ? PQerrorMessage(db->conn) : "out of memory");

		db_close(db);
		return code;
	}
	PQsetNoticeReceiver(db->conn, db_no_notice, NULL);
	return KRN_OK;
}

/* Its last words come before the end of the stream: everything is read. */
bool
db_is_alive(struct krn_db *db)
{
	struct pollfd fd = {.fd = PQsocket(db->conn), .events = POLLIN};

	while (fd.fd >= 0 && poll(&fd, 1, 0) == 1) {
		if (!PQconsumeInput(db->conn))
			return false;
		fd.fd = PQsocket(db->conn);
	}
	return fd.fd >= 0 && PQstatus(db->conn) == CONNECTION_OK;
}

enum krn_err
krn_db_connect(struct krn_db *db, struct krn_error *err)
{
	enum krn_err e;

	KRN_BUG_IF(db->state != DB_IDLE);
	if (db->conn && db_is_alive(db))
		return KRN_OK;
	db_close(db);
	const int64_t now = krn_clock_monotonic_us();

	if (now < db->retry_at_us)
		return krn_fail(err, KRN_ERR_UNAVAILABLE,
				"the database was away a moment ago");
	if ((e = db_connect_now(db, err)) ||
	    (db->listens && (e = notify_begin(db, err)))) {
		db_close(db);
		db->retry_pause_us = db->retry_pause_us ? db->retry_pause_us * 2
							: DB_PAUSE_FIRST_US;
		if (db->retry_pause_us > DB_PAUSE_MAX_US)
			db->retry_pause_us = DB_PAUSE_MAX_US;
		db->retry_at_us = now + db->retry_pause_us;
		return e;
	}
	db->retry_pause_us = 0;
	db->retry_at_us = 0;
	return KRN_OK;
}
