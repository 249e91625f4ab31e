#ifndef KRN_DECIDE_POLICY_H
#define KRN_DECIDE_POLICY_H

/* The policies, for the evaluation of a plan. */

#include "decide/decide.h"

/* Who holds a group: an offer, or one of these. */
#define DECIDE_GROUP_FREE (-1)
#define DECIDE_GROUP_SEVERAL (-2)

/* Is the metric what it is to be? Of the policy's contacts; NULL: of all. */
bool decide_metric(const struct krn_plan *plan,
		   const struct krn_plan_metric *metric,
		   const struct krn_plan_policy *policy,
		   const struct krn_customer *customer);

/*
 * The policies that block the customer, as bits; the room of their caps, and
 * the holders of their groups, which do not block by themselves.
 */
void decide_policies(const struct krn_plan *plan,
		     const struct krn_customer *customer,
		     uint64_t blocked[KRN_PLAN_MASK_WORDS], int64_t *room,
		     int *holders);

bool decide_group_blocks(int holder, const struct krn_plan_pair *pair);
void decide_group_hold(int *holder, int offer);

#endif
