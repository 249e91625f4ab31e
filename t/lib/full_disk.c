/*
 * For tests, preloaded: while the file that KRN_FULL_DISK names exists, the
 * disk of all regular files is full, and while KRN_BROKEN_DISK does, nothing
 * can be synced to it. Descriptors that programs are started with are not
 * concerned.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
trouble(const char *variable, int fd)
{
	const char *path = getenv(variable);
	struct stat status;

	return fd > 2 && path && access(path, F_OK) == 0 &&
	       fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	ssize_t (*next)(int, const void *, size_t) =
	    (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

	if (!trouble("KRN_FULL_DISK", fd))
		return next(fd, bytes, len);
	errno = ENOSPC;
	/* a full disk takes what fits */
	return len > 10 ? next(fd, bytes, 10) : -1;
}

int
fsync(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	if (!trouble("KRN_BROKEN_DISK", fd))
		return next(fd);
	errno = EIO;
	return -1;
}
