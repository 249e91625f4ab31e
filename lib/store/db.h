#ifndef KRN_DB_H
#define KRN_DB_H

/*
 * The database: one connection, transactions in as few round trips as their
 * steps allow, statements from the table only (stmt.h). db.c and its
 * neighbours in lib/store are the only files that know libpq.
 *
 * A transaction:
 *
 *	krn_db_begin(db, arena, KRN_TX_READ, err)     queued, no round trip
 *	krn_db_send(db, KRN_STMT_a, params, &ret_a)   queued
 *	krn_db_send(db, KRN_STMT_b, params, &ret_b)   queued
 *	krn_db_flush(db, err)                         one round trip: a, b
 *	krn_db_commit(db, err)                        one more
 *
 * or, with nothing to look at in between, send + commit: one round trip in
 * all. What was queued before a statement that fails is not executed further;
 * the transaction is then to be ended by krn_db_rollback, which is harmless
 * when there is none. A statement's rows are there after the flush or commit
 * that follows its send.
 *
 * Each transaction is seen by row-level security as the tenant that
 * kaireon.authenticate (API) or kaireon.tenant_set (worker, ctl) set in it;
 * SQL refers to it as kaireon.tenant_id().
 *
 * A lost connection is noticed before use and made anew; while the database
 * is away, krn_db_begin fails at once with KRN_ERR_UNAVAILABLE and tries
 * again after a pause that grows from 0.1 s to 5 s.
 */

#include "base/text.h"
#include "store/stmt.h"

struct krn_db;
struct krn_options;

enum krn_tx {
	KRN_TX__UNSET = 0,
	KRN_TX_NONE,     /* the route needs no database */
	KRN_TX_READ,     /* READ ONLY, read committed */
	KRN_TX_SNAPSHOT, /* READ ONLY, repeatable read: one snapshot for all */
	KRN_TX_WRITE,    /* read committed */
	KRN_TX_PLAN,     /* repeatable read, may write */
};

/* A parameter: text as PostgreSQL reads it for the declared type. */
struct krn_param {
	const char *value; /* NULL: NULL */
	size_t len;
};

/* Rows of one statement; lives in the transaction's arena. */
struct krn_rows;

/* Life cycle */

/*
 * Nothing is connected yet. `url` is a libpq connection string, copied;
 * `program` becomes application_name with the process id.
 * NULL when there is no memory.
 */
struct krn_db *krn_db_new(struct krn_str url, const char *program,
			  const struct krn_options *options);
void krn_db_free(struct krn_db *db);

/*
 * The URL leads to a pooler in transaction mode (DATABASE_PREPARE=off): what
 * one transaction prepares another does not find, and settings at connect are
 * refused. From now on statements have no names, and each transaction brings
 * its settings along in the same round trip. LISTEN, session locks and leases
 * do not go together with it. Before the first connect.
 * Source: PgBouncer's features by pooling mode; 1.18 is Debian 12's.
 */
void krn_db_set_pooled(struct krn_db *db);

/*
 * Connect if there is no connection. Outside a transaction. Only for callers
 * that want to know early; krn_db_begin does it by itself.
 * Errors: KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err krn_db_connect(struct krn_db *db,
					  struct krn_error *err);

/* Transaction */

/*
 * Begin. Everything that the transaction returns lives in `arena`.
 * Errors: KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err krn_db_begin(struct krn_db *db,
					struct krn_arena *arena, enum krn_tx tx,
					struct krn_error *err);

/*
 * Queue a statement. `params` holds as many as its head declares and is
 * copied. *ret_rows (may be NULL) is set by the next flush or commit.
 * A failure (no memory, lost connection) is told by that flush or commit.
 */
void krn_db_send(struct krn_db *db, enum krn_stmt stmt,
		 const struct krn_param *params,
		 const struct krn_rows **ret_rows);

/*
 * As krn_db_send for a statement with identifier slots: {schema}, {view} …
 * in its text are replaced, quoted, by `identifiers` in the order that its
 * head declares. A slot declared as a list ({columns...}) takes its names
 * separated by \x1f. Not prepared: such statements run once a batch.
 */
void krn_db_send_named(struct krn_db *db, enum krn_stmt stmt,
		       const struct krn_str *identifiers,
		       const struct krn_param *params,
		       const struct krn_rows **ret_rows);

/*
 * Execute what is queued and wait for it; the transaction goes on.
 * Errors: by SQLSTATE (db.c, table), the first that failed;
 *         KRN_ERR_NOTFOUND  a ONE_ROW statement gave none
 *         KRN_ERR_INVALID   a parameter or name that PostgreSQL cannot hold
 */
KRN_MUSTCHECK enum krn_err krn_db_flush(struct krn_db *db,
					struct krn_error *err);

/*
 * Let the server begin with what is queued, while the caller does something
 * else. The flush or commit that follows waits, and tells what failed; a
 * caller who has none to follow rolls back before its ret_rows go.
 */
void krn_db_post(struct krn_db *db);

/* send + flush. */
KRN_MUSTCHECK enum krn_err krn_db_exec(struct krn_db *db, enum krn_stmt stmt,
				       const struct krn_param *params,
				       const struct krn_rows **ret_rows,
				       struct krn_error *err);

/*
 * Execute what is queued and commit. On an error nothing of the transaction
 * holds and it is ended. Without a transaction: KRN_OK.
 * KRN_ERR_UNAVAILABLE of a commit means that the outcome is not known.
 */
KRN_MUSTCHECK enum krn_err krn_db_commit(struct krn_db *db,
					 struct krn_error *err);

/*
 * While a statement or a stream takes long, call `tick` about every `every_ms`
 * milliseconds; NULL: no more. It may use another krn_db, not this one. When
 * it gives false, the connection is closed and the statement fails as if it
 * had been lost.
 */
typedef bool (*krn_db_tick_fn)(void *data);
void krn_db_set_tick(struct krn_db *db, int every_ms, krn_db_tick_fn tick,
		     void *data);

/*
 * For work between statements that takes long: tick when it is time. False:
 * the tick has given false.
 */
bool krn_db_tick(struct krn_db *db);

/* End the transaction, undo it. Safe at any time. */
void krn_db_rollback(struct krn_db *db);

/* Did it fail since a lock was not to be had (55P03), or in a deadlock
 * (40P01)? The same may succeed a moment later. */
bool krn_db_was_busy(const struct krn_error *err);

/* Is a transaction open (queued or begun)? */
bool krn_db_in_transaction(const struct krn_db *db);

/* Parameters */

static inline struct krn_param
krn_param_null(void)
{
	return (struct krn_param){NULL, 0};
}

static inline struct krn_param
krn_param_str(struct krn_str str)
{
	return (struct krn_param){str.s, str.len};
}

static inline struct krn_param
krn_param_c(const char *s)
{
	return (struct krn_param){s, s ? strlen(s) : 0};
}

static inline struct krn_param
krn_param_bool(bool value)
{
	return (struct krn_param){value ? "t" : "f", 1};
}

/* These make text in the arena; value NULL (SQL NULL) when exhausted. */
struct krn_param krn_param_int(struct krn_arena *arena, int64_t value);
struct krn_param krn_param_double(struct krn_arena *arena, double value);
struct krn_param krn_param_time(struct krn_arena *arena, int64_t us);

/* text[] and bigint[] literals. */
struct krn_param krn_param_str_array(struct krn_arena *arena,
				     const struct krn_str *items, size_t nr);

/* bytea, as \x hex. */
struct krn_param krn_param_bytes(struct krn_arena *arena,
				 const unsigned char *bytes, size_t len);

/* Read rows. Columns count from 0 in the order of the statement's head. */

size_t krn_rows_nr(const struct krn_rows *rows);
bool krn_rows_is_null(const struct krn_rows *rows, size_t row, size_t column);

/* Points into the rows; NUL-terminated; .s NULL for SQL NULL. */
struct krn_str krn_rows_str(const struct krn_rows *rows, size_t row,
			    size_t column);

/* SQL NULL gives 0 / false. The type was checked at prepare. */
int64_t krn_rows_int(const struct krn_rows *rows, size_t row, size_t column);
double krn_rows_double(const struct krn_rows *rows, size_t row, size_t column);
bool krn_rows_bool(const struct krn_rows *rows, size_t row, size_t column);

/* timestamptz in microseconds; SQL NULL gives INT64_MIN. */
int64_t krn_rows_time(const struct krn_rows *rows, size_t row, size_t column);

/* Rows that an INSERT, UPDATE, DELETE without RETURNING touched. */
int64_t krn_rows_affected(const struct krn_rows *rows);

/* Measure: what the dispatcher logs. Reset by krn_db_begin. */

int64_t krn_db_spent_us(const struct krn_db *db);      /* waiting, this tx */
int64_t krn_db_total_us(const struct krn_db *db);      /* since krn_db_new */
int64_t krn_db_round_trips(const struct krn_db *db);

#endif
