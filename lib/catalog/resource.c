/*
 * Reading and checking a resource's spec by the table of kinds.
 */

#include "base/base.h"

#include "catalog/resource_private.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_in.h"

const char *
krn_field_api_name(const char *field, char buffer[KRN_FIELD_NAME_BYTES])
{
	const struct krn_str name = krn_str_c(field);

	snprintf(buffer, KRN_FIELD_NAME_BYTES, "%.200s", field);
	if (krn_str_has_suffix(name, KRN_STR("Ref")) && name.len < 200)
		memcpy(buffer + name.len - 3, "Id", sizeof("Id"));
	return buffer;
}

void
krn_resource_problem(struct krn_problems *problems,
		     const struct krn_resource *resource,
		     const struct krn_value *at, const char *field,
		     const char *format, ...)
{
	char place[KRN_FIELD_NAME_BYTES + 200], text[400];
	char line[KRN_VALUE_PLACE_BYTES] = "";
	va_list args;

	va_start(args, format);
	krn_format_v(text, sizeof(text), format, args);
	va_end(args);
	if (resource->place == KRN_PLACE_BODY) {
		krn_field_api_name(field, place);
	} else if (resource->place == KRN_PLACE_LIVE) {
		snprintf(place, sizeof(place), "%s \"%.150s\", %.200s",
			 krn_kinds[resource->kind].name, resource->name.s,
			 field);
	} else {
		snprintf(place, sizeof(place), "resources[%zu].spec%s%.200s",
			 resource->place, *field ? "." : "", field);
		krn_value_place(at, line);
	}
	krn_problem_add(problems, place, "%s%s", line, text);
}

void
resource_problem_at(struct resource_read *read, const struct krn_value *at,
		    const char *field, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	krn_format_v(text, sizeof(text), format, args);
	va_end(args);
	krn_resource_problem(read->problems, read->resource, at, field, "%s",
			     text);
}

const struct krn_value *
resource_place(const struct resource_read *read, const char *field)
{
	const struct krn_value *at = krn_value_find_str(
	    read->spec, krn_str_from(field, strcspn(field, ".[")));

	return at ? at : read->spec;
}

/* White space or a control character? Source: Unicode 15, White_Space, Cc. */
static bool
resource_is_space(uint32_t point)
{
	return point <= 0x20 || (point >= 0x7F && point <= 0xA0) ||
	       point == 0x1680 || (point >= 0x2000 && point <= 0x200A) ||
	       point == 0x2028 || point == 0x2029 || point == 0x202F ||
	       point == 0x205F || point == 0x3000;
}

bool
krn_resource_name_is(struct krn_str name, size_t max)
{
	const size_t points = krn_str_code_points(name);
	struct krn_str rest = name;
	uint32_t point = 0;

	if (points < 1 || points > max)
		return false;
	for (size_t i = 0; krn_str_next(&rest, &point); i++) {
		const bool is_control =
		    point < 0x20 || (point >= 0x7F && point < 0xA0);

		if (is_control || (i == 0 && resource_is_space(point)))
			return false;
	}
	return !resource_is_space(point);
}

/* One part of an identity: "%" and "/" would be read as ours. */
static void
resource_identity_part(struct krn_buf *buf, struct krn_str part)
{
	for (size_t i = 0; i < part.len; i++) {
		if (part.s[i] == '%' || part.s[i] == '/')
			krn_buf_printf(buf, "%%%02X", part.s[i]);
		else
			krn_buf_add_char(buf, part.s[i]);
	}
}

enum krn_err
krn_resource_identify(struct krn_arena *arena, struct krn_resource *resource,
		      struct krn_error *err)
{
	const char *within = krn_kinds[resource->kind].within;
	const struct krn_value *parent;
	struct krn_buf buf;

	resource->name = resource->title;
	if (!within)
		return KRN_OK;
	parent = krn_resource_get(resource, within);
	krn_buf_init(&buf, arena);
	if (parent->type == KRN_VALUE_STRING)
		resource_identity_part(&buf, parent->string);
	krn_buf_add_char(&buf, '/');
	resource_identity_part(&buf, resource->title);
	krn_buf_add_char(&buf, '\0');
	if (!krn_buf_end(&buf, &resource->name, err))
		resource->name.len--;
	return buf.failed ? krn_arena_fail(arena, err) : KRN_OK;
}

const struct krn_value *
krn_resource_get(const struct krn_resource *resource, const char *field)
{
	const int i =
	    krn_kind_field_find(&krn_kinds[resource->kind], krn_str_c(field));

	KRN_BUG_IF(i < 0);
	return &resource->values[i];
}

/* Longer texts belong into content. */
#define RESOURCE_TEXT_MAX ((size_t)4000)

/* lower-case letters, digits, - and _: what a key is made of */
static struct krn_str
resource_slug(struct krn_arena *arena, struct krn_str name, size_t max)
{
	char *slug = krn_arena_alloc(arena, name.len + 1);
	size_t len = 0;

	if (!slug)
		return (struct krn_str){NULL, 0};
	for (size_t i = 0; i < name.len && len < max; i++) {
		const char c = name.s[i];

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '_')
			slug[len++] = c;
		else if (c >= 'A' && c <= 'Z')
			slug[len++] = (char)(c + 32);
		else if (len && slug[len - 1] != '-')
			slug[len++] = '-';
	}
	while (len && slug[len - 1] == '-')
		len--;
	slug[len] = '\0';
	return len ? krn_str_from(slug, len) : KRN_STR("key");
}

/* The stage of a rule that names none. Source: spec, qualification rules. */
static struct krn_str
resource_stage(const struct resource_read *read)
{
	const struct krn_value *type =
	    krn_resource_get(read->resource, "ruleType");
	const bool is_soft =
	    type->type == KRN_VALUE_STRING &&
	    (krn_str_eq_c(type->string, "propensity_threshold") ||
	     krn_str_eq_c(type->string, "recency_check"));

	return is_soft ? KRN_STR("match") : KRN_STR("eligibility");
}

/*
 * The default of a field, which is JSON of the table of kinds. Nearly all are
 * words that need no parser: a bundle has hundreds of thousands of them.
 */
static enum krn_err
resource_fallback(struct krn_arena *arena, const char *json,
		  struct krn_value *ret, struct krn_error *err)
{
	const struct krn_str text = krn_str_c(json);
	int64_t number;

	if (krn_str_eq_c(text, "{}"))
		*ret = (struct krn_value){.type = KRN_VALUE_OBJECT};
	else if (krn_str_eq_c(text, "[]"))
		*ret = (struct krn_value){.type = KRN_VALUE_ARRAY};
	else if (krn_str_eq_c(text, "true") || krn_str_eq_c(text, "false"))
		*ret = krn_value_bool(text.s[0] == 't');
	else if (text.s[0] == '"' && krn_str_find_char(text, '\\') < 0)
		*ret = krn_value_str(
		    krn_str_dup(arena, krn_str_from(text.s + 1, text.len - 2)));
	else if (!krn_parse_int64(text, INT64_MIN, INT64_MAX, &number, NULL))
		*ret = krn_value_int(number);
	else
		return krn_json_parse(arena, text, KRN_JSON_DEPTH_MAX, ret,
				      err);
	return KRN_OK;
}

static enum krn_err
resource_default(struct resource_read *read, const struct krn_kind_field *field,
		 struct krn_value *ret, struct krn_error *err)
{
	if (field->fallback)
		return resource_fallback(read->arena, field->fallback, ret,
					 err);
	*ret = krn_value_null();
	if (strcmp(field->name, "key") == 0)
		*ret = krn_value_str(resource_slug(
		    read->arena, read->resource->name, (size_t)field->max));
	else if (strcmp(field->name, "stage") == 0)
		*ret = krn_value_str(resource_stage(read));
	return KRN_OK;
}

static void
resource_check_number(struct resource_read *read,
		      const struct krn_kind_field *field,
		      const struct krn_value *from, struct krn_value *ret)
{
	double number = 0;

	if (!krn_value_number(from, &number) ||
	    (field->type == KRN_TYPE_INT && from->type != KRN_VALUE_INT)) {
		resource_problem(read, field->name, "must be %s, not a %s",
				 field->type == KRN_TYPE_INT ? "an integer"
							     : "a number",
				 krn_value_type_name(from->type));
		return;
	}
	if (field->max != 0 && (number < field->min || number > field->max))
		resource_problem(read, field->name, "must be %g to %g",
				 field->min, field->max);
	*ret = field->type == KRN_TYPE_INT ? krn_value_int(from->integer)
					   : krn_value_double(number);
}

static void
resource_check_choice(struct resource_read *read,
		      const struct krn_kind_field *field, struct krn_str text)
{
	char list[300] = "";
	size_t len = 0;

	for (size_t i = 0; field->choices[i]; i++)
		if (krn_str_eq_c(text, field->choices[i]))
			return;
	for (size_t i = 0; field->choices[i] && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
					i ? ", " : "", field->choices[i]);
	resource_problem(read, field->name, "must be one of %s", list);
}

static void
resource_check_time(struct resource_read *read,
		    const struct krn_kind_field *field, struct krn_str text,
		    struct krn_value *ret)
{
	char spelled[KRN_TIME_TEXT_BYTES];
	int64_t us;

	if (krn_time_parse(text, &us, NULL)) {
		resource_problem(read, field->name,
				 "must be a time such as "
				 "2026-03-30T02:00:00.000Z");
		return;
	}
	krn_time_format(us, spelled);
	ret->string = krn_str_dup(read->arena, krn_str_c(spelled));
}

static void
resource_check_text(struct resource_read *read,
		    const struct krn_kind_field *field,
		    const struct krn_value *from, struct krn_value *ret)
{
	if (from->type != KRN_VALUE_STRING) {
		resource_problem(read, field->name,
				 "must be a string, not a %s",
				 krn_value_type_name(from->type));
		return;
	}
	*ret = krn_value_str(from->string);
	if (field->type == KRN_TYPE_CHOICE)
		resource_check_choice(read, field, from->string);
	else if (field->type == KRN_TYPE_TIME)
		resource_check_time(read, field, from->string, ret);
	else if (strcmp(field->name, "key") == 0 &&
		 (!krn_str_eq(from->string,
			      resource_slug(read->arena, from->string,
					    (size_t)field->max)) ||
		  from->string.len == 0))
		resource_problem(read, field->name,
				 "must be lower-case letters, digits, - and _, "
				 "at most %g",
				 field->max);
	else if (krn_str_code_points(from->string) >
		 (field->max != 0 ? (size_t)field->max : RESOURCE_TEXT_MAX))
		resource_problem(
		    read, field->name, "must have at most %zu characters",
		    field->max != 0 ? (size_t)field->max : RESOURCE_TEXT_MAX);
}

/* Ids in a free-form object would not survive a promotion. */
static void
resource_check_links(struct resource_read *read, const char *field,
		     const struct krn_value *value)
{
	if (value->type == KRN_VALUE_ARRAY)
		for (size_t i = 0; i < value->array.nr; i++)
			resource_check_links(read, field,
					     &value->array.items[i]);
	if (value->type != KRN_VALUE_OBJECT)
		return;
	for (size_t i = 0; i < value->object.nr; i++) {
		const struct krn_member *member = &value->object.members[i];
		const struct krn_kind_link *link =
		    krn_kind_link_find(member->name, false);

		if (link)
			resource_problem_at(read, &member->value, field,
					    "%s is written as %s, by name",
					    link->id, link->ref);
		resource_check_links(read, field, &member->value);
	}
}

static void
resource_check_value(struct resource_read *read,
		     const struct krn_kind_field *field,
		     const struct krn_value *from, struct krn_value *ret)
{
	enum krn_value_type wanted = KRN_VALUE_BOOL;

	*ret = krn_value_null();
	if (from->type == KRN_VALUE_NULL) {
		if (!field->nullable)
			resource_problem(read, field->name, "must not be null");
		return;
	}
	switch (field->type) {
	case KRN_TYPE_INT:
	case KRN_TYPE_DOUBLE:
		resource_check_number(read, field, from, ret);
		return;
	case KRN_TYPE_STRING:
	case KRN_TYPE_CHOICE:
	case KRN_TYPE_TIME:
	case KRN_TYPE_REFERENCE:
	case KRN_TYPE_SCOPE:
		resource_check_text(read, field, from, ret);
		return;
	case KRN_TYPE_BOOL:
		break;
	case KRN_TYPE_ARRAY:
		wanted = KRN_VALUE_ARRAY;
		break;
	case KRN_TYPE_OBJECT:
		wanted = KRN_VALUE_OBJECT;
		break;
	}
	if (from->type != wanted)
		resource_problem(read, field->name, "must be a %s, not a %s",
				 krn_value_type_name(wanted),
				 krn_value_type_name(from->type));
	else
		*ret = *from;
	if (from->type == KRN_VALUE_ARRAY && field->max != 0 &&
	    from->array.nr > (size_t)field->max)
		resource_problem(read, field->name,
				 "must have at most %g items", field->max);
	if (from->type == wanted && wanted != KRN_VALUE_BOOL)
		resource_check_links(read, field->name, from);
}

/* Fields that the kind does not have. */
static void
resource_check_unknown(struct resource_read *read, const struct krn_value *spec)
{
	for (size_t i = 0; i < spec->object.nr; i++) {
		const struct krn_str name = spec->object.members[i].name;
		const char *nearest = NULL;
		size_t best = 4;

		if (krn_kind_field_find(read->kind, name) >= 0)
			continue;
		for (size_t k = 0; k < read->kind->fields_nr; k++) {
			const size_t distance = krn_str_distance(
			    name, krn_str_c(read->kind->fields[k].name));

			if (distance < best) {
				best = distance;
				nearest = read->kind->fields[k].name;
			}
		}
		if (nearest)
			resource_problem_at(
			    read, &spec->object.members[i].value, name.s,
			    "unknown field; did you mean \"%s\"?", nearest);
		else
			resource_problem_at(read,
					    &spec->object.members[i].value,
					    name.s, "unknown field");
	}
}

enum krn_err
krn_resource_read(struct krn_arena *arena, enum krn_kind_id kind,
		  struct krn_str name, const struct krn_value *spec,
		  size_t place, struct krn_problems *problems,
		  struct krn_resource *ret, struct krn_error *err)
{
	struct resource_read read = {arena, &krn_kinds[kind], ret, spec,
				     problems};
	enum krn_err e;

	*ret = (struct krn_resource){
	    .kind = kind, .name = name, .title = name, .place = place};
	ret->values =
	    krn_arena_calloc(arena, read.kind->fields_nr, sizeof(*ret->values));
	if (!ret->values)
		return krn_arena_fail(arena, err);
	resource_check_unknown(&read, spec);
	for (size_t i = 0; i < read.kind->fields_nr; i++) {
		const struct krn_kind_field *field = &read.kind->fields[i];
		const struct krn_value *from =
		    krn_value_find(spec, field->name);

		if (from)
			resource_check_value(&read, field, from,
					     &ret->values[i]);
		else if (field->required)
			resource_problem(&read, field->name, "is required");
		else if ((e = resource_default(&read, field, &ret->values[i],
					       err)))
			return e;
	}
	resource_check_rules(&read);
	return krn_resource_identify(arena, ret, err);
}
