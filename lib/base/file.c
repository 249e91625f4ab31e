/*
 * Files that are published by rename.
 */

#include "base/base.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct krn_file {
	int fd; /* -1: closed */
	char *path;
	char *temporary;
	char *folder;
	bool published;
	int64_t bytes;
	struct krn_sha256 *hash;
};

static void
file_release(void *data)
{
	struct krn_file *file = data;

	if (file->fd >= 0)
		close(file->fd);
	if (!file->published)
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

enum krn_err
krn_file_begin(struct krn_arena *arena, struct krn_str path,
	       struct krn_file **ret, struct krn_error *err)
{
	struct krn_file *file = krn_arena_make(arena, struct krn_file);
	const char *slash = memrchr(path.s, '/', path.len);
	enum krn_err e;

	KRN_BUG_IF(!slash || path.s[0] != '/');
	const int folder_len = (int)(slash - path.s);

	if (!file)
		return krn_arena_fail(arena, err);
	file->fd = -1;
	file->path = krn_str_cstr(arena, path);
	file->folder =
	    krn_str_cstr(arena, krn_str_from(path.s, (size_t)folder_len));
	struct krn_str temporary =
	    krn_str_printf(arena, "%.*s/.%.*s.tmp", folder_len, path.s,
			   (int)(path.len - (size_t)folder_len - 1), slash + 1);

	file->hash = krn_sha256_new(arena);
	if (!file->path || !file->folder || !temporary.s || !file->hash)
		return krn_arena_fail(arena, err);
	file->temporary = krn_str_cstr(arena, temporary);
	if (!file->temporary)
		return krn_arena_fail(arena, err);
	if ((e = file_make_folders(file->folder, err)) ||
	    (e = krn_arena_defer(arena, file_release, file, err)))
		return e;
	file->fd = open(file->temporary,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0640);
	if (file->fd < 0)
		return krn_fail_errno(err, "create \"%s\"", file->temporary);
	*ret = file;
	return KRN_OK;
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

enum krn_err
krn_file_publish(struct krn_file *file, int64_t *ret_bytes,
		 char ret_sha256[KRN_SHA256_HEX_BYTES], struct krn_error *err)
{
	unsigned char digest[KRN_SHA256_BYTES];

	if (fsync(file->fd) != 0)
		return krn_fail_errno(err, "sync \"%s\"", file->temporary);
	const int failed = close(file->fd);

	file->fd = -1;
	if (failed)
		return krn_fail_errno(err, "close \"%s\"", file->temporary);
	if (rename(file->temporary, file->path) != 0)
		return krn_fail_errno(err, "rename \"%s\"", file->temporary);
	file->published = true;
	krn_sha256_end(file->hash, digest);
	krn_format_hex(digest, sizeof(digest), ret_sha256);
	*ret_bytes = file->bytes;
	return file_sync_folder(file->folder, err);
}
