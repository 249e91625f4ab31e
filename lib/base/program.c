/*
 * Where our programs are.
 */

#include "base/base.h"

#include "base/program.h"

#include <unistd.h>

bool
krn_program_beside(const char *name, char ret_path[KRN_PROGRAM_PATH_BYTES])
{
	const size_t name_size = strlen(name) + 1;
	ssize_t len;
	char *slash;

	KRN_BUG_IF(name_size > 100);
	len = readlink("/proc/self/exe", ret_path,
		       KRN_PROGRAM_PATH_BYTES - name_size);
	slash = len > 0 ? memrchr(ret_path, '/', (size_t)len) : NULL;
	if (!slash)
		return false;
	memcpy(slash + 1, name, name_size);
	return true;
}
