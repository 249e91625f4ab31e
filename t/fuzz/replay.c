/*
 * Every input of a corpus through its fuzz target: as it is, cut short at
 * each of some places, and with each of its first allocations failing.
 */

#include "t/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define REPLAY_BYTES_MAX ((size_t)1 << 20)
#define REPLAY_FAILURES 300
#define REPLAY_CUTS 64

static unsigned char replay_data[REPLAY_BYTES_MAX];

static ssize_t
replay_read(int dir, const char *name)
{
	const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t size = -1;

	if (fd >= 0) {
		size = read(fd, replay_data, sizeof(replay_data));
		close(fd);
	}
	return size;
}

/* An input ends where a page begins that nobody may read. */
static unsigned char *
replay_end(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	static unsigned char *end;
	unsigned char *map;

	if (end)
		return end;
	map = mmap(NULL, REPLAY_BYTES_MAX + page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED ||
	    mprotect(map + REPLAY_BYTES_MAX, page, PROT_NONE) != 0) {
		puts("Bail out! no memory");
		_exit(1);
	}
	return end = map + REPLAY_BYTES_MAX;
}

static void
replay_one(size_t size)
{
	unsigned char *at = replay_end() - size;

	memcpy(at, replay_data, size);
	LLVMFuzzerTestOneInput(at, size);
}

static void
replay_input(size_t size)
{
	const size_t step = size / REPLAY_CUTS + 1;

	replay_one(size);
	for (size_t cut = 0; cut < size; cut += step)
		replay_one(cut);
	for (int64_t n = 1; n <= REPLAY_FAILURES; n++) {
		krn_arena_fail_nth(n);
		replay_one(size);
		krn_arena_fail_nth(0);
	}
}

/* The folder of the target's name: t/fuzz/json_in.t reads corpus/json_in. */
static DIR *
replay_corpus(const char *program)
{
	const char *name = strrchr(program, '/');
	const char *source = getenv("KRN_SRCDIR");
	char path[4096];

	name = name ? name + 1 : program;
	snprintf(path, sizeof(path), "%s/t/fuzz/corpus/%.*s",
		 source ? source : ".", (int)strcspn(name, "."), name);
	return opendir(path);
}

int
main(int argc KRN_UNUSED, char **argv)
{
	DIR *corpus = replay_corpus(argv[0]);
	const struct dirent *entry;
	int nr = 0, bad = 0;

	while (corpus && (entry = readdir(corpus))) {
		ssize_t size;

		if (entry->d_name[0] == '.')
			continue;
		size = replay_read(dirfd(corpus), entry->d_name);
		if (size >= 0)
			replay_input((size_t)size);
		else
			bad++;
		printf("%s %d - %s\n", size >= 0 ? "ok" : "not ok", ++nr,
		       entry->d_name);
	}
	if (corpus)
		closedir(corpus);
	if (nr == 0)
		printf("not ok %d - a corpus\n", ++nr);
	printf("1..%d\n", nr);
	return bad ? 1 : 0;
}
