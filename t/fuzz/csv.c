/* CSV in; the first byte of an input is its delimiter. */

#include "t/fuzz/fuzz.h"

#include "campaign/csv.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct krn_arena *arena = krn_arena_new(FUZZ_ARENA_BYTES);
	struct krn_error err;
	struct krn_csv csv;
	bool more = true;
	FILE *file;

	if (arena && size > 1 &&
	    (file = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r"))) {
		krn_csv_init(&csv, arena, file, (char)data[0]);
		while (more)
			if (krn_csv_next(&csv, &more, &err))
				break;
		fclose(file);
	}
	krn_arena_free(arena);
	return 0;
}
