#ifndef KRN_PLAN_PRIVATE_H
#define KRN_PLAN_PRIVATE_H

/* What the files that compile a plan share. */

#include "decide/plan.h"

struct plan_build {
	struct krn_arena *arena;
	const struct krn_value *config;
	const struct krn_attribute *attributes;
	size_t attributes_nr;
	struct krn_attribute *enriched; /* of the nodes enrich so far */
	size_t enriched_nr;
	struct krn_plan *plan;
	struct krn_error *err;
	uint32_t node_types; /* bits of flow_nodes: what the flow has, with
				the flows that it calls */
	const struct krn_value *overrides; /* strategyOverrides, or NULL */
	bool is_exact;                     /* placementMatchMode */
	/* krn_plan_check: what only a run knows is not there to be found */
	bool is_check;
	krn_plan_problem_fn problem; /* tell all of them; NULL: the first */
	void *problem_data;
	bool has_creatives;     /* match_creatives is there */
	bool has_custom_fields; /* those of categories are set by a compute */
};

/* The text of a member, "" when it is absent or no string. */
struct krn_str plan_text(const struct krn_value *object, const char *name);

/* "could not plan: …" for the operator of the run. */
enum krn_err plan_refuse(struct plan_build *build, const char *format, ...)
    KRN_PRINTF(2, 3);

/* An attribute of the view, or an enriched one; NULL: there is none. */
const struct krn_attribute *plan_attribute(const struct plan_build *build,
					   struct krn_str name);

/* The needed column of an attribute, added when new; -1: there is none. */
enum krn_err plan_column(struct plan_build *build, struct krn_str name,
			 int *ret, struct krn_error *err);

/* The index of a window that begins then, added when new. */
enum krn_err plan_window(struct plan_build *build, int64_t since_us, int *ret);

/* The bit of a segment by its name, or its id; added when new. */
enum krn_err plan_segment_bit(struct plan_build *build, const char *member,
			      struct krn_str value, struct krn_str owner,
			      uint64_t *ret);

/* The bit of an outcome, added when new. */
enum krn_err plan_outcome_bit(struct plan_build *build, struct krn_str key,
			      uint64_t *ret);

/* "positive", "negative", "neutral"; "": neither, or a contact. */
struct krn_str plan_outcome_class(const struct plan_build *build,
				  struct krn_str key);

/* The index of a model; "": that of the attributes propensityScores. */
enum krn_err plan_model(struct plan_build *build, struct krn_str key,
			bool is_required, int *ret);

/* Once the flow and the rules are read: the models' attributes. */
enum krn_err plan_resolve_models(struct plan_build *build);

/* {modelKey, championChallenger, smoothingWeight} of a score. */
enum krn_err plan_read_arms(struct plan_build *build,
			    const struct krn_value *config);

/* What was learned of the offers. */
enum krn_err plan_learn(struct plan_build *build);

/* {metric, operator, value, windowDays} of a rule or policy `owner`. */
enum krn_err plan_read_metric(struct plan_build *build, struct krn_str owner,
			      const struct krn_value *config,
			      struct krn_plan_metric *ret);

/* Days as a span; more than 0 of them, unless `from_0`. */
enum krn_err plan_days(struct plan_build *build, struct krn_str owner,
		       const struct krn_value *config, const char *name,
		       bool from_0, int64_t *ret_us);

/* The index in a list of ids that are counted apart, added when new. */
enum krn_err plan_apart(struct plan_build *build, struct krn_str **list,
			size_t *nr, struct krn_str id, int *ret);

/* An operator of conditions by its name. */
bool plan_operator(struct krn_str name, enum krn_plan_operator *ret);

/* Budget, stock and caps of an offer, from its row. */
enum krn_err plan_read_constraints(struct plan_build *build,
				   struct krn_plan_offer *offer);

/* The types of policies that count nothing but the one thing they say. */
enum krn_err plan_policy_outcome(struct plan_build *build,
				 const struct krn_value *config,
				 struct krn_plan_policy *policy);
enum krn_err plan_policy_suppression(struct plan_build *build,
				     const struct krn_value *config,
				     struct krn_plan_policy *policy);
enum krn_err plan_policy_group(struct plan_build *build,
			       const struct krn_value *config,
			       struct krn_plan_policy *policy);
enum krn_err plan_policy_metric(struct plan_build *build,
				const struct krn_value *config,
				struct krn_plan_policy *policy);
enum krn_err plan_policy_segments(struct plan_build *build,
				  const struct krn_value *config,
				  struct krn_plan_policy *policy);
enum krn_err plan_policy_time_window(struct plan_build *build,
				     const struct krn_value *config,
				     struct krn_plan_policy *policy);
enum krn_err plan_policy_budget(struct plan_build *build,
				const struct krn_value *config,
				struct krn_plan_policy *policy);
enum krn_err plan_policy_override(struct plan_build *build,
				  const struct krn_value *config,
				  struct krn_plan_policy *policy);

/* Does it look at the pair, which is in its scope? */
bool plan_policy_looks(const struct krn_plan *plan,
		       const struct krn_plan_policy *policy,
		       const struct krn_plan_pair *pair);

/* Has the flow a node of that type? */
bool plan_flow_has(const struct plan_build *build, const char *type);

/* A list that is there and not empty, else NULL; is a text in it? */
const struct krn_value *plan_list(const struct krn_value *config,
				  const char *name);
bool plan_list_has(const struct krn_value *list, struct krn_str text);

/* A scalar as text, as PostgreSQL would print it; false: it is none. */
bool plan_scalar_text(struct krn_arena *arena, const struct krn_value *value,
		      struct krn_str *ret);

/* The constant in the column's type; false: it cannot be converted. */
bool plan_constant(struct krn_arena *arena, const struct krn_value *value,
		   enum krn_attribute_type type, struct krn_plan_constant *ret);

/*
 * An extended regular expression, in the arena.
 * Errors: KRN_ERR_INVALID  it is none, or may grow too large
 */
enum krn_err plan_regex(struct krn_arena *arena, struct krn_str text,
			const void **ret, struct krn_error *err);
bool plan_regex_matches(const void *pattern, struct krn_str text,
			bool *ret_is_good);

/* Nodes of the flow. */
enum krn_err plan_read_filter(struct plan_build *build,
			      const struct krn_value *node);
enum krn_err plan_read_conditional(struct plan_build *build,
				   const struct krn_value *node);
enum krn_err plan_read_creatives(struct plan_build *build,
				 const struct krn_value *node);
enum krn_err plan_read_enrich(struct plan_build *build,
			      const struct krn_value *node);
enum krn_err plan_read_score(struct plan_build *build,
			     const struct krn_value *node);
enum krn_err plan_read_rank(struct plan_build *build,
			    const struct krn_value *node);
enum krn_err plan_read_group(struct plan_build *build,
			     const struct krn_value *node);
enum krn_err plan_read_optimize(struct plan_build *build,
				const struct krn_value *node);
enum krn_err plan_read_compute(struct plan_build *build,
			       const struct krn_value *node);
enum krn_err plan_read_properties(struct plan_build *build,
				  const struct krn_value *node);

/* The weights of a ranking profile; NULL: it is not there. */
const struct krn_value *plan_profile_weights(const struct plan_build *build,
					     struct krn_str id);

/* All customers have a propensity: the default model's, if none is chosen. */
enum krn_err plan_need_model(struct plan_build *build);

/* The part of an optimized score that is the offer's. */
void plan_weigh_offers(struct krn_plan *plan);

/* What the nodes say of each pair. */
enum krn_err plan_match_filters(struct plan_build *build);
enum krn_err plan_match_creatives(struct plan_build *build);
enum krn_err plan_match_weights(struct plan_build *build);

/* Custom fields of a category, or sub-category; for krn_plan_check too. */
enum krn_err plan_read_custom_fields(struct plan_build *build,
				     const struct krn_value *category,
				     bool is_sub);

/* The settings of each offer, once all are read. */
enum krn_err plan_match_properties(struct plan_build *build);

/* A field of offers or channels by its name: its type. */
bool plan_field(enum krn_plan_source source, struct krn_str field,
		enum krn_attribute_type *ret);

/* "metadata.a.b" of a row: the member of a member; NULL: not there. */
const struct krn_value *plan_member(const struct krn_value *row,
				    struct krn_str path);

/* The steps of krn_plan_compile. */
enum krn_err plan_read_flow(struct plan_build *build);
enum krn_err plan_read_rules(struct plan_build *build);
enum krn_err plan_read_policies(struct plan_build *build);
/* One of them, for krn_plan_check. */
enum krn_err plan_read_rule(struct plan_build *build,
			    const struct krn_value *from,
			    struct krn_plan_rule *rule);
enum krn_err plan_read_policy(struct plan_build *build,
			      const struct krn_value *from,
			      struct krn_plan_policy *policy);
enum krn_err plan_make_pairs(struct plan_build *build);
/* Which rules and policies look at a pair; once all else is known of it. */
enum krn_err plan_match_pairs(struct plan_build *build);

#endif
