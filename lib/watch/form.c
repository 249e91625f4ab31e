/*
 * Forms.
 */

#include "base/base.h"

#include "watch/form.h"

#include "base/json_in.h"

bool
krn_form_choice_is(const char *const *choices, struct krn_str text)
{
	for (size_t i = 0; choices[i]; i++)
		if (krn_str_eq_c(text, choices[i]))
			return true;
	return false;
}

struct krn_str
krn_form_text(const struct krn_value *object, const char *name)
{
	const struct krn_value *value = krn_value_find(object, name);

	return value && value->type == KRN_VALUE_STRING ? value->string
							: KRN_STR("");
}

/* "must be one of a, b, c" */
static void
form_choices(struct krn_problems *problems, const char *name,
	     const char *const *choices)
{
	struct krn_buf list;

	krn_buf_init(&list, problems->arena);
	for (size_t i = 0; choices[i]; i++)
		krn_buf_printf(&list, "%s%s", i ? ", " : "", choices[i]);
	krn_problem_add(problems, name, "must be one of %.*s", (int)list.len,
			list.data ? list.data : "");
}

static void
form_text(const struct krn_form_field *field, const struct krn_value *value,
	  struct krn_problems *problems)
{
	const bool is_text = value->type == KRN_VALUE_STRING;
	const int64_t points =
	    is_text ? (int64_t)krn_str_code_points(value->string) : -1;

	if (field->type == KRN_FORM_CHOICE) {
		if (!is_text ||
		    !krn_form_choice_is(field->choices, value->string))
			form_choices(problems, field->name, field->choices);
	} else if (points < field->min || points > field->max) {
		krn_problem_add(problems, field->name,
				"must be a text of %lld to %lld characters",
				(long long)field->min, (long long)field->max);
	}
}

static void
form_texts(const struct krn_form_field *field, const struct krn_value *value,
	   struct krn_problems *problems)
{
	if (value->type != KRN_VALUE_ARRAY ||
	    (int64_t)value->array.nr < field->min ||
	    (int64_t)value->array.nr > field->max) {
		krn_problem_add(problems, field->name,
				"must be a list of %lld to %lld texts",
				(long long)field->min, (long long)field->max);
		return;
	}
	for (size_t i = 0; i < value->array.nr; i++) {
		const struct krn_value *item = &value->array.items[i];
		char name[64];

		snprintf(name, sizeof(name), "%s[%zu]", field->name, i);
		if (item->type != KRN_VALUE_STRING)
			krn_problem_add(problems, name, "must be a text");
		else if (field->choices &&
			 !krn_form_choice_is(field->choices, item->string))
			form_choices(problems, name, field->choices);
		for (size_t k = 0; k < i; k++)
			if (krn_value_eq(item, &value->array.items[k])) {
				krn_problem_add(problems, name, "comes twice");
				break;
			}
	}
}

static void
form_judge(const struct krn_form_field *field, const struct krn_value *value,
	   struct krn_problems *problems)
{
	double number;

	switch (field->type) {
	case KRN_FORM_TEXT:
	case KRN_FORM_CHOICE:
		form_text(field, value, problems);
		break;
	case KRN_FORM_INT:
		if (value->type != KRN_VALUE_INT ||
		    value->integer < field->min || value->integer > field->max)
			krn_problem_add(
			    problems, field->name,
			    "must be a whole number from %lld to %lld",
			    (long long)field->min, (long long)field->max);
		break;
	case KRN_FORM_NUMBER:
		if (!krn_value_number(value, &number))
			krn_problem_add(problems, field->name,
					"must be a number");
		break;
	case KRN_FORM_BOOL:
		if (value->type != KRN_VALUE_BOOL)
			krn_problem_add(problems, field->name,
					"must be true or false");
		break;
	case KRN_FORM_TEXTS:
		form_texts(field, value, problems);
		break;
	case KRN_FORM_VALUE:
		break;
	}
	if (field->judge)
		field->judge(problems, field->name, value);
}

/* The value of a field, from wherever it comes; null when it is missing. */
static enum krn_err
form_value(struct krn_arena *arena, const struct krn_form_field *field,
	   const struct krn_value *given, const struct krn_value *stored,
	   struct krn_value *ret, struct krn_error *err)
{
	const struct krn_value *old = krn_value_find(stored, field->name);

	*ret = krn_value_null();
	if (given && given->type != KRN_VALUE_NULL)
		*ret = *given;
	else if (!given && old)
		*ret = *old;
	else if (field->fallback)
		return krn_json_parse(arena, krn_str_c(field->fallback),
				      KRN_JSON_DEPTH_MAX, ret, err);
	return KRN_OK;
}

enum krn_err
krn_form_fill(struct krn_arena *arena, const struct krn_form_field *fields,
	      size_t nr, const struct krn_form_values *values,
	      const struct krn_value *stored, struct krn_problems *problems,
	      struct krn_value *ret, struct krn_error *err)
{
	struct krn_member *members =
	    krn_arena_calloc(arena, nr, sizeof(*members));
	enum krn_err e;

	if (!members)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < nr; i++) {
		members[i].name = krn_str_c(fields[i].name);
		if ((e = form_value(arena, &fields[i], values->given[i], stored,
				    &members[i].value, err)))
			return e;
		if (members[i].value.type != KRN_VALUE_NULL)
			form_judge(&fields[i], &members[i].value, problems);
		else if (fields[i].required)
			krn_problem_add(problems, fields[i].name,
					"is required");
	}
	*ret = (struct krn_value){.type = KRN_VALUE_OBJECT,
				  .object = {members, nr}};
	return KRN_OK;
}

enum krn_err
krn_form_json(struct krn_arena *arena, const struct krn_value *value,
	      struct krn_str *ret, struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_value(&out, NULL, value);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}
