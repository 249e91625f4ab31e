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
	DB_STEP_ROLLBACK,
	DB_STEP_SYNC, /* what an error aborted ends here */
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

/* How far a connection knows a statement. Set when it is queued. */
enum db_prepared {
	DB_PREPARED_NOT,
	DB_PREPARED_PARSED, /* but its types were not found right yet */
	DB_PREPARED_CHECKED,
};

struct krn_db {
	PGconn *conn; /* NULL: not connected */
	char *conninfo;
	char application_name[64];
	char settings[512]; /* startup options */
	int64_t timeouts_ms[3]; /* of session_set: statement, lock, idle */
	bool is_pooled;		/* krn_db_set_pooled */
	bool listens;

	/* without a byte for so long the server is dead; -1: never */
	int patience_ms;

	/* what is done while waiting; every_us 0: nothing */
	struct {
		krn_db_tick_fn call;
		void *data;
		int64_t every_us, next_us; /* monotonic */
		bool is_over;              /* it said so */
	} tick;

	/* reconnecting */
	int64_t retry_at_us; /* monotonic */
	int64_t retry_pause_us;

	/* this transaction */
	enum db_state state;
	struct krn_arena *arena;
	struct db_pending *first, **last;
	bool in_pipeline;
	bool in_copy;
	bool copy_is_binary;     /* the rows of the stream */
	bool is_stale;           /* what it has prepared no longer fits */
	const char *copy_name;   /* the statement of the stream */
	char *copy_row;          /* libpq's memory of the current row */
	struct krn_error broken; /* why queueing failed; code 0: it did not */
	int64_t spent_us;
	int64_t earlier_us; /* spent by the transactions before */
	int64_t round_trips;

	/* enum db_prepared of each statement */
	unsigned char prepared[KRN_STMT__MAX + 1];
};

struct krn_rows {
	PGresult *result;
};

/* db.c */

/* Fill `err` from a failed result and give its code. */
enum krn_err db_fail_result(struct krn_error *err, const PGresult *result,
			    const char *what);

/* Close; safe without a connection. */
void db_close(struct krn_db *db);

/* The connection is lost: close it and tell. */
enum krn_err db_lost(struct krn_db *db, struct krn_error *err);

/* Read what has come; false: the server closed the connection. */
bool db_is_alive(struct krn_db *db);

/*
 * Wait until the socket is readable (or writable too) and read what is there.
 * False: lost, or the server was silent for longer than patience_ms.
 */
bool db_wait(struct krn_db *db, bool to_write);

/* The next result, waiting for it; NULL at a boundary. *ret_lost tells. */
PGresult *db_next_result(struct krn_db *db, bool *ret_lost);

/* Leave pipeline mode; all results must have been read. */
enum krn_err db_leave_pipeline(struct krn_db *db, struct krn_error *err);

/*
 * Execute a text outside of the pipeline: a COPY, a LISTEN, a migration's
 * several statements. `wanted` PGRES_COPY_IN or _OUT: a stream is open then;
 * PGRES_COMMAND_OK: anything that is not an error.
 */
enum krn_err db_run_text(struct krn_db *db, const char *text,
			 ExecStatusType wanted, const char *what,
			 struct krn_error *err);

/* notify.c */

/* LISTEN on the connection. */
enum krn_err notify_begin(struct krn_db *db, struct krn_error *err);

/* stmt.c */

/*
 * The statement's text with its identifier slots filled.
 * Ownership: lives in `arena`, ends in NUL.
 * Errors:    KRN_ERR_INVALID  a name is empty or has a NUL
 *            as krn_arena_fail
 */
enum krn_err stmt_expand(struct krn_arena *arena, enum krn_stmt stmt,
			 const struct krn_str *identifiers,
			 const char **ret_text, struct krn_error *err);

/* Does a described statement have the types that its head declares? */
enum krn_err stmt_check(enum krn_stmt stmt, const PGresult *description,
			struct krn_error *err);

#endif
