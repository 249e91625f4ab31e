/*
 * The flow's nodes against a plain reference: small random flows, offers and
 * customers; no bits, no masks, no heap.
 */

#include "base/base.h"

#include "decide_case.h"

#include "base/buf.h"
#include "base/json_in.h"
#include "t/unit/random.h"

#define OFFERS 7
#define CHANNELS 2
#define CREATIVES 9
#define FILTERS 2
#define TESTS 3 /* when, then, else; a filter has the second only */
#define CONDITIONS 3
#define WORLDS 5000

enum field { PRIORITY, MARGIN, NAME, CHANNEL, AGE, FIELDS };

struct condition {
	enum field field;
	int op; /* into `operators` */
	int constant;
};

struct test {
	bool is_any, is_negated;
	int nr;
	struct condition list[CONDITIONS];
};

static const char *const operators[] = {
    "eq",      "neq",         "gt",       "gte", "lt",    "lte",
    "is_null", "is_not_null", "contains", "in",  "not_in"};
static const char *const fields[] = {"offer.priority", "offer.margin",
				     "offer.name", "channel.name",
				     "customer.age"};
static const char *const margins[] = {"null", "0", "1", "2", "3"};
static const char *const methods[] = {"priority_weighted", "propensity",
				      "formula"};
static const char *const ranks[] = {"score", "priority", "diversity",
				    "round_robin"};

static struct {
	struct {
		int priority, value, category; /* 0: none */
		int margin;                    /* -1: null */
		bool is_active;
	} offers[OFFERS];
	struct {
		int offer, channel, weight;
		bool is_placed;
	} creatives[CREATIVES];
	bool is_conditional[FILTERS];
	struct test tests[FILTERS][TESTS];
	bool matches, requires, is_exact; /* match_creatives */
	int method, rank, max, age;       /* age -1: NULL, -2: no number */
	int only_category;                /* of the inventory; -1: all */
} world;

static void
make_test(struct test *test, bool is_when)
{
	test->is_any = random_below(2);
	test->is_negated = random_below(2);
	test->nr = is_when ? 1 + random_below(CONDITIONS) : random_below(CONDITIONS + 1);
	for (int i = 0; i < test->nr; i++)
		test->list[i] = (struct condition){
		    is_when ? AGE : (enum field)random_below(FIELDS),
		    random_below((int)KRN_NR(operators)), random_below(4)};
}

static void
world_make(uint64_t seed)
{
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
	memset(&world, 0, sizeof(world));
	for (int i = 0; i < OFFERS; i++) {
		world.offers[i].priority = random_below(4);
		world.offers[i].value = 10 * random_below(12);
		world.offers[i].category = random_below(3);
		world.offers[i].margin = random_below(5) - 1;
		world.offers[i].is_active = random_below(8) != 0;
	}
	for (int i = 0; i < CREATIVES; i++) {
		world.creatives[i].offer = random_below(OFFERS + 1);
		world.creatives[i].channel = random_below(CHANNELS);
		world.creatives[i].weight = 25 * random_below(5);
		world.creatives[i].is_placed = random_below(3) == 0;
	}
	for (int i = 0; i < FILTERS; i++) {
		world.is_conditional[i] = random_below(2);
		for (int k = 0; k < TESTS; k++)
			make_test(&world.tests[i][k], k == 0);
		/* most leave something */
		world.tests[i][1].is_any |= random_below(4) != 0;
		world.tests[i][1].is_negated &= random_below(2);
	}
	world.matches = random_below(4) != 0;
	world.requires = random_below(2);
	world.is_exact = random_below(2);
	world.method = random_below((int)KRN_NR(methods));
	world.rank = random_below((int)KRN_NR(ranks));
	world.max = 1 + random_below(OFFERS);
	world.age = random_below(6) - 2;
	world.only_category = random_below(5) == 0 ? random_below(3) : -1;
}

/* As a document */

/* Constants of a text field are digits, as the names end in digits. */
static void
write_test(struct krn_buf *buf, const struct test *test)
{
	krn_buf_printf(buf, "\"combinator\":\"%s\",\"conditions\":[",
		       test->is_any ? "OR" : "AND");
	for (int i = 0; i < test->nr; i++) {
		const struct condition *it = &test->list[i];
		const bool is_list = it->op >= 9;

		krn_buf_printf(buf,
			       "%s{\"field\":\"%s\",\"operator\":\"%s\","
			       "\"value\":%s",
			       i ? "," : "", fields[it->field],
			       operators[it->op], is_list ? "[9," : "");
		krn_buf_printf(
		    buf,
		    it->field == NAME || it->field == CHANNEL ? "\"%d\"" : "%d",
		    it->constant);
		krn_buf_add_c(buf, is_list ? "]}" : "}");
	}
	krn_buf_add_c(buf, "]");
}

static void
write_branch(struct krn_buf *buf, const char *name, const struct test *test)
{
	krn_buf_printf(buf, ",\"%s\":{\"action\":\"%s\",", name,
		       test->is_negated ? "drop" : "keep");
	write_test(buf, test);
	krn_buf_add_c(buf, "}");
}

static void
write_nodes(struct krn_buf *buf)
{
	krn_buf_add_c(buf, "{\"type\":\"inventory\",\"config\":{");
	if (world.only_category >= 0)
		krn_buf_printf(
		    buf, "\"scope\":\"category\",\"categoryIds\":[\"%d\"]",
		    world.only_category);
	krn_buf_add_c(buf, "}}");
	for (int i = 0; i < FILTERS; i++) {
		const bool conditional = world.is_conditional[i];

		krn_buf_printf(buf,
			       ",{\"id\":\"f%d\",\"type\":\"%s\",\"config\":{",
			       i, conditional ? "conditional" : "filter");
		write_test(buf, &world.tests[i][!conditional]);
		if (conditional) {
			write_branch(buf, "then", &world.tests[i][1]);
			write_branch(buf, "else", &world.tests[i][2]);
		}
		krn_buf_add_c(buf, "}}");
	}
	if (world.matches)
		krn_buf_printf(
		    buf,
		    ",{\"type\":\"match_creatives\",\"config\":{"
		    "\"requireCreative\":%s,\"placementMatchMode\":\"%s\"}}",
		    world.requires ? "true" : "false",
		    world.is_exact ? "exact" : "any");
	krn_buf_printf(
	    buf,
	    ",{\"type\":\"score\",\"config\":{\"method\":\"%s\"%s}},"
	    "{\"type\":\"rank\",\"config\":{\"method\":\"%s\","
	    "\"maxCandidates\":%d}},{\"type\":\"response\"}",
	    methods[world.method],
	    world.method == 2
		? ",\"formula\":{\"emphasisWeight\":1},\"strategyOverrides\":[{"
		  "\"scope\":\"category\",\"value\":\"1\","
		  "\"strategyProfileId\":\"w\"}]"
		: "",
	    ranks[world.rank], world.max);
}

static struct krn_str
world_write(struct krn_arena *arena)
{
	struct krn_buf buf;
	struct krn_str text = {NULL, 0};

	krn_buf_init(&buf, arena);
	krn_buf_add_c(&buf, "{\"flow\":{\"config\":{\"nodes\":[");
	write_nodes(&buf);
	krn_buf_add_c(&buf, "]}},\"profiles\":[{\"id\":\"w\",\"weights\":{"
			    "\"impact\":1}}],\"channelIds\":[],\"channels\":[");
	for (int i = 0; i < CHANNELS; i++)
		krn_buf_printf(&buf,
			       "%s{\"id\":\"%d\",\"name\":\"%d\",\"status\":"
			       "\"active\",\"deliveryMode\":\"file\"}",
			       i ? "," : "", i, i);
	krn_buf_add_c(&buf, "],\"offers\":[");
	for (int i = 0; i < OFFERS; i++) {
		const int category = world.offers[i].category;

		krn_buf_printf(
		    &buf,
		    "%s{\"id\":\"%d\",\"name\":\"%d\",\"status\":\"%s\","
		    "\"priority\":%d,\"businessValue\":%d,\"categoryId\":"
		    "\"%d\",\"categoryName\":\"%d\",\"margin\":%s}",
		    i ? "," : "", i, i,
		    world.offers[i].is_active ? "active" : "paused",
		    world.offers[i].priority, world.offers[i].value, category,
		    9 - category, margins[world.offers[i].margin + 1]);
	}
	krn_buf_add_c(&buf, "],\"creatives\":[");
	for (int i = 0; i < CREATIVES; i++)
		krn_buf_printf(&buf,
			       "%s{\"id\":\"%d\",\"name\":\"%d\",\"offerId\":"
			       "\"%d\",\"channelId\":\"%d\",\"placementId\":%s,"
			       "\"weight\":%d}",
			       i ? "," : "", i, 9 - i, world.creatives[i].offer,
			       world.creatives[i].channel,
			       world.creatives[i].is_placed ? "\"top\""
							    : "null",
			       world.creatives[i].weight);
	krn_buf_add_c(&buf, "]}");
	assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
	return text;
}

/* The reference */

struct pair {
	int offer, channel, creative, turn;
	double score;
};

static bool
holds(const struct condition *it, int offer, int channel)
{
	const int value = it->field == PRIORITY  ? world.offers[offer].priority
			  : it->field == MARGIN  ? world.offers[offer].margin
			  : it->field == NAME    ? offer
			  : it->field == CHANNEL ? channel
						 : world.age;
	const bool is_missing = value == -1;
	const bool results[] = {value == it->constant,
				value != it->constant,
				value > it->constant,
				value >= it->constant,
				value < it->constant,
				value <= it->constant,
				is_missing,
				!is_missing,
				value == it->constant,
				value == it->constant,
				value != it->constant};

	if (is_missing || it->op == 6 || it->op == 7)
		return is_missing ? it->op == 6 : it->op == 7;
	return value != -2 && results[it->op];
}

static bool
passes(const struct test *test, int offer, int channel)
{
	int nr = 0;

	for (int i = 0; i < test->nr; i++)
		nr += holds(&test->list[i], offer, channel);
	return test->nr == 0 || (test->is_any ? nr > 0 : nr == test->nr);
}

static bool
filtered(int i, int offer, int channel)
{
	const struct test *tests = world.tests[i];

	if (!world.is_conditional[i])
		return !passes(&tests[1], offer, channel);
	const struct test *branch =
	    passes(&tests[0], offer, channel) ? &tests[1] : &tests[2];

	return passes(branch, offer, channel) == branch->is_negated;
}

/* Names of creatives run against their places. */
static int
creative_of(int offer, int channel)
{
	int best = -1;

	for (int i = 0; world.matches && i < CREATIVES; i++)
		if (world.creatives[i].offer == offer &&
		    world.creatives[i].channel == channel &&
		    !(world.is_exact && world.creatives[i].is_placed) &&
		    (best < 0 ||
		     world.creatives[i].weight >= world.creatives[best].weight))
			best = i;
	return best;
}

static double
score_of(int offer, int creative)
{
	const double priority = world.offers[offer].priority;
	const double value = world.offers[offer].value;

	if (world.method == 1)
		return 0.5;
	if (world.method == 2)
		return world.offers[offer].category != 1 ? priority / 100
		       : value > 100                     ? 1
							 : value / 100;
	return priority / 100 *
	       ((creative < 0 ? 100 : world.creatives[creative].weight) /
		100.0);
}

static bool
better(const struct pair *a, const struct pair *b)
{
	const int x = world.offers[a->offer].priority;
	const int y = world.offers[b->offer].priority;

	if (a->turn != b->turn)
		return a->turn < b->turn;
	if (world.rank == 1 && x != y)
		return x > y;
	if (a->score != b->score)
		return a->score > b->score;
	if (x != y)
		return x > y;
	return a->offer != b->offer ? a->offer < b->offer
				    : a->channel < b->channel;
}

static void
sort(struct pair *list, int nr)
{
	for (int i = 0; i < nr; i++)
		for (int k = i + 1; k < nr; k++)
			if (better(&list[k], &list[i])) {
				const struct pair swap = list[i];

				list[i] = list[k];
				list[k] = swap;
			}
}

static int
reference(struct pair *list, int *ret_dropped)
{
	int nr = 0, turns[3] = {0, 0, 0};

	for (int o = 0; o < OFFERS; o++)
		for (int c = 0; c < CHANNELS; c++) {
			const int creative = creative_of(o, c);
			const struct pair pair = {o, c, creative, 0,
						  score_of(o, creative)};
			bool drops =
			    world.matches && world.requires && creative < 0;

			if (!world.offers[o].is_active ||
			    (world.only_category >= 0 &&
			     world.offers[o].category != world.only_category))
				continue;
			for (int i = 0; i < FILTERS; i++)
				drops |= filtered(i, o, c);
			*ret_dropped += drops;
			if (drops)
				continue;
			if (nr == 0 || list[nr - 1].offer != o)
				list[nr++] = pair;
			else if (better(&pair, &list[nr - 1]))
				list[nr - 1] = pair;
		}
	sort(list, nr);
	for (int i = 0; i < nr && world.rank >= 2; i++) {
		const int category = world.offers[list[i].offer].category;

		/* their names run against their ids */
		list[i].turn = 3 * turns[category]++ +
			       (world.rank == 3 ? 2 - category : 0);
	}
	sort(list, nr);
	return nr < world.max ? nr : world.max;
}

static void
world_decide(struct krn_arena *arena, const struct krn_plan *plan,
	     struct krn_decision *ret)
{
	static const char *const ages[] = {"x", NULL, "0", "1", "2", "3"};
	const char *age = ages[world.age + 2];
	const struct krn_str column =
	    age ? krn_str_c(age) : (struct krn_str){NULL, 0};
	const struct krn_customer customer = {.columns = &column};

	assert_true(plan->columns_nr <= 1);
	krn_decide_customer(
	    krn_decide_new(arena, plan, krn_plan_keep(plan, false)), &customer,
	    ret);
}

static void
test_random(void **state KRN_UNUSED)
{
	int all = 0;

	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		struct krn_arena *arena = krn_arena_new(0);
		struct pair list[OFFERS * CHANNELS];
		struct krn_decision decision;
		int dropped = 0;

		world_make(seed);
		world_decide(arena,
			     decide_case_compile(arena, world_write(arena),
						 KRN_OK, NULL),
			     &decision);
		const int nr = reference(list, &dropped);

		if ((int)decision.candidates_nr != nr ||
		    decision.dropped_qualification != dropped)
			fail_msg("seed %llu: %zu candidates, %d wanted",
				 (unsigned long long)seed,
				 decision.candidates_nr, nr);
		for (int i = 0; i < nr; i++) {
			const struct krn_candidate *is =
			    &decision.candidates[i];

			if ((int)is->offer != list[i].offer ||
			    (int)is->channel != list[i].channel ||
			    is->creative != list[i].creative ||
			    is->score != list[i].score)
				fail_msg("seed %llu: rank %d differs",
					 (unsigned long long)seed, i + 1);
		}
		all += nr;
		krn_arena_free(arena);
	}
	/* the worlds are not empty */
	assert_true(all > WORLDS);
}

static void
test_no_memory(void **state KRN_UNUSED)
{
	struct krn_arena *arena = krn_arena_new(0);

	world_make(18);
	assert_true(world.matches && world.method == 2 && world.rank >= 2);
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
