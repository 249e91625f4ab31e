#ifndef KRN_FORMULA_PRIVATE_H
#define KRN_FORMULA_PRIVATE_H

/*
 * A formula is a program for a stack of values: operands first, then what is
 * done with them. Jumps go forward only.
 */

#include "decide/formula.h"

/* Values on the stack; a formula that needs more is refused. */
#define FORMULA_STACK_MAX 64

enum formula_op {
	FORMULA_CONSTANT,
	FORMULA_LOAD,
	FORMULA_JUMP,
	FORMULA_JUMP_FALSE, /* takes the condition */
	FORMULA_JUMP_VALUE, /* takes null, keeps another and jumps */
	FORMULA_TRUTH,      /* 1 or 0 */
	FORMULA_NOT,
	FORMULA_NEGATE,
	/* of two */
	FORMULA_ADD,
	FORMULA_SUBTRACT,
	FORMULA_MULTIPLY,
	FORMULA_DIVIDE,
	FORMULA_REMAINDER,
	FORMULA_EQUAL,
	FORMULA_NOT_EQUAL,
	FORMULA_LESS,
	FORMULA_LESS_EQUAL,
	FORMULA_GREATER,
	FORMULA_GREATER_EQUAL,
	/* of `number` arguments */
	FORMULA_MIN,
	FORMULA_MAX,
	FORMULA_ROUND,
	FORMULA_ABS,
	FORMULA_FLOOR,
	FORMULA_CEIL,
	FORMULA_CONCAT,
};

struct formula_step {
	enum formula_op op;
	uint32_t number; /* of a name, of arguments, or where a jump goes */
	struct krn_formula_value constant;
};

struct krn_formula {
	struct formula_step *steps;
	size_t nr;
};

/* While it is parsed */

enum formula_token {
	TOKEN_END,
	TOKEN_NUMBER,
	TOKEN_TEXT,
	TOKEN_NAME,
	TOKEN_SIGN,
};

struct formula_parse {
	struct krn_arena *arena;
	struct krn_str text;
	size_t at;    /* what follows the token */
	size_t start; /* of the token */
	enum formula_token token;
	struct krn_str
	    word; /* of a name: its parts; of a text: what is in it */
	double number;
	krn_formula_name_fn name;
	void *data;
	struct krn_formula *formula;
	size_t height; /* of the stack, by now */
	int depth;
	struct krn_error *err;
};

/* The next token. */
enum krn_err formula_next(struct formula_parse *parse);

bool formula_is_sign(const struct formula_parse *parse, const char *sign);

/* Where, and what of it: what there should be instead of the token. */
enum krn_err formula_refuse(struct formula_parse *parse, const char *what);

/* The same where the token says nothing. */
enum krn_err formula_refuse_at(struct formula_parse *parse, size_t at,
			       const char *what);

#endif
