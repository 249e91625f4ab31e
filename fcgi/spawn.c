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

#include "base/program.h"

extern char **environ;

static int
spawn_prepare(posix_spawn_file_actions_t *actions,
	      posix_spawnattr_t *attributes)
{
	sigset_t none;
	int e;

	sigemptyset(&none);
	if ((e = posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
						  "/dev/null", O_RDWR, 0)) ||
	    (e = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO,
						  STDOUT_FILENO)) ||
	    (e = posix_spawn_file_actions_addclosefrom_np(actions,
							  STDERR_FILENO + 1)) ||
	    (e = posix_spawnattr_setsigmask(attributes, &none)))
		return e;
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID |
							POSIX_SPAWN_SETSIGMASK);
}

enum krn_err
krn_spawn_worker(struct krn_error *err)
{
	char path[KRN_PROGRAM_PATH_BYTES], option[] = "--once";
	char *const words[] = {path, option, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid;
	int e;

	if (!krn_program_beside("kaireon-worker", path))
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
