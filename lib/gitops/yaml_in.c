/*
 * YAML events to a value.
 */

#include "base/base.h"

#include "gitops/yaml_in.h"

#include <yaml.h>

/* What an anchor names, and how many nodes that is. */
struct yaml_anchor {
	struct yaml_anchor *next;
	struct krn_str name;
	struct krn_value value;
	size_t nodes;
	int depth; /* levels within it */
};

struct yaml_read {
	struct krn_arena *arena;
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
	struct yaml_anchor *anchors;
	struct krn_member *open; /* of mappings and sequences not ended yet */
	size_t open_nr, open_size;
	int depth;
	int deepest;  /* reached since the last anchor began */
	size_t nodes; /* of the text */
	size_t aliases;
	size_t alias_nodes; /* that aliases would expand to */
	struct krn_error *err;
};

static enum krn_err
yaml_refuse(struct yaml_read *read, const char *what)
{
	return krn_refuse(read->err, KRN_ERR_INVALID,
			  "YAML line %zu, column %zu: %s",
			  read->event.start_mark.line + 1,
			  read->event.start_mark.column + 1, what);
}

/* The next event. */
static enum krn_err
yaml_next(struct yaml_read *read)
{
	if (read->has_event)
		yaml_event_delete(&read->event);
	read->has_event = false;
	if (yaml_parser_parse(&read->parser, &read->event)) {
		read->has_event = true;
		return KRN_OK;
	}
	if (read->parser.error == YAML_MEMORY_ERROR)
		return krn_fail(read->err, KRN_ERR_UNAVAILABLE,
				"could not parse YAML: out of memory");
	return krn_refuse(
	    read->err, KRN_ERR_INVALID, "YAML line %zu, column %zu: %s",
	    read->parser.problem_mark.line + 1,
	    read->parser.problem_mark.column + 1,
	    read->parser.problem ? read->parser.problem : "not valid");
}

/* Scalars: the core schema. Source: YAML 1.2.2 section 10.3.2. */

static bool
yaml_is_any(struct krn_str text, const char *const words[])
{
	for (size_t i = 0; words[i]; i++)
		if (krn_str_eq_c(text, words[i]))
			return true;
	return false;
}

static bool
yaml_digits(struct krn_str text, const char *digits)
{
	for (size_t i = 0; i < text.len; i++)
		if (!text.s[i] || !strchr(digits, text.s[i]))
			return false;
	return text.len > 0;
}

/* 0o17 and 0xff; false when it is too large */
static bool
yaml_based_int(struct krn_str digits, int base, int64_t *ret)
{
	int64_t value = 0;

	for (size_t i = 0; i < digits.len; i++) {
		const char c = digits.s[i];
		const int digit = c <= '9'   ? c - '0'
				  : c >= 'a' ? c - 'a' + 10
					     : c - 'A' + 10;

		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	*ret = value;
	return true;
}

static enum krn_err
yaml_plain_number(struct yaml_read *read, struct krn_str text,
		  struct krn_value *ret)
{
	const bool has_sign =
	    text.len && (text.s[0] == '-' || text.s[0] == '+');
	const struct krn_str rest =
	    krn_str_from(text.s + has_sign, text.len - has_sign);
	const struct krn_str based =
	    krn_str_from(text.s + 2, text.len > 2 ? text.len - 2 : 0);
	static const char *const endless[] = {".inf", ".Inf", ".INF", ".nan",
					      ".NaN", ".NAN", NULL};
	bool good = true;

	if (yaml_digits(rest, "0123456789")) {
		ret->type = KRN_VALUE_INT;
		good =
		    krn_parse_int64(text.s[0] == '+' ? rest : text, INT64_MIN,
				    INT64_MAX, &ret->integer, NULL) == KRN_OK;
	} else if (krn_str_has_prefix(text, KRN_STR("0o")) &&
		   yaml_digits(based, "01234567")) {
		ret->type = KRN_VALUE_INT;
		good = yaml_based_int(based, 8, &ret->integer);
	} else if (krn_str_has_prefix(text, KRN_STR("0x")) &&
		   yaml_digits(based, "0123456789abcdefABCDEF")) {
		ret->type = KRN_VALUE_INT;
		good = yaml_based_int(based, 16, &ret->integer);
	} else if (yaml_is_any(rest, endless)) {
		good = false;
	} else if (krn_str_is_decimal(text)) {
		ret->type = KRN_VALUE_DOUBLE;
		good = krn_parse_double(text, &ret->number, NULL) == KRN_OK;
	}
	return good ? KRN_OK : yaml_refuse(read, "the number is out of range");
}

static enum krn_err
yaml_plain(struct yaml_read *read, struct krn_str text, struct krn_value *ret)
{
	static const char *const nulls[] = {"",     "~",    "null",
					    "Null", "NULL", NULL};
	static const char *const trues[] = {"true", "True", "TRUE", NULL};
	static const char *const falses[] = {"false", "False", "FALSE", NULL};

	if (yaml_is_any(text, nulls)) {
		ret->type = KRN_VALUE_NULL;
		return KRN_OK;
	}
	if (yaml_is_any(text, trues) || yaml_is_any(text, falses)) {
		ret->type = KRN_VALUE_BOOL;
		ret->boolean = yaml_is_any(text, trues);
		return KRN_OK;
	}
	return yaml_plain_number(read, text, ret);
}

static enum krn_err
yaml_check_tag(struct yaml_read *read, const yaml_char_t *tag,
	       const char *const allowed[])
{
	if (!tag || yaml_is_any(krn_str_c((const char *)tag), allowed))
		return KRN_OK;
	return yaml_refuse(read, "this tag is not allowed");
}

/*
 * A scalar with a tag of the core schema is what the tag says, or an error.
 * Source: YAML 1.2.2 section 10.3.
 */
static enum krn_err
yaml_tagged(struct yaml_read *read, const char *tag, struct krn_str text,
	    struct krn_value *ret)
{
	static const struct {
		const char *tag;
		unsigned types; /* bits of enum krn_value_type */
	} core[] = {
	    {YAML_NULL_TAG, 1u << KRN_VALUE_NULL},
	    {YAML_BOOL_TAG, 1u << KRN_VALUE_BOOL},
	    {YAML_INT_TAG, 1u << KRN_VALUE_INT},
	    {YAML_FLOAT_TAG, 1u << KRN_VALUE_INT | 1u << KRN_VALUE_DOUBLE},
	};
	enum krn_err e;

	for (size_t i = 0; i < KRN_NR(core); i++) {
		if (strcmp(tag, core[i].tag) != 0)
			continue;
		if ((e = yaml_plain(read, text, ret)))
			return e;
		if (core[i].types >> ret->type & 1)
			return KRN_OK;
		return yaml_refuse(read, "the value does not fit its tag");
	}
	return yaml_refuse(read, "this tag is not allowed");
}

static enum krn_err
yaml_scalar(struct yaml_read *read, struct krn_value *ret)
{
	static const char *const tags[] = {"!", YAML_STR_TAG, NULL};
	const char *tag = (const char *)read->event.data.scalar.tag;
	const struct krn_str text =
	    krn_str_from((const char *)read->event.data.scalar.value,
			 read->event.data.scalar.length);
	const bool plain =
	    read->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag;
	enum krn_err e = KRN_OK;

	if (memchr(text.s, '\0', text.len))
		return yaml_refuse(read, "a string may not contain NUL");
	ret->type = KRN_VALUE_STRING;
	if (plain)
		e = yaml_plain(read, text, ret);
	else if (tag && !yaml_is_any(krn_str_c(tag), tags))
		e = yaml_tagged(read, tag, text, ret);
	if (e)
		return e;
	if (ret->type != KRN_VALUE_STRING)
		return KRN_OK;
	ret->string = krn_str_dup(read->arena, text);
	return ret->string.s ? KRN_OK : krn_arena_fail(read->arena, read->err);
}

static enum krn_err yaml_value(struct yaml_read *read, struct krn_value *ret);

/* One more member of the mappings and sequences that are open. */
static enum krn_err
yaml_push(struct yaml_read *read, const struct krn_member *member)
{
	struct krn_member *open =
	    krn_arena_room(read->arena, read->open, read->open_nr,
			   &read->open_size, sizeof(*open));

	if (!open)
		return krn_arena_fail(read->arena, read->err);
	read->open = open;
	read->open[read->open_nr++] = *member;
	return KRN_OK;
}

static enum krn_err
yaml_sequence(struct yaml_read *read, struct krn_value *ret)
{
	static const char *const tags[] = {"!", YAML_SEQ_TAG, NULL};
	const size_t first = read->open_nr;
	struct krn_member item = {.name = {NULL, 0}};
	struct krn_value *items;
	enum krn_err e;

	if ((e = yaml_check_tag(read, read->event.data.sequence_start.tag,
				tags)))
		return e;
	while (!(e = yaml_next(read)) &&
	       read->event.type != YAML_SEQUENCE_END_EVENT)
		if ((e = yaml_value(read, &item.value)) ||
		    (e = yaml_push(read, &item)))
			return e;
	if (e)
		return e;
	ret->type = KRN_VALUE_ARRAY;
	ret->array.nr = read->open_nr - first;
	read->open_nr = first;
	if (ret->array.nr == 0)
		return KRN_OK;
	items = krn_arena_calloc(read->arena, ret->array.nr, sizeof(*items));
	if (!items)
		return krn_arena_fail(read->arena, read->err);
	for (size_t i = 0; i < ret->array.nr; i++)
		items[i] = read->open[first + i].value;
	ret->array.items = items;
	return KRN_OK;
}

static int
yaml_name_order(const void *a, const void *b)
{
	return krn_str_cmp(*(const struct krn_str *)a,
			   *(const struct krn_str *)b);
}

/* Any name twice? Sorted, so that a hostile mapping costs no square. */
static enum krn_err
yaml_check_names(struct yaml_read *read, const struct krn_member *members,
		 size_t nr)
{
	struct krn_str few[16], *names = few;

	if (nr > KRN_NR(few))
		names = krn_arena_calloc(read->arena, nr, sizeof(*names));
	if (!names)
		return krn_arena_fail(read->arena, read->err);
	for (size_t i = 0; i < nr; i++)
		names[i] = members[i].name;
	if (nr)
		qsort(names, nr, sizeof(*names), yaml_name_order);
	for (size_t i = 1; i < nr; i++)
		if (krn_str_eq(names[i - 1], names[i]))
			return krn_refuse(
			    read->err, KRN_ERR_INVALID,
			    "YAML line %zu: the mapping that ends "
			    "here has the key \"%.*s\" twice",
			    read->event.start_mark.line + 1,
			    (int)(names[i].len < 100 ? names[i].len : 100),
			    names[i].s);
	return KRN_OK;
}

static enum krn_err
yaml_key(struct yaml_read *read, struct krn_str *ret)
{
	struct krn_value key = {.type = KRN_VALUE_STRING};

	if (read->event.type != YAML_SCALAR_EVENT)
		return yaml_refuse(read, "a key must be a string");
	key.string = krn_str_from((const char *)read->event.data.scalar.value,
				  read->event.data.scalar.length);
	if (krn_str_eq_c(key.string, "<<") &&
	    read->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return yaml_refuse(read, "merge keys are not supported");
	if (key.string.len == 0 || memchr(key.string.s, '\0', key.string.len))
		return yaml_refuse(read, "a key must not be empty");
	*ret = krn_str_dup(read->arena, key.string);
	return ret->s ? KRN_OK : krn_arena_fail(read->arena, read->err);
}

static enum krn_err
yaml_mapping(struct yaml_read *read, struct krn_value *ret)
{
	static const char *const tags[] = {"!", YAML_MAP_TAG, NULL};
	const size_t first = read->open_nr;
	struct krn_member *members;
	enum krn_err e;

	if ((e = yaml_check_tag(read, read->event.data.mapping_start.tag,
				tags)))
		return e;
	while (!(e = yaml_next(read)) &&
	       read->event.type != YAML_MAPPING_END_EVENT) {
		struct krn_member member;

		if ((e = yaml_key(read, &member.name)) ||
		    (e = yaml_next(read)) ||
		    (e = yaml_value(read, &member.value)) ||
		    (e = yaml_push(read, &member)))
			return e;
	}
	if (e)
		return e;
	ret->type = KRN_VALUE_OBJECT;
	ret->object.nr = read->open_nr - first;
	read->open_nr = first;
	if (ret->object.nr == 0)
		return KRN_OK;
	members =
	    krn_arena_calloc(read->arena, ret->object.nr, sizeof(*members));
	if (!members)
		return krn_arena_fail(read->arena, read->err);
	memcpy(members, read->open + first, ret->object.nr * sizeof(*members));
	ret->object.members = members;
	return yaml_check_names(read, members, ret->object.nr);
}

static enum krn_err
yaml_alias(struct yaml_read *read, struct krn_value *ret)
{
	const struct krn_str name =
	    krn_str_c((const char *)read->event.data.alias.anchor);
	const struct yaml_anchor *anchor = read->anchors;

	while (anchor && !krn_str_eq(anchor->name, name))
		anchor = anchor->next;
	if (!anchor)
		return yaml_refuse(read, "an alias of nothing");
	read->alias_nodes += anchor->nodes;
	read->nodes += anchor->nodes;
	if (++read->aliases > KRN_YAML_ALIASES_MAX ||
	    read->alias_nodes > KRN_YAML_ALIAS_NODES_MAX)
		return yaml_refuse(read, "too many aliases");
	/* what it names counts where it stands */
	if (read->depth + anchor->depth > KRN_YAML_DEPTH_MAX)
		return yaml_refuse(read, "nested too deep");
	if (read->depth + anchor->depth > read->deepest)
		read->deepest = read->depth + anchor->depth;
	*ret = anchor->value;
	return KRN_OK;
}

static enum krn_err
yaml_anchor_add(struct yaml_read *read, const char *name,
		const struct krn_value *value, size_t nodes, int depth)
{
	struct yaml_anchor *anchor =
	    krn_arena_make(read->arena, struct yaml_anchor);

	if (!anchor)
		return krn_arena_fail(read->arena, read->err);
	*anchor = (struct yaml_anchor){read->anchors, krn_str_c(name), *value,
				       nodes, depth};
	read->anchors = anchor;
	return KRN_OK;
}

/* The value that the current event begins. */
static enum krn_err
yaml_value(struct yaml_read *read, struct krn_value *ret)
{
	const size_t nodes_before = read->nodes++;
	const int depth_before = read->depth;
	const int deepest_before = read->deepest;
	const yaml_char_t *anchor = NULL;
	char *name = NULL;
	enum krn_err e;

	*ret = (struct krn_value){
	    .line = (uint32_t)read->event.start_mark.line + 1,
	    .column = (uint32_t)read->event.start_mark.column + 1};
	if (read->event.type == YAML_ALIAS_EVENT)
		return yaml_alias(read, ret);
	if (read->event.type == YAML_SCALAR_EVENT)
		anchor = read->event.data.scalar.anchor;
	else if (read->event.type == YAML_SEQUENCE_START_EVENT)
		anchor = read->event.data.sequence_start.anchor;
	else if (read->event.type == YAML_MAPPING_START_EVENT)
		anchor = read->event.data.mapping_start.anchor;
	if (anchor) {
		name =
		    krn_str_cstr(read->arena, krn_str_c((const char *)anchor));
		if (!name)
			return krn_arena_fail(read->arena, read->err);
	}
	if (read->event.type != YAML_SCALAR_EVENT &&
	    ++read->depth > KRN_YAML_DEPTH_MAX)
		return yaml_refuse(read, "nested too deep");
	read->deepest = read->depth;
	if (read->event.type == YAML_SCALAR_EVENT) {
		e = yaml_scalar(read, ret);
	} else if (read->event.type == YAML_SEQUENCE_START_EVENT) {
		e = yaml_sequence(read, ret);
		read->depth--;
	} else {
		e = yaml_mapping(read, ret);
		read->depth--;
	}
	if (!e && name)
		e = yaml_anchor_add(read, name, ret, read->nodes - nodes_before,
				    read->deepest - depth_before);
	if (deepest_before > read->deepest)
		read->deepest = deepest_before;
	return e;
}

/* One document, from stream start to stream end. */
static enum krn_err
yaml_document(struct yaml_read *read, struct krn_value *ret)
{
	enum krn_err e;

	if ((e = yaml_next(read)) || (e = yaml_next(read)))
		return e;
	if (read->event.type != YAML_DOCUMENT_START_EVENT)
		return yaml_refuse(read, "the text is empty");
	if ((e = yaml_next(read)) || (e = yaml_value(read, ret)) ||
	    (e = yaml_next(read)) || (e = yaml_next(read)))
		return e;
	if (read->event.type != YAML_STREAM_END_EVENT)
		return yaml_refuse(read, "only one document is allowed");
	return KRN_OK;
}

enum krn_err
krn_yaml_parse(struct krn_arena *arena, struct krn_str text,
	       struct krn_value *ret, struct krn_error *err)
{
	struct yaml_read read = {.arena = arena, .err = err};
	struct krn_value value;

	if (!krn_str_is_utf8(text))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the text is not UTF-8");
	if (!yaml_parser_initialize(&read.parser))
		return krn_fail(err, KRN_ERR_UNAVAILABLE,
				"could not parse YAML: out of memory");
	yaml_parser_set_encoding(&read.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&read.parser,
				     (const unsigned char *)text.s, text.len);
	const enum krn_err e = yaml_document(&read, &value);

	if (read.has_event)
		yaml_event_delete(&read.event);
	yaml_parser_delete(&read.parser);
	if (!e)
		*ret = value;
	return e;
}
