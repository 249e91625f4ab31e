/*
 * kaireon-render: a page of HTML on standard input becomes a PDF on standard
 * output, by WeasyPrint, which Debian has. It is a large program that reads
 * what we wrote; all the same it gets no more than it needs: no network, no
 * files but programs and fonts, no way to other processes (it has the worker's
 * user), no descriptors of ours, an end to its time, memory and output, and no
 * way to outlive who asked.
 *
 *	kaireon-render [PID]	ends at once when its parent is not PID
 *
 * Source: landlock(7), seccomp(2), prctl(2), getrlimit(2).
 */

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

#define RENDER_SECONDS 60
#define RENDER_MEMORY_BYTES ((rlim_t)2 << 30)
#define RENDER_OUTPUT_BYTES ((rlim_t)64 << 20)

/* A unit of systemd's that forbids this call sets limits of its own. */
static bool
render_limit(int resource, rlim_t most)
{
	const struct rlimit limit = {most, most};

	return setrlimit((__rlimit_resource_t)resource, &limit) == 0 ||
	       errno == EPERM;
}

/* Whoever asked may have died before this. */
static bool
render_dies_with(const char *asker)
{
	int64_t pid;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return false;
	if (!asker || (krn_parse_int64(krn_str_c(asker), 1, INT32_MAX, &pid,
				       NULL) == KRN_OK &&
		       getppid() == pid))
		return true;
	errno = ESRCH;
	return false;
}

/* Files */

#define RENDER_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

#define RENDER_SCRATCH                                                         \
	(RENDER_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |                         \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |           \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE)

/*
 * Where programs, libraries and fonts are, and the folder for temporary files,
 * which WeasyPrint wants and systemd gives the worker alone. What is not there
 * is left out.
 */
static const struct {
	const char *path;
	uint64_t access;
} render_files[] = {
    {"/usr", RENDER_READ | LANDLOCK_ACCESS_FS_EXECUTE},
    {"/lib", RENDER_READ | LANDLOCK_ACCESS_FS_EXECUTE},
    {"/lib64", RENDER_READ | LANDLOCK_ACCESS_FS_EXECUTE},
    {"/etc/fonts", RENDER_READ},
    {"/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE},
    {"/etc/localtime", LANDLOCK_ACCESS_FS_READ_FILE},
    {"/etc/mime.types", LANDLOCK_ACCESS_FS_READ_FILE},
    {"/etc/python3", RENDER_READ},
    {"/etc/python3.11", RENDER_READ},
    {"/var/cache/fontconfig", RENDER_READ},
    {"/dev/null", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE},
    {"/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE},
    {"/tmp", RENDER_SCRATCH},
};

static bool
render_allow(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr beneath = {
	    .allowed_access = access,
	    .parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	bool ok;

	if (beneath.parent_fd < 0)
		return errno == ENOENT || errno == EACCES;
	ok = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		     &beneath, 0) == 0;
	close(beneath.parent_fd);
	return ok;
}

/*
 * Every access of the first version of landlock is refused but for the list;
 * with that go ptrace and the memory of processes outside. A kernel without
 * it (before 5.13) leaves the rest of the confinement. Of what no version or
 * only a later one knows, the system calls are refused (render_calls).
 */
static bool
render_without_files(void)
{
	const struct landlock_ruleset_attr attr = {
	    .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	const int rules =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	bool ok = true;

	if (rules < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM;
	for (size_t i = 0; ok && i < KRN_NR(render_files); i++)
		ok = render_allow(rules, render_files[i].path,
				  render_files[i].access);
	ok = ok && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	close(rules);
	return ok;
}

/* System calls */

/* Newer than the libraries; all architectures have the same numbers. */
#define RENDER_FCHMODAT2 452
#define RENDER_SETXATTRAT 463
#define RENDER_REMOVEXATTRAT 466
#define RENDER_FILE_SETATTR 469

/*
 * To the network, to other processes, around the filter, to more rights, and to
 * what landlock leaves of files: their length, mode, owner, times, attributes.
 * A call that an architecture does not have has a negative number, which the
 * filter never meets. A child would outlive the alarm and who asked.
 */
static const int render_calls[] = {
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(mount),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(truncate),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    RENDER_FCHMODAT2,
    SCMP_SYS(chown),
    SCMP_SYS(fchown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(utime),
    SCMP_SYS(utimes),
    SCMP_SYS(futimesat),
    SCMP_SYS(utimensat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    RENDER_SETXATTRAT,
    RENDER_REMOVEXATTRAT,
    RENDER_FILE_SETATTR,
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
};

/*
 * These fail; everything else is as it was. Calls of another architecture, x32
 * among them, end the process (SCMP_FLTATR_ACT_BADARCH).
 */
static bool
render_without_calls(void)
{
	/* its own limits it may read */
	const struct scmp_arg_cmp others = {.arg = 0, .op = SCMP_CMP_NE};
	const struct scmp_arg_cmp children = {
	    .arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = CLONE_THREAD};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int e = filter ? 0 : -ENOMEM;

	for (size_t i = 0; !e && i < KRN_NR(render_calls); i++)
		e = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES),
				     render_calls[i], 0);
	if (!e)
		e = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES),
					   SCMP_SYS(prlimit64), 1, &others);
	/* a thread is no child; where clone3 is missing, clone is called */
	if (!e)
		e = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES),
					   SCMP_SYS(clone), 1, &children);
	if (!e)
		e = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
				     SCMP_SYS(clone3), 0);
	if (!e)
		e = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	errno = -e;
	return e == 0;
}

int
main(int argc, char **argv)
{
	char *words[] = {(char[]){"weasyprint"}, (char[]){"--encoding"},
			 (char[]){"utf-8"},      (char[]){"-"},
			 (char[]){"-"},          NULL};
	char *environment[] = {(char[]){"PATH=/usr/bin:/bin"},
			       (char[]){"LC_ALL=C.UTF-8"},
			       (char[]){"HOME=/nonexistent"},
			       (char[]){"PYTHONNOUSERSITE=1"}, NULL};

	if (!render_dies_with(argc > 1 ? argv[1] : NULL) ||
	    !render_limit(RLIMIT_CPU, RENDER_SECONDS) ||
	    !render_limit(RLIMIT_FSIZE, RENDER_OUTPUT_BYTES) ||
	    !render_limit(RLIMIT_NOFILE, 256) ||
	    !render_limit(RLIMIT_CORE, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    !render_without_files() || !render_without_calls() ||
	    !render_limit(RLIMIT_AS, RENDER_MEMORY_BYTES)) {
		perror("kaireon-render: could not be confined");
		return 1;
	}
	closefrom(STDERR_FILENO + 1);
	alarm(RENDER_SECONDS); /* outlives the exec, and ends it */
	execve("/usr/bin/weasyprint", words, environment);
	perror("kaireon-render: /usr/bin/weasyprint");
	return errno == ENOENT ? 127 : 126;
}
