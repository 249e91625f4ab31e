#ifndef KRN_FIELDS_H
#define KRN_FIELDS_H

/*
 * Declared fields (route.h) from query and body into the route's struct. All
 * problems are collected; an unknown field is refused with the nearest name.
 */

#include "fcgi/route.h"

/*
 * Ownership: *ret_fields and its texts live in the request's arena.
 * Errors:    KRN_ERR_INVALID  with all problems
 */
KRN_MUSTCHECK enum krn_err krn_fields_parse(struct krn_request *request,
					    const void **ret_fields,
					    struct krn_error *err);

/*
 * The members of the body that fields of type KRN_FIELD_VALUE hold, as one
 * object again: for handlers whose domain reads objects.
 *
 * Ownership: *ret lives in the request's arena.
 * Errors:    as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err krn_fields_object(const struct krn_request *request,
					     struct krn_value *ret,
					     struct krn_error *err);

/*
 * The texts of a body's member: an array of strings.
 *
 * Ownership: *ret lives in the request's arena, not NULL even when empty.
 * Errors:    KRN_ERR_INVALID  anything else, with the name
 */
KRN_MUSTCHECK enum krn_err krn_fields_strings(struct krn_request *request,
					      const struct krn_value *value,
					      const char *name,
					      const struct krn_str **ret,
					      size_t *ret_nr,
					      struct krn_error *err);

/*
 * A query parameter of a route that parses its own (any_query); .s NULL when
 * absent. Percent-decoded; the first of several.
 */
struct krn_str krn_query_find(struct krn_arena *arena, struct krn_str query,
			      const char *name);

#endif
