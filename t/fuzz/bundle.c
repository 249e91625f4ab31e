/* Bundles of any content type: the first byte of an input picks it. */

#include "t/fuzz/fuzz.h"

#include "gitops/bundle.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {"application/yaml",
					    "application/json", ""};
	struct krn_arena *arena = krn_arena_new(FUZZ_ARENA_BYTES);
	struct krn_bundle bundle;
	struct krn_error err;

	if (arena && size > 1)
		(void)!krn_bundle_parse(
		    arena, krn_str_from((const char *)data + 1, size - 1),
		    krn_str_c(types[data[0] % KRN_NR(types)]),
		    ~(krn_kind_set)0, &bundle, &err);
	krn_arena_free(arena);
	return 0;
}
