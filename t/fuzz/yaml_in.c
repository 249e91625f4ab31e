/* YAML in. */

#include "t/fuzz/fuzz.h"

#include "gitops/yaml_in.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct krn_str text = krn_str_from((const char *)data, size);
	struct krn_arena *arena = krn_arena_new(FUZZ_ARENA_BYTES);
	struct krn_value value;
	struct krn_error err;

	if (arena)
		(void)!krn_yaml_parse(arena, text, &value, &err);
	krn_arena_free(arena);
	return 0;
}
