/*
 * Months of partitioned tables.
 */

#include "base/base.h"

#include "lifecycle/partition.h"

#include "base/clock.h"

/* The lock that a drop needs is waited for 200 ms each time. */
#define PARTITION_DROP_TRIES 5
#define PARTITION_DROP_PAUSE_MS 100

void
krn_partitions_init(struct krn_partitions *partitions,
		    const struct krn_cron *cron)
{
	*partitions = (struct krn_partitions){.ensured = 0};
	krn_buf_init(&partitions->failures_text, cron->arena);
	krn_json_init(&partitions->failures, &partitions->failures_text);
	krn_json_arr_open(&partitions->failures, NULL);
}

static void
partition_failed(struct krn_cron *cron, struct krn_partitions *partitions,
		 struct krn_str parent, struct krn_str month,
		 const struct krn_error *err)
{
	struct krn_json_out *out = &partitions->failures;

	krn_db_rollback(cron->db);
	cron->failed(cron->failed_data, "partitions", (struct krn_str){NULL, 0},
		     err);
	krn_json_obj_open(out, NULL);
	krn_json_str(out, "table", parent);
	krn_json_str(out, "month", month);
	krn_json_c(out, "error", krn_cron_message(err));
	krn_json_close(out);
}

/* Months that a statement lists: parent, YYYY-MM, and more. */
static const struct krn_rows *
partition_list(struct krn_cron *cron, struct krn_partitions *partitions,
	       enum krn_stmt stmt)
{
	const struct krn_rows *rows = NULL;
	struct krn_error err = {.code = KRN_OK};

	if (krn_db_begin(cron->db, cron->arena, KRN_TX_READ, &err) == KRN_OK) {
		krn_db_send(cron->db, stmt, NULL, &rows);
		if (krn_db_commit(cron->db, &err) == KRN_OK)
			return rows;
	}
	cron->ok = false;
	partition_failed(cron, partitions, (struct krn_str){NULL, 0},
			 (struct krn_str){NULL, 0}, &err);
	return NULL;
}

void
krn_partitions_ensure(struct krn_cron *cron, struct krn_partitions *partitions)
{
	const struct krn_rows *months =
	    partition_list(cron, partitions, KRN_STMT_cleanup_partitions);

	for (size_t i = 0; months && i < krn_rows_nr(months); i++) {
		const struct krn_str parent = krn_rows_str(months, i, 0);
		const struct krn_str month = krn_rows_str(months, i, 1);
		const struct krn_param params[] = {krn_param_str(parent),
						   krn_param_str(month)};
		struct krn_error err = {.code = KRN_OK};
		const struct krn_rows *made;

		if (krn_rows_bool(months, i, 2))
			continue;
		krn_arena_reset(cron->batch);
		if (krn_db_begin(cron->db, cron->batch, KRN_TX_WRITE, &err) ==
		    KRN_OK) {
			krn_db_send(cron->db, KRN_STMT_partition_ensure, params,
				    &made);
			if (krn_db_commit(cron->db, &err) == KRN_OK) {
				partitions->ensured +=
				    krn_rows_bool(made, 0, 0);
				continue;
			}
		}
		cron->ok = false;
		partition_failed(cron, partitions, parent, month, &err);
	}
}

static enum krn_err
partition_drop(struct krn_cron *cron, const struct krn_param *params,
	       const struct krn_rows **ret, struct krn_error *err)
{
	enum krn_err e;

	krn_arena_reset(cron->batch);
	if ((e = krn_db_begin(cron->db, cron->batch, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(cron->db, KRN_STMT_cleanup_checkpoints, NULL, NULL);
	krn_db_send(cron->db, KRN_STMT_partition_drop, params, ret);
	return krn_db_commit(cron->db, err);
}

static void
partition_drop_one(struct krn_cron *cron, struct krn_partitions *partitions,
		   struct krn_str parent, struct krn_str month)
{
	const struct krn_param params[] = {
	    krn_param_str(parent), krn_param_str(month),
	    krn_param_bool(cron->options->cleanup_wait_for_export)};
	const struct krn_rows *rows;
	struct krn_error err;

	for (int i = 0; i < PARTITION_DROP_TRIES; i++) {
		err = (struct krn_error){.code = KRN_OK};
		if (partition_drop(cron, params, &rows, &err) == KRN_OK) {
			const int64_t purged = krn_rows_int(rows, 0, 1);

			partitions->dropped += krn_rows_bool(rows, 0, 0);
			*(krn_str_eq_c(parent, "decision_traces")
			      ? &partitions->traces
			      : &partitions->interactions) += purged;
			return;
		}
		krn_db_rollback(cron->db);
		if (!krn_db_was_busy(&err))
			break;
		krn_pause_ms(PARTITION_DROP_PAUSE_MS);
	}
	if (!krn_db_was_busy(&err))
		cron->ok = false;
	partition_failed(cron, partitions, parent, month, &err);
}

void
krn_partitions_drop(struct krn_cron *cron, struct krn_partitions *partitions)
{
	const struct krn_rows *months =
	    partition_list(cron, partitions, KRN_STMT_cleanup_months);

	for (size_t i = 0; months && i < krn_rows_nr(months); i++) {
		if (krn_cron_is_over(cron))
			return;
		partition_drop_one(cron, partitions, krn_rows_str(months, i, 0),
				   krn_rows_str(months, i, 1));
	}
}
