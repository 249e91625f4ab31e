#ifndef KRN_ID_H
#define KRN_ID_H

/*
 * Ids: "<prefix>_" and 26 characters of Crockford's base 32 in lower case:
 * 48 bits of milliseconds, then 80 random bits. They sort by time; those of
 * one process and one millisecond sort in the order they were made.
 * Source: the ULID layout; DESIGN, data.
 */

#include "base/text.h"

#define KRN_ID_RANDOM_CHARS 26

/* The longest prefix is "camp_". Room for any id and its NUL. */
#define KRN_ID_BYTES 40

/* `prefix` without the underscore, at most 12 characters. */
void krn_id_make(const char *prefix, char ret_id[KRN_ID_BYTES]);

/* The same in an arena; .s is NULL when it is exhausted. */
KRN_MUSTCHECK struct krn_str krn_id_new(struct krn_arena *arena,
					const char *prefix);

/* Is it of the form that krn_id_make gives for this prefix? */
bool krn_id_is(struct krn_str id, const char *prefix);

/* Random bytes from the system; KRN_BUG when it has none. */
void krn_random(void *ret_bytes, size_t len);

#endif
