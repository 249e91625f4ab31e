/*
 * kaireon-render: a page of HTML on standard input becomes a PDF on standard
 * output, by WeasyPrint, which Debian has. It is a large program that reads
 * what we wrote; all the same it gets no more than it needs: no network, no
 * descriptors of ours, an end to its time, memory and output, and no way to
 * outlive who asked.
 *
 * Source: seccomp(2), prctl(2), getrlimit(2).
 */

#include "base/base.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* socket(2) fails, of whatever family; everything else is as it was. */
static bool
render_without_network(void)
{
	static struct sock_filter rules[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		     offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {KRN_NR(rules), rules};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

int
main(void)
{
	char *words[] = {(char[]){"weasyprint"}, (char[]){"--encoding"},
			 (char[]){"utf-8"},      (char[]){"-"},
			 (char[]){"-"},          NULL};
	char *environment[] = {(char[]){"PATH=/usr/bin:/bin"},
			       (char[]){"LC_ALL=C.UTF-8"},
			       (char[]){"HOME=/nonexistent"},
			       (char[]){"PYTHONNOUSERSITE=1"}, NULL};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() == 1 ||
	    !render_limit(RLIMIT_CPU, RENDER_SECONDS) ||
	    !render_limit(RLIMIT_FSIZE, RENDER_OUTPUT_BYTES) ||
	    !render_limit(RLIMIT_NOFILE, 256) ||
	    !render_limit(RLIMIT_CORE, 0) ||
	    !render_limit(RLIMIT_AS, RENDER_MEMORY_BYTES) ||
	    !render_without_network()) {
		perror("kaireon-render: could not be confined");
		return 1;
	}
	closefrom(STDERR_FILENO + 1);
	alarm(RENDER_SECONDS); /* outlives the exec, and ends it */
	execve("/usr/bin/weasyprint", words, environment);
	perror("kaireon-render: /usr/bin/weasyprint");
	return errno == ENOENT ? 127 : 126;
}
