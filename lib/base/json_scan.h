#ifndef KRN_JSON_SCAN_H
#define KRN_JSON_SCAN_H

/*
 * A scanner over JSON before json-c reads it: refuses what json-c lets through
 * and notes, for each value in the order of the text, its place and how many
 * members it has. For json_in.c.
 */

#include "base/text.h"

struct krn_json_note {
	uint32_t line;
	uint32_t column;
	size_t members; /* of an object, as written; else where it begins */
};

/*
 * Scan the whole text.
 *
 * Ownership: *ret, a note for each value, lives in `arena`.
 * Errors:    KRN_ERR_INVALID  with line and column and what is wrong
 *            as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err krn_json_scan(struct krn_arena *arena,
					 struct krn_str text, int depth_max,
					 const struct krn_json_note **ret,
					 struct krn_error *err);

/* Refuse a value for what only its meaning tells. */
enum krn_err krn_json_refuse(uint32_t line, uint32_t column, const char *wrong,
			     struct krn_error *err);

#endif
