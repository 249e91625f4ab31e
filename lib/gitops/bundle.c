/*
 * Reading bundles.
 */

#include "base/base.h"

#include "gitops/bundle.h"

#include "base/json_in.h"
#include "gitops/yaml_in.h"

struct bundle_read {
	struct krn_arena *arena;
	krn_kind_set kinds;
	struct krn_problems *problems;
	struct krn_bundle *bundle;
	bool has_ids; /* its annotations are ours, and taken */
};

enum krn_err
krn_kind_set_parse(struct krn_str text, krn_kind_set *ret,
		   struct krn_error *err)
{
	krn_kind_set set = 0;
	struct krn_str name;

	if (text.len == 0) {
		*ret = KRN_KINDS_ALL;
		return KRN_OK;
	}
	while (krn_str_split(&text, ',', &name)) {
		const struct krn_str trimmed = krn_str_trim(name);
		const int kind = krn_kind_find(trimmed);

		if (kind < 0)
			return krn_refuse(
			    err, KRN_ERR_INVALID, "unknown kind \"%.*s\"",
			    (int)(trimmed.len < 100 ? trimmed.len : 100),
			    trimmed.s);
		set |= 1u << kind;
	}
	*ret = set;
	return KRN_OK;
}

/* The media type in any spelling. */
static bool
bundle_type_has(struct krn_str content_type, const char *part)
{
	char text[200];
	const size_t len = content_type.len < sizeof(text) - 1
			       ? content_type.len
			       : sizeof(text) - 1;

	for (size_t i = 0; i < len; i++)
		text[i] = content_type.s[i] >= 'A' && content_type.s[i] <= 'Z'
			      ? (char)(content_type.s[i] + 32)
			      : content_type.s[i];
	text[len] = '\0';
	return strstr(text, part) != NULL;
}

/* The body as a value, by content type. Messages lack their prefix yet. */
static enum krn_err
bundle_text(struct krn_arena *arena, struct krn_str body,
	    struct krn_str content_type, struct krn_value *ret,
	    struct krn_error *err)
{
	const struct krn_value *yaml;
	enum krn_err e;

	if (bundle_type_has(content_type, "yaml"))
		return krn_yaml_parse(arena, body, ret, err);
	if (bundle_type_has(content_type, "application/json")) {
		if ((e = krn_json_parse(arena, body, KRN_YAML_DEPTH_MAX, ret,
					err)))
			return e;
		yaml = krn_value_find(ret, "yamlText");
		if (!yaml)
			return KRN_OK;
		if (ret->object.nr != 1)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "a body with yamlText has no other "
					  "field");
		if (yaml->type != KRN_VALUE_STRING)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "yamlText must be a string");
		return krn_yaml_parse(arena, yaml->string, ret, err);
	}
	e = krn_json_parse(arena, body, KRN_YAML_DEPTH_MAX, ret, err);
	return e == KRN_ERR_INVALID ? krn_yaml_parse(arena, body, ret, err) : e;
}

/* "Invalid bundle: …" */
static enum krn_err
bundle_prefix(struct krn_error *err)
{
	char text[sizeof(err->message)];

	snprintf(text, sizeof(text), "Invalid bundle: %.450s", err->message);
	return krn_refuse(err, err->code, "%s", text);
}

static void
bundle_expect(struct bundle_read *read, const struct krn_value *object,
	      const char *place, const char *name, const char *wanted)
{
	const struct krn_value *value = krn_value_find(object, name);
	char field[128], line[KRN_VALUE_PLACE_BYTES];

	if (value && value->type == KRN_VALUE_STRING &&
	    krn_str_eq_c(value->string, wanted))
		return;
	snprintf(field, sizeof(field), "%s.%s", place, name);
	krn_problem_add(read->problems, field, "%smust be %s",
			krn_value_place(value ? value : object, line), wanted);
}

static void
bundle_manifest(struct bundle_read *read, const struct krn_value *body)
{
	const struct krn_value *manifest = krn_value_find(body, "manifest");

	if (!manifest || manifest->type != KRN_VALUE_OBJECT) {
		krn_problem_add(read->problems, "manifest", "is required");
		return;
	}
	bundle_expect(read, manifest, "manifest", "apiVersion",
		      KRN_BUNDLE_API_VERSION);
	bundle_expect(read, manifest, "manifest", "kind", "Bundle");
}

/* The known name that was probably meant, or NULL. */
static const char *
bundle_nearest(struct krn_str name, const char *const known[])
{
	for (size_t i = 0; known[i]; i++)
		if (krn_str_distance(name, krn_str_c(known[i])) <= 2)
			return known[i];
	return NULL;
}

/* Members that a resource and its metadata may have. */
static void
bundle_unknown(struct bundle_read *read, const struct krn_value *object,
	       const char *place, const char *const known[])
{
	char field[400], line[KRN_VALUE_PLACE_BYTES];
	const char *nearest;

	for (size_t i = 0; i < object->object.nr; i++) {
		size_t k = 0;

		while (known[k] &&
		       !krn_str_eq_c(object->object.members[i].name, known[k]))
			k++;
		if (known[k])
			continue;
		snprintf(field, sizeof(field), "%s.%.200s", place,
			 object->object.members[i].name.s);
		krn_value_place(&object->object.members[i].value, line);
		nearest = bundle_nearest(object->object.members[i].name, known);
		if (nearest)
			krn_problem_add(read->problems, field,
					"%sunknown field; did you mean \"%s\"?",
					line, nearest);
		else
			krn_problem_add(read->problems, field,
					"%sunknown field", line);
	}
}

/* The resource's name; false: it has none that could be used. */
static bool
bundle_name(struct bundle_read *read, const struct krn_value *resource,
	    const char *place, size_t max, struct krn_str *ret)
{
	static const char *const known[] = {"name", "annotations", NULL};
	const struct krn_value *metadata = krn_value_find(resource, "metadata");
	const struct krn_value *name = krn_value_find(metadata, "name");
	char field[96], line[KRN_VALUE_PLACE_BYTES];

	snprintf(field, sizeof(field), "%s.metadata.name", place);
	if (!name) {
		krn_problem_add(read->problems, field, "%sis required",
				krn_value_place(resource, line));
		return false;
	}
	if (name->type != KRN_VALUE_STRING ||
	    !krn_resource_name_is(name->string, max)) {
		krn_problem_add(read->problems, field,
				"%smust be a string of 1 to %zu characters "
				"without control characters and outer spaces",
				krn_value_place(name, line), max);
		return false;
	}
	snprintf(field, sizeof(field), "%s.metadata", place);
	bundle_unknown(read, metadata, field, known);
	*ret = name->string;
	return true;
}

/* The id that the export noted; .s NULL: none. */
static struct krn_str
bundle_id(const struct krn_value *resource)
{
	const struct krn_value *metadata = krn_value_find(resource, "metadata");
	const struct krn_value *id = krn_value_find(
	    krn_value_find(metadata, "annotations"), "kaireonai.com/id");

	return id && id->type == KRN_VALUE_STRING ? id->string
						  : (struct krn_str){NULL, 0};
}

static enum krn_err
bundle_resource(struct bundle_read *read, const struct krn_value *resource,
		size_t index, struct krn_error *err)
{
	static const char *const known[] = {"apiVersion", "kind", "metadata",
					    "spec", NULL};
	const struct krn_value *kind = krn_value_find(resource, "kind");
	const struct krn_value *spec = krn_value_find(resource, "spec");
	char place[64], field[128], line[KRN_VALUE_PLACE_BYTES];
	struct krn_str name;

	snprintf(place, sizeof(place), "resources[%zu]", index);
	if (resource->type != KRN_VALUE_OBJECT) {
		krn_problem_add(read->problems, place, "%smust be an object",
				krn_value_place(resource, line));
		return KRN_OK;
	}
	bundle_unknown(read, resource, place, known);
	bundle_expect(read, resource, place, "apiVersion",
		      KRN_BUNDLE_API_VERSION);
	const int id = kind && kind->type == KRN_VALUE_STRING
			   ? krn_kind_find(kind->string)
			   : -1;

	snprintf(field, sizeof(field), "%s.kind", place);
	if (id < 0)
		krn_problem_add(read->problems, field, "%sunknown kind",
				krn_value_place(kind ? kind : resource, line));
	snprintf(field, sizeof(field), "%s.spec", place);
	if (!spec || spec->type != KRN_VALUE_OBJECT)
		krn_problem_add(read->problems, field, "%smust be an object",
				krn_value_place(spec ? spec : resource, line));
	if (!bundle_name(read, resource, place,
			 id < 0 ? 255 : krn_kinds[id].name_max, &name) ||
	    id < 0 || !spec || spec->type != KRN_VALUE_OBJECT)
		return KRN_OK;

	struct krn_resource read_one;
	const enum krn_err e =
	    krn_resource_read(read->arena, (enum krn_kind_id)id, name, spec,
			      index, read->problems, &read_one, err);

	if (!e && read->has_ids)
		read_one.id = bundle_id(resource);
	if (!e && (read->kinds >> id & 1))
		read->bundle->resources[read->bundle->nr++] = read_one;
	return e;
}

static int
bundle_order(const void *a, const void *b)
{
	const struct krn_resource *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return krn_str_cmp(x->name, y->name);
}

/* In the order of diffs; a name may stand once within its kind. */
static void
bundle_sort(struct bundle_read *read)
{
	struct krn_bundle *bundle = read->bundle;
	char field[96];

	if (bundle->nr)
		qsort(bundle->resources, bundle->nr, sizeof(*bundle->resources),
		      bundle_order);
	for (size_t i = 1; i < bundle->nr; i++) {
		const struct krn_resource *one = &bundle->resources[i - 1];
		const struct krn_resource *other = &bundle->resources[i];

		if (bundle_order(one, other) != 0)
			continue;
		snprintf(field, sizeof(field), "resources[%zu].metadata.name",
			 one->place > other->place ? one->place : other->place);
		krn_problem_add(read->problems, field,
				"a second %s of the same name",
				krn_kinds[one->kind].name);
	}
}

static enum krn_err
bundle_read_value(struct bundle_read *read, const struct krn_value *body,
		  struct krn_error *err)
{
	const struct krn_value *list = krn_value_find(body, "resources");
	static const char *const known[] = {"manifest", "resources", NULL};
	enum krn_err e;

	if (body->type != KRN_VALUE_OBJECT)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "Invalid bundle: it must be an object with "
				  "manifest and resources");
	bundle_manifest(read, body);
	bundle_unknown(read, body, "bundle", known);
	if (!list || list->type != KRN_VALUE_ARRAY) {
		krn_problem_add(read->problems, "resources",
				"is required, as a list");
		return KRN_OK;
	}
	if (list->array.nr > KRN_BUNDLE_RESOURCES_MAX)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "Invalid bundle: more than %d resources",
				  KRN_BUNDLE_RESOURCES_MAX);
	read->bundle->resources = krn_arena_calloc(
	    read->arena, list->array.nr, sizeof(*read->bundle->resources));
	if (!read->bundle->resources)
		return krn_arena_fail(read->arena, err);
	for (size_t i = 0; i < list->array.nr; i++)
		if ((e = bundle_resource(read, &list->array.items[i], i, err)))
			return e;
	bundle_sort(read);
	return KRN_OK;
}

/* Read it, and collect what is wrong with it. */
static enum krn_err
bundle_collect(struct bundle_read *read, const struct krn_value *value,
	       struct krn_error *err)
{
	*read->bundle = (struct krn_bundle){NULL, 0};
	read->problems = krn_arena_make(read->arena, struct krn_problems);
	if (!read->problems)
		return krn_arena_fail(read->arena, err);
	read->problems->arena = read->arena;
	return bundle_read_value(read, value, err);
}

/* All problems of a bundle, or none. */
static enum krn_err
bundle_refuse(const struct bundle_read *read, struct krn_error *err)
{
	char message[500];

	if (read->problems->nr == 0)
		return KRN_OK;
	snprintf(message, sizeof(message), "Invalid bundle: %.100s: %.300s",
		 read->problems->list[0].field,
		 read->problems->list[0].message);
	return krn_problems_end(read->problems, message, err);
}

enum krn_err
krn_bundle_read_applied(struct krn_arena *arena, const struct krn_value *value,
			struct krn_bundle *ret, struct krn_error *err)
{
	struct bundle_read read = {arena, KRN_KINDS_ALL, NULL, ret,
				   .has_ids = true};
	const enum krn_err e = bundle_collect(&read, value, err);

	return e || ret->nr ? e : bundle_refuse(&read, err);
}

enum krn_err
krn_bundle_read(struct krn_arena *arena, const struct krn_value *value,
		krn_kind_set kinds, struct krn_bundle *ret,
		struct krn_error *err)
{
	struct bundle_read read = {arena, kinds, NULL, ret, .has_ids = false};
	const enum krn_err e = bundle_collect(&read, value, err);

	return e ? e : bundle_refuse(&read, err);
}

enum krn_err
krn_bundle_parse(struct krn_arena *arena, struct krn_str body,
		 struct krn_str content_type, krn_kind_set kinds,
		 struct krn_bundle *ret, struct krn_error *err)
{
	struct krn_value *value = krn_arena_make(arena, struct krn_value);
	enum krn_err e;

	if (!value)
		return krn_arena_fail(arena, err);
	if (krn_str_trim(body).len == 0)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "Invalid bundle: Empty request body");
	if ((e = bundle_text(arena, body, content_type, value, err)))
		return e == KRN_ERR_INVALID ? bundle_prefix(err) : e;
	return krn_bundle_read(arena, value, kinds, ret, err);
}
