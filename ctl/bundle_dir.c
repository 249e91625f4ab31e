/*
 * Bundles as folders.
 */

#include "base/base.h"

#include "ctl/bundle_dir.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "catalog/kind.h"
#include "gitops/yaml_in.h"

enum krn_err
krn_file_read(struct krn_arena *arena, struct krn_str path, struct krn_str *ret,
	      struct krn_error *err)
{
	const bool is_stdin = krn_str_eq_c(path, "-");
	FILE *file = is_stdin ? stdin : fopen(path.s, "re");
	char piece[65536];
	struct krn_buf buf;
	size_t len;
	enum krn_err e;

	if (!file)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "could not open %s: %s", path.s,
				  strerror(errno));
	krn_buf_init(&buf, arena);
	while ((len = fread(piece, 1, sizeof(piece), file)) > 0)
		krn_buf_add(&buf, piece, len);
	const bool failed = ferror(file) != 0;

	if (!is_stdin)
		fclose(file);
	if (failed)
		return krn_refuse(err, KRN_ERR_INTERNAL, "could not read %s",
				  path.s);
	krn_buf_add_char(&buf, '\0');
	if ((e = krn_buf_end(&buf, ret, err)))
		return e;
	ret->len--;
	return KRN_OK;
}

static bool
dir_is_json(struct krn_str path)
{
	return krn_str_has_suffix(path, KRN_STR(".json"));
}

static bool
dir_is_document(struct krn_str path)
{
	return path.len && path.s[0] != '.' &&
	       (dir_is_json(path) ||
		krn_str_has_suffix(path, KRN_STR(".yaml")) ||
		krn_str_has_suffix(path, KRN_STR(".yml")));
}

static enum krn_err
dir_parse(struct krn_arena *arena, struct krn_str path, struct krn_value *ret,
	  struct krn_error *err)
{
	struct krn_error why;
	struct krn_str text;
	enum krn_err e;

	if ((e = krn_file_read(arena, path, &text, err)))
		return e;
	e = dir_is_json(path)
		? krn_json_parse(arena, text, KRN_YAML_DEPTH_MAX, ret, &why)
		: krn_yaml_parse(arena, text, ret, &why);
	return e ? krn_refuse(err, e, "%s: %s", path.s, why.message) : KRN_OK;
}

static int
dir_path_order(const void *a, const void *b)
{
	return krn_str_cmp(*(const struct krn_str *)a,
			   *(const struct krn_str *)b);
}

/*
 * Is it there, and itself what it is taken for? A link would lead whoever
 * reads and clears a folder elsewhere. Errors: KRN_ERR_INVALID  it is not
 */
static enum krn_err
dir_check(struct krn_str path, mode_t wanted, bool *ret_is_there,
	  struct krn_error *err)
{
	struct stat st;

	*ret_is_there = lstat(path.s, &st) == 0;
	if (!*ret_is_there || (st.st_mode & S_IFMT) == wanted)
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_INVALID, "%s is not a %s%s", path.s,
			  wanted == S_IFDIR ? "folder" : "file",
			  S_ISLNK(st.st_mode) ? " but a symbolic link" : "");
}

/* The documents of one folder. */
static enum krn_err
dir_list_folder(struct krn_arena *arena, struct krn_str folder, DIR *open,
		struct krn_str **paths, size_t *nr, size_t *size,
		struct krn_error *err)
{
	const struct dirent *entry;
	bool is_there;
	enum krn_err e;

	while ((entry = readdir(open))) {
		if (!dir_is_document(krn_str_c(entry->d_name)))
			continue;
		const struct krn_str path =
		    krn_str_printf(arena, "%s/%s", folder.s, entry->d_name);

		*paths =
		    krn_arena_room(arena, *paths, *nr, size, sizeof(**paths));
		if (!path.s || !*paths)
			return krn_arena_fail(arena, err);
		if ((e = dir_check(path, S_IFREG, &is_there, err)))
			return e;
		if (is_there)
			(*paths)[(*nr)++] = path;
	}
	return KRN_OK;
}

/* The documents of the kinds' folders, in byte order. */
static enum krn_err
dir_list(struct krn_arena *arena, struct krn_str dir, krn_kind_set kinds,
	 struct krn_str **ret, size_t *ret_nr, struct krn_error *err)
{
	size_t size = 0;

	*ret = NULL;
	*ret_nr = 0;
	for (int kind = 0; kind < KRN_KIND__MAX; kind++) {
		const struct krn_str folder = krn_str_printf(
		    arena, "%s/%s", dir.s, krn_kinds[kind].folder);
		bool is_there;
		enum krn_err e;

		if (!folder.s)
			return krn_arena_fail(arena, err);
		if ((e = dir_check(folder, S_IFDIR, &is_there, err)))
			return e;
		DIR *open =
		    is_there && kinds >> kind & 1 ? opendir(folder.s) : NULL;

		if (!open)
			continue;
		e = dir_list_folder(arena, folder, open, ret, ret_nr, &size,
				    err);
		closedir(open);
		if (e)
			return e;
	}
	if (*ret_nr)
		qsort(*ret, *ret_nr, sizeof(**ret), dir_path_order);
	return KRN_OK;
}

static enum krn_err
dir_manifest(struct krn_arena *arena, struct krn_str dir, struct krn_value *ret,
	     struct krn_error *err)
{
	struct krn_str path = krn_str_printf(arena, "%s/bundle.yaml", dir.s);
	const struct krn_value *manifest;
	struct krn_value index;
	enum krn_err e;

	if (path.s && access(path.s, R_OK) != 0)
		path = krn_str_printf(arena, "%s/bundle.json", dir.s);
	if (!path.s)
		return krn_arena_fail(arena, err);
	if ((e = dir_parse(arena, path, &index, err)))
		return e;
	manifest = krn_value_find(&index, "manifest");
	if (!manifest)
		return krn_refuse(err, KRN_ERR_INVALID, "%s has no manifest",
				  path.s);
	*ret = *manifest;
	return KRN_OK;
}

enum krn_err
krn_bundle_dir_read(struct krn_arena *arena, struct krn_str dir,
		    struct krn_bundle_dir *ret, struct krn_error *err)
{
	struct krn_value manifest, resource;
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	if ((e = dir_manifest(arena, dir, &manifest, err)) ||
	    (e = dir_list(arena, dir, KRN_KINDS_ALL, &ret->paths, &ret->nr,
			  err)))
		return e;
	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_value(&out, "manifest", &manifest);
	krn_json_arr_open(&out, "resources");
	for (size_t i = 0; i < ret->nr; i++) {
		if ((e = dir_parse(arena, ret->paths[i], &resource, err)))
			return e;
		krn_json_value(&out, NULL, &resource);
	}
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, &ret->body, err);
}

/* "offers/Gold%20Card.yaml": a kind's folder and a name, nothing else. */
static bool
dir_path_is_safe(struct krn_str path)
{
	const ptrdiff_t slash = krn_str_find_char(path, '/');
	struct krn_str name = path;

	if (slash >= 0) {
		int kind = 0;

		name = krn_str_from(path.s + slash + 1,
				    path.len - (size_t)slash - 1);
		while (kind < KRN_KIND__MAX &&
		       !krn_str_eq_c(krn_str_from(path.s, (size_t)slash),
				     krn_kinds[kind].folder))
			kind++;
		if (kind == KRN_KIND__MAX)
			return false;
	}
	return dir_is_document(name) && krn_str_find_char(name, '/') < 0 &&
	       !memchr(name.s, '\0', name.len);
}

/* The text without its line of exportedAt. */
static struct krn_str
dir_timeless(struct krn_arena *arena, struct krn_str text)
{
	struct krn_buf buf;
	struct krn_str line, ret;

	krn_buf_init(&buf, arena);
	while (krn_str_split(&text, '\n', &line))
		if (!memmem(line.s, line.len, "exportedAt", 10)) {
			krn_buf_add_str(&buf, line);
			krn_buf_add_char(&buf, '\n');
		}
	return krn_buf_end(&buf, &ret, NULL) ? KRN_STR("") : ret;
}

static enum krn_err
dir_write_one(struct krn_arena *arena, struct krn_str path, struct krn_str text,
	      struct krn_error *err)
{
	struct krn_file *file;
	struct krn_str old;
	enum krn_err e;

	const bool is_index = krn_str_has_suffix(path, KRN_STR("/bundle.yaml"));

	if (krn_file_read(arena, path, &old, NULL) == KRN_OK &&
	    (krn_str_eq(old, text) ||
	     (is_index &&
	      krn_str_eq(dir_timeless(arena, old), dir_timeless(arena, text)))))
		return KRN_OK;
	if ((e = krn_file_begin(arena, path, &file, err)) ||
	    (e = krn_file_write(file, text.s, text.len, err)))
		return e;
	return krn_file_publish(file, err);
}

enum krn_err
krn_bundle_dir_write(struct krn_arena *arena, struct krn_str dir,
		     krn_kind_set kinds, const struct krn_value *answer,
		     size_t *ret_files, struct krn_error *err)
{
	const struct krn_value *files = krn_value_find(answer, "files");
	struct krn_str *paths, path;
	size_t nr;
	enum krn_err e;

	if (!files || files->type != KRN_VALUE_OBJECT)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the answer has no files");
	for (size_t i = 0; i < files->object.nr; i++) {
		const struct krn_member *member = &files->object.members[i];

		if (!dir_path_is_safe(member->name) ||
		    member->value.type != KRN_VALUE_STRING)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "the answer has a file \"%.200s\"",
					  member->name.s);
	}
	/* the folders are what they should be before anything is written */
	if ((e = dir_list(arena, dir, kinds, &paths, &nr, err)))
		return e;
	for (size_t i = 0; i < files->object.nr; i++) {
		const struct krn_member *member = &files->object.members[i];

		path = krn_str_printf(arena, "%s/%s", dir.s, member->name.s);
		if (!path.s)
			return krn_arena_fail(arena, err);
		if ((e = dir_write_one(arena, path, member->value.string, err)))
			return e;
	}
	if ((e = dir_list(arena, dir, kinds, &paths, &nr, err)))
		return e;
	for (size_t i = 0; i < nr; i++) {
		const struct krn_str below = krn_str_from(
		    paths[i].s + dir.len + 1, paths[i].len - dir.len - 1);

		if (!krn_value_find_str(files, below) &&
		    unlink(paths[i].s) != 0)
			return krn_fail_errno(err, "could not remove %s",
					      paths[i].s);
	}
	*ret_files = files->object.nr;
	return KRN_OK;
}
