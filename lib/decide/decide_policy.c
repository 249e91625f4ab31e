/* Evaluating the policies for a customer. */

#include "base/base.h"

#include "decide/decide_policy.h"

static int64_t
metric_count(const struct krn_plan *plan, const struct krn_plan_metric *metric,
	     const struct krn_plan_policy *policy,
	     const struct krn_customer *customer)
{
	int64_t count = 0;

	for (size_t i = 0; metric->contacts && i < customer->contacts_nr; i++) {
		const struct krn_contact *contact = &customer->contacts[i];

		if (!policy ||
		    krn_plan_policy_counts(plan, policy, &contact->of))
			count += contact->counts[metric->window];
	}
	for (size_t i = 0; metric->outcomes && i < customer->answers_nr; i++) {
		const struct krn_contact *answer = &customer->answers[i];

		if (answer->outcome >= 0 &&
		    (metric->outcomes >> answer->outcome & 1) &&
		    (!policy ||
		     krn_plan_policy_counts(plan, policy, &answer->of)))
			count += answer->counts[metric->window];
	}
	return count;
}

bool
decide_metric(const struct krn_plan *plan, const struct krn_plan_metric *metric,
	      const struct krn_plan_policy *policy,
	      const struct krn_customer *customer)
{
	const double count =
	    (double)metric_count(plan, metric, policy, customer);

	/* the plan lets no other operator be one of a metric */
	const bool results[] = {
	    [KRN_OP_EQ] = count == metric->value,
	    [KRN_OP_NEQ] = count != metric->value,
	    [KRN_OP_GT] = count > metric->value,
	    [KRN_OP_GTE] = count >= metric->value,
	    [KRN_OP_LT] = count < metric->value,
	    [KRN_OP_LTE] = count <= metric->value,
	};

	return results[metric->op];
}

/* The smallest room of its caps. */
static int64_t
policy_room(const struct krn_plan *plan, const struct krn_plan_policy *policy,
	    const struct krn_customer *customer)
{
	int64_t used[KRN_NR(policy->caps)] = {0};
	int64_t room = INT64_MAX;

	for (size_t i = 0; i < customer->contacts_nr; i++) {
		const struct krn_contact *contact = &customer->contacts[i];

		if (!krn_plan_policy_counts(plan, policy, &contact->of))
			continue;
		for (size_t k = 0; k < policy->caps_nr; k++)
			used[k] += contact->counts[policy->caps[k].window];
	}
	for (size_t k = 0; k < policy->caps_nr; k++)
		if (policy->caps[k].max - used[k] < room)
			room = policy->caps[k].max - used[k];
	return room;
}

/* Is one of them within the policy's span? */
static bool
policy_is_recent(const struct krn_plan *plan,
		 const struct krn_plan_policy *policy,
		 const struct krn_contact *list, size_t nr)
{
	const int64_t since_us = plan->times.now_us - policy->span_us;

	for (size_t i = 0; i < nr; i++)
		if (list[i].last_us > since_us &&
		    (!policy->outcomes ||
		     (list[i].outcome >= 0 &&
		      (policy->outcomes >> list[i].outcome & 1))) &&
		    krn_plan_policy_counts(plan, policy, &list[i].of))
			return true;
	return false;
}

void
decide_group_hold(int *holder, int offer)
{
	if (*holder == DECIDE_GROUP_FREE)
		*holder = offer;
	else if (*holder != offer)
		*holder = DECIDE_GROUP_SEVERAL;
}

bool
decide_group_blocks(int holder, const struct krn_plan_pair *pair)
{
	return holder != DECIDE_GROUP_FREE && holder != (int)pair->offer;
}

static int
policy_holder(const struct krn_plan *plan, const struct krn_plan_policy *policy,
	      const struct krn_customer *customer)
{
	int holder = DECIDE_GROUP_FREE;

	if (policy->type != KRN_POLICY_GROUP)
		return holder;
	for (size_t i = 0; i < customer->contacts_nr; i++) {
		const struct krn_plan_contact *of = &customer->contacts[i].of;

		if (krn_plan_policy_counts(plan, policy, of))
			decide_group_hold(&holder, of->offer);
	}
	return holder;
}

static bool
policy_blocks(const struct krn_plan *plan, const struct krn_plan_policy *policy,
	      const struct krn_customer *customer, int64_t *ret_room)
{
	*ret_room = INT64_MAX;
	switch (policy->type) {
	case KRN_POLICY_CAP:
		*ret_room = policy_room(plan, policy, customer);
		return *ret_room <= 0;
	case KRN_POLICY_COOLDOWN:
	case KRN_POLICY_SUPPRESSION:
		return policy_is_recent(plan, policy, customer->contacts,
					customer->contacts_nr);
	case KRN_POLICY_OUTCOME:
		return policy_is_recent(plan, policy, customer->answers,
					customer->answers_nr);
	case KRN_POLICY_METRIC:
		return decide_metric(plan, &policy->metric, policy, customer);
	case KRN_POLICY_SEGMENTS:
		return (customer->segments & policy->segments) != 0;
	case KRN_POLICY_ALWAYS:
		return true;
	case KRN_POLICY_GROUP: /* by the pair */
	case KRN_POLICY_OVERRIDE:
		break;
	}
	return false;
}

void
decide_policies(const struct krn_plan *plan,
		const struct krn_customer *customer,
		uint64_t blocked[KRN_PLAN_MASK_WORDS], int64_t *room,
		int *holders)
{
	memset(blocked, 0, KRN_PLAN_MASK_WORDS * sizeof(*blocked));
	for (size_t i = 0; i < plan->policies_nr; i++) {
		const struct krn_plan_policy *policy = &plan->policies[i];

		holders[i] = policy_holder(plan, policy, customer);
		if (policy_blocks(plan, policy, customer, &room[i]))
			blocked[i / 64] |= UINT64_C(1) << i % 64;
	}
}
