/*
 * Values: look-up and comparison.
 */

#include "base/base.h"

#include "base/value.h"

const char *
krn_value_type_name(enum krn_value_type type)
{
	static const char *const names[] = {
	    [KRN_VALUE_NULL] = "null",       [KRN_VALUE_BOOL] = "boolean",
	    [KRN_VALUE_INT] = "integer",     [KRN_VALUE_DOUBLE] = "number",
	    [KRN_VALUE_STRING] = "string",   [KRN_VALUE_ARRAY] = "array",
	    [KRN_VALUE_OBJECT] = "object",
	};

	KRN_BUG_IF((size_t)type >= KRN_NR(names));
	return names[type];
}

const struct krn_value *
krn_value_find_str(const struct krn_value *value, struct krn_str name)
{
	if (!value || value->type != KRN_VALUE_OBJECT)
		return NULL;
	for (size_t i = 0; i < value->object.nr; i++)
		if (krn_str_eq(value->object.members[i].name, name))
			return &value->object.members[i].value;
	return NULL;
}

const struct krn_value *
krn_value_find(const struct krn_value *value, const char *name)
{
	return krn_value_find_str(value, krn_str_c(name));
}

const char *
krn_value_place(const struct krn_value *value,
		char buffer[KRN_VALUE_PLACE_BYTES])
{
	buffer[0] = '\0';
	if (value && value->line)
		snprintf(buffer, KRN_VALUE_PLACE_BYTES,
			 "line %u, column %u: ", (unsigned)value->line,
			 (unsigned)value->column);
	return buffer;
}

bool
krn_value_number(const struct krn_value *value, double *ret)
{
	if (value && value->type == KRN_VALUE_INT)
		*ret = (double)value->integer;
	else if (value && value->type == KRN_VALUE_DOUBLE)
		*ret = value->number;
	else
		return false;
	return true;
}

static bool
value_is_number(const struct krn_value *value)
{
	return value->type == KRN_VALUE_INT || value->type == KRN_VALUE_DOUBLE;
}

static bool
value_array_eq(const struct krn_value *a, const struct krn_value *b)
{
	if (a->array.nr != b->array.nr)
		return false;
	for (size_t i = 0; i < a->array.nr; i++)
		if (!krn_value_eq(&a->array.items[i], &b->array.items[i]))
			return false;
	return true;
}

static bool
value_object_eq(const struct krn_value *a, const struct krn_value *b)
{
	if (a->object.nr != b->object.nr)
		return false;
	for (size_t i = 0; i < a->object.nr; i++) {
		const struct krn_member *member = &a->object.members[i];
		/* mostly in the same order: look there first */
		const struct krn_member *same = &b->object.members[i];
		const struct krn_value *other =
		    krn_str_eq(member->name, same->name)
			? &same->value
			: krn_value_find_str(b, member->name);

		if (!other || !krn_value_eq(&member->value, other))
			return false;
	}
	return true;
}

bool
krn_value_eq(const struct krn_value *a, const struct krn_value *b)
{
	double x, y;

	if (value_is_number(a) && value_is_number(b)) {
		if (a->type == KRN_VALUE_INT && b->type == KRN_VALUE_INT)
			return a->integer == b->integer;
		return krn_value_number(a, &x) && krn_value_number(b, &y) &&
		       x == y;
	}
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case KRN_VALUE_BOOL:
		return a->boolean == b->boolean;
	case KRN_VALUE_STRING:
		return krn_str_eq(a->string, b->string);
	case KRN_VALUE_ARRAY:
		return value_array_eq(a, b);
	case KRN_VALUE_OBJECT:
		return value_object_eq(a, b);
	case KRN_VALUE_NULL:
	case KRN_VALUE_INT:
	case KRN_VALUE_DOUBLE:
		break;
	}
	return true;
}
