/*
 * Text: comparison, UTF-8, numbers in and out.
 */

#define KRN_ALLOW_STRTOL
#include "base/base.h"

#include "base/text.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>

struct krn_str
krn_str_dup(struct krn_arena *arena, struct krn_str str)
{
	size_t size;

	if (!krn_add_size(str.len, 1, &size))
		return (struct krn_str){NULL, 0};
	char *copy = krn_arena_alloc(arena, size);

	if (!copy)
		return (struct krn_str){NULL, 0};
	if (str.len)
		memcpy(copy, str.s, str.len);
	copy[str.len] = '\0';
	return krn_str_from(copy, str.len);
}

char *
krn_str_cstr(struct krn_arena *arena, struct krn_str str)
{
	char *copy = krn_arena_alloc(arena, str.len + 1);

	if (!copy)
		return NULL;
	if (str.len)
		memcpy(copy, str.s, str.len);
	copy[str.len] = '\0';
	return copy;
}

struct krn_str
krn_str_printf(struct krn_arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text = NULL;

	va_start(args, format);
	va_copy(again, args);
	const int len = vsnprintf(NULL, 0, format, args);

	va_end(args);
	if (len >= 0)
		text = krn_arena_alloc(arena, (size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text ? krn_str_from(text, (size_t)len)
		    : (struct krn_str){NULL, 0};
}

bool
krn_str_eq(struct krn_str a, struct krn_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

bool
krn_str_eq_c(struct krn_str a, const char *b)
{
	return krn_str_eq(a, krn_str_c(b));
}

static char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
krn_str_eq_nocase(struct krn_str a, struct krn_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (text_lower(a.s[i]) != text_lower(b.s[i]))
			return false;
	return true;
}

int
krn_str_cmp(struct krn_str a, struct krn_str b)
{
	const size_t len = a.len < b.len ? a.len : b.len;
	const int order = len ? memcmp(a.s, b.s, len) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool
krn_str_has_prefix(struct krn_str str, struct krn_str prefix)
{
	return str.len >= prefix.len &&
	       krn_str_eq(krn_str_from(str.s, prefix.len), prefix);
}

bool
krn_str_has_suffix(struct krn_str str, struct krn_str suffix)
{
	return str.len >= suffix.len &&
	       krn_str_eq(krn_str_from(str.s + str.len - suffix.len,
				       suffix.len),
			  suffix);
}

ptrdiff_t
krn_str_find_char(struct krn_str str, char c)
{
	const char *at = str.len ? memchr(str.s, c, str.len) : NULL;

	return at ? at - str.s : -1;
}

static bool
text_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct krn_str
krn_str_trim(struct krn_str str)
{
	while (str.len && text_is_space(str.s[0])) {
		str.s++;
		str.len--;
	}
	while (str.len && text_is_space(str.s[str.len - 1]))
		str.len--;
	return str;
}

bool
krn_str_split(struct krn_str *rest, char separator, struct krn_str *ret_part)
{
	if (!rest->s)
		return false;
	const ptrdiff_t at = krn_str_find_char(*rest, separator);

	if (at < 0) {
		*ret_part = *rest;
		*rest = (struct krn_str){NULL, 0};
	} else {
		*ret_part = krn_str_from(rest->s, (size_t)at);
		rest->s += at + 1;
		rest->len -= (size_t)at + 1;
	}
	return true;
}

/* Length of the well-formed sequence at s, or 0. Source: RFC 3629 section 4. */
static size_t
utf8_sequence(const unsigned char *s, size_t len)
{
	const unsigned char c = s[0];

	if (c < 0x80)
		return 1;
	if (c < 0xC2 || c > 0xF4)
		return 0;
	const size_t need = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

	if (len < need)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	if ((c == 0xE0 && s[1] < 0xA0) || (c == 0xED && s[1] > 0x9F) ||
	    (c == 0xF0 && s[1] < 0x90) || (c == 0xF4 && s[1] > 0x8F))
		return 0;
	return need;
}

bool
krn_str_is_utf8(struct krn_str str)
{
	const unsigned char *s = (const unsigned char *)str.s;

	for (size_t i = 0; i < str.len;) {
		const size_t step = utf8_sequence(s + i, str.len - i);

		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

bool
krn_str_next(struct krn_str *rest, uint32_t *ret_point)
{
	const unsigned char *s = (const unsigned char *)rest->s;
	size_t len = 1;

	if (rest->len == 0)
		return false;
	uint32_t point = s[0];

	if (point >= 0xC0) {
		len = point >= 0xF0 ? 4 : point >= 0xE0 ? 3 : 2;
		point &= 0x7Fu >> len;
		for (size_t i = 1; i < len && i < rest->len; i++)
			point = point << 6 | (s[i] & 0x3Fu);
	}
	len = len < rest->len ? len : rest->len;
	*rest = krn_str_from(rest->s + len, rest->len - len);
	*ret_point = point;
	return true;
}

struct krn_str
krn_str_whole(struct krn_str str)
{
	size_t lead = str.len;

	/* back over the bytes that follow a first one; three at most */
	while (lead && str.len - lead < 3 &&
	       ((unsigned char)str.s[lead - 1] & 0xC0) == 0x80)
		lead--;
	if (lead == 0)
		return str;
	const unsigned char c = (unsigned char)str.s[--lead];
	const size_t need = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

	if (str.len - lead < need)
		str.len = lead;
	return str;
}

size_t
krn_str_code_points(struct krn_str str)
{
	size_t nr = 0;

	for (size_t i = 0; i < str.len; i++)
		if (((unsigned char)str.s[i] & 0xC0) != 0x80)
			nr++;
	return nr;
}

#define DISTANCE_MAX 64

size_t
krn_str_distance(struct krn_str a, struct krn_str b)
{
	size_t row[DISTANCE_MAX + 1];
	const size_t a_len = a.len < DISTANCE_MAX ? a.len : DISTANCE_MAX;
	const size_t b_len = b.len < DISTANCE_MAX ? b.len : DISTANCE_MAX;

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			const bool same =
			    text_lower(a.s[i - 1]) == text_lower(b.s[j - 1]);
			size_t best = diagonal + (same ? 0 : 1);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

/* Room for any 64-bit number or finite double that a person would write. */
#define NUMBER_TEXT_MAX 512

/* The text with a NUL behind it; false when it is too long or has a NUL. */
static bool
number_text(struct krn_str str, char ret_text[NUMBER_TEXT_MAX])
{
	if (str.len == 0 || str.len >= NUMBER_TEXT_MAX ||
	    memchr(str.s, '\0', str.len))
		return false;
	memcpy(ret_text, str.s, str.len);
	ret_text[str.len] = '\0';
	return true;
}

static bool
text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

enum krn_err
krn_parse_int64(struct krn_str str, int64_t min, int64_t max, int64_t *ret,
		struct krn_error *err)
{
	char text[NUMBER_TEXT_MAX];
	char *end;

	if (number_text(str, text) &&
	    (text_is_digit(text[0]) ||
	     (text[0] == '-' && text_is_digit(text[1])))) {
		errno = 0;
		const long long value = strtoll(text, &end, 10);

		if (errno == 0 && *end == '\0' && value >= min &&
		    value <= max) {
			*ret = value;
			return KRN_OK;
		}
	}
	return krn_refuse(err, KRN_ERR_INVALID,
			  "must be a whole number from %lld to %lld",
			  (long long)min, (long long)max);
}

static size_t
number_skip_digits(struct krn_str str, size_t at)
{
	while (at < str.len && text_is_digit(str.s[at]))
		at++;
	return at;
}

bool
krn_str_is_decimal(struct krn_str str)
{
	size_t at = str.len && (str.s[0] == '-' || str.s[0] == '+') ? 1 : 0;
	const size_t whole = number_skip_digits(str, at);
	size_t digits = whole - at;

	at = whole;
	if (at < str.len && str.s[at] == '.') {
		const size_t end = number_skip_digits(str, at + 1);

		digits += end - at - 1;
		at = end;
	}
	if (digits && at < str.len && (str.s[at] == 'e' || str.s[at] == 'E')) {
		at++;
		if (at < str.len && (str.s[at] == '-' || str.s[at] == '+'))
			at++;
		const size_t end = number_skip_digits(str, at);

		if (end == at)
			return false;
		at = end;
	}
	return digits && at == str.len;
}

enum krn_err
krn_parse_double(struct krn_str str, double *ret, struct krn_error *err)
{
	char text[NUMBER_TEXT_MAX];

	if (krn_str_is_decimal(str) && number_text(str, text)) {
		/* the programs never call setlocale: the point is a point */
		const double value = strtod(text, NULL);

		if (isfinite(value)) {
			*ret = value;
			return KRN_OK;
		}
	}
	return krn_refuse(err, KRN_ERR_INVALID, "must be a finite number");
}

size_t
krn_format_double(double value, char *ret_text)
{
	int len = 0;

	KRN_BUG_IF(!isfinite(value));
	if (value == 0.0)
		value = 0.0; /* no "-0" */
	/*
	 * A decimal of up to 15 digits that was meant reads back from %.15g,
	 * which drops trailing zeros; 17 digits always do. Only subnormal
	 * numbers have fewer digits than that. Source: IEEE 754
	 */
	for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17;
	     digits++) {
		len = snprintf(ret_text, KRN_DOUBLE_TEXT_BYTES, "%.*g", digits,
			       value);
		if (strtod(ret_text, NULL) == value)
			break;
	}
	return (size_t)len;
}

void
krn_format_v(char *ret_text, size_t size, const char *format, va_list args)
{
	if (vsnprintf(ret_text, size, format, args) < 0)
		ret_text[0] = '\0';
	/* an argument may have been cut by whoever made it: look always */
	ret_text[krn_str_whole(krn_str_c(ret_text)).len] = '\0';
}

void
krn_format_hex(const unsigned char *bytes, size_t len, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		ret_text[2 * i] = digits[bytes[i] >> 4];
		ret_text[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_text[2 * len] = '\0';
}
