#ifndef KRN_STMT_H
#define KRN_STMT_H

/*
 * The statements: sql/stmt/<noun>_<verb>.sql, one a file, embedded at build
 * time by sql/embed.sh (stmt.gen.h, stmt.gen.c). The file's head is its
 * contract:
 *
 *	-- campaign_get: one campaign of the tenant, with its latest run.
 *	-- params: id text
 *	-- result: zero_or_one (id text, name text, run_count int8)
 *	-- role: api
 *	-- access: read
 *
 *	result  none | one_row (…) | zero_or_one (…) | rows (…) | copy_out | copy_in
 *	role    api, worker, owner (several separated by commas): whose grants it
 *	        needs; t/210-statements.t prepares it as each of them
 *	access  read | write
 *	identifiers (optional)  schema, view, columns...
 *
 * Column types are PostgreSQL's short names (text, int4, int8, float8, bool,
 * timestamptz, jsonb, bytea, numeric, xid8, text[]). Names are
 * schema-qualified, parameters cast ($1::text), order shown by ORDER BY.
 * Every statement names the tenant: `tenant_id = kaireon.tenant_id()`.
 */

#include "base/base.h"
#include "stmt.gen.h" /* enum krn_stmt { KRN_STMT_<name>, …, KRN_STMT__MAX } */

enum krn_shape {
	KRN_SHAPE_NONE,
	KRN_SHAPE_ONE_ROW,
	KRN_SHAPE_ZERO_OR_ONE,
	KRN_SHAPE_ROWS,
	KRN_SHAPE_COPY_OUT,
	KRN_SHAPE_COPY_IN,
};

struct krn_stmt_row {
	const char *name;
	enum krn_shape shape;
	int params;
	int columns;
	const char *const *param_types;   /* "text", … */
	const char *const *column_types;
	const char *identifiers; /* "schema,view,columns..." or "" */
	const char *roles;       /* "api,worker" */
	const char *text;        /* begins with a comment that is the name */
};

/* The row of a statement. */
const struct krn_stmt_row *krn_stmt_row(enum krn_stmt stmt);

#endif
