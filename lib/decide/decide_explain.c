/* A customer's decision step by step, as JSON. */

#include "base/base.h"

#include "base/json_out.h"
#include "decide/decide_private.h"

struct explain_drop {
	const struct krn_plan_pair *pair;
	enum krn_drop why;
	struct krn_str by;
};

struct explain_score {
	const struct krn_plan_pair *pair;
	struct decide_parts parts;
	double score;
	uint64_t applied[KRN_PLAN_MASK_WORDS]; /* fit and match rules */
};

struct explain {
	const struct krn_plan *plan;
	struct krn_decide *decide;
	/* a pair is dropped once, scored once, and left without a place once */
	struct explain_drop *drops;
	size_t drops_nr;
	struct explain_score *scores;
	size_t scores_nr;
	bool *is_told, *offer_is_told; /* of each pair, each offer */
	struct krn_json_out out;
};

static void
explain_drop(void *data, const struct krn_plan_pair *pair, enum krn_drop why,
	     struct krn_str id)
{
	struct explain *explain = data;

	explain->drops[explain->drops_nr++] =
	    (struct explain_drop){pair, why, id};
}

/* The rules that changed the score are those of its moment. */
static void
explain_score(void *data, const struct krn_plan_pair *pair,
	      const struct decide_parts *parts, double score)
{
	struct explain *explain = data;
	const struct krn_plan *plan = explain->plan;
	struct explain_score *to = &explain->scores[explain->scores_nr++];

	*to = (struct explain_score){
	    .pair = pair, .parts = *parts, .score = score};
	for (size_t i = 0; i < plan->rules_nr; i++) {
		const uint64_t bit = UINT64_C(1) << i % 64;
		const bool failed = explain->decide->failed[i / 64] & bit;

		if ((pair->soft[i / 64] & bit) &&
		    failed == (plan->rules[i].stage == KRN_STAGE_FIT))
			to->applied[i / 64] |= bit;
	}
}

static void
explain_pair(struct explain *explain, uint32_t offer, uint32_t channel,
	     int creative)
{
	const struct krn_plan *plan = explain->plan;

	krn_json_str(&explain->out, "offerId", plan->offers[offer].id);
	krn_json_str(&explain->out, "offerName", plan->offers[offer].name);
	krn_json_str(&explain->out, "channelId", plan->channels[channel].id);
	if (creative >= 0)
		krn_json_str(&explain->out, "creativeId",
			     plan->creatives[creative].id);
}

/* What dropped it: {"type", "id", "name"}; names where there are some. */
static void
explain_reason(struct explain *explain, const struct explain_drop *drop)
{
	const struct krn_plan *plan = explain->plan;
	const char *type = "node";
	struct krn_str name = {NULL, 0};

	for (size_t i = 0; i < plan->rules_nr; i++)
		if (drop->why == KRN_DROP_QUALIFICATION &&
		    plan->rules[i].id.s == drop->by.s) {
			type = "rule";
			name = plan->rules[i].name;
		}
	for (size_t i = 0; i < plan->policies_nr; i++)
		if (drop->why == KRN_DROP_CONTACT_POLICY &&
		    plan->policies[i].id.s == drop->by.s) {
			type = "policy";
			name = plan->policies[i].name;
		}
	if (krn_str_eq_c(drop->by, "inventory") ||
	    krn_str_eq_c(drop->by, "budget") ||
	    krn_str_eq_c(drop->by, "frequencyCaps"))
		type = "offer";
	krn_json_obj_open(&explain->out, "by");
	krn_json_c(&explain->out, "type", type);
	krn_json_str(&explain->out, "id", drop->by);
	if (name.s)
		krn_json_str(&explain->out, "name", name);
	krn_json_close(&explain->out);
}

static void
explain_drops(struct explain *explain, const char *step, enum krn_drop why)
{
	krn_json_obj_open(&explain->out, NULL);
	krn_json_c(&explain->out, "step", step);
	krn_json_arr_open(&explain->out, "dropped");
	for (size_t i = 0; i < explain->drops_nr; i++) {
		const struct explain_drop *drop = &explain->drops[i];

		if (drop->why != why)
			continue;
		krn_json_obj_open(&explain->out, NULL);
		explain_pair(explain, drop->pair->offer, drop->pair->channel,
			     -1);
		explain_reason(explain, drop);
		krn_json_close(&explain->out);
	}
	krn_json_close(&explain->out);
	krn_json_close(&explain->out);
}

/* Members of a weighted sum or product, by name. */
static void
explain_weights(struct explain *explain, const char *name,
		const char *const *names, const double *weights, size_t nr)
{
	krn_json_obj_open(&explain->out, name);
	for (size_t i = 0; i < nr; i++)
		if (weights[i] > 0)
			krn_json_double(&explain->out, names[i], weights[i]);
	krn_json_close(&explain->out);
}

/* The rules that a score was multiplied by. */
static void
explain_rules(struct explain *explain, const struct explain_score *score)
{
	const struct krn_plan *plan = explain->plan;

	krn_json_arr_open(&explain->out, "rules");
	for (size_t i = 0; i < plan->rules_nr; i++) {
		const struct krn_plan_rule *rule = &plan->rules[i];

		if (!(score->applied[i / 64] >> i % 64 & 1))
			continue;
		krn_json_obj_open(&explain->out, NULL);
		krn_json_str(&explain->out, "id", rule->id);
		krn_json_str(&explain->out, "name", rule->name);
		krn_json_double(&explain->out, "factor", rule->factor);
		krn_json_close(&explain->out);
	}
	krn_json_close(&explain->out);
}

/* The propensity of the model, and what answers made of it. */
static void
explain_propensity(struct explain *explain, const struct explain_score *score)
{
	const struct krn_plan *plan = explain->plan;
	const struct krn_plan_model *model = explain->decide->model;
	const struct krn_plan_learned *learned =
	    &plan->offers[score->pair->offer].learned;
	double propensity;

	if (model && decide_propensity(explain->decide, model,
				       score->pair->offer, &propensity))
		krn_json_double(&explain->out, "propensity", propensity);
	if (plan->method != KRN_METHOD_PROPENSITY)
		return;
	if (learned->is_fixed) {
		krn_json_double(&explain->out, "learned", learned->fixed);
	} else if (learned->divisor > 0) {
		krn_json_double(&explain->out, "positives", learned->positives);
		krn_json_double(&explain->out, "answers",
				learned->divisor - plan->smoothing);
	}
}

static void
explain_one_score(struct explain *explain, const struct explain_score *it)
{
	static const char *const formula[] = {"propensityWeight",
					      "relevanceWeight", "impactWeight",
					      "emphasisWeight"};
	const struct krn_plan *plan = explain->plan;
	const struct krn_plan_offer *offer = &plan->offers[it->pair->offer];

	krn_json_obj_open(&explain->out, NULL);
	explain_pair(explain, it->pair->offer, it->pair->channel,
		     it->pair->creative);
	krn_json_double(&explain->out, "priority", offer->priority);
	krn_json_double(&explain->out, "businessValue", offer->business_value);
	krn_json_double(&explain->out, "weight", it->pair->weight);
	krn_json_double(&explain->out, "fit", it->parts.fit);
	krn_json_double(&explain->out, "match", it->parts.match);
	explain_rules(explain, it);
	explain_propensity(explain, it);
	if (plan->method == KRN_METHOD_FORMULA)
		explain_weights(explain, "weights", formula,
				plan->weights[it->pair->weights].of,
				KRN_NR(formula));
	if (plan->is_optimized) {
		krn_json_double(&explain->out, "ofMethod", it->parts.of_method);
		/* impact, emphasis, revenue and margin, weighted */
		krn_json_double(&explain->out, "ofOffer", offer->objective);
	}
	krn_json_double(&explain->out, "score", it->score);
	krn_json_close(&explain->out);
}

static void
explain_scores(struct explain *explain)
{
	static const char *const methods[] = {
	    [KRN_METHOD_PRIORITY_WEIGHTED] = "priority_weighted",
	    [KRN_METHOD_PROPENSITY] = "propensity",
	    [KRN_METHOD_FORMULA] = "formula",
	};
	static const char *const objectives[] = {
	    [KRN_OBJECTIVE_SCORE] = "score",
	    [KRN_OBJECTIVE_PROPENSITY] = "propensity",
	    [KRN_OBJECTIVE_RELEVANCE] = "relevance",
	    [KRN_OBJECTIVE_IMPACT] = "impact",
	    [KRN_OBJECTIVE_EMPHASIS] = "emphasis",
	    [KRN_OBJECTIVE_REVENUE] = "revenue",
	    [KRN_OBJECTIVE_MARGIN] = "margin",
	};
	const struct krn_plan *plan = explain->plan;
	const struct krn_plan_model *model = explain->decide->model;

	krn_json_obj_open(&explain->out, NULL);
	krn_json_c(&explain->out, "step", "score");
	krn_json_c(&explain->out, "method", methods[plan->method]);
	if (model)
		krn_json_str(&explain->out, "model", model->key);
	if (plan->method == KRN_METHOD_PROPENSITY)
		krn_json_double(&explain->out, "smoothingWeight",
				plan->smoothing);
	krn_json_bool(&explain->out, "optimized", plan->is_optimized);
	if (plan->is_optimized)
		explain_weights(explain, "objectives", objectives,
				plan->objectives, KRN_NR(objectives));
	krn_json_arr_open(&explain->out, "scores");
	for (size_t i = 0; i < explain->scores_nr; i++)
		explain_one_score(explain, &explain->scores[i]);
	krn_json_close(&explain->out);
	krn_json_close(&explain->out);
}

/*
 * What was scored and neither dropped nor given. An offer of which nothing was
 * ranks behind the last that may be given; of another, another of its pairs
 * went before this one.
 */
static void
explain_left(struct explain *explain, const struct krn_decision *decision)
{
	const struct krn_plan *plan = explain->plan;

	for (size_t i = 0; i < explain->drops_nr; i++)
		explain->is_told[explain->drops[i].pair - plan->pairs] = true;
	for (size_t i = 0; i < decision->candidates_nr; i++)
		explain->is_told[decision->candidates[i].pair - plan->pairs] =
		    true;
	for (size_t i = 0; i < explain->scores_nr; i++) {
		const struct krn_plan_pair *pair = explain->scores[i].pair;

		if (explain->is_told[pair - plan->pairs])
			explain->offer_is_told[pair->offer] = true;
	}
	krn_json_arr_open(&explain->out, "left");
	for (size_t i = 0; i < explain->scores_nr; i++) {
		const struct krn_plan_pair *pair = explain->scores[i].pair;

		if (explain->is_told[pair - plan->pairs])
			continue;
		krn_json_obj_open(&explain->out, NULL);
		explain_pair(explain, pair->offer, pair->channel,
			     pair->creative);
		krn_json_c(&explain->out, "because",
			   explain->offer_is_told[pair->offer]
			       ? "another"
			       : "maxCandidates");
		krn_json_close(&explain->out);
	}
	krn_json_close(&explain->out);
}

static void
explain_decisions(struct explain *explain, const struct krn_decision *decision)
{
	krn_json_obj_open(&explain->out, NULL);
	krn_json_c(&explain->out, "step", "rank");
	krn_json_arr_open(&explain->out, "decisions");
	for (size_t i = 0; i < decision->candidates_nr; i++) {
		const struct krn_candidate *it = &decision->candidates[i];

		krn_json_obj_open(&explain->out, NULL);
		krn_json_int(&explain->out, "rank", (int64_t)i + 1);
		explain_pair(explain, it->offer, it->channel, it->creative);
		krn_json_double(&explain->out, "score", it->score);
		if (explain->plan->settings_nr)
			krn_candidate_properties(explain->plan, it,
						 "personalization",
						 &explain->out);
		krn_json_close(&explain->out);
	}
	krn_json_close(&explain->out);
	explain_left(explain, decision);
	krn_json_close(&explain->out);
}

static void
explain_write(struct explain *explain, const struct krn_customer *customer,
	      const struct krn_decision *decision)
{
	krn_json_obj_open(&explain->out, NULL);
	krn_json_str(&explain->out, "customerId", customer->id);
	if (decision->error)
		krn_json_c(&explain->out, "error", decision->error);
	else
		krn_json_null(&explain->out, "error");
	krn_json_int(&explain->out, "conversionFailures",
		     decision->conversion_failures);
	krn_json_arr_open(&explain->out, "steps");
	krn_json_obj_open(&explain->out, NULL);
	krn_json_c(&explain->out, "step", "inventory");
	krn_json_int(&explain->out, "candidates",
		     (int64_t)explain->plan->pairs_nr);
	krn_json_close(&explain->out);
	if (!decision->error) {
		explain_drops(explain, "qualify", KRN_DROP_QUALIFICATION);
		explain_drops(explain, "contact_policy",
			      KRN_DROP_CONTACT_POLICY);
		explain_scores(explain);
		if (explain->plan->placements_nr)
			explain_drops(explain, "group", KRN_DROP_GROUP);
		explain_decisions(explain, decision);
	}
	krn_json_close(&explain->out);
	krn_json_close(&explain->out);
	krn_json_end(&explain->out);
}

enum krn_err
krn_decide_explain_json(struct krn_arena *arena, const struct krn_plan *plan,
			size_t keep, const struct krn_customer *customer,
			struct krn_str *ret, struct krn_error *err)
{
	struct explain explain = {
	    .plan = plan,
	    .decide = krn_decide_new(arena, plan, keep),
	    .drops = krn_arena_calloc(arena, 2 * plan->pairs_nr + 1,
				      sizeof(struct explain_drop)),
	    .scores = krn_arena_calloc(arena, plan->pairs_nr + 1,
				       sizeof(struct explain_score)),
	    .is_told = krn_arena_calloc(arena, plan->pairs_nr, sizeof(bool)),
	    .offer_is_told =
		krn_arena_calloc(arena, plan->offers_nr, sizeof(bool)),
	};
	struct krn_decision decision;
	struct krn_buf buf;

	if (!explain.decide || !explain.drops || !explain.scores ||
	    !explain.is_told || !explain.offer_is_told)
		return krn_arena_fail(arena, err);
	krn_buf_init(&buf, arena);
	krn_json_init(&explain.out, &buf);
	krn_decide_explain(explain.decide, explain_drop, &explain);
	explain.decide->scored = explain_score;
	krn_decide_customer(explain.decide, customer, &decision);
	explain_write(&explain, customer, &decision);
	return krn_buf_end(&buf, ret, err);
}
