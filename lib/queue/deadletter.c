/*
 * Dead letters.
 */

#include "base/base.h"

#include "queue/deadletter.h"

#include "access/audit.h"
#include "base/json_out.h"

/* Ids that the audit row names; all are counted. */
#define DEADLETTER_AUDIT_IDS 100

const char *const krn_deadletter_topics[] = {
    "alert_deliveries", "campaign_runs", "interaction_events",
    "report_deliveries", NULL};

/* {"topic", "eventIds", "requeued"}: what was asked for and what came of it. */
static enum krn_err
deadletter_audit(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_caller *caller, const char *action,
		 const char *count_name, int64_t count,
		 const struct krn_deadletter_filter *filter,
		 struct krn_error *err)
{
	struct krn_audit audit = {.action = action,
				  .entity_type = "dead_letter"};
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "topic", filter->topic);
	if (filter->ids) {
		krn_json_arr_open(&out, "eventIds");
		for (size_t i = 0;
		     i < filter->ids_nr && i < DEADLETTER_AUDIT_IDS; i++)
			krn_json_str(&out, NULL, filter->ids[i]);
		krn_json_close(&out);
	}
	krn_json_int(&out, count_name, count);
	krn_json_close(&out);
	krn_json_end(&out);
	if ((e = krn_buf_end(&buf, &audit.changes, err)))
		return e;
	return krn_audit_append(arena, db, caller, &audit, err);
}

static enum krn_err
deadletter_move(struct krn_arena *arena, struct krn_db *db, enum krn_stmt stmt,
		const struct krn_deadletter_filter *filter,
		const struct krn_rows **ret_rows, struct krn_error *err)
{
	struct krn_param params[] = {
	    krn_param_str(filter->topic),
	    krn_param_null(),
	};

	if (filter->ids) {
		params[1] =
		    krn_param_str_array(arena, filter->ids, filter->ids_nr);
		if (!params[1].value)
			return krn_arena_fail(arena, err);
	}
	krn_db_send(db, KRN_STMT_deadletter_lock, NULL, NULL);
	krn_db_send(db, stmt, params, ret_rows);
	krn_db_send(db, KRN_STMT_job_notify, NULL, NULL);
	return krn_db_flush(db, err);
}

enum krn_err
krn_deadletter_retry(struct krn_arena *arena, struct krn_db *db,
		     const struct krn_caller *caller,
		     const struct krn_deadletter_filter *filter,
		     int64_t *ret_requeued, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = deadletter_move(arena, db, KRN_STMT_deadletter_retry, filter,
				 &rows, err)))
		return e;
	*ret_requeued = krn_rows_int(rows, 0, 0);
	return deadletter_audit(arena, db, caller, "dlq.retry", "requeued",
				*ret_requeued, filter, err);
}

enum krn_err
krn_deadletter_purge(struct krn_arena *arena, struct krn_db *db,
		     const struct krn_caller *caller,
		     const struct krn_deadletter_filter *filter,
		     int64_t *ret_deleted, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = deadletter_move(arena, db, KRN_STMT_deadletter_purge, filter,
				 &rows, err)))
		return e;
	*ret_deleted = krn_rows_affected(rows);
	return deadletter_audit(arena, db, caller, "dlq.purge", "deleted",
				*ret_deleted, filter, err);
}
