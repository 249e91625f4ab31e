/*
 * COPY as streams. A stream leaves libpq's pipeline mode inside the open
 * transaction; the next queued statement enters it again.
 */

#include "base/base.h"

#include "store/copy.h"

#include "base/clock.h"
#include "base/service.h"
#include "store/db_private.h"

/* Read the results behind a COPY; the first error is told. */
static enum krn_err
copy_drain(struct krn_db *db, int64_t *ret_rows, struct krn_error *err)
{
	enum krn_err first = KRN_OK;
	PGresult *result;
	bool lost;

	db->in_copy = false;
	while ((result = db_next_result(db, &lost))) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK) {
			if (!first)
				first =
				    db_fail_result(err, result, db->copy_name);
		} else if (ret_rows) {
			(void)!krn_parse_int64(krn_str_c(PQcmdTuples(result)),
					       0, INT64_MAX, ret_rows, NULL);
		}
		PQclear(result);
	}
	if (lost || PQstatus(db->conn) == CONNECTION_BAD) {
		db_lost(db, first ? NULL : err);
		return first ? first : KRN_ERR_UNAVAILABLE;
	}
	if (first)
		db->state = DB_FAILED;
	return first;
}

static enum krn_err
copy_begin(struct krn_db *db, enum krn_stmt stmt,
	   const struct krn_str *identifiers, ExecStatusType wanted,
	   struct krn_error *err)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);
	const char *text;
	enum krn_err e;

	KRN_BUG_IF(
	    row->shape !=
	    (wanted == PGRES_COPY_IN ? KRN_SHAPE_COPY_IN : KRN_SHAPE_COPY_OUT));
	if ((e = krn_db_flush(db, err)) ||
	    (e = stmt_expand(db->arena, stmt, identifiers, &text, err)) ||
	    (e = db_run_text(db, text, wanted, row->name, err)))
		return e;
	db->copy_name = row->name;
	db->in_copy = true;
	return KRN_OK;
}

void
krn_copy_argument(struct krn_db *db, const char *name, struct krn_str value)
{
	const struct krn_param params[] = {krn_param_c(name),
					   krn_param_str(value)};

	krn_db_send(db, KRN_STMT_argument_set, params, NULL);
}

/* In */

enum krn_err
krn_copy_in_begin(struct krn_db *db, enum krn_stmt stmt,
		  const struct krn_str *identifiers, struct krn_error *err)
{
	return copy_begin(db, stmt, identifiers, PGRES_COPY_IN, err);
}

/* Bytes for one PQputCopyData; libpq takes an int. */
#define COPY_PUT_BYTES ((size_t)1 << 20)

/* Bytes that are written as hex at once. */
#define COPY_HEX_BYTES ((size_t)16 * 1024)

enum krn_err
krn_copy_in_put(struct krn_db *db, const char *data, size_t len,
		struct krn_error *err)
{
	const int64_t start = krn_clock_monotonic_us();

	KRN_BUG_IF(!db->in_copy && db->conn);
	if (!db->conn)
		return db_lost(db, err);
	krn_service_alive();
	while (len) {
		const size_t part = len < COPY_PUT_BYTES ? len : COPY_PUT_BYTES;
		const int put = PQputCopyData(db->conn, data, (int)part);

		if (put < 0)
			return db_lost(db, err);
		if (put == 1) {
			data += part;
			len -= part;
		}
		/* do not let libpq's buffer grow with the stream */
		while (PQflush(db->conn) > 0)
			if (!db_wait(db, true))
				return db_lost(db, err);
	}
	db->spent_us += krn_clock_monotonic_us() - start;
	return KRN_OK;
}

/* The end of the stream, or with a reason its giving up. */
static enum krn_err
copy_in_finish(struct krn_db *db, const char *reason, int64_t *ret_rows,
	       struct krn_error *err)
{
	const int64_t start = krn_clock_monotonic_us();
	int ended;

	/* 0: libpq's buffer is full, make room */
	while ((ended = PQputCopyEnd(db->conn, reason)) == 0)
		if (PQflush(db->conn) < 0 || !db_wait(db, true))
			return db_lost(db, err);
	if (ended < 0)
		return db_lost(db, err);
	const enum krn_err e = copy_drain(db, ret_rows, err);

	db->spent_us += krn_clock_monotonic_us() - start;
	return e;
}

enum krn_err
krn_copy_in_bytes(struct krn_db *db, struct krn_str bytes,
		  struct krn_error *err)
{
	char hex[2 * COPY_HEX_BYTES + 1];
	/* the backslash is escaped */
	enum krn_err e = krn_copy_in_put(db, "\\\\x", 3, err);

	for (size_t at = 0; !e && at < bytes.len; at += COPY_HEX_BYTES) {
		const size_t left = bytes.len - at;
		const size_t part =
		    left < COPY_HEX_BYTES ? left : COPY_HEX_BYTES;

		krn_format_hex((const unsigned char *)bytes.s + at, part, hex);
		e = krn_copy_in_put(db, hex, 2 * part, err);
	}
	return e;
}

enum krn_err
krn_copy_in_end(struct krn_db *db, int64_t *ret_rows, struct krn_error *err)
{
	KRN_BUG_IF(!db->in_copy && db->conn);
	if (!db->conn)
		return db_lost(db, err);
	return copy_in_finish(db, NULL, ret_rows, err);
}

void
krn_copy_in_abort(struct krn_db *db)
{
	if (db->conn && db->in_copy)
		(void)!copy_in_finish(db, "given up", NULL, NULL);
}

/* Source: PostgreSQL, COPY, text format */
void
krn_copy_field(struct krn_buf *buf, struct krn_str value)
{
	size_t start = 0;

	if (!value.s) {
		krn_buf_add(buf, "\\N", 2);
		return;
	}
	for (size_t i = 0; i < value.len; i++) {
		const char *escape;

		switch (value.s[i]) {
		case '\\':
			escape = "\\\\";
			break;
		case '\t':
			escape = "\\t";
			break;
		case '\n':
			escape = "\\n";
			break;
		case '\r':
			escape = "\\r";
			break;
		default:
			continue;
		}
		krn_buf_add(buf, value.s + start, i - start);
		krn_buf_add(buf, escape, 2);
		start = i + 1;
	}
	krn_buf_add(buf, value.s + start, value.len - start);
}

/* Out */

enum krn_err
krn_copy_out_begin(struct krn_db *db, enum krn_stmt stmt,
		   const struct krn_str *identifiers, struct krn_error *err)
{
	return copy_begin(db, stmt, identifiers, PGRES_COPY_OUT, err);
}

/* Wait for more of the stream. */
static bool
copy_out_wait(struct krn_db *db)
{
	const int64_t start = krn_clock_monotonic_us();
	const bool more = PQflush(db->conn) >= 0 && db_wait(db, false);

	db->spent_us += krn_clock_monotonic_us() - start;
	return more;
}

enum krn_err
krn_copy_out_next(struct krn_db *db, struct krn_copy_row *ret_row,
		  struct krn_error *err)
{
	int len;

	KRN_BUG_IF(!db->in_copy && db->conn);
	if (!db->conn)
		return db_lost(db, err);
	if (db->copy_row)
		PQfreemem(db->copy_row);
	db->copy_row = NULL;
	while ((len = PQgetCopyData(db->conn, &db->copy_row, 1)) == 0)
		if (!copy_out_wait(db))
			return db_lost(db, err);
	if (len == -1) {
		*ret_row = (struct krn_copy_row){NULL, 0};
		return copy_drain(db, NULL, err);
	}
	if (len < 0)
		return db_lost(db, err);
	size_t size = (size_t)len;

	if (!db->copy_is_binary && size && db->copy_row[size - 1] == '\n')
		db->copy_row[--size] = '\0';
	*ret_row = (struct krn_copy_row){db->copy_row, size};
	return KRN_OK;
}

static char
copy_unescape_char(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'v':
		return '\v';
	default:
		return c;
	}
}

/* One field [s, end), unescaped where it lies. */
static struct krn_str
copy_unescape(char *s, char *end)
{
	if (end - s == 2 && s[0] == '\\' && s[1] == 'N')
		return (struct krn_str){NULL, 0};
	char *from = memchr(s, '\\', (size_t)(end - s));

	if (!from)
		return krn_str_from(s, (size_t)(end - s));
	char *to = from;

	while (from < end) {
		if (*from == '\\' && from + 1 < end) {
			*to++ = copy_unescape_char(from[1]);
			from += 2;
		} else {
			*to++ = *from++;
		}
	}
	return krn_str_from(s, (size_t)(to - s));
}

size_t
krn_copy_split(struct krn_copy_row row, struct krn_str *ret_fields, size_t max)
{
	char *at = row.s, *const end = row.s + row.len;
	size_t nr = 0;

	while (nr < max) {
		char *tab = memchr(at, '\t', (size_t)(end - at));
		char *stop = tab ? tab : end;

		ret_fields[nr++] = copy_unescape(at, stop);
		if (!tab)
			break;
		at = tab + 1;
	}
	return nr;
}

/* Source: PostgreSQL, COPY, binary format. */

/* A big-endian number of so many bytes. */
static uint64_t
copy_number(const char *s, size_t bytes)
{
	uint64_t number = 0;

	for (size_t i = 0; i < bytes; i++)
		number = number << 8 | (unsigned char)s[i];
	return number;
}

size_t
krn_copy_split_binary(struct krn_copy_row row, struct krn_str *ret_fields,
		      size_t max)
{
	/* before the first row: signature, flags, no extension */
	static const char signature[11] = "PGCOPY\n\377\r\n";
	const size_t header = sizeof(signature) + 8;
	const char *at = row.s, *const end = row.s + row.len;

	if (row.len >= header &&
	    memcmp(row.s, signature, sizeof(signature)) == 0)
		at += header;
	if (end - at < 2)
		return 0;
	const size_t columns = copy_number(at, 2);
	size_t nr = 0;

	if (columns == UINT16_MAX) /* behind the last row */
		return 0;
	for (at += 2; nr < columns && nr < max && end - at >= 4; nr++) {
		const uint32_t len = (uint32_t)copy_number(at, 4);

		at += 4;
		ret_fields[nr] = (struct krn_str){NULL, 0};
		if (len == UINT32_MAX)
			continue;
		if (len > (size_t)(end - at))
			break;
		ret_fields[nr] = krn_str_from(at, len);
		at += len;
	}
	return nr;
}

int64_t
krn_copy_int(struct krn_str field)
{
	KRN_BUG_IF(field.len != 8);
	return (int64_t)copy_number(field.s, 8);
}

struct krn_str
krn_copy_jsonb(struct krn_str field)
{
	return field.s && field.len ? krn_str_from(field.s + 1, field.len - 1)
				    : field;
}

void
krn_copy_out_abort(struct krn_db *db)
{
	struct krn_copy_row row;

	while (db->conn && db->in_copy)
		if (krn_copy_out_next(db, &row, NULL))
			return;
}
