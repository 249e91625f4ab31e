/* yaml_in under libFuzzer: any bytes, no crash, no leak, within its memory. */

#include "base/base.h"

#include "gitops/yaml_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct krn_arena *arena = krn_arena_new((size_t)64 << 20);
	struct krn_value value;

	if (arena)
		(void)!krn_yaml_parse(arena, krn_str_from((const char *)data, size), &value, NULL);
	krn_arena_free(arena);
	return 0;
}
