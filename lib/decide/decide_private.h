#ifndef KRN_DECIDE_PRIVATE_H
#define KRN_DECIDE_PRIVATE_H

/* What the files that evaluate a plan share. */

#include "decide/decide.h"

#define DECIDE_ERROR_BYTES 200

struct decide_value;
struct decide_group;

/* A pair that passed the gates, on its way to a rank. */
struct decide_entry {
	uint64_t turn; /* 0 until turns are given */
	double score;
	const struct krn_plan_pair *pair;
};

/* What a score is made of. */
struct decide_parts {
	double fit, match;
	double of_method; /* before the objectives of optimize */
};

struct krn_decide {
	const struct krn_plan *plan;
	size_t keep;
	krn_drop_fn explain;
	void *explain_data;
	/* of each pair that is scored; with explain_data */
	void (*scored)(void *data, const struct krn_plan_pair *pair,
		       const struct decide_parts *parts, double score);
	/* of the current customer */
	struct decide_value *values;
	uint64_t failed[KRN_PLAN_MASK_WORDS];  /* rules */
	uint64_t blocked[KRN_PLAN_MASK_WORDS]; /* policies */
	uint64_t *filter_bits;                 /* of each filter */
	int64_t *room;                         /* of each policy's caps */
	int *holders;                          /* of each policy's group */
	const struct krn_customer *customer;
	const struct krn_plan_model *model; /* that scores it; NULL: none */
	struct decide_entry *heap;
	size_t heap_nr;
	uint64_t *turns;            /* of each category: how many it had */
	struct decide_group *group; /* NULL: the flow has none */
	struct krn_candidate *candidates;
	/* of each candidate: its properties, and room for their texts */
	struct krn_formula_value *properties;
	char *property_room;
	bool *property_is_set; /* of the candidate under way */
	struct krn_decision *out;
	char error[DECIDE_ERROR_BYTES]; /* "": none */
};

/* The evaluation of this customer failed; the first reason is kept. */
void decide_fail(struct krn_decide *d, const char *format, ...)
    KRN_PRINTF(2, 3);

/* Values */

/* A column's text in its type. */
struct decide_value {
	bool is_null, is_good;
	struct krn_str text;
	int64_t integer;
	double number;
};

/* text.s NULL is NULL. */
void decide_value_read(struct decide_value *value, struct krn_str text,
		       enum krn_attribute_type type);

/* <0, 0, >0; both are good and of that type. */
int decide_compare(const struct decide_value *value,
		   const struct krn_plan_constant *constant,
		   enum krn_attribute_type type);

/* Does it hold? *ret_is_good: nothing failed to be converted. */
bool decide_condition(const struct krn_plan_condition *condition,
		      const struct decide_value *value, bool *ret_is_good);

/* The customer's bits of each filter: conditions over customer.* that hold. */
void decide_filter_bits(struct krn_decide *d);

/* The first filter that drops the pair, or -1. */
int decide_filter_hit(const struct krn_plan *plan,
		      const struct krn_plan_pair *pair, const uint64_t *bits);

/* Rules: what of them fails for the customer, and for a pair. */
void decide_rules(struct krn_decide *d);
void decide_pair(struct krn_decide *d, const struct krn_plan_pair *pair);

/* The model of the customer's part. */
void decide_choose_model(struct krn_decide *d);

/*
 * The propensity that a model gives, and whether it could be read: 0.5
 * where it says nothing.
 */
bool decide_propensity(const struct krn_decide *d,
		       const struct krn_plan_model *model, uint32_t offer,
		       double *ret);

double decide_score(struct krn_decide *d, const struct krn_plan_pair *pair);

/* The heap: order all, take the best, order again by turns. */
bool decide_better(const struct krn_decide *d, const struct decide_entry *a,
		   const struct decide_entry *b);
void decide_heap(struct krn_decide *d);
struct decide_entry decide_pop(struct krn_decide *d);
void decide_turns(struct krn_decide *d);

/* Nodes compute, set_properties: those of a candidate. */
bool decide_properties_new(struct krn_arena *arena, struct krn_decide *d);
void decide_properties(struct krn_decide *d, const struct krn_plan_pair *pair,
		       struct krn_candidate *candidate);

/* Node group: all that passed the gates; then the ranked ones get places. */
struct decide_group *decide_group_new(struct krn_arena *arena,
				      const struct krn_plan *plan);
void decide_group_clear(struct decide_group *group);
void decide_group_add(struct decide_group *group,
		      const struct decide_entry *entry);
void decide_group_ranked(struct krn_decide *d);
size_t decide_group_nr(const struct decide_group *group);

/* The place of the i-th of the ranked, NULL: it has none. */
const struct decide_entry *
decide_group_given(const struct decide_group *group, size_t i,
		   const struct decide_entry **ret_ranked);

#endif
