/*
 * Files of the export and their manifests.
 */

#include "base/base.h"

#include "lifecycle/export_file.h"

#include "base/json_out.h"
#include "egress/source.h"

struct krn_str
krn_export_url(struct krn_arena *arena, struct krn_str root,
	       struct krn_str path)
{
	const bool has_slash = krn_str_has_suffix(root, KRN_STR("/"));

	return krn_str_printf(arena, "%.*s%s%.*s", KRN_STR_ARG(root),
			      has_slash ? "" : "/", KRN_STR_ARG(path));
}

/* The folder of a tenant's manifests. */
static struct krn_str
export_manifests(struct krn_arena *arena, struct krn_str tenant_id)
{
	return krn_str_printf(arena,
			      "exports/_manifest/%.*s/interaction_history",
			      KRN_STR_ARG(tenant_id));
}

struct krn_str
krn_export_manifest_path(struct krn_arena *arena,
			 const struct krn_export_file *file)
{
	const char *slash = memrchr(file->path.s, '/', file->path.len);
	const char *name = slash ? slash + 1 : file->path.s;
	struct krn_str stem =
	    krn_str_from(name, (size_t)(file->path.s + file->path.len - name));
	const char *ending = krn_codec_ending(krn_codec_of(stem));

	stem.len -= strlen(ending);
	const struct krn_str folder = export_manifests(arena, file->tenant_id);

	return folder.s ? krn_str_printf(arena, "%.*s/%.*s",
					 KRN_STR_ARG(folder), KRN_STR_ARG(stem))
			: folder;
}

enum krn_err
krn_export_manifest(struct krn_arena *arena, const struct krn_export_file *file,
		    struct krn_str *ret, struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "path", file->path);
	krn_json_str(&out, "tenantId", file->tenant_id);
	krn_json_int(&out, "number", file->number);
	krn_json_obj_open(&out, "range");
	krn_json_int(&out, "from", file->rows_before + 1);
	krn_json_int(&out, "to", file->rows_before + file->rows);
	krn_json_close(&out);
	krn_json_int(&out, "rows", file->rows);
	krn_json_int(&out, "bytes", file->bytes);
	krn_json_str(&out, "sha256", file->sha256);
	krn_json_str(&out, "previousSha256", file->previous_sha256);
	krn_json_close(&out);
	krn_json_end(&out);
	krn_buf_add_char(&buf, '\n');
	return krn_buf_end(&buf, ret, err);
}

enum krn_err
krn_export_manifest_write(struct krn_arena *arena,
			  const struct krn_options *options,
			  const struct krn_export_file *file,
			  struct krn_target **ret, struct krn_error *err)
{
	const struct krn_str path = krn_export_manifest_path(arena, file);
	char sha256[KRN_SHA256_HEX_BYTES];
	struct krn_str line, url;
	int64_t bytes;
	enum krn_err e;

	if (!path.s)
		return krn_arena_fail(arena, err);
	url = krn_export_url(arena, options->export_url, path);
	if (!url.s)
		return krn_arena_fail(arena, err);
	if ((e = krn_export_manifest(arena, file, &line, err)) ||
	    (e = krn_target_begin(arena, options, url, ret, err)) ||
	    (e = krn_target_write(*ret, line.s, line.len, err)))
		return e;
	return krn_target_end(*ret, &bytes, sha256, err);
}

/* Listing */

static enum krn_err
export_list(struct krn_arena *arena, const struct krn_options *options,
	    struct krn_str folder, struct krn_str after, struct krn_str **ret,
	    size_t *ret_nr, struct krn_error *err)
{
	struct krn_str url;
	enum krn_err e;

	if (!folder.s)
		return krn_arena_fail(arena, err);
	url = krn_export_url(arena, options->export_url, folder);
	if (!url.s)
		return krn_arena_fail(arena, err);
	if ((e = krn_source_list(arena, options, url, after, ret, ret_nr, err)))
		return e;
	for (size_t i = 0; i < *ret_nr; i++) {
		(*ret)[i] =
		    krn_str_printf(arena, "%.*s/%.*s", KRN_STR_ARG(folder),
				   KRN_STR_ARG((*ret)[i]));
		if (!(*ret)[i].s)
			return krn_arena_fail(arena, err);
	}
	return KRN_OK;
}

enum krn_err
krn_export_list(struct krn_arena *arena, const struct krn_options *options,
		struct krn_str tenant_id, struct krn_str after,
		struct krn_str **ret, size_t *ret_nr, struct krn_error *err)
{
	return export_list(arena, options,
			   krn_str_printf(arena,
					  "exports/%.*s/interaction_history",
					  KRN_STR_ARG(tenant_id)),
			   after, ret, ret_nr, err);
}

enum krn_err
krn_export_list_manifests(struct krn_arena *arena,
			  const struct krn_options *options,
			  struct krn_str tenant_id, struct krn_str **ret,
			  size_t *ret_nr, struct krn_error *err)
{
	return export_list(arena, options, export_manifests(arena, tenant_id),
			   KRN_STR(""), ret, ret_nr, err);
}
