/*
 * The canonical form of RFC 8785: of a value, and of the text of a jsonb.
 */

#include "base/base.h"

#include "base/json_out.h"

#include <math.h>

#include "base/json_in.h"

/*
 * A byte of UTF-8 as it sorts among UTF-16 code units: characters beyond the
 * basic plane (first byte F0 and more) are surrogates there, which come
 * before U+E000..U+FFFF (first bytes EE and EF).
 */
static int
json_utf16_weight(unsigned char c)
{
	return c >= 0xF0 ? c - 0x02 - 0xF0 + 0xEE : c >= 0xEE ? c + 8 : c;
}

static int
json_text_order(struct krn_str x, struct krn_str y)
{
	const size_t len = x.len < y.len ? x.len : y.len;

	for (size_t i = 0; i < len; i++)
		if (x.s[i] != y.s[i])
			return json_utf16_weight((unsigned char)x.s[i]) -
			       json_utf16_weight((unsigned char)y.s[i]);
	return (x.len > y.len) - (x.len < y.len);
}

static int
json_name_order(const void *a, const void *b)
{
	return json_text_order((*(const struct krn_member *const *)a)->name,
			       (*(const struct krn_member *const *)b)->name);
}

/* A number as ECMAScript writes it. Source: RFC 8785 section 3.2.2.3. */
static void
json_canonical_number(struct krn_buf *buf, double value)
{
	char text[KRN_DOUBLE_TEXT_BYTES];
	char digits[KRN_DOUBLE_TEXT_BYTES];
	int nr = 0, exponent = 0;

	if (value == 0.0) {
		krn_buf_add_char(buf, '0');
		return;
	}
	/* take the shortest digits apart: d.ddd × 10^exponent */
	krn_format_double(fabs(value), text);
	for (int precision = 0; precision <= 16; precision++) {
		double back;

		snprintf(text, sizeof(text), "%.*e", precision, fabs(value));
		if (!krn_parse_double(krn_str_c(text), &back, NULL) &&
		    back == fabs(value))
			break;
	}
	for (const char *at = text; *at && *at != 'e'; at++)
		if (*at != '.')
			digits[nr++] = *at;
	int64_t parsed = 0;
	const char *e = strchr(text, 'e') + 1;

	if (krn_parse_int64(krn_str_c(*e == '+' ? e + 1 : e), -400, 400,
			    &parsed, NULL) == KRN_OK)
		exponent = (int)parsed;
	if (value < 0)
		krn_buf_add_char(buf, '-');
	const int point = exponent + 1; /* digits before the point */

	if (point > 21 || point < -5) {
		krn_buf_add_char(buf, digits[0]);
		if (nr > 1) {
			krn_buf_add_char(buf, '.');
			krn_buf_add(buf, digits + 1, (size_t)(nr - 1));
		}
		krn_buf_printf(buf, "e%+d", exponent);
	} else if (point <= 0) {
		krn_buf_add(buf, "0.", 2);
		for (int i = point; i < 0; i++)
			krn_buf_add_char(buf, '0');
		krn_buf_add(buf, digits, (size_t)nr);
	} else {
		for (int i = 0; i < nr || i < point; i++) {
			if (i == point)
				krn_buf_add_char(buf, '.');
			krn_buf_add_char(buf, i < nr ? digits[i] : '0');
		}
	}
}

static void
json_canonical_object(struct krn_buf *buf, const struct krn_value *value)
{
	const size_t nr = value->object.nr;
	const struct krn_member **sorted =
	    krn_arena_calloc(buf->arena, nr, sizeof(*sorted));

	if (!sorted) {
		buf->failed = true;
		return;
	}
	for (size_t i = 0; i < nr; i++)
		sorted[i] = &value->object.members[i];
	if (nr)
		qsort(sorted, nr, sizeof(*sorted), json_name_order);
	krn_buf_add_char(buf, '{');
	for (size_t i = 0; i < nr; i++) {
		if (i)
			krn_buf_add_char(buf, ',');
		krn_buf_add_char(buf, '"');
		krn_json_escape(buf, sorted[i]->name);
		krn_buf_add(buf, "\":", 2);
		krn_json_canonical(buf, &sorted[i]->value);
	}
	krn_buf_add_char(buf, '}');
}

void
krn_json_canonical(struct krn_buf *buf, const struct krn_value *value)
{
	if (value->type == KRN_VALUE_OBJECT) {
		json_canonical_object(buf, value);
	} else if (value->type == KRN_VALUE_ARRAY) {
		krn_buf_add_char(buf, '[');
		for (size_t i = 0; i < value->array.nr; i++) {
			if (i)
				krn_buf_add_char(buf, ',');
			krn_json_canonical(buf, &value->array.items[i]);
		}
		krn_buf_add_char(buf, ']');
	} else if (value->type == KRN_VALUE_DOUBLE) {
		json_canonical_number(buf, value->number);
	} else {
		struct krn_json_out out;

		krn_json_init(&out, buf);
		krn_json_value(&out, NULL, value);
	}
}

/*
 * The text of a jsonb is canonical already but for white space, the order of
 * members and the spelling of some numbers: its strings are escaped as RFC
 * 8785 has them (PostgreSQL's escape_json). So the common case is to move
 * pieces of it; json_stored_* give false where that will not do.
 */

/* 2^53 has 16 digits: fewer are the same as integer and as double. */
#define JSON_STORED_DIGITS 15

struct json_stored_member {
	struct krn_str name; /* with its quotes */
	struct krn_str value;
};

static bool json_stored_value(struct krn_buf *buf, const char **at,
			      const char *end);

/* Behind the string that begins at `at`; NULL: it does not end. */
static const char *
json_stored_string_end(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		if (*at == '\\')
			at++;
	}
	return NULL;
}

/* Behind the value that begins at `at`; NULL: it does not end. */
static const char *
json_stored_end(const char *at, const char *end)
{
	int depth = 0;

	while (at && at < end) {
		if (*at == '"') {
			at = json_stored_string_end(at, end);
			if (depth == 0)
				return at;
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		if (*at == '}' || *at == ']') {
			if (depth == 0)
				return at;
			if (--depth == 0)
				return at + 1;
		}
		if (depth == 0 && (*at == ',' || *at == ':'))
			return at;
		at++;
	}
	return at;
}

static int
json_stored_order(const void *a, const void *b)
{
	const struct krn_str x = ((const struct json_stored_member *)a)->name;
	const struct krn_str y = ((const struct json_stored_member *)b)->name;

	return json_text_order(krn_str_from(x.s + 1, x.len - 2),
			       krn_str_from(y.s + 1, y.len - 2));
}

/* The members of an object, in the text's order. */
static bool
json_stored_members(struct krn_buf *buf, const char **at, const char *end,
		    struct json_stored_member **ret, size_t *ret_nr)
{
	struct json_stored_member *list = NULL;
	size_t nr = 0, size = 0;
	const char *p = *at + 1;

	while (p < end && *p != '}') {
		const char *name_end, *value_end;

		if (nr == size) {
			struct json_stored_member *more;

			size = size ? 2 * size : 16;
			more =
			    krn_arena_calloc(buf->arena, size, sizeof(*more));
			if (!more)
				return false;
			if (nr)
				memcpy(more, list, nr * sizeof(*more));
			list = more;
		}
		if (*p != '"' || !(name_end = json_stored_string_end(p, end)) ||
		    end - name_end < 3 || name_end[0] != ':' ||
		    name_end[1] != ' ' ||
		    memchr(p, '\\', (size_t)(name_end - p)))
			return false;
		value_end = json_stored_end(name_end + 2, end);
		if (!value_end || value_end >= end)
			return false;
		list[nr++] = (struct json_stored_member){
		    krn_str_from(p, (size_t)(name_end - p)),
		    krn_str_from(name_end + 2,
				 (size_t)(value_end - name_end - 2))};
		p = value_end;
		if (end - p > 1 && p[0] == ',' && p[1] == ' ')
			p += 2;
		else if (*p != '}')
			return false;
	}
	if (p >= end)
		return false;
	*at = p + 1;
	*ret = list;
	*ret_nr = nr;
	return true;
}

static bool
json_stored_object(struct krn_buf *buf, const char **at, const char *end)
{
	struct json_stored_member *list;
	size_t nr;

	if (!json_stored_members(buf, at, end, &list, &nr))
		return false;
	if (nr > 1)
		qsort(list, nr, sizeof(*list), json_stored_order);
	krn_buf_add_char(buf, '{');
	for (size_t i = 0; i < nr; i++) {
		const char *value = list[i].value.s;

		if (i)
			krn_buf_add_char(buf, ',');
		krn_buf_add_str(buf, list[i].name);
		krn_buf_add_char(buf, ':');
		if (!json_stored_value(buf, &value, value + list[i].value.len))
			return false;
	}
	krn_buf_add_char(buf, '}');
	return true;
}

static bool
json_stored_array(struct krn_buf *buf, const char **at, const char *end)
{
	const char *p = *at + 1;

	krn_buf_add_char(buf, '[');
	while (p < end && *p != ']') {
		if (!json_stored_value(buf, &p, end) || p >= end)
			return false;
		if (*p == ']')
			break;
		if (end - p < 2 || p[0] != ',' || p[1] != ' ')
			return false;
		krn_buf_add_char(buf, ',');
		p += 2;
	}
	if (p >= end)
		return false;
	krn_buf_add_char(buf, ']');
	*at = p + 1;
	return true;
}

/* A word or a short integer. */
static bool
json_stored_leaf(struct krn_buf *buf, const char **at, const char *end)
{
	const char *p = *at;
	const bool is_number = *p == '-' || (*p >= '0' && *p <= '9');

	while (p < end && *p != ',' && *p != '}' && *p != ']') {
		if (is_number && *p != '-' && (*p < '0' || *p > '9'))
			return false;
		p++;
	}
	if (is_number && (p - *at > JSON_STORED_DIGITS))
		return false;
	krn_buf_add(buf, *at, (size_t)(p - *at));
	*at = p;
	return true;
}

static bool
json_stored_value(struct krn_buf *buf, const char **at, const char *end)
{
	const char *begin = *at;

	if (begin >= end)
		return false;
	if (*begin == '{')
		return json_stored_object(buf, at, end);
	if (*begin == '[')
		return json_stored_array(buf, at, end);
	if (*begin != '"')
		return json_stored_leaf(buf, at, end);
	*at = json_stored_string_end(begin, end);
	if (!*at)
		return false;
	krn_buf_add(buf, begin, (size_t)(*at - begin));
	return true;
}

enum krn_err
krn_json_canonical_stored(struct krn_buf *buf, struct krn_str text,
			  struct krn_error *err)
{
	const size_t len = buf->len;
	const char *at = text.s;
	struct krn_value value;
	enum krn_err e;

	if (json_stored_value(buf, &at, text.s + text.len) &&
	    at == text.s + text.len)
		return KRN_OK;
	buf->len = len;
	if ((e = krn_json_parse_stored(buf->arena, text, &value, err)))
		return e;
	krn_json_canonical(buf, &value);
	return KRN_OK;
}
