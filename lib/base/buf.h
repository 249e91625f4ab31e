#ifndef KRN_BUF_H
#define KRN_BUF_H

/*
 * A growable buffer of bytes in an arena.
 *
 * Appending never returns an error: when memory is short the buffer is marked
 * failed, ignores what follows, and krn_buf_end tells. So a long text is
 * written without a check a line and cannot be used by mistake when it is
 * incomplete.
 */

#include "base/text.h"

struct krn_buf {
	struct krn_arena *arena;
	char *data; /* not NUL-terminated */
	size_t len;
	size_t size; /* allocated */
	bool failed;
};

/* Life cycle */

void krn_buf_init(struct krn_buf *buf, struct krn_arena *arena);

/* Forget the contents and keep the memory. A failed buffer stays failed. */
void krn_buf_clear(struct krn_buf *buf);

/* Change */

void krn_buf_add_str(struct krn_buf *buf, struct krn_str str);
void krn_buf_add_c(struct krn_buf *buf, const char *s);
void krn_buf_add_int(struct krn_buf *buf, int64_t value);
void krn_buf_add_double(struct krn_buf *buf, double value); /* shortest */
void krn_buf_printf(struct krn_buf *buf, const char *format, ...)
    KRN_PRINTF(2, 3);

/*
 * Percent-encode: all bytes but RFC 3986's unreserved ones and those of
 * `keep`, with upper-case digits.
 */
void krn_buf_add_percent(struct krn_buf *buf, struct krn_str str,
			 const char *keep);

/* Make room for `len` more bytes; false (and failed) when there is none. */
bool krn_buf_reserve(struct krn_buf *buf, size_t len);

static inline void
krn_buf_add(struct krn_buf *buf, const char *bytes, size_t len)
{
	if (len == 0 ||
	    (buf->size - buf->len < len && !krn_buf_reserve(buf, len)))
		return;
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

static inline void
krn_buf_add_char(struct krn_buf *buf, char c)
{
	if (buf->len == buf->size && !krn_buf_reserve(buf, 1))
		return;
	buf->data[buf->len++] = c;
}

/* Read */

/*
 * The contents; valid until the buffer changes.
 * Errors: as krn_arena_fail, when an append failed.
 */
KRN_MUSTCHECK enum krn_err krn_buf_end(const struct krn_buf *buf,
				       struct krn_str *ret,
				       struct krn_error *err);

#endif
