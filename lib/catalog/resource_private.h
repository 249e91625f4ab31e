#ifndef KRN_RESOURCE_PRIVATE_H
#define KRN_RESOURCE_PRIVATE_H

/* What the files of resource.h share. */

#include "catalog/resource.h"

struct resource_read {
	struct krn_arena *arena;
	const struct krn_kind *kind;
	struct krn_resource *resource;
	const struct krn_value *spec; /* as written */
	struct krn_problems *problems;
};

/* As krn_resource_problem. */
void KRN_PRINTF(4, 5)
    resource_problem_at(struct resource_read *read, const struct krn_value *at,
			const char *field, const char *format, ...);

/* Where a field, or what it is in, was written. */
const struct krn_value *resource_place(const struct resource_read *read,
				       const char *field);

#define resource_problem(read, field, ...)                                     \
	resource_problem_at(read, resource_place(read, field), field,          \
			    __VA_ARGS__)

/* Rules across fields (resource_rule.c). */
void resource_check_rules(struct resource_read *read);

/* The config of a rule or a policy (resource_config.c). */
void resource_check_config(struct resource_read *read);

#endif
