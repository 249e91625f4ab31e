#ifndef KRN_COPY_H
#define KRN_COPY_H

/*
 * COPY as streams, in PostgreSQL's text format; out also in its binary one,
 * when the statement says so. Inside a transaction only, with nothing queued;
 * one stream at a time, and no other statement until it ended.
 *
 * A COPY statement takes no parameters. What it needs is set before it in the
 * same transaction by kaireon.argument_set(name, value) (statement
 * argument_set) and read in the SQL as kaireon.argument('name').
 */

#include "base/buf.h"
#include "store/db.h"

/* Queue such a value. */
void krn_copy_argument(struct krn_db *db, const char *name,
		       struct krn_str value);

/* In: the client sends rows */

/* Start COPY … FROM STDIN. `identifiers` as in krn_db_send_named, or NULL. */
KRN_MUSTCHECK enum krn_err krn_copy_in_begin(struct krn_db *db,
					     enum krn_stmt stmt,
					     const struct krn_str *identifiers,
					     struct krn_error *err);

/* Send bytes: whole lines or parts of them. */
KRN_MUSTCHECK enum krn_err krn_copy_in_put(struct krn_db *db, const char *data,
					   size_t len, struct krn_error *err);

/* A field that is bytea, in pieces: no copy of it is made. */
KRN_MUSTCHECK enum krn_err krn_copy_in_bytes(struct krn_db *db,
					     struct krn_str bytes,
					     struct krn_error *err);

/* Finish; *ret_rows is what the server stored. May be NULL. */
KRN_MUSTCHECK enum krn_err krn_copy_in_end(struct krn_db *db, int64_t *ret_rows,
					   struct krn_error *err);

/* Give up: the server drops the rows and the transaction is to be undone. */
void krn_copy_in_abort(struct krn_db *db);

/* Write one field of a row, escaped; .s NULL is NULL (\N). */
void krn_copy_field(struct krn_buf *buf, struct krn_str value);

/* Between fields a tab, after the row a newline. */
static inline void
krn_copy_tab(struct krn_buf *buf)
{
	krn_buf_add_char(buf, '\t');
}

static inline void
krn_copy_newline(struct krn_buf *buf)
{
	krn_buf_add_char(buf, '\n');
}

/* Out: the server sends rows */

KRN_MUSTCHECK enum krn_err krn_copy_out_begin(struct krn_db *db,
					      enum krn_stmt stmt,
					      const struct krn_str *identifiers,
					      struct krn_error *err);

/*
 * The next row, without its newline. The bytes are valid until the next call
 * and may be written to (krn_copy_split does). ret_row->s is NULL at the end;
 * the stream is closed then.
 */
struct krn_copy_row {
	char *s;
	size_t len;
};

KRN_MUSTCHECK enum krn_err krn_copy_out_next(struct krn_db *db,
					     struct krn_copy_row *ret_row,
					     struct krn_error *err);

/* Take a row apart, unescaping in place; a NULL field has .s NULL.
 * Returns the number of fields, at most `max`. */
size_t krn_copy_split(struct krn_copy_row row, struct krn_str *ret_fields,
		      size_t max);

/*
 * The same for a row in the binary format, where nothing is escaped: 0 behind
 * the last row. A bigint or a timestamptz (microseconds since 2000-01-01 UTC)
 * is read by krn_copy_int, a jsonb by krn_copy_jsonb; a text is as it is.
 */
size_t krn_copy_split_binary(struct krn_copy_row row,
			     struct krn_str *ret_fields, size_t max);
int64_t krn_copy_int(struct krn_str field);
struct krn_str krn_copy_jsonb(struct krn_str field);

/* Stop early: the rest is read and dropped. Safe at any time. */
void krn_copy_out_abort(struct krn_db *db);

#endif
