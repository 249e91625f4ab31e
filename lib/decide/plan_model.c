/*
 * Propensities: the models whose scores are attributes, the parts of the
 * customers that have one each, and what was learned from answers.
 */

#include "base/base.h"

#include "decide/plan_private.h"

/* Source: spec, scoring, propensity: answers that make it worth a share. */
#define LEARNED_OFFER 50
#define LEARNED_CATEGORY 20
#define LEARNED_ALL 10
#define SMOOTHING 10
#define SMOOTHING_MAX 1000000

#define MODEL_KEY KRN_STR("propensityScores")

enum krn_err
plan_model(struct plan_build *build, struct krn_str key, bool is_required,
	   int *ret)
{
	struct krn_plan *plan = build->plan;
	size_t i = 0;

	if (!key.len)
		key = MODEL_KEY;
	if (!plan->models_nr)
		plan->models[plan->models_nr++].key = MODEL_KEY;
	while (i < plan->models_nr && !krn_str_eq(plan->models[i].key, key))
		i++;
	if (i == KRN_PLAN_MODELS_MAX)
		return plan_refuse(build, "more than %d models",
				   KRN_PLAN_MODELS_MAX);
	if (i == plan->models_nr)
		plan->models[plan->models_nr++].key = key;
	/* without any the default one is 0.5, as its offers are */
	plan->models[i].is_required |=
	    is_required && !krn_str_eq(key, MODEL_KEY);
	*ret = (int)i;
	return KRN_OK;
}

static enum krn_err
model_columns(struct plan_build *build, struct krn_plan_model *model,
	      bool *ret_has)
{
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	*ret_has = false;
	model->columns = krn_arena_calloc(build->arena, plan->offers_nr,
					  sizeof(*model->columns));
	if (!model->columns)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < plan->offers_nr; i++) {
		model->columns[i] = -1;
		if (!plan->offers[i].is_candidate)
			continue;
		const struct krn_str name = krn_str_printf(
		    build->arena, "%.*s.%.*s", KRN_STR_ARG(model->key),
		    KRN_STR_ARG(plan->offers[i].name));

		if (!name.s)
			return krn_arena_fail(build->arena, build->err);
		if ((e = plan_column(build, name, &model->columns[i],
				     build->err)))
			return e;
		*ret_has |= model->columns[i] >= 0;
	}
	return KRN_OK;
}

enum krn_err
plan_resolve_models(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	bool has[KRN_PLAN_MODELS_MAX] = {false};
	enum krn_err e;

	for (size_t i = 0; i < plan->models_nr; i++) {
		struct krn_plan_model *model = &plan->models[i];

		if ((e = model_columns(build, model, &has[i])))
			return e;
		if (model->is_required && !has[i])
			return plan_refuse(
			    build,
			    "score: there are no scores of the model "
			    "\"%.*s\": no attribute \"%.*s.<offer>\"",
			    KRN_STR_ARG(model->key), KRN_STR_ARG(model->key));
	}
	/* a rule whose model has none looks at the default one */
	for (size_t i = 0; i < plan->pair_rules_nr; i++) {
		struct krn_plan_rule *rule = &plan->rules[plan->pair_rules[i]];

		if (!has[rule->model])
			rule->model = 0;
	}
	return KRN_OK;
}

/* {modelKey, weight}: the part up to the sum of the weights so far. */
static enum krn_err
model_arm(struct plan_build *build, const struct krn_value *from)
{
	struct krn_plan *plan = build->plan;
	const struct krn_value *weight = krn_value_find(from, "weight");
	struct krn_plan_arm *arm = &plan->arms[plan->arms_nr];
	const uint32_t before =
	    plan->arms_nr ? plan->arms[plan->arms_nr - 1].below : 0;

	if (!weight || weight->type != KRN_VALUE_INT || weight->integer < 0 ||
	    weight->integer > 100 - (int64_t)before)
		return plan_refuse(build,
				   "score: the weights of championChallenger "
				   "must be whole numbers that make 100");
	arm->below = before + (uint32_t)weight->integer;
	plan->arms_nr++;
	return plan_model(build, plan_text(from, "modelKey"), true,
			  &arm->model);
}

static enum krn_err
model_experiment(struct plan_build *build, const struct krn_value *from)
{
	const struct krn_value *list = plan_list(from, "challengers");
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	plan->experiment = plan_text(from, "experimentId");
	if (!plan->experiment.len || !list)
		return plan_refuse(build,
				   "score: championChallenger needs "
				   "experimentId, champion and challengers");
	if (list->array.nr >= KRN_PLAN_MODELS_MAX)
		return plan_refuse(build, "more than %d models",
				   KRN_PLAN_MODELS_MAX);
	if ((e = model_arm(build, krn_value_find(from, "champion"))))
		return e;
	for (size_t i = 0; i < list->array.nr; i++)
		if ((e = model_arm(build, &list->array.items[i])))
			return e;
	if (plan->arms[plan->arms_nr - 1].below != 100)
		return plan_refuse(build,
				   "score: the weights of championChallenger "
				   "must be whole numbers that make 100");
	return KRN_OK;
}

/* Is it there, and not switched off? */
static bool
model_is_enabled(const struct krn_value *experiment)
{
	const struct krn_value *enabled = krn_value_find(experiment, "enabled");

	return experiment && experiment->type != KRN_VALUE_NULL &&
	       !(enabled && enabled->type == KRN_VALUE_BOOL &&
		 !enabled->boolean);
}

/* One part: everybody. */
static enum krn_err
model_of_all(struct plan_build *build, struct krn_str key)
{
	struct krn_plan *plan = build->plan;

	plan->arms_nr = 1;
	plan->arms[0].below = 100;
	return plan_model(build, key, true, &plan->arms[0].model);
}

enum krn_err
plan_need_model(struct plan_build *build)
{
	return build->plan->arms_nr ? KRN_OK : model_of_all(build, KRN_STR(""));
}

enum krn_err
plan_read_arms(struct plan_build *build, const struct krn_value *config)
{
	const struct krn_value *experiment =
	    krn_value_find(config, "championChallenger");
	const struct krn_value *smoothing =
	    krn_value_find(config, "smoothingWeight");
	struct krn_plan *plan = build->plan;
	const bool needs_models = plan->method != KRN_METHOD_PRIORITY_WEIGHTED;

	if (model_is_enabled(experiment) && !needs_models)
		return plan_refuse(build, "score: championChallenger needs the "
					  "method propensity or formula");
	plan->smoothing = SMOOTHING;
	if (smoothing &&
	    (!krn_value_number(smoothing, &plan->smoothing) ||
	     !(plan->smoothing > 0 && plan->smoothing <= SMOOTHING_MAX)))
		return plan_refuse(build,
				   "score: smoothingWeight must be above 0 and "
				   "at most %d",
				   SMOOTHING_MAX);
	if (!needs_models)
		return KRN_OK;
	if (model_is_enabled(experiment))
		return model_experiment(build, experiment);
	return model_of_all(build, plan_text(config, "modelKey"));
}

/* Answers */

struct model_tally {
	double answers, positives;
};

/* What is known of each offer, of its category, of all. */
struct model_tallies {
	struct model_tally *own, *of_category; /* of each offer */
	struct model_tally all;
};

static void
model_add(struct model_tally *tally, double count, bool is_positive)
{
	tally->answers += count;
	tally->positives += is_positive ? count : 0;
}

/* A row of an offer, of a category, or of all. */
static void
model_count(const struct plan_build *build, const struct krn_value *row,
	    struct model_tallies *to)
{
	const struct krn_plan *plan = build->plan;
	const struct krn_str class =
	    plan_outcome_class(build, plan_text(row, "outcome"));
	const struct krn_str offer = plan_text(row, "offerId");
	const struct krn_str category = plan_text(row, "categoryId");
	const bool is_positive = krn_str_eq_c(class, "positive");
	double count;

	if ((!is_positive && !krn_str_eq_c(class, "negative")) ||
	    !krn_value_number(krn_value_find(row, "count"), &count))
		return;
	if (offer.len) {
		const int i = krn_plan_offer_find(plan, offer);

		if (i >= 0)
			model_add(&to->own[i], count, is_positive);
	} else if (category.len) {
		for (size_t i = 0; i < plan->offers_nr; i++)
			if (krn_str_eq(plan->offers[i].category_id, category))
				model_add(&to->of_category[i], count,
					  is_positive);
	} else {
		model_add(&to->all, count, is_positive);
	}
}

static void
model_learn_offer(double smoothing, const struct model_tally *own,
		  const struct model_tally *prior, struct krn_plan_learned *ret)
{
	const bool is_enough = own->answers >= LEARNED_OFFER;

	ret->is_fixed = is_enough || prior;
	ret->positives = own->positives;
	ret->divisor = own->answers > 0 ? own->answers + smoothing : 0;
	if (is_enough)
		ret->fixed = own->positives / own->answers;
	else if (prior && own->answers > 0)
		ret->fixed = (own->positives +
			      smoothing * (prior->positives / prior->answers)) /
			     ret->divisor;
	else if (prior)
		ret->fixed = prior->positives / prior->answers;
}

enum krn_err
plan_learn(struct plan_build *build)
{
	const struct krn_value *rows = plan_list(build->config, "answers");
	struct krn_plan *plan = build->plan;
	struct model_tallies tallies = {
	    .own = krn_arena_calloc(build->arena, plan->offers_nr,
				    sizeof(struct model_tally)),
	    .of_category = krn_arena_calloc(build->arena, plan->offers_nr,
					    sizeof(struct model_tally)),
	};

	if (!tallies.own || !tallies.of_category)
		return krn_arena_fail(build->arena, build->err);
	if (plan->method != KRN_METHOD_PROPENSITY)
		return KRN_OK;
	for (size_t i = 0; rows && i < rows->array.nr; i++)
		model_count(build, &rows->array.items[i], &tallies);
	for (size_t i = 0; i < plan->offers_nr; i++) {
		const struct model_tally *of_category = &tallies.of_category[i];

		model_learn_offer(
		    plan->smoothing, &tallies.own[i],
		    of_category->answers >= LEARNED_CATEGORY ? of_category
		    : tallies.all.answers >= LEARNED_ALL     ? &tallies.all
							     : NULL,
		    &plan->offers[i].learned);
	}
	return KRN_OK;
}
