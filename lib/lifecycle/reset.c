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

enum krn_err
krn_reset_begin(struct krn_db *db, struct krn_error *err)
{
	char id[KRN_ID_BYTES];

	krn_id_make("job", id);
	const struct krn_param params[] = {krn_param_c(id)};

	krn_db_send(db, KRN_STMT_reset_begin, params, NULL);
	krn_db_send(db, KRN_STMT_job_notify, NULL, NULL);
	return krn_db_flush(db, err);
}

enum krn_err
krn_reset_some(struct krn_arena *arena, struct krn_db *db, bool *ret_more,
	       struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_int(arena, RESET_ROWS)};
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
	const struct krn_audit audit = {
	    .action = "tenant.reset",
	    .entity_type = "tenant",
	    .entity_id = caller->tenant_id,
	};

	krn_db_send(db, KRN_STMT_reset_end, NULL, NULL);
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
