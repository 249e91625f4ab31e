/*
 * Emptying a playground, erasing a customer.
 */

#include "base/base.h"

#include "lifecycle/reset.h"

#include "access/audit.h"
#include "base/id.h"
#include "base/json_out.h"

/* Rows of one transaction: a second or two. */
#define RESET_ROWS 100000

/* {name: count} */
static enum krn_err
reset_count(struct krn_arena *arena, const char *name, int64_t count,
	    struct krn_str *ret, struct krn_error *err)
{
	const struct krn_member members[] = {
	    {krn_str_c(name), krn_value_int(count)}};

	return krn_audit_object(arena, members, 1, ret, err);
}

enum krn_err
krn_reset_begin(struct krn_arena *arena, struct krn_db *db,
		const struct krn_caller *caller, struct krn_error *err)
{
	struct krn_audit audit = {
	    .action = "tenant.reset.begin",
	    .entity_type = "tenant",
	    .entity_id = caller->tenant_id,
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_reset_begin, NULL, &rows, err)) ||
	    (e = reset_count(arena, "cancelledRuns", krn_rows_int(rows, 0, 0),
			     &audit.changes, err)) ||
	    (e = reset_count(arena, "decisionCount", krn_rows_int(rows, 0, 1),
			     &audit.before, err)))
		return e;
	return krn_audit_append(arena, db, caller, &audit, err);
}

enum krn_err
krn_reset_some(struct krn_arena *arena, struct krn_db *db, bool *ret_more,
	       struct krn_error *err)
{
	char id[KRN_ID_BYTES];

	krn_id_make("job", id);
	const struct krn_param params[] = {krn_param_int(arena, RESET_ROWS),
					   krn_param_c(id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_reset_some, params, &rows, err)))
		return e;
	*ret_more = krn_rows_int(rows, 0, 0) > 0;
	return KRN_OK;
}

enum krn_err
krn_reset_end(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_caller *caller, struct krn_error *err)
{
	struct krn_audit audit = {
	    .action = "tenant.reset",
	    .entity_type = "tenant",
	    .entity_id = caller->tenant_id,
	};
	enum krn_err e;

	krn_db_send(db, KRN_STMT_reset_end, NULL, NULL);
	krn_db_send(db, KRN_STMT_job_notify, NULL, NULL);
	if ((e = reset_count(arena, "decisionCount", 0, &audit.after, err)))
		return e;
	return krn_audit_append(arena, db, caller, &audit, err);
}

enum krn_err
krn_customer_erase(struct krn_arena *arena, struct krn_db *db,
		   const struct krn_caller *caller, struct krn_str customer_id,
		   struct krn_str *ret_erased, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(customer_id)};
	char hash[KRN_SHA256_HEX_BYTES];
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(db, KRN_STMT_customer_erase, params, &rows);
	krn_db_send(db, KRN_STMT_customer_erase_names, params, NULL);
	if ((e = krn_db_flush(db, err)))
		return e;
	*ret_erased = krn_rows_str(rows, 0, 0);
	krn_sha256_hex(customer_id.s, customer_id.len, hash);
	const struct krn_audit audit = {
	    .action = "gdpr.erase",
	    .entity_type = "customer",
	    .entity_id = krn_str_c(hash),
	    .changes = *ret_erased,
	};

	return krn_audit_append(arena, db, caller, &audit, err);
}
