/* What a pair is worth to a customer. */

#include "base/base.h"

#include "decide/decide_private.h"

#include <float.h>
#include <math.h>

static double
decide_clamp(double value)
{
	return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* fit and match of a pair. Source: contract 7, rule configs. */
static void
decide_factors(const struct krn_decide *d, const struct krn_plan_pair *pair,
	       double *ret_fit, double *ret_match)
{
	double fit = 1, match = 1;

	for (size_t w = 0; w < d->plan->mask_words; w++) {
		uint64_t soft = pair->soft[w];

		for (; soft; soft &= soft - 1) {
			const int bit = __builtin_ctzll(soft);
			const struct krn_plan_rule *rule =
			    &d->plan->rules[w * 64 + (size_t)bit];
			const bool failed = d->failed[w] >> bit & 1;

			if (rule->stage == KRN_STAGE_FIT && failed)
				fit *= rule->factor;
			/* many multipliers may leave the numbers; kept within
			   them, a later 0 still makes 0 */
			if (rule->stage == KRN_STAGE_MATCH && !failed)
				match = fmin(match * rule->factor, DBL_MAX);
		}
	}
	*ret_fit = fit;
	*ret_match = match;
}

/* Source: Fowler, Noll, Vo; the offset and prime of 32 bits. */
static uint32_t
score_hash(uint32_t hash, struct krn_str text)
{
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.s[i]) * 16777619u;
	return hash;
}

void
decide_choose_model(struct krn_decide *d)
{
	const struct krn_plan *plan = d->plan;
	size_t arm = 0;

	d->model = NULL;
	if (plan->arms_nr > 1) {
		uint32_t hash = score_hash(2166136261u, plan->experiment);

		hash = score_hash(hash, KRN_STR(":"));
		hash = score_hash(hash, d->customer->id);
		while (hash % 100 >= plan->arms[arm].below)
			arm++;
	}
	if (plan->arms_nr)
		d->model = &plan->models[plan->arms[arm].model];
}

bool
decide_propensity(const struct krn_decide *d,
		  const struct krn_plan_model *model, uint32_t offer,
		  double *ret)
{
	const int column = model->columns[offer];

	*ret = 0.5;
	if (column < 0 || d->values[column].is_null)
		return true;
	if (krn_parse_double(d->values[column].text, ret, NULL))
		return false;
	*ret = decide_clamp(*ret);
	return true;
}

/* The propensity that a score needs; without it there is none. */
static double
score_propensity(struct krn_decide *d, uint32_t offer)
{
	double propensity;

	if (!decide_propensity(d, d->model, offer, &propensity))
		decide_fail(
		    d, "attribute \"%.*s\" is not a finite number",
		    KRN_STR_ARG(
			d->plan->columns[d->model->columns[offer]].name));
	return propensity;
}

/* What was learned, and the model where that is not enough. */
static double
score_learned(struct krn_decide *d, uint32_t offer)
{
	const struct krn_plan_learned *learned =
	    &d->plan->offers[offer].learned;

	if (learned->is_fixed)
		return learned->fixed;
	const double propensity = score_propensity(d, offer);

	return learned->divisor > 0
		   ? (learned->positives + d->plan->smoothing * propensity) /
			 learned->divisor
		   : propensity;
}

/* By the method of the flow. */
static double
score_by_method(struct krn_decide *d, const struct krn_plan_pair *pair,
		double fit, double match)
{
	const struct krn_plan *plan = d->plan;
	const struct krn_plan_offer *offer = &plan->offers[pair->offer];

	if (plan->method != KRN_METHOD_FORMULA) {
		const double base =
		    plan->method == KRN_METHOD_PROPENSITY
			? score_learned(d, pair->offer)
			: offer->priority / 100 * (pair->weight / 100);
		const double score = base * fit * match;

		return isfinite(score) ? score : DBL_MAX;
	}

	const double *weights = plan->weights[pair->weights].of;
	const double parts[] = {
	    weights[0] > 0 ? score_propensity(d, pair->offer) : 0,
	    decide_clamp(fit * match),
	    decide_clamp(offer->business_value / 100),
	    offer->priority / 100,
	};
	double score = 1;

	for (size_t i = 0; i < KRN_NR(parts); i++)
		if (weights[i] > 0)
			score *= pow(parts[i], weights[i]);
	return score;
}

/* The flow's objectives in place of the score alone. */
static double
score_optimized(struct krn_decide *d, const struct krn_plan_pair *pair,
		double relevance, double score)
{
	const double *weights = d->plan->objectives;

	score = weights[KRN_OBJECTIVE_SCORE] * score +
		d->plan->offers[pair->offer].objective;
	if (weights[KRN_OBJECTIVE_RELEVANCE] > 0)
		score += weights[KRN_OBJECTIVE_RELEVANCE] * relevance;
	if (weights[KRN_OBJECTIVE_PROPENSITY] > 0)
		score += weights[KRN_OBJECTIVE_PROPENSITY] *
			 score_propensity(d, pair->offer);
	return fmin(score, DBL_MAX);
}

double
decide_score(struct krn_decide *d, const struct krn_plan_pair *pair)
{
	struct decide_parts parts;
	double score;

	decide_factors(d, pair, &parts.fit, &parts.match);
	score = parts.of_method =
	    score_by_method(d, pair, parts.fit, parts.match);
	if (d->plan->is_optimized)
		score = score_optimized(
		    d, pair, decide_clamp(parts.fit * parts.match), score);
	if (d->scored)
		d->scored(d->explain_data, pair, &parts, score);
	return score;
}
