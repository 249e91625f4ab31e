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
	struct krn_str root; /* EXPORT_URL */
	bool drain;
	int64_t total;
};

/* The batch under way. */
struct export_batch {
	bool none;           /* nothing new */
	struct krn_str path; /* below the root */
	struct krn_str from_xid, from_id, to_xid, to_id, nr;
	struct krn_str previous_sha256; /* of the file before; .s NULL: none */
	int64_t number, rows_before;    /* of the file; in those before */
	int64_t rows, bytes;
	char sha256[KRN_SHA256_HEX_BYTES];
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
 * The batch to write: the intent that an earlier call left, or a new one,
 * committed before anything is written.
 */
static enum krn_err
export_intent(struct krn_cron *cron, struct krn_str tenant,
	      struct export_batch *ret, struct krn_error *err)
{
	enum krn_codec_kind codec = KRN_CODEC_NONE;

	krn_codec_parse(cron->options->export_compress, &codec);
	const struct krn_param params[] = {
	    krn_param_c(krn_codec_ending(codec)),
	    krn_param_int(cron->batch, cron->options->export_max_rows),
	};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_cron_begin(cron, KRN_TX_WRITE, tenant, err)))
		return e;
	krn_db_send(cron->db, KRN_STMT_export_checkpoint, NULL, NULL);
	krn_db_send(cron->db, KRN_STMT_export_intent, params, &rows);
	if ((e = krn_db_commit(cron->db, err)))
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
	    .nr = krn_rows_str(rows, 0, 6),
	    .number = krn_rows_int(rows, 0, 7),
	    .rows_before = krn_rows_int(rows, 0, 9),
	    .previous_sha256 = krn_rows_is_null(rows, 0, 8)
				   ? krn_str_from(NULL, 0)
				   : krn_rows_str(rows, 0, 8),
	};
	return KRN_OK;
}

static enum krn_err
export_stream(struct krn_cron *cron, struct krn_target *target,
	      struct export_batch *batch, struct krn_error *err)
{
	struct krn_copy_row row;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, cron->batch);
	krn_copy_argument(cron->db, "from_xid", batch->from_xid);
	krn_copy_argument(cron->db, "from_id", batch->from_id);
	krn_copy_argument(cron->db, "to_xid", batch->to_xid);
	krn_copy_argument(cron->db, "to_id", batch->to_id);
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

/* Write the file, make it durable, note it, then move the checkpoint. */
static enum krn_err
export_batch(struct krn_cron *cron, struct krn_str tenant,
	     struct export_batch *batch, struct krn_error *err)
{
	const struct krn_str root = export_of(cron)->root;
	const struct krn_str url =
	    krn_export_url(cron->batch, root, batch->path);
	struct krn_target *target;
	const struct krn_rows *rows;
	enum krn_err e;

	if (!url.s)
		return krn_arena_fail(cron->batch, err);
	if ((e = krn_target_begin(cron->batch, cron->options, url, &target,
				  err)) ||
	    (e = krn_cron_begin(cron, KRN_TX_WRITE, tenant, err)) ||
	    (e = export_stream(cron, target, batch, err)) ||
	    (e = krn_db_commit(cron->db, err)) ||
	    (e = krn_target_end(target, &batch->bytes, batch->sha256, err)) ||
	    (e = krn_target_publish(target, err)))
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
	const struct krn_param params[] = {
	    krn_param_str(batch->path),
	    krn_param_int(cron->batch, batch->rows),
	    krn_param_int(cron->batch, batch->bytes),
	    krn_param_c(batch->sha256),
	};

	if ((e = krn_export_manifest_write(cron->batch, cron->options, root,
					   &file, err)) ||
	    (e = krn_cron_begin(cron, KRN_TX_WRITE, tenant, err)))
		return e;
	krn_db_send(cron->db, KRN_STMT_export_advance, params, &rows);
	if ((e = krn_db_commit(cron->db, err)))
		return e;
	return krn_rows_nr(rows) ? KRN_OK
				 : krn_fail(err, KRN_ERR_CONFLICT,
					    "another call ended the batch");
}

static void
export_note_batch(struct krn_cron *cron, struct export_tenant *tenant,
		  const struct export_batch *batch)
{
	tenant->exported += batch->rows;
	tenant->bytes = batch->bytes;
	tenant->last_path = krn_str_dup(cron->arena, batch->path);
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
	struct export_batch batch;
	enum krn_err e;

	do {
		krn_arena_reset(cron->batch);
		if ((e = export_intent(cron, tenant->id, &batch, err)))
			return e;
		if (batch.none)
			break;
		if ((e = export_batch(cron, tenant->id, &batch, err)))
			return e;
		export_note_batch(cron, tenant, &batch);
		if (krn_cron_is_over(cron))
			break;
	} while (export_of(cron)->drain);
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
	struct export_job job = {
	    .root = cron->options->export_url,
	    .drain = drain,
	};

	cron->state = &job;
	return krn_cron_run(cron, &export_job, answer, err);
}
