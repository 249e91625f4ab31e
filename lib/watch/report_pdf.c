/*
 * PDF, by kaireon-render: page and document are files in memory, so neither
 * side waits for the other.
 */

#include "base/base.h"

#include "watch/report.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "base/service.h"

extern char **environ;

/* How often who waits is told that there is nothing yet. */
#define PDF_TICK_MS 250

/* It has 60 seconds (render/main.c); one that did not heed them is ended. */
#define PDF_SECONDS 75

/* A report is smaller; and how much of its complaints goes to the log. */
#define PDF_BYTES_MAX ((size_t)64 << 20)
#define PDF_COMPLAINT_BYTES 600

struct pdf_files {
	int in, out, complaints; /* -1: not open */
};

static void
pdf_close(struct pdf_files *files)
{
	if (files->in >= 0)
		close(files->in);
	if (files->out >= 0)
		close(files->out);
	if (files->complaints >= 0)
		close(files->complaints);
}

static bool
pdf_write(int fd, struct krn_str text)
{
	while (text.len) {
		const ssize_t done = write(fd, text.s, text.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		text = krn_str_from(text.s + done, text.len - (size_t)done);
	}
	return lseek(fd, 0, SEEK_SET) == 0;
}

/* All of a file; .s NULL: it could not be read. */
static struct krn_str
pdf_read(struct krn_arena *arena, int fd, size_t most)
{
	const off_t size = lseek(fd, 0, SEEK_END);
	const size_t len = size > 0 && (size_t)size > most
			       ? most
			       : (size_t)(size > 0 ? size : 0);
	char *text = krn_arena_alloc(arena, len + 1);

	if (!text || size < 0 || pread(fd, text, len, 0) != (ssize_t)len)
		return krn_str_from(NULL, 0);
	text[len] = '\0';
	return krn_str_from(text, len);
}

/* Start it with the files; it learns who asked, so as not to outlive them. */
static int
pdf_start(const struct pdf_files *files, pid_t *ret_pid)
{
	char path[KRN_PROGRAM_PATH_BYTES], asker[24];
	char *const words[] = {path, asker, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int e;

	if (!krn_program_beside("kaireon-render", path))
		return ENOENT;
	snprintf(asker, sizeof(asker), "%ld", (long)getpid());
	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	if (!(e = posix_spawn_file_actions_adddup2(&actions, files->in,
						   STDIN_FILENO)) &&
	    !(e = posix_spawn_file_actions_adddup2(&actions, files->out,
						   STDOUT_FILENO)) &&
	    !(e = posix_spawn_file_actions_adddup2(&actions, files->complaints,
						   STDERR_FILENO)))
		e = posix_spawn(ret_pid, path, &actions, &attributes, words,
				environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return e;
}

/* It ends by itself, its alarm ends it, or we; the lease is kept meanwhile. */
static int
pdf_wait(pid_t pid, struct krn_db *db, int *ret_status)
{
	struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};
	const int64_t until_us =
	    krn_clock_monotonic_us() + PDF_SECONDS * KRN_US_PER_SECOND;

	while (end.fd >= 0) {
		const int ready = poll(&end, 1, PDF_TICK_MS);

		if (ready > 0 || (ready < 0 && errno != EINTR))
			break;
		/* nobody waited for it yet: the number is still its own */
		if (krn_clock_monotonic_us() > until_us)
			kill(pid, SIGKILL);
		krn_service_alive();
		krn_db_tick(db);
	}
	if (end.fd >= 0)
		close(end.fd);
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

enum krn_err
krn_report_pdf(struct krn_arena *arena, struct krn_db *db, struct krn_str html,
	       struct krn_str *ret, struct krn_error *err)
{
	struct pdf_files files KRN_CLEANUP(pdf_close) = {
	    memfd_create("page", MFD_CLOEXEC),
	    memfd_create("document", MFD_CLOEXEC),
	    memfd_create("complaints", MFD_CLOEXEC)};
	int status = 0, e;
	pid_t pid;

	if (files.in < 0 || files.out < 0 || files.complaints < 0 ||
	    !pdf_write(files.in, html))
		return krn_fail_errno(err, "could not hold a page in memory");
	if ((e = pdf_start(&files, &pid)) || (e = pdf_wait(pid, db, &status))) {
		errno = e;
		return krn_fail_errno(err, "could not start kaireon-render");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "PDF is not available: weasyprint is not "
				  "installed on the worker's host");
	if (WIFSIGNALED(status))
		return krn_refuse(err, KRN_ERR_UNAVAILABLE,
				  "the PDF took too much time or memory");
	*ret = pdf_read(arena, files.out, PDF_BYTES_MAX);
	if (!WEXITSTATUS(status) && ret->s && ret->len < PDF_BYTES_MAX &&
	    krn_str_has_prefix(*ret, KRN_STR("%PDF-")))
		return KRN_OK;
	const struct krn_str why =
	    pdf_read(arena, files.complaints, PDF_COMPLAINT_BYTES);

	return krn_fail(err, KRN_ERR_INTERNAL,
			"kaireon-render ended with %d: %s", WEXITSTATUS(status),
			why.s ? why.s : "");
}
