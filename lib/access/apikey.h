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

/* Source: spec/facts.md 1.2. */
#define KRN_APIKEY_SCOPES_MAX 16
#define KRN_APIKEY_SCOPE_LEN_MAX 64 /* code points, at least 1 */

/* What a key is made of. */
struct krn_apikey_fields {
	struct krn_str name; /* 1 to 255 code points */
	enum krn_role role;
	struct krn_str expires; /* as krn_time_parse takes it; .s NULL: never */
	/* names of routes, or their nouns; none: whatever the role allows */
	const struct krn_str *scopes;
	size_t scopes_nr;
};

/* A key that was just made. */
struct krn_apikey {
	struct krn_str id;
	struct krn_str key;    /* shown once, kept nowhere */
	struct krn_str prefix; /* the first 12 characters */
	struct krn_str expires_at; /* .s NULL: never */
	struct krn_str created_at;
};

/* Is it of the form of a key? Nothing else is looked up. */
bool krn_apikey_is(struct krn_str key);

/* What the database knows of a key. */
void krn_apikey_hash(struct krn_str pepper, struct krn_str key,
		     unsigned char ret_hash[KRN_SHA256_BYTES]);

/*
 * Make a key of the transaction's tenant, with its audit row.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_INVALID   no pepper, bad name, time or scopes
 *            KRN_ERR_CONFLICT  there is no such tenant
 */
KRN_MUSTCHECK enum krn_err
krn_apikey_create(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_caller *caller, struct krn_str pepper,
		  const struct krn_apikey_fields *fields,
		  struct krn_apikey *ret, struct krn_error *err);

/*
 * Revoke a key of the transaction's tenant, with its audit row; effective with
 * the commit. `reason` may have .s NULL.
 * Errors: KRN_ERR_NOTFOUND  no such key, or revoked already
 */
KRN_MUSTCHECK enum krn_err
krn_apikey_revoke(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_caller *caller, struct krn_str id,
		  struct krn_str reason, struct krn_error *err);

#endif
