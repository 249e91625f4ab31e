/*
 * The export job: tenants, batches, checkpoints.
 */

#include "base/base.h"

#include "lifecycle/export.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json_out.h"
#include "lifecycle/export_line.h"
#include "queue/job.h"
#include "store/copy.h"

#define EXPORT_JOB "export-interactions"

/* What is written to a file at once. */
#define EXPORT_WRITE_BYTES 131072

struct export_job {
	struct krn_arena *arena; /* of the call */
	struct krn_arena *batch; /* of one batch; reset for each */
	struct krn_db *db;
	const struct krn_options *options;
	struct krn_str root; /* folder of EXPORT_URL */
	int64_t deadline_us;
	bool drain;
	krn_export_failed_fn failed;
	void *failed_data;
	bool ok, complete;
	int64_t total;
	struct krn_json_out out;
};

/* The batch under way. */
struct export_batch {
	bool none;               /* nothing new */
	struct krn_str path;     /* below the root */
	struct krn_str from_xid, from_id, to_xid, to_id;
	int64_t rows, bytes;
	char sha256[KRN_SHA256_HEX_BYTES];
};

/* What is told of a tenant. */
struct export_tenant {
	struct krn_str id, name;
	int64_t exported, bytes;
	struct krn_buf files; /* JSON texts of the paths, with commas */
	struct krn_str last_path;
	char sha256[KRN_SHA256_HEX_BYTES];
	bool has_more;
	int64_t lag_seconds;
};

static enum krn_err
export_begin(struct export_job *job, struct krn_arena *arena,
	     struct krn_str tenant, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_db_begin(job->db, arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(job->db, tenant);
	return KRN_OK;
}

static void
export_argument(struct export_job *job, const char *name, struct krn_str value)
{
	const struct krn_param params[] = {krn_param_c(name),
					   krn_param_str(value)};

	krn_db_send(job->db, KRN_STMT_argument_set, params, NULL);
}

/* exports/<tenant>/interaction_history/year=…/month=…/day=…/batch-….json */
static struct krn_str
export_path(struct export_job *job, struct krn_str tenant, int64_t at_us)
{
	const struct krn_civil c = krn_civil_from_us(at_us);

	return krn_str_printf(
	    job->batch,
	    "exports/%.*s/interaction_history/year=%04d/month=%02d/day=%02d/"
	    "batch-%04d-%02d-%02dT%02d-%02d-%02d-%03dZ.json",
	    KRN_STR_ARG(tenant), c.year, c.month, c.day, c.year, c.month, c.day,
	    c.hour, c.minute, c.second, c.microsecond / 1000);
}

/*
 * The batch to write: the intent that an earlier call left, or a new one,
 * committed before anything is written.
 */
static enum krn_err
export_intent(struct export_job *job, struct krn_str tenant,
	      struct export_batch *ret, struct krn_error *err)
{
	const struct krn_str path = export_path(job, tenant, krn_clock_us());
	const struct krn_param params[] = {
	    krn_param_str(path),
	    krn_param_int(job->batch, job->options->export_max_rows),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if (!path.s)
		return krn_arena_fail(job->batch, err);
	if ((e = export_begin(job, job->batch, tenant, err)))
		return e;
	krn_db_send(job->db, KRN_STMT_export_checkpoint, NULL, NULL);
	krn_db_send(job->db, KRN_STMT_export_intent, params, &rows);
	if ((e = krn_db_commit(job->db, err)))
		return e;
	if (krn_rows_bool(rows, 0, 5))
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "cluster changed: run kaireonctl export "
				  "rebase");
	*ret = (struct export_batch){
	    .none = krn_rows_is_null(rows, 0, 0),
	    .path = krn_rows_str(rows, 0, 0),
	    .from_xid = krn_rows_str(rows, 0, 1),
	    .from_id = krn_rows_str(rows, 0, 2),
	    .to_xid = krn_rows_str(rows, 0, 3),
	    .to_id = krn_rows_str(rows, 0, 4),
	};
	return KRN_OK;
}

static enum krn_err
export_stream(struct export_job *job, struct krn_file *file,
	      struct export_batch *batch, struct krn_error *err)
{
	struct krn_copy_row row;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, job->batch);
	export_argument(job, "from_xid", batch->from_xid);
	export_argument(job, "from_id", batch->from_id);
	export_argument(job, "to_xid", batch->to_xid);
	export_argument(job, "to_id", batch->to_id);
	if ((e = krn_copy_out_begin(job->db, KRN_STMT_export_copy, NULL, err)))
		return e;
	while (!(e = krn_copy_out_next(job->db, &row, err)) && row.s) {
		if ((e = krn_export_line(&buf, row, err)))
			return e;
		batch->rows++;
		if (buf.len < EXPORT_WRITE_BYTES)
			continue;
		if ((e = krn_file_write(file, buf.data, buf.len, err)))
			return e;
		krn_buf_clear(&buf);
	}
	if (e)
		return e;
	if (buf.failed)
		return krn_arena_fail(job->batch, err);
	return krn_file_write(file, buf.data, buf.len, err);
}

/* Write the file, make it durable, then move the checkpoint. */
static enum krn_err
export_batch(struct export_job *job, struct krn_str tenant,
	     struct export_batch *batch, struct krn_error *err)
{
	const struct krn_str path =
	    krn_str_printf(job->batch, "%.*s/%.*s", KRN_STR_ARG(job->root),
			   KRN_STR_ARG(batch->path));
	struct krn_file *file;
	enum krn_err e;

	if (!path.s)
		return krn_arena_fail(job->batch, err);
	if ((e = krn_file_begin(job->batch, path, &file, err)) ||
	    (e = export_begin(job, job->batch, tenant, err)) ||
	    (e = export_stream(job, file, batch, err)) ||
	    (e = krn_db_commit(job->db, err)) ||
	    (e = krn_file_publish(file, &batch->bytes, batch->sha256, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_int(job->batch, batch->rows),
	    krn_param_int(job->batch, batch->bytes),
	    krn_param_c(batch->sha256),
	};

	if ((e = export_begin(job, job->batch, tenant, err)))
		return e;
	krn_db_send(job->db, KRN_STMT_export_advance, params, NULL);
	return krn_db_commit(job->db, err);
}

static void
export_note_batch(struct export_job *job, struct export_tenant *tenant,
		  const struct export_batch *batch)
{
	tenant->exported += batch->rows;
	tenant->bytes = batch->bytes;
	tenant->last_path = krn_str_dup(job->arena, batch->path);
	memcpy(tenant->sha256, batch->sha256, sizeof(tenant->sha256));
	if (tenant->files.len)
		krn_buf_add_char(&tenant->files, ',');
	krn_buf_add_char(&tenant->files, '"');
	krn_json_escape(&tenant->files, batch->path);
	krn_buf_add_char(&tenant->files, '"');
	job->total += batch->rows;
}

static enum krn_err
export_rest(struct export_job *job, struct export_tenant *tenant,
	    struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = export_begin(job, job->batch, tenant->id, err)))
		return e;
	krn_db_send(job->db, KRN_STMT_export_rest, NULL, &rows);
	if ((e = krn_db_commit(job->db, err)))
		return e;
	tenant->has_more = krn_rows_bool(rows, 0, 0);
	tenant->lag_seconds = krn_rows_int(rows, 0, 1);
	return KRN_OK;
}

static enum krn_err
export_tenant(struct export_job *job, struct export_tenant *tenant,
	      struct krn_error *err)
{
	struct export_batch batch;
	enum krn_err e;

	do {
		krn_arena_reset(job->batch);
		if ((e = export_intent(job, tenant->id, &batch, err)))
			return e;
		if (batch.none)
			break;
		if ((e = export_batch(job, tenant->id, &batch, err)))
			return e;
		export_note_batch(job, tenant, &batch);
		if (krn_clock_monotonic_us() >= job->deadline_us) {
			job->complete = false;
			break;
		}
	} while (job->drain);
	krn_arena_reset(job->batch);
	return export_rest(job, tenant, err);
}

/* A tenant's failure is its own: noted, told, and the next one begins. */
static void
export_tenant_failed(struct export_job *job, struct krn_str tenant,
		     const struct krn_error *why)
{
	const struct krn_param params[] = {krn_param_c(
	    why->message[0] ? why->message : krn_err_row(why->code)->message)};

	job->ok = false;
	job->failed(job->failed_data, tenant, why);
	krn_db_rollback(job->db);
	krn_arena_reset(job->batch);
	if (export_begin(job, job->batch, tenant, NULL) == KRN_OK) {
		krn_db_send(job->db, KRN_STMT_export_failed, params, NULL);
		(void)!krn_db_commit(job->db, NULL);
	}
}

static void
export_tell_tenant(struct export_job *job, struct krn_str id,
		   struct krn_str name)
{
	struct export_tenant tenant = {.id = id, .name = name};
	struct krn_error err = {.code = KRN_OK};

	krn_buf_init(&tenant.files, job->arena);
	if (export_tenant(job, &tenant, &err))
		export_tenant_failed(job, id, &err);
	krn_json_obj_open(&job->out, NULL);
	krn_json_str(&job->out, "tenantId", id);
	krn_json_str(&job->out, "tenantName", name);
	krn_json_int(&job->out, "exported", tenant.exported);
	krn_json_str(&job->out, "filePath", tenant.last_path);
	if (job->drain) {
		krn_json_arr_open(&job->out, "files");
		krn_buf_add_str(job->out.buf,
				krn_str_from(tenant.files.data,
					     tenant.files.len));
		krn_json_close(&job->out);
	}
	if (tenant.last_path.s) {
		krn_json_int(&job->out, "bytes", tenant.bytes);
		krn_json_c(&job->out, "sha256", tenant.sha256);
	}
	if (err.code) {
		krn_json_c(&job->out, "error",
			   err.message[0] ? err.message
					  : krn_err_row(err.code)->message);
	} else {
		krn_json_bool(&job->out, "hasMore", tenant.has_more);
		krn_json_int(&job->out, "lagSeconds", tenant.lag_seconds);
	}
	krn_json_close(&job->out);
}

/* The ledger of cron calls. */
static void
export_ledger(struct export_job *job, struct krn_str id, int64_t duration_ms)
{
	const struct krn_str totals =
	    krn_str_printf(job->arena,
			   "{\"totalExported\": %lld, \"durationMs\": %lld}",
			   (long long)job->total, (long long)duration_ms);
	const struct krn_param params[] = {
	    krn_param_str(id), krn_param_bool(job->ok),
	    krn_param_bool(job->complete), krn_param_str(totals)};

	if (krn_db_begin(job->db, job->arena, KRN_TX_WRITE, NULL))
		return;
	krn_db_send(job->db, KRN_STMT_cron_end, params, NULL);
	(void)!krn_db_commit(job->db, NULL);
}

static void
export_skipped(struct krn_buf *answer)
{
	krn_buf_add_c(answer, "{\"ok\":true,\"skipped\":true,\"complete\":false,"
			      "\"durationMs\":0}");
}

/*
 * Take the session's lock for this job and note the call. *ret_taken is false
 * when another call runs.
 */
static enum krn_err
export_lock(struct export_job *job, struct krn_str id,
	    const struct krn_rows **ret_tenants, bool *ret_taken,
	    struct krn_error *err)
{
	const struct krn_param lock[] = {krn_param_c(EXPORT_JOB)};
	const struct krn_param begin[] = {krn_param_str(id),
					  krn_param_c(EXPORT_JOB)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(job->db, job->arena, KRN_TX_WRITE, err)) ||
	    (e = krn_db_exec(job->db, KRN_STMT_cron_lock, lock, &rows, err)))
		return e;
	*ret_taken = krn_rows_bool(rows, 0, 0);
	if (*ret_taken) {
		krn_db_send(job->db, KRN_STMT_cron_begin, begin, NULL);
		krn_db_send(job->db, KRN_STMT_tenant_list, NULL, ret_tenants);
	}
	return krn_db_commit(job->db, err);
}

static void
export_unlock(struct export_job *job)
{
	const struct krn_param lock[] = {krn_param_c(EXPORT_JOB)};

	if (krn_db_begin(job->db, job->arena, KRN_TX_WRITE, NULL))
		return; /* the session is gone, and its lock with it */
	krn_db_send(job->db, KRN_STMT_cron_unlock, lock, NULL);
	(void)!krn_db_commit(job->db, NULL);
}

static void
export_all(struct export_job *job, const struct krn_rows *tenants,
	   struct krn_str id, int64_t start_us)
{
	krn_json_obj_open(&job->out, NULL);
	krn_json_arr_open(&job->out, "tenants");
	for (size_t i = 0; i < krn_rows_nr(tenants); i++) {
		if (!krn_str_eq_c(krn_rows_str(tenants, i, 2), "active"))
			continue;
		if (krn_clock_monotonic_us() >= job->deadline_us) {
			job->complete = false;
			break;
		}
		export_tell_tenant(job, krn_rows_str(tenants, i, 0),
				   krn_rows_str(tenants, i, 1));
	}
	krn_json_close(&job->out);
	const int64_t duration_ms =
	    (krn_clock_monotonic_us() - start_us) / 1000;

	krn_json_bool(&job->out, "ok", job->ok);
	krn_json_bool(&job->out, "skipped", false);
	krn_json_bool(&job->out, "complete", job->complete);
	krn_json_int(&job->out, "totalExported", job->total);
	krn_json_int(&job->out, "durationMs", duration_ms);
	krn_json_close(&job->out);
	krn_json_end(&job->out);
	export_ledger(job, id, duration_ms);
}

enum krn_err
krn_export_interactions(struct krn_arena *arena, struct krn_db *db,
			const struct krn_options *options, bool drain,
			krn_export_failed_fn failed, void *data,
			struct krn_buf *answer, struct krn_error *err)
{
	const int64_t start_us = krn_clock_monotonic_us();
	const struct krn_str scheme = KRN_STR("file://");
	struct export_job job = {
	    .arena = arena,
	    .batch = krn_arena_new(0),
	    .db = db,
	    .options = options,
	    .root = krn_str_from(options->export_url.s + scheme.len,
				 options->export_url.len - scheme.len),
	    .deadline_us = start_us + options->cron_budget_seconds *
					  KRN_US_PER_SECOND,
	    .drain = drain,
	    .failed = failed,
	    .failed_data = data,
	    .ok = true,
	    .complete = true,
	};
	const struct krn_rows *tenants = NULL;
	const struct krn_str id = krn_id_new(arena, "cron");
	bool taken = false;
	enum krn_err e;

	if (!job.batch || !id.s) {
		krn_arena_free(job.batch);
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	}
	krn_json_init(&job.out, answer);
	e = export_lock(&job, id, &tenants, &taken, err);
	if (!e && !taken)
		export_skipped(answer);
	if (!e && taken) {
		export_all(&job, tenants, id, start_us);
		export_unlock(&job);
	}
	krn_arena_free(job.batch);
	return e;
}
