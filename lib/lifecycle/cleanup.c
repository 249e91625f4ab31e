/*
 * The cleanup job: months, then tenant by tenant, table by table, in batches.
 */

#include "base/base.h"

#include "lifecycle/cleanup.h"

#include "access/audit.h"
#include "base/clock.h"
#include "base/registry.h"
#include "lifecycle/partition.h"

/* A batch waits for its locks this long, and is tried again this often: a run
 * that ends holds its tenant's row while it writes. */
#define CLEANUP_LOCK_MS 1000
#define CLEANUP_TRIES 10

/* A request waits for the processor behind a batch: while this host answers
 * any, a batch is small. Source: bench/cleanup; fewer rows gain nothing more.
 */
#define CLEANUP_BUSY_ROWS 300
/* The host is busy for so long after an answer; who looks, looks that often. */
#define CLEANUP_QUIET_US (KRN_US_PER_SECOND / 40)
#define CLEANUP_LOOK_US (KRN_US_PER_SECOND / 200)

/* Rows of the ledger of cron calls live this long. */
#define CLEANUP_LEDGER_DAYS 90
/* What alert rules told is kept so long: last year's may be compared with. */
#define CLEANUP_ALERT_EVENT_DAYS 400
/* Source: contract section 1, Idempotency-Key. */
#define CLEANUP_ANSWER_HOURS 24

/* The tables with retention, in the order of the answer. */
enum cleanup_table {
	CLEANUP_INTERACTIONS,
	CLEANUP_SUMMARIES,
	CLEANUP_TRACES,
	CLEANUP__MAX,
};

static const struct {
	const char *table;
	const char *member; /* of "cleaned" */
	enum krn_stmt stmt;
	bool is_exported; /* its checkpoint must be there to be locked */
} cleanup_tables[CLEANUP__MAX] = {
    [CLEANUP_INTERACTIONS] = {"interaction_history", "interactionHistory",
			      KRN_STMT_cleanup_interactions, true},
    [CLEANUP_SUMMARIES] = {"interaction_summaries", "interactionSummaries",
			   KRN_STMT_cleanup_summaries, false},
    [CLEANUP_TRACES] = {"decision_traces", "decisionTraces",
			KRN_STMT_cleanup_traces, false},
};

struct cleanup_job {
	int64_t suppressions, daily, rows[CLEANUP__MAX];
	struct krn_partitions partitions;
	int64_t answers;           /* of this host */
	int64_t look_us, quiet_us; /* when to look again; when it is quiet */
	bool is_partial;
	struct krn_buf holds_text, errors_text, waits_text;
	struct krn_json_out holds;  /* [{"tenantId", "table"}] */
	struct krn_json_out errors; /* [{"tenantId", "table", "error"}] */
	struct krn_json_out waits;  /* [{"tenantId", "table", "rows"}] */
};

/* A table of a tenant, and how far its purge has come. */
struct cleanup_walk {
	struct krn_str tenant;
	enum cleanup_table table;
	char at[64]; /* a timestamptz as text */
	struct krn_buf *id;
	int64_t rows, kept;
	bool is_held, is_done;
};

static struct cleanup_job *
cleanup_of(const struct krn_cron *cron)
{
	return cron->state;
}

static void
cleanup_list_init(struct krn_json_out *out, struct krn_buf *text,
		  struct krn_arena *arena)
{
	krn_buf_init(text, arena);
	krn_json_init(out, text);
	krn_json_arr_open(out, NULL);
}

/* A row of one of the answer's lists, still open. */
static struct krn_json_out *
cleanup_list_add(struct krn_json_out *out, struct krn_str tenant,
		 const char *table)
{
	krn_json_obj_open(out, NULL);
	krn_json_str(out, "tenantId", tenant);
	krn_json_c(out, "table", table);
	return out;
}

static void
cleanup_failed(struct krn_cron *cron, struct krn_str tenant, const char *table,
	       const struct krn_error *err)
{
	struct krn_json_out *out;

	krn_db_rollback(cron->db);
	cleanup_of(cron)->is_partial = true;
	cron->ok = false;
	cron->failed(cron->failed_data, "cleanup", tenant, err);
	out = cleanup_list_add(&cleanup_of(cron)->errors, tenant, table);
	krn_json_c(out, "error", krn_cron_message(err));
	krn_json_close(out);
}

/* Of krn_registry_each. */
static void
cleanup_add_answers(void *data, const struct krn_registry_series *series)
{
	int64_t *sum = data;

	if (series->family == KRN_REGISTRY_HTTP_REQUESTS)
		*sum += series->value;
}

/* The rows that the next batch may have. */
static int64_t
cleanup_batch_rows(struct krn_cron *cron)
{
	struct cleanup_job *job = cleanup_of(cron);
	const int64_t most = cron->options->cleanup_batch_rows;
	const int64_t now_us = krn_clock_monotonic_us();
	int64_t answers = 0;

	if (now_us >= job->look_us) {
		krn_registry_each(cleanup_add_answers, &answers);
		if (answers != job->answers)
			job->quiet_us = now_us + CLEANUP_QUIET_US;
		job->answers = answers;
		job->look_us = now_us + CLEANUP_LOOK_US;
	}
	return now_us < job->quiet_us && most > CLEANUP_BUSY_ROWS
		   ? CLEANUP_BUSY_ROWS
		   : most;
}

/* Begin a transaction that does not wait for locks for long. */
static enum krn_err
cleanup_begin(struct krn_cron *cron, struct krn_str tenant,
	      struct krn_error *err)
{
	enum krn_err e;

	krn_arena_reset(cron->batch);
	if ((e = krn_cron_begin(cron, KRN_TX_WRITE, tenant, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_int(cron->batch, CLEANUP_LOCK_MS)};

	krn_db_send(cron->db, KRN_STMT_cleanup_settings, params, NULL);
	return KRN_OK;
}

static enum krn_err
cleanup_batch(struct krn_cron *cron, struct cleanup_walk *walk,
	      struct krn_error *err)
{
	const struct krn_rows *rows;
	struct krn_str id;
	enum krn_err e;

	if ((e = krn_buf_end(walk->id, &id, err)) ||
	    (e = cleanup_begin(cron, walk->tenant, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_c(walk->at), krn_param_str(id.s ? id : KRN_STR("")),
	    krn_param_int(cron->batch, cleanup_batch_rows(cron)),
	    krn_param_bool(cron->options->cleanup_wait_for_export)};

	if (cleanup_tables[walk->table].is_exported && !id.len)
		krn_db_send(cron->db, KRN_STMT_export_checkpoint, NULL, NULL);
	krn_db_send(cron->db, cleanup_tables[walk->table].stmt, params, &rows);
	if ((e = krn_db_commit(cron->db, err)))
		return e;
	const struct krn_str at = krn_rows_str(rows, 0, 5);

	walk->is_held = krn_rows_bool(rows, 0, 0);
	walk->is_done = krn_rows_bool(rows, 0, 1) || at.len >= sizeof(walk->at);
	walk->rows += krn_rows_int(rows, 0, 2);
	cleanup_of(cron)->daily += krn_rows_int(rows, 0, 3);
	walk->kept += krn_rows_int(rows, 0, 4);
	if (walk->is_done)
		return KRN_OK;
	memcpy(walk->at, at.s, at.len + 1);
	krn_buf_clear(walk->id);
	krn_buf_add_str(walk->id, krn_rows_str(rows, 0, 6));
	return KRN_OK;
}

/* A batch that finds a row locked is tried again. */
static enum krn_err
cleanup_patiently(struct krn_cron *cron, struct cleanup_walk *walk,
		  struct krn_error *err)
{
	enum krn_err e = KRN_OK;

	for (int i = 0; i < CLEANUP_TRIES; i++) {
		*err = (struct krn_error){.code = KRN_OK};
		e = cleanup_batch(cron, walk, err);
		if (!e || !krn_db_was_busy(err) || krn_cron_is_over(cron))
			break;
		krn_db_rollback(cron->db);
	}
	return e;
}

/* What the answer and the tenant's part of the ledger say of a table. */
static void
cleanup_tell(struct krn_cron *cron, const struct cleanup_walk *walk,
	     const struct krn_error *err)
{
	const char *name = cleanup_tables[walk->table].table;
	struct cleanup_job *job = cleanup_of(cron);

	if (!walk->rows && !walk->kept && !walk->is_held && !err->code)
		return;
	krn_json_obj_open(&cron->out, name);
	krn_json_int(&cron->out, "purged", walk->rows);
	krn_json_bool(&cron->out, "legalHold", walk->is_held);
	krn_json_int(&cron->out, "waitingForExport", walk->kept);
	if (err->code) {
		krn_json_c(&cron->out, "error", krn_cron_message(err));
		cleanup_failed(cron, walk->tenant, name, err);
	}
	krn_json_close(&cron->out);
	if (walk->is_held)
		krn_json_close(
		    cleanup_list_add(&job->holds, walk->tenant, name));
	if (walk->kept) {
		krn_json_int(cleanup_list_add(&job->waits, walk->tenant, name),
			     "rows", walk->kept);
		krn_json_close(&job->waits);
	}
}

static void
cleanup_table(struct krn_cron *cron, struct krn_str tenant,
	      enum cleanup_table table, struct krn_buf *id)
{
	struct cleanup_walk walk = {
	    .tenant = tenant, .table = table, .at = "-infinity", .id = id};
	struct krn_error err = {.code = KRN_OK};

	krn_buf_clear(id);
	while (!walk.is_done && !krn_cron_is_over(cron) &&
	       cleanup_patiently(cron, &walk, &err) == KRN_OK)
		;
	cleanup_of(cron)->rows[table] += walk.rows;
	cron->rows += walk.rows;
	cleanup_tell(cron, &walk, &err);
}

static void
cleanup_suppressions(struct krn_cron *cron, struct krn_str tenant)
{
	struct krn_error err = {.code = KRN_OK};
	const struct krn_rows *rows;
	int64_t all = 0, nr = 0, batch = 0;

	while (nr == batch && !krn_cron_is_over(cron)) {
		batch = cleanup_batch_rows(cron);
		if (cleanup_begin(cron, tenant, &err))
			break;
		const struct krn_param params[] = {
		    krn_param_int(cron->batch, batch)};

		krn_db_send(cron->db, KRN_STMT_cleanup_suppressions, params,
			    &rows);
		if (krn_db_commit(cron->db, &err))
			break;
		nr = krn_rows_affected(rows);
		all += nr;
	}
	cleanup_of(cron)->suppressions += all;
	cron->rows += all;
	if (!all && !err.code)
		return;
	krn_json_obj_open(&cron->out, "suppressions");
	krn_json_int(&cron->out, "purged", all);
	if (err.code) {
		krn_json_c(&cron->out, "error", krn_cron_message(&err));
		cleanup_failed(cron, tenant, "suppressions", &err);
	}
	krn_json_close(&cron->out);
}

static enum krn_err
cleanup_tenant(struct krn_cron *cron, struct krn_str tenant,
	       struct krn_error *err KRN_UNUSED)
{
	struct krn_buf id;

	krn_buf_init(&id, cron->arena);
	cleanup_suppressions(cron, tenant);
	for (int table = 0; table < CLEANUP__MAX; table++)
		cleanup_table(cron, tenant, (enum cleanup_table)table, &id);
	return KRN_OK; /* what failed has been told, table by table */
}

/* Rows that are no tenant's own to keep; `age` in the statement's unit. */
static void
cleanup_old(struct krn_cron *cron, enum krn_stmt stmt, int64_t age)
{
	struct krn_error err = {.code = KRN_OK};
	const struct krn_rows *rows;
	int64_t nr = 0, batch = 0;

	while (nr == batch && !krn_cron_is_over(cron)) {
		batch = cleanup_batch_rows(cron);
		krn_arena_reset(cron->batch);
		if (krn_db_begin(cron->db, cron->batch, KRN_TX_WRITE, &err))
			break;
		const struct krn_param params[] = {
		    krn_param_int(cron->batch, age),
		    krn_param_int(cron->batch, batch)};

		krn_db_send(cron->db, stmt, params, &rows);
		if (krn_db_commit(cron->db, &err))
			break;
		nr = krn_rows_affected(rows);
	}
	if (!err.code)
		return;
	krn_db_rollback(cron->db);
	cron->ok = false;
	cron->failed(cron->failed_data, "cleanup", (struct krn_str){NULL, 0},
		     &err);
}

static void
cleanup_before(struct krn_cron *cron)
{
	struct krn_partitions *partitions = &cleanup_of(cron)->partitions;

	krn_partitions_init(partitions, cron);
	krn_partitions_ensure(cron, partitions);
	krn_partitions_drop(cron, partitions);
	cleanup_of(cron)->rows[CLEANUP_INTERACTIONS] = partitions->interactions;
	cleanup_of(cron)->rows[CLEANUP_TRACES] = partitions->traces;
	cron->rows += partitions->interactions + partitions->traces;
	cleanup_old(cron, KRN_STMT_cleanup_ledger, CLEANUP_LEDGER_DAYS);
	cleanup_old(cron, KRN_STMT_idempotency_purge, CLEANUP_ANSWER_HOURS);
	cleanup_old(cron, KRN_STMT_alert_event_purge, CLEANUP_ALERT_EVENT_DAYS);
}

static void
cleanup_totals(const struct krn_cron *cron, struct krn_json_out *out)
{
	const struct cleanup_job *job = cleanup_of(cron);

	krn_json_c(out, "status", job->is_partial ? "partial" : "ok");
	krn_json_obj_open(out, "cleaned");
	krn_json_int(out, "expiredSuppressions", job->suppressions);
	for (int i = 0; i < CLEANUP__MAX; i++)
		krn_json_int(out, cleanup_tables[i].member, job->rows[i]);
	krn_json_int(out, "oldDailySummaries", job->daily);
	krn_json_int(out, "partitionsEnsured", job->partitions.ensured);
	krn_json_int(out, "partitionsDropped", job->partitions.dropped);
	krn_json_close(out);
	krn_json_time(out, "timestamp", krn_clock_us());
}

static void
cleanup_list(struct krn_json_out *out, const char *name,
	     struct krn_json_out *list, const struct krn_buf *text)
{
	krn_json_close(list);
	krn_json_end(list);
	if (text->failed)
		out->buf->failed = true;
	krn_json_raw(out, name, krn_str_from(text->data, text->len));
}

static void
cleanup_details(const struct krn_cron *cron, struct krn_json_out *out)
{
	struct cleanup_job *job = cleanup_of(cron);

	cleanup_list(out, "legalHoldSkips", &job->holds, &job->holds_text);
	cleanup_list(out, "perTenantErrors", &job->errors, &job->errors_text);
	cleanup_list(out, "waitingForExport", &job->waits, &job->waits_text);
	cleanup_list(out, "partitionErrors", &job->partitions.failures,
		     &job->partitions.failures_text);
}

enum krn_err
krn_cleanup_run(struct krn_cron *cron, struct krn_buf *answer,
		struct krn_error *err)
{
	static const struct krn_cron_job cleanup_job = {
	    .name = "cleanup",
	    .every_tenant = true,
	    .unlisted = true,
	    .before = cleanup_before,
	    .tenant = cleanup_tenant,
	    .totals = cleanup_totals,
	    .details = cleanup_details,
	};
	struct cleanup_job job = {.answers = -1}; /* busy, until it is known */

	cleanup_list_init(&job.holds, &job.holds_text, cron->arena);
	cleanup_list_init(&job.errors, &job.errors_text, cron->arena);
	cleanup_list_init(&job.waits, &job.waits_text, cron->arena);
	cron->state = &job;
	return krn_cron_run(cron, &cleanup_job, answer, err);
}

enum krn_err
krn_cleanup_tenant(struct krn_arena *arena, struct krn_db *db,
		   const struct krn_caller *caller, struct krn_cleaned *ret,
		   struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_int(arena, KRN_CLEANUP_AUDIT_ROWS)};
	struct krn_audit audit = {
	    .action = "cleanup",
	    .entity_type = "tenant",
	    .entity_id = caller->tenant_id,
	};
	const struct krn_rows *assignments, *audits;
	enum krn_err e;

	krn_db_send(db, KRN_STMT_cleanup_assignments, NULL, &assignments);
	krn_db_send(db, KRN_STMT_cleanup_audit, params, &audits);
	if ((e = krn_db_flush(db, err)))
		return e;
	ret->variant_assignments = krn_rows_affected(assignments);
	ret->audit_logs = krn_rows_int(audits, 0, 0);
	audit.changes = krn_str_printf(
	    arena, "{\"expiredVariantAssignments\":%lld,\"oldAuditLogs\":%lld}",
	    (long long)ret->variant_assignments, (long long)ret->audit_logs);
	return audit.changes.s
		   ? krn_audit_append(arena, db, caller, &audit, err)
		   : krn_arena_fail(arena, err);
}
