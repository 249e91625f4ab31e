#ifndef KRN_TENANT_H
#define KRN_TENANT_H

/*
 * A tenant's settings, status and legal hold. Every change leaves an audit row
 * with before and after in its transaction.
 *
 * The settings are free JSON; the member legalHold is the hold on the whole
 * tenant: no cleanup deletes anything of a tenant that is held.
 *
 * Source: contract section 3; spec/facts.md 2.1.
 */

#include "access/caller.h"
#include "base/value.h"
#include "store/db.h"

/* What a tenant's settings may grow to, as JSON. */
#define KRN_TENANT_SETTINGS_BYTES_MAX ((size_t)256 << 10)

/* The settings as a JSON object; *ret lives in the transaction's arena. */
KRN_MUSTCHECK enum krn_err krn_tenant_settings(struct krn_db *db,
					       struct krn_str *ret,
					       struct krn_error *err);

/*
 * Merge an object into the settings: objects member by member, anything else
 * replaces what was there. *ret is the result. A hold waits for a batch of a
 * purge that is at work.
 * Errors: KRN_ERR_INVALID   legalHold is not a boolean
 *         KRN_ERR_TOOBIG    the result is too large
 *         KRN_ERR_CONFLICT  the tenant is busy
 */
KRN_MUSTCHECK enum krn_err krn_tenant_settings_merge(
    struct krn_arena *arena, struct krn_db *db, const struct krn_caller *caller,
    const struct krn_value *change, struct krn_str *ret, struct krn_error *err);

/*
 * Suspend (or resume) the tenant that the caller names, or set (or lift) its
 * hold. In a transaction of the owner that speaks for the tenant.
 * Errors: KRN_ERR_NOTFOUND  no such tenant
 */
KRN_MUSTCHECK enum krn_err krn_tenant_suspend(struct krn_arena *arena,
					      struct krn_db *db,
					      const struct krn_caller *caller,
					      bool suspended,
					      struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_tenant_hold(struct krn_arena *arena,
					   struct krn_db *db,
					   const struct krn_caller *caller,
					   bool hold, struct krn_error *err);

#endif
