#ifndef KRN_CRYPTO_H
#define KRN_CRYPTO_H

/*
 * Hashes by OpenSSL, and the comparison of secrets. crypto.c is the only file
 * of ours that includes OpenSSL's headers.
 */

#include "base/text.h"

#define KRN_SHA256_BYTES 32
#define KRN_SHA256_HEX_BYTES 65 /* with NUL */

/* SHA-256 of bytes that come in parts. */
struct krn_sha256;

/* Tied to the arena. NULL when it is exhausted. */
struct krn_sha256 *krn_sha256_new(struct krn_arena *arena);
void krn_sha256_add(struct krn_sha256 *hash, const void *bytes, size_t len);
void krn_sha256_end(struct krn_sha256 *hash,
		    unsigned char ret_digest[KRN_SHA256_BYTES]);

/* All at once. */
void krn_sha256(const void *bytes, size_t len,
		unsigned char ret_digest[KRN_SHA256_BYTES]);
void krn_sha256_hex(const void *bytes, size_t len,
		    char ret_text[KRN_SHA256_HEX_BYTES]);

void krn_hmac_sha256(struct krn_str key, struct krn_str message,
		     unsigned char ret_digest[KRN_SHA256_BYTES]);

/*
 * The same text? Takes the same time wherever they differ; an empty secret
 * never matches.
 */
bool krn_secret_eq(struct krn_str secret, struct krn_str given);

#endif
