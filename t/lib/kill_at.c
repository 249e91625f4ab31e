/*
 * For tests, preloaded: the process is killed right before the call that
 * KRN_KILL_AT counts, of those through which a program acts on a database or
 * on files. When it ends by itself, the number of calls goes to the file that
 * KRN_KILL_COUNT names.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls;

static void
call(void)
{
	const char *at = getenv("KRN_KILL_AT");

	if (++calls == (at ? atol(at) : -1))
		kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void
end(void)
{
	const char *path = getenv("KRN_KILL_COUNT");
	FILE *out = path ? fopen(path, "w") : NULL;

	if (out) {
		fprintf(out, "%ld\n", calls);
		fclose(out);
	}
}

#define KILL_AT(type, name, params, ...)                                       \
	type name params                                                       \
	{                                                                      \
		type(*next) params = (type(*) params)dlsym(RTLD_NEXT, #name);  \
                                                                               \
		call();                                                        \
		return next(__VA_ARGS__);                                      \
	}

/* clang-format off */
KILL_AT(int, PQsendQuery, (void *c, const char *q), c, q)
KILL_AT(int, PQsendQueryParams, (void *c, const char *q, int n, const void *t, const void *v, const void *l, const void *f, int r), c, q, n, t, v, l, f, r)
KILL_AT(int, PQsendQueryPrepared, (void *c, const char *q, int n, const void *v, const void *l, const void *f, int r), c, q, n, v, l, f, r)
KILL_AT(int, PQpipelineSync, (void *c), c)
KILL_AT(int, PQputCopyData, (void *c, const char *b, int n), c, b, n)
KILL_AT(int, PQputCopyEnd, (void *c, const char *e), c, e)
/* a statement is on its way */
KILL_AT(int, poll, (struct pollfd *f, nfds_t n, int t), f, n, t)
KILL_AT(int, fsync, (int f), f)
KILL_AT(int, sync_file_range, (int f, off_t o, off_t n, unsigned w), f, o, n, w)
KILL_AT(int, fdatasync, (int f), f)
KILL_AT(int, mkdir, (const char *a, mode_t m), a, m)
KILL_AT(ssize_t, write, (int f, const void *b, size_t n), f, b, n)
KILL_AT(int, rename, (const char *a, const char *b), a, b)
KILL_AT(int, unlink, (const char *a), a)
KILL_AT(int, open, (const char *a, int w, ...), a, w, 0640)
