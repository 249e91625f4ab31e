/*
 * Retention of data classes.
 */

#include "base/base.h"

#include "lifecycle/retention.h"

#include "access/audit.h"

enum krn_err
krn_retention_list(struct krn_db *db, struct krn_str *ret,
		   struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_retention_list, NULL, &rows, err)))
		return e;
	*ret = krn_rows_str(rows, 0, 0);
	return KRN_OK;
}

enum krn_err
krn_retention_set(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_caller *caller,
		  const struct krn_retention *retention, struct krn_str *ret,
		  struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(retention->data_class),
	    krn_param_int(arena, retention->days),
	    retention->has_hold ? krn_param_bool(retention->hold)
				: krn_param_null(),
	};
	struct krn_audit audit = {
	    .action = "retention_config.upsert",
	    .entity_type = "retention_config",
	    .entity_name = retention->data_class,
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_retention_set, params, &rows, err)))
		return e;
	audit.entity_id = krn_rows_str(rows, 0, 0);
	audit.before = krn_rows_str(rows, 0, 1);
	audit.after = krn_rows_str(rows, 0, 2);
	*ret = audit.after;
	return krn_audit_append(arena, db, caller, &audit, err);
}
