/* What becomes of an alert rule: every state, with what it sees. */

#include "base/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/clock.h"
#include "watch/alert.h"

#define MINUTE (60 * KRN_US_PER_SECOND)
#define NOW (INT64_C(1000000) * MINUTE)

struct judge_case {
	const char *state, *status;
	int64_t for_minutes, since_minutes; /* how long it is in its state */
	int64_t fired_minutes;              /* ago; -1: never */
	double observed;                    /* of a threshold of 10 */
	const char *to_state, *to_status, *kind;
};

static const struct judge_case cases[] = {
    /* nothing holds */
    {"ok", "ok", 0, 5, -1, 5, "ok", "ok", NULL},
    {"ok", "cooldown", 0, 5, 5, 5, "ok", "ok", NULL},
    {"ok", "no_data", 0, 5, -1, 5, "ok", "ok", NULL},
    {"pending", "pending", 10, 5, -1, 5, "ok", "ok", NULL},
    {"firing", "fired", 0, 5, 5, 5, "ok", "ok", "resolved"},
    {"firing", "delivery_failed", 0, 5, 5, 5, "ok", "ok", "resolved"},
    /* it holds */
    {"ok", "ok", 0, 5, -1, 15, "firing", "fired", "fired"},
    {"ok", "ok", 0, 5, 59, 15, "ok", "cooldown", NULL},
    {"ok", "cooldown", 0, 5, 60, 15, "firing", "fired", "fired"},
    {"ok", "ok", 10, 5, -1, 15, "pending", "pending", NULL},
    {"pending", "pending", 10, 9, -1, 15, "pending", "pending", NULL},
    {"pending", "pending", 10, 10, -1, 15, "firing", "fired", "fired"},
    {"pending", "pending", 10, 10, 30, 15, "pending", "cooldown", NULL},
    {"pending", "cooldown", 10, 40, 60, 15, "firing", "fired", "fired"},
    {"firing", "fired", 10, 0, 1, 15, "firing", "cooldown", NULL},
    {"firing", "cooldown", 0, 5, 60, 15, "firing", "fired", "fired"},
    {"firing", "delivery_failed", 0, 5, 5, 15, "firing", "delivery_failed",
     NULL},
    {"firing", "no_data", 0, 5, 5, 15, "firing", "cooldown", NULL},
    /* nothing is known */
    {"ok", "ok", 0, 5, -1, NAN, "ok", "no_data", NULL},
    {"pending", "pending", 10, 50, -1, NAN, "pending", "no_data", NULL},
    {"firing", "fired", 0, 5, 500, NAN, "firing", "no_data", NULL},
};

static struct krn_alert_rule
rule_of(const struct judge_case *c)
{
	return (struct krn_alert_rule){
	    .metric = KRN_STR("revenue"),
	    .operator= KRN_STR("gt"),
	    .threshold = 10,
	    .cooldown_minutes = 60,
	    .for_minutes = c->for_minutes,
	    .notify_resolved = true,
	    .state = krn_str_c(c->state),
	    .status = krn_str_c(c->status),
	    .state_since_us = NOW - c->since_minutes * MINUTE,
	    .last_fired_us = c->fired_minutes < 0
				 ? INT64_MIN
				 : NOW - c->fired_minutes * MINUTE,
	};
}

static void
test_judge(void **state KRN_UNUSED)
{
	for (size_t i = 0; i < KRN_NR(cases); i++) {
		const struct judge_case *c = &cases[i];
		const struct krn_alert_rule rule = rule_of(c);
		const struct krn_alert_seen seen = {c->observed, NAN};
		const struct krn_alert_move move =
		    krn_alert_judge(&rule, &seen, NOW);

		if (strcmp(move.state, c->to_state) != 0 ||
		    strcmp(move.status, c->to_status) != 0 ||
		    !move.kind != !c->kind ||
		    (c->kind && strcmp(move.kind, c->kind) != 0))
			fail_msg("case %zu: %s, %s, %s", i, move.state,
				 move.status, move.kind ? move.kind : "-");
	}
}

static void
test_silent(void **state KRN_UNUSED)
{
	struct krn_alert_rule rule = rule_of(&cases[4]);
	const struct krn_alert_seen seen = {5, NAN};

	rule.notify_resolved = false;
	assert_null(krn_alert_judge(&rule, &seen, NOW).kind);
	assert_string_equal(krn_alert_judge(&rule, &seen, NOW).state, "ok");
	rule.metric = KRN_STR("error_rate");
	assert_string_equal(krn_alert_judge(&rule, &seen, NOW).status,
			    "unsupported");
	assert_string_equal(krn_alert_judge(&rule, &seen, NOW).state, "firing");
}

static void
test_operators(void **state KRN_UNUSED)
{
	static const struct {
		const char *operator;
		bool below, same, above;
	} rows[] = {
	    {"gt", false, false, true}, {"gte", false, true, true},
	    {"lt", true, false, false}, {"lte", true, true, false},
	    {"eq", false, true, false},
	};

	for (size_t i = 0; i < KRN_NR(rows); i++) {
		struct krn_alert_rule rule = rule_of(&cases[0]);

		rule.operator= krn_str_c(rows[i].operator);
		for (int at = -1; at <= 1; at++) {
			const struct krn_alert_seen seen = {10 + at, NAN};

			assert_int_equal(krn_alert_holds(&rule, &seen),
					 at < 0    ? rows[i].below
					 : at == 0 ? rows[i].same
						   : rows[i].above);
		}
	}
}

static void
test_severity(void **state KRN_UNUSED)
{
	static const struct {
		double threshold, observed, baseline;
		const char *severity;
	} rows[] = {
	    {10, 10, 0, "info"},     {10, 14, 0, "info"},
	    {10, 15, 0, "warning"},  {10, 19, 0, "warning"},
	    {10, 20, 0, "critical"}, {-10, -20, 0, "critical"},
	    {0, 5, 10, "warning"},   {0, 4, 10, "info"},
	    {0, 10, 10, "critical"}, {0, 1, 0, "critical"},
	    {0, 0, 0, "info"},       {0, 1, NAN, "critical"},
	    {10, NAN, 10, "info"},
	};

	for (size_t i = 0; i < KRN_NR(rows); i++) {
		struct krn_alert_rule rule = rule_of(&cases[0]);
		const struct krn_alert_seen seen = {rows[i].observed,
						    rows[i].baseline};

		rule.threshold = rows[i].threshold;
		if (strcmp(krn_alert_severity(&rule, &seen),
			   rows[i].severity) != 0)
			fail_msg("row %zu is %s", i,
				 krn_alert_severity(&rule, &seen));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_judge),
	    cmocka_unit_test(test_silent),
	    cmocka_unit_test(test_operators),
	    cmocka_unit_test(test_severity),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
