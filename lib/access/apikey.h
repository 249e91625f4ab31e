#ifndef KRN_APIKEY_H
#define KRN_APIKEY_H

/*
 * API keys: "krn_" and 40 letters and digits. The database holds only their
 * HMAC-SHA256 under API_KEY_PEPPER; the key itself is shown once.
 */

#include "access/caller.h"
#include "base/crypto.h"
#include "store/db.h"

#define KRN_APIKEY_LEN 44
#define KRN_APIKEY_PREFIX_LEN 12

struct krn_apikey {
	struct krn_str id;
	struct krn_str key;    /* only of a key that was just made */
	struct krn_str prefix; /* the first 12 characters */
	enum krn_role role;
};

/* Is it of the form of a key? Nothing else is looked up. */
bool krn_apikey_is(struct krn_str key);

/* What the database knows of a key. */
void krn_apikey_hash(struct krn_str pepper, struct krn_str key,
		     unsigned char ret_hash[KRN_SHA256_BYTES]);

/*
 * Make a key of the transaction's tenant. `expires` is a time as
 * krn_time_parse takes it, or .s NULL for never.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INVALID   no pepper, bad name or time
 */
KRN_MUSTCHECK enum krn_err
krn_apikey_create(struct krn_arena *arena, struct krn_db *db,
		  struct krn_str pepper, enum krn_role role,
		  struct krn_str name, struct krn_str expires,
		  struct krn_apikey *ret, struct krn_error *err);

/*
 * Revoke a key of the transaction's tenant; effective with the commit.
 * Errors: KRN_ERR_NOTFOUND  no such key, or revoked already
 */
KRN_MUSTCHECK enum krn_err krn_apikey_revoke(struct krn_db *db,
					     struct krn_str id,
					     struct krn_error *err);

#endif
