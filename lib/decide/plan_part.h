#ifndef KRN_PLAN_PART_H
#define KRN_PLAN_PART_H

/*
 * The parts of a plan: what offers, rules, policies and nodes are compiled to.
 * plan.h says what they mean.
 */

#include "base/value.h"
#include "decide/formula.h"

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
	const uint32_t *settings; /* in their order: indexes in the plan */
	size_t settings_nr;
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

/* What a formula of a property names. */
enum krn_plan_name_source {
	KRN_NAME_CUSTOMER, /* a column; -1: the view has none, null */
	KRN_NAME_CHANNEL,  /* a field of the channel */
	KRN_NAME_OFFER,    /* a field of the offer, or a property */
};

struct krn_plan_name {
	struct krn_str text; /* as it is written */
	enum krn_plan_name_source source;
	int column;
	int property; /* that was set before; -1: none of that name is */
	const struct krn_formula_value *of; /* of each offer, or channel */
};

/* A property is set, to a constant or by a formula. */
struct krn_plan_setting {
	uint32_t property;
	struct krn_formula_value constant;
	const struct krn_formula *formula; /* NULL: the constant */
	enum krn_formula_type output;      /* NULL: as it comes */
	/* of offers of this category or sub-category only; "": of all */
	struct krn_str category_id, sub_category_id;
};

/* Properties of a flow, and ways to set them. */
#define KRN_PLAN_PROPERTIES_MAX 100
#define KRN_PLAN_SETTINGS_MAX 1000
/* Different names that formulas look up. */
#define KRN_PLAN_NAMES_MAX 500
/* Texts that formulas make for a decision. */
#define KRN_PLAN_PROPERTY_BYTES ((size_t)16384)

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

#endif
