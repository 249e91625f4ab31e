/*
 * The outbox.
 */

#include "base/base.h"

#include "queue/outbox.h"

#include "base/id.h"
#include "queue/job.h"

/* What has ended is kept for so long, and removed so many at a time. */
#define OUTBOX_KEEP_DAYS 30
#define OUTBOX_PURGE_MAX 1000

enum krn_err
krn_outbox_add(struct krn_arena *arena, struct krn_db *db, const char *topic,
	       struct krn_str key, struct krn_str source_id,
	       struct krn_str message, const struct krn_str *providers,
	       size_t nr, struct krn_error *err)
{
	struct krn_str *ids = krn_arena_calloc(arena, nr + 1, sizeof(*ids));

	if (!ids)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < nr; i++) {
		ids[i] = krn_id_new(arena, "obx");
		if (!ids[i].s)
			return krn_arena_fail(arena, err);
	}
	const struct krn_param params[] = {
	    krn_param_str_array(arena, ids, nr),
	    krn_param_str_array(arena, providers, nr),
	    krn_param_c(topic),
	    krn_param_str(key),
	    krn_param_str(source_id),
	    krn_param_str(message),
	};

	if (!params[0].value || !params[1].value)
		return krn_arena_fail(arena, err);
	krn_db_send(db, KRN_STMT_outbox_insert, params, NULL);
	return KRN_OK;
}

static struct krn_outbox_row
outbox_read(const struct krn_rows *rows, size_t row)
{
	return (struct krn_outbox_row){
	    .tenant_id = krn_rows_str(rows, row, 0),
	    .id = krn_rows_str(rows, row, 1),
	    .topic = krn_rows_str(rows, row, 2),
	    .key = krn_rows_str(rows, row, 3),
	    .source_id = krn_rows_str(rows, row, 4),
	    .message = krn_rows_str(rows, row, 5),
	    .fence = krn_rows_int(rows, row, 6),
	    .attempts = krn_rows_int(rows, row, 7),
	    .max_attempts = krn_rows_int(rows, row, 8),
	    .created_at = krn_rows_str(rows, row, 9),
	    .provider_kind = krn_rows_str(rows, row, 10),
	    .provider_name = krn_rows_str(rows, row, 11),
	    .usable = krn_rows_bool(rows, row, 12),
	    .config_hex = krn_rows_str(rows, row, 13),
	    .provider_id = krn_rows_str(rows, row, 14),
	};
}

enum krn_err
krn_outbox_claim(struct krn_arena *arena, struct krn_db *db,
		 int64_t lease_seconds, size_t max, size_t tenant_max,
		 size_t each, struct krn_outbox_row **ret, size_t *ret_nr,
		 struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_int(arena, lease_seconds),
	    krn_param_int(arena, (int64_t)max),
	    krn_param_int(arena, (int64_t)each),
	    krn_param_int(arena, (int64_t)tenant_max),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	*ret_nr = 0;
	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(db, KRN_STMT_outbox_claim, params, &rows);
	if ((e = krn_db_commit(db, err)))
		return e;
	*ret = krn_arena_calloc(arena, krn_rows_nr(rows) + 1, sizeof(**ret));
	if (!*ret)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < krn_rows_nr(rows); i++)
		(*ret)[i] = outbox_read(rows, i);
	*ret_nr = krn_rows_nr(rows);
	return KRN_OK;
}

static void
outbox_send(struct krn_arena *arena, struct krn_db *db,
	    const struct krn_outbox_row *row, enum krn_outbox_outcome outcome,
	    struct krn_str reason, const struct krn_rows **ret)
{
	const struct krn_param id = krn_param_str(row->id);
	const struct krn_param fence = krn_param_int(arena, row->fence);
	const struct krn_param own[] = {id, fence};
	const struct krn_param retry[] = {
	    id, fence, krn_param_str(reason),
	    krn_param_double(arena, krn_job_pause_seconds(row->attempts))};
	const struct krn_param bury[] = {id, fence, krn_param_str(reason)};

	if (outcome == KRN_OUTBOX_DELIVERED)
		krn_db_send(db, KRN_STMT_outbox_delivered, own, ret);
	else if (outcome == KRN_OUTBOX_POSTPONED)
		krn_db_send(db, KRN_STMT_outbox_postpone, own, ret);
	else if (outcome == KRN_OUTBOX_FAILED)
		krn_db_send(db, KRN_STMT_outbox_retry, retry, ret);
	else
		krn_db_send(db, KRN_STMT_outbox_bury, bury, ret);
}

enum krn_err
krn_outbox_settle(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_outbox_row *row,
		  enum krn_outbox_outcome outcome, struct krn_str reason,
		  bool *ret_is_dead, struct krn_error *err)
{
	const struct krn_param source[] = {krn_param_str(row->source_id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if (outcome == KRN_OUTBOX_FAILED && row->attempts >= row->max_attempts)
		outcome = KRN_OUTBOX_HOPELESS;
	if (ret_is_dead)
		*ret_is_dead = outcome == KRN_OUTBOX_HOPELESS;
	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(db, row->tenant_id);
	outbox_send(arena, db, row, outcome, reason, &rows);
	if (row->source_id.s && krn_str_eq_c(row->topic, KRN_OUTBOX_ALERTS))
		krn_db_send(db, KRN_STMT_alert_settle, source, NULL);
	if ((e = krn_db_flush(db, err))) {
		krn_db_rollback(db);
		return e;
	}
	if (krn_rows_nr(rows) == 0) {
		krn_db_rollback(db);
		return krn_fail(err, KRN_ERR_CONFLICT,
				"somebody else has delivery %.*s",
				KRN_STR_ARG(row->id));
	}
	return krn_db_commit(db, err);
}

enum krn_err
krn_outbox_purge(struct krn_arena *arena, struct krn_db *db,
		 struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_int(arena, OUTBOX_KEEP_DAYS),
	    krn_param_int(arena, OUTBOX_PURGE_MAX),
	};
	enum krn_err e;

	if ((e = krn_db_begin(db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(db, KRN_STMT_outbox_purge, params, NULL);
	return krn_db_commit(db, err);
}
