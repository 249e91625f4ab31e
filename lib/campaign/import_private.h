#ifndef KRN_IMPORT_PRIVATE_H
#define KRN_IMPORT_PRIVATE_H

/* What the two halves of an import share: records of both formats. */

#include "campaign/csv.h"
#include "campaign/import.h"

/* What a column's values allow; narrowed by each record. */
enum import_type { IMPORT_BIGINT, IMPORT_DOUBLE, IMPORT_TEXT, IMPORT_OTHER };

struct import_column {
	struct krn_str name;
	enum import_type type;
	const char *sql;  /* "bigint", … */
	bool has_value;
	bool given;       /* the type came by an option */
};

struct import_read {
	struct krn_arena *arena;
	struct krn_arena *record; /* of one NDJSON record; reset for each */
	const struct krn_import *import;
	struct import_column *columns; /* of the table */
	size_t columns_nr;
	size_t id; /* index of the id column */
	/* the current record: one text a column, .s NULL is NULL */
	struct krn_str *values;
	bool *is_quoted;
	int64_t line; /* where it begins */
	int64_t row;  /* its number, from 1 */
	struct krn_csv csv;
	int64_t total_bytes, passes_done;
};

/* Begin a pass over the file. The first one finds the columns. */
KRN_MUSTCHECK enum krn_err import_begin(struct import_read *read,
					struct krn_error *err);

/* The next record into values; *ret_more false at the end. */
KRN_MUSTCHECK enum krn_err import_next(struct import_read *read,
				       bool *ret_more, struct krn_error *err);

#endif
