/*
 * Reading and listing, here and in S3.
 */

#include "base/base.h"

#include "egress/source.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <unistd.h>

#include "egress/s3.h"

/* What is read of a local file at once. */
#define SOURCE_READ_BYTES 131072

static const char source_scheme[] = "file://";

/* The path of a file:// address; NULL: it is another. */
static const char *
source_path(struct krn_arena *arena, struct krn_str url)
{
	const struct krn_str scheme = krn_str_c(source_scheme);

	if (!krn_str_has_prefix(url, scheme))
		return NULL;
	return krn_str_cstr(
	    arena, krn_str_from(url.s + scheme.len, url.len - scheme.len));
}

struct source {
	struct krn_codec *codec;
	struct krn_sha256 *hash;
	int64_t bytes;
};

static enum krn_err
source_take(void *data, const char *bytes, size_t len, struct krn_error *err)
{
	struct source *source = data;

	krn_sha256_add(source->hash, bytes, len);
	source->bytes += (int64_t)len;
	return krn_codec_put(source->codec, bytes, len, err);
}

static void
source_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static enum krn_err
source_read_file(struct krn_arena *arena, const char *path,
		 struct source *source, struct krn_error *err)
{
	char *buf = krn_arena_alloc(arena, SOURCE_READ_BYTES);
	int fd KRN_CLEANUP(source_close) = open(path, O_RDONLY | O_CLOEXEC);
	enum krn_err e;

	if (!buf)
		return krn_arena_fail(arena, err);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such file");
	if (fd < 0)
		return krn_fail_errno(err, "open \"%s\"", path);
	for (;;) {
		const ssize_t nr = read(fd, buf, SOURCE_READ_BYTES);

		if (nr < 0 && errno == EINTR)
			continue;
		if (nr < 0)
			return krn_fail_errno(err, "read \"%s\"", path);
		if (nr == 0)
			return KRN_OK;
		if ((e = source_take(source, buf, (size_t)nr, err)))
			return e;
	}
}

enum krn_err
krn_source_read(struct krn_arena *arena, const struct krn_options *options,
		struct krn_str url, krn_codec_fn fn, void *data,
		int64_t *ret_bytes, char ret_sha256[KRN_SHA256_HEX_BYTES],
		struct krn_error *err)
{
	struct source source = {.hash = krn_sha256_new(arena)};
	unsigned char digest[KRN_SHA256_BYTES];
	const char *path = source_path(arena, url);
	struct krn_s3_object object;
	enum krn_err e;

	if (!source.hash)
		return krn_arena_fail(arena, err);
	if ((e = krn_codec_new(arena, krn_codec_of(url), true, fn, data,
			       &source.codec, err)))
		return e;
	if (path)
		e = source_read_file(arena, path, &source, err);
	else if (!(e = krn_s3_path_parse(url, &object, err)))
		e = krn_s3_read(options, &object, source_take, &source, err);
	if (e || (e = krn_codec_end(source.codec, err)))
		return e;
	krn_sha256_end(source.hash, digest);
	krn_format_hex(digest, sizeof(digest), ret_sha256);
	*ret_bytes = source.bytes;
	return KRN_OK;
}

/* Listing */

struct source_list {
	struct krn_arena *arena;
	struct krn_str after;
	struct krn_str *paths;
	size_t nr, size;
};

static enum krn_err
source_list_add(void *data, struct krn_str path, struct krn_error *err)
{
	struct source_list *list = data;

	if (krn_str_cmp(path, list->after) <= 0)
		return KRN_OK;
	list->paths = krn_arena_room(list->arena, list->paths, list->nr,
				     &list->size, sizeof(*list->paths));
	if (!list->paths)
		return krn_arena_fail(list->arena, err);
	list->paths[list->nr] = krn_str_dup(list->arena, path);
	return list->paths[list->nr++].s ? KRN_OK
					 : krn_arena_fail(list->arena, err);
}

static void
source_fts_close(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

/* Is whatever a folder has before `after`? */
static bool
source_is_before(const struct source_list *list, struct krn_str folder)
{
	const size_t len =
	    folder.len < list->after.len ? folder.len : list->after.len;

	return krn_str_cmp(folder, krn_str_from(list->after.s, len)) < 0;
}

static enum krn_err
source_list_files(struct source_list *list, const char *folder,
		  struct krn_error *err)
{
	char *roots[] = {krn_str_cstr(list->arena, krn_str_c(folder)), NULL};
	FTS *fts KRN_CLEANUP(source_fts_close) = NULL;
	const size_t root_len = strlen(folder);
	FTSENT *entry;
	enum krn_err e;

	if (!roots[0])
		return krn_arena_fail(list->arena, err);
	if (!(fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL)))
		return krn_fail_errno(err, "read the folder \"%s\"", folder);
	while ((errno = 0, entry = fts_read(fts))) {
		const bool is_error = entry->fts_info == FTS_ERR ||
				      entry->fts_info == FTS_DNR ||
				      entry->fts_info == FTS_NS;

		errno = entry->fts_errno;
		if (is_error && errno != ENOENT && errno != ENOTDIR)
			return krn_fail_errno(err, "read \"%s\"",
					      entry->fts_path);
		if (entry->fts_level == FTS_ROOTLEVEL)
			continue;
		const struct krn_str path =
		    krn_str_c(entry->fts_path + root_len + 1);

		if (entry->fts_info == FTS_D && source_is_before(list, path))
			fts_set(fts, entry, FTS_SKIP);
		/* ".<name>.tmp" is under way */
		if (entry->fts_info != FTS_F || entry->fts_name[0] == '.')
			continue;
		if ((e = source_list_add(list, path, err)))
			return e;
	}
	return errno ? krn_fail_errno(err, "read the folder \"%s\"", folder)
		     : KRN_OK;
}

static int
source_path_cmp(const void *a, const void *b)
{
	const struct krn_str *one = a, *other = b;

	return krn_str_cmp(*one, *other);
}

enum krn_err
krn_source_list(struct krn_arena *arena, const struct krn_options *options,
		struct krn_str url, struct krn_str after, struct krn_str **ret,
		size_t *ret_nr, struct krn_error *err)
{
	struct source_list list = {.arena = arena, .after = after};
	const char *folder = source_path(arena, url);
	struct krn_s3_object object;
	enum krn_err e;

	if (folder)
		e = source_list_files(&list, folder, err);
	else if (!(e = krn_s3_path_parse(url, &object, err)))
		e = krn_s3_list(options, &object, after, source_list_add, &list,
				err);
	if (e)
		return e;
	if (list.nr)
		qsort(list.paths, list.nr, sizeof(*list.paths),
		      source_path_cmp);
	*ret = list.paths;
	*ret_nr = list.nr;
	return KRN_OK;
}
