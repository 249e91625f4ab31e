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

/* Where a resource is from, when it is not from a bundle's list. */
#define KRN_PLACE_LIVE SIZE_MAX       /* the database */
#define KRN_PLACE_BODY (SIZE_MAX - 1) /* a body that has ids for names */

struct krn_resource {
	enum krn_kind_id kind;
	struct krn_str name;      /* what it is found by within its kind */
	struct krn_str title;     /* metadata.name; differs from name where the
				     identity has a parent: "<parent>/<title>" */
	struct krn_value *values; /* one a field of the kind */
	struct krn_str id;        /* of the live object; .s NULL: none yet */
	int64_t version;          /* of the live object */
	size_t place;             /* in the bundle's list, or KRN_PLACE_… */

	/* who changed the live object last; .s NULL: unknown */
	struct krn_str changed_by, changed_at, changed_audit_id;
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

/*
 * Set the name from title and parent: "%" and "/" within either part are
 * percent-encoded. Source: contract section 6.
 */
KRN_MUSTCHECK enum krn_err krn_resource_identify(struct krn_arena *arena,
						 struct krn_resource *resource,
						 struct krn_error *err);

/*
 * Note a problem of a field ("": of the spec) where the resource is from:
 * "resources[3].spec.categoryRef" with the line and column of `at`,
 * "categoryId", or "Offer \"Gold\", categoryRef". `at` may be NULL.
 */
void KRN_PRINTF(5, 6)
    krn_resource_problem(struct krn_problems *problems,
			 const struct krn_resource *resource,
			 const struct krn_value *at, const char *field,
			 const char *format, ...);

/*
 * The name of a field where ids stand for names: "categoryId" for
 * "categoryRef". Lives in `buffer`.
 */
#define KRN_FIELD_NAME_BYTES 256
const char *krn_field_api_name(const char *field,
			       char buffer[KRN_FIELD_NAME_BYTES]);

/*
 * Is a name one that an object may have: 1 to `max` code points, no control
 * characters, no outer white space? Source: contract section 6.
 */
bool krn_resource_name_is(struct krn_str name, size_t max);

#endif
