/*
 * The types of policies besides caps and cooldowns: what they say, and which
 * candidates they look at.
 */

#include "base/base.h"

#include "decide/plan_private.h"

/* A member that must be a list of strings, unless it may be absent. */
static enum krn_err
type_list(struct plan_build *build, const struct krn_plan_policy *policy,
	  const struct krn_value *config, const char *name,
	  const struct krn_value **ret)
{
	const struct krn_value *list = krn_value_find(config, name);
	bool is_good = list && list->type == KRN_VALUE_ARRAY;

	for (size_t i = 0; is_good && i < list->array.nr; i++)
		is_good = list->array.items[i].type == KRN_VALUE_STRING;
	if (!is_good)
		return plan_refuse(build,
				   "policy \"%.*s\": %s must be a list of "
				   "names",
				   KRN_STR_ARG(policy->name), name);
	*ret = list;
	return KRN_OK;
}

enum krn_err
plan_policy_outcome(struct plan_build *build, const struct krn_value *config,
		    struct krn_plan_policy *policy)
{
	const struct krn_str outcome = plan_text(config, "outcomeType");
	const struct krn_str action = plan_text(config, "action");
	enum krn_err e;

	if (!outcome.len)
		return plan_refuse(build,
				   "policy \"%.*s\": outcomeType is required",
				   KRN_STR_ARG(policy->name));
	if (action.len && !krn_str_eq_c(action, "suppress"))
		return plan_refuse(build,
				   "policy \"%.*s\": action \"%.*s\" is not "
				   "supported",
				   KRN_STR_ARG(policy->name),
				   KRN_STR_ARG(action));
	if ((e = plan_days(build, policy->name, config, "lookbackDays", false,
			   &policy->span_us)))
		return e;
	return plan_outcome_bit(build, outcome, &policy->outcomes);
}

enum krn_err
plan_policy_suppression(struct plan_build *build,
			const struct krn_value *config,
			struct krn_plan_policy *policy)
{
	build->plan->needs_contacts = true;
	policy->category_id = plan_text(config, "categoryId");
	policy->sub_category_id = plan_text(config, "subCategoryId");
	if (!policy->category_id.len && !policy->sub_category_id.len)
		return plan_refuse(build,
				   "policy \"%.*s\": a category_suppression "
				   "needs a category or subcategory",
				   KRN_STR_ARG(policy->name));
	return plan_days(build, policy->name, config, "suppressionDays", false,
			 &policy->span_us);
}

/* An offer by its id or its name; deleted ones by id only. -1: none. */
static int
type_offer_find(const struct plan_build *build, struct krn_str wanted)
{
	const struct krn_value *list = krn_value_find(build->config, "offers");

	for (size_t i = 0;
	     list && list->type == KRN_VALUE_ARRAY && i < list->array.nr; i++) {
		const struct krn_value *offer = &list->array.items[i];
		const struct krn_str id = plan_text(offer, "id");

		if (krn_str_eq(id, wanted) ||
		    (krn_str_eq(plan_text(offer, "name"), wanted) &&
		     !krn_str_eq_c(plan_text(offer, "status"), "deleted")))
			return krn_plan_offer_find(build->plan, id);
	}
	return -1;
}

enum krn_err
plan_policy_group(struct plan_build *build, const struct krn_value *config,
		  struct krn_plan_policy *policy)
{
	struct krn_plan *plan = build->plan;
	const struct krn_value *list;
	enum krn_err e;

	plan->needs_contacts = true;
	if ((e = type_list(build, policy, config, "offerGroup", &list)))
		return e;
	uint32_t *group =
	    krn_arena_calloc(build->arena, list->array.nr, sizeof(*group));

	if (!group)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < list->array.nr; i++) {
		const struct krn_str wanted = list->array.items[i].string;
		const int offer = type_offer_find(build, wanted);

		if (offer < 0 && build->is_check)
			continue;
		if (offer < 0)
			return plan_refuse(
			    build, "policy \"%.*s\": no offer \"%.*s\"",
			    KRN_STR_ARG(policy->name), KRN_STR_ARG(wanted));
		group[i] = (uint32_t)offer;
	}
	policy->group = group;
	policy->group_nr = list->array.nr;
	plan->pair_policies[plan->pair_policies_nr++] =
	    (uint32_t)(policy - plan->policies);
	return KRN_OK;
}

enum krn_err
plan_policy_metric(struct plan_build *build, const struct krn_value *config,
		   struct krn_plan_policy *policy)
{
	return plan_read_metric(build, policy->name, config, &policy->metric);
}

enum krn_err
plan_policy_segments(struct plan_build *build, const struct krn_value *config,
		     struct krn_plan_policy *policy)
{
	const struct krn_value *list;
	enum krn_err e;

	if ((e = type_list(build, policy, config, "excludeSegments", &list)))
		return e;
	for (size_t i = 0; i < list->array.nr; i++)
		if ((e = plan_segment_bit(build, "name",
					  list->array.items[i].string,
					  policy->name, &policy->segments)))
			return e;
	return KRN_OK;
}

/* 0 is Sunday; a name may be cut to three letters. -1: no day */
static int
type_weekday(const struct krn_value *day)
{
	static const char *const names[] = {"sunday",    "monday",   "tuesday",
					    "wednesday", "thursday", "friday",
					    "saturday"};

	if (day->type == KRN_VALUE_INT && day->integer >= 0 && day->integer < 7)
		return (int)day->integer;
	for (int i = 0; day->type == KRN_VALUE_STRING && i < 7; i++)
		if (krn_str_eq_nocase(day->string, krn_str_c(names[i])) ||
		    krn_str_eq_nocase(day->string, krn_str_from(names[i], 3)))
			return i;
	return -1;
}

static enum krn_err
type_days_open(struct plan_build *build, const struct krn_plan_policy *policy,
	       const struct krn_value *days, int64_t today, bool *ret)
{
	*ret = !days || days->type == KRN_VALUE_NULL;
	if (*ret)
		return KRN_OK;
	bool is_good = days->type == KRN_VALUE_ARRAY;

	for (size_t i = 0; is_good && i < days->array.nr; i++) {
		const int day = type_weekday(&days->array.items[i]);

		is_good = day >= 0;
		*ret |= day == today;
	}
	if (!is_good)
		return plan_refuse(build,
				   "policy \"%.*s\": allowedDays must be names "
				   "of days, or numbers from 0, which is "
				   "Sunday, to 6",
				   KRN_STR_ARG(policy->name));
	return KRN_OK;
}

static int64_t
type_int(const struct krn_value *object, const char *name, int64_t otherwise)
{
	const struct krn_value *value = krn_value_find(object, name);

	return value && value->type == KRN_VALUE_INT ? value->integer
						     : otherwise;
}

/* From startHour until before endHour; over midnight if that is less. */
enum krn_err
plan_policy_time_window(struct plan_build *build,
			const struct krn_value *config,
			struct krn_plan_policy *policy)
{
	const struct krn_value *clock = krn_value_find(build->config, "clock");
	const int64_t hour = type_int(clock, "hour", -1);
	const int64_t start = type_int(config, "startHour", 0);
	const int64_t end = type_int(config, "endHour", 24);
	bool is_day;
	enum krn_err e;

	if (hour < 0 && !build->is_check)
		return plan_refuse(build,
				   "policy \"%.*s\": the run has no clock",
				   KRN_STR_ARG(policy->name));
	if (start < 0 || start > 23 || end < 0 || end > 24 || start == end)
		return plan_refuse(build,
				   "policy \"%.*s\": startHour must be 0 to "
				   "23, endHour 0 to 24 and another",
				   KRN_STR_ARG(policy->name));
	if ((e = type_days_open(build, policy,
				krn_value_find(config, "allowedDays"),
				type_int(clock, "weekday", -1), &is_day)))
		return e;
	policy->is_idle = is_day && (start < end ? hour >= start && hour < end
						 : hour >= start || hour < end);
	return KRN_OK;
}

static bool
type_flag(const struct krn_value *config, const char *name, bool otherwise)
{
	const struct krn_value *value = krn_value_find(config, name);

	return value && value->type == KRN_VALUE_BOOL ? value->boolean
						      : otherwise;
}

/* As of when the run is planned; without a choice both are looked at. */
enum krn_err
plan_policy_budget(struct plan_build *build KRN_UNUSED,
		   const struct krn_value *config,
		   struct krn_plan_policy *policy)
{
	const bool chooses = krn_value_find(config, "checkImpressions") ||
			     krn_value_find(config, "checkDailyBudget");

	policy->is_budget = true;
	policy->if_sent_out = type_flag(config, "checkImpressions", !chooses);
	policy->if_spent = type_flag(config, "checkDailyBudget", !chooses);
	return KRN_OK;
}

/* Its scope is its condition; one that we do not know would lift too much. */
enum krn_err
plan_policy_override(struct plan_build *build, const struct krn_value *config,
		     struct krn_plan_policy *policy)
{
	for (size_t i = 0; config && i < config->object.nr; i++)
		if (!krn_str_eq_c(config->object.members[i].name, "bypassable"))
			return plan_refuse(
			    build,
			    "policy \"%.*s\": %.*s of allow_override is not "
			    "supported",
			    KRN_STR_ARG(policy->name),
			    KRN_STR_ARG(config->object.members[i].name));
	return KRN_OK;
}

bool
krn_plan_policy_groups(const struct krn_plan_policy *policy, int offer)
{
	for (size_t i = 0; i < policy->group_nr; i++)
		if ((int)policy->group[i] == offer)
			return true;
	return false;
}

/* Is the offer of the category that the policy suppresses? */
static bool
type_suppresses(const struct krn_plan_policy *policy,
		const struct krn_plan_offer *offer)
{
	return (!policy->category_id.len ||
		krn_str_eq(offer->category_id, policy->category_id)) &&
	       (!policy->sub_category_id.len ||
		krn_str_eq(offer->sub_category_id, policy->sub_category_id));
}

bool
plan_policy_looks(const struct krn_plan *plan,
		  const struct krn_plan_policy *policy,
		  const struct krn_plan_pair *pair)
{
	const struct krn_plan_offer *offer = &plan->offers[pair->offer];

	if (policy->is_idle || policy->type == KRN_POLICY_OVERRIDE ||
	    (offer->mandatory && policy->spares_mandatory))
		return false;
	if (policy->is_budget)
		return (policy->if_sent_out && offer->is_sent_out) ||
		       (policy->if_spent && offer->is_spent);
	if (policy->type == KRN_POLICY_GROUP)
		return krn_plan_policy_groups(policy, (int)pair->offer);
	if (policy->type == KRN_POLICY_SUPPRESSION)
		return type_suppresses(policy, offer);
	return true;
}

/* Is the contact one of the policy's scope? */
static bool
type_in_scope(const struct krn_plan *plan, const struct krn_plan_policy *policy,
	      const struct krn_plan_contact *contact)
{
	const struct krn_plan_offer *offer =
	    contact->offer < 0 ? NULL : &plan->offers[contact->offer];

	switch (policy->scope) {
	case KRN_SCOPE_GLOBAL:
		return true;
	case KRN_SCOPE_OFFER:
		return offer && contact->offer == policy->scope_index;
	case KRN_SCOPE_CHANNEL:
		return contact->channel >= 0 &&
		       contact->channel == policy->scope_index;
	case KRN_SCOPE_CATEGORY:
		return offer &&
		       krn_str_eq(offer->category_id, policy->scope_id);
	case KRN_SCOPE_SUBCATEGORY:
		return offer &&
		       krn_str_eq(offer->sub_category_id, policy->scope_id);
	case KRN_SCOPE_CREATIVE:
		return contact->creative >= 0 &&
		       contact->creative == policy->scope_index;
	case KRN_SCOPE_PLACEMENT:
	case KRN_SCOPE_SEGMENT:
		break;
	}
	return false;
}

bool
krn_plan_policy_counts(const struct krn_plan *plan,
		       const struct krn_plan_policy *policy,
		       const struct krn_plan_contact *contact)
{
	if (!policy->counts_all && !type_in_scope(plan, policy, contact))
		return false;
	if (policy->within_campaign >= 0 &&
	    contact->campaign != policy->within_campaign)
		return false;
	for (size_t i = 0; i < policy->without_campaigns_nr; i++)
		if (contact->campaign == policy->without_campaigns[i])
			return false;
	if (policy->type == KRN_POLICY_GROUP)
		return krn_plan_policy_groups(policy, contact->offer);
	if (policy->type == KRN_POLICY_SUPPRESSION)
		return contact->offer >= 0 &&
		       type_suppresses(policy, &plan->offers[contact->offer]);
	return true;
}
