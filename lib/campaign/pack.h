#ifndef KRN_PACK_H
#define KRN_PACK_H

/*
 * The decisions of a chunk's customers, packed: how they wait for the volume
 * limits, which know only at the end of the run who gets what. A tenth of the
 * ledger's size, and the ledger is written once, not written and corrected.
 *
 * Customer after customer: the length of the id, the id, the number of
 * candidates; of each its offer, its channel, its creative + 1 (indexes in the
 * plan), its score and, when the plan sets properties, the length of their
 * JSON and the JSON; without candidates the length of the error + 1 or 0, and
 * the error. Numbers are of seven bits a byte, the lowest first, the
 * eighth says that more follow; a score is its eight bytes as IEEE 754, the
 * lowest first.
 */

#include "base/buf.h"
#include "decide/decide.h"

struct krn_pack {
	const struct krn_plan *plan;
	struct krn_buf bytes;
	struct krn_buf json; /* of one candidate */
};

void krn_pack_init(struct krn_pack *pack, struct krn_arena *arena,
		   const struct krn_plan *plan);

/* Candidates stay in the order of their ranks. No memory: pack->bytes tells. */
void krn_pack_add(struct krn_pack *pack, struct krn_str customer,
		  const struct krn_decision *decision);

struct krn_pack_candidate {
	uint32_t offer, channel;
	int creative; /* -1: none */
	double score;
	struct krn_str properties; /* JSON; .s NULL: the plan sets none */
};

/* One customer; the texts point into the pack. */
struct krn_pack_customer {
	struct krn_str id;
	struct krn_str error;                        /* .s NULL: none */
	const struct krn_pack_candidate *candidates; /* best first */
	size_t candidates_nr;
};

struct krn_pack_reader {
	const struct krn_plan *plan;
	const unsigned char *at, *end;
	struct krn_pack_candidate candidates[KRN_PLAN_CANDIDATES_MAX];
};

void krn_pack_open(struct krn_pack_reader *reader, const struct krn_plan *plan,
		   struct krn_str bytes);

/*
 * The next customer, valid until the one after it; ret->id.s is NULL at the
 * end. Indexes are below those of the plan.
 * Errors: KRN_ERR_INTERNAL  this is no pack of this plan
 */
KRN_MUSTCHECK enum krn_err krn_pack_next(struct krn_pack_reader *reader,
					 struct krn_pack_customer *ret,
					 struct krn_error *err);

#endif
