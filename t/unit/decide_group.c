/* Nodes group and optimize; the assignment against brute force. */

#include "base/base.h"

#include "decide_place.h"

#include "base/buf.h"
#include "t/unit/random.h"

static void
test_group(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "greedy takes the best place for the first",
	     .nodes = GROUP(BOTH_PLACES),
	     .creatives = CREATIVES,
	     .expect = "a/m*at=0.5 -b/m:c -b/m:g"},
	    {.name = "optimal leaves it to who has no other",
	     .nodes = GROUP("'allocation':'optimal'," BOTH_PLACES),
	     .creatives = CREATIVES,
	     .expect = "a/m*as=0.45 b/m*bt=0.4 -b/m:c"},
	    {.name = "the same by its other name",
	     .nodes = GROUP("'allocation':'hungarian'," BOTH_PLACES),
	     .creatives = CREATIVES,
	     .expect = "a/m*as=0.45 b/m*bt=0.4 -b/m:c"},
	    {.name = "a place for two",
	     .nodes = GROUP("'placements':[{'placementId':'top','maxItems':2}"
			    "]"),
	     .creatives = CREATIVES,
	     .expect = "a/m*at=0.5 b/m*bt=0.4"},
	    {.name = "a creative of no placement fits none",
	     .nodes = GROUP("'placements':[" TOP "]"),
	     .creatives = "{'id':'x','name':'x','offerId':'a','channelId':'m',"
			  "'weight':100}",
	     .expect = "-a/m:c -b/m:c"},
	    {.name = "of one channel",
	     .nodes = GROUP("'placements':[{'placementId':'top','channelId':"
			    "'n'}]"),
	     .channels = CASE_CHANNEL("m") "," CASE_CHANNEL("n"),
	     .creatives = CREATIVES,
	     .expect = "-a/n:c -b/n:c"},
	    {.name = "no more than the rank lets through",
	     .nodes = "{'id':'c','type':'match_creatives'},{'type':'rank',"
		      "'config':{'maxCandidates':1}},{'id':'g','type':'group',"
		      "'config':{" BOTH_PLACES "}}," END,
	     .creatives = CREATIVES,
	     .expect = "a/m*at=0.5 -b/m:c"},
	    {.name = "what a cap cuts leaves its place empty",
	     .nodes = "{'id':'c','type':'match_creatives'},{'type':"
		      "'contact_policy'},{'id':'g','type':'group','config':{"
		      "'allocation':'optimal'," BOTH_PLACES "}}," END,
	     .creatives = CREATIVES,
	     .policies =
		 CASE_POLICY("p", CASE_GLOBAL, "frequency_cap", "'maxTotal':1"),
	     .expect = "a/m*as=0.45 -b/m:c -b/m:p"},
	    {.name = "no placements",
	     .nodes = GROUP(""),
	     .refused = "node \"g\": a group needs 1 to 16 placements"},
	    {.name = "no name",
	     .nodes = GROUP("'placements':[{}]"),
	     .refused = "node \"g\": a placement needs a placementId"},
	    {.name = "the same twice",
	     .nodes = GROUP("'placements':[" TOP "," TOP "]"),
	     .refused = "the placement \"top\" is there twice"},
	    {.name = "another channel",
	     .nodes = GROUP("'placements':[{'placementId':'top','channelId':"
			    "'z'}]"),
	     .refused = "node \"g\": no channel \"z\""},
	    {.name = "too many items",
	     .nodes = GROUP("'placements':[{'placementId':'t','maxItems':21}"
			    "]"),
	     .refused = "maxItems must be 1 to 20"},
	    {.name = "too many places",
	     .nodes = GROUP(
		 "'placements':[{'placementId':'t','maxItems':20},"
		 "{'placementId':'u','maxItems':20},{'placementId':'v'}]"),
	     .refused = "node \"g\": more than 40 places"},
	    {.name = "another allocation",
	     .nodes = GROUP("'allocation':'random'," BOTH_PLACES),
	     .refused = "allocation must be greedy or optimal"},
	    {.name = "without creatives",
	     .nodes =
		 "{'id':'g','type':'group','config':{" BOTH_PLACES "}}," END,
	     .refused = "node \"g\": a group needs match_creatives"},
	    {.name = "twice",
	     .nodes = "{'type':'match_creatives'},{'type':'group','config':{"
		      "'placements':[" TOP "]}},{'id':'h','type':'group'}," END,
	     .refused = "node \"h\": the flow has more than one group"},
	};

	DECIDE_CASES(cases);
}

#define OPTIMIZE(weights)                                                      \
	"{'id':'o','type':'optimize','config':{'weights':{" weights "}}}," END
#define VALUES                                                                 \
	CASE_OFFER("a", "50",                                                  \
		   ",'businessValue':20,'revenueValue':50,'margin':8")         \
	"," CASE_OFFER(                                                        \
	    "b", "40",                                                         \
	    ",'businessValue':300,'revenueValue':200,'margin':null")

static void
test_optimize(void **state KRN_UNUSED)
{
	static const struct decide_case cases[] = {
	    {.name = "the score alone",
	     .nodes = OPTIMIZE("'score':7"),
	     .offers = VALUES,
	     .expect = "a/m=0.5 b/m=0.4"},
	    {.name = "revenue in proportion to the largest",
	     .nodes = OPTIMIZE("'revenue':1"),
	     .offers = VALUES,
	     .expect = "b/m=1 a/m=0.25"},
	    {.name = "a margin that is not there",
	     .nodes = OPTIMIZE("'margin':1"),
	     .offers = VALUES,
	     .expect = "a/m=1 b/m=0"},
	    {.name = "impact, clamped, and the score",
	     .nodes = OPTIMIZE("'score':1,'impact':1"),
	     .offers = VALUES,
	     .expect = "b/m=0.7 a/m=0.35"},
	    {.name = "propensity, of which a score by priority needs none",
	     .nodes = OPTIMIZE("'propensity':3,'emphasis':1"),
	     .customer = "{'propensityScores.a':'0.25'}",
	     .expect = "b/m=0.475 a/m=0.3125"},
	    {.name = "relevance",
	     .nodes = "{'type':'qualify'}," OPTIMIZE("'relevance':1"),
	     .rules = CASE_IF("r", CASE_OF("offer", "a"), "fit",
			      "'attribute':'none','operator':'exists','decay':"
			      "0.5"),
	     .expect = "b/m=1 a/m=0.5"},
	    {.name = "of a profile",
	     .nodes = "{'id':'o','type':'optimize','config':{"
		      "'strategyProfileId':'w'}}," END,
	     .offers = VALUES,
	     .profiles = "{'id':'w','name':'w','weights':{'revenue':0.5}}",
	     .expect = "b/m=1 a/m=0.25"},
	    {.name = "a profile that is not there",
	     .nodes = "{'id':'o','type':'optimize','config':{"
		      "'strategyProfileId':'w'}}," END,
	     .refused = "node \"o\": optimize needs weights, or a ranking"},
	    {.name = "an objective that nothing measures",
	     .nodes = OPTIMIZE("'engagement':1"),
	     .refused = "node \"o\": unknown objective \"engagement\""},
	    {.name = "none",
	     .nodes = OPTIMIZE("'score':0"),
	     .refused = "node \"o\": the weights of the objectives are 0"},
	    {.name = "below 0",
	     .nodes = OPTIMIZE("'score':-1"),
	     .refused = "node \"o\": score must be a number from 0"},
	    {.name = "a propensity that is no number",
	     .nodes = OPTIMIZE("'propensity':1"),
	     .customer = "{'propensityScores.a':'x'}",
	     .expect = "E:attribute \"propensityScores.a\" is not a finite "
		       "number"},
	};

	DECIDE_CASES(cases);
}

/* Against brute force */

#define OFFERS 5
#define PLACES 3
#define WORLDS 3000
/* Below any difference of sums: scores are multiples of 0.001. */
#define A_BIT 1e-6

static struct {
	int priority[OFFERS], weight[OFFERS][PLACES]; /* -1: no creative */
	int max[PLACES], keep;
	bool is_optimal;
} world;

static void
world_make(uint64_t seed)
{
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
	world.is_optimal = random_below(4) != 0;
	world.keep = 1 + random_below(OFFERS);
	for (int p = 0; p < PLACES; p++)
		world.max[p] = 1 + random_below(2);
	for (int i = 0; i < OFFERS; i++) {
		world.priority[i] = 10 * random_below(11);
		for (int p = 0; p < PLACES; p++)
			world.weight[i][p] = random_below(3) ? random_below(101) : -1;
	}
}

static struct krn_str
world_write(struct krn_arena *arena)
{
	struct krn_str text = {NULL, 0};
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_buf_printf(&buf,
		       "{\"flow\":{\"config\":{\"nodes\":[{\"type\":"
		       "\"inventory\"},{\"type\":\"match_creatives\"},{"
		       "\"type\":\"rank\",\"config\":{\"maxCandidates\":%d}},"
		       "{\"type\":\"group\",\"config\":{\"allocation\":\"%s\","
		       "\"placements\":[",
		       world.keep, world.is_optimal ? "optimal" : "greedy");
	for (int p = 0; p < PLACES; p++)
		krn_buf_printf(&buf,
			       "%s{\"placementId\":\"p%d\",\"maxItems\":%d}",
			       p ? "," : "", p, world.max[p]);
	krn_buf_add_c(&buf,
		      "]}},{\"type\":\"response\"}]}},\"channels\":[{\"id\":"
		      "\"m\",\"name\":\"m\",\"status\":\"active\","
		      "\"deliveryMode\":\"file\"}],\"offers\":[");
	for (int i = 0; i < OFFERS; i++)
		krn_buf_printf(&buf,
			       "%s{\"id\":\"%d\",\"name\":\"%d\",\"status\":"
			       "\"active\",\"priority\":%d}",
			       i ? "," : "", i, i, world.priority[i]);
	krn_buf_add_c(&buf, "],\"creatives\":[null");
	for (int i = 0; i < OFFERS; i++)
		for (int p = 0; p < PLACES; p++)
			if (world.weight[i][p] >= 0)
				krn_buf_printf(
				    &buf,
				    ",{\"id\":\"%d%d\",\"name\":\"x\","
				    "\"offerId\":\"%d\",\"channelId\":\"m\","
				    "\"placementId\":\"p%d\",\"weight\":%d}",
				    i, p, i, p, world.weight[i][p]);
	krn_buf_add_c(&buf, "]}");
	assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
	return text;
}

static double
score_of(int offer, int place)
{
	return world.priority[offer] / 100.0 *
	       (world.weight[offer][place] / 100.0);
}

static double
best_of(int offer)
{
	double best = -1;

	for (int p = 0; p < PLACES; p++)
		if (world.weight[offer][p] >= 0 && score_of(offer, p) > best)
			best = score_of(offer, p);
	return best;
}

/* Offers with a creative, best first, at most `keep`. */
static int
ranked(int *list)
{
	int nr = 0;

	for (int i = 0; i < OFFERS; i++)
		if (best_of(i) >= 0)
			list[nr++] = i;
	for (int i = 0; i < nr; i++)
		for (int k = i + 1; k < nr; k++) {
			const double x = best_of(list[i]), y = best_of(list[k]);
			const int a = world.priority[list[i]];
			const int b = world.priority[list[k]];

			if (y > x ||
			    (y == x &&
			     (b > a || (b == a && list[k] < list[i])))) {
				const int swap = list[i];

				list[i] = list[k];
				list[k] = swap;
			}
		}
	return nr < world.keep ? nr : world.keep;
}

/*
 * Try every way to place the offers from the i-th on. An offer counts a bit
 * beside its score: of equal sums the one of more offers is larger.
 */
static double
largest(const int *list, int nr, int i, int *used)
{
	if (i == nr)
		return 0;
	double best = largest(list, nr, i + 1, used);

	for (int p = 0; p < PLACES; p++) {
		if (world.weight[list[i]][p] < 0 || used[p] == world.max[p])
			continue;
		used[p]++;
		const double sum = score_of(list[i], p) + A_BIT +
				   largest(list, nr, i + 1, used);

		used[p]--;
		if (sum > best)
			best = sum;
	}
	return best;
}

static double
greedy(const int *list, int nr)
{
	int used[PLACES] = {0};
	double sum = 0;

	for (int i = 0; i < nr; i++) {
		int best = -1;

		for (int p = 0; p < PLACES; p++)
			if (world.weight[list[i]][p] >= 0 &&
			    used[p] < world.max[p] &&
			    (best < 0 ||
			     score_of(list[i], p) > score_of(list[i], best)))
				best = p;
		if (best < 0)
			continue;
		used[best]++;
		sum += score_of(list[i], best) + A_BIT;
	}
	return sum;
}

/* Places are held, offers are given once; the sum of their scores. */
static double
sum_of(const struct krn_plan *plan, const struct krn_decision *decision)
{
	int used[PLACES] = {0}, given[OFFERS] = {0};
	double sum = 0;

	for (size_t i = 0; i < decision->candidates_nr; i++) {
		const struct krn_candidate *it = &decision->candidates[i];
		const struct krn_str place =
		    plan->creatives[it->creative].placement_id;

		assert_true(used[place.s[1] - '0']++ <
			    world.max[place.s[1] - '0']);
		assert_true(given[it->offer]++ == 0);
		sum += it->score + A_BIT;
	}
	return sum;
}

static void
test_random(void **state KRN_UNUSED)
{
	int differ = 0;

	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		struct krn_arena *arena = krn_arena_new(0);
		const struct krn_customer customer = {.columns = NULL};
		int list[OFFERS], used[PLACES] = {0};
		struct krn_decision decision;

		world_make(seed);
		const struct krn_plan *plan = decide_case_compile(
		    arena, world_write(arena), KRN_OK, NULL);
		const int nr = ranked(list);
		const double best = largest(list, nr, 0, used);
		const double wanted =
		    world.is_optimal ? best : greedy(list, nr);

		krn_decide_customer(
		    krn_decide_new(arena, plan, krn_plan_keep(plan, true)),
		    &customer, &decision);
		const double is = sum_of(plan, &decision);

		if (is > wanted + 1e-9 || is < wanted - 1e-9)
			fail_msg("seed %llu: %g instead of %g",
				 (unsigned long long)seed, is, wanted);
		differ += best > greedy(list, nr) + 1e-9;
		krn_arena_free(arena);
	}
	/* greedy often does worse */
	assert_true(differ > WORLDS / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_group),
	    cmocka_unit_test(test_optimize),
	    cmocka_unit_test(test_random),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
