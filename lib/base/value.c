/*
 * Values: look-up and comparison.
 */

#include "base/base.h"

#include "base/value.h"

#include <stdlib.h>

const char *
krn_value_type_name(enum krn_value_type type)
{
	static const char *const names[] = {
	    [KRN_VALUE_NULL] = "null",     [KRN_VALUE_BOOL] = "boolean",
	    [KRN_VALUE_INT] = "integer",   [KRN_VALUE_DOUBLE] = "number",
	    [KRN_VALUE_STRING] = "string", [KRN_VALUE_ARRAY] = "array",
	    [KRN_VALUE_OBJECT] = "object",
	};

	KRN_BUG_IF((size_t)type >= KRN_NR(names));
	return names[type];
}

static const struct krn_member *
value_member_find(const struct krn_value *object, struct krn_str name)
{
	for (size_t i = 0; i < object->object.nr; i++)
		if (krn_str_eq(object->object.members[i].name, name))
			return &object->object.members[i];
	return NULL;
}

const struct krn_value *
krn_value_find_str(const struct krn_value *value, struct krn_str name)
{
	const struct krn_member *member =
	    value && value->type == KRN_VALUE_OBJECT
		? value_member_find(value, name)
		: NULL;

	return member ? &member->value : NULL;
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

/* The order in which PostgreSQL keeps the members of a jsonb. */
static int
value_member_order(const void *a, const void *b)
{
	const struct krn_member *x = a, *y = b;

	if (x->name.len != y->name.len)
		return x->name.len < y->name.len ? -1 : 1;
	return memcmp(x->name.s, y->name.s, x->name.len);
}

static bool
value_is_sorted(const struct krn_value *object)
{
	for (size_t i = 1; i < object->object.nr; i++)
		if (value_member_order(&object->object.members[i - 1],
				       &object->object.members[i]) >= 0)
			return false;
	return true;
}

static bool
value_object_eq(const struct krn_value *a, const struct krn_value *b)
{
	if (a->object.nr != b->object.nr)
		return false;
	/* one side of a comparison is mostly the database's */
	if (!value_is_sorted(b) && value_is_sorted(a)) {
		const struct krn_value *swap = a;

		a = b;
		b = swap;
	}
	const bool sorted = value_is_sorted(b);

	for (size_t i = 0; i < a->object.nr; i++) {
		const struct krn_member *member = &a->object.members[i];
		/* mostly in the same order: look there first */
		const struct krn_member *same = &b->object.members[i];

		if (!krn_str_eq(member->name, same->name) && sorted)
			same = bsearch(member, b->object.members, b->object.nr,
				       sizeof(*same), value_member_order);
		else if (!krn_str_eq(member->name, same->name))
			same = value_member_find(b, member->name);
		if (!same || !krn_value_eq(&member->value, &same->value))
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
