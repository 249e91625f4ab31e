#ifndef KRN_JSON_OUT_H
#define KRN_JSON_OUT_H

/*
 * JSON writer with scopes, into a krn_buf. Commas, quotes and escapes are its
 * business; a member outside an object, a missing name or an unbalanced scope
 * is a mistake of ours (KRN_BUG_IF).
 *
 *	struct krn_json_out out;
 *	krn_json_init(&out, &buf);
 *	krn_json_obj_open(&out, NULL);
 *	krn_json_str(&out, "id", id);
 *	krn_json_arr_open(&out, "runs");
 *	krn_json_int(&out, NULL, 1);
 *	krn_json_close(&out);
 *	krn_json_close(&out);
 *	krn_json_end(&out);
 *
 * `name` is the member's name inside an object and NULL elsewhere.
 */

#include "base/buf.h"
#include "base/value.h"

/* what is read is at most 64 deep; an answer wraps some levels around it */
#define KRN_JSON_OUT_DEPTH 128

struct krn_json_out {
	struct krn_buf *buf;
	int depth;
	unsigned char scope[KRN_JSON_OUT_DEPTH]; /* private */
};

void krn_json_init(struct krn_json_out *out, struct krn_buf *buf);
void krn_json_end(const struct krn_json_out *out);

void krn_json_obj_open(struct krn_json_out *out, const char *name);
void krn_json_arr_open(struct krn_json_out *out, const char *name);
void krn_json_close(struct krn_json_out *out);

void krn_json_null(struct krn_json_out *out, const char *name);
void krn_json_bool(struct krn_json_out *out, const char *name, bool value);
void krn_json_int(struct krn_json_out *out, const char *name, int64_t value);

/* Not finite: null. */
void krn_json_double(struct krn_json_out *out, const char *name, double value);

/* .s == NULL: null. Bytes that are not UTF-8 become U+FFFD. */
void krn_json_str(struct krn_json_out *out, const char *name,
		  struct krn_str value);
void krn_json_c(struct krn_json_out *out, const char *name, const char *value);

/* Microseconds UTC as "2026-03-30T02:00:00.000Z". */
void krn_json_time(struct krn_json_out *out, const char *name, int64_t us);

/* Text that is JSON already (a jsonb of the database); .s == NULL: null. */
void krn_json_raw(struct krn_json_out *out, const char *name,
		  struct krn_str json);

/* A value as it is, members in their order. */
void krn_json_value(struct krn_json_out *out, const char *name,
		    const struct krn_value *value);

/*
 * A value in the canonical form of RFC 8785: members sorted (by UTF-16 code
 * units), no white space, shortest numbers.
 */
void krn_json_canonical(struct krn_buf *buf, const struct krn_value *value);

/*
 * The canonical form of a jsonb's text, which ends in NUL: the same as of the
 * value that krn_json_parse_stored reads, without reading it where the text
 * allows.
 * Errors: as krn_json_parse_stored
 */
KRN_MUSTCHECK enum krn_err krn_json_canonical_stored(struct krn_buf *buf,
						     struct krn_str text,
						     struct krn_error *err);

/* Only the escaped text of a JSON string, without quotes. */
void krn_json_escape(struct krn_buf *buf, struct krn_str text);

#endif
