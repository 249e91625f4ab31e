/*
 * SHA-256, HMAC and the comparison of secrets, by OpenSSL.
 */

#include "base/base.h"

#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

struct krn_sha256 {
	EVP_MD_CTX *context;
};

static void
sha256_free(void *data)
{
	struct krn_sha256 *hash = data;

	EVP_MD_CTX_free(hash->context);
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
	if (EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1)
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
	KRN_BUG_IF(EVP_Digest(bytes, len, ret_digest, NULL, EVP_sha256(),
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
