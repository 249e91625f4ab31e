/*
 * Files that are published by rename.
 */

#include "base/base.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* So much is handed to the disk at once, while more is being made: what is
 * left to wait for at the end is little. */
#define FILE_FLUSH_BYTES (INT64_C(1) << 20)

struct krn_file {
	int fd; /* -1: closed */
	char *path;
	char *temporary;
	char *folder;
	dev_t device; /* of what fd wrote; 0, 0: not made */
	ino_t inode;
	bool published;
	int64_t bytes, flushed;
	struct krn_sha256 *hash;
};

/* Is what bears the temporary name ours, not a later attempt's? */
static bool
file_is_ours(const struct krn_file *file)
{
	struct stat status;

	return lstat(file->temporary, &status) == 0 &&
	       status.st_dev == file->device && status.st_ino == file->inode;
}

static void
file_release(void *data)
{
	struct krn_file *file = data;

	if (file->fd >= 0)
		close(file->fd);
	if (!file->published && file_is_ours(file))
		unlink(file->temporary);
}

/* mkdir -p */
static enum krn_err
file_make_folders(char *folder, struct krn_error *err)
{
	for (char *at = folder + 1;; at++) {
		const char kept = *at;

		if (kept != '/' && kept != '\0')
			continue;
		*at = '\0';
		if (mkdir(folder, 0750) != 0 && errno != EEXIST)
			return krn_fail_errno(err, "make the folder \"%s\"",
					      folder);
		*at = kept;
		if (kept == '\0')
			return KRN_OK;
	}
}

/* ".<name>.tmp" beside it */
static struct krn_str
file_temporary(struct krn_arena *arena, struct krn_str path)
{
	const char *name = (const char *)memrchr(path.s, '/', path.len) + 1;

	return krn_str_printf(arena, "%.*s.%.*s.tmp", (int)(name - path.s),
			      path.s, (int)(path.s + path.len - name), name);
}

/*
 * Anew: who still writes what an earlier attempt left writes nowhere, and
 * cannot publish it.
 */
static enum krn_err
file_create(struct krn_file *file, struct krn_error *err)
{
	struct stat status;

	if (unlink(file->temporary) != 0 && errno != ENOENT)
		return krn_fail_errno(err, "remove \"%s\"", file->temporary);
	file->fd = open(file->temporary,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (file->fd < 0 || fstat(file->fd, &status) != 0)
		return krn_fail_errno(err, "create \"%s\"", file->temporary);
	file->device = status.st_dev;
	file->inode = status.st_ino;
	return KRN_OK;
}

enum krn_err
krn_file_begin(struct krn_arena *arena, struct krn_str path,
	       struct krn_file **ret, struct krn_error *err)
{
	struct krn_file *file = krn_arena_make(arena, struct krn_file);
	const char *slash = memrchr(path.s, '/', path.len);
	enum krn_err e;

	KRN_BUG_IF(!slash || path.s[0] != '/');
	if (!file)
		return krn_arena_fail(arena, err);
	file->fd = -1;
	file->path = krn_str_cstr(arena, path);
	file->folder =
	    krn_str_cstr(arena, krn_str_from(path.s, (size_t)(slash - path.s)));
	const struct krn_str temporary = file_temporary(arena, path);

	file->hash = krn_sha256_new(arena);
	if (!file->path || !file->folder || !temporary.s || !file->hash)
		return krn_arena_fail(arena, err);
	file->temporary = krn_str_cstr(arena, temporary);
	if (!file->temporary)
		return krn_arena_fail(arena, err);
	if ((e = file_make_folders(file->folder, err)) ||
	    (e = krn_arena_defer(arena, file_release, file, err)))
		return e;
	if ((e = file_create(file, err)))
		return e;
	*ret = file;
	return KRN_OK;
}

/* The disk may begin. A hint: what fails here fails in fsync, too. */
static void
file_flush(struct krn_file *file)
{
	sync_file_range(file->fd, file->flushed, file->bytes - file->flushed,
			SYNC_FILE_RANGE_WRITE);
	file->flushed = file->bytes;
}

enum krn_err
krn_file_write(struct krn_file *file, const char *bytes, size_t len,
	       struct krn_error *err)
{
	krn_sha256_add(file->hash, bytes, len);
	file->bytes += (int64_t)len;
	while (len) {
		const ssize_t done = write(file->fd, bytes, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return krn_fail_errno(err, "write \"%s\"",
					      file->temporary);
		bytes += done;
		len -= (size_t)done;
	}
	if (file->bytes - file->flushed < FILE_FLUSH_BYTES)
		return KRN_OK;
	file_flush(file);
	return KRN_OK;
}

static enum krn_err
file_sync_folder(const char *folder, struct krn_error *err)
{
	const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return krn_fail_errno(err, "open the folder \"%s\"", folder);
	const int failed = fsync(fd);

	close(fd);
	return failed ? krn_fail_errno(err, "sync the folder \"%s\"", folder)
		      : KRN_OK;
}

void
krn_file_end(struct krn_file *file, int64_t *ret_bytes,
	     char ret_sha256[KRN_SHA256_HEX_BYTES])
{
	unsigned char digest[KRN_SHA256_BYTES];

	file_flush(file);
	krn_sha256_end(file->hash, digest);
	krn_format_hex(digest, sizeof(digest), ret_sha256);
	*ret_bytes = file->bytes;
}

enum krn_err
krn_file_sync(struct krn_file *file, struct krn_error *err)
{
	if (file->fd < 0)
		return KRN_OK;
	if (fsync(file->fd) != 0)
		return krn_fail_errno(err, "sync \"%s\"", file->temporary);
	const int failed = close(file->fd);

	file->fd = -1;
	return failed ? krn_fail_errno(err, "close \"%s\"", file->temporary)
		      : KRN_OK;
}

enum krn_err
krn_file_publish(struct krn_file *file, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_file_sync(file, err)))
		return e;
	if (!file_is_ours(file))
		return krn_fail(err, KRN_ERR_INTERNAL,
				"\"%s\" is another attempt's or was removed",
				file->temporary);
	if (rename(file->temporary, file->path) != 0)
		return krn_fail_errno(err, "rename \"%s\"", file->temporary);
	file->published = true;
	return file_sync_folder(file->folder, err);
}

enum krn_err
krn_file_remove(struct krn_arena *arena, struct krn_str path,
		struct krn_error *err)
{
	const char *name = krn_str_cstr(arena, path);
	const struct krn_str temporary = file_temporary(arena, path);

	if (!name || !temporary.s)
		return krn_arena_fail(arena, err);
	/* first what would be renamed, so that it cannot be any more */
	if ((unlink(temporary.s) != 0 && errno != ENOENT) ||
	    (unlink(name) != 0 && errno != ENOENT))
		return krn_fail_errno(err, "remove \"%s\"", name);
	return KRN_OK;
}
