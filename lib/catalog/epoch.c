/*
 * The configuration epoch.
 */

#include "base/base.h"

#include "catalog/epoch.h"

#include "access/audit.h"
#include "base/json_out.h"

enum krn_err
krn_epoch_flush(struct krn_arena *arena, struct krn_db *db,
		const struct krn_caller *caller, struct krn_str scope,
		struct krn_error *err)
{
	struct krn_audit audit = {.action = "cache.flush",
				  .entity_type = "config_epoch"};
	const struct krn_rows *moved;
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	krn_db_send(db, KRN_STMT_gitops_lock, NULL, NULL);
	krn_db_send(db, KRN_STMT_epoch_move, NULL, &moved);
	if ((e = krn_db_flush(db, err)))
		return e;
	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "scope", scope);
	krn_json_int(&out, "epoch", krn_rows_int(moved, 0, 0));
	krn_json_close(&out);
	krn_json_end(&out);
	if ((e = krn_buf_end(&buf, &audit.changes, err)))
		return e;
	return krn_audit_append(arena, db, caller, &audit, err);
}
