/*
 * Parsing formulas: by precedence climbing, from the tokens right into the
 * steps of a program.
 */

#include "base/base.h"

#include "decide/formula.h"

#include "decide/formula_private.h"

/* Of two operands. */
static const struct {
	const char *sign;
	int precedence;
	enum formula_op op; /* CONSTANT: && and ||, which jump */
} formula_operators[] = {
    {"||", 1, FORMULA_CONSTANT},   {"&&", 2, FORMULA_CONSTANT},
    {"==", 3, FORMULA_EQUAL},      {"!=", 3, FORMULA_NOT_EQUAL},
    {"<=", 4, FORMULA_LESS_EQUAL}, {">=", 4, FORMULA_GREATER_EQUAL},
    {"<", 4, FORMULA_LESS},        {">", 4, FORMULA_GREATER},
    {"+", 5, FORMULA_ADD},         {"-", 5, FORMULA_SUBTRACT},
    {"*", 6, FORMULA_MULTIPLY},    {"/", 6, FORMULA_DIVIDE},
    {"%", 6, FORMULA_REMAINDER},
};

static const struct {
	const char *name;
	enum formula_op op; /* JUMP_VALUE: coalesce */
	uint32_t least, most;
} formula_functions[] = {
    {"abs", FORMULA_ABS, 1, 1},
    {"ceil", FORMULA_CEIL, 1, 1},
    {"coalesce", FORMULA_JUMP_VALUE, 1, KRN_FORMULA_ARGUMENTS_MAX},
    {"concat", FORMULA_CONCAT, 1, KRN_FORMULA_ARGUMENTS_MAX},
    {"floor", FORMULA_FLOOR, 1, 1},
    {"max", FORMULA_MAX, 1, KRN_FORMULA_ARGUMENTS_MAX},
    {"min", FORMULA_MIN, 1, KRN_FORMULA_ARGUMENTS_MAX},
    {"round", FORMULA_ROUND, 1, 2},
};

static enum krn_err
formula_expect(struct formula_parse *parse, const char *sign, const char *what)
{
	return formula_is_sign(parse, sign) ? formula_next(parse)
					    : formula_refuse(parse, what);
}

/* Steps */

/* Add a step that leaves the stack higher by `by`; returns its place. */
static size_t
formula_add(struct formula_parse *parse, enum formula_op op, uint32_t number,
	    int by)
{
	struct krn_formula *formula = parse->formula;

	formula->steps[formula->nr] =
	    (struct formula_step){.op = op, .number = number};
	parse->height = (size_t)((ptrdiff_t)parse->height + by);
	return formula->nr++;
}

/* The jump at a place goes to what comes next. */
static void
formula_land(struct formula_parse *parse, size_t jump)
{
	parse->formula->steps[jump].number = (uint32_t)parse->formula->nr;
}

static enum krn_err
formula_push(struct formula_parse *parse, enum formula_op op, uint32_t number,
	     struct krn_formula_value constant)
{
	if (parse->height == FORMULA_STACK_MAX)
		return formula_refuse_at(parse, parse->start,
					 "the formula is too complicated");
	parse->formula->steps[formula_add(parse, op, number, 1)].constant =
	    constant;
	return KRN_OK;
}

static enum krn_err
formula_push_number(struct formula_parse *parse, double number)
{
	return formula_push(
	    parse, FORMULA_CONSTANT, 0,
	    (struct krn_formula_value){KRN_FORMULA_NUMBER, number, {NULL, 0}});
}

/* Expressions */

static enum krn_err formula_choice(struct formula_parse *parse);

/* The arguments of a function, behind its name and "(". */
static enum krn_err
formula_call(struct formula_parse *parse, size_t which, size_t name_at)
{
	const bool jumps = formula_functions[which].op == FORMULA_JUMP_VALUE;
	size_t jumped[KRN_FORMULA_ARGUMENTS_MAX];
	uint32_t nr = 0;
	enum krn_err e;

	do {
		if ((nr && (e = formula_next(parse))) ||
		    (e = formula_choice(parse)))
			return e;
		if (++nr > formula_functions[which].most)
			return formula_refuse_at(parse, name_at,
						 "too many arguments");
		/* the last may be null */
		if (jumps && formula_is_sign(parse, ","))
			jumped[nr - 1] =
			    formula_add(parse, FORMULA_JUMP_VALUE, 0, -1);
	} while (formula_is_sign(parse, ","));
	if (jumps)
		for (uint32_t i = 0; i + 1 < nr; i++)
			formula_land(parse, jumped[i]);
	else
		formula_add(parse, formula_functions[which].op, nr,
			    1 - (int)nr);
	return formula_expect(parse, ")", "\",\" or \")\" must follow");
}

/* A function when "(" follows, else a word of the language, or a name. */
static enum krn_err
formula_word(struct formula_parse *parse)
{
	const struct krn_str word = parse->word;
	const size_t at = parse->start;
	uint32_t number = 0;
	enum krn_err e;
	size_t i = 0;

	if ((e = formula_next(parse)))
		return e;
	if (formula_is_sign(parse, "(")) {
		while (i < KRN_NR(formula_functions) &&
		       !krn_str_eq_c(word, formula_functions[i].name))
			i++;
		if (i == KRN_NR(formula_functions))
			return formula_refuse_at(parse, at,
						 "there is no such function");
		return (e = formula_next(parse)) ? e
						 : formula_call(parse, i, at);
	}
	if (krn_str_eq_c(word, "true") || krn_str_eq_c(word, "false"))
		return formula_push_number(parse, word.s[0] == 't');
	if (krn_str_eq_c(word, "null"))
		return formula_push(parse, FORMULA_CONSTANT, 0,
				    (struct krn_formula_value){0});
	e = parse->name(parse->data, word, &number, parse->err);
	if (e == KRN_ERR_INVALID && parse->err) {
		const struct krn_error why = *parse->err;

		return formula_refuse_at(parse, at, why.message);
	}
	return e ? e
		 : formula_push(parse, FORMULA_LOAD, number,
				(struct krn_formula_value){0});
}

/* What stands between operators. */
static enum krn_err
formula_operand(struct formula_parse *parse)
{
	const struct krn_formula_value text = {KRN_FORMULA_TEXT, 0,
					       parse->word};
	const double number = parse->number;
	enum krn_err e;

	switch (parse->token) {
	case TOKEN_NUMBER:
		return (e = formula_next(parse))
			   ? e
			   : formula_push_number(parse, number);
	case TOKEN_TEXT:
		return (e = formula_next(parse))
			   ? e
			   : formula_push(parse, FORMULA_CONSTANT, 0, text);
	case TOKEN_NAME:
		return formula_word(parse);
	case TOKEN_SIGN:
		if (!formula_is_sign(parse, "("))
			break;
		if ((e = formula_next(parse)) || (e = formula_choice(parse)))
			return e;
		return formula_expect(parse, ")", "\")\" must follow");
	case TOKEN_END:
		break;
	}
	return formula_refuse(parse, "a value must stand here");
}

static enum krn_err
formula_unary(struct formula_parse *parse)
{
	const bool negates = formula_is_sign(parse, "-");
	enum krn_err e;

	if (!negates && !formula_is_sign(parse, "!"))
		return formula_operand(parse);
	if (++parse->depth > KRN_FORMULA_DEPTH_MAX)
		return formula_refuse_at(parse, parse->start,
					 "the formula nests too deep");
	if ((e = formula_next(parse)) || (e = formula_unary(parse)))
		return e;
	parse->depth--;
	formula_add(parse, negates ? FORMULA_NEGATE : FORMULA_NOT, 0, 0);
	return KRN_OK;
}

static enum krn_err formula_binary(struct formula_parse *parse, int precedence);

/* The right side of && or ||, whose left side is on the stack. */
static enum krn_err
formula_logic(struct formula_parse *parse, int precedence, bool is_and)
{
	const size_t when_false = formula_add(parse, FORMULA_JUMP_FALSE, 0, -1);
	size_t end = 0;
	enum krn_err e;

	if (!is_and) {
		if ((e = formula_push_number(parse, 1)))
			return e;
		end = formula_add(parse, FORMULA_JUMP, 0, -1);
		formula_land(parse, when_false);
	}
	if ((e = formula_binary(parse, precedence + 1)))
		return e;
	formula_add(parse, FORMULA_TRUTH, 0, 0);
	if (is_and) {
		end = formula_add(parse, FORMULA_JUMP, 0, -1);
		formula_land(parse, when_false);
		if ((e = formula_push_number(parse, 0)))
			return e;
	}
	formula_land(parse, end);
	return KRN_OK;
}

/* Operators of at least that precedence, from the left. */
static enum krn_err
formula_binary(struct formula_parse *parse, int precedence)
{
	enum krn_err e;

	if ((e = formula_unary(parse)))
		return e;
	for (;;) {
		size_t i = 0;

		while (i < KRN_NR(formula_operators) &&
		       !formula_is_sign(parse, formula_operators[i].sign))
			i++;
		if (i == KRN_NR(formula_operators) ||
		    formula_operators[i].precedence < precedence)
			return KRN_OK;
		const int its = formula_operators[i].precedence;

		if ((e = formula_next(parse)))
			return e;
		if (formula_operators[i].op == FORMULA_CONSTANT) {
			if ((e = formula_logic(parse, its,
					       formula_operators[i].sign[0] ==
						   '&')))
				return e;
			continue;
		}
		if ((e = formula_binary(parse, its + 1)))
			return e;
		formula_add(parse, formula_operators[i].op, 0, -1);
	}
}

/* c ? a : b, and what binds closer. */
static enum krn_err
formula_choice(struct formula_parse *parse)
{
	size_t otherwise, end;
	enum krn_err e;

	if (++parse->depth > KRN_FORMULA_DEPTH_MAX)
		return formula_refuse_at(parse, parse->start,
					 "the formula nests too deep");
	if ((e = formula_binary(parse, 1)))
		return e;
	if (formula_is_sign(parse, "?")) {
		otherwise = formula_add(parse, FORMULA_JUMP_FALSE, 0, -1);
		if ((e = formula_next(parse)) || (e = formula_choice(parse)) ||
		    (e = formula_expect(parse, ":", "\":\" must follow")))
			return e;
		end = formula_add(parse, FORMULA_JUMP, 0, -1);
		formula_land(parse, otherwise);
		if ((e = formula_choice(parse)))
			return e;
		formula_land(parse, end);
	}
	parse->depth--;
	return KRN_OK;
}

enum krn_err
krn_formula_parse(struct krn_arena *arena, struct krn_str text,
		  krn_formula_name_fn name, void *data,
		  const struct krn_formula **ret, struct krn_error *err)
{
	struct formula_parse parse = {
	    .arena = arena,
	    .text = text,
	    .name = name,
	    .data = data,
	    .formula = krn_arena_make(arena, struct krn_formula),
	    .err = err,
	};
	size_t tokens = 0;
	enum krn_err e;

	if (!parse.formula)
		return krn_arena_fail(arena, err);
	if (text.len > KRN_FORMULA_BYTES_MAX)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "a formula has at most %d bytes",
				  KRN_FORMULA_BYTES_MAX);
	do {
		if ((e = formula_next(&parse)))
			return e;
		tokens++;
	} while (parse.token != TOKEN_END);
	/* && and || take the most: four */
	parse.formula->steps =
	    krn_arena_calloc(arena, 4 * tokens, sizeof(*parse.formula->steps));
	if (!parse.formula->steps)
		return krn_arena_fail(arena, err);
	parse.at = 0;
	if ((e = formula_next(&parse)) || (e = formula_choice(&parse)))
		return e;
	if (parse.token != TOKEN_END)
		return formula_refuse(&parse, "an operator must follow");
	*ret = parse.formula;
	return KRN_OK;
}
