#ifndef KRN_SEGMENT_H
#define KRN_SEGMENT_H

/*
 * Segments: a row and a view of the tenant's own over one of its data tables.
 *
 * Source: contract sections 7 and 8.
 */

#include "base/text.h"
#include "store/db.h"

struct krn_segment {
	struct krn_str id, name, view_name;
	int64_t customer_count;
};

/*
 * Make a segment of the transaction's tenant. `wheres` are conditions such as
 * "age:gte:30", "job:in:admin.,technician", "phone:exists"; all must hold.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INVALID   a condition, its attribute, operator or value
 *            KRN_ERR_NOTFOUND  no such schema
 *            KRN_ERR_CONFLICT  the name is taken
 */
KRN_MUSTCHECK enum krn_err
krn_segment_create(struct krn_arena *arena, struct krn_db *db,
		   struct krn_str name, struct krn_str schema,
		   const struct krn_str *wheres, size_t wheres_nr,
		   struct krn_segment *ret, struct krn_error *err);

#endif
