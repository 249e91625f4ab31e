/*
 * For tests, preloaded: while the file that KRN_FULL_DISK names exists, the
 * disk of all regular files is full, and while KRN_BROKEN_DISK does, nothing
 * can be synced to it. While the one of KRN_SLOW_DISK exists, who syncs waits,
 * and says so in a file beside it, ".waits". Descriptors that programs are started with are not
 * concerned.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
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

static void
wait_for_disk(int fd)
{
	char path[4096];
	FILE *told;

	if (!trouble("KRN_SLOW_DISK", fd))
		return;
	snprintf(path, sizeof(path), "%s.waits", getenv("KRN_SLOW_DISK"));
	told = fopen(path, "w");
	if (told)
		fclose(told);
	while (trouble("KRN_SLOW_DISK", fd))
		usleep(1000);
}

int
fsync(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	wait_for_disk(fd);
	if (!trouble("KRN_BROKEN_DISK", fd))
		return next(fd);
	errno = EIO;
	return -1;
}
