/*
 * The export of a database that was restored.
 */

#include "base/base.h"

#include "lifecycle/rebase.h"

#include "base/json_in.h"
#include "egress/source.h"
#include "lifecycle/export_file.h"
#include "queue/job.h"

/* Rows that go to the database at once. */
#define REBASE_ROWS 5000

/* How often an older transaction is waited for, and how long each time. */
#define REBASE_WAITS 50
#define REBASE_WAIT_MS 100

/* One tenant under way. */
struct rebase {
	struct krn_db *db;
	const struct krn_options *options;
	struct krn_str tenant_id;
	struct krn_arena *arena; /* of the tenant */
	struct krn_arena *batch; /* of some rows */
	struct krn_rebase *ret;
	struct krn_str *unknown; /* paths behind the files that are known */
	size_t unknown_nr;

	int64_t number; /* of the file at hand */
	int64_t file_rows;
	struct krn_buf partial;
	struct krn_str ids[REBASE_ROWS], times[REBASE_ROWS];
	size_t nr;
};

/* Rows of a file */

static enum krn_err
rebase_flush(struct rebase *rebase, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_int(rebase->batch, rebase->number),
	    krn_param_str_array(rebase->batch, rebase->ids, rebase->nr),
	    krn_param_str_array(rebase->batch, rebase->times, rebase->nr),
	};
	enum krn_err e;

	if (!params[1].value || !params[2].value)
		return krn_arena_fail(rebase->batch, err);
	krn_db_send(rebase->db, KRN_STMT_export_rebase_insert, params, NULL);
	if ((e = krn_db_flush(rebase->db, err)))
		return e;
	rebase->nr = 0;
	krn_arena_reset(rebase->batch);
	return KRN_OK;
}

/* A text of the line, as JSON has it; a copy. */
static enum krn_err
rebase_text(struct rebase *rebase, const struct krn_value *line,
	    const char *name, struct krn_str *ret, struct krn_error *err)
{
	const struct krn_value *value = krn_value_find(line, name);

	if (!value || value->type != KRN_VALUE_STRING)
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "a line of the lake has no \"%s\"", name);
	*ret = krn_str_dup(rebase->batch, value->string);
	return ret->s ? KRN_OK : krn_arena_fail(rebase->batch, err);
}

static enum krn_err
rebase_line(struct rebase *rebase, struct krn_str text, struct krn_error *err)
{
	struct krn_value line;
	enum krn_err e;

	if ((e = krn_json_parse_stored(rebase->batch, text, &line, err)) ||
	    (e = rebase_text(rebase, &line, "id", &rebase->ids[rebase->nr],
			     err)) ||
	    (e = rebase_text(rebase, &line, "createdAt",
			     &rebase->times[rebase->nr], err)))
		return e;
	rebase->file_rows++;
	rebase->ret->rows++;
	return ++rebase->nr == REBASE_ROWS ? rebase_flush(rebase, err) : KRN_OK;
}

static enum krn_err
rebase_part(void *data, const char *bytes, size_t len, struct krn_error *err)
{
	struct rebase *rebase = data;
	enum krn_err e;

	for (size_t i = 0, begin = 0; i < len; i++) {
		if (bytes[i] != '\n' && i + 1 < len)
			continue;
		krn_buf_add(&rebase->partial, bytes + begin,
			    i - begin + (bytes[i] != '\n'));
		begin = i + 1;
		if (rebase->partial.failed)
			return krn_arena_fail(rebase->arena, err);
		if (bytes[i] != '\n')
			continue;
		e = rebase_line(
		    rebase,
		    krn_str_from(rebase->partial.data, rebase->partial.len),
		    err);
		krn_buf_clear(&rebase->partial);
		if (e)
			return e;
	}
	return KRN_OK;
}

/* Files */

static enum krn_err
rebase_read(struct rebase *rebase, struct krn_str path, int64_t *ret_bytes,
	    char ret_sha256[KRN_SHA256_HEX_BYTES], struct krn_error *err)
{
	const struct krn_str url =
	    krn_export_url(rebase->arena, rebase->options->export_url, path);
	struct krn_error why;
	enum krn_err e;

	if (!url.s)
		return krn_arena_fail(rebase->arena, err);
	rebase->number++;
	rebase->ret->files++;
	rebase->file_rows = 0;
	/* buffers of a file's size, for one file only: a lake has many */
	struct krn_arena *own = krn_arena_new(0);

	if (!own)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	e = krn_source_read(own, rebase->options, url, rebase_part, rebase,
			    ret_bytes, ret_sha256, &why);
	krn_arena_free(own);
	if (e == KRN_ERR_NOTFOUND)
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "\"%.*s\" is gone from the lake",
				  KRN_STR_ARG(path));
	if (e) {
		if (err)
			*err = why;
		return e;
	}
	if (rebase->partial.len)
		return krn_refuse(err, KRN_ERR_CONFLICT, "\"%.*s\" is cut off",
				  KRN_STR_ARG(path));
	return rebase_flush(rebase, err);
}

/* A file that the database knows. */
static enum krn_err
rebase_known(struct rebase *rebase, const struct krn_rows *files, size_t i,
	     struct krn_error *err)
{
	const struct krn_str path = krn_rows_str(files, i, 1);
	char sha256[KRN_SHA256_HEX_BYTES];
	int64_t bytes;
	enum krn_err e;

	if ((e = rebase_read(rebase, path, &bytes, sha256, err)))
		return e;
	return krn_str_eq_c(krn_rows_str(files, i, 6), sha256)
		   ? KRN_OK
		   : krn_refuse(err, KRN_ERR_CONFLICT,
				"\"%.*s\" is not what was published",
				KRN_STR_ARG(path));
}

/* One that it does not. */
static enum krn_err
rebase_adopt(struct rebase *rebase, struct krn_str path, struct krn_error *err)
{
	char sha256[KRN_SHA256_HEX_BYTES];
	int64_t bytes;
	enum krn_err e;

	if ((e = rebase_read(rebase, path, &bytes, sha256, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_int(rebase->arena, rebase->number),
	    krn_param_str(path),
	    krn_param_int(rebase->arena, rebase->file_rows),
	    krn_param_int(rebase->arena, bytes),
	    krn_param_c(sha256),
	};

	krn_db_send(rebase->db, KRN_STMT_export_rebase_file, params, NULL);
	rebase->ret->adopted++;
	return krn_db_flush(rebase->db, err);
}

/* First those that this database knows, then those behind them. */
static enum krn_err
rebase_lake(struct rebase *rebase, const struct krn_rows *files,
	    struct krn_error *err)
{
	enum krn_err e;

	for (size_t i = 0; i < krn_rows_nr(files); i++)
		if ((e = rebase_known(rebase, files, i, err)))
			return e;
	for (size_t i = 0; i < rebase->unknown_nr; i++)
		if ((e = rebase_adopt(rebase, rebase->unknown[i], err)))
			return e;
	return KRN_OK;
}

/* Transaction ids */

static enum krn_err
rebase_xid(struct rebase *rebase, int64_t *ret_xid, int64_t *ret_oldest,
	   struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	krn_arena_reset(rebase->batch);
	if ((e = krn_db_begin(rebase->db, rebase->batch, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(rebase->db, KRN_STMT_export_rebase_xid, NULL, &rows);
	if ((e = krn_db_commit(rebase->db, err)) ||
	    (e = krn_parse_int64(krn_rows_str(rows, 0, 0), 0, INT64_MAX,
				 ret_xid, err)))
		return e;
	return krn_parse_int64(krn_rows_str(rows, 0, 1), 0, INT64_MAX,
			       ret_oldest, err);
}

/*
 * The numbers of files must be below every transaction id that is yet to
 * come: a young cluster's are used up until they are, and what began with a
 * lower one is waited for.
 */
static enum krn_err
rebase_advance(struct rebase *rebase, int64_t to, struct krn_error *err)
{
	const struct timespec pause = {0, REBASE_WAIT_MS * 1000000};
	int64_t xid = 0, oldest = 0;
	enum krn_err e;

	while (xid <= to)
		if ((e = rebase_xid(rebase, &xid, &oldest, err)))
			return e;
	for (int i = 0; oldest <= to && i < REBASE_WAITS; i++) {
		nanosleep(&pause, NULL);
		if ((e = rebase_xid(rebase, &xid, &oldest, err)))
			return e;
	}
	if (oldest <= to)
		return krn_refuse(err, KRN_ERR_CONFLICT,
				  "a transaction of before is still open");
	return KRN_OK;
}

/* The tenant */

static enum krn_err
rebase_transaction(struct rebase *rebase, struct krn_error *err)
{
	const struct krn_rows *files;
	struct krn_db *db = rebase->db;
	enum krn_err e;

	if ((e = krn_db_begin(db, rebase->arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(db, rebase->tenant_id);
	krn_db_send(db, KRN_STMT_export_rebase_clear, NULL, NULL);
	krn_db_send(db, KRN_STMT_export_files, NULL, &files);
	if ((e = krn_db_flush(db, err)) ||
	    (e = rebase_lake(rebase, files, err)))
		return e;
	const struct krn_param number[] = {
	    krn_param_int(rebase->arena, rebase->number)};

	krn_db_send(db, KRN_STMT_export_rebase_rows, number, NULL);
	krn_db_send(db, KRN_STMT_export_rebase_end, number, NULL);
	krn_db_send(db, KRN_STMT_export_rebase_clear, NULL, NULL);
	return krn_db_commit(db, err);
}

/*
 * What this database knows of the lake, and what it does not. It is to be
 * rebased when it was restored: into another cluster, or to a moment before
 * files that are there.
 */
static enum krn_err
rebase_look(struct rebase *rebase, int64_t *ret_files, struct krn_error *err)
{
	const struct krn_rows *point;
	struct krn_str *ahead;
	size_t ahead_nr;
	enum krn_err e;

	if ((e = krn_db_begin(rebase->db, rebase->arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(rebase->db, rebase->tenant_id);
	krn_db_send(rebase->db, KRN_STMT_export_checkpoint, NULL, NULL);
	krn_db_send(rebase->db, KRN_STMT_export_lake, NULL, &point);
	if ((e = krn_db_commit(rebase->db, err)) ||
	    (e = krn_export_list(rebase->arena, rebase->options,
				 rebase->tenant_id, krn_rows_str(point, 0, 2),
				 &ahead, &ahead_nr, err)) ||
	    (e = krn_export_list(rebase->arena, rebase->options,
				 rebase->tenant_id, krn_rows_str(point, 0, 3),
				 &rebase->unknown, &rebase->unknown_nr, err)))
		return e;
	rebase->ret->changed = krn_rows_bool(point, 0, 0) || ahead_nr > 0;
	*ret_files = krn_rows_int(point, 0, 4) + (int64_t)rebase->unknown_nr;
	return KRN_OK;
}

static enum krn_err
rebase_tenant(struct rebase *rebase, struct krn_error *err)
{
	int64_t files = 0;
	enum krn_err e;

	if ((e = rebase_look(rebase, &files, err)) || !rebase->ret->changed)
		return e;
	/* one more for rows that no file has, one for what comes then */
	if ((e = rebase_advance(rebase, files + 2, err)))
		return e;
	krn_arena_reset(rebase->batch);
	return rebase_transaction(rebase, err);
}

enum krn_err
krn_rebase_tenant(struct krn_db *db, const struct krn_options *options,
		  struct krn_str tenant_id, struct krn_rebase *ret,
		  struct krn_error *err)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_arena *batch = krn_arena_new(0);
	struct rebase *rebase =
	    arena ? krn_arena_make(arena, struct rebase) : NULL;
	enum krn_err e = KRN_ERR_UNAVAILABLE;

	*ret = (struct krn_rebase){.changed = false};
	if (!rebase || !batch) {
		krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	} else {
		rebase->db = db;
		rebase->options = options;
		rebase->tenant_id = tenant_id;
		rebase->arena = arena;
		rebase->batch = batch;
		rebase->ret = ret;
		krn_buf_init(&rebase->partial, arena);
		e = rebase_tenant(rebase, err);
		krn_db_rollback(db);
	}
	krn_arena_free(batch);
	krn_arena_free(arena);
	return e;
}
