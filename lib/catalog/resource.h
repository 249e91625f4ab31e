#ifndef KRN_RESOURCE_H
#define KRN_RESOURCE_H

/*
 * A resource: one object of a kind in canonical form. Every field of the
 * kind's table is there, defaults are filled in, times have one spelling,
 * references are names. A bundle's resources and the database's rows become
 * the same form, so a diff shows only what is different.
 */

#include "base/value.h"
#include "catalog/kind.h"

struct krn_resource {
	enum krn_kind_id kind;
	struct krn_str name;
	struct krn_value *values; /* one a field of the kind */
	struct krn_str id;        /* of the live object; .s NULL: none yet */
	int64_t version;          /* of the live object */
	size_t place;             /* in the bundle's list, for problems */
};

/*
 * A resource from a spec as written. All problems are noted, with places
 * such as "resources[3].spec.priority".
 *
 * Ownership: lives in `arena`; refers to `spec`.
 * Errors:    as krn_arena_fail only
 */
KRN_MUSTCHECK enum krn_err
krn_resource_read(struct krn_arena *arena, enum krn_kind_id kind,
		  struct krn_str name, const struct krn_value *spec,
		  size_t place, struct krn_problems *problems,
		  struct krn_resource *ret, struct krn_error *err);

/* The value of a field by its name; the kind must have it. */
const struct krn_value *krn_resource_get(const struct krn_resource *resource,
					 const char *field);

/* Is a name one that an object may have? Source: contract section 6. */
bool krn_resource_name_is(struct krn_str name);

#endif
