/*
 * Lines that wait for their partner.
 */

#include "base/base.h"

#include "lifecycle/verify_merge.h"

#include "base/crypto.h"

#define MERGE_SLOTS 65536 /* a power of two */
#define MERGE_ID_BYTES 64 /* longer ids are copied */

struct merge_line {
	struct merge_line *next; /* of the slot, or of those to use again */
	uint64_t hash;
	unsigned char digest[KRN_SHA256_BYTES];
	int64_t created_us;
	struct krn_str id;
	char short_id[MERGE_ID_BYTES];
};

struct merge {
	struct krn_arena *arena;
	struct merge_line *spare;
	struct {
		struct merge_line **slots;
		size_t nr, at; /* waiting; where merge_rest looks next */
	} sides[2];
};

struct merge *
merge_new(struct krn_arena *arena)
{
	struct merge *merge = krn_arena_make(arena, struct merge);

	if (!merge)
		return NULL;
	merge->arena = arena;
	for (size_t i = 0; i < KRN_NR(merge->sides); i++) {
		merge->sides[i].slots = krn_arena_calloc(
		    arena, MERGE_SLOTS, sizeof(*merge->sides[i].slots));
		if (!merge->sides[i].slots)
			return NULL;
	}
	return merge;
}

/* Source: FNV-1a, 64 bits. */
static uint64_t
merge_hash(struct krn_str id)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < id.len; i++)
		hash =
		    (hash ^ (unsigned char)id.s[i]) * UINT64_C(1099511628211);
	return hash;
}

static void
merge_remove(struct merge *merge, enum merge_side side, struct merge_line **at)
{
	struct merge_line *line = *at;

	*at = line->next;
	line->next = merge->spare;
	merge->spare = line;
	merge->sides[side].nr--;
}

bool
merge_take(struct merge *merge, enum merge_side side, struct krn_str id,
	   struct krn_str line, bool *ret_same)
{
	unsigned char digest[KRN_SHA256_BYTES];
	const uint64_t hash = merge_hash(id);
	struct merge_line **at = &merge->sides[side].slots[hash % MERGE_SLOTS];

	if (merge->sides[side].nr == 0)
		return false;
	while (*at && ((*at)->hash != hash || !krn_str_eq((*at)->id, id)))
		at = &(*at)->next;
	if (!*at)
		return false;
	krn_sha256(line.s, line.len, digest);
	*ret_same = memcmp(digest, (*at)->digest, sizeof(digest)) == 0;
	merge_remove(merge, side, at);
	return true;
}

bool
merge_wait(struct merge *merge, enum merge_side side, struct krn_str id,
	   struct krn_str text, int64_t created_us)
{
	struct merge_line *line = merge->spare;

	if (line)
		merge->spare = line->next;
	else if (!(line = krn_arena_make(merge->arena, struct merge_line)))
		return false;
	line->hash = merge_hash(id);
	line->created_us = created_us;
	if (id.len <= MERGE_ID_BYTES) {
		memcpy(line->short_id, id.s, id.len);
		line->id = krn_str_from(line->short_id, id.len);
	} else {
		line->id = krn_str_dup(merge->arena, id);
		if (!line->id.s)
			return false;
	}
	krn_sha256(text.s, text.len, line->digest);
	struct merge_line **slot =
	    &merge->sides[side].slots[line->hash % MERGE_SLOTS];

	line->next = *slot;
	*slot = line;
	merge->sides[side].nr++;
	return true;
}

bool
merge_rest(struct merge *merge, enum merge_side side, struct krn_str *ret_id,
	   int64_t *ret_created_us)
{
	if (merge->sides[side].nr == 0) {
		merge->sides[side].at = 0;
		return false;
	}
	while (!merge->sides[side].slots[merge->sides[side].at])
		merge->sides[side].at++;
	struct merge_line **slot =
	    &merge->sides[side].slots[merge->sides[side].at];

	*ret_id = (*slot)->id;
	*ret_created_us = (*slot)->created_us;
	merge_remove(merge, side, slot);
	return true;
}
