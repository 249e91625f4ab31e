/*
 * Arena: blocks of memory in a list, and the defers of foreign resources.
 *
 * The first block is part of the arena and survives a reset. A wish larger
 * than a quarter of a block gets a block of its own behind the current one,
 * so that what is left of the current one is not lost; such a block can be
 * grown in place by krn_arena_grow.
 */

#define KRN_ALLOW_MALLOC
#include "base/base.h"

#include "base/arena.h"

#include "config.h"

#define ARENA_ALIGN _Alignof(max_align_t)
#define ARENA_LARGE (KRN_ARENA_BLOCK_BYTES / 4)

/* Items that an array which grows begins with. */
#define ARENA_ROOM_ITEMS ((size_t)64)

struct arena_block {
	struct arena_block *next;
	size_t size; /* usable bytes */
	size_t used;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena_defer {
	struct arena_defer *next;
	krn_defer_fn fn;
	void *data;
};

struct krn_arena {
	struct arena_block *first; /* kept by reset */
	struct arena_block *current;
	struct arena_block *large; /* one allocation each */
	struct arena_defer *defers;
	size_t limit_bytes;
	size_t used;
	bool over_limit; /* why the last allocation failed */
};

/* see krn_arena_fail_nth */
static int64_t arena_fail_countdown;

void
krn_arena_fail_nth(int64_t n)
{
	arena_fail_countdown = n;
}

static bool
arena_fails_now(void)
{
	return arena_fail_countdown > 0 && --arena_fail_countdown == 0;
}

static struct arena_block *
arena_block_new(size_t size)
{
	size_t total;

	if (!krn_add_size(sizeof(struct arena_block), size, &total))
		return NULL;
	struct arena_block *block = malloc(total);

	if (!block)
		return NULL;
	block->next = NULL;
	block->size = size;
	block->used = 0;
	return block;
}

static void
arena_blocks_free(struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
}

struct krn_arena *
krn_arena_new(size_t limit_bytes)
{
	struct krn_arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->first = arena_block_new(KRN_ARENA_BLOCK_BYTES);
	if (!arena->first) {
		free(arena);
		return NULL;
	}
	arena->current = arena->first;
	arena->limit_bytes = limit_bytes;
	return arena;
}

static void
arena_run_defers(struct krn_arena *arena)
{
	/* a defer may add another: take them off one by one */
	while (arena->defers) {
		struct arena_defer *defer = arena->defers;

		arena->defers = defer->next;
		defer->fn(defer->data);
	}
}

void
krn_arena_reset(struct krn_arena *arena)
{
	arena_run_defers(arena);
	arena_blocks_free(arena->large);
	arena_blocks_free(arena->first->next);
	arena->large = NULL;
	arena->first->next = NULL;
	arena->first->used = 0;
	arena->current = arena->first;
	arena->used = 0;
	arena->over_limit = false;
}

void
krn_arena_free(struct krn_arena *arena)
{
	if (!arena)
		return;
	krn_arena_reset(arena);
	free(arena->first);
	free(arena);
}

enum krn_err
krn_arena_defer(struct krn_arena *arena, krn_defer_fn fn, void *data,
		struct krn_error *err)
{
	struct arena_defer *defer = krn_arena_alloc(arena, sizeof(*defer));

	if (!defer) {
		fn(data);
		return krn_arena_fail(arena, err);
	}
	*defer = (struct arena_defer){arena->defers, fn, data};
	arena->defers = defer;
	return KRN_OK;
}

/* Count `size` more bytes; false when the arena may not have them. */
static bool
arena_take(struct krn_arena *arena, size_t size)
{
	size_t used;

	arena->over_limit = false;
	if (arena_fails_now())
		return false;
	if (!krn_add_size(arena->used, size, &used) ||
	    (arena->limit_bytes && used > arena->limit_bytes)) {
		arena->over_limit = true;
		return false;
	}
	arena->used = used;
	return true;
}

static void *
arena_alloc_large(struct krn_arena *arena, size_t size)
{
	struct arena_block *block = arena_block_new(size);

	if (!block)
		return NULL;
	block->used = size;
	block->next = arena->large;
	arena->large = block;
	return block->data;
}

void *
krn_arena_alloc(struct krn_arena *arena, size_t size)
{
	size_t padded;

	if (!krn_add_size(size, ARENA_ALIGN - 1, &padded))
		return NULL;
	padded &= ~(ARENA_ALIGN - 1);
	if (padded == 0)
		padded = ARENA_ALIGN;
	if (!arena_take(arena, padded))
		return NULL;
#ifdef KRN_ARENA_DEBUG
	return arena_alloc_large(arena, size);
#else
	if (padded > ARENA_LARGE)
		return arena_alloc_large(arena, padded);

	struct arena_block *block = arena->current;

	if (block->size - block->used < padded) {
		block = arena_block_new(KRN_ARENA_BLOCK_BYTES);
		if (!block)
			return NULL;
		arena->current->next = block;
		arena->current = block;
	}
	void *memory = block->data + block->used;

	block->used += padded;
	return memory;
#endif
}

void *
krn_arena_calloc(struct krn_arena *arena, size_t nr, size_t size)
{
	size_t total;

	if (!krn_mul_size(nr, size, &total))
		return NULL;
	void *memory = krn_arena_alloc(arena, total);

	if (memory)
		memset(memory, 0, total);
	return memory;
}

/* Is `old` the newest large block? Then it can be resized where it is. */
static bool
arena_is_newest_large(const struct krn_arena *arena, const void *old)
{
	return arena->large && old == arena->large->data;
}

void *
krn_arena_grow(struct krn_arena *arena, void *old, size_t old_size,
	       size_t new_size)
{
	if (old && new_size <= old_size)
		return old;
	if (old && arena_is_newest_large(arena, old) &&
	    new_size > arena->large->size) {
		size_t total;

		if (!krn_add_size(sizeof(struct arena_block), new_size,
				  &total) ||
		    !arena_take(arena, new_size - arena->large->size))
			return NULL;
		struct arena_block *block = realloc(arena->large, total);

		if (!block)
			return NULL;
		block->size = block->used = new_size;
		arena->large = block;
		return block->data;
	}
	void *memory = krn_arena_alloc(arena, new_size);

	if (memory && old)
		memcpy(memory, old, old_size);
	return memory;
}

void *
krn_arena_room(struct krn_arena *arena, void *array, size_t nr, size_t *size,
	       size_t item)
{
	const size_t wanted = *size ? 2 * *size : ARENA_ROOM_ITEMS;

	if (nr < *size)
		return array;
	void *grown = krn_arena_grow(arena, array, *size * item, wanted * item);

	if (grown)
		*size = wanted;
	return grown;
}

enum krn_err
krn_arena_fail(const struct krn_arena *arena, struct krn_error *err)
{
	if (arena->over_limit)
		return krn_fail(err, KRN_ERR_TOOBIG,
				"could not allocate: over the limit of %zu "
				"bytes",
				arena->limit_bytes);
	return krn_fail(err, KRN_ERR_UNAVAILABLE,
			"could not allocate: out of memory");
}

size_t
krn_arena_used(const struct krn_arena *arena)
{
	return arena->used;
}
