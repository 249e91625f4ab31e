#ifndef KRN_DECIDE_CASE_H
#define KRN_DECIDE_CASE_H

/*
 * A decision as a line: parts of a configuration, a customer, and what is to
 * come out. The parts are JSON with ' for ". What is NULL is as below.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "decide/decide.h"

/* The moment of every case; its day began 10, its week 34 hours before. */
#define CASE_NOW INT64_C(1774864800000000)
#define CASE_HOUR INT64_C(3600000000)
#define CASE_DAY (CASE_NOW - 10 * CASE_HOUR)
#define CASE_WEEK (CASE_NOW - 34 * CASE_HOUR)
#define CASE_MONTH (CASE_NOW - 700 * CASE_HOUR)

/* One offer and one channel, in the defaults' form. */
#define CASE_OFFER(id, priority, more)                                         \
	"{'id':'" id "','name':'" id                                           \
	"','status':'active','priority':" priority more "}"
#define CASE_CHANNEL(id)                                                       \
	"{'id':'" id "','name':'" id "','status':'active',"                    \
	"'deliveryMode':'file'}"

/* A rule `id` with the members of its configuration. */
#define CASE_RULE(id, scope, stage, type, config)                              \
	"{'id':'" id "','name':'" id "'," scope ",'stage':'" stage             \
	"','ruleType':'" type "','config':{" config "}}"
#define CASE_IF(id, scope, stage, config)                                      \
	CASE_RULE(id, scope, stage, "attribute_condition", config)
#define CASE_POLICY(id, scope, type, config)                                   \
	"{'id':'" id "','name':'" id "'," scope ",'ruleType':'" type           \
	"','config':{" config "}}"

#define CASE_GLOBAL "'scope':'global'"
#define CASE_OF(scope, id) "'scope':'" scope "','scopeId':'" id "'"

struct decide_case {
	const char *name;
	const char *nodes;    /* after the inventory; qualify, contact_policy,
				 score, rank, response */
	const char *offers;   /* a: 50, g; b: 40, h */
	const char *channels; /* m */
	const char *rules, *policies, *profiles; /* none */
	const char *creatives, *flows;           /* none */
	const char *id;       /* of the customer; k */
	const char *customer; /* texts by column: {'age':'30'}; no column */
	const char *segments; /* of the customer: ['vip']; none of vip, new */
	const char *contacts; /* [[offer, channel, hours ago, and µs, campaign,
				  creative]], the last two may miss; none */
	const char *answers; /* [[offer, channel, hours ago, and µs, outcome]];
				 none */
	const char *more;    /* members of the document: 'clock':{…},; none */
	const char *inventory; /* its configuration: {} */
	const char *asked;     /* channelIds: [] */
	int keep;              /* 0: as many as the plan says; -1: none */

	/*
	 * "a/m=0.5 b/m*k=0.4": offer, channel, creative (if there is one) and
	 * score in rank order, and its properties, when the flow sets some:
	 * {"x":1}; then
	 * "-c/m:r1" for each dropped pair, with the rule or policy; then "!1"
	 * for values that could not be converted. Instead of candidates and
	 * drops "E:…" when the evaluation fails.
	 */
	const char *expect;
	const char *const *explained; /* parts of the explanation, with ' for
					 ", in order, up to NULL; none */
	const char *refused; /* instead: part of the message */
};

void decide_case_run(const struct decide_case *cases, size_t nr);

#define DECIDE_CASES(cases) decide_case_run(cases, KRN_NR(cases))

/* The columns of the view that the cases know. */
extern const struct krn_attribute decide_case_attributes[];
extern const size_t decide_case_attributes_nr;
extern const struct krn_plan_times decide_case_times;

/* Compile a whole document; fails the test unless it ends with `wanted`. */
const struct krn_plan *decide_case_compile(struct krn_arena *arena,
					   struct krn_str document,
					   enum krn_err wanted,
					   struct krn_error *err);

/* Compiling it, and room to decide, with each allocation failing once. */
void decide_case_no_memory(struct krn_arena *arena, struct krn_str document);

#endif
