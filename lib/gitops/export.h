#ifndef KRN_GITOPS_EXPORT_H
#define KRN_GITOPS_EXPORT_H

/*
 * The live configuration as a bundle.
 *
 * Source: contract sections 4 and 6; spec, GitOps API, export.
 */

#include "base/buf.h"
#include "gitops/live.h"

struct krn_export_options {
	krn_kind_set kinds;
	struct krn_str tenant_id;
	int64_t at_us;   /* exportedAt */
	bool json;       /* else YAML */
	bool files;      /* else one document */
};

/*
 * The bundle as text: a document, or JSON of a map from path to content.
 * Errors: as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err
krn_bundle_write(struct krn_arena *arena, const struct krn_live *live,
		 const struct krn_export_options *options, struct krn_buf *buf,
		 struct krn_error *err);

/* The spec of a resource, all fields in the table's order. */
KRN_MUSTCHECK enum krn_err krn_resource_spec(struct krn_arena *arena,
					     const struct krn_resource *from,
					     struct krn_value *ret,
					     struct krn_error *err);

#endif
