#ifndef KRN_UNIT_RANDOM_H
#define KRN_UNIT_RANDOM_H

/*
 * Random numbers that come again with their seed, which is random_state. Knuth's
 * generator (MMIX); its low bits are weak and left out.
 */

#include "base/base.h"

static uint64_t random_state;

/* 0 … bound - 1 */
static inline int64_t
random_below64(int64_t bound)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int64_t)(random_state >> 33) % bound;
}

static inline int
random_below(int bound)
{
	return (int)random_below64(bound);
}

#endif
