/*
 * The connection and its transactions. Entry points: krn_db_begin,
 * krn_db_send, krn_db_flush, krn_db_commit, krn_db_rollback.
 *
 * Everything but COPY goes through libpq's pipeline mode. Each thing that is
 * sent leaves a db_pending in a list; a flush sends a Sync and reads one
 * result for each of them, in order.
 */

#define KRN_ALLOW_MALLOC
#include "base/base.h"

#include "store/db.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/option.h"
#include "store/db_private.h"

#define DB_PAUSE_FIRST_US (KRN_US_PER_SECOND / 10)
#define DB_PAUSE_MAX_US (5 * KRN_US_PER_SECOND)
#define DB_CONNECT_TIMEOUT_MS 3000

/* SQLSTATE to error; a row's text is a prefix. The rest is INTERNAL. */
static const struct {
	const char *sqlstate;
	enum krn_err code;
	bool message_is_ours; /* raised by our functions, for clients to read */
} db_states[] = {
    {"KR400", KRN_ERR_INVALID, true},
    {"KR401", KRN_ERR_UNAUTHORIZED, true},
    {"KR403", KRN_ERR_FORBIDDEN, true},
    {"KR404", KRN_ERR_NOTFOUND, true},
    {"KR409", KRN_ERR_CONFLICT, true},
    {"23505", KRN_ERR_CONFLICT, false},
    {"23503", KRN_ERR_CONFLICT, false},
    {"23P01", KRN_ERR_CONFLICT, false},
    {"40", KRN_ERR_CONFLICT, false},
    {"55P03", KRN_ERR_CONFLICT, false},
    {"57014", KRN_ERR_UNAVAILABLE, false},
    {"57P", KRN_ERR_UNAVAILABLE, false},
    {"08", KRN_ERR_UNAVAILABLE, false},
    {"53", KRN_ERR_UNAVAILABLE, false},
    /* cannot write: a replica or a server that shuts down */
    {"25006", KRN_ERR_INTERNAL, false},
};

enum krn_err
db_fail_result(struct krn_error *err, const PGresult *result, const char *what)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *more = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	enum krn_err code = KRN_ERR_INTERNAL;
	bool ours = false;

	if (!state)
		state = "";
	if (!text)
		text = PQresultErrorMessage(result);
	for (size_t i = 0; i < KRN_NR(db_states); i++) {
		if (krn_str_has_prefix(krn_str_c(state),
				       krn_str_c(db_states[i].sqlstate))) {
			code = db_states[i].code;
			ours = db_states[i].message_is_ours;
			break;
		}
	}
	if (ours)
		krn_refuse(err, code, "%s", text);
	else
		krn_fail(err, code, "could not execute %s: %s%s%s", what, text,
			 more ? "; " : "", more ? more : "");
	if (err)
		snprintf(err->sqlstate, sizeof(err->sqlstate), "%.5s", state);
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
	snprintf(db->settings, sizeof(db->settings),
		 "-c search_path=pg_catalog -c TimeZone=UTC -c DateStyle=ISO "
		 "-c extra_float_digits=1 "
		 /* a backend whose client died ends soon: leases hang on it */
		 "-c client_connection_check_interval=1000 "
		 "-c statement_timeout=%lld -c lock_timeout=%lld "
		 "-c idle_in_transaction_session_timeout=%lld",
		 (long long)options->statement_timeout_ms,
		 (long long)options->lock_timeout_ms,
		 (long long)options->statement_timeout_ms * 2);
	db->last = &db->first;
	return db;
}

static void
db_close(struct krn_db *db)
{
	if (db->copy_row)
		PQfreemem(db->copy_row);
	db->copy_row = NULL;
	PQfinish(db->conn);
	db->conn = NULL;
	db->in_pipeline = false;
	db->in_copy = false;
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

static void
db_forget_pending(struct krn_db *db)
{
	db->first = NULL;
	db->last = &db->first;
}

enum krn_err
db_lost(struct krn_db *db, struct krn_error *err)
{
	const enum krn_err code =
	    krn_fail(err, KRN_ERR_UNAVAILABLE,
		     "lost the connection to the database: %s",
		     db->conn ? PQerrorMessage(db->conn) : "closed");

	db_close(db);
	db_forget_pending(db);
	if (db->state != DB_IDLE)
		db->state = DB_FAILED;
	return code;
}

bool
db_wait(struct krn_db *db, bool to_write)
{
	struct pollfd fd = {.fd = PQsocket(db->conn),
			    .events = (short)(POLLIN | (to_write ? POLLOUT : 0))};

	if (fd.fd < 0)
		return false;
	/* an interrupted wait is tried again: the signal is looked at later */
	while (poll(&fd, 1, -1) < 0)
		;
	return true;
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

	for (;;) {
		const PostgresPollingStatusType status = PQconnectPoll(conn);

		if (status == PGRES_POLLING_OK)
			return true;
		if (status == PGRES_POLLING_FAILED)
			return false;
		struct pollfd fd = {.fd = PQsocket(conn),
				    .events = status == PGRES_POLLING_READING
						  ? POLLIN
						  : POLLOUT};
		const int64_t left = (end - krn_clock_monotonic_us()) / 1000;

		if (left <= 0 || poll(&fd, 1, (int)left) == 0)
			return false;
	}
}

static enum krn_err
db_connect_now(struct krn_db *db, struct krn_error *err)
{
	const char *const names[] = {"dbname", "application_name", "options",
				     "client_encoding", NULL};
	const char *const values[] = {db->conninfo, db->application_name,
				      db->settings, "UTF8", NULL};

	db->conn = PQconnectStartParams(names, values, 1);
	if (!db->conn || PQstatus(db->conn) == CONNECTION_BAD ||
	    !db_connect_wait(db->conn) ||
	    PQsetnonblocking(db->conn, 1) != 0) {
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

/* Has the server closed the connection since we last looked? */
static bool
db_is_alive(struct krn_db *db)
{
	struct pollfd fd = {.fd = PQsocket(db->conn), .events = POLLIN};

	if (fd.fd < 0)
		return false;
	if (poll(&fd, 1, 0) == 1 && !PQconsumeInput(db->conn))
		return false;
	return PQstatus(db->conn) == CONNECTION_OK;
}

enum krn_err
krn_db_connect(struct krn_db *db, struct krn_error *err)
{
	if (db->conn && db_is_alive(db))
		return KRN_OK;
	db_close(db);
	const int64_t now = krn_clock_monotonic_us();

	if (now < db->retry_at_us)
		return krn_fail(err, KRN_ERR_UNAVAILABLE,
				"the database was away a moment ago");
	const enum krn_err e = db_connect_now(db, err);

	if (e) {
		db->retry_pause_us = db->retry_pause_us
					 ? db->retry_pause_us * 2
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

/* Queueing */

/* Remember why nothing of this transaction can be sent any more. */
static void
db_break(struct krn_db *db, enum krn_err code)
{
	if (db->broken.code == KRN_OK)
		krn_fail(&db->broken, code, "%s",
			 code == KRN_ERR_UNAVAILABLE
			     ? "could not send to the database"
			     : "could not queue a statement: no memory");
}

static void
db_queue(struct krn_db *db, enum db_step step, enum krn_stmt stmt,
	 const struct krn_rows **ret_rows, bool sent)
{
	struct db_pending *pending =
	    sent ? krn_arena_alloc(db->arena, sizeof(*pending)) : NULL;

	if (!pending) {
		db_break(db, sent ? KRN_ERR_TOOBIG : KRN_ERR_UNAVAILABLE);
		return;
	}
	*pending = (struct db_pending){NULL, step, stmt, ret_rows};
	*db->last = pending;
	db->last = &pending->next;
}

/* Enter pipeline mode if COPY left it. */
static bool
db_pipeline(struct krn_db *db)
{
	if (!db->in_pipeline)
		db->in_pipeline = PQenterPipelineMode(db->conn) == 1;
	return db->in_pipeline;
}

static bool
db_can_queue(struct krn_db *db)
{
	return db->state == DB_OPEN && db->broken.code == KRN_OK && db->conn &&
	       db_pipeline(db);
}

static const char *
db_begin_text(enum krn_tx tx)
{
	switch (tx) {
	case KRN_TX_READ:
		return "BEGIN READ ONLY";
	case KRN_TX_SNAPSHOT:
		return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
	case KRN_TX_WRITE:
		return "BEGIN READ WRITE";
	case KRN_TX_PLAN:
		return "BEGIN ISOLATION LEVEL REPEATABLE READ";
	case KRN_TX__UNSET:
	case KRN_TX_NONE:
		break;
	}
	KRN_BUG_IF("a transaction without a mode");
	return "";
}

enum krn_err
krn_db_begin(struct krn_db *db, struct krn_arena *arena, enum krn_tx tx,
	     struct krn_error *err)
{
	enum krn_err e;

	KRN_BUG_IF(db->state != DB_IDLE);
	db->spent_us = 0;
	db->round_trips = 0;
	if ((e = krn_db_connect(db, err)))
		return e;
	db->arena = arena;
	db->broken.code = KRN_OK;
	db_forget_pending(db);
	db->state = DB_OPEN;
	db_queue(db, DB_STEP_BEGIN, KRN_STMT__MAX, NULL,
		 db_pipeline(db) &&
		     PQsendQueryParams(db->conn, db_begin_text(tx), 0, NULL,
				       NULL, NULL, NULL, 0) == 1);
	return KRN_OK;
}

/* Parameters as libpq wants them: C strings in the arena. */
static const char *const *
db_param_texts(struct krn_db *db, int nr, const struct krn_param *params)
{
	const char **texts =
	    krn_arena_calloc(db->arena, (size_t)nr, sizeof(*texts));

	for (int i = 0; texts && i < nr; i++) {
		if (!params[i].value)
			continue;
		texts[i] = krn_str_cstr(
		    db->arena, krn_str_from(params[i].value, params[i].len));
		if (!texts[i])
			return NULL;
	}
	return texts;
}

/* Parse under the statement's name, once per connection. */
static void
db_prepare(struct krn_db *db, enum krn_stmt stmt)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);

	if (db->prepared[stmt])
		return;
	/* from now on: it may be sent again before this pipeline's results */
	db->prepared[stmt] = 1;
	db_queue(db, DB_STEP_PREPARE, stmt, NULL,
		 PQsendPrepare(db->conn, row->name, row->text, 0, NULL) == 1);
	db_queue(db, DB_STEP_DESCRIBE, stmt, NULL,
		 PQsendDescribePrepared(db->conn, row->name) == 1);
}

void
krn_db_send(struct krn_db *db, enum krn_stmt stmt,
	    const struct krn_param *params, const struct krn_rows **ret_rows)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);

	KRN_BUG_IF(row->identifiers[0]);
	if (!db_can_queue(db))
		return;
	const char *const *texts = db_param_texts(db, row->params, params);

	if (!texts) {
		db_break(db, KRN_ERR_TOOBIG);
		return;
	}
	db_prepare(db, stmt);
	if (db_can_queue(db))
		db_queue(db, DB_STEP_STATEMENT, stmt, ret_rows,
			 PQsendQueryPrepared(db->conn, row->name, row->params,
					     texts, NULL, NULL, 0) == 1);
}

void
krn_db_send_named(struct krn_db *db, enum krn_stmt stmt,
		  const struct krn_str *identifiers,
		  const struct krn_param *params,
		  const struct krn_rows **ret_rows)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);

	if (!db_can_queue(db))
		return;
	const char *text = stmt_expand(db->arena, stmt, identifiers);
	const char *const *texts = db_param_texts(db, row->params, params);

	if (!text || !texts) {
		db_break(db, KRN_ERR_TOOBIG);
		return;
	}
	db_queue(db, DB_STEP_STATEMENT, stmt, ret_rows,
		 PQsendQueryParams(db->conn, text, row->params, NULL, texts,
				   NULL, NULL, 0) == 1);
}

/* Reading */

static void
db_rows_free(void *data)
{
	PQclear(data);
}

/* Rows of a statement, checked against its shape. Takes `result`. */
static enum krn_err
db_take_rows(struct krn_db *db, const struct db_pending *pending,
	     PGresult *result, struct krn_error *err)
{
	const struct krn_stmt_row *row = krn_stmt_row(pending->stmt);
	const int nr = PQntuples(result);
	enum krn_err e;

	if ((e = krn_arena_defer(db->arena, db_rows_free, result, err)))
		return e;
	if (row->shape == KRN_SHAPE_ONE_ROW && nr == 0)
		return krn_fail(err, KRN_ERR_NOTFOUND, "%s gave no row",
				row->name);
	if (nr > 1 && (row->shape == KRN_SHAPE_ONE_ROW ||
		       row->shape == KRN_SHAPE_ZERO_OR_ONE))
		return krn_fail(err, KRN_ERR_INTERNAL, "%s gave %d rows",
				row->name, nr);
	if (!pending->ret_rows)
		return KRN_OK;
	struct krn_rows *rows = krn_arena_make(db->arena, struct krn_rows);

	if (!rows)
		return krn_arena_fail(db->arena, err);
	rows->result = result;
	*pending->ret_rows = rows;
	return KRN_OK;
}

/* What one result means for the step that it answers. Takes `result`. */
static enum krn_err
db_take(struct krn_db *db, const struct db_pending *pending, PGresult *result,
	struct krn_error *err)
{
	const ExecStatusType status = PQresultStatus(result);
	const char *what = pending->stmt < KRN_STMT__MAX
			       ? krn_stmt_row(pending->stmt)->name
			       : "begin or commit";
	enum krn_err e = KRN_OK;

	if (status == PGRES_TUPLES_OK ||
	    (status == PGRES_COMMAND_OK && pending->step == DB_STEP_STATEMENT))
		return db_take_rows(db, pending, result, err);
	if (status != PGRES_COMMAND_OK && pending->step == DB_STEP_PREPARE)
		db->prepared[pending->stmt] = 0;
	if (status != PGRES_COMMAND_OK)
		e = status == PGRES_PIPELINE_ABORTED
			? krn_fail(err, KRN_ERR_INTERNAL, "%s was not executed",
				   what)
			: db_fail_result(err, result, what);
	else if (pending->step == DB_STEP_DESCRIBE)
		e = stmt_check(pending->stmt, result, err);
	else if (pending->step == DB_STEP_COMMIT &&
		 strcmp(PQcmdStatus(result), "COMMIT") != 0)
		e = krn_fail(err, KRN_ERR_INTERNAL,
			     "the server rolled back instead of committing");
	PQclear(result);
	return e;
}

/* The next result, waiting for it; NULL at a boundary. *ret_lost tells. */
static PGresult *
db_next_result(struct krn_db *db, bool *ret_lost)
{
	*ret_lost = false;
	for (;;) {
		const int flushed = PQflush(db->conn);

		if (flushed < 0)
			break;
		if (flushed == 0 && !PQisBusy(db->conn))
			return PQgetResult(db->conn);
		if (!db_wait(db, flushed > 0) || !PQconsumeInput(db->conn))
			break;
	}
	*ret_lost = true;
	return NULL;
}

/* Read the result of one step, with the NULL behind it. */
static enum krn_err
db_read_step(struct krn_db *db, const struct db_pending *pending,
	     bool *ret_lost, struct krn_error *err)
{
	PGresult *result = db_next_result(db, ret_lost);

	if (*ret_lost)
		return KRN_ERR_UNAVAILABLE;
	if (!result) {
		*ret_lost = true;
		return KRN_ERR_UNAVAILABLE;
	}
	const enum krn_err e = db_take(db, pending, result, err);
	bool lost;

	while ((result = db_next_result(db, &lost)))
		PQclear(result);
	*ret_lost = lost || PQstatus(db->conn) == CONNECTION_BAD;
	return e;
}

/* Read the result of the Sync itself. */
static void
db_read_sync(struct krn_db *db, bool *ret_lost)
{
	PGresult *result = db_next_result(db, ret_lost);

	PQclear(result);
	if (PQstatus(db->conn) == CONNECTION_BAD)
		*ret_lost = true;
}

/* Sync, then one result for each pending step. The first error is told. */
static enum krn_err
db_round_trip(struct krn_db *db, struct krn_error *err)
{
	const int64_t start = krn_clock_monotonic_us();
	enum krn_err first = KRN_OK;
	bool lost = PQpipelineSync(db->conn) != 1;

	db->round_trips++;
	for (const struct db_pending *p = db->first; p && !lost; p = p->next) {
		struct krn_error later;
		const enum krn_err e =
		    db_read_step(db, p, &lost, first ? &later : err);

		if (!first)
			first = e;
	}
	if (!lost)
		db_read_sync(db, &lost);
	db_forget_pending(db);
	db->spent_us += krn_clock_monotonic_us() - start;
	if (lost) {
		/* an error that the server told before it went says more */
		struct krn_error gone;

		db_lost(db, first == KRN_OK || first == KRN_ERR_UNAVAILABLE
				? err
				: &gone);
		return first ? first : KRN_ERR_UNAVAILABLE;
	}
	return first;
}

enum krn_err
krn_db_flush(struct krn_db *db, struct krn_error *err)
{
	enum krn_err e;

	KRN_BUG_IF(db->state == DB_IDLE);
	if (db->state == DB_FAILED)
		return krn_fail(err, KRN_ERR_INTERNAL,
				"the transaction has failed already");
	if (db->broken.code != KRN_OK) {
		if (err)
			*err = db->broken;
		db->state = DB_FAILED;
		return db->broken.code;
	}
	if (!db->first)
		return KRN_OK;
	e = db_round_trip(db, err);
	if (e)
		db->state = DB_FAILED;
	return e;
}

enum krn_err
krn_db_exec(struct krn_db *db, enum krn_stmt stmt,
	    const struct krn_param *params, const struct krn_rows **ret_rows,
	    struct krn_error *err)
{
	krn_db_send(db, stmt, params, ret_rows);
	return krn_db_flush(db, err);
}

enum krn_err
krn_db_commit(struct krn_db *db, struct krn_error *err)
{
	enum krn_err e;

	if (db->state == DB_IDLE)
		return KRN_OK;
	if (db_can_queue(db))
		db_queue(db, DB_STEP_COMMIT, KRN_STMT__MAX, NULL,
			 PQsendQueryParams(db->conn, "COMMIT", 0, NULL, NULL,
					   NULL, NULL, 0) == 1);
	e = krn_db_flush(db, err);
	if (e)
		krn_db_rollback(db);
	db->state = DB_IDLE;
	return e;
}

void
krn_db_rollback(struct krn_db *db)
{
	struct krn_error ignored;

	if (db->state == DB_IDLE)
		return;
	if (db->conn && db->in_copy)
		db_close(db); /* cheaper than to drain a stream of any length */
	if (db->conn && db_pipeline(db)) {
		db->broken.code = KRN_OK;
		/* close a pipeline that an error aborted, then undo */
		(void)!db_round_trip(db, &ignored);
		if (db->conn) {
			db_queue(db, DB_STEP_BEGIN, KRN_STMT__MAX, NULL,
				 PQsendQueryParams(db->conn, "ROLLBACK", 0,
						   NULL, NULL, NULL, NULL,
						   0) == 1);
			if (db->broken.code || db_round_trip(db, &ignored))
				db_close(db);
		}
	}
	db_forget_pending(db);
	db->state = DB_IDLE;
}

bool
krn_db_in_transaction(const struct krn_db *db)
{
	return db->state != DB_IDLE;
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

int64_t
krn_db_spent_us(const struct krn_db *db)
{
	return db->spent_us;
}

int64_t
krn_db_round_trips(const struct krn_db *db)
{
	return db->round_trips;
}
