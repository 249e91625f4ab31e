#ifndef KRN_DECIDE_TYPED_H
#define KRN_DECIDE_TYPED_H

/*
 * A random world for decide_random_type.c: offers, rules, policies, what a
 * customer was sent and what it answered. decide_typed.c makes it, and writes
 * its configuration.
 */

#include "decide_case.h"

#define OFFERS 5
#define CHANNELS 2
#define RULES 3
#define POLICIES 4
#define EVENTS 8
#define OWN_CAMPAIGN 1

enum typed_policy {
	FREQUENCY,
	CROSS_CHANNEL,
	CUSTOMER_TOTAL,
	COOLDOWN,
	OUTCOME,
	GROUP,
	SUPPRESSION,
	METRIC,
	SEGMENT,
	OVERRIDE,
	TYPES
};

/* A contact, or an answer: outcome 0 dismiss, 1 click. */
struct typed_event {
	int offer, channel, campaign, outcome;
	int64_t at_us;
};

struct typed_count {
	bool is_clicks;
	int op, value, days; /* 0: ever */
};

struct typed_rule {
	int type, stage, scope, object, days;
	double min_score, factor;
	struct typed_count count;
};

struct typed_look {
	enum typed_policy type;
	int scope, object, max, days;
	int within, without; /* campaigns; -1: none */
	bool is_firm;
	unsigned group; /* bits of offers */
	struct typed_count count;
};

struct typed_world {
	int priority[OFFERS];
	bool mandatory[OFFERS];
	double propensity[2]; /* of the first two offers; -1: NULL */
	int since_days;       /* -1: NULL */
	unsigned segments;    /* bits of vip, new */
	int max;
	struct typed_rule rules[RULES];
	struct typed_look policies[POLICIES];
	struct typed_event contacts[EVENTS], answers[EVENTS];
};

extern struct typed_world typed;

void typed_make(uint64_t seed);
struct krn_str typed_write(struct krn_arena *arena);

#endif
