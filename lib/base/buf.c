/*
 * A growable buffer in an arena.
 */

#include "base/base.h"

#include "base/buf.h"

#include <stdarg.h>

#define BUF_FIRST_BYTES 256

void
krn_buf_init(struct krn_buf *buf, struct krn_arena *arena)
{
	*buf = (struct krn_buf){.arena = arena};
}

void
krn_buf_clear(struct krn_buf *buf)
{
	buf->len = 0;
}

bool
krn_buf_reserve(struct krn_buf *buf, size_t len)
{
	size_t need, size = buf->size ? buf->size : BUF_FIRST_BYTES;

	if (buf->failed || !krn_add_size(buf->len, len, &need)) {
		buf->failed = true;
		return false;
	}
	if (need <= buf->size)
		return true;
	while (size < need)
		if (!krn_mul_size(size, 2, &size))
			size = need;
	char *data = krn_arena_grow(buf->arena, buf->data, buf->size, size);

	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->size = size;
	return true;
}

void
krn_buf_add_str(struct krn_buf *buf, struct krn_str str)
{
	krn_buf_add(buf, str.s, str.len);
}

void
krn_buf_add_c(struct krn_buf *buf, const char *s)
{
	krn_buf_add(buf, s, strlen(s));
}

void
krn_buf_add_int(struct krn_buf *buf, int64_t value)
{
	char text[24];
	char *at = text + sizeof(text);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--at = '-';
	krn_buf_add(buf, at, (size_t)(text + sizeof(text) - at));
}

void
krn_buf_add_double(struct krn_buf *buf, double value)
{
	char text[KRN_DOUBLE_TEXT_BYTES];

	krn_buf_add(buf, text, krn_format_double(value, text));
}

void
krn_buf_printf(struct krn_buf *buf, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	const int len = vsnprintf(NULL, 0, format, args);

	va_end(args);
	if (len < 0) {
		buf->failed = true;
	} else if (krn_buf_reserve(buf, (size_t)len + 1)) {
		vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

enum krn_err
krn_buf_end(const struct krn_buf *buf, struct krn_str *ret,
	    struct krn_error *err)
{
	if (buf->failed)
		return krn_arena_fail(buf->arena, err);
	*ret = krn_str_from(buf->data ? buf->data : "", buf->len);
	return KRN_OK;
}

void
krn_buf_add_percent(struct krn_buf *buf, struct krn_str str, const char *keep)
{
	for (size_t i = 0; i < str.len; i++) {
		const char c = str.s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || (c && strchr("-._~", c)) ||
		    (c && strchr(keep, c)))
			krn_buf_add_char(buf, c);
		else
			krn_buf_printf(buf, "%%%02X", (unsigned char)c);
	}
}
