#ifndef KRN_PROVIDER_H
#define KRN_PROVIDER_H

/*
 * Notification providers: where a tenant's alerts and reports go. A config is
 * sealed (base/crypto.h) for its tenant and id; what clients read of it is
 * made when it is written and holds no secret.
 */

#include "watch/object.h"

enum krn_provider_field { /* indices of the form */
			  KRN_PROVIDER_KIND,
			  KRN_PROVIDER_NAME,
			  KRN_PROVIDER_ENABLED,
			  KRN_PROVIDER_CONFIG,
			  KRN_PROVIDER__MAX,
};

extern const struct krn_object_kind krn_provider_kind;

/*
 * Open a sealed config.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_UNAVAILABLE  no key is set, or it is not the one
 *            KRN_ERR_INTERNAL     it was altered
 */
KRN_MUSTCHECK enum krn_err
krn_provider_config(struct krn_arena *arena, const struct krn_options *options,
		    struct krn_str tenant_id, struct krn_str id,
		    struct krn_str sealed_hex, struct krn_value *ret,
		    struct krn_error *err);

#endif
