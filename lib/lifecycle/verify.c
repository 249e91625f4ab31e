/*
 * The lake against the table.
 */

#include "base/base.h"

#include "lifecycle/verify_private.h"

#include "egress/source.h"
#include "lifecycle/export_file.h"
#include "queue/job.h"
#include "store/copy.h"
#include "store/replica.h"

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

void
lake_tell(struct lake_tenant *tenant, enum krn_verify_kind kind,
	  struct krn_str path, struct krn_str id)
{
	const struct krn_verify_finding finding = {kind, tenant->id, path, id};

	tenant->verify->findings[kind]++;
	tenant->verify->found(tenant->verify->found_data, &finding);
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
	    (e = lake_gone_init(tenant, marks, erased, err)))
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
