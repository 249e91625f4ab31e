#ifndef KRN_DECIDE_H
#define KRN_DECIDE_H

/*
 * One customer's decision: a pure function of the plan and what is known of
 * the customer. It reads no clock, does no I/O and takes no memory; all its
 * room is in struct krn_decide, made once for many customers.
 *
 * Source: contract section 7.
 */

#include "decide/plan.h"

/*
 * What the customer was sent, or answered, summed up by offer, channel,
 * creative, campaign and outcome: indexes in the plan, -1: one that it does not
 * have, or does not tell apart.
 */
struct krn_contact {
	struct krn_plan_contact of;
	int outcome;                          /* of answers */
	int64_t last_us;                      /* the newest of them */
	int64_t counts[KRN_PLAN_WINDOWS_MAX]; /* since windows[i] */
};

struct krn_customer {
	struct krn_str id;
	const struct krn_str *columns; /* texts in the order of plan->columns;
					  .s NULL is NULL */
	uint64_t segments;             /* bit i: member of plan->segments[i] */
	const struct krn_contact *contacts;
	size_t contacts_nr;
	const struct krn_contact *answers; /* interactions with an outcome */
	size_t answers_nr;
};

struct krn_candidate {
	uint32_t offer, channel; /* indexes in the plan */
	int creative;            /* index in the plan, -1: none */
	double score;            /* finite */
	const struct krn_plan_pair *pair;
	/* of each of the plan's properties; valid as the candidates are */
	const struct krn_formula_value *properties;
};

struct krn_json_out;

/*
 * The candidate's properties as a JSON object: those that are not null, under
 * `name` in an object that is open, or NULL.
 */
void krn_candidate_properties(const struct krn_plan *plan,
			      const struct krn_candidate *candidate,
			      const char *name, struct krn_json_out *to);

/*
 * Why a pair was dropped, and what did it: a rule, a policy, a node of the
 * flow, or what the offer says itself: "inventory" and "budget" (for
 * qualification), "frequencyCaps" (for contact policies). What is left without
 * a place by a node group is not counted as dropped.
 */
enum krn_drop {
	KRN_DROP_QUALIFICATION,
	KRN_DROP_CONTACT_POLICY,
	KRN_DROP_GROUP,
};

typedef void (*krn_drop_fn)(void *data, const struct krn_plan_pair *pair,
			    enum krn_drop why, struct krn_str id);

struct krn_decide;

/*
 * Room for deciding with a plan; `keep` candidates at most (krn_plan_keep).
 * Ownership: lives in `arena`. NULL: exhausted.
 */
struct krn_decide *krn_decide_new(struct krn_arena *arena,
				  const struct krn_plan *plan, size_t keep);

/* Call fn for each dropped pair; NULL: nobody asks. */
void krn_decide_explain(struct krn_decide *decide, krn_drop_fn fn, void *data);

struct krn_decision {
	const struct krn_candidate *candidates; /* best first; valid until the
						   next customer */
	size_t candidates_nr;
	int64_t dropped_qualification; /* pairs */
	int64_t dropped_contact_policy;
	int64_t conversion_failures; /* values that were not of their type */
	/*
	 * Why the customer could not be decided for, else NULL: then there
	 * are no candidates and nothing is counted as dropped. Valid until
	 * the next customer.
	 */
	const char *error;
};

/*
 * The same, step by step, as one JSON document:
 *
 *	{"customerId", "error", "conversionFailures", "steps": [
 *	 {"step": "inventory", "candidates"},            pairs
 *	 {"step": "qualify", "dropped": [{"offerId", "offerName", "channelId",
 *	  "by": {"type": "rule" | "policy" | "node" | "offer", "id", "name"}}]},
 *	 {"step": "contact_policy", "dropped": […]},     caps' cuts too
 *	 {"step": "score", "method", "model", "smoothingWeight", "optimized",
 *	  "objectives": {…}, "scores": [{"offerId", "offerName", "channelId",
 *	  "creativeId", "priority", "businessValue", "weight", "fit", "match",
 *	  "rules": [{"id", "name", "factor"}],            that fit and match are
 *of "propensity", "learned" or "positives" and "answers",  propensity
 *	  "weights": {…},                                 formula
 *	  "ofMethod", "ofOffer",                          optimized
 *	  "score"}]},
 *	 {"step": "group", "dropped": […]},              without a place
 *	 {"step": "rank", "decisions": [{"rank", "offerId", …, "score",
 *	  "personalization": {…}}], "left": [{"offerId", …, "because":
 *	  "another" (pair of the offer went before) | "maxCandidates"}]}]}
 *
 * Each pair of the inventory is dropped, given or left, once; given are `keep`
 * candidates at most, as in krn_decide_new: with volume limits those that were
 * kept as a reserve, too.
 * After an error there is only the inventory.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err
krn_decide_explain_json(struct krn_arena *arena, const struct krn_plan *plan,
			size_t keep, const struct krn_customer *customer,
			struct krn_str *ret, struct krn_error *err);

void krn_decide_customer(struct krn_decide *decide,
			 const struct krn_customer *customer,
			 struct krn_decision *ret);

#endif
