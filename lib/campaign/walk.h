#ifndef KRN_WALK_H
#define KRN_WALK_H

/*
 * All candidates of a run in the order in which the volume limits are given
 * out: (key descending, customer_id, rank), where key is the smallest score
 * among a candidate and those ranked before it for the same customer. Each
 * chunk is sorted when it is added and kept in a temporary file; the walk
 * merges them, so that its memory depends on the number of chunks alone.
 *
 * Source: contract section 7, volume limits.
 */

#include "campaign/pack.h"

/* What the merge reads ahead, all chunks together; a chunk has a page at
 * least. */
#define KRN_WALK_BUFFER_BYTES ((size_t)16 * 1024 * 1024)
#define KRN_WALK_PAGE_BYTES ((size_t)4096)

struct krn_walk;

struct krn_walk_candidate {
	double key;
	uint32_t customer;  /* of the run, from 0 */
	uint32_t candidate; /* of its chunk, from 0, in the order of the pack */
	uint32_t offer, channel; /* indexes in the plan */
};

/*
 * Ownership: lives in `arena`, with its file.
 * Errors:    KRN_ERR_INTERNAL  no temporary file
 */
KRN_MUSTCHECK enum krn_err krn_walk_new(struct krn_arena *arena,
					const struct krn_plan *plan,
					struct krn_walk **ret,
					struct krn_error *err);

/*
 * Add the next chunk: chunks come in the order of their customers, and these
 * in byte order of their ids.
 * Errors: KRN_ERR_INTERNAL  damaged pack, disk full
 */
KRN_MUSTCHECK enum krn_err
krn_walk_add(struct krn_walk *walk, struct krn_str pack, struct krn_error *err);

size_t krn_walk_customers(const struct krn_walk *walk);
size_t krn_walk_chunks(const struct krn_walk *walk);

/* How many candidates a chunk has. */
size_t krn_walk_candidates(const struct krn_walk *walk, size_t chunk);

/* All chunks are there; from now on krn_walk_next. */
KRN_MUSTCHECK enum krn_err krn_walk_begin(struct krn_walk *walk,
					  struct krn_error *err);

/*
 * The next candidate, of *ret_chunk; *ret is NULL at the end. Valid until the
 * next call.
 * Errors: KRN_ERR_INTERNAL  the temporary file cannot be read
 */
KRN_MUSTCHECK enum krn_err krn_walk_next(struct krn_walk *walk,
					 const struct krn_walk_candidate **ret,
					 size_t *ret_chunk,
					 struct krn_error *err);

#endif
