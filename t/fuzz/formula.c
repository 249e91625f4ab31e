/* Formulas: what parses is evaluated, with values of every type, twice. */

#include "t/fuzz/fuzz.h"

#include <math.h>

#include "decide/formula.h"

static enum krn_err
fuzz_name(void *data KRN_UNUSED, struct krn_str name, uint32_t *ret,
	  struct krn_error *err)
{
	*ret = (uint32_t)name.len;
	return name.len % 7 ? KRN_OK
			    : krn_refuse(err, KRN_ERR_INVALID, "no name");
}

static struct krn_formula_value
fuzz_load(void *data KRN_UNUSED, uint32_t name)
{
	static const struct krn_formula_value values[] = {
	    {KRN_FORMULA_NULL, 0, {NULL, 0}},
	    {KRN_FORMULA_NUMBER, 1e308, {NULL, 0}},
	    {KRN_FORMULA_NUMBER, -3, {NULL, 0}},
	    {KRN_FORMULA_TEXT, 0, {"12.5", 4}},
	    {KRN_FORMULA_TEXT, 0, {"long enough to fill the room", 28}},
	};

	return values[name % KRN_NR(values)];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct krn_arena *arena = krn_arena_new(FUZZ_ARENA_BYTES);
	const struct krn_formula *formula = NULL;
	struct krn_error err;
	char room[100];

	if (!arena ||
	    krn_formula_parse(arena, krn_str_from((const char *)data, size),
			      fuzz_name, NULL, &formula, &err)) {
		krn_arena_free(arena);
		return 0;
	}
	struct krn_formula_run run = {
	    .load = fuzz_load, .room = room, .room_size = sizeof(room)};
	const struct krn_formula_value once = krn_formula_eval(formula, &run);

	if (once.type == KRN_FORMULA_NUMBER && !isfinite(once.number))
		__builtin_trap();
	if (run.is_full && once.type == KRN_FORMULA_TEXT)
		__builtin_trap();
	run.room_used = 0;
	run.is_full = false;
	if (krn_formula_eval(formula, &run).type != once.type)
		__builtin_trap();
	krn_arena_free(arena);
	return 0;
}
