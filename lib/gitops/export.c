/*
 * Writing bundles.
 */

#include "base/base.h"

#include "gitops/export.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json_out.h"
#include "gitops/yaml_out.h"

/* Beyond so many bytes a file name is cut. Source: contract section 4. */
#define EXPORT_NAME_BYTES_MAX 200
#define EXPORT_NAME_BYTES_KEPT 180

/* An object of members in the arena; .type NULL when it is exhausted. */
static struct krn_value
export_object(struct krn_arena *arena, const struct krn_member *members,
	      size_t nr)
{
	struct krn_member *copy = krn_arena_calloc(arena, nr, sizeof(*copy));

	if (!copy)
		return krn_value_null();
	memcpy(copy, members, nr * sizeof(*copy));
	return (struct krn_value){.type = KRN_VALUE_OBJECT,
				  .object = {copy, nr}};
}

enum krn_err
krn_resource_spec(struct krn_arena *arena, const struct krn_resource *from,
		  struct krn_value *ret, struct krn_error *err)
{
	const struct krn_kind *kind = &krn_kinds[from->kind];
	struct krn_member *members =
	    krn_arena_calloc(arena, kind->fields_nr, sizeof(*members));

	if (!members)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < kind->fields_nr; i++)
		members[i] = (struct krn_member){
		    krn_str_c(kind->fields[i].name), from->values[i]};
	*ret = (struct krn_value){.type = KRN_VALUE_OBJECT,
				  .object = {members, kind->fields_nr}};
	return KRN_OK;
}

static enum krn_err
export_resource(struct krn_arena *arena, const struct krn_resource *from,
		struct krn_value *ret, struct krn_error *err)
{
	struct krn_value spec;
	const struct krn_str version =
	    krn_str_printf(arena, "%lld", (long long)from->version);
	enum krn_err e;

	if ((e = krn_resource_spec(arena, from, &spec, err)))
		return e;
	const struct krn_member notes[] = {
	    {KRN_STR("kaireonai.com/version"), krn_value_str(version)},
	    {KRN_STR("kaireonai.com/id"), krn_value_str(from->id)},
	};
	/* what comes from a bundle has neither */
	const struct krn_member metadata[] = {
	    {KRN_STR("name"), krn_value_str(from->title)},
	    {KRN_STR("annotations"),
	     export_object(arena, notes, from->id.s ? KRN_NR(notes) : 0)},
	};
	const struct krn_member members[] = {
	    {KRN_STR("apiVersion"),
	     krn_value_str(KRN_STR(KRN_BUNDLE_API_VERSION))},
	    {KRN_STR("kind"),
	     krn_value_str(krn_str_c(krn_kinds[from->kind].name))},
	    {KRN_STR("metadata"),
	     export_object(arena, metadata, KRN_NR(metadata))},
	    {KRN_STR("spec"), spec},
	};

	*ret = export_object(arena, members, KRN_NR(members));
	if (!version.s || ret->type != KRN_VALUE_OBJECT ||
	    members[2].value.type != KRN_VALUE_OBJECT ||
	    metadata[1].value.type != KRN_VALUE_OBJECT)
		return krn_arena_fail(arena, err);
	return KRN_OK;
}

static enum krn_err
export_manifest(struct krn_arena *arena, const struct krn_live *live,
		const struct krn_export_options *options, struct krn_value *ret,
		struct krn_error *err)
{
	struct krn_member counts[KRN_KIND__MAX];
	char at[KRN_TIME_TEXT_BYTES];
	size_t nr = 0;

	for (int kind = 0; kind < KRN_KIND__MAX; kind++) {
		int64_t count = 0;

		for (size_t i = 0; i < live->nr; i++)
			count += (int)live->resources[i].kind == kind;
		if (count && (options->kinds >> kind & 1))
			counts[nr++] =
			    (struct krn_member){krn_str_c(krn_kinds[kind].name),
						krn_value_int(count)};
	}
	krn_time_format(options->at_us, at);
	const struct krn_str at_text = krn_str_dup(arena, krn_str_c(at));
	const struct krn_member members[] = {
	    {KRN_STR("apiVersion"),
	     krn_value_str(KRN_STR(KRN_BUNDLE_API_VERSION))},
	    {KRN_STR("kind"), krn_value_str(KRN_STR("Bundle"))},
	    {KRN_STR("tenant"), krn_value_str(options->tenant_id)},
	    {KRN_STR("exportedAt"), krn_value_str(at_text)},
	    {KRN_STR("resourceCounts"), export_object(arena, counts, nr)},
	};

	*ret = export_object(arena, members, KRN_NR(members));
	if (!at_text.s || ret->type != KRN_VALUE_OBJECT ||
	    members[4].value.type != KRN_VALUE_OBJECT)
		return krn_arena_fail(arena, err);
	return KRN_OK;
}

static void
export_text(struct krn_buf *buf, const struct krn_value *value, bool json)
{
	struct krn_json_out out;

	if (!json) {
		krn_yaml_write(buf, value);
		return;
	}
	krn_json_init(&out, buf);
	krn_json_value(&out, NULL, value);
	krn_json_end(&out);
	krn_buf_add_char(buf, '\n');
}

/* The file name of a resource, without its ending. */
static void
export_file_name(struct krn_buf *buf, struct krn_str name)
{
	const size_t start = buf->len;
	char sha256[KRN_SHA256_HEX_BYTES];

	for (size_t i = 0; i < name.len; i++) {
		const unsigned char c = (unsigned char)name.s[i];
		const bool safe = (c >= 'a' && c <= 'z') ||
				  (c >= 'A' && c <= 'Z') ||
				  (c >= '0' && c <= '9') || c == '-' ||
				  c == '_' || (c == '.' && i > 0);

		if (safe)
			krn_buf_add_char(buf, (char)c);
		else
			krn_buf_printf(buf, "%%%02X", c);
	}
	if (buf->len - start <= EXPORT_NAME_BYTES_MAX)
		return;
	krn_sha256_hex(name.s, name.len, sha256);
	buf->len = start + EXPORT_NAME_BYTES_KEPT;
	krn_buf_printf(buf, "~%.16s", sha256);
}

/* What is written, one resource after the other. */
struct export_write {
	struct krn_arena *arena;
	struct krn_arena *scratch; /* of one resource */
	const struct krn_live *live;
	const struct krn_export_options *options;
	struct krn_value manifest;
	struct krn_buf *buf;
};

static bool
export_has(const struct export_write *write, size_t index)
{
	return write->options->kinds >> write->live->resources[index].kind & 1;
}

/* A resource as a value; it lives until the next one. */
static enum krn_err
export_next(struct export_write *write, size_t index, struct krn_value *ret,
	    struct krn_error *err)
{
	krn_arena_reset(write->scratch);
	return export_resource(write->scratch, &write->live->resources[index],
			       ret, err);
}

static enum krn_err
export_json(struct export_write *write, struct krn_error *err)
{
	struct krn_value resource;
	struct krn_json_out out;
	enum krn_err e;

	krn_json_init(&out, write->buf);
	krn_json_obj_open(&out, NULL);
	krn_json_value(&out, "manifest", &write->manifest);
	krn_json_arr_open(&out, "resources");
	for (size_t i = 0; i < write->live->nr; i++) {
		if (!export_has(write, i))
			continue;
		if ((e = export_next(write, i, &resource, err)))
			return e;
		krn_json_value(&out, NULL, &resource);
	}
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	krn_buf_add_char(write->buf, '\n');
	return KRN_OK;
}

static enum krn_err
export_yaml(struct export_write *write, struct krn_error *err)
{
	const struct krn_member member = {KRN_STR("manifest"), write->manifest};
	const struct krn_value head = {.type = KRN_VALUE_OBJECT,
				       .object = {&member, 1}};
	struct krn_value resource;
	bool any = false;
	enum krn_err e;

	krn_yaml_write(write->buf, &head);
	krn_buf_add_c(write->buf, "resources:");
	for (size_t i = 0; i < write->live->nr; i++) {
		if (!export_has(write, i))
			continue;
		if ((e = export_next(write, i, &resource, err)))
			return e;
		krn_buf_add_c(write->buf, any ? "" : "\n");
		krn_yaml_write_item(write->buf, &resource, 1);
		any = true;
	}
	krn_buf_add_c(write->buf, any ? "" : " []\n");
	return KRN_OK;
}

/* "<folder>/<name>.<ending>" */
static enum krn_err
export_file_path(struct export_write *write, const struct krn_resource *from,
		 struct krn_str *ret, struct krn_error *err)
{
	struct krn_buf path;
	enum krn_err e;

	krn_buf_init(&path, write->arena);
	krn_buf_printf(&path, "%s/", krn_kinds[from->kind].folder);
	export_file_name(&path, from->name);
	krn_buf_add_c(&path, write->options->json ? ".json" : ".yaml");
	krn_buf_add_char(&path, '\0');
	if ((e = krn_buf_end(&path, ret, err)))
		return e;
	ret->len--;
	return KRN_OK;
}

/* The file that lists the others. */
static enum krn_err
export_index(struct export_write *write, struct krn_json_out *out,
	     const struct krn_value *paths, size_t nr, struct krn_buf *text,
	     struct krn_error *err)
{
	const struct krn_member members[] = {
	    {KRN_STR("manifest"), write->manifest},
	    {KRN_STR("files"), {.type = KRN_VALUE_ARRAY, .array = {paths, nr}}},
	};
	const struct krn_value index = {.type = KRN_VALUE_OBJECT,
					.object = {members, KRN_NR(members)}};
	struct krn_str part;
	enum krn_err e;

	krn_buf_clear(text);
	export_text(text, &index, write->options->json);
	if ((e = krn_buf_end(text, &part, err)))
		return e;
	krn_json_str(out, write->options->json ? "bundle.json" : "bundle.yaml",
		     part);
	return KRN_OK;
}

/* {"files": {path: content}, "manifest": {…}} */
static enum krn_err
export_files(struct export_write *write, struct krn_error *err)
{
	struct krn_value *paths =
	    krn_arena_calloc(write->arena, write->live->nr, sizeof(*paths));
	struct krn_value resource;
	struct krn_json_out out;
	struct krn_str path, part;
	struct krn_buf text;
	size_t nr = 0;
	enum krn_err e;

	if (!paths)
		return krn_arena_fail(write->arena, err);
	krn_buf_init(&text, write->arena);
	krn_json_init(&out, write->buf);
	krn_json_obj_open(&out, NULL);
	krn_json_obj_open(&out, "files");
	for (size_t i = 0; i < write->live->nr; i++) {
		if (!export_has(write, i))
			continue;
		krn_buf_clear(&text);
		if ((e = export_file_path(write, &write->live->resources[i],
					  &path, err)) ||
		    (e = export_next(write, i, &resource, err)))
			return e;
		export_text(&text, &resource, write->options->json);
		if ((e = krn_buf_end(&text, &part, err)))
			return e;
		krn_json_str(&out, path.s, part);
		paths[nr++] = krn_value_str(path);
	}
	if ((e = export_index(write, &out, paths, nr, &text, err)))
		return e;
	krn_json_close(&out);
	krn_json_value(&out, "manifest", &write->manifest);
	krn_json_close(&out);
	krn_json_end(&out);
	return KRN_OK;
}

enum krn_err
krn_bundle_write(struct krn_arena *arena, const struct krn_live *live,
		 const struct krn_export_options *options, struct krn_buf *buf,
		 struct krn_error *err)
{
	struct export_write write = {.arena = arena,
				     .scratch = krn_arena_new(0),
				     .live = live,
				     .options = options,
				     .buf = buf};
	enum krn_err e;

	if (!write.scratch)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	e = export_manifest(arena, live, options, &write.manifest, err);
	if (!e)
		e = options->files  ? export_files(&write, err)
		    : options->json ? export_json(&write, err)
				    : export_yaml(&write, err);
	krn_arena_free(write.scratch);
	return e;
}
