#ifndef KRN_ERROR_H
#define KRN_ERROR_H

/*
 * Errors: a closed list (errors.def), and the object that tells of one.
 *
 * Every function that can fail returns enum krn_err, 0 (KRN_OK) when it did
 * not, and takes `struct krn_error *err` last. The object is filled where the
 * failure happens and left alone on success, so calls chain with `||`.
 *
 * Two texts are kept apart: `detail` is for the log and may name anything;
 * `message` is for the client and must not tell of SQL, paths or libraries.
 */

#include "base/base.h"

struct krn_arena;

enum krn_err {
	KRN_OK = 0,
#define KRN_ERR(id, http, wire, message) KRN_ERR_##id,
#include "base/errors.def"
#undef KRN_ERR
	KRN_ERR__MAX,
};

/* How many problems are listed; more are only counted. Source: contract 1. */
#define KRN_PROBLEM_MAX 100

/* One thing that is wrong with what a client sent. */
struct krn_problem {
	const char *field;   /* where: "retentionDays", "resources[3].kind" */
	const char *message; /* what: "must be 1 to 36500" */
};

/* All that is wrong with one input. Zero-initialise, set arena. */
struct krn_problems {
	struct krn_arena *arena; /* where the texts live */
	struct krn_problem list[KRN_PROBLEM_MAX];
	size_t nr; /* found; may be larger than KRN_PROBLEM_MAX */
};

struct krn_error {
	enum krn_err code;
	char sqlstate[6];   /* of the database's error, or "" */
	char message[512];  /* for the client, or "" for the table's */
	char detail[1024];  /* for the log, or "" */
	size_t values_at;   /* where `detail` goes on with values of rows, which
			       only the log may have; 0: nowhere */
	const struct krn_problems *problems; /* or NULL */
};

struct krn_err_row {
	const char *id;      /* "NOTFOUND" */
	int http;            /* 404 */
	const char *wire;    /* "NOT_FOUND" */
	const char *message; /* what a client reads by default */
};

/* The table's row of an error; never NULL. `code` must be in the list. */
const struct krn_err_row *krn_err_row(enum krn_err code);

/*
 * Fill `err` with a cause for the log and return `code`. The client reads the
 * table's message. `err` may be NULL: then only the code is told.
 */
enum krn_err krn_fail(struct krn_error *err, enum krn_err code,
		      const char *format, ...) KRN_PRINTF(3, 4);

/* As krn_fail, but the text is for the client (and for the log). */
enum krn_err krn_refuse(struct krn_error *err, enum krn_err code,
			const char *format, ...) KRN_PRINTF(3, 4);

/* "could not <what>: <strerror of errno>", as KRN_ERR_INTERNAL. */
enum krn_err krn_fail_errno(struct krn_error *err, const char *format, ...)
    KRN_PRINTF(2, 3);

/* Note one more problem. Beyond KRN_PROBLEM_MAX it is counted only. */
void krn_problem_add(struct krn_problems *problems, const char *field,
		     const char *format, ...) KRN_PRINTF(3, 4);

/*
 * KRN_OK when no problem was noted; else fills `err` with them.
 * `message` is what the client reads, NULL for the table's.
 * Errors: KRN_ERR_INVALID
 */
KRN_MUSTCHECK enum krn_err krn_problems_end(const struct krn_problems *problems,
					    const char *message,
					    struct krn_error *err);

#endif
