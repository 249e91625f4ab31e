/*
 * Transactions. Entry points: krn_db_begin, krn_db_send, krn_db_flush,
 * krn_db_commit, krn_db_rollback.
 *
 * Everything but COPY goes through libpq's pipeline mode. Each thing that is
 * sent leaves a db_pending in a list; a round trip sends a Sync and reads one
 * result for each of them, in order.
 */

#include "base/base.h"

#include "store/db.h"

#include "base/clock.h"
#include "store/db_private.h"

/* Queueing */

/* Remember why nothing of this transaction can be sent any more. */
static void
tx_break(struct krn_db *db)
{
	if (db->broken.code != KRN_OK)
		return;
	if (!db->conn || PQstatus(db->conn) != CONNECTION_OK)
		krn_fail(&db->broken, KRN_ERR_UNAVAILABLE,
			 "could not send to the database: %s",
			 db->conn ? PQerrorMessage(db->conn) : "closed");
	else
		krn_arena_fail(db->arena, &db->broken);
}

static void
tx_queue(struct krn_db *db, enum db_step step, enum krn_stmt stmt,
	 const struct krn_rows **ret_rows, int sent)
{
	struct db_pending *pending =
	    sent == 1 ? krn_arena_alloc(db->arena, sizeof(*pending)) : NULL;

	if (!pending) {
		tx_break(db);
		return;
	}
	*pending = (struct db_pending){NULL, step, stmt, ret_rows};
	*db->last = pending;
	db->last = &pending->next;
}

/* A command without parameters: BEGIN, COMMIT, ROLLBACK. */
static void
tx_queue_command(struct krn_db *db, enum db_step step, const char *text)
{
	tx_queue(
	    db, step, KRN_STMT__MAX, NULL,
	    PQsendQueryParams(db->conn, text, 0, NULL, NULL, NULL, NULL, 0));
}

/* Enter pipeline mode if COPY left it. */
static bool
tx_pipeline(struct krn_db *db)
{
	if (!db->in_pipeline)
		db->in_pipeline = PQenterPipelineMode(db->conn) == 1;
	return db->in_pipeline;
}

static bool
tx_can_queue(struct krn_db *db)
{
	return db->state == DB_OPEN && db->broken.code == KRN_OK && db->conn &&
	       tx_pipeline(db);
}

static const char *
tx_begin_text(enum krn_tx tx)
{
	switch (tx) {
	case KRN_TX_READ:
		return "BEGIN READ ONLY";
	case KRN_TX_SNAPSHOT:
		return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
	case KRN_TX_WRITE:
		return "BEGIN READ WRITE";
	case KRN_TX_PLAN:
		return "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";
	case KRN_TX__UNSET:
	case KRN_TX_NONE:
		break;
	}
	krn_bug(__FILE__, __LINE__, "a transaction without a mode");
	return "";
}

/* What db_connect_now gives to a connection of our own. */
static void
tx_queue_settings(struct krn_db *db)
{
	struct krn_param params[KRN_NR(db->timeouts_ms)];

	for (size_t i = 0; i < KRN_NR(params); i++)
		params[i] = krn_param_int(db->arena, db->timeouts_ms[i]);
	krn_db_send(db, KRN_STMT_session_set, params, NULL);
}

enum krn_err
krn_db_begin(struct krn_db *db, struct krn_arena *arena, enum krn_tx tx,
	     struct krn_error *err)
{
	const char *text = tx_begin_text(tx);
	enum krn_err e;

	KRN_BUG_IF(db->state != DB_IDLE);
	db->earlier_us += db->spent_us;
	db->spent_us = 0;
	db->round_trips = 0;
	if ((e = krn_db_connect(db, err)))
		return e;
	db->arena = arena;
	db->broken.code = KRN_OK;
	db->first = NULL;
	db->last = &db->first;
	db->state = DB_OPEN;
	if (!tx_pipeline(db)) {
		tx_break(db);
		return KRN_OK;
	}
	tx_queue_command(db, DB_STEP_BEGIN, text);
	if (db->is_pooled)
		tx_queue_settings(db);
	return KRN_OK;
}

/* Parameters as libpq wants them: C strings in the arena. */
static const char *const *
tx_param_texts(struct krn_db *db, int nr, const struct krn_param *params)
{
	const char **texts =
	    krn_arena_calloc(db->arena, (size_t)nr + 1, sizeof(*texts));

	for (int i = 0; texts && i < nr; i++) {
		if (!params[i].value)
			continue;
		if (memchr(params[i].value, '\0', params[i].len)) {
			krn_refuse(&db->broken, KRN_ERR_INVALID,
				   "a text must not contain NUL");
			return NULL;
		}
		texts[i] = krn_str_cstr(
		    db->arena, krn_str_from(params[i].value, params[i].len));
		if (!texts[i])
			return NULL;
	}
	return texts;
}

/*
 * Parse under the statement's name and ask for its types, once a connection.
 * What is noted here holds when the pipeline gets so far; tx_take_back.
 */
static void
tx_prepare(struct krn_db *db, enum krn_stmt stmt)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);
	const unsigned char known = db->prepared[stmt];

	if (known == DB_PREPARED_CHECKED)
		return;
	if (known == DB_PREPARED_NOT)
		tx_queue(
		    db, DB_STEP_PREPARE, stmt, NULL,
		    PQsendPrepare(db->conn, row->name, row->text, 0, NULL));
	if (db->broken.code == KRN_OK)
		tx_queue(db, DB_STEP_DESCRIBE, stmt, NULL,
			 PQsendDescribePrepared(db->conn, row->name));
	db->prepared[stmt] = DB_PREPARED_CHECKED;
}

/* A step of tx_prepare did not come through. */
static void
tx_take_back(struct krn_db *db, const struct db_pending *pending)
{
	if (pending->step == DB_STEP_PREPARE)
		db->prepared[pending->stmt] = DB_PREPARED_NOT;
	else if (pending->step == DB_STEP_DESCRIBE &&
		 db->prepared[pending->stmt] == DB_PREPARED_CHECKED)
		db->prepared[pending->stmt] = DB_PREPARED_PARSED;
}

void
krn_db_send(struct krn_db *db, enum krn_stmt stmt,
	    const struct krn_param *params, const struct krn_rows **ret_rows)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);

	KRN_BUG_IF(row->identifiers[0] || row->shape == KRN_SHAPE_COPY_IN ||
		   row->shape == KRN_SHAPE_COPY_OUT);
	if (!tx_can_queue(db))
		return;
	const char *const *texts = tx_param_texts(db, row->params, params);

	if (!texts) {
		tx_break(db);
		return;
	}
	if (db->is_pooled) {
		/* its types are t/210-statements.t's to check */
		tx_queue(db, DB_STEP_STATEMENT, stmt, ret_rows,
			 PQsendQueryParams(db->conn, row->text, row->params,
					   NULL, texts, NULL, NULL, 0));
		return;
	}
	tx_prepare(db, stmt);
	if (tx_can_queue(db))
		tx_queue(db, DB_STEP_STATEMENT, stmt, ret_rows,
			 PQsendQueryPrepared(db->conn, row->name, row->params,
					     texts, NULL, NULL, 0));
}

void
krn_db_send_named(struct krn_db *db, enum krn_stmt stmt,
		  const struct krn_str *identifiers,
		  const struct krn_param *params,
		  const struct krn_rows **ret_rows)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);
	const char *text;

	if (!tx_can_queue(db) ||
	    stmt_expand(db->arena, stmt, identifiers, &text, &db->broken))
		return;
	const char *const *texts = tx_param_texts(db, row->params, params);

	if (!texts) {
		tx_break(db);
		return;
	}
	tx_queue(db, DB_STEP_STATEMENT, stmt, ret_rows,
		 PQsendQueryParams(db->conn, text, row->params, NULL, texts,
				   NULL, NULL, 0));
}

/* Reading */

static void
tx_rows_free(void *data)
{
	PQclear(data);
}

/* Rows of a statement, checked against its shape. Takes `result`. */
static enum krn_err
tx_take_rows(struct krn_db *db, const struct db_pending *pending,
	     PGresult *result, struct krn_error *err)
{
	const struct krn_stmt_row *row = krn_stmt_row(pending->stmt);
	const int nr = PQntuples(result);
	enum krn_err e;

	if ((e = krn_arena_defer(db->arena, tx_rows_free, result, err)))
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

static const char *
tx_step_name(const struct db_pending *pending)
{
	switch (pending->step) {
	case DB_STEP_BEGIN:
		return "BEGIN";
	case DB_STEP_COMMIT:
		return "COMMIT";
	case DB_STEP_ROLLBACK:
		return "ROLLBACK";
	case DB_STEP_SYNC:
		return "the end of the pipeline";
	case DB_STEP_PREPARE:
	case DB_STEP_DESCRIBE:
	case DB_STEP_STATEMENT:
		break;
	}
	return krn_stmt_row(pending->stmt)->name;
}

/*
 * A migration changed a table under a prepared statement (0A000), or the
 * statement is not there (26000): only a new connection helps.
 */
static void
tx_look_stale(struct krn_db *db, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (state &&
	    (strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0))
		db->is_stale = true;
}

/* What one result means for the step that it answers. Takes `result`. */
static enum krn_err
tx_take(struct krn_db *db, const struct db_pending *pending, PGresult *result,
	struct krn_error *err)
{
	const ExecStatusType status = PQresultStatus(result);
	enum krn_err e = KRN_OK;

	if (pending->step == DB_STEP_STATEMENT &&
	    (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK))
		return tx_take_rows(db, pending, result, err);
	if (status == PGRES_PIPELINE_ABORTED)
		e = krn_fail(err, KRN_ERR_INTERNAL, "%s was not executed",
			     tx_step_name(pending));
	else if (status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_SYNC) {
		e = db_fail_result(err, result, tx_step_name(pending));
		tx_look_stale(db, result);
	} else if (pending->step == DB_STEP_DESCRIBE)
		e = stmt_check(pending->stmt, result, err);
	else if (pending->step == DB_STEP_COMMIT &&
		 strcmp(PQcmdStatus(result), "COMMIT") != 0)
		e = krn_fail(err, KRN_ERR_INTERNAL,
			     "the server rolled back instead of committing");
	if (e)
		tx_take_back(db, pending);
	PQclear(result);
	return e;
}

/* Read the result of one step, with the NULL behind it. */
static enum krn_err
tx_read_step(struct krn_db *db, const struct db_pending *pending,
	     bool *ret_lost, struct krn_error *err)
{
	PGresult *result = db_next_result(db, ret_lost);

	if (!result) {
		*ret_lost = true;
		return KRN_ERR_UNAVAILABLE;
	}
	const enum krn_err e = tx_take(db, pending, result, err);

	/* a Sync has no NULL behind it */
	while (pending->step != DB_STEP_SYNC &&
	       (result = db_next_result(db, ret_lost)))
		PQclear(result);
	if (PQstatus(db->conn) == CONNECTION_BAD)
		*ret_lost = true;
	return e;
}

static void
tx_queue_sync(struct krn_db *db)
{
	tx_queue(db, DB_STEP_SYNC, KRN_STMT__MAX, NULL,
		 PQpipelineSync(db->conn));
}

/*
 * Read one result for each pending step. The first error is told; a lost
 * connection is told when the server did not say more before it went.
 */
static enum krn_err
tx_read(struct krn_db *db, struct krn_error *err)
{
	const int64_t start = krn_clock_monotonic_us();
	enum krn_err first = KRN_OK;
	bool lost = false;

	db->round_trips++;
	for (const struct db_pending *p = db->first; p && !lost; p = p->next) {
		const enum krn_err e =
		    tx_read_step(db, p, &lost, first ? NULL : err);

		if (!first)
			first = e;
	}
	db->first = NULL;
	db->last = &db->first;
	if (lost) {
		const bool told = first && first != KRN_ERR_UNAVAILABLE;

		db_lost(db, told ? NULL : err);
		first = told ? first : KRN_ERR_UNAVAILABLE;
	}
	db->spent_us += krn_clock_monotonic_us() - start;
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
	if (db->broken.code == KRN_OK && !db->first)
		return KRN_OK;
	if (db->broken.code == KRN_OK)
		tx_queue_sync(db);
	if (db->broken.code != KRN_OK) {
		if (err)
			*err = db->broken;
		e = db->broken.code;
	} else {
		e = tx_read(db, err);
	}
	if (e)
		db->state = DB_FAILED;
	return e;
}

void
krn_db_post(struct krn_db *db)
{
	if (tx_can_queue(db) && db->first)
		tx_queue_sync(db);
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
	if (tx_can_queue(db))
		tx_queue_command(db, DB_STEP_COMMIT, "COMMIT");
	e = krn_db_flush(db, err);
	if (e)
		krn_db_rollback(db);
	db->state = DB_IDLE;
	return e;
}

/*
 * What is queued cannot be taken back, so it is executed and then undone: a
 * Sync ends what an error may abort, ROLLBACK follows, all in one round trip.
 */
static bool
tx_undo(struct krn_db *db)
{
	/* something may have been sent that is not in the list */
	if (db->is_stale ||
	    (db->broken.code != KRN_OK && db->broken.code != KRN_ERR_INVALID))
		return false;
	db->broken.code = KRN_OK;
	if (!tx_pipeline(db))
		return false;
	if (db->first)
		tx_queue_sync(db);
	if (db->broken.code == KRN_OK)
		tx_queue_command(db, DB_STEP_ROLLBACK, "ROLLBACK");
	if (db->broken.code == KRN_OK)
		tx_queue_sync(db);
	if (db->broken.code != KRN_OK)
		return false;
	(void)!tx_read(db, NULL);
	return db->conn && PQtransactionStatus(db->conn) == PQTRANS_IDLE;
}

void
krn_db_rollback(struct krn_db *db)
{
	if (db->state == DB_IDLE)
		return;
	/* closing is cheaper than to drain a stream of any length */
	if (db->conn && (db->in_copy || !tx_undo(db)))
		db_close(db);
	db->first = NULL;
	db->last = &db->first;
	db->state = DB_IDLE;
}

bool
krn_db_in_transaction(const struct krn_db *db)
{
	return db->state != DB_IDLE;
}

int64_t
krn_db_spent_us(const struct krn_db *db)
{
	return db->spent_us;
}

int64_t
krn_db_total_us(const struct krn_db *db)
{
	return db->earlier_us + db->spent_us;
}

int64_t
krn_db_round_trips(const struct krn_db *db)
{
	return db->round_trips;
}
