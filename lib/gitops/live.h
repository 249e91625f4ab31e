#ifndef KRN_LIVE_H
#define KRN_LIVE_H

/*
 * The live configuration of a tenant as resources, read in one statement a
 * kind. Ids have become names.
 */

#include "gitops/bundle.h"
#include "store/db.h"

/* Which object an id names. */
struct krn_live_id {
	struct krn_str id;
	struct krn_str name;
};

struct krn_live {
	struct krn_resource *resources; /* in the order of diffs */
	size_t nr;
	struct krn_live_id *ids; /* in byte order */
	size_t ids_nr;
	struct krn_live_id *segments; /* in byte order of their names */
	size_t segments_nr;
};

/* What else than everything as it is; zero: that. */
struct krn_live_options {
	/* the object of that id has that name, wherever it is named */
	const struct krn_live_id *renamed;
	/* kinds of which only names and ids are read; their values are null,
	   but for what is part of the identity */
	krn_kind_set names_only;
};

/*
 * Read all kinds. In a transaction that sees one state. `options` may be NULL.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_UNAVAILABLE, KRN_ERR_INTERNAL
 */
KRN_MUSTCHECK enum krn_err krn_live_read(struct krn_arena *arena,
					 struct krn_db *db,
					 const struct krn_live_options *options,
					 struct krn_live *ret,
					 struct krn_error *err);

/* The resource of a kind and name, or NULL. */
const struct krn_resource *krn_live_find(const struct krn_live *live,
					 enum krn_kind_id kind,
					 struct krn_str name);

/* The resource of a kind and id, or NULL. */
const struct krn_resource *krn_live_find_id(const struct krn_live *live,
					    enum krn_kind_id kind,
					    struct krn_str id);

/* The name of a segment by its id; .s NULL: none. */
struct krn_str krn_live_segment_name(const struct krn_live *live,
				     struct krn_str id);

/* The id of a segment by its name; .s NULL: none. */
struct krn_str krn_live_segment(const struct krn_live *live,
				struct krn_str name);

/* As krn_live_find over any list in the order of diffs. */
const struct krn_resource *krn_resources_find(const struct krn_resource *list,
					      size_t nr, enum krn_kind_id kind,
					      struct krn_str name);

#endif
