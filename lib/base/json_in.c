/*
 * Strict JSON to a value: a scanner over the text (json_scan.h), then json-c,
 * then a copy of its tree into the arena. Entry point: krn_json_parse.
 *
 * The scanner notes the values in the order of the text. json-c keeps the
 * order of members, so the copy meets the values in the same order: it takes
 * the places from the notes, and an object that has fewer members than the
 * scanner counted had a duplicate name.
 */

#include "base/base.h"

#include "base/json_in.h"

#include <json.h>
#include <math.h>
#include <stdlib.h>

#include "base/json_scan.h"

/* A document of ours wraps some levels around what a client may send. */
#define JSON_STORED_DEPTH_MAX 100

/* The copy of json-c's tree */

struct json_copy {
	struct krn_arena *arena;
	const struct krn_json_note *note; /* of the next value */
	const char *stored;               /* the text; NULL: strict */
};

static enum krn_err json_copy_value(struct json_copy *copy,
				    struct json_object *from,
				    struct krn_value *ret,
				    struct krn_error *err);

static enum krn_err
json_copy_string(struct json_copy *copy, const char *s, size_t len,
		 struct krn_str *ret, struct krn_error *err)
{
	*ret = krn_str_dup(copy->arena, krn_str_from(s, len));
	return ret->s ? KRN_OK : krn_arena_fail(copy->arena, err);
}

static enum krn_err
json_copy_array(struct json_copy *copy, struct json_object *from,
		struct krn_value *ret, struct krn_error *err)
{
	const size_t nr = json_object_array_length(from);
	struct krn_value *items =
	    krn_arena_calloc(copy->arena, nr, sizeof(*items));
	enum krn_err e;

	if (!items)
		return krn_arena_fail(copy->arena, err);
	for (size_t i = 0; i < nr; i++)
		if ((e = json_copy_value(copy,
					 json_object_array_get_idx(from, i),
					 &items[i], err)))
			return e;
	ret->array.items = items;
	ret->array.nr = nr;
	return KRN_OK;
}

static enum krn_err
json_copy_object(struct json_copy *copy, struct json_object *from,
		 size_t written, struct krn_value *ret, struct krn_error *err)
{
	const size_t nr = (size_t)json_object_object_length(from);
	struct json_object_iterator at = json_object_iter_begin(from);
	struct krn_member *members =
	    krn_arena_calloc(copy->arena, nr, sizeof(*members));
	enum krn_err e;

	if (!members)
		return krn_arena_fail(copy->arena, err);
	if (nr != written)
		return krn_json_refuse(ret->line, ret->column,
				       "the object that begins here has a "
				       "duplicate name",
				       err);
	for (size_t i = 0; i < nr; i++, json_object_iter_next(&at)) {
		const char *name = json_object_iter_peek_name(&at);

		if ((e = json_copy_string(copy, name, strlen(name),
					  &members[i].name, err)) ||
		    (e = json_copy_value(copy, json_object_iter_peek_value(&at),
					 &members[i].value, err)))
			return e;
	}
	ret->object.members = members;
	ret->object.nr = nr;
	return KRN_OK;
}

static enum krn_err
json_copy_number(const struct json_copy *copy, struct json_object *from,
		 size_t start, struct krn_value *ret, struct krn_error *err)
{
	if (json_object_get_type(from) == json_type_double) {
		ret->type = KRN_VALUE_DOUBLE;
		ret->number = json_object_get_double(from);
		if (isfinite(ret->number))
			return KRN_OK;
	} else {
		ret->type = KRN_VALUE_INT;
		ret->integer = json_object_get_int64(from);
		/* json-c clamps what does not fit: the ends are refused */
		if (ret->integer != INT64_MAX && ret->integer != INT64_MIN)
			return KRN_OK;
		if (copy->stored) {
			ret->type = KRN_VALUE_DOUBLE;
			const char *number = copy->stored + start;

			return krn_parse_double(
			    krn_str_from(number, strspn(number, "-0123456789")),
			    &ret->number, err);
		}
	}
	return krn_json_refuse(ret->line, ret->column,
			       "the number is out of range", err);
}

static enum krn_err
json_copy_value(struct json_copy *copy, struct json_object *from,
		struct krn_value *ret, struct krn_error *err)
{
	const struct krn_json_note *note = copy->note++;

	*ret = (struct krn_value){.line = note->line, .column = note->column};
	switch (json_object_get_type(from)) {
	case json_type_null:
		ret->type = KRN_VALUE_NULL;
		return KRN_OK;
	case json_type_boolean:
		ret->type = KRN_VALUE_BOOL;
		ret->boolean = json_object_get_boolean(from);
		return KRN_OK;
	case json_type_int:
	case json_type_double:
		return json_copy_number(copy, from, note->members, ret, err);
	case json_type_string:
		ret->type = KRN_VALUE_STRING;
		return json_copy_string(
		    copy, json_object_get_string(from),
		    (size_t)json_object_get_string_len(from), &ret->string,
		    err);
	case json_type_array:
		ret->type = KRN_VALUE_ARRAY;
		return json_copy_array(copy, from, ret, err);
	case json_type_object:
		ret->type = KRN_VALUE_OBJECT;
		return json_copy_object(copy, from, note->members, ret, err);
	}
	return krn_fail(err, KRN_ERR_INTERNAL, "json-c gave an unknown type");
}

static void
json_tokener_release(struct json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

static void
json_object_release(struct json_object **object)
{
	json_object_put(*object);
}

static enum krn_err
json_parse(struct krn_arena *arena, struct krn_str text, int depth_max,
	   bool stored, struct krn_value *ret, struct krn_error *err)
{
	const struct krn_json_note *notes = NULL;
	enum krn_err e;

	if (text.len > INT32_MAX)
		return krn_refuse(err, KRN_ERR_TOOBIG, "the JSON is too large");
	if ((e = krn_json_scan(arena, text, depth_max, &notes, err)))
		return e;

	/* json-c counts the leaves as a level, and wants room for one more */
	struct json_tokener *tokener KRN_CLEANUP(json_tokener_release) =
	    json_tokener_new_ex(depth_max + 2);

	if (!tokener)
		return krn_fail(err, KRN_ERR_UNAVAILABLE,
				"could not parse JSON: out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
					    JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *tree KRN_CLEANUP(json_object_release) =
	    json_tokener_parse_ex(tokener, text.s, (int)text.len);
	enum json_tokener_error wrong = json_tokener_get_error(tokener);

	if (wrong == json_tokener_continue) {
		/* a number at the very end: only the end tells that it ended */
		tree = json_tokener_parse_ex(tokener, "", 1);
		wrong = json_tokener_get_error(tokener);
	}
	if (wrong != json_tokener_success)
		return krn_refuse(err, KRN_ERR_INVALID, "invalid JSON: %s",
				  json_tokener_error_desc(wrong));

	struct json_copy copy = {arena, notes, stored ? text.s : NULL};
	struct krn_value value;

	if ((e = json_copy_value(&copy, tree, &value, err)))
		return e;
	*ret = value;
	return KRN_OK;
}

enum krn_err
krn_json_parse(struct krn_arena *arena, struct krn_str text, int depth_max,
	       struct krn_value *ret, struct krn_error *err)
{
	return json_parse(arena, text, depth_max, false, ret, err);
}

enum krn_err
krn_json_parse_stored(struct krn_arena *arena, struct krn_str text,
		      struct krn_value *ret, struct krn_error *err)
{
	return json_parse(arena, text, JSON_STORED_DEPTH_MAX, true, ret, err);
}
