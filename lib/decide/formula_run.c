/* Evaluating formulas: a stack of values, no memory but the room given. */

#include "base/base.h"

#include "decide/formula.h"

#include <math.h>

#include "decide/formula_private.h"

static const struct krn_formula_value formula_null = {
    KRN_FORMULA_NULL, 0, {NULL, 0}};

/* What is not finite is null. */
static struct krn_formula_value
formula_of(double number)
{
	return isfinite(number) ? (struct krn_formula_value){KRN_FORMULA_NUMBER,
							     number,
							     {NULL, 0}}
				: formula_null;
}

static struct krn_formula_value
formula_of_text(struct krn_str text)
{
	return (struct krn_formula_value){KRN_FORMULA_TEXT, 0, text};
}

static bool
formula_is_true(struct krn_formula_value value)
{
	return value.type == KRN_FORMULA_TEXT ? value.text.len > 0
					      : value.number != 0;
}

/* Room for `len` bytes more, or NULL. */
static char *
formula_room(struct krn_formula_run *run, size_t len)
{
	char *room = run->room + run->room_used;

	if (len > run->room_size - run->room_used) {
		run->is_full = true;
		return NULL;
	}
	run->room_used += len;
	return room;
}

struct krn_formula_value
krn_formula_as(struct krn_formula_value value, enum krn_formula_type type,
	       struct krn_formula_run *run)
{
	char text[KRN_DOUBLE_TEXT_BYTES];
	double number;
	char *room;

	if (value.type == type || value.type == KRN_FORMULA_NULL)
		return value;
	if (type == KRN_FORMULA_NUMBER) {
		if (krn_parse_double(value.text, &number, NULL) == KRN_OK)
			return formula_of(number);
		run->failures++;
		return formula_null;
	}
	const size_t len = krn_format_double(value.number, text);

	if (!(room = formula_room(run, len)))
		return formula_null;
	memcpy(room, text, len);
	return formula_of_text(krn_str_from(room, len));
}

/* All of them as texts, one behind the other. */
static struct krn_formula_value
formula_concat(const struct krn_formula_value *values, uint32_t nr,
	       struct krn_formula_run *run)
{
	struct krn_str parts[KRN_FORMULA_ARGUMENTS_MAX];
	size_t len = 0, at = 0;
	char *room;

	for (uint32_t i = 0; i < nr; i++) {
		parts[i] =
		    krn_formula_as(values[i], KRN_FORMULA_TEXT, run).text;
		len += parts[i].len; /* each is below SIZE_MAX / 16 */
	}
	if (!(room = formula_room(run, len)))
		return formula_null;
	for (uint32_t i = 0; i < nr; i++) {
		if (parts[i].len)
			memcpy(room + at, parts[i].s, parts[i].len);
		at += parts[i].len;
	}
	return formula_of_text(krn_str_from(room, len));
}

/* a before b, equal, after: -1, 0, 1; 2: in no order. */
static int
formula_order(struct krn_formula_value a, struct krn_formula_value b,
	      struct krn_formula_run *run)
{
	if (a.type == KRN_FORMULA_TEXT && b.type == KRN_FORMULA_TEXT) {
		const int order = krn_str_cmp(a.text, b.text);

		return (order > 0) - (order < 0);
	}
	if (a.type == KRN_FORMULA_NULL || b.type == KRN_FORMULA_NULL)
		return a.type == b.type ? 0 : 2;
	a = krn_formula_as(a, KRN_FORMULA_NUMBER, run);
	b = krn_formula_as(b, KRN_FORMULA_NUMBER, run);
	return a.type != b.type ? 2
				: (a.number > b.number) - (a.number < b.number);
}

static struct krn_formula_value
formula_compare(enum formula_op op, struct krn_formula_value a,
		struct krn_formula_value b, struct krn_formula_run *run)
{
	const int order = formula_order(a, b, run);
	const bool has_order = order != 2 && a.type != KRN_FORMULA_NULL;
	bool holds = false;

	switch (op) {
	case FORMULA_EQUAL:
		holds = order == 0;
		break;
	case FORMULA_NOT_EQUAL:
		holds = order != 0;
		break;
	case FORMULA_LESS:
		holds = has_order && order < 0;
		break;
	case FORMULA_LESS_EQUAL:
		holds = has_order && order <= 0;
		break;
	case FORMULA_GREATER:
		holds = has_order && order > 0;
		break;
	default:
		holds = has_order && order >= 0;
		break;
	}
	return formula_of(holds);
}

static struct krn_formula_value
formula_arithmetic(enum formula_op op, struct krn_formula_value a,
		   struct krn_formula_value b, struct krn_formula_run *run)
{
	if (op == FORMULA_ADD && a.type == KRN_FORMULA_TEXT &&
	    b.type == KRN_FORMULA_TEXT)
		return formula_concat((struct krn_formula_value[]){a, b}, 2,
				      run);
	a = krn_formula_as(a, KRN_FORMULA_NUMBER, run);
	b = krn_formula_as(b, KRN_FORMULA_NUMBER, run);
	if (a.type == KRN_FORMULA_NULL || b.type == KRN_FORMULA_NULL)
		return formula_null;
	switch (op) {
	case FORMULA_ADD:
		return formula_of(a.number + b.number);
	case FORMULA_SUBTRACT:
		return formula_of(a.number - b.number);
	case FORMULA_MULTIPLY:
		return formula_of(a.number * b.number);
	case FORMULA_DIVIDE:
		return b.number == 0 ? formula_null
				     : formula_of(a.number / b.number);
	default:
		return b.number == 0 ? formula_null
				     : formula_of(fmod(a.number, b.number));
	}
}

/* min and max, and functions of one number. */
static struct krn_formula_value
formula_function(enum formula_op op, const struct krn_formula_value *values,
		 uint32_t nr, struct krn_formula_run *run)
{
	struct krn_formula_value result =
	    krn_formula_as(values[0], KRN_FORMULA_NUMBER, run);

	for (uint32_t i = 1; i < nr; i++) {
		const struct krn_formula_value it =
		    krn_formula_as(values[i], KRN_FORMULA_NUMBER, run);

		if (it.type == KRN_FORMULA_NULL)
			result = formula_null;
		else if (result.type != KRN_FORMULA_NULL &&
			 (op == FORMULA_MIN ? it.number < result.number
					    : it.number > result.number))
			result = it;
	}
	if (result.type == KRN_FORMULA_NULL)
		return formula_null;
	if (op == FORMULA_ABS)
		result.number = fabs(result.number);
	else if (op == FORMULA_FLOOR)
		result.number = floor(result.number);
	else if (op == FORMULA_CEIL)
		result.number = ceil(result.number);
	return result;
}

/* To so many digits behind the point; half goes away from zero. */
static struct krn_formula_value
formula_round(const struct krn_formula_value *values, uint32_t nr,
	      struct krn_formula_run *run)
{
	const struct krn_formula_value value =
	    krn_formula_as(values[0], KRN_FORMULA_NUMBER, run);
	const struct krn_formula_value digits =
	    nr > 1 ? krn_formula_as(values[1], KRN_FORMULA_NUMBER, run)
		   : formula_of(0);

	if (value.type == KRN_FORMULA_NULL || digits.type == KRN_FORMULA_NULL ||
	    digits.number < 0 || digits.number > 15)
		return formula_null;
	const double scale = pow(10, floor(digits.number));
	const double scaled = value.number * scale;

	/* one so large has no digits to round */
	return fabs(scaled) < 0x1p52 ? formula_of(round(scaled) / scale)
				     : value;
}

static struct krn_formula_value
formula_call_run(const struct formula_step *step,
		 const struct krn_formula_value *values,
		 struct krn_formula_run *run)
{
	if (step->op == FORMULA_CONCAT)
		return formula_concat(values, step->number, run);
	if (step->op == FORMULA_ROUND)
		return formula_round(values, step->number, run);
	return formula_function(step->op, values, step->number, run);
}

/* A result in the room moves to where the evaluation began. */
static struct krn_formula_value
formula_keep(struct krn_formula_value value, size_t began,
	     struct krn_formula_run *run)
{
	const char *room = run->room + began;

	if (run->is_full)
		value = formula_null;
	if (value.type == KRN_FORMULA_TEXT && value.text.len &&
	    value.text.s >= room && value.text.s < run->room + run->room_used) {
		memmove(run->room + began, value.text.s, value.text.len);
		value.text.s = room;
		run->room_used = began + value.text.len;
	} else {
		run->room_used = began;
	}
	return value;
}

struct krn_formula_value
krn_formula_eval(const struct krn_formula *formula, struct krn_formula_run *run)
{
	struct krn_formula_value stack[FORMULA_STACK_MAX];
	const size_t began = run->room_used;
	size_t top = 0; /* free */

	for (size_t i = 0; i < formula->nr; i++) {
		const struct formula_step *step = &formula->steps[i];

		switch (step->op) {
		case FORMULA_CONSTANT:
			stack[top++] = step->constant;
			break;
		case FORMULA_LOAD:
			stack[top++] = run->load(run->data, step->number);
			break;
		case FORMULA_JUMP:
			i = step->number - 1;
			break;
		case FORMULA_JUMP_FALSE:
			if (!formula_is_true(stack[--top]))
				i = step->number - 1;
			break;
		case FORMULA_JUMP_VALUE:
			if (stack[top - 1].type == KRN_FORMULA_NULL)
				top--;
			else
				i = step->number - 1;
			break;
		case FORMULA_TRUTH:
		case FORMULA_NOT:
			stack[top - 1] =
			    formula_of(formula_is_true(stack[top - 1]) ==
				       (step->op == FORMULA_TRUTH));
			break;
		case FORMULA_NEGATE:
			stack[top - 1] =
			    formula_arithmetic(FORMULA_SUBTRACT, formula_of(0),
					       stack[top - 1], run);
			break;
		case FORMULA_ADD:
		case FORMULA_SUBTRACT:
		case FORMULA_MULTIPLY:
		case FORMULA_DIVIDE:
		case FORMULA_REMAINDER:
			top--;
			stack[top - 1] = formula_arithmetic(
			    step->op, stack[top - 1], stack[top], run);
			break;
		case FORMULA_EQUAL:
		case FORMULA_NOT_EQUAL:
		case FORMULA_LESS:
		case FORMULA_LESS_EQUAL:
		case FORMULA_GREATER:
		case FORMULA_GREATER_EQUAL:
			top--;
			stack[top - 1] = formula_compare(
			    step->op, stack[top - 1], stack[top], run);
			break;
		case FORMULA_MIN:
		case FORMULA_MAX:
		case FORMULA_ROUND:
		case FORMULA_ABS:
		case FORMULA_FLOOR:
		case FORMULA_CEIL:
		case FORMULA_CONCAT:
			top -= step->number;
			stack[top] = formula_call_run(step, stack + top, run);
			top++;
			break;
		}
	}
	return formula_keep(stack[0], began, run);
}
