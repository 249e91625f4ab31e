#ifndef KRN_FUZZ_H
#define KRN_FUZZ_H

/*
 * A fuzz target: t/fuzz/<noun>.c defines LLVMFuzzerTestOneInput. It is built
 * twice: with replay.c as a test that reads t/fuzz/corpus/<noun>, and, with
 * --enable-fuzz, with libFuzzer's main.
 */

#include "base/base.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/* Any bytes: no crash, no leak, within its memory. 0 always. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What an input may cost; far above what an honest one needs. */
#define FUZZ_ARENA_BYTES ((size_t)64 << 20)

#endif
