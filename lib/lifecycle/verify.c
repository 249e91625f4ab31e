/*
 * The lake against the table.
 */

#include "base/base.h"

#include "lifecycle/verify.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "egress/source.h"
#include "lifecycle/export_file.h"
#include "lifecycle/export_line.h"
#include "lifecycle/verify_merge.h"
#include "queue/job.h"
#include "store/copy.h"
#include "store/replica.h"

/* A month's mark, and how many of its rows were found gone so far. */
struct lake_mark {
	struct krn_str month; /* "2026-03" */
	int64_t before_us, exported_rows, seen;
};

/* One tenant under way. */
struct lake_tenant {
	struct krn_verify *verify;
	struct krn_arena *arena; /* of the tenant */
	struct krn_arena *batch; /* of one file */
	struct krn_str id;
	struct lake_mark *marks;
	size_t marks_nr;
	struct merge *merge;
	struct merge *erased; /* ids that went with their customer */

	/* the table's row at hand */
	bool has_row, ended;
	int64_t row_xid;
	struct krn_buf row_id, row_line;

	/* the file at hand, and where its rows end */
	struct krn_str path;
	int64_t to_xid;
	struct krn_str to_id;
	struct krn_buf partial; /* of a line that goes on in the next part */
};

const char *
krn_verify_name(enum krn_verify_kind kind)
{
	static const char *const names[] = {
	    [KRN_VERIFY_MISSING] = "missing",
	    [KRN_VERIFY_EXTRA] = "extra",
	    [KRN_VERIFY_ALTERED] = "altered",
	};

	return names[kind];
}

static void
lake_tell(struct lake_tenant *tenant, enum krn_verify_kind kind,
	  struct krn_str path, struct krn_str id)
{
	const struct krn_verify_finding finding = {kind, tenant->id, path, id};

	tenant->verify->findings[kind]++;
	tenant->verify->found(tenant->verify->found_data, &finding);
}

/* Lines */

static struct krn_str
lake_text(const struct krn_buf *buf)
{
	return krn_str_from(buf->data ? buf->data : "", buf->len);
}

/* The id of a line as it stands there; the whole line when it is none. */
static struct krn_str
lake_line_id(struct krn_str line)
{
	const struct krn_str begin = KRN_STR("{\"id\":\"");
	static const char end[] = "\",\"tenantId\":";
	const char *at = memmem(line.s, line.len, end, sizeof(end) - 1);

	if (!at || !krn_str_has_prefix(line, begin))
		return krn_str_from(line.s, line.len < 100 ? line.len : 100);
	return krn_str_from(line.s + begin.len,
			    (size_t)(at - line.s) - begin.len);
}

/* createdAt of a line; INT64_MAX when it is none: no purge took it. */
static int64_t
lake_line_created(struct krn_str line)
{
	const size_t tail = sizeof("2026-03-30T02:00:00.000Z\"}") - 1;
	int64_t us;

	if (line.len < tail ||
	    krn_time_parse(krn_str_from(line.s + line.len - tail, tail - 2),
			   &us, NULL))
		return INT64_MAX;
	return us;
}

/* The table's side */

static enum krn_err
lake_next(struct lake_tenant *tenant, struct krn_error *err)
{
	struct krn_str fields[1 + KRN_EXPORT_FIELDS];
	struct krn_copy_row row;
	enum krn_err e;

	tenant->has_row = false;
	if (tenant->ended)
		return KRN_OK;
	if ((e = krn_copy_out_next(tenant->verify->db, &row, err)))
		return e;
	if (!row.s) {
		tenant->ended = true;
		return KRN_OK;
	}
	if (krn_copy_split(row, fields, KRN_NR(fields)) != KRN_NR(fields))
		return krn_fail(err, KRN_ERR_INTERNAL,
				"an interaction row has too few fields");
	if ((e = krn_parse_int64(fields[0], 0, INT64_MAX, &tenant->row_xid,
				 err)))
		return e;
	krn_buf_clear(&tenant->row_id);
	krn_buf_clear(&tenant->row_line);
	krn_buf_add_str(&tenant->row_id, fields[1]);
	krn_export_fields(&tenant->row_line, fields + 1);
	if (tenant->row_id.failed || tenant->row_line.failed)
		return krn_arena_fail(tenant->arena, err);
	tenant->row_line.len--; /* its newline */
	tenant->has_row = true;
	return KRN_OK;
}

/* Is there a row at hand, and does it belong into the file at hand? */
static bool
lake_in_file(const struct lake_tenant *tenant)
{
	if (!tenant->has_row || tenant->row_xid != tenant->to_xid)
		return tenant->has_row && tenant->row_xid < tenant->to_xid;
	return krn_str_cmp(lake_text(&tenant->row_id), tenant->to_id) <= 0;
}

/* Judging */

/* A row that the table lacks: was it erased or purged? */
static void
lake_gone(struct lake_tenant *tenant, struct krn_str path, struct krn_str id,
	  int64_t created_us)
{
	char month[KRN_TIME_TEXT_BYTES] = "";
	bool same;

	if (merge_take(tenant->erased, MERGE_TABLE, id, KRN_STR(""), &same)) {
		tenant->verify->purged++;
		return;
	}
	if (created_us != INT64_MAX)
		krn_time_format(created_us, month);
	for (size_t i = 0; i < tenant->marks_nr; i++) {
		struct lake_mark *mark = &tenant->marks[i];

		if (strncmp(mark->month.s, month, mark->month.len) != 0 ||
		    created_us >= mark->before_us ||
		    mark->seen >= mark->exported_rows)
			continue;
		mark->seen++;
		tenant->verify->purged++;
		return;
	}
	lake_tell(tenant, KRN_VERIFY_EXTRA, path, id);
}

static void
lake_pair(struct lake_tenant *tenant, struct krn_str id, bool same)
{
	if (same)
		tenant->verify->rows++;
	else
		lake_tell(tenant, KRN_VERIFY_ALTERED, tenant->path, id);
}

/*
 * The row at hand has no line at hand: its partner waits, or it does.
 * *ret_matched: it had one.
 */
static enum krn_err
lake_row(struct lake_tenant *tenant, bool *ret_matched, struct krn_error *err)
{
	const struct krn_str line = lake_text(&tenant->row_line);
	const struct krn_str id = lake_line_id(line);
	bool same;

	*ret_matched = merge_take(tenant->merge, MERGE_LAKE, id, line, &same);
	if (*ret_matched)
		lake_pair(tenant, id, same);
	else if (!merge_wait(tenant->merge, MERGE_TABLE, id, line, 0))
		return krn_arena_fail(tenant->arena, err);
	return lake_next(tenant, err);
}

static enum krn_err
lake_line(struct lake_tenant *tenant, struct krn_str line,
	  struct krn_error *err)
{
	const bool in_file = lake_in_file(tenant);
	bool same, matched;
	enum krn_err e;

	if (in_file && krn_str_eq(line, lake_text(&tenant->row_line))) {
		tenant->verify->rows++;
		return lake_next(tenant, err);
	}
	const struct krn_str id = lake_line_id(line);

	if (in_file &&
	    krn_str_eq(id, lake_line_id(lake_text(&tenant->row_line)))) {
		lake_pair(tenant, id, false);
		return lake_next(tenant, err);
	}
	if (merge_take(tenant->merge, MERGE_TABLE, id, line, &same)) {
		lake_pair(tenant, id, same);
		return KRN_OK;
	}
	if (!in_file) {
		lake_gone(tenant, tenant->path, id, lake_line_created(line));
		return KRN_OK;
	}
	if (!merge_wait(tenant->merge, MERGE_LAKE, id, line,
			lake_line_created(line)))
		return krn_arena_fail(tenant->arena, err);
	do {
		if ((e = lake_row(tenant, &matched, err)))
			return e;
	} while (matched && lake_in_file(tenant));
	return KRN_OK;
}

/* Parts of a file as lines. */
static enum krn_err
lake_part(void *data, const char *bytes, size_t len, struct krn_error *err)
{
	struct lake_tenant *tenant = data;
	enum krn_err e;

	while (len) {
		const char *newline = memchr(bytes, '\n', len);
		const size_t used =
		    newline ? (size_t)(newline - bytes) + 1 : len;

		if (newline && tenant->partial.len == 0) {
			if ((e = lake_line(tenant,
					   krn_str_from(bytes, used - 1), err)))
				return e;
		} else {
			krn_buf_add(&tenant->partial, bytes,
				    newline ? used - 1 : used);
			if (tenant->partial.failed)
				return krn_arena_fail(tenant->arena, err);
			if (newline) {
				e = lake_line(tenant,
					      lake_text(&tenant->partial), err);
				krn_buf_clear(&tenant->partial);
				if (e)
					return e;
			}
		}
		bytes += used;
		len -= used;
	}
	return KRN_OK;
}

/* What has no partner when the file ends. */
static enum krn_err
lake_file_end(struct lake_tenant *tenant, struct krn_error *err)
{
	struct krn_str id;
	int64_t created_us;
	bool matched;
	enum krn_err e;

	/* a last line without its newline */
	if (tenant->partial.len &&
	    (e = lake_line(tenant, lake_text(&tenant->partial), err)))
		return e;
	krn_buf_clear(&tenant->partial);
	while (lake_in_file(tenant))
		if ((e = lake_row(tenant, &matched, err)))
			return e;
	while (merge_rest(tenant->merge, MERGE_TABLE, &id, &created_us))
		lake_tell(tenant, KRN_VERIFY_MISSING, tenant->path, id);
	while (merge_rest(tenant->merge, MERGE_LAKE, &id, &created_us))
		lake_gone(tenant, tenant->path, id, created_us);
	return KRN_OK;
}

/* Files */

/* What is compared whole: a manifest. */
static enum krn_err
lake_collect(void *data, const char *bytes, size_t len,
	     struct krn_error *err KRN_UNUSED)
{
	krn_buf_add(data, bytes, len);
	return KRN_OK;
}

static enum krn_err
lake_manifest(struct lake_tenant *tenant, const struct krn_export_file *file,
	      struct krn_error *err)
{
	const struct krn_str root = tenant->verify->options->export_url;
	char sha256[KRN_SHA256_HEX_BYTES];
	struct krn_str line, path, url;
	struct krn_buf lies;
	int64_t bytes;
	enum krn_err e;

	path = krn_export_manifest_path(tenant->batch, file);
	if (!path.s)
		return krn_arena_fail(tenant->batch, err);
	url = krn_export_url(tenant->batch, root, path);
	if (!url.s)
		return krn_arena_fail(tenant->batch, err);
	krn_buf_init(&lies, tenant->batch);
	if ((e = krn_export_manifest(tenant->batch, file, &line, err)))
		return e;
	e = krn_source_read(tenant->batch, tenant->verify->options, url,
			    lake_collect, &lies, &bytes, sha256, err);
	if (e && e != KRN_ERR_NOTFOUND)
		return e;
	if (lies.failed)
		return krn_arena_fail(tenant->batch, err);
	if (e)
		lake_tell(tenant, KRN_VERIFY_MISSING, path,
			  krn_str_from(NULL, 0));
	else if (!krn_str_eq(lake_text(&lies), line))
		lake_tell(tenant, KRN_VERIFY_ALTERED, path,
			  krn_str_from(NULL, 0));
	return KRN_OK;
}

static enum krn_err
lake_file(struct lake_tenant *tenant, const struct krn_export_file *file,
	  struct krn_error *err)
{
	const struct krn_str url = krn_export_url(
	    tenant->batch, tenant->verify->options->export_url, file->path);
	char sha256[KRN_SHA256_HEX_BYTES];
	const int64_t *found = tenant->verify->findings;
	const int64_t before = found[KRN_VERIFY_MISSING] +
			       found[KRN_VERIFY_EXTRA] +
			       found[KRN_VERIFY_ALTERED];
	int64_t bytes;
	enum krn_err e;

	if (!url.s)
		return krn_arena_fail(tenant->batch, err);
	tenant->path = file->path;
	tenant->verify->files++;
	e = krn_source_read(tenant->batch, tenant->verify->options, url,
			    lake_part, tenant, &bytes, sha256, err);
	if (e && e != KRN_ERR_NOTFOUND && e != KRN_ERR_INVALID)
		return e;
	const bool is_other = e == KRN_ERR_INVALID ||
			      (!e && (bytes != file->bytes ||
				      !krn_str_eq_c(file->sha256, sha256)));
	const bool is_gone = e == KRN_ERR_NOTFOUND;

	if ((e = lake_file_end(tenant, err)))
		return e;
	/* named as such when no row of it was */
	if ((is_other || is_gone) && found[KRN_VERIFY_MISSING] +
					     found[KRN_VERIFY_EXTRA] +
					     found[KRN_VERIFY_ALTERED] ==
					 before)
		lake_tell(tenant,
			  is_gone ? KRN_VERIFY_MISSING : KRN_VERIFY_ALTERED,
			  file->path, krn_str_from(NULL, 0));
	return lake_manifest(tenant, file, err);
}

/* Files that nobody published. */
static void
lake_strangers(struct lake_tenant *tenant, const struct krn_str *paths,
	       size_t nr, const struct krn_str *known, size_t known_nr)
{
	for (size_t i = 0, k = 0; i < nr; i++) {
		while (k < known_nr && krn_str_cmp(known[k], paths[i]) < 0)
			k++;
		if (k == known_nr || !krn_str_eq(known[k], paths[i]))
			lake_tell(tenant, KRN_VERIFY_EXTRA, paths[i],
				  krn_str_from(NULL, 0));
	}
}

/* The tenant */

static enum krn_err
lake_marks(struct lake_tenant *tenant, const struct krn_rows *rows,
	   struct krn_error *err)
{
	tenant->marks_nr = krn_rows_nr(rows);
	tenant->marks = krn_arena_calloc(tenant->arena, tenant->marks_nr,
					 sizeof(*tenant->marks));
	if (!tenant->marks && tenant->marks_nr)
		return krn_arena_fail(tenant->arena, err);
	for (size_t i = 0; i < tenant->marks_nr; i++)
		tenant->marks[i] = (struct lake_mark){
		    .month = krn_rows_str(rows, i, 0),
		    .before_us = krn_rows_time(rows, i, 1),
		    .exported_rows = krn_rows_int(rows, i, 2),
		};
	return KRN_OK;
}

static enum krn_err
lake_erased(struct lake_tenant *tenant, const struct krn_rows *rows,
	    struct krn_error *err)
{
	struct krn_buf id;

	krn_buf_init(&id, tenant->arena);
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		krn_buf_clear(&id);
		krn_json_escape(&id,
				krn_rows_str(rows, i, 0)); /* as in a line */
		if (id.failed || !merge_wait(tenant->erased, MERGE_TABLE,
					     lake_text(&id), KRN_STR(""), 0))
			return krn_arena_fail(tenant->arena, err);
	}
	return KRN_OK;
}

/* Paths of the lake, read before the snapshot: what is published later is
 * known then, or not listed. */
struct lake_paths {
	struct krn_str *files, *manifests;
	size_t files_nr, manifests_nr;
};

static enum krn_err
lake_list(struct lake_tenant *tenant, struct lake_paths *lake,
	  struct krn_error *err)
{
	const struct krn_options *options = tenant->verify->options;
	enum krn_err e;

	if ((e = krn_export_list(tenant->arena, options, tenant->id,
				 KRN_STR(""), &lake->files, &lake->files_nr,
				 err)))
		return e;
	return krn_export_list_manifests(tenant->arena, options, tenant->id,
					 &lake->manifests, &lake->manifests_nr,
					 err);
}

/* The files one after the other, beside the stream of rows. */
static enum krn_err
lake_files(struct lake_tenant *tenant, const struct krn_rows *files,
	   struct krn_str *paths, struct krn_str *manifests,
	   struct krn_error *err)
{
	struct krn_export_file file = {.tenant_id = tenant->id};
	enum krn_err e;

	for (size_t i = 0; i < krn_rows_nr(files); i++) {
		krn_arena_reset(tenant->batch);
		file.number = krn_rows_int(files, i, 0);
		file.path = krn_rows_str(files, i, 1);
		file.rows = krn_rows_int(files, i, 4);
		file.bytes = krn_rows_int(files, i, 5);
		file.previous_sha256 = file.sha256;
		file.sha256 = krn_rows_str(files, i, 6);
		tenant->to_id = krn_rows_str(files, i, 3);
		if ((e = krn_parse_int64(krn_rows_str(files, i, 2), 0,
					 INT64_MAX, &tenant->to_xid, err)))
			return e;
		if ((e = lake_file(tenant, &file, err)))
			return e;
		file.rows_before += file.rows;
		paths[i] = file.path;
		manifests[i] = krn_export_manifest_path(tenant->arena, &file);
		if (!manifests[i].s)
			return krn_arena_fail(tenant->arena, err);
	}
	return KRN_OK;
}

static enum krn_err
lake_and_table(struct lake_tenant *tenant, const struct lake_paths *lake,
	       struct krn_error *err)
{
	const struct krn_rows *point, *files, *marks, *erased;
	struct krn_db *db = tenant->verify->db;
	struct krn_export_file intent = {.tenant_id = tenant->id};
	enum krn_err e;

	if ((e = krn_db_begin(db, tenant->arena, KRN_TX_SNAPSHOT, err)))
		return e;
	krn_tenant_set(db, tenant->id);
	krn_db_send(db, KRN_STMT_export_point, NULL, &point);
	krn_db_send(db, KRN_STMT_export_files, NULL, &files);
	krn_db_send(db, KRN_STMT_export_marks, NULL, &marks);
	krn_db_send(db, KRN_STMT_export_erased, NULL, &erased);
	if ((e = krn_db_flush(db, err)) ||
	    (e = lake_marks(tenant, marks, err)) ||
	    (e = lake_erased(tenant, erased, err)))
		return e;
	size_t nr = krn_rows_nr(files);
	struct krn_str *paths =
	    krn_arena_calloc(tenant->arena, nr + 1, sizeof(*paths));
	struct krn_str *manifests =
	    krn_arena_calloc(tenant->arena, nr + 1, sizeof(*manifests));

	if (!paths || !manifests)
		return krn_arena_fail(tenant->arena, err);
	if (nr) {
		krn_copy_argument(db, "to_xid", krn_rows_str(point, 0, 0));
		krn_copy_argument(db, "to_id", krn_rows_str(point, 0, 1));
		if ((e = krn_copy_out_begin(db, KRN_STMT_export_verify_copy,
					    NULL, err)) ||
		    (e = lake_next(tenant, err)) ||
		    (e = lake_files(tenant, files, paths, manifests, err)))
			return e;
	}
	/* the batch under way may be there already */
	if (krn_rows_nr(point) && !krn_rows_is_null(point, 0, 2)) {
		intent.path = paths[nr] = krn_rows_str(point, 0, 2);
		manifests[nr] =
		    krn_export_manifest_path(tenant->arena, &intent);
		if (!manifests[nr++].s)
			return krn_arena_fail(tenant->arena, err);
	}
	lake_strangers(tenant, lake->files, lake->files_nr, paths, nr);
	lake_strangers(tenant, lake->manifests, lake->manifests_nr, manifests,
		       nr);
	return KRN_OK;
}

/* A replica must know what was published before the lake was listed. */
static enum krn_err
lake_catch_up(struct lake_tenant *tenant, struct krn_error *err)
{
	const struct krn_verify *verify = tenant->verify;

	return verify->primary
		   ? krn_replica_catch_up(
			 tenant->arena, verify->primary, verify->db,
			 verify->options->database_replica_wait_seconds, err)
		   : KRN_OK;
}

enum krn_err
krn_verify_tenant(struct krn_verify *verify, struct krn_str tenant_id,
		  struct krn_error *err)
{
	struct lake_tenant tenant = {
	    .verify = verify,
	    .arena = krn_arena_new(0),
	    .batch = krn_arena_new(0),
	    .id = tenant_id,
	};
	struct lake_paths lake = {.files_nr = 0};
	enum krn_err e = KRN_ERR_UNAVAILABLE;

	if (tenant.arena && tenant.batch)
		tenant.merge = merge_new(tenant.arena);
	if (tenant.merge)
		tenant.erased = merge_new(tenant.arena);
	if (!tenant.erased) {
		krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	} else {
		krn_buf_init(&tenant.row_id, tenant.arena);
		krn_buf_init(&tenant.row_line, tenant.arena);
		krn_buf_init(&tenant.partial, tenant.arena);
		if (!(e = lake_list(&tenant, &lake, err)) &&
		    !(e = lake_catch_up(&tenant, err)))
			e = lake_and_table(&tenant, &lake, err);
		krn_copy_out_abort(verify->db);
		krn_db_rollback(verify->db);
	}
	krn_arena_free(tenant.batch);
	krn_arena_free(tenant.arena);
	return e;
}
