#ifndef KRN_FLOW_H
#define KRN_FLOW_H

/*
 * Decision flows beyond what every kind has (edit.h): publishing, and the base
 * flow. A run decides with the version that was published when it was planned.
 *
 * Source: contract section 4; spec, decision flows API.
 */

#include "access/caller.h"
#include "store/db.h"

struct krn_flow_publish {
	struct krn_str id;
	struct krn_str notes; /* "": none */
	int64_t row_version;  /* that the caller saw; -1: whatever it is */
};

/*
 * Freeze the draft as the next version, which is never changed; a draft flow
 * becomes active. With audit row and epoch; the last thing before the commit.
 * Errors: KRN_ERR_NOTFOUND  no such flow
 *         KRN_ERR_INVALID   the draft breaks a rule, with all problems
 *         KRN_ERR_CONFLICT  another rowVersion, or the flow is archived
 */
KRN_MUSTCHECK enum krn_err krn_flow_publish(struct krn_arena *arena,
					    struct krn_db *db,
					    const struct krn_caller *caller,
					    const struct krn_flow_publish *what,
					    struct krn_error *err);

/*
 * The flow with the key "base", made and published when there is none.
 *
 * Ownership: *ret_id lives in `arena`.
 * Errors:    KRN_ERR_CONFLICT  its name is taken by another flow
 */
KRN_MUSTCHECK enum krn_err
krn_flow_ensure_base(struct krn_arena *arena, struct krn_db *db,
		     const struct krn_caller *caller, struct krn_str *ret_id,
		     bool *ret_created, struct krn_error *err);

#endif
