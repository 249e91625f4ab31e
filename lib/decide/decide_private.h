#ifndef KRN_DECIDE_PRIVATE_H
#define KRN_DECIDE_PRIVATE_H

/* Values in their type, and what filters ask of them. */

#include "decide/plan.h"

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

/*
 * The customer's bits of each filter: conditions over customer.* that hold.
 * Returns how many values could not be converted.
 */
int64_t decide_filter_bits(const struct krn_plan *plan,
			   const struct decide_value *values, uint64_t *bits);

/* The first filter that drops the pair, or -1. */
int decide_filter_hit(const struct krn_plan *plan,
		      const struct krn_plan_pair *pair, const uint64_t *bits);

#endif
