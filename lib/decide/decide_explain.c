/* A customer's decision step by step, as JSON. */

#include "base/base.h"

#include "base/json_out.h"
#include "decide/decide_private.h"

struct explain_drop {
	uint32_t offer, channel;
	enum krn_drop why;
	struct krn_str by;
};

struct explain_score {
	const struct krn_plan_pair *pair;
	double fit, match, score;
};

struct explain {
	const struct krn_plan *plan;
	struct krn_decide *decide;
	/* a pair is dropped once, scored once, and left without a place once */
	struct explain_drop *drops;
	size_t drops_nr;
	struct explain_score *scores;
	size_t scores_nr;
	struct krn_json_out out;
};

static void
explain_drop(void *data, uint32_t offer, uint32_t channel, enum krn_drop why,
	     struct krn_str id)
{
	struct explain *explain = data;

	explain->drops[explain->drops_nr++] =
	    (struct explain_drop){offer, channel, why, id};
}

static void
explain_score(void *data, const struct krn_plan_pair *pair, double fit,
	      double match, double score)
{
	struct explain *explain = data;

	explain->scores[explain->scores_nr++] =
	    (struct explain_score){pair, fit, match, score};
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
		explain_pair(explain, drop->offer, drop->channel, -1);
		explain_reason(explain, drop);
		krn_json_close(&explain->out);
	}
	krn_json_close(&explain->out);
	krn_json_close(&explain->out);
}

/* What a score is made of; the customer's propensity if there is one. */
static void
explain_scores(struct explain *explain)
{
	static const char *const methods[] = {
	    [KRN_METHOD_PRIORITY_WEIGHTED] = "priority_weighted",
	    [KRN_METHOD_PROPENSITY] = "propensity",
	    [KRN_METHOD_FORMULA] = "formula",
	};
	const struct krn_plan *plan = explain->plan;
	const struct krn_plan_model *model = explain->decide->model;

	krn_json_obj_open(&explain->out, NULL);
	krn_json_c(&explain->out, "step", "score");
	krn_json_c(&explain->out, "method", methods[plan->method]);
	if (model)
		krn_json_str(&explain->out, "model", model->key);
	krn_json_bool(&explain->out, "optimized", plan->is_optimized);
	krn_json_arr_open(&explain->out, "scores");
	for (size_t i = 0; i < explain->scores_nr; i++) {
		const struct explain_score *it = &explain->scores[i];
		const struct krn_plan_offer *offer =
		    &plan->offers[it->pair->offer];
		double propensity;

		krn_json_obj_open(&explain->out, NULL);
		explain_pair(explain, it->pair->offer, it->pair->channel,
			     it->pair->creative);
		krn_json_double(&explain->out, "priority", offer->priority);
		krn_json_double(&explain->out, "weight", it->pair->weight);
		krn_json_double(&explain->out, "fit", it->fit);
		krn_json_double(&explain->out, "match", it->match);
		if (model && decide_propensity(explain->decide, model,
					       it->pair->offer, &propensity))
			krn_json_double(&explain->out, "propensity",
					propensity);
		if (plan->method == KRN_METHOD_PROPENSITY &&
		    offer->learned.is_fixed)
			krn_json_double(&explain->out, "learned",
					offer->learned.fixed);
		krn_json_double(&explain->out, "score", it->score);
		krn_json_close(&explain->out);
	}
	krn_json_close(&explain->out);
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
			const struct krn_customer *customer,
			struct krn_str *ret, struct krn_error *err)
{
	struct explain explain = {
	    .plan = plan,
	    .decide = krn_decide_new(arena, plan, krn_plan_keep(plan, false)),
	    .drops = krn_arena_calloc(arena, 2 * plan->pairs_nr + 1,
				      sizeof(struct explain_drop)),
	    .scores = krn_arena_calloc(arena, plan->pairs_nr + 1,
				       sizeof(struct explain_score)),
	};
	struct krn_decision decision;
	struct krn_buf buf;

	if (!explain.decide || !explain.drops || !explain.scores)
		return krn_arena_fail(arena, err);
	krn_buf_init(&buf, arena);
	krn_json_init(&explain.out, &buf);
	krn_decide_explain(explain.decide, explain_drop, &explain);
	explain.decide->scored = explain_score;
	krn_decide_customer(explain.decide, customer, &decision);
	explain_write(&explain, customer, &decision);
	return krn_buf_end(&buf, ret, err);
}
