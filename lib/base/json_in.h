#ifndef KRN_JSON_IN_H
#define KRN_JSON_IN_H

/*
 * Strict JSON to a value.
 *
 * json-c reads the text; a scanner of our own refuses before it what json-c
 * lets through: duplicate names, single quotes, NaN and Infinity, NUL and lone
 * surrogates in strings, integers beyond 64 bits, comments, bad UTF-8, a byte
 * order mark. It also knows the line and column of each value.
 *
 * This is the only file of ours that includes json.h.
 */

#include "base/value.h"

/* Source: contract 1 (bodies). */
#define KRN_JSON_DEPTH_MAX 32

/*
 * Parse the whole text.
 *
 * Ownership: *ret lives in `arena` and does not refer to `text`.
 * Errors:    KRN_ERR_INVALID  message names line and column and what is wrong
 *            as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err krn_json_parse(struct krn_arena *arena,
					  struct krn_str text, int depth_max,
					  struct krn_value *ret,
					  struct krn_error *err);

/*
 * Parse a jsonb of the database, which spells a large double as an integer of
 * any length: what does not fit 64 bits becomes a double. `text` ends in NUL,
 * as rows do.
 */
KRN_MUSTCHECK enum krn_err krn_json_parse_stored(struct krn_arena *arena,
						 struct krn_str text,
						 struct krn_value *ret,
						 struct krn_error *err);

#endif
