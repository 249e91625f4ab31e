#ifndef KRN_PLAN_H
#define KRN_PLAN_H

/*
 * A plan: one decision flow with its offers, channels, rules and policies,
 * compiled for many customers. Names have become indexes, constants have the
 * type of their column, scopes are bit masks over the candidate pairs. A plan
 * never changes once it was compiled; decide.h evaluates it.
 *
 * The input is one JSON document, as statement decide_config gives it:
 *
 *	{"flow":     {"id", "name", "version", "config": {"nodes": […]}},
 *	 "flows":    [{"id", "name", "config"}],    published; for call_flow
 *	 "offers":   [{"id", "name", "status", "priority", "businessValue",
 *	               "categoryId", "categoryName", "subCategoryId",
 *	               "mandatory", "budget", "inventory", "frequencyCaps", and
 *	               what filters look at: plan_filter.c}],
 *	 "channels": [{"id", "name", "status", "deliveryMode", "channelType"}],
 *	 "creatives": [{"id", "name", "offerId", "channelId", "placementId",
 *	               "weight"}],                       active ones only
 *	 "rules":    [{"id", "name", "scope", "scopeId", "ruleType", "stage",
 *	               "config", "priority"}],           active ones only
 *	 "policies": [{"id", "name", "scope", "scopeId", "ruleType", "config",
 *	               "priority"}],                     active ones only
 *	 "profiles": [{"id", "name", "weights"}],
 *	 "segments": [{"id", "name", "viewName"}],
 *	 "outcomes": [{"key", "classification"}],   of the tenant
 *	 "categories", "subCategories": [{"id", "name", "customFields"}],
 *	 "clock":    {"date", "weekday", "hour"},   the run's now in its zone
 *	 "impressions": {"off_…": {"today", "ever"}},  of offers with a budget
 *	 "campaign": {"id"},                        whose run it is
 *	 "channelIds": ["chan_…"]}        asked for; [] is every file channel
 *
 * Only offers whose status the inventory includes (active, when it does not
 * say) are given; the deleted and the emergency-excluded ones have a status
 * that none can include. The caps of their category count what was sent.
 *
 * Rules and policies come in the order of their priority. What this release
 * does not know (a node, a rule or policy type, a scope) is a compile error
 * that names it: ignoring a policy would contact people who must not be.
 *
 * The narrowing nodes may stand in any order in phase 1; a pair always meets
 * the filters and conditionals in the order of the flow, then its creative,
 * the rules, the policies, and the first that drops it is the reason.
 *
 * Last come the offer's own constraints, whatever the nodes: inventory
 * {remainingStock}, with 0 none is left; budget {dailyCapCents,
 * lifetimeCapCents} against what it says was spent; frequencyCaps
 * {perCustomer: {daily, weekly, monthly}}, contacts with this offer since the
 * day, the ISO week, the month began. They bind mandatory offers too.
 *
 * filter {conditions: [{field, operator, value}], combinator}
 *	keeps the pairs for which all ("AND", the default) or any ("OR") of
 *	the conditions hold; none: keeps every pair. Fields are offer.*,
 *	channel.* and customer.<column>. A field that is NULL or not there
 *	makes every condition false but is_null. A value that cannot be
 *	converted makes it false and, for a customer's, is counted. Of a list
 *	(offer.tags), contains is true when an element equals the value. regex
 *	is a POSIX extended expression over bytes: see plan_regex.c.
 * conditional {conditions, combinator, then: BRANCH, else: BRANCH}
 *	the conditions are over customer.* and choose a branch. BRANCH is
 *	{action: "keep" | "drop", conditions, combinator}: it keeps only, or
 *	drops, the pairs for which its conditions hold; no branch keeps all.
 * match_creatives {requireCreative = true, placementMatchMode = "any"}
 *	A pair gets its active creative of the highest weight, then the first
 *	name. "exact": the creative's placement is the one asked for, and a
 *	run asks for none; "any", "none": placements are not compared.
 * enrich {sources: [{schemaId, fields, prefix, cacheTtlSeconds}],
 * lookupKey = "customer_id"}
 *	columns of data schemas (id or name) become attributes of the
 *	customer whose id the schema's row has: "prefix.field", or the field
 *	without a prefix. No fields: all but the id. A customer without a row
 *	has NULLs. A run reads a schema once a chunk, whatever the
 *	cacheTtlSeconds. An attribute that is there already is refused.
 * call_flow {decisionFlowId}
 *	the narrowing nodes of that flow's published version, its inventory
 *	among them, as if they stood here; its other nodes count for nothing.
 * score {method, modelKey = "propensityScores"}
 *	A model's propensities come as attributes: modelKey.<name of the
 *	offer>, of the segment or of an enriched schema, clamped to 0 and 1;
 *	0.5 where it says nothing. None is computed here: a model of which no
 *	candidate has an attribute is refused.
 *	priority_weighted, formula, and propensity = p × fit × match. There p
 *	is learned from answers, positive ones among those that are positive
 *	or negative: of the offer, when there are 50; with less, (positives +
 *	smoothingWeight (10) × q) / (answers + smoothingWeight), where q is
 *	the share of the category, when it has 20 answers, else that of all
 *	offers, when they have 10, else the model's.
 *	strategyOverrides [{scope: "category" | "productType" | "channel",
 *	value, strategyProfileId}]: pairs of that category or channel (id or
 *	name) take the weights of that profile; the first that fits counts.
 *	championChallenger {enabled, experimentId, champion: {modelKey,
 *	weight}, challengers: [{modelKey, weight}]}: the weights, which make
 *	100, part the customers by FNV-1a (32 bits) of "experimentId:customer"
 *	modulo 100; the champion has the lowest.
 * rank {method, maxCandidates}
 *	score (the default): see contract 7. priority: priority first, then
 *	as score. diversity: in the order of score, each category's first,
 *	then each category's second, and so on. round_robin: the categories
 *	take turns in the order of their names, then ids, each with its next
 *	best by score. Offers without a category are one category. Caps cut
 *	the ranked list; what they cut leaves no turn to others.
 * optimize {weights: {objective: number} or strategyProfileId}
 *	The score becomes the sum of objectives by their weights, divided by
 *	the weights' sum: score (what it was), propensity (as of a formula),
 *	relevance (fit × match), impact (businessValue / 100), emphasis
 *	(priority / 100), revenue and margin (the offer's revenueValue, or
 *	margin, in proportion to the largest of all candidates); all but the
 *	score clamped to 0 and 1.
 * group {placements: [{placementId, channelId, maxItems = 1}], allocation}
 *	puts the ranked offers, maxCandidates at most, into placements: an
 *	offer into one, by the creative that match_creatives finds for the
 *	placement. greedy (the default): by rank, each into the free place
 *	where its score is best. optimal: the largest sum of scores. What gets
 *	no place is not given; the others keep their order. Caps cut after it,
 *	and leave the place empty. With volume limits there is no reserve.
 * compute {formulas: [{name, formula, outputType}]}
 *	gives each decision properties: named values, for the ledger, the file
 *	and creatives, as personalization.<name>. First those of the offer's
 *	category, then of its sub-category: customFields of type computed
 *	{key (or name), formula, outputType}; then those of the node, for every
 *	offer. A later one of the same name counts. outputType "number" or
 *	"text": what is of the other type is converted. Formulas: formula.h.
 *	They name customer.<attribute>, offer.<field>, channel.<field> (as
 *	filters do), a property that was set before; else a custom field of
 *	the offer: its metadata.<name>, or the defaultValue of its
 *	sub-category's or category's field. What is not there is null. Texts
 *	over KRN_PLAN_PROPERTY_BYTES a decision fail the customer.
 * set_properties {properties: {name: a text, number, boolean or null}}
 *	the same for every decision.
 * extension_point
 *	is accepted and changes nothing.
 *
 * Source: contract section 7; spec, decision flow format.
 */

#include "decide/plan_part.h"

struct krn_plan {
	struct krn_plan_times times;

	struct krn_plan_offer *offers; /* in byte order of their ids */
	size_t offers_nr;
	struct krn_plan_channel *channels; /* in byte order of their ids */
	size_t channels_nr;
	struct krn_plan_pair *pairs; /* those of an offer lie together */
	size_t pairs_nr;

	/* What a customer must bring: columns by name, in this order */
	struct krn_attribute *columns;
	size_t columns_nr;
	/* … of which some come from these, one row a customer at most */
	struct krn_plan_table sources[KRN_PLAN_SOURCES_MAX];
	size_t sources_nr;
	/* … and membership of these segments, bit i of the customer's */
	struct krn_str segments[KRN_PLAN_SEGMENTS_MAX]; /* view names */
	size_t segments_nr;
	/* … and contact counts since these times (INT64_MIN: ever) */
	int64_t windows[KRN_PLAN_WINDOWS_MAX];
	size_t windows_nr;
	bool needs_contacts;
	/* … apart for these campaigns and creatives */
	struct krn_str *counted_campaigns;
	size_t counted_campaigns_nr;
	struct krn_str *counted_creatives;
	size_t counted_creatives_nr;
	/* … and counts of these outcomes, bit i of a metric's */
	struct krn_str outcomes[KRN_PLAN_OUTCOMES_MAX];
	size_t outcomes_nr;

	struct krn_plan_rule *rules;
	size_t rules_nr;
	struct krn_plan_policy *policies;
	size_t policies_nr;
	size_t mask_words; /* of rules and policies in use */
	/* those whose result each pair has of its own */
	uint32_t *pair_rules, *pair_policies;
	size_t pair_rules_nr, pair_policies_nr;
	int own_campaign; /* the run's, among the counted ones; or -1 */

	struct krn_plan_filter *filters;
	size_t filters_nr;
	struct krn_plan_creative *creatives;
	size_t creatives_nr;
	bool needs_creative;        /* a pair without one is dropped */
	struct krn_str creative_id; /* of the match_creatives node */

	struct krn_plan_model models[KRN_PLAN_MODELS_MAX];
	size_t models_nr;
	struct krn_str experiment; /* whose arms these are */
	struct krn_plan_arm arms[KRN_PLAN_MODELS_MAX]; /* one: no experiment */
	size_t arms_nr;
	double smoothing; /* of what was learned */

	enum krn_plan_method method;
	struct krn_plan_weights *weights; /* the flow's, then overrides' */
	size_t weights_nr;
	bool is_optimized;
	double objectives[KRN_OBJECTIVE__MAX];
	bool by_priority; /* rank method */
	enum krn_plan_turns turns;
	size_t categories_nr;
	size_t max_candidates;

	struct krn_plan_placement placements[KRN_PLAN_PLACEMENTS_MAX];
	size_t placements_nr; /* 0: no group */
	size_t places_nr;     /* of all of them */
	bool is_optimal;
	struct krn_str group_id; /* of the node */

	/* names, which end in NUL */
	struct krn_str properties[KRN_PLAN_PROPERTIES_MAX];
	size_t properties_nr;
	struct krn_plan_setting *settings;
	size_t settings_nr;
	struct krn_plan_name *names;
	size_t names_nr;
};

/*
 * Compile. `attributes` are the columns of the segment view.
 *
 * Ownership: *ret lives in `arena`; `config` must live as long.
 * Errors:    KRN_ERR_INVALID  message says what of the configuration is
 *            wrong or not supported
 */
KRN_MUSTCHECK enum krn_err
krn_plan_compile(struct krn_arena *arena, const struct krn_value *config,
		 const struct krn_attribute *attributes, size_t attributes_nr,
		 const struct krn_plan_times *times,
		 const struct krn_plan **ret, struct krn_error *err);

/* What of a configuration can be looked at alone. */
enum krn_plan_part {
	KRN_PLAN_FLOW,
	KRN_PLAN_RULE,
	KRN_PLAN_POLICY,
	KRN_PLAN_OFFER,    /* its constraints */
	KRN_PLAN_CATEGORY, /* or sub-category: its custom fields */
};

/* Of a flow, which node it is, from 0; SIZE_MAX: the whole. */
typedef void (*krn_plan_problem_fn)(void *data, size_t node,
				    const char *message);

/*
 * Could a run be planned with this flow, rule or policy? `row` is one of the
 * document's. What only a run knows is not looked at: attributes, segments,
 * schemas, outcomes, other flows and profiles, and whether the flow is
 * complete: one that others call has no response. Tells every problem of a
 * flow's nodes, and the first of a rule or policy.
 *
 * Errors: KRN_ERR_UNAVAILABLE, KRN_ERR_TOOBIG  as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err krn_plan_check(struct krn_arena *arena,
					  enum krn_plan_part part,
					  const struct krn_value *row,
					  krn_plan_problem_fn problem,
					  void *data, struct krn_error *err);

/*
 * How many candidates of a customer the ledger keeps.
 * Source: contract section 7, volume limits.
 */
size_t krn_plan_keep(const struct krn_plan *plan, bool has_limits);

/* The index of an offer or channel by its id, or -1. */
int krn_plan_offer_find(const struct krn_plan *plan, struct krn_str id);
int krn_plan_channel_find(const struct krn_plan *plan, struct krn_str id);

/* The index of a property by its name, or -1. */
int krn_plan_property_find(const struct krn_plan *plan, struct krn_str name);

/* The index among the campaigns, creatives or outcomes, or -1. */
int krn_plan_apart_find(const struct krn_str *list, size_t nr,
			struct krn_str id);

/*
 * What a contact was, or one of a pair would be: indexes in the plan, of
 * creatives and campaigns among the counted ones; or -1.
 */
struct krn_plan_contact {
	int offer, channel, creative, campaign;
};

/* Does the policy count it? */
bool krn_plan_policy_counts(const struct krn_plan *plan,
			    const struct krn_plan_policy *policy,
			    const struct krn_plan_contact *contact);

/* Is the offer one of a policy's group? */
bool krn_plan_policy_groups(const struct krn_plan_policy *policy, int offer);

/* "text", "bigint", "double precision", … of PostgreSQL */
enum krn_attribute_type krn_attribute_type_parse(struct krn_str name);

#endif
