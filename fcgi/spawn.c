/*
 * Starting a worker.
 */

#include "base/base.h"

#include "fcgi/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

extern char **environ;

#define SPAWN_PATH_MAX 4096

/* The worker lies where this program lies. */
static bool
spawn_path(char ret_path[SPAWN_PATH_MAX])
{
	static const char name[] = "kaireon-worker";
	const ssize_t len =
	    readlink("/proc/self/exe", ret_path, SPAWN_PATH_MAX - sizeof(name));
	char *slash = len > 0 ? memrchr(ret_path, '/', (size_t)len) : NULL;

	if (!slash)
		return false;
	memcpy(slash + 1, name, sizeof(name));
	return true;
}

static int
spawn_prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes)
{
	sigset_t none;
	int e;

	sigemptyset(&none);
	if ((e = posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
						  "/dev/null", O_RDWR, 0)) ||
	    (e = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO,
						  STDOUT_FILENO)) ||
	    (e = posix_spawn_file_actions_addclosefrom_np(
		 actions, STDERR_FILENO + 1)) ||
	    (e = posix_spawnattr_setsigmask(attributes, &none)))
		return e;
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
							POSIX_SPAWN_SETSIGMASK);
}

enum krn_err
krn_spawn_worker(struct krn_error *err)
{
	char path[SPAWN_PATH_MAX], option[] = "--once";
	char *const words[] = {path, option, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid;
	int e;

	if (!spawn_path(path))
		return krn_fail_errno(err, "could not find kaireon-worker");
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	if (!(e = spawn_prepare(&actions, &attributes)))
		e = posix_spawn(&pid, path, &actions, &attributes, words,
				environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	errno = e;
	return e ? krn_fail_errno(err, "could not start %s", path) : KRN_OK;
}
