/*
 * kaireonctl demo customers, options
 */

#include "base/base.h"

#include "base/buf.h"
#include "ctl/ctl.h"

enum krn_err
krn_cmd_options(struct krn_ctl *ctl, struct krn_error *err)
{
	if (!ctl->format.s)
		krn_options_document(stdout);
	else if (krn_str_eq_c(ctl->format, "man"))
		krn_options_manual(stdout);
	else
		return krn_refuse(err, KRN_ERR_INVALID, "--format must be man");
	return KRN_OK;
}

/* The same numbers for the same seed. Source: Vigna, splitmix64. */
static uint64_t
demo_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static int64_t
demo_number(uint64_t *state, int64_t low, int64_t high)
{
	return low + (int64_t)(demo_next(state) % (uint64_t)(high - low + 1));
}

static bool
demo_chance(uint64_t *state, int percent)
{
	return demo_number(state, 1, 100) <= percent;
}

static void
demo_customer(uint64_t *state, int64_t number)
{
	static const char *const jobs[] = {
	    "admin.",	"blue-collar", "entrepreneur", "management",
	    "retired",	"services",    "student",      "technician"};
	static const char *const marital[] = {"married", "single", "divorced"};
	static const char *const education[] = {"primary", "secondary",
						"tertiary", "unknown"};

	printf("C%07lld,%lld,%s,%s,%s,%s,%lld,%s,%s\n", (long long)number,
	       (long long)demo_number(state, 18, 90),
	       jobs[demo_number(state, 0, KRN_NR(jobs) - 1)],
	       marital[demo_number(state, 0, KRN_NR(marital) - 1)],
	       education[demo_number(state, 0, KRN_NR(education) - 1)],
	       demo_chance(state, 2) ? "yes" : "no",
	       (long long)demo_number(state, -500, 8000),
	       demo_chance(state, 55) ? "yes" : "no",
	       demo_chance(state, 16) ? "yes" : "no");
}

enum krn_err
krn_cmd_demo_customers(struct krn_ctl *ctl, struct krn_error *err)
{
	int64_t count = 10000, seed = 1;
	enum krn_err e;

	if ((ctl->count.s &&
	     (e = krn_parse_int64(ctl->count, 1, 100000000, &count, err))) ||
	    (ctl->seed.s &&
	     (e = krn_parse_int64(ctl->seed, 0, INT64_MAX, &seed, err))))
		return e;
	uint64_t state = (uint64_t)seed;

	puts("customer_id,age,job,marital,education,default1,balance,housing,"
	     "loan");
	for (int64_t i = 1; i <= count; i++)
		demo_customer(&state, i);
	return KRN_OK;
}
