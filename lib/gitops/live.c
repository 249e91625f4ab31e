/*
 * Reading the live configuration.
 */

#include "base/base.h"

#include "gitops/live.h"

#include "base/clock.h"
#include "base/json_in.h"

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

/* A text of a row's document; .s NULL: null. */
static struct krn_str
live_text(const struct krn_value *document, const char *column)
{
	const struct krn_value *value = krn_value_find(document, column);

	return value && value->type == KRN_VALUE_STRING
		   ? value->string
		   : (struct krn_str){NULL, 0};
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

static enum krn_err
live_value(struct krn_arena *arena, const struct krn_live *live,
	   const struct krn_kind_field *field, const struct krn_value *from,
	   struct krn_value *ret, struct krn_error *err)
{
	char text[KRN_TIME_TEXT_BYTES];
	int64_t us;
	enum krn_err e;

	*ret = from ? *from : krn_value_null();
	switch (field->type) {
	case KRN_TYPE_REFERENCE:
	case KRN_TYPE_SCOPE:
		*ret = live_name(live, from);
		return KRN_OK;
	case KRN_TYPE_ARRAY:
	case KRN_TYPE_OBJECT:
		return live_names(arena, live, from, false, ret, err);
	case KRN_TYPE_TIME:
		if (ret->type != KRN_VALUE_STRING)
			return KRN_OK;
		if ((e = krn_time_parse(ret->string, &us, err)))
			return e;
		krn_time_format(us, text);
		*ret = krn_value_str(krn_str_dup(arena, krn_str_c(text)));
		return ret->string.s ? KRN_OK : krn_arena_fail(arena, err);
	case KRN_TYPE_STRING:
	case KRN_TYPE_INT:
	case KRN_TYPE_DOUBLE:
	case KRN_TYPE_BOOL:
	case KRN_TYPE_CHOICE:
		break;
	}
	return KRN_OK;
}

/* One row of kind_read: id, name, version, document. */
static enum krn_err
live_resource(struct krn_arena *arena, struct krn_live *live,
	      enum krn_kind_id kind, const struct krn_rows *rows, size_t row,
	      struct krn_error *err)
{
	const struct krn_kind *table = &krn_kinds[kind];
	struct krn_resource *resource = &live->resources[live->nr];
	struct krn_value document;
	enum krn_err e;

	*resource = (struct krn_resource){
	    .kind = kind,
	    .title = krn_rows_str(rows, row, 1),
	    .values = krn_arena_calloc(arena, table->fields_nr,
				       sizeof(struct krn_value)),
	    .id = krn_rows_str(rows, row, 0),
	    .version = krn_rows_int(rows, row, 2),
	    .place = SIZE_MAX,
	};
	if (!resource->values)
		return krn_arena_fail(arena, err);
	if ((e = krn_json_parse_stored(arena, krn_rows_str(rows, row, 3),
				       &document, err)))
		return e;
	for (size_t i = 0; i < table->fields_nr; i++)
		if ((e = live_value(
			 arena, live, &table->fields[i],
			 krn_value_find(&document, table->fields[i].column),
			 &resource->values[i], err)))
			return e;
	resource->changed_by = live_text(&document, "changed_by");
	resource->changed_at = live_text(&document, "updated_at");
	resource->changed_audit_id = live_text(&document, "changed_audit_id");
	live->nr++;
	return krn_resource_identify(arena, resource, err);
}

static void
live_add_ids(struct krn_live *live, const struct krn_rows *rows)
{
	for (size_t i = 0; i < krn_rows_nr(rows); i++)
		live->ids[live->ids_nr++] = (struct krn_live_id){
		    krn_rows_str(rows, i, 0), krn_rows_str(rows, i, 1)};
}

/*
 * The resources of one kind. Where an identity has a parent, their order is
 * not that of the rows, and what refers to an object names it so.
 */
static enum krn_err
live_kind(struct krn_arena *arena, struct krn_live *live,
	  enum krn_kind_id kind, const struct krn_rows *rows,
	  struct krn_error *err)
{
	struct krn_resource *first = &live->resources[live->nr];
	const size_t nr = krn_rows_nr(rows);
	enum krn_err e;

	for (size_t i = 0; i < nr; i++)
		if ((e = live_resource(arena, live, kind, rows, i, err)))
			return e;
	if (!krn_kinds[kind].within || nr == 0)
		return KRN_OK;
	qsort(first, nr, sizeof(*first), live_resource_order);
	for (size_t i = 0; i < nr; i++) {
		struct krn_live_id *found = live_id_find(live, first[i].id);

		KRN_BUG_IF(!found);
		found->name = first[i].name;
	}
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
krn_live_read(struct krn_arena *arena, struct krn_db *db, struct krn_live *ret,
	      struct krn_error *err)
{
	const struct krn_rows *rows[KRN_KIND__MAX], *segments;
	size_t nr = 0;
	enum krn_err e;

	for (int kind = 0; kind < KRN_KIND__MAX; kind++) {
		const struct krn_str table = krn_str_c(krn_kinds[kind].table);

		krn_db_send_named(db, KRN_STMT_kind_read, &table, NULL,
				  &rows[kind]);
	}
	krn_db_send(db, KRN_STMT_segment_names, NULL, &segments);
	if ((e = krn_db_flush(db, err)))
		return e;
	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		nr += krn_rows_nr(rows[kind]);
	*ret = (struct krn_live){
	    .resources = krn_arena_calloc(arena, nr, sizeof(*ret->resources)),
	    .ids = krn_arena_calloc(arena, nr + krn_rows_nr(segments),
				    sizeof(*ret->ids)),
	};
	if (!ret->resources || !ret->ids)
		return krn_arena_fail(arena, err);
	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		live_add_ids(ret, rows[kind]);
	live_add_ids(ret, segments);
	if ((e = live_segments(arena, ret, segments, err)))
		return e;
	if (ret->ids_nr)
		qsort(ret->ids, ret->ids_nr, sizeof(*ret->ids), live_id_order);
	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		if ((e = live_kind(arena, ret, (enum krn_kind_id)kind,
				   rows[kind], err)))
			return e;
	return KRN_OK;
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

struct krn_str
krn_live_segment(const struct krn_live *live, struct krn_str name)
{
	const struct krn_live_id key = {.name = name};
	const struct krn_live_id *found =
	    bsearch(&key, live->segments, live->segments_nr, sizeof(key),
		    live_segment_order);

	return found ? found->id : (struct krn_str){NULL, 0};
}
