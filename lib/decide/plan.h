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
 * compute, set_properties, extension_point
 *	are accepted and change nothing: no output shows their values.
 *
 * Source: contract section 7; spec, decision flow format.
 */

#include "base/value.h"

enum krn_attribute_type {
	KRN_ATTRIBUTE_TEXT,
	KRN_ATTRIBUTE_INT,
	KRN_ATTRIBUTE_DOUBLE,
	KRN_ATTRIBUTE_BOOL,
	KRN_ATTRIBUTE_TIME, /* date and timestamptz */
};

/*
 * A column of the segment view; or, in a plan, also of an enriched schema.
 */
struct krn_attribute {
	struct krn_str name;
	enum krn_attribute_type type;
	uint32_t source;      /* 0: the view; i: the plan's sources[i - 1] */
	struct krn_str field; /* the schema's column; of the view: its name */
};

/* A schema of the tenant's that customers are enriched from, by its id. */
struct krn_plan_table {
	struct krn_str name, table, id_column;
};

/* Sources of a flow, and the attributes that they may bring. */
#define KRN_PLAN_SOURCES_MAX 16
#define KRN_PLAN_ENRICHED_MAX 1000

/* The run's now, and where its day, ISO week and month begin, in µs UTC. */
struct krn_plan_times {
	int64_t now_us;
	int64_t day_us;
	int64_t week_us;
	int64_t month_us;
};

/* Contact counts are asked for since these times, at most so many. */
#define KRN_PLAN_WINDOWS_MAX 16
/* Active rules, and active policies; each is a bit in a mask. */
#define KRN_PLAN_RULES_MAX 512
#define KRN_PLAN_MASK_WORDS (KRN_PLAN_RULES_MAX / 64)
#define KRN_PLAN_SEGMENTS_MAX 64
/* Outcomes that anything looks at; each is a bit in a mask. */
#define KRN_PLAN_OUTCOMES_MAX 64
/* Campaigns, and creatives, that policies count apart. */
#define KRN_PLAN_APART_MAX 256
#define KRN_PLAN_CANDIDATES_MAX 100

/* A cap: at most `max` contacts in a window. */
struct krn_plan_cap {
	int window; /* index in windows */
	int64_t max;
};

/* What was learned of an offer: method propensity. */
struct krn_plan_learned {
	bool is_fixed; /* the model has no say */
	double fixed;
	/* else (positives + smoothing × the model's) / divisor; divisor 0:
	   the model's */
	double positives, divisor;
};

/* Whose scores are the attributes <key>.<name of the offer>. */
struct krn_plan_model {
	struct krn_str key;
	int *columns;     /* of each offer; -1: no such attribute */
	bool is_required; /* it must have scores */
};

#define KRN_PLAN_MODELS_MAX 16

/* A part of the customers, by a hash of who they are, and their model. */
struct krn_plan_arm {
	uint32_t below; /* of 100, more than the arm before */
	int model;
};

struct krn_plan_offer {
	struct krn_str id, name, category_id, category_name, sub_category_id;
	const struct krn_value *row; /* in the document */
	double priority;             /* 0..100 */
	double business_value;
	bool mandatory;
	bool is_candidate; /* active and in the inventory */
	bool is_sent_out;  /* its budget has no impressions left */
	bool is_spent;     /* … or no money */
	bool is_out_of_stock;
	struct krn_plan_cap caps[3]; /* contacts of a customer with it */
	size_t caps_nr;
	struct krn_plan_learned learned;
	uint32_t order; /* of candidates: place by priority descending, name */
	double objective;  /* its part of an optimized score */
	uint32_t category; /* its place by name and id among all categories */
};

struct krn_plan_channel {
	struct krn_str id, name;
	const struct krn_value *row; /* in the document */
	bool is_candidate;
	uint32_t order; /* place by name */
};

enum krn_plan_operator {
	KRN_OP_EQ,
	KRN_OP_NEQ,
	KRN_OP_GT,
	KRN_OP_GTE,
	KRN_OP_LT,
	KRN_OP_LTE,
	KRN_OP_IN,
	KRN_OP_NOT_IN,
	KRN_OP_CONTAINS,
	KRN_OP_EXISTS,
	KRN_OP_NOT_EXISTS,
	/* of filters only */
	KRN_OP_STARTS_WITH,
	KRN_OP_REGEX,
};

/* A constant in the type of the column that it is compared with. */
struct krn_plan_constant {
	struct krn_str text;
	int64_t integer; /* int, bool, time */
	double number;   /* int and double columns */
	bool is_integer; /* compare as integers */
};

/* How many of a customer's interactions there are, against a number. */
struct krn_plan_metric {
	bool contacts;             /* they count */
	uint64_t outcomes;         /* bits of those that count */
	int window;                /* index in windows */
	enum krn_plan_operator op; /* EQ .. LTE */
	double value;
};

enum krn_plan_stage { KRN_STAGE_ELIGIBILITY, KRN_STAGE_FIT, KRN_STAGE_MATCH };

enum krn_plan_rule_type {
	KRN_RULE_CONDITION,
	KRN_RULE_SEGMENTS,
	KRN_RULE_PROPENSITY, /* of each offer its own */
	KRN_RULE_RECENCY,
	KRN_RULE_METRIC,
};

struct krn_plan_rule {
	struct krn_str id, name;
	enum krn_plan_rule_type type;
	enum krn_plan_stage stage;
	uint64_t scope_segment; /* its bit: others are not looked at; or 0 */
	double factor;      /* fit: decay when it fails; match: multiplier */
	bool is_hard;       /* a failure drops the candidate */
	uint64_t segments;  /* bits that a segment rule requires */
	double min_score;   /* of a propensity */
	int model;          /* … by this */
	int64_t max_age_us; /* of a recency */
	struct krn_plan_metric metric;
	int column; /* of a condition or recency: -1: the view has none */
	enum krn_plan_operator op;
	const struct krn_plan_constant *constants;
	size_t constants_nr;
	bool never; /* a constant cannot be converted: false */
};

enum krn_plan_scope {
	KRN_SCOPE_GLOBAL,
	KRN_SCOPE_OFFER,
	KRN_SCOPE_CHANNEL,
	KRN_SCOPE_CATEGORY,
	KRN_SCOPE_SUBCATEGORY,
	KRN_SCOPE_CREATIVE,
	KRN_SCOPE_PLACEMENT, /* of rules */
	KRN_SCOPE_SEGMENT,   /* of rules */
};

enum krn_plan_policy_type {
	KRN_POLICY_CAP,
	KRN_POLICY_COOLDOWN,    /* since the last contact */
	KRN_POLICY_SUPPRESSION, /* … with the category */
	KRN_POLICY_OUTCOME,     /* since the last outcome */
	KRN_POLICY_GROUP,       /* one offer of several */
	KRN_POLICY_METRIC,
	KRN_POLICY_SEGMENTS, /* who is in one */
	KRN_POLICY_ALWAYS,   /* everything that it looks at */
	KRN_POLICY_OVERRIDE, /* lifts the others */
};

struct krn_plan_policy {
	struct krn_str id, name;
	enum krn_plan_policy_type type;
	enum krn_plan_scope scope;
	struct krn_str scope_id;
	int scope_index; /* of the offer, channel or creative; -1 otherwise */
	bool counts_all; /* contacts outside of the scope count too */
	struct krn_plan_cap caps[4];
	size_t caps_nr;
	int within_campaign;          /* only its contacts count; -1: all */
	const int *without_campaigns; /* theirs do not count */
	size_t without_campaigns_nr;
	int64_t span_us;   /* of a cooldown, a suppression, an outcome */
	uint64_t outcomes; /* bit of the outcome */
	uint64_t segments; /* bits of those that exclude */
	struct krn_plan_metric metric;
	const uint32_t *group; /* offers */
	size_t group_nr;
	struct krn_str category_id, sub_category_id; /* suppressed; "": any */
	bool is_budget;             /* looks at offers that are … */
	bool if_sent_out, if_spent; /* … so */
	bool is_idle;               /* looks at nothing in this run */
	bool spares_mandatory;      /* mandatory offers do not obey it */
};

/* What a condition of a filter looks at. */
enum krn_plan_source {
	KRN_SOURCE_OFFER,
	KRN_SOURCE_CHANNEL,
	KRN_SOURCE_CUSTOMER,
};

struct krn_plan_condition {
	enum krn_plan_source source;
	struct krn_str field;         /* of an offer or channel: "metadata.x" */
	int column;                   /* of a customer; -1: the view has none */
	enum krn_attribute_type type; /* that both sides are compared in */
	enum krn_plan_operator op;
	const struct krn_plan_constant *constants;
	size_t constants_nr;
	bool never;          /* a constant cannot be converted: false */
	const void *pattern; /* of a regex; plan_regex.c */
};

/* Which conditions of a filter must hold: none, all, or any of `mask`. */
struct krn_plan_test {
	uint64_t mask;
	bool is_any;
	bool is_negated;
};

/* A filter, or a conditional: then `when` chooses the test. */
struct krn_plan_filter {
	struct krn_str id; /* of the node */
	struct krn_plan_condition *conditions;
	size_t conditions_nr;
	struct krn_plan_test when, keep, otherwise;
};

/* All conditions of a node are bits of a word. */
#define KRN_PLAN_CONDITIONS_MAX 64
/* Filters and conditionals of a flow and the flows that it calls. */
#define KRN_PLAN_FILTERS_MAX 32

struct krn_plan_creative {
	struct krn_str id, name, placement_id;
	double weight; /* 0..100 */
};

enum krn_plan_method {
	KRN_METHOD_PRIORITY_WEIGHTED,
	KRN_METHOD_PROPENSITY,
	KRN_METHOD_FORMULA,
};

/* Of the formula: propensity, relevance, impact, emphasis; sum 1. */
struct krn_plan_weights {
	double of[4];
};

enum krn_plan_turns {
	KRN_TURNS_NONE, /* as the scores are */
	KRN_TURNS_DIVERSITY,
	KRN_TURNS_ROUND_ROBIN,
};

/* Where a customer's offers are put; `max` of them. */
struct krn_plan_placement {
	struct krn_str id; /* that of creatives */
	int channel;       /* index in the plan; -1: any */
	uint32_t max;
};

#define KRN_PLAN_PLACEMENTS_MAX 16
/* Of all placements together. */
#define KRN_PLAN_PLACES_MAX 40

/* What an optimized score is made of, by weights that make 1. */
enum krn_plan_objective {
	KRN_OBJECTIVE_SCORE,
	KRN_OBJECTIVE_PROPENSITY,
	KRN_OBJECTIVE_RELEVANCE,
	KRN_OBJECTIVE_IMPACT,
	KRN_OBJECTIVE_EMPHASIS,
	KRN_OBJECTIVE_REVENUE,
	KRN_OBJECTIVE_MARGIN,
	KRN_OBJECTIVE__MAX,
};

/* An offer on a channel; with a group, in one of its placements. */
struct krn_plan_pair {
	uint32_t offer, channel;
	int placement;               /* index in the plan, -1: none */
	uint32_t order;              /* of equal scores */
	int creative;                /* index in the plan, -1: none */
	double weight;               /* of the creative, else 100 */
	uint32_t weights;            /* of the formula: index in the plan */
	const uint64_t *filter_bits; /* of each filter: its conditions over
					offer and channel that hold */
	/* which rules and policies look at it */
	uint64_t hard[KRN_PLAN_MASK_WORDS];
	uint64_t soft[KRN_PLAN_MASK_WORDS];
	uint64_t policies[KRN_PLAN_MASK_WORDS];
	/* policies whose room it takes; more, when one spares the pair */
	uint64_t counted[KRN_PLAN_MASK_WORDS];
};

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
	KRN_PLAN_OFFER, /* its constraints */
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
