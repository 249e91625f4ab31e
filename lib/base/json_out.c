/*
 * JSON writer with scopes.
 */

#include "base/base.h"

#include "base/json_out.h"

#include <math.h>

#include "base/clock.h"

/* scope[] holds these; JSON_MORE says that something was written already */
#define JSON_OBJECT 1
#define JSON_ARRAY 2
#define JSON_MORE 4

void
krn_json_init(struct krn_json_out *out, struct krn_buf *buf)
{
	*out = (struct krn_json_out){.buf = buf};
}

void
krn_json_end(const struct krn_json_out *out)
{
	KRN_BUG_IF(out->depth != 0);
}

static void
json_escape_char(struct krn_buf *buf, unsigned char c)
{
	switch (c) {
	case '"':
		krn_buf_add(buf, "\\\"", 2);
		break;
	case '\\':
		krn_buf_add(buf, "\\\\", 2);
		break;
	case '\b':
		krn_buf_add(buf, "\\b", 2);
		break;
	case '\f':
		krn_buf_add(buf, "\\f", 2);
		break;
	case '\n':
		krn_buf_add(buf, "\\n", 2);
		break;
	case '\r':
		krn_buf_add(buf, "\\r", 2);
		break;
	case '\t':
		krn_buf_add(buf, "\\t", 2);
		break;
	default:
		krn_buf_printf(buf, "\\u%04x", c);
		break;
	}
}

static bool
json_must_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/*
 * json_must_escape of eight bytes at once, and none beyond ASCII. A byte that
 * is too small borrows, which sets its highest bit; bytes before it do not.
 * Source: Bit Twiddling Hacks, "Determine if a word has a byte less than n"
 */
static bool
json_word_is_plain(uint64_t word)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	const uint64_t highest = each * 0x80;

	return (((word - each * 0x20) | ((word ^ each * '"') - each) |
		 ((word ^ each * '\\') - each) | word) &
		highest) == 0;
}

/* Bytes before the first that is not printable ASCII, or is escaped. */
static size_t
json_plain(struct krn_str text)
{
	uint64_t word;
	size_t i = 0;

	while (i + sizeof(word) <= text.len) {
		memcpy(&word, text.s + i, sizeof(word));
		if (!json_word_is_plain(word))
			break;
		i += sizeof(word);
	}
	while (i < text.len && (unsigned char)text.s[i] < 0x80 &&
	       !json_must_escape((unsigned char)text.s[i]))
		i++;
	return i;
}

void
krn_json_escape(struct krn_buf *buf, struct krn_str text)
{
	const size_t plain = json_plain(text);
	size_t start = 0;

	if (plain == text.len) {
		krn_buf_add_str(buf, text);
		return;
	}
	const bool well_formed = krn_str_is_utf8(text);

	for (size_t i = plain; i < text.len; i++) {
		const unsigned char c = (unsigned char)text.s[i];

		/* ill-formed text keeps its ASCII, the rest is replaced */
		if (!json_must_escape(c) && (well_formed || c < 0x80))
			continue;
		krn_buf_add(buf, text.s + start, i - start);
		start = i + 1;
		if (json_must_escape(c))
			json_escape_char(buf, c);
		else
			krn_buf_add(buf, "\xEF\xBF\xBD", 3);
	}
	krn_buf_add(buf, text.s + start, text.len - start);
}

static void
json_quote(struct krn_buf *buf, struct krn_str text)
{
	krn_buf_add_char(buf, '"');
	krn_json_escape(buf, text);
	krn_buf_add_char(buf, '"');
}

/* What stands before a value: comma and name. */
static void
json_before(struct krn_json_out *out, struct krn_str name)
{
	if (out->depth == 0) {
		KRN_BUG_IF(name.s);
		return;
	}
	unsigned char *scope = &out->scope[out->depth - 1];

	KRN_BUG_IF((*scope & JSON_OBJECT) ? !name.s : name.s != NULL);
	if (*scope & JSON_MORE)
		krn_buf_add_char(out->buf, ',');
	*scope |= JSON_MORE;
	if (name.s) {
		json_quote(out->buf, name);
		krn_buf_add_char(out->buf, ':');
	}
}

static void
json_before_c(struct krn_json_out *out, const char *name)
{
	json_before(out, krn_str_from(name, name ? strlen(name) : 0));
}

static void
json_open(struct krn_json_out *out, struct krn_str name, unsigned char scope)
{
	json_before(out, name);
	KRN_BUG_IF(out->depth == KRN_JSON_OUT_DEPTH);
	out->scope[out->depth++] = scope;
	krn_buf_add_char(out->buf, scope == JSON_OBJECT ? '{' : '[');
}

void
krn_json_obj_open(struct krn_json_out *out, const char *name)
{
	json_open(out, krn_str_from(name, name ? strlen(name) : 0),
		  JSON_OBJECT);
}

void
krn_json_arr_open(struct krn_json_out *out, const char *name)
{
	json_open(out, krn_str_from(name, name ? strlen(name) : 0), JSON_ARRAY);
}

void
krn_json_close(struct krn_json_out *out)
{
	KRN_BUG_IF(out->depth == 0);
	out->depth--;
	krn_buf_add_char(out->buf,
			 out->scope[out->depth] & JSON_OBJECT ? '}' : ']');
}

void
krn_json_null(struct krn_json_out *out, const char *name)
{
	json_before_c(out, name);
	krn_buf_add_c(out->buf, "null");
}

void
krn_json_bool(struct krn_json_out *out, const char *name, bool value)
{
	json_before_c(out, name);
	krn_buf_add_c(out->buf, value ? "true" : "false");
}

void
krn_json_int(struct krn_json_out *out, const char *name, int64_t value)
{
	json_before_c(out, name);
	krn_buf_add_int(out->buf, value);
}

void
krn_json_double(struct krn_json_out *out, const char *name, double value)
{
	if (!isfinite(value)) {
		krn_json_null(out, name);
		return;
	}
	json_before_c(out, name);
	krn_buf_add_double(out->buf, value);
}

void
krn_json_str(struct krn_json_out *out, const char *name, struct krn_str value)
{
	if (!value.s) {
		krn_json_null(out, name);
		return;
	}
	json_before_c(out, name);
	json_quote(out->buf, value);
}

void
krn_json_c(struct krn_json_out *out, const char *name, const char *value)
{
	krn_json_str(out, name, krn_str_from(value, value ? strlen(value) : 0));
}

void
krn_json_time(struct krn_json_out *out, const char *name, int64_t us)
{
	char text[KRN_TIME_TEXT_BYTES];

	krn_time_format(us, text);
	krn_json_c(out, name, text);
}

void
krn_json_raw(struct krn_json_out *out, const char *name, struct krn_str json)
{
	if (!json.s) {
		krn_json_null(out, name);
		return;
	}
	json_before_c(out, name);
	krn_buf_add_str(out->buf, json);
}

static void
json_leaf(struct krn_buf *buf, const struct krn_value *value)
{
	switch (value->type) {
	case KRN_VALUE_BOOL:
		krn_buf_add_c(buf, value->boolean ? "true" : "false");
		break;
	case KRN_VALUE_INT:
		krn_buf_add_int(buf, value->integer);
		break;
	case KRN_VALUE_DOUBLE:
		krn_buf_add_double(buf, value->number);
		break;
	case KRN_VALUE_STRING:
		json_quote(buf, value->string);
		break;
	case KRN_VALUE_NULL:
	case KRN_VALUE_ARRAY:
	case KRN_VALUE_OBJECT:
		krn_buf_add_c(buf, "null");
		break;
	}
}

static void
json_value(struct krn_json_out *out, struct krn_str name,
	   const struct krn_value *value)
{
	if (value->type == KRN_VALUE_ARRAY) {
		json_open(out, name, JSON_ARRAY);
		for (size_t i = 0; i < value->array.nr; i++)
			json_value(out, (struct krn_str){NULL, 0},
				   &value->array.items[i]);
		krn_json_close(out);
	} else if (value->type == KRN_VALUE_OBJECT) {
		json_open(out, name, JSON_OBJECT);
		for (size_t i = 0; i < value->object.nr; i++)
			json_value(out, value->object.members[i].name,
				   &value->object.members[i].value);
		krn_json_close(out);
	} else {
		json_before(out, name);
		json_leaf(out->buf, value);
	}
}

void
krn_json_value(struct krn_json_out *out, const char *name,
	       const struct krn_value *value)
{
	json_value(out, krn_str_from(name, name ? strlen(name) : 0), value);
}
