/*
 * The export job: tenants, batches, checkpoints.
 */

#include "base/base.h"

#include "lifecycle/export.h"

#include "egress/target.h"
#include "lifecycle/export_file.h"
#include "lifecycle/export_line.h"
#include "store/copy.h"

/* What is written to a file at once. */
#define EXPORT_WRITE_BYTES 131072

struct export_job {
	bool drain;
	bool streams; /* the session is busy with the rows of a batch */
	int64_t total;
};

/* The batch under way; its texts live in the arena of the call. */
struct export_batch {
	struct krn_str path; /* below the root; .s NULL: nothing is left */
	struct krn_str nr;   /* of rows */
	struct krn_str previous_sha256; /* of the file before; .s NULL: none */
	int64_t number, rows_before;    /* of the file; in those before */
	int64_t rows, bytes;
	char sha256[KRN_SHA256_HEX_BYTES];
	struct krn_target *data, *manifest;
};

/* What is told of a tenant. */
struct export_tenant {
	struct krn_str id;
	int64_t exported, bytes;
	struct krn_buf files; /* JSON texts of the paths, with commas */
	struct krn_str last_path;
	char sha256[KRN_SHA256_HEX_BYTES];
	bool has_more;
	int64_t lag_seconds;
};

static struct export_job *
export_of(const struct krn_cron *cron)
{
	return cron->state;
}

/*
 * Is anything to be exported? Not before the lake was looked at: a file that
 * lies behind all that this database knows was published by one that was
 * restored to an earlier moment since, or is another's.
 */
static enum krn_err
export_look(struct krn_cron *cron, struct krn_str tenant, bool *ret_due,
	    struct krn_error *err)
{
	const struct krn_rows *point;
	struct krn_str *paths;
	size_t nr;
	enum krn_err e;

	if ((e = krn_cron_begin(cron, KRN_TX_WRITE, tenant, err)))
		return e;
	krn_db_send(cron->db, KRN_STMT_export_checkpoint, NULL, NULL);
	krn_db_send(cron->db, KRN_STMT_export_lake, NULL, &point);
	if ((e = krn_db_commit(cron->db, err)))
		return e;
	if (krn_rows_bool(point, 0, 0))
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "cluster changed: run kaireonctl export "
				  "rebase");
	*ret_due = krn_rows_bool(point, 0, 1);
	if (!*ret_due)
		return KRN_OK;
	if ((e = krn_export_list(cron->batch, cron->options, tenant,
				 krn_rows_str(point, 0, 2), &paths, &nr, err)))
		return e;
	return nr ? krn_refuse(err, KRN_ERR_CONFLICT,
			       "the lake has \"%.*s\", which this database "
			       "does not know: run kaireonctl export rebase",
			       KRN_STR_ARG(paths[0]))
		  : KRN_OK;
}

/* The batch to write: the intent that an earlier call left, or a new one. */
static enum krn_err
export_read_intent(struct krn_cron *cron, const struct krn_rows *rows,
		   struct export_batch *ret, struct krn_error *err)
{
	struct krn_str *const texts[] = {&ret->path, &ret->nr,
					 &ret->previous_sha256};

	*ret = (struct export_batch){
	    .number = krn_rows_int(rows, 0, 3),
	    .rows_before = krn_rows_int(rows, 0, 4),
	};
	for (size_t i = 0; i < KRN_NR(texts); i++) {
		if (krn_rows_is_null(rows, 0, i))
			continue;
		*texts[i] = krn_str_dup(cron->arena, krn_rows_str(rows, 0, i));
		if (!texts[i]->s)
			return krn_arena_fail(cron->arena, err);
	}
	return KRN_OK;
}

/* Begin a transaction of the session that has the lock. */
static enum krn_err
export_begin(struct krn_cron *cron, struct krn_str tenant,
	     struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_cron_begin(cron, KRN_TX_WRITE, tenant, err)))
		return e;
	return krn_cron_hold(cron, err);
}

/* Queue: the next batch is noted, before anything of it is written. */
static void
export_send_intent(struct krn_cron *cron, const struct krn_rows **ret_intent)
{
	enum krn_codec_kind codec = KRN_CODEC_NONE;

	krn_codec_parse(cron->options->export_compress, &codec);
	const struct krn_param params[] = {
	    krn_param_c(krn_codec_ending(codec)),
	    krn_param_int(cron->batch, cron->options->export_max_rows),
	};

	krn_db_send(cron->db, KRN_STMT_export_intent, params, ret_intent);
}

/* The first batch of a call. */
static enum krn_err
export_first(struct krn_cron *cron, struct krn_str tenant,
	     struct export_batch *ret, struct krn_error *err)
{
	const struct krn_rows *intent;
	enum krn_err e;

	if ((e = export_begin(cron, tenant, err)))
		return e;
	export_send_intent(cron, &intent);
	if ((e = krn_db_commit(cron->db, err)))
		return e;
	return export_read_intent(cron, intent, ret, err);
}

/* While S3 takes its time: may the file still appear? What is sent of it while
 * rows are read does not. */
static bool
export_tick(void *data)
{
	struct krn_cron *cron = data;

	return export_of(cron)->streams || !krn_cron_hold(cron, NULL);
}

static enum krn_err
export_copy(struct krn_cron *cron, struct krn_target *target,
	    struct export_batch *batch, struct krn_error *err)
{
	struct krn_copy_row row;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, cron->batch);
	krn_copy_argument(cron->db, "rows", batch->nr);
	if ((e = krn_copy_out_begin(cron->db, KRN_STMT_export_copy, NULL, err)))
		return e;
	while (!(e = krn_copy_out_next(cron->db, &row, err)) && row.s) {
		if ((e = krn_export_line(&buf, row, err)))
			return e;
		batch->rows++;
		if (buf.len < EXPORT_WRITE_BYTES)
			continue;
		if ((e = krn_target_write(target, buf.data, buf.len, err)))
			return e;
		krn_buf_clear(&buf);
	}
	if (e)
		return e;
	if (buf.failed)
		return krn_arena_fail(cron->batch, err);
	return krn_target_write(target, buf.data, buf.len, err);
}

/*
 * Rows are sent as fast as the file takes them, which may be an S3: that is no
 * statement that takes too long. A server that says nothing while we wait for
 * it is still given up.
 */
static enum krn_err
export_stream(struct krn_cron *cron, struct krn_target *target,
	      struct export_batch *batch, struct krn_error *err)
{
	const struct krn_param none[] = {krn_param_c("0")};
	const struct krn_param again[] = {
	    krn_param_int(cron->batch, cron->options->statement_timeout_ms)};
	enum krn_err e;

	krn_db_send(cron->db, KRN_STMT_timeout_set, none, NULL);
	export_of(cron)->streams = true;
	e = export_copy(cron, target, batch, err);
	export_of(cron)->streams = false;
	if (e)
		return e;
	krn_db_send(cron->db, KRN_STMT_timeout_set, again, NULL);
	return KRN_OK;
}

/* Write the file and its manifest, in a transaction that goes on. */
static enum krn_err
export_write(struct krn_cron *cron, struct krn_str tenant,
	     struct export_batch *batch, struct krn_error *err)
{
	const struct krn_str url =
	    krn_export_url(cron->batch, cron->options->export_url, batch->path);
	enum krn_err e;

	if (!url.s)
		return krn_arena_fail(cron->batch, err);
	if ((e = krn_target_begin(cron->batch, cron->options, url, &batch->data,
				  err)))
		return e;
	krn_target_set_tick(batch->data, export_tick, cron);
	if ((e = export_begin(cron, tenant, err)) ||
	    (e = export_stream(cron, batch->data, batch, err)) ||
	    (e = krn_target_end(batch->data, &batch->bytes, batch->sha256,
				err)))
		return e;
	const struct krn_export_file file = {
	    .tenant_id = tenant,
	    .path = batch->path,
	    .sha256 = krn_str_c(batch->sha256),
	    .previous_sha256 = batch->previous_sha256,
	    .number = batch->number,
	    .rows_before = batch->rows_before,
	    .rows = batch->rows,
	    .bytes = batch->bytes,
	};

	if ((e = krn_export_manifest_write(cron->batch, cron->options, &file,
					   &batch->manifest, err)))
		return e;
	krn_target_set_tick(batch->manifest, export_tick, cron);
	return KRN_OK;
}

/* Make both durable. */
static enum krn_err
export_sync(const struct export_batch *batch, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_target_sync(batch->data, err)))
		return e;
	return krn_target_sync(batch->manifest, err);
}

/* Make both visible: the data first. */
static enum krn_err
export_publish(const struct export_batch *batch, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_target_publish(batch->data, err)))
		return e;
	return krn_target_publish(batch->manifest, err);
}

/*
 * An S3 may take long, and a purge waits for whoever moves the checkpoint: so
 * all is there before. The transaction that read the rows ends when all was
 * sent. An S3 makes a file visible and durable at once, so the session is
 * asked for again until it has.
 */
static enum krn_err
export_publish_away(struct krn_cron *cron, struct krn_str tenant,
		    const struct export_batch *batch, struct krn_error *err)
{
	enum krn_err e;

	if ((e = export_sync(batch, err)) ||
	    (e = krn_db_commit(cron->db, err)) ||
	    (e = export_publish(batch, err)))
		return e;
	return export_begin(cron, tenant, err);
}

/*
 * Queue: the checkpoint moves behind `done`, and the next batch is noted if
 * there is to be one. The server is at it while the disk takes the files.
 */
static void
export_post(struct krn_cron *cron, const struct export_batch *done,
	    bool goes_on, const struct krn_rows **ret_moved,
	    const struct krn_rows **ret_intent)
{
	const struct krn_param params[] = {
	    krn_param_str(done->path),
	    krn_param_int(cron->batch, done->rows),
	    krn_param_int(cron->batch, done->bytes),
	    krn_param_c(done->sha256),
	};

	krn_db_send(cron->db, KRN_STMT_export_advance, params, ret_moved);
	if (goes_on)
		export_send_intent(cron, ret_intent);
	krn_db_post(cron->db);
}

/*
 * In one transaction of the session that has the lock: the files are durable,
 * the checkpoint moves behind `done`, the files appear, and the next batch is
 * noted, unless `next` is NULL. While the transaction holds, the session
 * holds, and with it the lock. A database that does not know `done` gets no
 * next one: its time would lie behind a file that only the lake has, and hide
 * it.
 */
static enum krn_err
export_turn(struct krn_cron *cron, struct krn_str tenant,
	    const struct export_batch *done, struct export_batch *next,
	    struct krn_error *err)
{
	const bool is_away = krn_target_is_away(done->data);
	const struct krn_rows *moved, *intent = NULL;
	enum krn_err e;

	if (is_away && (e = export_publish_away(cron, tenant, done, err)))
		return e;
	export_post(cron, done, next != NULL, &moved, &intent);
	if ((!is_away && (e = export_sync(done, err))) ||
	    (e = krn_db_flush(cron->db, err))) {
		krn_db_rollback(cron->db);
		return e;
	}
	if (!krn_rows_nr(moved))
		return krn_fail(err, KRN_ERR_CONFLICT,
				"the database does not know the batch");
	if ((!is_away && (e = export_publish(done, err))) ||
	    (e = krn_db_commit(cron->db, err)))
		return e;
	return intent ? export_read_intent(cron, intent, next, err) : KRN_OK;
}

static void
export_note_batch(struct krn_cron *cron, struct export_tenant *tenant,
		  const struct export_batch *batch)
{
	tenant->exported += batch->rows;
	tenant->bytes = batch->bytes;
	tenant->last_path = batch->path;
	memcpy(tenant->sha256, batch->sha256, sizeof(tenant->sha256));
	if (tenant->files.len)
		krn_buf_add_char(&tenant->files, ',');
	krn_buf_add_char(&tenant->files, '"');
	krn_json_escape(&tenant->files, batch->path);
	krn_buf_add_char(&tenant->files, '"');
	export_of(cron)->total += batch->rows;
	cron->rows += batch->rows;
}

static enum krn_err
export_rest(struct krn_cron *cron, struct export_tenant *tenant,
	    struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_cron_begin(cron, KRN_TX_WRITE, tenant->id, err)))
		return e;
	krn_db_send(cron->db, KRN_STMT_export_rest, NULL, &rows);
	if ((e = krn_db_commit(cron->db, err)))
		return e;
	tenant->has_more = krn_rows_bool(rows, 0, 0);
	tenant->lag_seconds = krn_rows_int(rows, 0, 1);
	return KRN_OK;
}

static enum krn_err
export_tenant(struct krn_cron *cron, struct export_tenant *tenant,
	      struct krn_error *err)
{
	struct export_batch done, batch = {.path = {NULL, 0}};
	bool is_due = false, goes_on = true;
	enum krn_err e;

	if ((e = export_look(cron, tenant->id, &is_due, err)) ||
	    (is_due && (e = export_first(cron, tenant->id, &batch, err))))
		return e;
	while (goes_on && batch.path.s) {
		krn_arena_reset(cron->batch);
		if ((e = export_write(cron, tenant->id, &batch, err)))
			return e;
		done = batch;
		goes_on = export_of(cron)->drain && !krn_cron_is_over(cron);
		if ((e = export_turn(cron, tenant->id, &done,
				     goes_on ? &batch : NULL, err)))
			return e;
		export_note_batch(cron, tenant, &done);
	}
	krn_arena_reset(cron->batch);
	return export_rest(cron, tenant, err);
}

/* The checkpoint says that the batch failed; the next call retries it. */
static void
export_failed(struct krn_cron *cron, struct krn_str tenant,
	      const struct krn_error *why)
{
	const struct krn_param params[] = {krn_param_c(
	    why->message[0] ? why->message : krn_err_row(why->code)->message)};

	krn_db_rollback(cron->db);
	krn_arena_reset(cron->batch);
	if (krn_cron_begin(cron, KRN_TX_WRITE, tenant, NULL))
		return;
	krn_db_send(cron->db, KRN_STMT_export_failed, params, NULL);
	(void)!krn_db_commit(cron->db, NULL);
}

static enum krn_err
export_tell(struct krn_cron *cron, struct krn_str id, struct krn_error *err)
{
	struct export_tenant tenant = {.id = id};
	struct krn_json_out *out = &cron->out;
	enum krn_err e;

	krn_buf_init(&tenant.files, cron->arena);
	if ((e = export_tenant(cron, &tenant, err)))
		export_failed(cron, id, err);
	krn_json_int(out, "exported", tenant.exported);
	krn_json_str(out, "filePath", tenant.last_path);
	if (export_of(cron)->drain) {
		krn_json_arr_open(out, "files");
		krn_buf_add_str(out->buf, krn_str_from(tenant.files.data,
						       tenant.files.len));
		krn_json_close(out);
	}
	if (tenant.last_path.s) {
		krn_json_int(out, "bytes", tenant.bytes);
		krn_json_c(out, "sha256", tenant.sha256);
	}
	if (!e) {
		krn_json_bool(out, "hasMore", tenant.has_more);
		krn_json_int(out, "lagSeconds", tenant.lag_seconds);
	}
	return e;
}

static void
export_totals(const struct krn_cron *cron, struct krn_json_out *out)
{
	krn_json_int(out, "totalExported", export_of(cron)->total);
}

enum krn_err
krn_export_interactions(struct krn_cron *cron, bool drain,
			struct krn_buf *answer, struct krn_error *err)
{
	static const struct krn_cron_job export_job = {
	    .name = "export-interactions",
	    .tenant = export_tell,
	    .totals = export_totals,
	};
	struct export_job job = {.drain = drain};

	cron->state = &job;
	return krn_cron_run(cron, &export_job, answer, err);
}
