/*
 * API keys.
 */

#include "base/base.h"

#include "access/apikey.h"

#include "access/audit.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json_out.h"

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
				ret_key[len++] = apikey_alphabet[bytes[i] % 62];
	}
	ret_key[len] = '\0';
}

static enum krn_err
apikey_check(struct krn_str pepper, const struct krn_apikey_fields *fields,
	     struct krn_error *err)
{
	int64_t expires_us;

	if (pepper.len == 0)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "API_KEY_PEPPER is not set");
	if (fields->name.len == 0 || krn_str_code_points(fields->name) > 255)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "a key's name has 1 to 255 characters");
	if (fields->scopes_nr > KRN_APIKEY_SCOPES_MAX)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "a key has at most %d scopes",
				  KRN_APIKEY_SCOPES_MAX);
	for (size_t i = 0; i < fields->scopes_nr; i++)
		if (fields->scopes[i].len == 0 ||
		    krn_str_code_points(fields->scopes[i]) >
			KRN_APIKEY_SCOPE_LEN_MAX)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "a scope has 1 to %d characters",
					  KRN_APIKEY_SCOPE_LEN_MAX);
	return fields->expires.s
		   ? krn_time_parse(fields->expires, &expires_us, err)
		   : KRN_OK;
}

/* Insert it; the database has its hash only. */
static enum krn_err
apikey_insert(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_caller *caller, struct krn_str pepper,
	      const struct krn_apikey_fields *fields, struct krn_apikey *key,
	      struct krn_str *ret_document, struct krn_error *err)
{
	unsigned char hash[KRN_SHA256_BYTES];
	const struct krn_rows *rows;
	enum krn_err e;

	krn_apikey_hash(pepper, key->key, hash);

	const struct krn_param params[] = {
	    krn_param_str(key->id),
	    krn_param_str(fields->name),
	    krn_param_c(krn_role_name(fields->role)),
	    krn_param_bytes(arena, hash, sizeof(hash)),
	    krn_param_str(key->prefix),
	    krn_param_str(fields->expires),
	    krn_param_str_array(arena, fields->scopes, fields->scopes_nr),
	    krn_param_str(caller->actor_id),
	};

	if (!params[6].value)
		return krn_arena_fail(arena, err);
	if ((e = krn_db_exec(db, KRN_STMT_apikey_insert, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_FORBIDDEN,
				  "a key makes none that may do more, or live "
				  "longer, than itself");
	*ret_document = krn_rows_str(rows, 0, 0);
	key->expires_at = krn_rows_str(rows, 0, 1);
	key->created_at = krn_rows_str(rows, 0, 2);
	return KRN_OK;
}

enum krn_err
krn_apikey_create(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_caller *caller, struct krn_str pepper,
		  const struct krn_apikey_fields *fields,
		  struct krn_apikey *ret, struct krn_error *err)
{
	char text[KRN_APIKEY_LEN + 1];
	struct krn_str document;
	enum krn_err e;

	if ((e = apikey_check(pepper, fields, err)))
		return e;
	apikey_make(text);

	struct krn_apikey key = {
	    .id = krn_id_new(arena, "key"),
	    .key = krn_str_dup(arena, krn_str_from(text, KRN_APIKEY_LEN)),
	};

	if (!key.id.s || !key.key.s)
		return krn_arena_fail(arena, err);
	key.prefix = krn_str_from(key.key.s, KRN_APIKEY_PREFIX_LEN);
	if ((e = apikey_insert(arena, db, caller, pepper, fields, &key,
			       &document, err)))
		return e;
	const struct krn_audit audit = {
	    .action = "api_key.create",
	    .entity_type = "api_key",
	    .entity_id = key.id,
	    .entity_name = fields->name,
	    .after = document,
	};

	if ((e = krn_audit_append(arena, db, caller, &audit, err)))
		return e;
	*ret = key;
	return KRN_OK;
}

/* {"reason": …} */
static enum krn_err
apikey_reason(struct krn_arena *arena, struct krn_str reason,
	      struct krn_str *ret, struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "reason", reason);
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

enum krn_err
krn_apikey_revoke(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_caller *caller, struct krn_str id,
		  struct krn_str reason, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(id),
					   krn_param_str(reason)};
	const struct krn_rows *rows;
	struct krn_str changes;
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_apikey_revoke, params, &rows, err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "no such key, or it is revoked already");
	if ((e = apikey_reason(arena, reason, &changes, err)))
		return e;
	const struct krn_audit audit = {
	    .action = "api_key.revoke",
	    .entity_type = "api_key",
	    .entity_id = id,
	    .entity_name = krn_rows_str(rows, 0, 0),
	    .changes = changes,
	    .before = krn_rows_str(rows, 0, 1),
	};

	return krn_audit_append(arena, db, caller, &audit, err);
}
