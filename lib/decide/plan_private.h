#ifndef KRN_PLAN_PRIVATE_H
#define KRN_PLAN_PRIVATE_H

/* What the files that compile a plan share. */

#include "decide/plan.h"

struct plan_build {
	struct krn_arena *arena;
	const struct krn_value *config;
	const struct krn_attribute *attributes;
	size_t attributes_nr;
	struct krn_plan *plan;
	struct krn_error *err;
};

/* The text of a member, "" when it is absent or no string. */
struct krn_str plan_text(const struct krn_value *object, const char *name);

/* "could not plan: …" for the operator of the run. */
enum krn_err plan_refuse(struct plan_build *build, const char *format, ...)
    KRN_PRINTF(2, 3);

/* The needed column of an attribute, added when new; -1: the view has none. */
enum krn_err plan_column(struct plan_build *build, struct krn_str name,
			 int *ret, struct krn_error *err);

/* Has the flow a node of that type? */
bool plan_flow_has(const struct plan_build *build, const char *type);

/* The steps of krn_plan_compile. */
enum krn_err plan_read_flow(struct plan_build *build);
enum krn_err plan_read_rules(struct plan_build *build);
enum krn_err plan_read_policies(struct plan_build *build);
enum krn_err plan_make_pairs(struct plan_build *build);

#endif
