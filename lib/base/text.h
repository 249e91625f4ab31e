#ifndef KRN_TEXT_H
#define KRN_TEXT_H

/*
 * Text with its length: pointer and length travel together.
 *
 * A struct krn_str does not own its bytes. They need not end in NUL, unless a
 * function says so; what krn_str_dup and krn_str_printf make always does.
 * Order of texts is byte order everywhere (contract 7).
 */

#include <stdarg.h>

#include "base/arena.h"

struct krn_str {
	const char *s;
	size_t len;
};

/* A text from a literal. */
#define KRN_STR(literal) ((struct krn_str){"" literal, sizeof(literal) - 1})

/* For printf: "%.*s" takes KRN_STR_ARG(str). */
#define KRN_STR_ARG(str) (int)(str).len, (str).s

/* Make */

static inline struct krn_str
krn_str_from(const char *s, size_t len)
{
	return (struct krn_str){s, len};
}

/* The text of a C string; NULL is the empty text. */
static inline struct krn_str
krn_str_c(const char *s)
{
	return (struct krn_str){s ? s : "", s ? strlen(s) : 0};
}

/* A copy that ends in NUL; .s is NULL when the arena is exhausted. */
KRN_MUSTCHECK struct krn_str krn_str_dup(struct krn_arena *arena,
					 struct krn_str str);

/* As krn_str_dup, for whoever needs a char pointer. NULL: exhausted. */
KRN_MUSTCHECK char *krn_str_cstr(struct krn_arena *arena, struct krn_str str);

/* printf into the arena; .s is NULL when it is exhausted. */
KRN_MUSTCHECK struct krn_str krn_str_printf(struct krn_arena *arena,
					    const char *format, ...)
    KRN_PRINTF(2, 3);

/* Read */

bool krn_str_eq(struct krn_str a, struct krn_str b);
bool krn_str_eq_c(struct krn_str a, const char *b);

/* ASCII letters compare alike. */
bool krn_str_eq_nocase(struct krn_str a, struct krn_str b);

/* <0, 0, >0 in byte order; a prefix comes before the longer text. */
int krn_str_cmp(struct krn_str a, struct krn_str b);

bool krn_str_has_prefix(struct krn_str str, struct krn_str prefix);
bool krn_str_has_suffix(struct krn_str str, struct krn_str suffix);

/* The index of the first `c`, or -1. */
ptrdiff_t krn_str_find_char(struct krn_str str, char c);

/* Without spaces, tabs, CR and LF at both ends. */
struct krn_str krn_str_trim(struct krn_str str);

/*
 * Take the part before the next `separator` off the front of *rest.
 * False when *rest was used up (its .s is NULL then). "a,,b" gives three.
 */
bool krn_str_split(struct krn_str *rest, char separator,
		   struct krn_str *ret_part);

/* Well-formed UTF-8 without surrogates, at most U+10FFFF. NUL is allowed. */
bool krn_str_is_utf8(struct krn_str str);

/*
 * Take the next code point of UTF-8 text off *rest; false at its end, and
 * then *ret_point is left as it is.
 */
bool krn_str_next(struct krn_str *rest, uint32_t *ret_point);

/*
 * Without the character at its end of which not all bytes are there: what is
 * left of UTF-8 after it was cut at a number of bytes is UTF-8 again.
 */
struct krn_str krn_str_whole(struct krn_str str);

/* Code points of well-formed UTF-8. */
size_t krn_str_code_points(struct krn_str str);

/*
 * How many single-character edits apart; for "did you mean". Looks at the
 * first 64 bytes of each.
 */
size_t krn_str_distance(struct krn_str a, struct krn_str b);

/* Parse: the whole text must be the number. */

/* Decimal, optional '-'. Errors: KRN_ERR_INVALID (message says the range). */
KRN_MUSTCHECK enum krn_err krn_parse_int64(struct krn_str str, int64_t min,
					   int64_t max, int64_t *ret,
					   struct krn_error *err);

/* Sign, digits, a point, an exponent: neither hex nor "inf" nor "nan". */
bool krn_str_is_decimal(struct krn_str str);

/* Finite decimal, C locale. Errors: KRN_ERR_INVALID. */
KRN_MUSTCHECK enum krn_err krn_parse_double(struct krn_str str, double *ret,
					    struct krn_error *err);

/* Format */

/* Room for krn_format_double, with its NUL. */
#define KRN_DOUBLE_TEXT_BYTES 32

/*
 * The shortest decimal that reads back as the same double ("0.1", "1e+22",
 * "-0" as "0"). Finite values only. Returns the length.
 */
size_t krn_format_double(double value, char *ret_text);

/*
 * vsnprintf into `size` bytes, at least one. A text that does not fit is cut
 * between two characters: messages are stored, and a database takes no others.
 */
void krn_format_v(char *ret_text, size_t size, const char *format, va_list args)
    KRN_PRINTF(3, 0);

/* Lower-case hex, 2 * len characters and a NUL. */
void krn_format_hex(const unsigned char *bytes, size_t len, char *ret_text);

#endif
