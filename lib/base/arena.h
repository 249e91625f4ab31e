#ifndef KRN_ARENA_H
#define KRN_ARENA_H

/*
 * Arena: memory that lives and dies together.
 *
 * One request, one job, one command has one arena; what it makes lives until
 * krn_arena_reset or krn_arena_free. Nothing is freed one by one. A foreign
 * resource (a result, a descriptor) is tied to the arena with
 * krn_arena_defer directly after it was made.
 *
 * An arena has a limit in bytes. Beyond it, and when the system has no
 * memory, an allocation returns NULL and the arena stays usable;
 * krn_arena_fail turns that NULL into the right error.
 */

#include "base/error.h"

struct krn_arena;

typedef void (*krn_defer_fn)(void *data);

/* The size of a block; larger wishes get a block of their own. */
#define KRN_ARENA_BLOCK_BYTES ((size_t)16 * 1024)

/* Life cycle */

/* NULL when the system has no memory. limit_bytes 0: no limit. */
struct krn_arena *krn_arena_new(size_t limit_bytes);

/* Run the defers in reverse order, release everything. NULL is accepted. */
void krn_arena_free(struct krn_arena *arena);

/* As free + new, but the first block is kept. */
void krn_arena_reset(struct krn_arena *arena);

/*
 * Call fn(data) when the arena is reset or freed.
 * If there is no memory to note it, fn(data) is called at once.
 * Errors: KRN_ERR_TOOBIG, KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err krn_arena_defer(struct krn_arena *arena,
					   krn_defer_fn fn, void *data,
					   struct krn_error *err);

/* Change */

/* Aligned for any type, not cleared; NULL: see krn_arena_fail. */
KRN_MUSTCHECK void *krn_arena_alloc(struct krn_arena *arena, size_t size);

/* nr * size bytes, cleared; NULL also when the product overflows. */
KRN_MUSTCHECK void *krn_arena_calloc(struct krn_arena *arena, size_t nr,
				     size_t size);

/*
 * A larger copy of what krn_arena_alloc gave; in place where possible.
 * The old memory must not be used afterwards. `old` may be NULL.
 */
KRN_MUSTCHECK void *krn_arena_grow(struct krn_arena *arena, void *old,
				   size_t old_size, size_t new_size);

/*
 * Room for one more item behind the first `nr` of an array that has room for
 * *size items of `item` bytes: the array as it is, or a copy twice as long, 64
 * items at first; *size follows. `array` may be NULL when *size is 0.
 * NULL: see krn_arena_fail; array and *size are as before.
 */
KRN_MUSTCHECK void *krn_arena_room(struct krn_arena *arena, void *array,
				   size_t nr, size_t *size, size_t item);

/*
 * The error for a NULL of this arena.
 * Errors: KRN_ERR_TOOBIG       over the limit
 *         KRN_ERR_UNAVAILABLE  the system has no memory
 */
enum krn_err krn_arena_fail(const struct krn_arena *arena,
			    struct krn_error *err);

/* Read */

/* Bytes handed out since the last reset. */
size_t krn_arena_used(const struct krn_arena *arena);

/*
 * For tests: the n-th allocation from now (1 is the next one) fails, in
 * whatever arena; 0 switches it off. Counts down across arenas.
 */
void krn_arena_fail_nth(int64_t n);

#define krn_arena_make(arena, type)                                            \
	((type *)krn_arena_calloc(arena, 1, sizeof(type)))

#endif
