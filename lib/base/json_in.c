/*
 * Strict JSON to a value: a scanner over the text, then json-c, then a copy
 * of its tree into the arena. Entry point: krn_json_parse.
 *
 * The scanner walks the grammar of RFC 8259 and notes, for each value in the
 * order of the text, its place and how many members it has. json-c keeps the
 * order of members, so the copy meets the values in the same order: it takes
 * the places from the notes, and an object that has fewer members than the
 * scanner counted had a duplicate name.
 */

#include "base/base.h"

#include "base/json_in.h"

#include <json.h>
#include <math.h>
#include <stdlib.h>

/* A document of ours wraps some levels around what a client may send. */
#define JSON_STORED_DEPTH_MAX 100

struct json_note {
	uint32_t line;
	uint32_t column;
	size_t members; /* of an object, as written; else where it begins */
};

struct json_scan {
	struct krn_arena *arena;
	const char *start;
	const char *at;
	const char *end;
	const char *line_start;
	uint32_t line;
	int depth_left;
	struct json_note *notes;
	size_t notes_nr, notes_size;
	const char *wrong; /* the first thing that is wrong */
};

static bool
scan_fail(struct json_scan *scan, const char *wrong)
{
	if (!scan->wrong)
		scan->wrong = wrong;
	return false;
}

static void
scan_space(struct json_scan *scan)
{
	for (; scan->at < scan->end; scan->at++) {
		if (*scan->at == '\n') {
			scan->line++;
			scan->line_start = scan->at + 1;
		} else if (*scan->at != ' ' && *scan->at != '\t' &&
			   *scan->at != '\r') {
			break;
		}
	}
}

static bool
scan_char(struct json_scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static bool
scan_word(struct json_scan *scan, const char *word)
{
	const size_t len = strlen(word);

	if ((size_t)(scan->end - scan->at) < len ||
	    memcmp(scan->at, word, len) != 0)
		return scan_fail(scan, "a value is expected");
	scan->at += len;
	return true;
}

/* Four hex digits, or -1. */
static int
scan_hex4(struct json_scan *scan)
{
	int value = 0;

	if (scan->end - scan->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char c = *scan->at++;

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

static bool
scan_unicode_escape(struct json_scan *scan)
{
	const int unit = scan_hex4(scan);

	if (unit < 0)
		return scan_fail(scan, "\\u needs four hex digits");
	if (unit == 0)
		return scan_fail(scan, "a string may not contain NUL");
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return scan_fail(scan, "a lone surrogate");
	if (unit < 0xD800 || unit > 0xDBFF)
		return true;
	if (!scan_char(scan, '\\') || !scan_char(scan, 'u'))
		return scan_fail(scan, "a lone surrogate");
	const int low = scan_hex4(scan);

	if (low < 0xDC00 || low > 0xDFFF)
		return scan_fail(scan, "a lone surrogate");
	return true;
}

/* Behind the opening quote. */
static bool
scan_string(struct json_scan *scan)
{
	while (scan->at < scan->end) {
		const unsigned char c = (unsigned char)*scan->at++;

		if (c == '"')
			return true;
		if (c < 0x20)
			return scan_fail(scan,
					 "a control character in a string");
		if (c != '\\')
			continue;
		if (scan->at == scan->end)
			break;
		const char escape = *scan->at++;

		if (escape == 'u') {
			if (!scan_unicode_escape(scan))
				return false;
		} else if (!escape || !strchr("\"\\/bfnrt", escape)) {
			return scan_fail(scan, "an unknown escape");
		}
	}
	return scan_fail(scan, "a string without its end");
}

static size_t
scan_digits(struct json_scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return (size_t)(scan->at - start);
}

static bool
scan_number(struct json_scan *scan)
{
	scan_char(scan, '-');
	if (!scan_char(scan, '0') && scan_digits(scan) == 0)
		return scan_fail(scan, "a value is expected");
	if (scan_char(scan, '.') && scan_digits(scan) == 0)
		return scan_fail(scan, "a digit is expected");
	if (scan_char(scan, 'e') || scan_char(scan, 'E')) {
		if (!scan_char(scan, '+'))
			scan_char(scan, '-');
		if (scan_digits(scan) == 0)
			return scan_fail(scan, "a digit is expected");
	}
	if (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		return scan_fail(scan, "a number may not begin with 0");
	return true;
}

/* Note the value that begins here; its index, or SIZE_MAX. */
static size_t
scan_note(struct json_scan *scan)
{
	if (scan->notes_nr == scan->notes_size) {
		const size_t size = scan->notes_size ? scan->notes_size * 2 : 64;
		struct json_note *notes =
		    krn_arena_grow(scan->arena, scan->notes,
				   scan->notes_size * sizeof(*notes),
				   size * sizeof(*notes));

		if (!notes)
			return SIZE_MAX;
		scan->notes = notes;
		scan->notes_size = size;
	}
	scan->notes[scan->notes_nr] = (struct json_note){
	    scan->line, (uint32_t)(scan->at - scan->line_start + 1),
	    (size_t)(scan->at - scan->start)};
	return scan->notes_nr++;
}

static bool scan_value(struct json_scan *scan);

static bool
scan_member(struct json_scan *scan)
{
	scan_space(scan);
	if (!scan_char(scan, '"'))
		return scan_fail(scan, "a name in double quotes is expected");
	if (!scan_string(scan))
		return false;
	scan_space(scan);
	if (!scan_char(scan, ':'))
		return scan_fail(scan, "\":\" is expected");
	return scan_value(scan);
}

/* Behind the opening bracket; `note` is the value's. */
static bool
scan_items(struct json_scan *scan, size_t note, char close)
{
	scan->notes[note].members = 0;
	scan_space(scan);
	if (scan_char(scan, close))
		return true;
	do {
		if (close == '}' ? !scan_member(scan) : !scan_value(scan))
			return false;
		scan->notes[note].members++;
		scan_space(scan);
	} while (scan_char(scan, ','));
	if (!scan_char(scan, close))
		return scan_fail(scan, close == '}' ? "\",\" or \"}\" is expected"
						    : "\",\" or \"]\" is expected");
	return true;
}

static bool
scan_nested(struct json_scan *scan, size_t note)
{
	if (scan->depth_left-- == 0)
		return scan_fail(scan, "nested too deep");
	const char close = *scan->at++ == '{' ? '}' : ']';
	const bool done = scan_items(scan, note, close);

	scan->depth_left++;
	return done;
}

static bool
scan_value(struct json_scan *scan)
{
	scan_space(scan);
	if (scan->at == scan->end)
		return scan_fail(scan, "a value is expected");
	const size_t note = scan_note(scan);

	if (note == SIZE_MAX)
		return false;
	switch (*scan->at) {
	case '{':
	case '[':
		return scan_nested(scan, note);
	case '"':
		scan->at++;
		return scan_string(scan);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	default:
		return scan_number(scan);
	}
}

static enum krn_err
json_refuse(struct krn_error *err, uint32_t line, uint32_t column,
	    const char *wrong)
{
	return krn_refuse(err, KRN_ERR_INVALID,
			  "invalid JSON at line %u, column %u: %s", line,
			  column, wrong);
}

static enum krn_err
scan_text(struct json_scan *scan, struct krn_str text, struct krn_error *err)
{
	if (!krn_str_is_utf8(text))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "invalid JSON: the text is not UTF-8");
	bool good = scan_value(scan);

	if (good) {
		scan_space(scan);
		if (scan->at != scan->end)
			good = scan_fail(scan, "text behind the value");
	}
	if (good)
		return KRN_OK;
	if (!scan->wrong)
		return krn_arena_fail(scan->arena, err);
	return json_refuse(err, scan->line,
			   (uint32_t)(scan->at - scan->line_start + 1),
			   scan->wrong);
}

/* The copy of json-c's tree */

struct json_copy {
	struct krn_arena *arena;
	const struct json_note *note; /* of the next value */
	const char *stored;           /* the text; NULL: strict */
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
		return json_refuse(err, ret->line, ret->column,
				   "the object that begins here has a "
				   "duplicate name");
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
			    krn_str_from(number,
					 strspn(number, "-0123456789")),
			    &ret->number, err);
		}
	}
	return json_refuse(err, ret->line, ret->column,
			   "the number is out of range");
}

static enum krn_err
json_copy_value(struct json_copy *copy, struct json_object *from,
		struct krn_value *ret, struct krn_error *err)
{
	const struct json_note *note = copy->note++;

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
	struct json_scan scan = {.arena = arena,
				 .start = text.s,
				 .at = text.s,
				 .end = text.s + text.len,
				 .line_start = text.s,
				 .line = 1,
				 .depth_left = depth_max};
	enum krn_err e;

	if (text.len > INT32_MAX)
		return krn_refuse(err, KRN_ERR_TOOBIG, "the JSON is too large");
	if ((e = scan_text(&scan, text, err)))
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

	struct json_copy copy = {arena, scan.notes, stored ? text.s : NULL};
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
