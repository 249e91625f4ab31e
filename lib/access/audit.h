#ifndef KRN_AUDIT_H
#define KRN_AUDIT_H

/*
 * The audit log: a SHA-256 chain per tenant. A row's hash is
 *
 *	sha256(previous hash in hex ‖ canonical JSON of the row)
 *
 * where the JSON (RFC 8785) has the members action, actorId, actorName,
 * after, before, changes, createdAt, entityId, entityName, entityType, id,
 * requestId, seq, tenantId. The head row is locked until the commit, so an
 * append is the last thing that a transaction does. Values never hold
 * secrets.
 *
 * Source: DESIGN section 5, audit.
 */

#include "access/caller.h"
#include "base/value.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "store/db.h"

struct krn_audit {
	struct krn_str id; /* krn_id_make("aud"); .s NULL: made here */
	const char *action;
	const char *entity_type;
	struct krn_str entity_id, entity_name; /* .s NULL: none */
	struct krn_str changes, before, after; /* JSON; .s NULL: none */
};

/*
 * An object of these members as JSON, for changes, before and after.
 * Errors: as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err krn_audit_object(struct krn_arena *arena,
					    const struct krn_member *members,
					    size_t nr, struct krn_str *ret,
					    struct krn_error *err);

/* {"status": …}; .s NULL gives .s NULL. Errors: as krn_arena_fail */
KRN_MUSTCHECK enum krn_err krn_audit_status(struct krn_arena *arena,
					    struct krn_str status,
					    struct krn_str *ret,
					    struct krn_error *err);

/*
 * Append a row to the chain of the transaction's tenant.
 * Errors: KRN_ERR_INTERNAL, KRN_ERR_UNAVAILABLE; the transaction must then
 *         not commit
 */
KRN_MUSTCHECK enum krn_err krn_audit_append(struct krn_arena *arena,
					    struct krn_db *db,
					    const struct krn_caller *caller,
					    const struct krn_audit *row,
					    struct krn_error *err);

/* A row as it is hashed; the JSON members are in their canonical form. */
struct krn_audit_row {
	int64_t seq;
	struct krn_str id, action, entity_type, entity_id, entity_name, changes,
	    before, after, actor_id, actor_name, request_id, created_at,
	    tenant_id, prev_hash; /* .s NULL: null */
};

/* Its hash in hex. `buf` is of the caller, so that it may be used again. */
void krn_audit_row_hash(struct krn_buf *buf, const struct krn_audit_row *row,
			char ret_hash[KRN_SHA256_HEX_BYTES]);

#endif
