/*
 * Settings, status and hold of a tenant.
 */

#include "base/base.h"

#include "access/tenant.h"

#include "access/audit.h"
#include "base/json_out.h"

enum krn_err
krn_tenant_settings(struct krn_db *db, struct krn_str *ret,
		    struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_tenant_settings, NULL, &rows, err)))
		return e;
	*ret = krn_rows_str(rows, 0, 0);
	return KRN_OK;
}

/* The audit row of a change; `row` has before and after. */
static enum krn_err
tenant_audit(struct krn_arena *arena, struct krn_db *db,
	     const struct krn_caller *caller, const char *action,
	     const struct krn_rows *row, struct krn_error *err)
{
	const struct krn_audit audit = {
	    .action = action,
	    .entity_type = "tenant",
	    .entity_id = caller->tenant_id,
	    .before = krn_rows_str(row, 0, 0),
	    .after = krn_rows_str(row, 0, 1),
	};

	return krn_audit_append(arena, db, caller, &audit, err);
}

enum krn_err
krn_tenant_settings_merge(struct krn_arena *arena, struct krn_db *db,
			  const struct krn_caller *caller,
			  const struct krn_value *change, struct krn_str *ret,
			  struct krn_error *err)
{
	const struct krn_value *hold = krn_value_find(change, "legalHold");
	struct krn_problems *problems =
	    krn_arena_make(arena, struct krn_problems);
	const struct krn_rows *rows;
	struct krn_str text;
	struct krn_buf buf;
	enum krn_err e;

	if (!problems)
		return krn_arena_fail(arena, err);
	problems->arena = arena;
	if (hold && hold->type != KRN_VALUE_BOOL)
		krn_problem_add(problems, "legalHold", "must be a boolean");
	krn_buf_init(&buf, arena);
	krn_json_canonical(&buf, change);
	if ((e = krn_problems_end(problems, NULL, err)) ||
	    (e = krn_buf_end(&buf, &text, err)))
		return e;
	const struct krn_param params[] = {krn_param_str(text)};

	if ((e = krn_db_exec(db, KRN_STMT_tenant_settings_merge, params, &rows,
			     err)))
		return e;
	*ret = krn_rows_str(rows, 0, 1);
	if (ret->len > KRN_TENANT_SETTINGS_BYTES_MAX)
		return krn_refuse(err, KRN_ERR_TOOBIG,
				  "the settings would be larger than %zu KiB",
				  KRN_TENANT_SETTINGS_BYTES_MAX >> 10);
	return tenant_audit(arena, db, caller, "tenant_settings.update", rows,
			    err);
}

static enum krn_err
tenant_change(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_caller *caller, enum krn_stmt stmt,
	      struct krn_param value, const char *action, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(caller->tenant_id),
					   value};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, stmt, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no tenant \"%.*s\"",
				  KRN_STR_ARG(caller->tenant_id));
	return tenant_audit(arena, db, caller, action, rows, err);
}

enum krn_err
krn_tenant_suspend(struct krn_arena *arena, struct krn_db *db,
		   const struct krn_caller *caller, bool suspended,
		   struct krn_error *err)
{
	return tenant_change(arena, db, caller, KRN_STMT_tenant_status,
			     krn_param_c(suspended ? "suspended" : "active"),
			     suspended ? "tenant.suspend" : "tenant.resume",
			     err);
}

enum krn_err
krn_tenant_hold(struct krn_arena *arena, struct krn_db *db,
		const struct krn_caller *caller, bool hold,
		struct krn_error *err)
{
	return tenant_change(arena, db, caller, KRN_STMT_tenant_hold,
			     krn_param_bool(hold), "tenant.hold", err);
}
