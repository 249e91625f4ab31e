#ifndef KRN_DB_PRIVATE_H
#define KRN_DB_PRIVATE_H

/*
 * The connection as the files of lib/store share it. Nobody else includes
 * this; it is where libpq is known.
 */

#include <libpq-fe.h>

#include "store/db.h"

/* What a result of the pipeline belongs to. */
enum db_step {
	DB_STEP_BEGIN,
	DB_STEP_PREPARE,
	DB_STEP_DESCRIBE,
	DB_STEP_STATEMENT,
	DB_STEP_COMMIT,
};

struct db_pending {
	struct db_pending *next;
	enum db_step step;
	enum krn_stmt stmt;
	const struct krn_rows **ret_rows;
};

enum db_state {
	DB_IDLE,   /* no transaction */
	DB_OPEN,   /* BEGIN was queued or sent */
	DB_FAILED, /* a statement failed; only rollback helps */
};

struct krn_db {
	PGconn *conn; /* NULL: not connected */
	char *conninfo;
	char application_name[64];
	char settings[512]; /* startup options */
	bool listens;

	/* reconnecting */
	int64_t retry_at_us; /* monotonic */
	int64_t retry_pause_us;

	/* this transaction */
	enum db_state state;
	struct krn_arena *arena;
	struct db_pending *first, **last;
	bool in_pipeline;
	bool in_copy;
	char *copy_row;          /* libpq's memory of the current row */
	struct krn_error broken; /* why queueing failed; code 0: it did not */
	int64_t spent_us;
	int64_t round_trips;

	/* which statements this connection has prepared */
	unsigned char prepared[KRN_STMT__MAX + 1];
};

struct krn_rows {
	PGresult *result;
};

/* Fill `err` from a failed result and give its code. */
enum krn_err db_fail_result(struct krn_error *err, const PGresult *result,
			    const char *what);

/* The connection is lost: close it and tell. */
enum krn_err db_lost(struct krn_db *db, struct krn_error *err);

/* Wait until the socket is readable (or writable too); false: lost. */
bool db_wait(struct krn_db *db, bool to_write);

/* Leave pipeline mode; all results must have been read. */
enum krn_err db_leave_pipeline(struct krn_db *db, struct krn_error *err);

/*
 * The statement's text with its identifier slots filled. NULL when the arena
 * is exhausted.
 * Ownership: lives in `arena`, ends in NUL.
 */
const char *stmt_expand(struct krn_arena *arena, enum krn_stmt stmt,
			const struct krn_str *identifiers);

/* Does a described statement have the types that its head declares? */
enum krn_err stmt_check(enum krn_stmt stmt, const PGresult *description,
			struct krn_error *err);

#endif
