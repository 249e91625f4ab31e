#ifndef KRN_FORMULA_H
#define KRN_FORMULA_H

/*
 * Formulas: what a value is made of, as one expression.
 *
 *	base_rate * (1 - customer.loyalty_score * 0.01)
 *	customer.tier == 'gold' ? 0.15 : 0.10
 *	concat('Dear ', coalesce(customer.first_name, 'customer'))
 *
 * Values are numbers (double precision), texts, or null. By precedence, the
 * lowest first:
 *
 *	c ? a : b	a when c is true, else b; only one of them is computed
 *	|| &&		1 or 0; the right side only when it is needed
 *	== !=		1 or 0; null equals null only
 *	< <= > >=	1 or 0; 0 when a side is null
 *	+ -		+ joins two texts
 *	* / %		by 0: null. % has the sign of the left side
 *	- !		(of one)
 *	names, numbers, 'texts' or "texts" (without escapes), null, true (1),
 *	false (0), (…), and the functions
 *	min(a, …) max(a, …)	null when one of them is null
 *	round(a, digits = 0)	half away from zero; digits from 0 to 15
 *	abs(a) floor(a) ceil(a)
 *	coalesce(a, …)		the first that is not null
 *	concat(a, …)		as texts; null is ''
 *
 * True is a number that is not 0, or a text that is not empty. Where a number
 * is needed, a text that is a decimal number counts as it; any other is null,
 * and counted as a failure. A comparison of a number and a text compares
 * numbers, if the text is one; if it is not, they are not equal and in no
 * order, which is counted too. Two texts compare in byte order. Null makes
 * arithmetic null, and so does a result that is not finite.
 *
 * A name is made of parts with points between them, each of letters, digits
 * and _, or of anything between two `.
 *
 * Source: doc/decisions/011-computed-values.md.
 */

#include "base/error.h"
#include "base/text.h"

/* A formula's text, how deep it may nest, and arguments of a function. */
#define KRN_FORMULA_BYTES_MAX 1000
#define KRN_FORMULA_DEPTH_MAX 32
#define KRN_FORMULA_ARGUMENTS_MAX 16

enum krn_formula_type {
	KRN_FORMULA_NULL, /* what is cleared */
	KRN_FORMULA_NUMBER,
	KRN_FORMULA_TEXT,
};

struct krn_formula_value {
	enum krn_formula_type type;
	double number; /* finite */
	struct krn_str text;
};

struct krn_formula;

/*
 * What a name means: a number that loads it. Asked once for each place where
 * a name stands. Errors: KRN_ERR_INVALID with a message, when it means nothing.
 */
typedef enum krn_err (*krn_formula_name_fn)(void *data, struct krn_str name,
					    uint32_t *ret,
					    struct krn_error *err);

/*
 * Parse.
 *
 * Ownership: *ret lives in `arena`; `text` must live as long.
 * Errors:    KRN_ERR_INVALID  "at character 7: …", from 1
 */
KRN_MUSTCHECK enum krn_err
krn_formula_parse(struct krn_arena *arena, struct krn_str text,
		  krn_formula_name_fn name, void *data,
		  const struct krn_formula **ret, struct krn_error *err);

/* Where an evaluation loads names from, and what it makes. */
struct krn_formula_run {
	struct krn_formula_value (*load)(void *data, uint32_t name);
	void *data;
	char *room; /* for texts that it makes, and … */
	size_t room_size, room_used;
	bool is_full;     /* they did not fit: the result counts for nothing */
	int64_t failures; /* texts that had to be numbers and were not */
};

/*
 * Evaluate: takes no memory, ends after as many steps as the formula has.
 * A text of the result lies in the room, the formula, or where it was loaded
 * from; of the room only that much stays in use.
 */
struct krn_formula_value krn_formula_eval(const struct krn_formula *formula,
					  struct krn_formula_run *run);

/* The same as a number or a text; what is neither is null. */
struct krn_formula_value krn_formula_as(struct krn_formula_value value,
					enum krn_formula_type type,
					struct krn_formula_run *run);

#endif
