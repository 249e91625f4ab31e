/*
 * Parameters in, rows out: the text format of PostgreSQL.
 */

#include "base/base.h"

#include "base/buf.h"
#include "base/clock.h"
#include "store/db_private.h"

/* Parameters */

static struct krn_param
param_buf(struct krn_buf *buf)
{
	struct krn_str text;

	if (krn_buf_end(buf, &text, NULL))
		return krn_param_null();
	return krn_param_str(text);
}

struct krn_param
krn_param_int(struct krn_arena *arena, int64_t value)
{
	return krn_param_str(krn_str_printf(arena, "%lld", (long long)value));
}

struct krn_param
krn_param_double(struct krn_arena *arena, double value)
{
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_buf_add_double(&buf, value);
	return param_buf(&buf);
}

struct krn_param
krn_param_time(struct krn_arena *arena, int64_t us)
{
	const struct krn_civil c = krn_civil_from_us(us);

	return krn_param_str(krn_str_printf(
	    arena, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00", c.year, c.month,
	    c.day, c.hour, c.minute, c.second, c.microsecond));
}

struct krn_param
krn_param_str_array(struct krn_arena *arena, const struct krn_str *items,
		    size_t nr)
{
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_buf_add_char(&buf, '{');
	for (size_t i = 0; i < nr; i++) {
		if (i)
			krn_buf_add_char(&buf, ',');
		krn_buf_add_char(&buf, '"');
		for (size_t k = 0; k < items[i].len; k++) {
			if (items[i].s[k] == '"' || items[i].s[k] == '\\')
				krn_buf_add_char(&buf, '\\');
			krn_buf_add_char(&buf, items[i].s[k]);
		}
		krn_buf_add_char(&buf, '"');
	}
	krn_buf_add_char(&buf, '}');
	return param_buf(&buf);
}

struct krn_param
krn_param_bytes(struct krn_arena *arena, const unsigned char *bytes, size_t len)
{
	char *text = krn_arena_alloc(arena, 2 * len + 3);

	if (!text)
		return krn_param_null();
	text[0] = '\\';
	text[1] = 'x';
	krn_format_hex(bytes, len, text + 2);
	return (struct krn_param){text, 2 * len + 2};
}

/* Rows */

size_t
krn_rows_nr(const struct krn_rows *rows)
{
	return (size_t)PQntuples(rows->result);
}

static void
rows_check(const struct krn_rows *rows, size_t row, size_t column)
{
	KRN_BUG_IF(row >= (size_t)PQntuples(rows->result) ||
		   column >= (size_t)PQnfields(rows->result));
}

bool
krn_rows_is_null(const struct krn_rows *rows, size_t row, size_t column)
{
	rows_check(rows, row, column);
	return PQgetisnull(rows->result, (int)row, (int)column) == 1;
}

struct krn_str
krn_rows_str(const struct krn_rows *rows, size_t row, size_t column)
{
	if (krn_rows_is_null(rows, row, column))
		return (struct krn_str){NULL, 0};
	return krn_str_from(
	    PQgetvalue(rows->result, (int)row, (int)column),
	    (size_t)PQgetlength(rows->result, (int)row, (int)column));
}

int64_t
krn_rows_int(const struct krn_rows *rows, size_t row, size_t column)
{
	const struct krn_str text = krn_rows_str(rows, row, column);
	int64_t value = 0;

	if (text.s)
		KRN_BUG_IF(krn_parse_int64(text, INT64_MIN, INT64_MAX, &value,
					   NULL) != KRN_OK);
	return value;
}

double
krn_rows_double(const struct krn_rows *rows, size_t row, size_t column)
{
	const struct krn_str text = krn_rows_str(rows, row, column);
	double value = 0;

	/* NaN and infinity are not numbers to us: 0 */
	if (text.s && krn_parse_double(text, &value, NULL))
		return 0;
	return value;
}

bool
krn_rows_bool(const struct krn_rows *rows, size_t row, size_t column)
{
	const struct krn_str text = krn_rows_str(rows, row, column);

	return text.s && text.s[0] == 't';
}

int64_t
krn_rows_time(const struct krn_rows *rows, size_t row, size_t column)
{
	const struct krn_str text = krn_rows_str(rows, row, column);
	int64_t us = INT64_MIN;

	if (text.s && krn_time_parse(text, &us, NULL))
		return INT64_MIN;
	return us;
}

int64_t
krn_rows_affected(const struct krn_rows *rows)
{
	int64_t nr = 0;

	if (krn_parse_int64(krn_str_c(PQcmdTuples(rows->result)), 0, INT64_MAX,
			    &nr, NULL))
		return 0;
	return nr;
}
