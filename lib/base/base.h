#ifndef KRN_BASE_H
#define KRN_BASE_H

/*
 * The first include of every file.
 *
 * It brings the four C headers that nearly everything needs, the attributes of
 * our own, checked size arithmetic, and it poisons the functions that must not
 * be used here: unbounded string functions, the allocator (memory comes from
 * an arena), number parsing without errors, local time.
 *
 * The few files that may use the allocator or strto*() define
 * KRN_ALLOW_MALLOC or KRN_ALLOW_STRTOL before this include; t/801-tree.t
 * lists them.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The result of the function must be looked at. */
#define KRN_MUSTCHECK __attribute__((warn_unused_result))

/* The arguments are checked as printf's are. */
#define KRN_PRINTF(text, first) __attribute__((__format__(printf, text, first)))

/* The parameter is there for the type's sake. */
#define KRN_UNUSED __attribute__((unused))

/* Call `fn` with the variable's address when its scope ends. */
#define KRN_CLEANUP(fn) __attribute__((cleanup(fn)))

/* The number of elements of an array; a pointer does not compile. */
#define KRN_NR(array)                                                          \
	(sizeof(array) / sizeof((array)[0]) +                                  \
	 0 * sizeof(struct {                                                   \
		 _Static_assert(!__builtin_types_compatible_p(                 \
				    __typeof__(array),                         \
				    __typeof__(&(array)[0])),                  \
				"not an array");                               \
		 int unused_;                                                  \
	 }))

/*
 * A mistake of ours was found: log it and abort; the supervisor restarts.
 * Never on input, never on lack of memory.
 */
#define KRN_BUG_IF(condition)                                                  \
	do {                                                                   \
		if (__builtin_expect(!!(condition), 0))                        \
			krn_bug(__FILE__, __LINE__, #condition);               \
	} while (0)

_Noreturn void krn_bug(const char *file, int line, const char *what);

/* *ret_sum = a + b; false when it does not fit. */
static inline KRN_MUSTCHECK bool
krn_add_size(size_t a, size_t b, size_t *ret_sum)
{
	return !__builtin_add_overflow(a, b, ret_sum);
}

/* *ret_product = a * b; false when it does not fit. */
static inline KRN_MUSTCHECK bool
krn_mul_size(size_t a, size_t b, size_t *ret_product)
{
	return !__builtin_mul_overflow(a, b, ret_product);
}

/* clang-format off */
/* _FORTIFY_SOURCE makes macros of these, which clang will not poison */
#undef sprintf
#undef vsprintf
#undef asprintf
#undef vasprintf
#pragma GCC poison sprintf vsprintf strcpy strcat strncpy strncat strtok
#pragma GCC poison gets atoi atol atoll atof gmtime localtime ctime asctime
#ifndef KRN_ALLOW_STRTOL
#pragma GCC poison strtol strtoll strtoull strtod
#endif
#ifndef KRN_ALLOW_MALLOC
#pragma GCC poison malloc calloc realloc free strdup strndup asprintf vasprintf
#endif
/* clang-format on */

#endif
