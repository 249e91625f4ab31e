#ifndef KRN_PERSONALIZE_H
#define KRN_PERSONALIZE_H

/*
 * What a creative says to a customer: its variables with the customer's
 * values, and the texts of its content with the variables put in.
 *
 *	{"variables": {"first_name": "Ada"}, "content": {"headline": "Hello
 *Ada"}}
 *
 * A variable is an item of the creative's personalization: `variable` (or
 * `key`) names it, `source` says where it comes from ("customer.first_name"
 * or "first_name": an attribute of the segment; "personalization.rate": what
 * the flow computed), `fallback` stands in for a value that is missing. In a
 *text {{name}} and {name} are replaced when the name is a variable of the
 *creative; anything else stays as it is written.
 *
 * Source: spec, creatives; contract section 5, file.
 */

#include "base/buf.h"
#include "base/value.h"
#include "decide/plan.h"

struct krn_personalize;
struct krn_output_property;

/*
 * Compile the creatives of a run's configuration. `attribute_find` gives the
 * place of an attribute in the rows that will be rendered, or -1.
 *
 * Ownership: *ret lives in `arena` and refers to `creatives`.
 * Errors:    as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err
krn_personalize_new(struct krn_arena *arena, const struct krn_value *creatives,
		    const struct krn_plan *plan,
		    int (*attribute_find)(void *data, struct krn_str name),
		    void *data, struct krn_personalize **ret,
		    struct krn_error *err);

/*
 * Render for a creative, as JSON; "null" when there is none. A value of
 * `attributes`, or the text of one of the plan's `properties`, whose .s is
 * NULL is missing.
 */
void krn_personalize_render(const struct krn_personalize *personalize,
			    struct krn_str creative_id,
			    const struct krn_str *attributes,
			    const struct krn_output_property *properties,
			    struct krn_buf *to);

#endif
