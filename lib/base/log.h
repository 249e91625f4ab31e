#ifndef KRN_LOG_H
#define KRN_LOG_H

/*
 * The log: one line an event, key=value, values quoted where they need it.
 *
 *	krn_log(KRN_LOG_WARNING, "database lost", KRN_LOG_C("role", "api"),
 *		KRN_LOG_INT("attempt", 3));
 *
 * gives on stderr
 *	2026-03-30T02:00:00.000Z warning kaireon-fcgi[123] msg="database lost" role=api attempt=3
 *
 * When stderr is the journal (JOURNAL_STREAM names it), the same goes to the
 * journal's socket with its fields, upper case with the prefix KAIREON_.
 * Secrets are never given to the log; lib/ logs at debug only, the programs
 * (fcgi, worker, ctl) log what happened.
 */

#include "base/text.h"

enum krn_log_level {
	KRN_LOG_ERROR,   /* someone must look */
	KRN_LOG_WARNING, /* handled, but not as planned */
	KRN_LOG_INFO,
	KRN_LOG_DEBUG,
};

enum krn_log_type { KRN_LOG_TYPE_STR, KRN_LOG_TYPE_INT, KRN_LOG_TYPE_DOUBLE };

struct krn_log_field {
	const char *key; /* lower_snake */
	enum krn_log_type type;
	struct krn_str str;
	int64_t integer;
	double number;
};

#define KRN_LOG_STR(key, value)                                                \
	((struct krn_log_field){key, KRN_LOG_TYPE_STR, value, 0, 0})
#define KRN_LOG_C(key, value)                                                  \
	((struct krn_log_field){key, KRN_LOG_TYPE_STR, krn_str_c(value), 0, 0})
#define KRN_LOG_INT(key, value)                                                \
	((struct krn_log_field){key, KRN_LOG_TYPE_INT, {NULL, 0}, value, 0})
#define KRN_LOG_DOUBLE(key, value)                                             \
	((struct krn_log_field){key, KRN_LOG_TYPE_DOUBLE, {NULL, 0}, 0, value})

/* Once at start: the program's name and the least level that is written. */
void krn_log_init(const char *program, enum krn_log_level level);

/* "error", "warning", "info", "debug"; false: none of them. */
bool krn_log_level_parse(struct krn_str name, enum krn_log_level *ret);

void krn_log_write(enum krn_log_level level, const char *message,
		   const struct krn_log_field *fields, size_t nr);

#define krn_log(level, ...) KRN_LOG_PICK(level, __VA_ARGS__, KRN_LOG_C(NULL, ""))
#define KRN_LOG_PICK(level, message, ...)                                      \
	krn_log_write(level, message,                                          \
		      (const struct krn_log_field[]){__VA_ARGS__},             \
		      sizeof((const struct krn_log_field[]){__VA_ARGS__}) /    \
				      sizeof(struct krn_log_field) -           \
			  1)

/* An error of krn_fail and friends, with its id, SQLSTATE and detail. */
struct krn_error;
void krn_log_error(enum krn_log_level level, const char *message,
		   const struct krn_error *err);

#endif
