/*
 * Fields: query and body to typed values.
 */

#include "base/base.h"

#include "fcgi/fields.h"

#include "base/json_in.h"

struct fields_parse {
	struct krn_request *request;
	const struct krn_route *route;
	char *into; /* the route's struct */
	struct krn_problems *problems;
};

static int
fields_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* application/x-www-form-urlencoded; .s NULL: ill-formed or no memory. */
static struct krn_str
fields_decode(struct krn_arena *arena, struct krn_str text)
{
	char *to = krn_arena_alloc(arena, text.len + 1);
	size_t len = 0;

	if (!to)
		return (struct krn_str){NULL, 0};
	for (size_t i = 0; i < text.len; i++) {
		if (text.s[i] != '%') {
			to[len++] = text.s[i] == '+' ? ' ' : text.s[i];
			continue;
		}
		const int high = i + 1 < text.len ? fields_hex(text.s[i + 1]) : -1;
		const int low = i + 2 < text.len ? fields_hex(text.s[i + 2]) : -1;

		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return (struct krn_str){NULL, 0};
		to[len++] = (char)(high * 16 + low);
		i += 2;
	}
	to[len] = '\0';
	if (!krn_str_is_utf8(krn_str_from(to, len)))
		return (struct krn_str){NULL, 0};
	return krn_str_from(to, len);
}

enum krn_err
krn_fields_strings(struct krn_request *request, const struct krn_value *value,
		   const char *name, const struct krn_str **ret,
		   size_t *ret_nr, struct krn_error *err)
{
	const size_t nr =
	    value->type == KRN_VALUE_ARRAY ? value->array.nr : 0;
	struct krn_str *strings =
	    krn_arena_calloc(request->arena, nr + 1, sizeof(*strings));
	bool is_good = value->type == KRN_VALUE_ARRAY;

	if (!strings)
		return krn_arena_fail(request->arena, err);
	for (size_t i = 0; i < nr && is_good; i++) {
		is_good = value->array.items[i].type == KRN_VALUE_STRING;
		if (is_good)
			strings[i] = value->array.items[i].string;
	}
	if (!is_good)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "%s must be an array of strings", name);
	*ret = strings;
	*ret_nr = nr;
	return KRN_OK;
}

struct krn_str
krn_query_find(struct krn_arena *arena, struct krn_str query, const char *name)
{
	struct krn_str pair;

	while (krn_str_split(&query, '&', &pair)) {
		const ptrdiff_t at = krn_str_find_char(pair, '=');
		const size_t len = at < 0 ? pair.len : (size_t)at;
		const struct krn_str found =
		    fields_decode(arena, krn_str_from(pair.s, len));

		if (found.s && krn_str_eq_c(found, name))
			return fields_decode(
			    arena, at < 0 ? KRN_STR("")
					  : krn_str_from(pair.s + at + 1,
							 pair.len - len - 1));
	}
	return (struct krn_str){NULL, 0};
}

/* The declared field of that name, or NULL and the index of the nearest. */
static const struct krn_field *
fields_find(const struct krn_route *route, enum krn_field_in in,
	    struct krn_str name, const struct krn_field **ret_nearest)
{
	size_t best = 4; /* farther names are no help */

	*ret_nearest = NULL;
	for (size_t i = 0; i < route->fields_nr; i++) {
		const struct krn_field *field = &route->fields[i];
		const size_t distance =
		    krn_str_distance(name, krn_str_c(field->name));

		if (field->in != in)
			continue;
		if (krn_str_eq_c(name, field->name))
			return field;
		if (distance < best) {
			best = distance;
			*ret_nearest = field;
		}
	}
	return NULL;
}

static void
fields_unknown(struct fields_parse *parse, struct krn_str name,
	       const struct krn_field *nearest)
{
	const char *field = krn_str_cstr(parse->request->arena, name);

	krn_problem_add(parse->problems, field ? field : "?",
			nearest ? "unknown field; did you mean \"%s\"?"
				: "unknown field",
			nearest ? nearest->name : "");
}

static void
fields_set_string(struct fields_parse *parse, const struct krn_field *field,
		  struct krn_str text)
{
	const int64_t points = (int64_t)krn_str_code_points(text);

	if (points < field->min || (field->max && points > field->max)) {
		krn_problem_add(parse->problems, field->name,
				"must have %lld to %lld characters",
				(long long)field->min, (long long)field->max);
		return;
	}
	if (field->choices) {
		size_t i = 0;

		while (field->choices[i] && !krn_str_eq_c(text, field->choices[i]))
			i++;
		if (!field->choices[i]) {
			struct krn_buf list;

			krn_buf_init(&list, parse->request->arena);
			for (i = 0; field->choices[i]; i++)
				krn_buf_printf(&list, "%s%s", i ? ", " : "",
					       field->choices[i]);
			krn_problem_add(parse->problems, field->name,
					"must be one of %.*s", (int)list.len,
					list.data ? list.data : "");
			return;
		}
	}
	memcpy(parse->into + field->offset, &text, sizeof(text));
}

static void
fields_set_int(struct fields_parse *parse, const struct krn_field *field,
	       bool is_integer, int64_t value)
{
	if (!is_integer || value < field->min || value > field->max)
		krn_problem_add(parse->problems, field->name,
				"must be a whole number from %lld to %lld",
				(long long)field->min, (long long)field->max);
	else
		memcpy(parse->into + field->offset, &value, sizeof(value));
}

static void
fields_mark(struct fields_parse *parse, const struct krn_field *field,
	    bool is_null)
{
	struct krn_fields *head = (struct krn_fields *)(void *)parse->into;
	const uint64_t bit = UINT64_C(1)
			     << (size_t)(field - parse->route->fields);

	head->present |= bit;
	if (is_null)
		head->nulls |= bit;
}

static bool
fields_is_present(const struct fields_parse *parse,
		  const struct krn_field *field)
{
	const struct krn_fields *head =
	    (const struct krn_fields *)(const void *)parse->into;

	return head->present >> (size_t)(field - parse->route->fields) & 1;
}

static void
fields_query_one(struct fields_parse *parse, struct krn_str pair)
{
	struct krn_arena *arena = parse->request->arena;
	const ptrdiff_t at = krn_str_find_char(pair, '=');
	const size_t len = at < 0 ? pair.len : (size_t)at;
	const struct krn_field *nearest;
	struct krn_str name = fields_decode(arena, krn_str_from(pair.s, len));
	struct krn_str value = fields_decode(
	    arena, at < 0 ? KRN_STR("")
			  : krn_str_from(pair.s + at + 1, pair.len - len - 1));
	int64_t integer = 0;
	bool is_integer;

	if (!name.s || !value.s) {
		krn_problem_add(parse->problems, "query",
				"must be percent-encoded UTF-8 without NUL");
		return;
	}
	const struct krn_field *field =
	    fields_find(parse->route, KRN_IN_QUERY, name, &nearest);

	if (!field) {
		if (!parse->route->any_query)
			fields_unknown(parse, name, nearest);
		return;
	}
	if (fields_is_present(parse, field)) {
		krn_problem_add(parse->problems, field->name,
				"may be given once only");
		return;
	}
	fields_mark(parse, field, false);
	switch (field->type) {
	case KRN_FIELD_STRING:
		fields_set_string(parse, field, value);
		break;
	case KRN_FIELD_INT:
		is_integer = krn_parse_int64(value, INT64_MIN, INT64_MAX,
					     &integer, NULL) == KRN_OK;
		fields_set_int(parse, field, is_integer, integer);
		break;
	case KRN_FIELD_BOOL:
		/* only the literal true; anything else is false */
		*(bool *)(void *)(parse->into + field->offset) =
		    krn_str_eq_c(value, "true");
		break;
	case KRN_FIELD_VALUE:
		KRN_BUG_IF(true); /* a JSON value in a query */
	}
}

static void
fields_wrong_type(struct fields_parse *parse, const struct krn_field *field,
		  enum krn_value_type wanted, const struct krn_value *value)
{
	krn_problem_add(parse->problems, field->name, "must be a %s, not a %s",
			krn_value_type_name(wanted),
			krn_value_type_name(value->type));
}

static void
fields_body_one(struct fields_parse *parse, const struct krn_member *member)
{
	const struct krn_value *value = &member->value;
	const struct krn_field *nearest;
	const struct krn_field *field =
	    fields_find(parse->route, KRN_IN_BODY, member->name, &nearest);

	if (!field) {
		fields_unknown(parse, member->name, nearest);
		return;
	}
	const bool is_null = value->type == KRN_VALUE_NULL;

	if (is_null && field->type != KRN_FIELD_VALUE) {
		if (!field->nullable)
			krn_problem_add(parse->problems, field->name,
					"must not be null");
		fields_mark(parse, field, true);
		return;
	}
	fields_mark(parse, field, is_null);
	switch (field->type) {
	case KRN_FIELD_STRING:
		if (value->type == KRN_VALUE_STRING)
			fields_set_string(parse, field, value->string);
		else
			fields_wrong_type(parse, field, KRN_VALUE_STRING, value);
		break;
	case KRN_FIELD_INT:
		fields_set_int(parse, field, value->type == KRN_VALUE_INT,
			       value->integer);
		break;
	case KRN_FIELD_BOOL:
		if (value->type == KRN_VALUE_BOOL)
			*(bool *)(void *)(parse->into + field->offset) =
			    value->boolean;
		else
			fields_wrong_type(parse, field, KRN_VALUE_BOOL, value);
		break;
	case KRN_FIELD_VALUE:
		memcpy(parse->into + field->offset, &value, sizeof(value));
		break;
	}
}

static enum krn_err
fields_body(struct fields_parse *parse, struct krn_error *err)
{
	struct krn_request *request = parse->request;
	struct krn_value *body = krn_arena_make(request->arena, struct krn_value);
	enum krn_err e;

	if (!body)
		return krn_arena_fail(request->arena, err);
	if (request->body.len == 0 &&
	    parse->route->body == KRN_BODY_OPTIONAL_JSON)
		return KRN_OK;
	if ((e = krn_json_parse(request->arena, request->body,
				KRN_JSON_DEPTH_MAX, body, err)))
		return e;
	if (body->type != KRN_VALUE_OBJECT)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the body must be a JSON object");
	for (size_t i = 0; i < parse->route->fields_nr; i++)
		if (parse->route->fields[i].in == KRN_IN_WHOLE) {
			memcpy(parse->into + parse->route->fields[i].offset,
			       &body, sizeof(body));
			return KRN_OK;
		}
	for (size_t i = 0; i < body->object.nr; i++)
		fields_body_one(parse, &body->object.members[i]);
	return KRN_OK;
}

/* Defaults before, what is missing afterwards. */
static void
fields_defaults(struct fields_parse *parse)
{
	for (size_t i = 0; i < parse->route->fields_nr; i++) {
		const struct krn_field *field = &parse->route->fields[i];

		if (field->type == KRN_FIELD_INT)
			memcpy(parse->into + field->offset, &field->fallback,
			       sizeof(field->fallback));
	}
}

static void
fields_required(struct fields_parse *parse)
{
	for (size_t i = 0; i < parse->route->fields_nr; i++) {
		const struct krn_field *field = &parse->route->fields[i];

		if (field->required && !fields_is_present(parse, field))
			krn_problem_add(parse->problems, field->name,
					"is required");
	}
}

enum krn_err
krn_fields_parse(struct krn_request *request, const void **ret_fields,
		 struct krn_error *err)
{
	const struct krn_route *route = request->route;
	struct fields_parse parse = {
	    .request = request,
	    .route = route,
	    .into = krn_arena_calloc(
		request->arena, 1,
		route->fields_size > sizeof(struct krn_fields)
		    ? route->fields_size
		    : sizeof(struct krn_fields)),
	    .problems = krn_arena_make(request->arena, struct krn_problems),
	};
	struct krn_str query = request->query, pair;
	enum krn_err e;

	if (!parse.into || !parse.problems)
		return krn_arena_fail(request->arena, err);
	parse.problems->arena = request->arena;
	fields_defaults(&parse);
	while (query.len && krn_str_split(&query, '&', &pair))
		if (pair.len)
			fields_query_one(&parse, pair);
	if ((route->body == KRN_BODY_JSON ||
	     route->body == KRN_BODY_OPTIONAL_JSON) &&
	    (e = fields_body(&parse, err)))
		return e;
	fields_required(&parse);
	if ((e = krn_problems_end(parse.problems, NULL, err)))
		return e;
	*ret_fields = parse.into;
	return KRN_OK;
}

enum krn_err
krn_fields_object(const struct krn_request *request, struct krn_value *ret,
		  struct krn_error *err)
{
	const struct krn_route *route = request->route;
	struct krn_member *members = krn_arena_calloc(
	    request->arena, route->fields_nr + 1, sizeof(*members));
	size_t nr = 0;

	if (!members)
		return krn_arena_fail(request->arena, err);
	for (size_t i = 0; i < route->fields_nr; i++) {
		const struct krn_field *field = &route->fields[i];
		const struct krn_value *value = NULL;

		if (field->type == KRN_FIELD_VALUE)
			memcpy(&value,
			       (const char *)request->fields + field->offset,
			       sizeof(value));
		if (value)
			members[nr++] = (struct krn_member){
			    krn_str_c(field->name), *value};
	}
	*ret = (struct krn_value){.type = KRN_VALUE_OBJECT,
				  .object = {members, nr}};
	return KRN_OK;
}
