#ifndef KRN_IMPORT_H
#define KRN_IMPORT_H

/*
 * Customers out of a CSV or NDJSON file into a table of the tenant's own, by
 * COPY, all or nothing. The file is read twice: once to find the types and
 * the first bad record, once to load it.
 *
 * Source: contract section 8, import.
 */

#include "base/text.h"
#include "store/db.h"

enum krn_import_mode { KRN_IMPORT_NEW, KRN_IMPORT_APPEND, KRN_IMPORT_REPLACE };

/* Called now and then; `done` of `total` bytes, both passes counted. */
typedef void (*krn_import_progress_fn)(void *data, int64_t done, int64_t total);

struct krn_import {
	struct krn_str tenant_id;
	struct krn_str schema;
	struct krn_str id_column;
	bool number_rows;        /* id_column is added: the row's number */
	bool ndjson;             /* else CSV */
	char delimiter;          /* of CSV; 0: guessed */
	struct krn_str types;    /* "age=bigint,…" or "" */
	enum krn_import_mode mode;
	FILE *file;              /* can be rewound */
	krn_import_progress_fn progress; /* may be NULL */
	void *progress_data;
};

struct krn_import_result {
	struct krn_str schema, table;
	int64_t rows;
	int64_t duration_ms;
};

/*
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INVALID   names line and column of the first bad record
 *            KRN_ERR_CONFLICT  the schema exists, or its columns differ
 */
KRN_MUSTCHECK enum krn_err krn_import(struct krn_arena *arena,
				      struct krn_db *db,
				      const struct krn_import *import,
				      struct krn_import_result *ret,
				      struct krn_error *err);

#endif
