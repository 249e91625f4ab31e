/*
 * Variables and texts of creatives.
 */

#include "base/base.h"

#include "campaign/personalize.h"

#include "base/json_out.h"
#include "campaign/output.h"

struct personalize_variable {
	struct krn_str name;
	int attribute; /* or -1 */
	int property;  /* or -1; neither: always the fallback */
	struct krn_str fallback;
};

struct personalize_creative {
	struct krn_str id;
	const struct krn_value *content;
	struct personalize_variable *variables;
	size_t nr;
};

/* Of the line under way. */
struct personalize_values {
	const struct krn_str *attributes;
	const struct krn_output_property *properties;
};

struct krn_personalize {
	struct personalize_creative *creatives; /* in byte order of ids */
	size_t nr;
};

static struct krn_str
personalize_text(const struct krn_value *object, const char *name)
{
	const struct krn_value *value = krn_value_find(object, name);

	return value && value->type == KRN_VALUE_STRING
		   ? value->string
		   : (struct krn_str){NULL, 0};
}

/* One item of the personalization; without a name it is none. */
static bool
personalize_variable(const struct krn_value *item, const struct krn_plan *plan,
		     int (*attribute_find)(void *data, struct krn_str name),
		     void *data, struct personalize_variable *ret)
{
	const struct krn_str prefix = KRN_STR("customer.");
	const struct krn_str computed = KRN_STR("personalization.");
	struct krn_str source = personalize_text(item, "source");

	ret->name = personalize_text(item, "variable");
	if (!ret->name.s)
		ret->name = personalize_text(item, "key");
	ret->fallback = personalize_text(item, "fallback");
	if (!ret->fallback.s)
		ret->fallback = KRN_STR("");
	if (source.s && krn_str_has_prefix(source, prefix))
		source = krn_str_from(source.s + prefix.len,
				      source.len - prefix.len);
	ret->attribute = ret->property = -1;
	if (source.s && krn_str_has_prefix(source, computed))
		ret->property = krn_plan_property_find(
		    plan, krn_str_from(source.s + computed.len,
				       source.len - computed.len));
	if (source.s && ret->property < 0)
		ret->attribute = attribute_find(data, source);
	return ret->name.len > 0;
}

static int
personalize_order(const void *a, const void *b)
{
	return krn_str_cmp(((const struct personalize_creative *)a)->id,
			   ((const struct personalize_creative *)b)->id);
}

enum krn_err
krn_personalize_new(struct krn_arena *arena, const struct krn_value *creatives,
		    const struct krn_plan *plan,
		    int (*attribute_find)(void *data, struct krn_str name),
		    void *data, struct krn_personalize **ret,
		    struct krn_error *err)
{
	const size_t nr = creatives && creatives->type == KRN_VALUE_ARRAY
			      ? creatives->array.nr
			      : 0;
	struct krn_personalize *made =
	    krn_arena_make(arena, struct krn_personalize);

	if (!made || !(made->creatives = krn_arena_calloc(
			   arena, nr + 1, sizeof(*made->creatives))))
		return krn_arena_fail(arena, err);
	made->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		const struct krn_value *from = &creatives->array.items[i];
		const struct krn_value *list =
		    krn_value_find(from, "personalization");
		struct personalize_creative *to = &made->creatives[i];
		const size_t items =
		    list && list->type == KRN_VALUE_ARRAY ? list->array.nr : 0;

		to->id = personalize_text(from, "id");
		to->content = krn_value_find(from, "content");
		to->variables =
		    krn_arena_calloc(arena, items + 1, sizeof(*to->variables));
		if (!to->variables)
			return krn_arena_fail(arena, err);
		for (size_t k = 0; k < items; k++)
			to->nr += personalize_variable(
			    &list->array.items[k], plan, attribute_find, data,
			    &to->variables[to->nr]);
	}
	qsort(made->creatives, nr, sizeof(*made->creatives), personalize_order);
	*ret = made;
	return KRN_OK;
}

static struct krn_str
personalize_value(const struct personalize_variable *variable,
		  const struct personalize_values *values)
{
	struct krn_str value = {NULL, 0};

	if (variable->attribute >= 0)
		value = values->attributes[variable->attribute];
	else if (variable->property >= 0)
		value = values->properties[variable->property].text;
	return value.s ? value : variable->fallback;
}

/*
 * The variable that begins at `text`, "{{name}}" or "{name}", and how many
 * bytes that takes; NULL: none.
 */
static const struct personalize_variable *
personalize_at(const struct personalize_creative *creative, struct krn_str text,
	       size_t *ret_len)
{
	const size_t braces = text.len > 1 && text.s[1] == '{' ? 2 : 1;

	for (size_t i = 0; i < creative->nr; i++) {
		const struct krn_str name = creative->variables[i].name;
		const size_t len = name.len + 2 * braces;

		if (text.len < len ||
		    memcmp(text.s + braces, name.s, name.len) != 0 ||
		    memcmp(text.s + braces + name.len, "}}", braces) != 0)
			continue;
		*ret_len = len;
		return &creative->variables[i];
	}
	return NULL;
}

/* A text of the content as a JSON string, variables put in. */
static void
personalize_write(const struct personalize_creative *creative,
		  struct krn_str text, const struct personalize_values *values,
		  struct krn_buf *to)
{
	size_t start = 0, len = 0;

	krn_buf_add_char(to, '"');
	for (size_t i = 0; i < text.len; i++) {
		const struct personalize_variable *variable;

		if (text.s[i] != '{')
			continue;
		variable = personalize_at(
		    creative, krn_str_from(text.s + i, text.len - i), &len);
		if (!variable)
			continue;
		krn_json_escape(to, krn_str_from(text.s + start, i - start));
		krn_json_escape(to, personalize_value(variable, values));
		start = i + len;
		i = start - 1;
	}
	krn_json_escape(to, krn_str_from(text.s + start, text.len - start));
	krn_buf_add_char(to, '"');
}

static void
personalize_name(struct krn_str name, bool first, struct krn_buf *to)
{
	krn_buf_add_c(to, first ? "\"" : ",\"");
	krn_json_escape(to, name);
	krn_buf_add_c(to, "\":");
}

void
krn_personalize_render(const struct krn_personalize *personalize,
		       struct krn_str creative_id,
		       const struct krn_str *attributes,
		       const struct krn_output_property *properties,
		       struct krn_buf *to)
{
	const struct personalize_values values = {attributes, properties};
	const struct personalize_creative key = {.id = creative_id};
	const struct personalize_creative *creative =
	    creative_id.s && personalize->nr
		? bsearch(&key, personalize->creatives, personalize->nr,
			  sizeof(key), personalize_order)
		: NULL;
	bool first = true;

	if (!creative) {
		krn_buf_add_c(to, "null");
		return;
	}
	krn_buf_add_c(to, "{\"variables\":{");
	for (size_t i = 0; i < creative->nr; i++) {
		personalize_name(creative->variables[i].name, i == 0, to);
		krn_buf_add_char(to, '"');
		krn_json_escape(
		    to, personalize_value(&creative->variables[i], &values));
		krn_buf_add_char(to, '"');
	}
	krn_buf_add_c(to, "},\"content\":{");
	for (size_t i = 0;
	     creative->content && creative->content->type == KRN_VALUE_OBJECT &&
	     i < creative->content->object.nr;
	     i++) {
		const struct krn_member *member =
		    &creative->content->object.members[i];

		if (member->value.type != KRN_VALUE_STRING)
			continue;
		personalize_name(member->name, first, to);
		personalize_write(creative, member->value.string, &values, to);
		first = false;
	}
	krn_buf_add_c(to, "}}");
}
