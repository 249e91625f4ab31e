#ifndef KRN_BUNDLE_H
#define KRN_BUNDLE_H

/*
 * Bundles: the text of a request as a list of resources.
 *
 * Source: contract section 4, body; spec, GitOps API, body formats.
 */

#include "catalog/resource.h"

#define KRN_BUNDLE_RESOURCES_MAX 100000

#define KRN_BUNDLE_API_VERSION "kaireonai.com/v1"

/* A set of kinds: bit i is krn_kinds[i]. */
typedef uint32_t krn_kind_set;
#define KRN_KINDS_ALL ((krn_kind_set)((1u << KRN_KIND__MAX) - 1))

struct krn_bundle {
	struct krn_resource *resources; /* of the selected kinds */
	size_t nr;
};

/*
 * Parse and check a bundle; what depends on the live configuration
 * (references) is not looked at yet. A resource of a kind that is not
 * selected is checked for its form and left out.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INVALID  "Invalid bundle: …", with all problems
 */
KRN_MUSTCHECK enum krn_err
krn_bundle_parse(struct krn_arena *arena, struct krn_str body,
		 struct krn_str content_type, krn_kind_set kinds,
		 struct krn_bundle *ret, struct krn_error *err);

/*
 * The same from a bundle that was read already: a revision, a snapshot.
 * Errors: KRN_ERR_INVALID
 */
KRN_MUSTCHECK enum krn_err
krn_bundle_read(struct krn_arena *arena, const struct krn_value *value,
		krn_kind_set kinds, struct krn_bundle *ret,
		struct krn_error *err);

/*
 * A bundle that was applied, to be compared only: what an older program took
 * may break a rule of today and is no reason to look away.
 * Resources have the ids that the export noted.
 * Errors: KRN_ERR_INVALID  nothing in it could be read
 */
KRN_MUSTCHECK enum krn_err
krn_bundle_read_applied(struct krn_arena *arena, const struct krn_value *value,
			struct krn_bundle *ret, struct krn_error *err);

/*
 * "Offer,Channel" to a set; .s NULL or "": all.
 * Errors: KRN_ERR_INVALID
 */
KRN_MUSTCHECK enum krn_err krn_kind_set_parse(struct krn_str text,
					      krn_kind_set *ret,
					      struct krn_error *err);

#endif
