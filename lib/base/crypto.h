#ifndef KRN_CRYPTO_H
#define KRN_CRYPTO_H

/*
 * Hashes by OpenSSL, and the comparison of secrets. crypto.c is the only file
 * of ours that includes OpenSSL's headers.
 */

#include "base/buf.h"

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

/* Append in base64 (RFC 4648), CRLF after each `line` characters and at the
 * end; `line` is a multiple of 4, 0: one line without an end. */
#define KRN_BASE64_LINE_MAX 76
void krn_base64(struct krn_buf *buf, struct krn_str text, size_t line);

/*
 * Secrets at rest: AES-256-GCM under a key that is derived from `secret`. What
 * belongs to the text without being in it (whose it is) is `context`: sealed
 * for one, it opens for no other. A sealed text tells which secret it needs:
 * version 1, four bytes of the key's hash, nonce, ciphertext, tag.
 *
 * Ownership: *ret lives in `arena`.
 * Errors:    KRN_ERR_UNAVAILABLE  the secret is empty, or is another one
 *            KRN_ERR_INTERNAL     what was sealed was altered
 * Source:    NIST SP 800-38D
 */
KRN_MUSTCHECK enum krn_err krn_seal(struct krn_arena *arena,
				    struct krn_str secret,
				    struct krn_str context, struct krn_str text,
				    struct krn_str *ret, struct krn_error *err);
KRN_MUSTCHECK enum krn_err krn_unseal(struct krn_arena *arena,
				      struct krn_str secret,
				      struct krn_str context,
				      struct krn_str sealed,
				      struct krn_str *ret,
				      struct krn_error *err);

/*
 * The same text? Takes the same time wherever they differ; an empty secret
 * never matches.
 */
bool krn_secret_eq(struct krn_str secret, struct krn_str given);

#endif
