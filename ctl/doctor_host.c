/*
 * kaireonctl doctor: the checks of this host.
 */

#include "base/base.h"

#include "ctl/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "egress/http.h"

/* A disk that has less left than both is about to be full. */
#define DOCTOR_DISK_PERCENT 5
#define DOCTOR_DISK_BYTES (UINT64_C(1) << 30)

#define DOCTOR_SITE_TIMEOUT_MS 10000
#define DOCTOR_SITE_ANSWER_MAX 65536

/* Secrets */

/* Does a path have rights for anybody but its owner? */
static bool
doctor_is_open(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && (info.st_mode & 077) != 0;
}

/* The folder, and whatever is in it. */
static bool
doctor_files_are_closed(const struct doctor *doctor,
			struct doctor_answer *answer, const char *directory)
{
	DIR *files = opendir(directory);
	const struct dirent *file;
	struct krn_str path = krn_str_c(directory);

	while (path.s && !doctor_is_open(path.s) && files &&
	       (file = readdir(files)))
		if (file->d_name[0] != '.')
			path = krn_str_printf(doctor->ctl->arena, "%s/%s",
					      directory, file->d_name);
	const bool closed = files && path.s && !doctor_is_open(path.s);

	if (!closed)
		doctor_wrong(doctor, answer,
			     "chmod -R go= on the folder: only root reads "
			     "secrets, units get copies",
			     files ? "%s may be read by others"
				   : "%s cannot be read",
			     path.s ? path.s : directory);
	if (files)
		closedir(files);
	return closed;
}

void
doctor_secrets(const struct doctor *doctor, struct doctor_answer *answer)
{
	const struct krn_options *o = doctor->ctl->options;
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	const struct {
		const char *name;
		struct krn_str value;
	} needed[] = {
	    {"API_KEY_PEPPER", o->api_key_pepper},
	    {"CRON_SECRET", o->cron_secret},
	};

	for (size_t i = 0; i < KRN_NR(needed); i++)
		if (!needed[i].value.len) {
			doctor_wrong(doctor, answer,
				     "as root: /usr/lib/kaireon/make-secrets "
				     "/etc/kaireon/secrets",
				     "%s is not set", needed[i].name);
			return;
		}
	if (directory && !doctor_files_are_closed(doctor, answer, directory))
		return;
	doctor_say(doctor, answer, "set, %s",
		   directory ? "in files that only their owner reads"
			     : "by the environment");
}

/* Disk */

/* The folder of an option, or .s NULL when it is not on this host. */
static struct krn_str
doctor_folder(struct krn_str value)
{
	const struct krn_str scheme = KRN_STR("file://");

	if (krn_str_has_prefix(value, scheme))
		return krn_str_from(value.s + scheme.len,
				    value.len - scheme.len);
	return value.len && value.s[0] == '/' ? value
					      : (struct krn_str){NULL, 0};
}

static bool
doctor_has_room(const struct doctor *doctor, struct doctor_answer *answer,
		const char *option, struct krn_str folder)
{
	const char *path = krn_str_cstr(doctor->ctl->arena, folder);
	struct statvfs info;

	if (!path)
		return false;
	if (statvfs(path, &info) != 0) {
		doctor_wrong(doctor, answer,
			     "make the folder, owned by kaireon "
			     "(systemd-tmpfiles --create)",
			     "%s: %s: %s", option, path, strerror(errno));
		return false;
	}
	const uint64_t left = (uint64_t)info.f_bavail * info.f_frsize;
	const uint64_t all = (uint64_t)info.f_blocks * info.f_frsize;

	if (left < DOCTOR_DISK_BYTES || (info.f_files && info.f_favail == 0) ||
	    (left < 10 * DOCTOR_DISK_BYTES &&
	     left < all / 100 * DOCTOR_DISK_PERCENT)) {
		doctor_wrong(doctor, answer,
			     "free some or add a disk: runs and exports wait "
			     "and lose nothing",
			     "%s: %s has %llu MiB left", option, path,
			     (unsigned long long)(left >> 20));
		return false;
	}
	return true;
}

void
doctor_disk(const struct doctor *doctor, struct doctor_answer *answer)
{
	const struct krn_options *o = doctor->ctl->options;
	const struct {
		const char *option;
		struct krn_str folder;
	} folders[] = {
	    {"RUN_FILE_DIR", doctor_folder(o->run_file_dir)},
	    {"EXPORT_URL", doctor_folder(o->export_url)},
	};
	int nr = 0;

	for (size_t i = 0; i < KRN_NR(folders); i++) {
		if (!folders[i].folder.s)
			continue;
		if (!doctor_has_room(doctor, answer, folders[i].option,
				     folders[i].folder))
			return;
		nr++;
	}
	doctor_say(doctor, answer,
		   nr ? "there is room" : "all files are elsewhere");
}

/* Sockets */

static bool
doctor_connects(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = false;

	if (fd >= 0 && strlen(path) < sizeof(address.sun_path)) {
		memcpy(address.sun_path, path, strlen(path) + 1);
		connected = connect(fd, (const struct sockaddr *)&address,
				    sizeof(address)) == 0;
	}
	if (fd >= 0)
		close(fd);
	return connected;
}

void
doctor_sockets(const struct doctor *doctor, struct doctor_answer *answer)
{
	static const char *const pools[] = {"api", "cron"};
	const struct krn_str folder = doctor->ctl->run_dir.s
					  ? doctor->ctl->run_dir
					  : KRN_STR("/run/kaireon");

	for (size_t i = 0; i < KRN_NR(pools); i++) {
		const struct krn_str path =
		    krn_str_printf(doctor->ctl->arena, "%.*s/%s.sock",
				   KRN_STR_ARG(folder), pools[i]);

		if (!path.s || doctor_connects(path.s))
			continue;
		doctor_wrong(doctor, answer,
			     "systemctl enable --now kaireon-api.socket "
			     "kaireon-cron.socket; a host without pools: "
			     "--skip sockets,site",
			     "%s: %s", path.s, strerror(errno));
		return;
	}
	doctor_say(doctor, answer, "both pools' listen in %.*s",
		   KRN_STR_ARG(folder));
}

/* Site */

void
doctor_site(const struct doctor *doctor, struct doctor_answer *answer)
{
	static const char *const no_headers[] = {NULL};
	const struct krn_options *o = doctor->ctl->options;
	struct krn_http_answer got = {.status = 0};
	struct krn_error err = {.code = KRN_OK};

	if (!o->base_url.len) {
		answer->state = DOCTOR_SKIPPED;
		answer->detail = KRN_STR("BASE_URL is not set");
		return;
	}
	const struct krn_http_request request = {
	    .method = "GET",
	    .url = krn_str_printf(doctor->ctl->arena, "%.*s/readyz",
				  KRN_STR_ARG(o->base_url)),
	    .headers = no_headers,
	    .ca_file = o->cacert,
	    .timeout_ms = DOCTOR_SITE_TIMEOUT_MS,
	    .answer_max = DOCTOR_SITE_ANSWER_MAX,
	    .guard = &krn_guard_operator,
	};

	if (krn_http_call(doctor->ctl->arena, &request, &got, &err))
		doctor_wrong(doctor, answer,
			     "see that nginx runs (nginx -t) and that this "
			     "host reaches BASE_URL and trusts its "
			     "certificate (CACERT)",
			     "%s: %s", o->base_url.s, err.detail);
	else if (got.status != 200)
		doctor_wrong(doctor, answer,
			     "journalctl -u kaireon-api.service tells why",
			     "%s/readyz answers %ld", o->base_url.s,
			     got.status);
	else
		doctor_say(doctor, answer, "ready at %s", o->base_url.s);
}
