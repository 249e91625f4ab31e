/*
 * API keys.
 */

#include "base/base.h"

#include "access/apikey.h"

#include "base/clock.h"
#include "base/id.h"

static const char apikey_alphabet[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool
krn_apikey_is(struct krn_str key)
{
	if (key.len != KRN_APIKEY_LEN ||
	    !krn_str_has_prefix(key, KRN_STR("krn_")))
		return false;
	for (size_t i = 4; i < key.len; i++)
		if (!key.s[i] || !strchr(apikey_alphabet, key.s[i]))
			return false;
	return true;
}

void
krn_apikey_hash(struct krn_str pepper, struct krn_str key,
		unsigned char ret_hash[KRN_SHA256_BYTES])
{
	krn_hmac_sha256(pepper, key, ret_hash);
}

/* Random characters without bias: bytes that do not divide are thrown away. */
static void
apikey_make(char ret_key[KRN_APIKEY_LEN + 1])
{
	size_t len = 4;

	memcpy(ret_key, "krn_", 4);
	while (len < KRN_APIKEY_LEN) {
		unsigned char bytes[64];

		krn_random(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes) && len < KRN_APIKEY_LEN;
		     i++)
			if (bytes[i] < 62 * 4)
				ret_key[len++] =
				    apikey_alphabet[bytes[i] % 62];
	}
	ret_key[len] = '\0';
}

enum krn_err
krn_apikey_create(struct krn_arena *arena, struct krn_db *db,
		  struct krn_str pepper, enum krn_role role,
		  struct krn_str name, struct krn_str expires,
		  struct krn_apikey *ret, struct krn_error *err)
{
	unsigned char hash[KRN_SHA256_BYTES];
	char key[KRN_APIKEY_LEN + 1];
	int64_t expires_us;
	enum krn_err e;

	if (pepper.len == 0)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "API_KEY_PEPPER is not set");
	if (name.len == 0 || krn_str_code_points(name) > 255)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "a key's name has 1 to 255 characters");
	if (expires.s && (e = krn_time_parse(expires, &expires_us, err)))
		return e;
	apikey_make(key);
	krn_apikey_hash(pepper, krn_str_from(key, KRN_APIKEY_LEN), hash);

	struct krn_apikey made = {
	    .id = krn_id_new(arena, "key"),
	    .key = krn_str_dup(arena, krn_str_from(key, KRN_APIKEY_LEN)),
	    .role = role,
	};

	if (!made.id.s || !made.key.s)
		return krn_arena_fail(arena, err);
	made.prefix = krn_str_from(made.key.s, KRN_APIKEY_PREFIX_LEN);

	const struct krn_param params[] = {
	    krn_param_str(made.id),
	    krn_param_str(name),
	    krn_param_c(krn_role_name(role)),
	    krn_param_bytes(arena, hash, sizeof(hash)),
	    krn_param_str(made.prefix),
	    krn_param_str(expires),
	};

	if ((e = krn_db_exec(db, KRN_STMT_apikey_insert, params, NULL, err)))
		return e;
	*ret = made;
	return KRN_OK;
}

enum krn_err
krn_apikey_revoke(struct krn_db *db, struct krn_str id, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(id)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_apikey_revoke, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "no such key, or it is revoked already");
	return KRN_OK;
}
