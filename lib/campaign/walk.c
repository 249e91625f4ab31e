/*
 * The walk over all candidates: sorted chunks in a temporary file, merged by a
 * heap.
 */

#include "base/base.h"

#include "campaign/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct walk_chunk {
	off_t at, end; /* in the file: what is still to be read */
	size_t candidates_nr;
	struct krn_walk_candidate *buffer;
	size_t next, nr; /* in the buffer */
};

struct krn_walk {
	struct krn_arena *arena;
	const struct krn_plan *plan;
	FILE *file;
	off_t file_len;
	struct krn_walk_candidate *sorted; /* of the chunk being added */
	size_t sorted_size;
	struct krn_pack_reader reader;
	struct walk_chunk *chunks;
	size_t chunks_nr, chunks_size;
	size_t customers_nr;
	size_t buffer_nr; /* candidates a chunk reads ahead */
	size_t *heap;     /* chunks, the one with the next candidate first */
	size_t heap_nr;
	bool is_taken; /* the first's candidate was given out */
};

static void
walk_close(void *data)
{
	fclose(data);
}

enum krn_err
krn_walk_new(struct krn_arena *arena, const struct krn_plan *plan,
	     struct krn_walk **ret, struct krn_error *err)
{
	struct krn_walk *walk = krn_arena_make(arena, struct krn_walk);

	if (!walk)
		return krn_arena_fail(arena, err);
	walk->arena = arena;
	walk->plan = plan;
	walk->file = tmpfile();
	if (!walk->file)
		return krn_fail_errno(err, "make a temporary file");
	*ret = walk;
	return krn_arena_defer(arena, walk_close, walk->file, err);
}

/* The customer's candidates, with their keys. */
static enum krn_err
walk_add_customer(struct krn_walk *walk,
		  const struct krn_pack_customer *customer, size_t *nr,
		  struct krn_error *err)
{
	double key = 0;

	for (size_t i = 0; i < customer->candidates_nr; i++) {
		const struct krn_pack_candidate *candidate =
		    &customer->candidates[i];

		if (i == 0 || candidate->score < key)
			key = candidate->score;
		struct krn_walk_candidate *sorted =
		    krn_arena_room(walk->arena, walk->sorted, *nr,
				   &walk->sorted_size, sizeof(*sorted));

		if (!sorted)
			return krn_arena_fail(walk->arena, err);
		walk->sorted = sorted;
		sorted[*nr] = (struct krn_walk_candidate){
		    key, (uint32_t)walk->customers_nr, (uint32_t)*nr,
		    candidate->offer, candidate->channel};
		++*nr;
	}
	walk->customers_nr++;
	return KRN_OK;
}

/* Within a chunk candidates are numbered by customer and rank. */
static int
walk_compare(const void *left, const void *right)
{
	const struct krn_walk_candidate *a = left, *b = right;

	if (a->key != b->key)
		return a->key > b->key ? -1 : 1;
	return (a->candidate > b->candidate) - (a->candidate < b->candidate);
}

enum krn_err
krn_walk_add(struct krn_walk *walk, struct krn_str pack, struct krn_error *err)
{
	struct walk_chunk *chunks =
	    krn_arena_room(walk->arena, walk->chunks, walk->chunks_nr,
			   &walk->chunks_size, sizeof(*chunks));
	struct krn_pack_customer customer;
	size_t nr = 0;
	enum krn_err e;

	if (!chunks)
		return krn_arena_fail(walk->arena, err);
	walk->chunks = chunks;
	krn_pack_open(&walk->reader, walk->plan, pack);
	while (!(e = krn_pack_next(&walk->reader, &customer, err)) &&
	       customer.id.s)
		if ((e = walk_add_customer(walk, &customer, &nr, err)))
			return e;
	if (e)
		return e;
	if (nr)
		qsort(walk->sorted, nr, sizeof(*walk->sorted), walk_compare);
	if (nr &&
	    fwrite(walk->sorted, sizeof(*walk->sorted), nr, walk->file) != nr)
		return krn_fail_errno(err, "spool the candidates");

	struct walk_chunk *chunk = &walk->chunks[walk->chunks_nr++];

	*chunk = (struct walk_chunk){.at = walk->file_len, .candidates_nr = nr};
	walk->file_len += (off_t)(nr * sizeof(*walk->sorted));
	chunk->end = walk->file_len;
	return KRN_OK;
}

size_t
krn_walk_customers(const struct krn_walk *walk)
{
	return walk->customers_nr;
}

size_t
krn_walk_chunks(const struct krn_walk *walk)
{
	return walk->chunks_nr;
}

size_t
krn_walk_candidates(const struct krn_walk *walk, size_t chunk)
{
	return walk->chunks[chunk].candidates_nr;
}

/* Read on; an empty buffer says that nothing is left. */
static enum krn_err
walk_fill(struct krn_walk *walk, struct walk_chunk *chunk,
	  struct krn_error *err)
{
	const size_t size = sizeof(*chunk->buffer);
	size_t wanted = (size_t)(chunk->end - chunk->at), len = 0;

	if (wanted > walk->buffer_nr * size)
		wanted = walk->buffer_nr * size;
	while (len < wanted) {
		const ssize_t got =
		    pread(fileno(walk->file), (char *)chunk->buffer + len,
			  wanted - len, chunk->at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return krn_fail_errno(err, "read the candidates");
		if (got == 0)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"the spooled candidates end early");
		len += (size_t)got;
		chunk->at += got;
	}
	chunk->next = 0;
	chunk->nr = len / size;
	return KRN_OK;
}

/* Is chunk a's candidate given out before chunk b's? */
static bool
walk_is_before(const struct krn_walk *walk, size_t a, size_t b)
{
	const struct walk_chunk *left = &walk->chunks[a];
	const struct walk_chunk *right = &walk->chunks[b];
	const double left_key = left->buffer[left->next].key;
	const double right_key = right->buffer[right->next].key;

	return left_key != right_key ? left_key > right_key : a < b;
}

/* Let the chunk at `place` sink to where it belongs. */
static void
walk_sink(struct krn_walk *walk, size_t place)
{
	size_t *heap = walk->heap;
	const size_t chunk = heap[place];

	for (;;) {
		size_t child = 2 * place + 1;

		if (child >= walk->heap_nr)
			break;
		if (child + 1 < walk->heap_nr &&
		    walk_is_before(walk, heap[child + 1], heap[child]))
			child++;
		if (!walk_is_before(walk, heap[child], chunk))
			break;
		heap[place] = heap[child];
		place = child;
	}
	heap[place] = chunk;
}

enum krn_err
krn_walk_begin(struct krn_walk *walk, struct krn_error *err)
{
	const size_t size = sizeof(struct krn_walk_candidate);
	const size_t bytes = KRN_WALK_BUFFER_BYTES / (walk->chunks_nr + 1);
	enum krn_err e;

	if (fflush(walk->file))
		return krn_fail_errno(err, "spool the candidates");
	walk->buffer_nr =
	    (bytes > KRN_WALK_PAGE_BYTES ? bytes : KRN_WALK_PAGE_BYTES) / size;
	walk->heap = krn_arena_calloc(walk->arena, walk->chunks_nr + 1,
				      sizeof(*walk->heap));
	if (!walk->heap)
		return krn_arena_fail(walk->arena, err);
	for (size_t i = 0; i < walk->chunks_nr; i++) {
		struct walk_chunk *chunk = &walk->chunks[i];
		const size_t nr = chunk->candidates_nr < walk->buffer_nr
				      ? chunk->candidates_nr
				      : walk->buffer_nr;

		if (nr == 0)
			continue;
		chunk->buffer = krn_arena_alloc(walk->arena, nr * size);
		if (!chunk->buffer)
			return krn_arena_fail(walk->arena, err);
		if ((e = walk_fill(walk, chunk, err)))
			return e;
		walk->heap[walk->heap_nr++] = i;
	}
	for (size_t i = walk->heap_nr / 2; i-- > 0;)
		walk_sink(walk, i);
	return KRN_OK;
}

/* The first chunk's candidate is done with. */
static enum krn_err
walk_advance(struct krn_walk *walk, struct krn_error *err)
{
	struct walk_chunk *chunk = &walk->chunks[walk->heap[0]];
	enum krn_err e;

	if (++chunk->next == chunk->nr && (e = walk_fill(walk, chunk, err)))
		return e;
	if (chunk->nr == 0)
		walk->heap[0] = walk->heap[--walk->heap_nr];
	if (walk->heap_nr)
		walk_sink(walk, 0);
	return KRN_OK;
}

enum krn_err
krn_walk_next(struct krn_walk *walk, const struct krn_walk_candidate **ret,
	      size_t *ret_chunk, struct krn_error *err)
{
	enum krn_err e;

	*ret = NULL;
	if (walk->is_taken && (e = walk_advance(walk, err)))
		return e;
	walk->is_taken = walk->heap_nr > 0;
	if (!walk->is_taken)
		return KRN_OK;
	const struct walk_chunk *chunk = &walk->chunks[walk->heap[0]];

	*ret = &chunk->buffer[chunk->next];
	*ret_chunk = walk->heap[0];
	return KRN_OK;
}
