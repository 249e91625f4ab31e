/*
 * Time-ordered ids and random bytes.
 */

#include "base/base.h"

#include "base/id.h"

#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"

/* Crockford's base 32 in lower case: no i, l, o, u */
static const char id_alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

void
krn_random(void *ret_bytes, size_t len)
{
	unsigned char *at = ret_bytes;

	while (len) {
		const ssize_t got = getrandom(at, len, 0);

		KRN_BUG_IF(got < 0 && errno != EINTR);
		if (got > 0) {
			at += got;
			len -= (size_t)got;
		}
	}
}

/* The random part, one more than the one before it. */
static void
id_increment(unsigned char bytes[10])
{
	for (int i = 9; i >= 0; i--)
		if (++bytes[i] != 0)
			return;
}

/* 5-bit group `index` (from the left) of the random part's 80 bits */
static unsigned
id_group(const unsigned char bytes[10], unsigned index)
{
	const unsigned bit = index * 5;
	const unsigned at = bit / 8;
	const unsigned pair =
	    (unsigned)bytes[at] << 8 | (at + 1 < 10 ? bytes[at + 1] : 0u);

	return pair >> (11 - bit % 8) & 31;
}

void
krn_id_make(const char *prefix, char ret_id[KRN_ID_BYTES])
{
	/* ids of different threads differ by chance, as those of processes do */
	static _Thread_local int64_t last_ms = -1;
	static _Thread_local unsigned char random[10];
	const int64_t now_ms = krn_clock_us() / 1000;
	const size_t prefix_len = strlen(prefix);

	KRN_BUG_IF(prefix_len == 0 || prefix_len > 12);
	if (now_ms > last_ms) {
		last_ms = now_ms;
		krn_random(random, sizeof(random));
		random[0] &= 0x7F; /* room to count up */
	} else {
		/* same millisecond, or the clock went back: keep the order */
		id_increment(random);
	}
	char *at = ret_id;

	memcpy(at, prefix, prefix_len);
	at += prefix_len;
	*at++ = '_';
	for (int shift = 45; shift >= 0; shift -= 5)
		*at++ = id_alphabet[last_ms >> shift & 31];
	for (unsigned i = 0; i < 16; i++)
		*at++ = id_alphabet[id_group(random, i)];
	*at = '\0';
}

struct krn_str
krn_id_new(struct krn_arena *arena, const char *prefix)
{
	char id[KRN_ID_BYTES];

	krn_id_make(prefix, id);
	return krn_str_dup(arena, krn_str_c(id));
}

bool
krn_id_is(struct krn_str id, const char *prefix)
{
	const size_t prefix_len = strlen(prefix);

	if (id.len != prefix_len + 1 + KRN_ID_RANDOM_CHARS ||
	    memcmp(id.s, prefix, prefix_len) != 0 || id.s[prefix_len] != '_')
		return false;
	for (size_t i = prefix_len + 1; i < id.len; i++)
		if (!id.s[i] || !strchr(id_alphabet, id.s[i]))
			return false;
	return true;
}
