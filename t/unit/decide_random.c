/*
 * krn_decide against a plain reference: small random plans and customers,
 * evaluated pair by pair with names and no masks.
 */

#include "base/base.h"

#include "decide_case.h"

#include "base/buf.h"
#include "base/json_in.h"
#include "t/unit/random.h"

#define OFFERS 5
#define CHANNELS 2
#define RULES 5
#define POLICIES 4
#define CONTACTS 6
#define WORLDS 5000

struct contact {
	int offer, channel;
	int64_t at_us;
};

struct rule {
	int scope, object; /* 0 global, 1 offer, 2 channel, 3 category */
	int stage, op;     /* 0 eligibility, 1 fit, 2 match; into `operators` */
	bool is_text;
	int constant;
	double factor;
};

struct policy {
	int scope, object;
	bool is_cooldown;
	int hours;              /* cooldown; of a cap: lookback, 0 none */
	int max_day, max_total; /* -1 absent */
};

static const char *const operators[] = {"eq", "neq", "gt",     "gte",
					"lt", "lte", "exists", "not_exists"};
static const char *const scopes[] = {"global", "offer", "channel", "category"};
static const char *const cities[] = {"a", "b", "c"};

static struct {
	int priority[OFFERS];
	bool mandatory[OFFERS];
	bool deleted[OFFERS]; /* their contacts count all the same */
	int max;
	struct rule rules[RULES];
	struct policy policies[POLICIES];
	struct contact contacts[CONTACTS];
	int age;  /* -1: NULL, -2: not a number */
	int city; /* -1: NULL */
} world;

static int
scope_object(int scope)
{
	return scope == 1 ? random_below(OFFERS) : random_below(2);
}

static void
world_make(uint64_t seed)
{
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
	world.max = 1 + random_below(4);
	world.age = random_below(8) - 2;
	world.city = random_below(4) - 1;
	for (int i = 0; i < OFFERS; i++) {
		world.priority[i] = 10 * random_below(11);
		world.mandatory[i] = random_below(4) == 0;
		world.deleted[i] = random_below(6) == 0;
	}
	for (int i = 0; i < RULES; i++) {
		struct rule *rule = &world.rules[i];

		rule->scope = random_below(4);
		rule->object = scope_object(rule->scope);
		rule->stage = random_below(3);
		rule->op = random_below((int)KRN_NR(operators));
		rule->is_text = random_below(2);
		rule->constant = random_below(3);
		rule->factor =
		    rule->stage == 1 ? 0.3 + 0.1 * random_below(7) : 0.1 * random_below(30);
	}
	for (int i = 0; i < POLICIES; i++) {
		struct policy *policy = &world.policies[i];

		policy->scope = random_below(4);
		policy->object = scope_object(policy->scope);
		policy->is_cooldown = random_below(3) == 0;
		policy->hours = 1 + random_below(60);
		policy->max_day = random_below(4);
		policy->max_total = random_below(6) - 1;
	}
	for (int i = 0; i < CONTACTS; i++)
		world.contacts[i] =
		    (struct contact){random_below(OFFERS + 1) - 1, random_below(CHANNELS),
				     CASE_NOW - (1 + random_below(80)) * CASE_HOUR};
}

/* As a document */

static void
write_scope(struct krn_buf *buf, int scope, int object)
{
	krn_buf_printf(buf, "\"scope\":\"%s\"", scopes[scope]);
	if (scope)
		krn_buf_printf(buf, ",\"scopeId\":\"%s%d\"",
			       scope == 1   ? "o"
			       : scope == 2 ? "c"
					    : "g",
			       object);
}

static void
write_rule(struct krn_buf *buf, int i)
{
	static const char *const stages[] = {"eligibility", "fit", "match"};
	const struct rule *rule = &world.rules[i];

	krn_buf_printf(buf, "%s{\"id\":\"r%d\",\"name\":\"r%d\",", i ? "," : "",
		       i, i);
	write_scope(buf, rule->scope, rule->object);
	krn_buf_printf(buf,
		       ",\"ruleType\":\"attribute_condition\",\"stage\":\"%s\","
		       "\"config\":{\"attribute\":\"%s\",\"operator\":\"%s\",",
		       stages[rule->stage], rule->is_text ? "city" : "age",
		       operators[rule->op]);
	if (rule->is_text)
		krn_buf_printf(buf, "\"value\":\"%s\"", cities[rule->constant]);
	else
		krn_buf_printf(buf, "\"value\":%d", rule->constant);
	if (rule->stage)
		krn_buf_printf(buf, ",\"%s\":%.17g",
			       rule->stage == 1 ? "decay" : "multiplier",
			       rule->factor);
	krn_buf_add_c(buf, "}}");
}

static void
write_policy(struct krn_buf *buf, int i)
{
	const struct policy *policy = &world.policies[i];

	krn_buf_printf(buf, "%s{\"id\":\"p%d\",\"name\":\"p%d\",", i ? "," : "",
		       i, i);
	write_scope(buf, policy->scope, policy->object);
	if (policy->is_cooldown) {
		krn_buf_printf(buf,
			       ",\"ruleType\":\"cooldown\",\"config\":"
			       "{\"cooldownHours\":%d}}",
			       policy->hours);
		return;
	}
	krn_buf_printf(buf,
		       ",\"ruleType\":\"frequency_cap\",\"config\":"
		       "{\"maxPerDay\":%d",
		       policy->max_day);
	if (policy->max_total >= 0)
		krn_buf_printf(buf, ",\"maxTotal\":%d", policy->max_total);
	if (policy->hours % 2)
		krn_buf_printf(buf, ",\"lookbackHours\":%d", policy->hours);
	krn_buf_add_c(buf, "}}");
}

static struct krn_str
world_write(struct krn_arena *arena)
{
	struct krn_buf buf;
	struct krn_str text = {NULL, 0};

	krn_buf_init(&buf, arena);
	krn_buf_printf(
	    &buf,
	    "{\"flow\":{\"config\":{\"nodes\":[{\"id\":\"1\",\"type\":"
	    "\"inventory\"},{\"id\":\"2\",\"type\":\"qualify\"},"
	    "{\"id\":\"3\",\"type\":\"contact_policy\"},{\"id\":\"4\","
	    "\"type\":\"score\"},{\"id\":\"5\",\"type\":\"rank\","
	    "\"config\":{\"maxCandidates\":%d}},{\"id\":\"6\","
	    "\"type\":\"response\"}]}},\"channelIds\":[],\"offers\":[",
	    world.max);
	for (int i = 0; i < OFFERS; i++)
		krn_buf_printf(&buf,
			       "%s{\"id\":\"o%d\",\"name\":\"n%d\",\"status\":"
			       "\"%s\",\"priority\":%d,\"categoryId\":\"g%d\","
			       "\"mandatory\":%s}",
			       i ? "," : "", i, OFFERS - i,
			       world.deleted[i] ? "deleted" : "active",
			       world.priority[i], i % 2,
			       world.mandatory[i] ? "true" : "false");
	krn_buf_add_c(
	    &buf, "],\"channels\":[{\"id\":\"c0\",\"name\":\"z\",\"status\":"
		  "\"active\",\"deliveryMode\":\"file\"},{\"id\":\"c1\","
		  "\"name\":\"y\",\"status\":\"active\",\"deliveryMode\":"
		  "\"file\"}],\"rules\":[");
	for (int i = 0; i < RULES; i++)
		write_rule(&buf, i);
	krn_buf_add_c(&buf, "],\"policies\":[");
	for (int i = 0; i < POLICIES; i++)
		write_policy(&buf, i);
	krn_buf_add_c(&buf, "]}");
	assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
	return text;
}

/* The reference */

struct pair {
	int offer, channel;
	double score;
};

static bool
in_scope(int scope, int object, int offer, int channel)
{
	return scope == 0 || (scope == 1 && offer == object) ||
	       (scope == 2 && channel == object) ||
	       (scope == 3 && offer >= 0 && offer % 2 == object);
}

static bool
rule_passes(const struct rule *rule)
{
	const int value = rule->is_text ? world.city : world.age;

	if (rule->op >= 6)
		return (value != -1) == (rule->op == 6);
	if (value == -1)
		return true;
	if (value == -2)
		return false;
	const bool results[] = {
	    value == rule->constant, value != rule->constant,
	    value > rule->constant,  value >= rule->constant,
	    value < rule->constant,  value <= rule->constant};

	return results[rule->op];
}

static bool
policy_looks(const struct policy *policy, int offer, int channel)
{
	return in_scope(policy->scope, policy->object, offer, channel) &&
	       !(policy->is_cooldown && world.mandatory[offer]);
}

/* Is one more contact allowed, after what the run gave? */
static bool
policy_allows(const struct policy *policy, const struct pair *given, int nr)
{
	int day = 0, total = 0;

	for (int i = 0; i < CONTACTS; i++) {
		const struct contact *contact = &world.contacts[i];

		if (!in_scope(policy->scope, policy->object, contact->offer,
			      contact->channel))
			continue;
		if (policy->is_cooldown &&
		    contact->at_us > CASE_NOW - policy->hours * CASE_HOUR)
			return false;
		day += contact->at_us >= CASE_DAY;
		total += policy->hours % 2 == 0 ||
			 contact->at_us >= CASE_NOW - policy->hours * CASE_HOUR;
	}
	for (int i = 0; i < nr; i++)
		if (in_scope(policy->scope, policy->object, given[i].offer,
			     given[i].channel)) {
			day++;
			total++;
		}
	return policy->is_cooldown ||
	       (day < policy->max_day &&
		(policy->max_total < 0 || total < policy->max_total));
}

static bool
all_allow(const struct pair *pair, const struct pair *given, int nr)
{
	for (int i = 0; i < POLICIES; i++)
		if (policy_looks(&world.policies[i], pair->offer,
				 pair->channel) &&
		    !policy_allows(&world.policies[i], given, nr))
			return false;
	return true;
}

/* false: dropped. Source: contract 7, the order of operations. */
static bool
pair_score(struct pair *pair)
{
	double fit = 1, match = 1;

	for (int i = 0; i < RULES; i++) {
		const struct rule *rule = &world.rules[i];

		if (!in_scope(rule->scope, rule->object, pair->offer,
			      pair->channel))
			continue;
		if (!rule_passes(rule)) {
			if (rule->stage == 0)
				return false;
			if (rule->stage == 1)
				fit *= rule->factor;
		} else if (rule->stage == 2) {
			match *= rule->factor;
		}
	}
	pair->score = world.priority[pair->offer] / 100.0 * 1.0 * fit * match;
	return true;
}

static bool
pair_better(const struct pair *a, const struct pair *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	if (world.priority[a->offer] != world.priority[b->offer])
		return world.priority[a->offer] > world.priority[b->offer];
	/* names run against the ids */
	return a->offer != b->offer ? a->offer > b->offer
				    : a->channel > b->channel;
}

/* Candidates in rank order; dropped[0] by rules, dropped[1] by policies. */
static int
reference(struct pair *given, int *dropped)
{
	struct pair list[OFFERS * CHANNELS];
	int nr = 0, given_nr = 0;

	for (int o = 0; o < OFFERS; o++)
		for (int c = 0; c < CHANNELS; c++) {
			struct pair pair = {o, c, 0};

			if (world.deleted[o])
				continue;
			if (!pair_score(&pair))
				dropped[0]++;
			else if (!all_allow(&pair, NULL, 0))
				dropped[1]++;
			else
				list[nr++] = pair;
		}
	while (nr && given_nr < world.max) {
		int best = 0, kept = 0;

		for (int i = 1; i < nr; i++)
			if (pair_better(&list[i], &list[best]))
				best = i;
		const struct pair pair = list[best];

		if (all_allow(&pair, given, given_nr))
			given[given_nr++] = pair;
		else
			dropped[1]++;
		for (int i = 0; i < nr; i++)
			if (list[i].offer != pair.offer)
				list[kept++] = list[i];
		nr = kept;
	}
	return given_nr;
}

/* Running the real one */

static struct krn_str
column_text(const struct krn_plan *plan, size_t i)
{
	static const char *const ages[] = {"x", NULL, "0", "1",
					   "2", "3",  "4", "5"};
	const char *text = krn_str_eq_c(plan->columns[i].name, "age")
			       ? ages[world.age + 2]
			   : world.city < 0 ? NULL
					    : cities[world.city];

	return text ? krn_str_c(text) : (struct krn_str){NULL, 0};
}

static void
world_decide(struct krn_arena *arena, const struct krn_plan *plan,
	     struct krn_decision *ret)
{
	struct krn_contact contacts[CONTACTS] = {0};
	struct krn_str columns[2]; /* age, city */

	for (int i = 0; i < CONTACTS; i++) {
		contacts[i].of = (struct krn_plan_contact){
		    world.contacts[i].offer, world.contacts[i].channel, -1, -1};
		contacts[i].last_us = world.contacts[i].at_us;
		for (size_t w = 0; w < plan->windows_nr; w++)
			contacts[i].counts[w] =
			    world.contacts[i].at_us >= plan->windows[w];
	}
	for (size_t i = 0; i < plan->columns_nr; i++)
		columns[i] = column_text(plan, i);
	const struct krn_customer customer = {
	    .columns = columns, .contacts = contacts, .contacts_nr = CONTACTS};

	krn_decide_customer(
	    krn_decide_new(arena, plan, krn_plan_keep(plan, false)), &customer,
	    ret);
}

static void
test_random(void **state KRN_UNUSED)
{
	int other_scores = 0, cases = 0;

	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct pair given[OFFERS];
		struct krn_decision decision;
		int dropped[2] = {0, 0};

		world_make(seed);
		world_decide(arena,
			     decide_case_compile(arena, world_write(arena),
						 KRN_OK, NULL),
			     &decision);
		const int nr = reference(given, dropped);

		if ((int)decision.candidates_nr != nr ||
		    decision.dropped_qualification != dropped[0] ||
		    decision.dropped_contact_policy != dropped[1])
			fail_msg("seed %llu: %zu candidates, %d wanted",
				 (unsigned long long)seed,
				 decision.candidates_nr, nr);
		for (int i = 0; i < nr; i++, cases++) {
			const struct krn_candidate *is =
			    &decision.candidates[i];

			if ((int)is->offer != given[i].offer ||
			    (int)is->channel != given[i].channel)
				fail_msg("seed %llu: rank %d differs",
					 (unsigned long long)seed, i + 1);
			other_scores += is->score != given[i].score;
		}
		krn_arena_free(arena);
	}
	if (other_scores)
		fail_msg(
		    "%d of %d scores are not those of the contract's order "
		    "of operations",
		    other_scores, cases);
}

static void
test_no_memory(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);

	world_make(7);
	decide_case_no_memory(arena, world_write(arena));
	krn_arena_free(arena);
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
