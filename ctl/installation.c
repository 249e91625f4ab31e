/*
 * The installed host around kaireonctl.
 */

#include "base/base.h"

#include "ctl/installation.h"

#include <unistd.h>

#include "ctl/ctl.h"

#define INSTALLATION_ETC "/etc/kaireon"
#define INSTALLATION_PATH_MAX 4096

/* NAME=value, as systemd's EnvironmentFile has it; no quotes are needed. */
static void
installation_line(char *line)
{
	char *equals = strchr(line, '=');

	line[strcspn(line, "\r\n")] = '\0';
	if (!equals || line[0] == '#')
		return;
	*equals = '\0';
	setenv(line, equals + 1, 0);
}

static void
installation_options(const char *etc)
{
	char path[INSTALLATION_PATH_MAX], line[INSTALLATION_PATH_MAX];
	FILE *in;

	snprintf(path, sizeof(path), "%s/kaireon.env", etc);
	in = fopen(path, "re");
	if (!in)
		return;
	while (fgets(line, sizeof(line), in))
		installation_line(line);
	fclose(in);
}

void
krn_installation_load(void)
{
	static const char *const told[] = {"CREDENTIALS_DIRECTORY",
					   "DATABASE_ADMIN_URL", "BASE_URL"};
	const char *etc = getenv("KAIREON_ETC");
	char path[INSTALLATION_PATH_MAX];

	for (size_t i = 0; i < KRN_NR(told); i++)
		if (getenv(told[i]))
			return;
	if (!etc)
		etc = INSTALLATION_ETC;
	snprintf(path, sizeof(path), "%s/secrets", etc);
	if (access(path, R_OK | X_OK) == 0)
		setenv("CREDENTIALS_DIRECTORY", path, 0);
	installation_options(etc);
}

enum krn_err
krn_installation_exec(const char *name, char **argv, struct krn_error *err)
{
	char self[INSTALLATION_PATH_MAX], path[INSTALLATION_PATH_MAX * 2];
	const ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return krn_fail_errno(err, "find this program");
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/../lib/kaireon/%s", self, name);
	execv(path, argv);
	return krn_refuse(err, KRN_ERR_NOTFOUND,
			  "this kaireonctl is not installed: there is no "
			  "lib/kaireon/%s beside it",
			  name);
}

/* The command: installed beside us, a script that people may read. */
enum krn_err
krn_cmd_setup(struct krn_ctl *ctl, struct krn_error *err)
{
	return krn_installation_exec("setup", ctl->argv + 1, err);
}
