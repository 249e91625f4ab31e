/*
 * krn_decide against a plain reference, as decide_random.c: the rules beyond
 * conditions and all policies that look at what was sent or answered.
 */

#include "base/base.h"

#include "decide_typed.h"

#include "base/json_in.h"

#define WORLDS 5000

struct typed_pair {
	int offer, channel;
	double score;
};

static bool
typed_in_scope(int scope, int object, int offer, int channel)
{
	switch (scope) {
	case 1:
		return offer == object;
	case 2:
		return channel == object;
	case 3:
		return offer >= 0 && offer % 2 == object;
	case 4:
		return offer >= 0 && offer % 3 == object;
	default:
		return true;
	}
}

/* Of the policy; NULL: of all. */
static bool
typed_count_is(const struct typed_count *count, const struct typed_look *policy)
{
	int nr = 0;

	for (int i = 0; i < EVENTS; i++) {
		const struct typed_event *event =
		    count->is_clicks ? &typed.answers[i] : &typed.contacts[i];

		if (count->is_clicks && event->outcome != 1)
			continue;
		if (count->days &&
		    event->at_us < CASE_NOW - count->days * 24 * CASE_HOUR)
			continue;
		nr += !policy || typed_in_scope(policy->scope, policy->object,
						event->offer, event->channel);
	}
	const bool results[] = {nr == count->value, nr != count->value,
				nr > count->value,  nr >= count->value,
				nr < count->value,  nr <= count->value};

	return results[count->op];
}

static bool
typed_rule_passes(const struct typed_rule *rule, int offer)
{
	const double propensity = offer < 2 && typed.propensity[offer] >= 0
				      ? typed.propensity[offer]
				      : 0.5;

	if (rule->type == 0)
		return propensity >= rule->min_score;
	/* its day began 10 hours ago */
	if (rule->type == 1)
		return typed.since_days < 0 || typed.since_days < rule->days;
	return typed_count_is(&rule->count, NULL);
}

static bool
typed_score(struct typed_pair *pair)
{
	double fit = 1, match = 1;

	for (int i = 0; i < RULES; i++) {
		const struct typed_rule *rule = &typed.rules[i];

		if (rule->scope == 5
			? !(typed.segments >> rule->object & 1)
			: !typed_in_scope(rule->scope, rule->object,
					  pair->offer, pair->channel))
			continue;
		if (!typed_rule_passes(rule, pair->offer)) {
			if (rule->stage == 0)
				return false;
			if (rule->stage == 1)
				fit *= rule->factor;
		} else if (rule->stage == 2) {
			match *= rule->factor;
		}
	}
	pair->score = typed.priority[pair->offer] / 100.0 * 1.0 * fit * match;
	return true;
}

static bool
typed_campaign_counts(const struct typed_look *policy, int campaign)
{
	return (policy->within < 0 || campaign == policy->within) &&
	       (policy->without < 0 || campaign != policy->without);
}

static bool
typed_counts(const struct typed_look *policy, int offer, int channel)
{
	if (policy->type == CUSTOMER_TOTAL ||
	    (policy->type == CROSS_CHANNEL && policy->scope == 2))
		return true;
	return typed_in_scope(policy->scope, policy->object, offer, channel);
}

static bool
typed_cap_blocks(const struct typed_look *policy,
		 const struct typed_pair *given, int given_nr)
{
	int used = 0;

	if (!typed_campaign_counts(policy, OWN_CAMPAIGN))
		return false;
	for (int i = 0; i < EVENTS; i++) {
		const struct typed_event *contact = &typed.contacts[i];

		used +=
		    typed_counts(policy, contact->offer, contact->channel) &&
		    typed_campaign_counts(policy, contact->campaign) &&
		    contact->at_us >= CASE_NOW - policy->days * 24 * CASE_HOUR;
	}
	for (int i = 0; i < given_nr; i++)
		used += typed_counts(policy, given[i].offer, given[i].channel);
	return used >= policy->max;
}

static bool
typed_recent(const struct typed_look *policy, const struct typed_event *list,
	     int outcome, int category)
{
	for (int i = 0; i < EVENTS; i++)
		if (typed_counts(policy, list[i].offer, list[i].channel) &&
		    (outcome < 0 || list[i].outcome == outcome) &&
		    (category < 0 ||
		     (list[i].offer >= 0 && list[i].offer % 2 == category)) &&
		    list[i].at_us > CASE_NOW - policy->days * 24 * CASE_HOUR)
			return true;
	return false;
}

static bool
typed_group_blocks(const struct typed_look *policy, int offer,
		   const struct typed_pair *given, int given_nr)
{
	unsigned others = 0;

	for (int i = 0; i < EVENTS; i++)
		if (typed.contacts[i].offer >= 0 &&
		    typed_counts(policy, typed.contacts[i].offer,
				 typed.contacts[i].channel))
			others |= 1u << typed.contacts[i].offer;
	for (int i = 0; i < given_nr; i++)
		if (typed_counts(policy, given[i].offer, given[i].channel))
			others |= 1u << given[i].offer;
	return (policy->group >> offer & 1) &&
	       (others & policy->group & ~(1u << offer)) != 0;
}

static bool
typed_blocks(const struct typed_look *policy, const struct typed_pair *pair,
	     const struct typed_pair *given, int given_nr)
{
	const int category = policy->max % 2;

	if (!typed_in_scope(policy->scope, policy->object, pair->offer,
			    pair->channel) ||
	    (typed.mandatory[pair->offer] && !policy->is_firm &&
	     policy->type != FREQUENCY && policy->type != CROSS_CHANNEL))
		return false;
	switch (policy->type) {
	case FREQUENCY:
	case CROSS_CHANNEL:
	case CUSTOMER_TOTAL:
		return typed_cap_blocks(policy, given, given_nr);
	case COOLDOWN:
		return typed_recent(policy, typed.contacts, -1, -1);
	case OUTCOME:
		return typed_recent(policy, typed.answers, 0, -1);
	case SUPPRESSION:
		return pair->offer % 2 == category &&
		       typed_recent(policy, typed.contacts, -1, category);
	case GROUP:
		return typed_group_blocks(policy, pair->offer, given, given_nr);
	case METRIC:
		return typed_count_is(&policy->count, policy);
	case SEGMENT:
		return typed.segments >> 1 & 1;
	case OVERRIDE:
	case TYPES:
		break;
	}
	return false;
}

static bool
typed_allow(const struct typed_pair *pair, const struct typed_pair *given,
	    int given_nr)
{
	for (int i = 0; i < POLICIES; i++)
		if (typed.policies[i].type == OVERRIDE &&
		    typed_in_scope(typed.policies[i].scope,
				   typed.policies[i].object, pair->offer,
				   pair->channel))
			return true;
	for (int i = 0; i < POLICIES; i++)
		if (typed_blocks(&typed.policies[i], pair, given, given_nr))
			return false;
	return true;
}

static bool
typed_better(const struct typed_pair *a, const struct typed_pair *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	if (typed.priority[a->offer] != typed.priority[b->offer])
		return typed.priority[a->offer] > typed.priority[b->offer];
	return a->offer != b->offer ? a->offer < b->offer
				    : a->channel < b->channel;
}

/* The best of the list; all of its offer leave it. */
static struct typed_pair
typed_take(struct typed_pair *list, int *nr)
{
	int best = 0, kept = 0;

	for (int i = 1; i < *nr; i++)
		if (typed_better(&list[i], &list[best]))
			best = i;
	const struct typed_pair pair = list[best];

	for (int i = 0; i < *nr; i++)
		if (list[i].offer != pair.offer)
			list[kept++] = list[i];
	*nr = kept;
	return pair;
}

/* Candidates in rank order; dropped[0] by rules, dropped[1] by policies. */
static int
typed_reference(struct typed_pair *given, int *dropped)
{
	struct typed_pair list[OFFERS * CHANNELS];
	int nr = 0, given_nr = 0;

	for (int o = 0; o < OFFERS; o++)
		for (int c = 0; c < CHANNELS; c++) {
			struct typed_pair pair = {o, c, 0};

			if (!typed_score(&pair))
				dropped[0]++;
			else if (!typed_allow(&pair, NULL, 0))
				dropped[1]++;
			else
				list[nr++] = pair;
		}
	while (nr && given_nr < typed.max) {
		const struct typed_pair pair = typed_take(list, &nr);

		if (typed_allow(&pair, given, given_nr))
			given[given_nr++] = pair;
		else
			dropped[1]++;
	}
	return given_nr;
}

/* Running the real one */

/* As the statement would: only campaigns that a policy names are told apart. */
static void
typed_fill(const struct krn_plan *plan, const struct typed_event *from,
	   bool is_answer, struct krn_contact *to)
{
	static const char *const campaigns[] = {"m0", "m1", "m2"};
	static const char *const outcomes[] = {"dismiss", "click"};

	to->of = (struct krn_plan_contact){from->offer, from->channel, -1, -1};
	to->last_us = from->at_us;
	to->outcome = -1;
	if (from->campaign >= 0)
		to->of.campaign = krn_plan_apart_find(
		    plan->counted_campaigns, plan->counted_campaigns_nr,
		    krn_str_c(campaigns[from->campaign]));
	if (is_answer)
		to->outcome =
		    krn_plan_apart_find(plan->outcomes, plan->outcomes_nr,
					krn_str_c(outcomes[from->outcome]));
	for (size_t w = 0; w < plan->windows_nr; w++)
		to->counts[w] = from->at_us >= plan->windows[w];
}

static struct krn_str
typed_column(struct krn_arena *arena, struct krn_str name)
{
	if (krn_str_eq_c(name, "since"))
		return typed.since_days < 0
			   ? (struct krn_str){NULL, 0}
			   : krn_str_printf(arena, "2026-03-%02d",
					    30 - typed.since_days);
	const double propensity =
	    typed.propensity[krn_str_eq_c(name, "propensityScores.b")];

	return propensity < 0 ? (struct krn_str){NULL, 0}
			      : krn_str_printf(arena, "%.2f", propensity);
}

static void
typed_decide(struct krn_arena *arena, const struct krn_plan *plan,
	     struct krn_decision *ret)
{
	struct krn_contact contacts[EVENTS], answers[EVENTS];
	struct krn_str columns[3]; /* since, two propensities */
	const struct krn_customer customer = {
	    .columns = columns,
	    .contacts = contacts,
	    .contacts_nr = plan->needs_contacts ? EVENTS : 0,
	    .answers = answers,
	    .answers_nr = plan->outcomes_nr ? EVENTS : 0,
	    /* the plan's order is that of their first use */
	    .segments =
		(plan->segments_nr > 0 &&
		 (typed.segments >> krn_str_eq_c(plan->segments[0], "v2") &
		  1)) |
		(uint64_t)(plan->segments_nr > 1 &&
			   (typed.segments >>
				krn_str_eq_c(plan->segments[1], "v2") &
			    1))
		    << 1,
	};

	assert_true(plan->columns_nr <= KRN_NR(columns));
	for (size_t i = 0; i < plan->columns_nr; i++)
		columns[i] = typed_column(arena, plan->columns[i].name);
	for (int i = 0; i < EVENTS; i++) {
		typed_fill(plan, &typed.contacts[i], false, &contacts[i]);
		typed_fill(plan, &typed.answers[i], true, &answers[i]);
	}
	krn_decide_customer(
	    krn_decide_new(arena, plan, krn_plan_keep(plan, false)), &customer,
	    ret);
}

static void
test_random(void **state KRN_UNUSED)
{
	int64_t given_all = 0, dropped_all = 0;

	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct typed_pair given[OFFERS];
		struct krn_decision decision;
		int dropped[2] = {0, 0};

		typed_make(seed);
		typed_decide(arena,
			     decide_case_compile(arena, typed_write(arena),
						 KRN_OK, NULL),
			     &decision);
		const int nr = typed_reference(given, dropped);

		if ((int)decision.candidates_nr != nr ||
		    decision.dropped_qualification != dropped[0] ||
		    decision.dropped_contact_policy != dropped[1])
			fail_msg("seed %llu: %zu candidates, %d wanted; %lld "
				 "and %lld dropped, %d and %d wanted",
				 (unsigned long long)seed,
				 decision.candidates_nr, nr,
				 (long long)decision.dropped_qualification,
				 (long long)decision.dropped_contact_policy,
				 dropped[0], dropped[1]);
		for (int i = 0; i < nr; i++)
			if ((int)decision.candidates[i].offer !=
				given[i].offer ||
			    (int)decision.candidates[i].channel !=
				given[i].channel ||
			    decision.candidates[i].score != given[i].score)
				fail_msg("seed %llu: rank %d differs",
					 (unsigned long long)seed, i + 1);
		given_all += nr;
		dropped_all += dropped[1];
		krn_arena_free(arena);
	}
	/* the worlds are neither empty nor free of policies */
	assert_true(given_all > WORLDS / 2 && dropped_all > WORLDS);
}

/* Whatever memory is refused, nothing is touched that is not there. */
static void
test_no_memory(void **state KRN_UNUSED)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct krn_arena *arena = krn_arena_new(0);

		typed_make(seed);
		decide_case_no_memory(arena, typed_write(arena));
		krn_arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random),
	    cmocka_unit_test(test_no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
