/*
 * SHA-256, HMAC, AES-256-GCM and the comparison of secrets, by OpenSSL.
 */

#include "base/base.h"

#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/id.h"

struct krn_sha256 {
	EVP_MD_CTX *context;
};

static void
sha256_free(void *data)
{
	struct krn_sha256 *hash = data;

	EVP_MD_CTX_free(hash->context);
}

/* Looked up once: to find it again costs as much as a short text's hash. */
static const EVP_MD *
sha256_algorithm(void)
{
	static const EVP_MD *algorithm;

	if (!algorithm)
		algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	KRN_BUG_IF(!algorithm);
	return algorithm;
}

struct krn_sha256 *
krn_sha256_new(struct krn_arena *arena)
{
	struct krn_sha256 *hash = krn_arena_make(arena, struct krn_sha256);

	if (!hash)
		return NULL;
	hash->context = EVP_MD_CTX_new();
	if (!hash->context)
		return NULL;
	if (krn_arena_defer(arena, sha256_free, hash, NULL))
		return NULL;
	if (EVP_DigestInit_ex(hash->context, sha256_algorithm(), NULL) != 1)
		return NULL;
	return hash;
}

void
krn_sha256_add(struct krn_sha256 *hash, const void *bytes, size_t len)
{
	KRN_BUG_IF(EVP_DigestUpdate(hash->context, bytes, len) != 1);
}

void
krn_sha256_end(struct krn_sha256 *hash,
	       unsigned char ret_digest[KRN_SHA256_BYTES])
{
	KRN_BUG_IF(EVP_DigestFinal_ex(hash->context, ret_digest, NULL) != 1);
}

void
krn_sha256(const void *bytes, size_t len,
	   unsigned char ret_digest[KRN_SHA256_BYTES])
{
	KRN_BUG_IF(EVP_Digest(bytes, len, ret_digest, NULL, sha256_algorithm(),
			      NULL) != 1);
}

void
krn_sha256_hex(const void *bytes, size_t len,
	       char ret_text[KRN_SHA256_HEX_BYTES])
{
	unsigned char digest[KRN_SHA256_BYTES];

	krn_sha256(bytes, len, digest);
	krn_format_hex(digest, sizeof(digest), ret_text);
}

void
krn_hmac_sha256(struct krn_str key, struct krn_str message,
		unsigned char ret_digest[KRN_SHA256_BYTES])
{
	unsigned len = 0;

	KRN_BUG_IF(key.len > INT32_MAX);
	KRN_BUG_IF(!HMAC(EVP_sha256(), key.s, (int)key.len,
			 (const unsigned char *)message.s, message.len,
			 ret_digest, &len) ||
		   len != KRN_SHA256_BYTES);
}

bool
krn_secret_eq(struct krn_str secret, struct krn_str given)
{
	unsigned char a[KRN_SHA256_BYTES], b[KRN_SHA256_BYTES];

	/* equal lengths by hashing: memcmp's time would tell the length */
	krn_sha256(secret.s, secret.len, a);
	krn_sha256(given.s, given.len, b);
	return CRYPTO_memcmp(a, b, sizeof(a)) == 0 && secret.len != 0;
}

void
krn_base64(struct krn_buf *buf, struct krn_str text, size_t line)
{
	const size_t step = line ? line / 4 * 3 : 48;
	unsigned char coded[KRN_BASE64_LINE_MAX + 1];

	KRN_BUG_IF(line > KRN_BASE64_LINE_MAX || line % 4);
	for (size_t at = 0; at < text.len; at += step) {
		const size_t rest = text.len - at;
		const int len =
		    EVP_EncodeBlock(coded, (const unsigned char *)text.s + at,
				    (int)(rest < step ? rest : step));

		krn_buf_add(buf, (const char *)coded, (size_t)len);
		if (line)
			krn_buf_add_c(buf, "\r\n");
	}
}

/* Sealing */

#define SEAL_VERSION 1
#define SEAL_KEY_ID_BYTES 4
#define SEAL_NONCE_BYTES 12
#define SEAL_TAG_BYTES 16
#define SEAL_HEAD_BYTES (1 + SEAL_KEY_ID_BYTES + SEAL_NONCE_BYTES)

/* The key of a secret, and the bytes that name it. */
static void
seal_key(struct krn_str secret, unsigned char ret_key[KRN_SHA256_BYTES],
	 unsigned char ret_id[SEAL_KEY_ID_BYTES])
{
	unsigned char digest[KRN_SHA256_BYTES];

	krn_hmac_sha256(secret, KRN_STR("kaireon: sealed texts"), ret_key);
	krn_sha256(ret_key, KRN_SHA256_BYTES, digest);
	memcpy(ret_id, digest, SEAL_KEY_ID_BYTES);
}

static void
seal_context_free(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}

enum krn_err
krn_seal(struct krn_arena *arena, struct krn_str secret, struct krn_str context,
	 struct krn_str text, struct krn_str *ret, struct krn_error *err)
{
	EVP_CIPHER_CTX *cipher KRN_CLEANUP(seal_context_free) =
	    EVP_CIPHER_CTX_new();
	unsigned char key[KRN_SHA256_BYTES], *sealed;
	int len;

	if (!secret.len)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "no secret is set");
	KRN_BUG_IF(text.len > INT32_MAX || context.len > INT32_MAX);
	sealed =
	    krn_arena_alloc(arena, SEAL_HEAD_BYTES + text.len + SEAL_TAG_BYTES);
	if (!cipher || !sealed)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	sealed[0] = SEAL_VERSION;
	seal_key(secret, key, sealed + 1);
	krn_random(sealed + 1 + SEAL_KEY_ID_BYTES, SEAL_NONCE_BYTES);
	if (EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key,
			       sealed + 1 + SEAL_KEY_ID_BYTES) != 1 ||
	    EVP_EncryptUpdate(cipher, NULL, &len,
			      (const unsigned char *)context.s,
			      (int)context.len) != 1 ||
	    EVP_EncryptUpdate(cipher, sealed + SEAL_HEAD_BYTES, &len,
			      (const unsigned char *)text.s,
			      (int)text.len) != 1 ||
	    EVP_EncryptFinal_ex(cipher, sealed + SEAL_HEAD_BYTES + len, &len) !=
		1 ||
	    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES,
				sealed + SEAL_HEAD_BYTES + text.len) != 1)
		return krn_fail(err, KRN_ERR_INTERNAL, "could not seal a text");
	OPENSSL_cleanse(key, sizeof(key));
	*ret = krn_str_from((const char *)sealed,
			    SEAL_HEAD_BYTES + text.len + SEAL_TAG_BYTES);
	return KRN_OK;
}

enum krn_err
krn_unseal(struct krn_arena *arena, struct krn_str secret,
	   struct krn_str context, struct krn_str sealed, struct krn_str *ret,
	   struct krn_error *err)
{
	EVP_CIPHER_CTX *cipher KRN_CLEANUP(seal_context_free) =
	    EVP_CIPHER_CTX_new();
	unsigned char key[KRN_SHA256_BYTES], id[SEAL_KEY_ID_BYTES],
	    tag[SEAL_TAG_BYTES], *text;
	const unsigned char *from = (const unsigned char *)sealed.s;
	int len;

	if (!secret.len)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "no secret is set");
	if (sealed.len < SEAL_HEAD_BYTES + SEAL_TAG_BYTES ||
	    from[0] != SEAL_VERSION || sealed.len > INT32_MAX)
		return krn_fail(err, KRN_ERR_INTERNAL, "not a sealed text");
	const size_t text_len = sealed.len - SEAL_HEAD_BYTES - SEAL_TAG_BYTES;

	seal_key(secret, key, id);
	if (memcmp(id, from + 1, sizeof(id)) != 0)
		return krn_fail(err, KRN_ERR_UNAVAILABLE,
				"the text was sealed under another secret");
	text = krn_arena_alloc(arena, text_len + 1);
	if (!cipher || !text)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	memcpy(tag, from + SEAL_HEAD_BYTES + text_len, sizeof(tag));
	if (EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key,
			       from + 1 + SEAL_KEY_ID_BYTES) != 1 ||
	    EVP_DecryptUpdate(cipher, NULL, &len,
			      (const unsigned char *)context.s,
			      (int)context.len) != 1 ||
	    EVP_DecryptUpdate(cipher, text, &len, from + SEAL_HEAD_BYTES,
			      (int)text_len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES,
				tag) != 1 ||
	    EVP_DecryptFinal_ex(cipher, text + len, &len) != 1)
		return krn_fail(err, KRN_ERR_INTERNAL,
				"a sealed text was altered");
	OPENSSL_cleanse(key, sizeof(key));
	text[text_len] = '\0';
	*ret = krn_str_from((const char *)text, text_len);
	return KRN_OK;
}
