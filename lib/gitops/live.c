/*
 * Reading the live configuration.
 */

#include "base/base.h"

#include "gitops/live_private.h"

static int
live_id_order(const void *a, const void *b)
{
	return krn_str_cmp(((const struct krn_live_id *)a)->id,
			   ((const struct krn_live_id *)b)->id);
}

static int
live_segment_order(const void *a, const void *b)
{
	return krn_str_cmp(((const struct krn_live_id *)a)->name,
			   ((const struct krn_live_id *)b)->name);
}

static int
live_resource_order(const void *a, const void *b)
{
	return krn_str_cmp(((const struct krn_resource *)a)->name,
			   ((const struct krn_resource *)b)->name);
}

static struct krn_live_id *
live_id_find(const struct krn_live *live, struct krn_str id)
{
	const struct krn_live_id key = {.id = id};

	return live->ids_nr ? bsearch(&key, live->ids, live->ids_nr,
				      sizeof(key), live_id_order)
			    : NULL;
}

/* The name behind an id; the id itself when it names nothing live. */
static struct krn_value
live_name(const struct krn_live *live, const struct krn_value *id)
{
	if (!id || id->type != KRN_VALUE_STRING)
		return krn_value_null();
	const struct krn_live_id *found = live_id_find(live, id->string);

	return krn_value_str(found ? found->name : id->string);
}

/* Is there a link to an object anywhere in it? */
static bool
live_has_link(const struct krn_value *value)
{
	if (value->type == KRN_VALUE_ARRAY)
		for (size_t i = 0; i < value->array.nr; i++)
			if (live_has_link(&value->array.items[i]))
				return true;
	if (value->type == KRN_VALUE_OBJECT)
		for (size_t i = 0; i < value->object.nr; i++)
			if (krn_kind_link_find(value->object.members[i].name,
					       false) ||
			    live_has_link(&value->object.members[i].value))
				return true;
	return false;
}

/* A free-form value with names in place of ids. */
static enum krn_err
live_names(struct krn_arena *arena, const struct krn_live *live,
	   const struct krn_value *from, bool is_link, struct krn_value *ret,
	   struct krn_error *err)
{
	enum krn_err e;

	*ret = *from;
	if (is_link && from->type == KRN_VALUE_STRING)
		*ret = live_name(live, from);
	if (from->type == KRN_VALUE_ARRAY) {
		struct krn_value *items =
		    krn_arena_calloc(arena, from->array.nr, sizeof(*items));

		if (!items)
			return krn_arena_fail(arena, err);
		for (size_t i = 0; i < from->array.nr; i++)
			if ((e = live_names(arena, live, &from->array.items[i],
					    is_link, &items[i], err)))
				return e;
		ret->array.items = items;
	}
	if (from->type != KRN_VALUE_OBJECT)
		return KRN_OK;
	struct krn_member *members =
	    krn_arena_calloc(arena, from->object.nr, sizeof(*members));

	if (!members)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < from->object.nr; i++) {
		const struct krn_member *member = &from->object.members[i];
		const struct krn_kind_link *link =
		    krn_kind_link_find(member->name, false);

		members[i].name = link ? krn_str_c(link->ref) : member->name;
		if ((e = live_names(arena, live, &member->value, link != NULL,
				    &members[i].value, err)))
			return e;
	}
	ret->object.members = members;
	return KRN_OK;
}

/* Names in place of the ids in the free-form values of a resource. */
static enum krn_err
live_name_resource(struct krn_arena *arena, const struct krn_live *live,
		   struct krn_resource *resource, struct krn_error *err)
{
	const struct krn_kind *kind = &krn_kinds[resource->kind];
	enum krn_err e;

	for (size_t i = 0; i < kind->fields_nr; i++) {
		const enum krn_kind_type type = kind->fields[i].type;
		const struct krn_value from = resource->values[i];

		if (type == KRN_TYPE_REFERENCE || type == KRN_TYPE_SCOPE)
			continue;
		if (live_has_link(&from) &&
		    (e = live_names(arena, live, &from, false,
				    &resource->values[i], err)))
			return e;
	}
	return KRN_OK;
}

/* Is it the placement of a policy? That is a text, whatever it looks like. */
static bool
live_is_placement(const struct krn_resource *resource)
{
	const struct krn_value *scope = krn_resource_get(resource, "scope");

	return scope && scope->type == KRN_VALUE_STRING &&
	       krn_scope_kind(scope->string) == KRN_REF_PLACEMENT;
}

/* Names in place of the ids in the columns of a resource, and its own. */
static enum krn_err
live_identify(struct krn_arena *arena, const struct krn_live *live,
	      struct krn_resource *resource, struct krn_error *err)
{
	const struct krn_kind *kind = &krn_kinds[resource->kind];

	for (size_t i = 0; i < kind->fields_nr; i++)
		if (kind->fields[i].type == KRN_TYPE_REFERENCE ||
		    (kind->fields[i].type == KRN_TYPE_SCOPE &&
		     !live_is_placement(resource)))
			resource->values[i] =
			    live_name(live, &resource->values[i]);
	return krn_resource_identify(arena, resource, err);
}

/*
 * Names for all, kind by kind. Where an identity has a parent, the order is
 * not that of the rows, and what refers to an object names it so.
 */
static enum krn_err
live_name_all(struct krn_arena *arena, struct krn_live *live, bool sort,
	      struct krn_error *err)
{
	size_t begin = 0, end = 0;
	enum krn_err e;

	for (int kind = 0; kind < KRN_KIND__MAX; kind++, begin = end) {
		while (end < live->nr &&
		       (int)live->resources[end].kind == kind) {
			if ((e = live_identify(arena, live,
					       &live->resources[end], err)))
				return e;
			end++;
		}
		if ((!sort && !krn_kinds[kind].within) || begin == end)
			continue;
		qsort(&live->resources[begin], end - begin,
		      sizeof(*live->resources), live_resource_order);
		for (size_t i = begin; i < end && krn_kinds[kind].within; i++) {
			struct krn_live_id *found =
			    live_id_find(live, live->resources[i].id);

			KRN_BUG_IF(!found);
			found->name = live->resources[i].name;
		}
	}
	/* a free-form value may name what comes after its owner */
	for (size_t i = 0; i < live->nr; i++)
		if ((e = live_name_resource(arena, live, &live->resources[i],
					    err)))
			return e;
	return KRN_OK;
}

/* The segments among the ids, in the order of their names. */
static enum krn_err
live_segments(struct krn_arena *arena, struct krn_live *live,
	      const struct krn_rows *rows, struct krn_error *err)
{
	live->segments_nr = krn_rows_nr(rows);
	live->segments = krn_arena_calloc(arena, live->segments_nr + 1,
					  sizeof(*live->segments));
	if (!live->segments)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < live->segments_nr; i++)
		live->segments[i] = (struct krn_live_id){
		    krn_rows_str(rows, i, 0), krn_rows_str(rows, i, 1)};
	qsort(live->segments, live->segments_nr, sizeof(*live->segments),
	      live_segment_order);
	return KRN_OK;
}

enum krn_err
krn_live_read(struct krn_arena *arena, struct krn_db *db,
	      const struct krn_live_options *options, struct krn_live *ret,
	      struct krn_error *err)
{
	const struct krn_live_id *renamed = options ? options->renamed : NULL;
	struct live_read read = {.arena = arena,
				 .db = db,
				 .live = ret,
				 .names_only =
				     options ? options->names_only : 0};
	const struct krn_rows *segments;
	enum krn_err e;

	*ret = (struct krn_live){.resources = NULL};
	if ((e = krn_db_exec(db, KRN_STMT_segment_names, NULL, &segments, err)))
		return e;
	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		if ((e = live_read_kind(&read, (enum krn_kind_id)kind, err)))
			return e;
	ret->ids = krn_arena_calloc(arena, ret->nr + krn_rows_nr(segments) + 1,
				    sizeof(*ret->ids));
	if (!ret->ids)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < ret->nr; i++) {
		struct krn_resource *r = &ret->resources[i];

		if (renamed && krn_str_eq(r->id, renamed->id))
			r->title = renamed->name;
		ret->ids[ret->ids_nr++] = (struct krn_live_id){r->id, r->title};
	}
	for (size_t i = 0; i < krn_rows_nr(segments); i++)
		ret->ids[ret->ids_nr++] = (struct krn_live_id){
		    krn_rows_str(segments, i, 0), krn_rows_str(segments, i, 1)};
	if ((e = live_segments(arena, ret, segments, err)))
		return e;
	qsort(ret->ids, ret->ids_nr, sizeof(*ret->ids), live_id_order);
	return live_name_all(arena, ret, renamed != NULL, err);
}

const struct krn_resource *
krn_resources_find(const struct krn_resource *list, size_t nr,
		   enum krn_kind_id kind, struct krn_str name)
{
	size_t low = 0, high = nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct krn_resource *at = &list[middle];
		const int order = at->kind != kind
				      ? (at->kind < kind ? -1 : 1)
				      : krn_str_cmp(at->name, name);

		if (order == 0)
			return at;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct krn_resource *
krn_live_find(const struct krn_live *live, enum krn_kind_id kind,
	      struct krn_str name)
{
	return krn_resources_find(live->resources, live->nr, kind, name);
}

const struct krn_resource *
krn_live_find_id(const struct krn_live *live, enum krn_kind_id kind,
		 struct krn_str id)
{
	const struct krn_live_id *named = live_id_find(live, id);
	const struct krn_resource *found =
	    named ? krn_live_find(live, kind, named->name) : NULL;

	return found && krn_str_eq(found->id, id) ? found : NULL;
}

struct krn_str
krn_live_segment_name(const struct krn_live *live, struct krn_str id)
{
	const struct krn_live_id *named = live_id_find(live, id);
	const struct krn_str none = {NULL, 0};

	return named && krn_str_eq(krn_live_segment(live, named->name), id)
		   ? named->name
		   : none;
}

struct krn_str
krn_live_segment(const struct krn_live *live, struct krn_str name)
{
	const struct krn_live_id key = {.name = name};
	const struct krn_live_id *found =
	    bsearch(&key, live->segments, live->segments_nr, sizeof(key),
		    live_segment_order);

	return found ? found->id : (struct krn_str){NULL, 0};
}
