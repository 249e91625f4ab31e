/*
 * The body of a change as a spec: names in place of ids.
 */

#include "base/base.h"

#include "gitops/edit_private.h"

#include "gitops/export.h"

/* Members that are no field of the kind's table. */
static bool
edit_is_own_member(const struct edit *edit, struct krn_str name)
{
	return krn_str_eq_c(name, "name") ||
	       (edit->what->kind == KRN_KIND_FLOW &&
		krn_str_eq_c(name, "rowVersion"));
}

static void KRN_PRINTF(3, 4)
    edit_problem(struct edit *edit, const char *field, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	krn_format_v(text, sizeof(text), format, args);
	va_end(args);
	krn_problem_add(edit->find.problems, field, "%s", text);
}

/* The name of what an id of a kind stands for; the id when that is a problem.
 */
static struct krn_value
edit_name_of(struct edit *edit, const char *field, enum krn_kind_id kind,
	     const struct krn_value *id)
{
	const struct krn_resource *found;

	if (id->type == KRN_VALUE_NULL)
		return *id;
	if (id->type != KRN_VALUE_STRING) {
		edit_problem(edit, field, "must be the id of a %s, not a %s",
			     krn_kinds[kind].name,
			     krn_value_type_name(id->type));
		return *id;
	}
	found = krn_live_find_id(&edit->live, kind, id->string);
	if (!found)
		edit_problem(edit, field,
			     "there is no %s with the id \"%.100s\"",
			     krn_kinds[kind].name, id->string.s);
	return found ? krn_value_str(found->name) : *id;
}

static enum krn_err edit_links(struct edit *edit, const char *field,
			       const struct krn_value *from,
			       struct krn_value *ret, struct krn_error *err);

/* What a link's member holds: an id, or a list of them. */
static enum krn_err
edit_link(struct edit *edit, const char *field,
	  const struct krn_kind_link *link, const struct krn_value *from,
	  struct krn_value *ret, struct krn_error *err)
{
	struct krn_value *items;

	if (from->type != KRN_VALUE_ARRAY) {
		*ret = edit_name_of(edit, field, link->kind, from);
		return KRN_OK;
	}
	items = krn_arena_calloc(edit->find.arena, from->array.nr + 1,
				 sizeof(*items));
	if (!items)
		return krn_arena_fail(edit->find.arena, err);
	for (size_t i = 0; i < from->array.nr; i++)
		items[i] = edit_name_of(edit, field, link->kind,
					&from->array.items[i]);
	*ret = (struct krn_value){.type = KRN_VALUE_ARRAY,
				  .array = {items, from->array.nr}};
	return KRN_OK;
}

static enum krn_err
edit_links_object(struct edit *edit, const char *field,
		  const struct krn_value *from, struct krn_value *ret,
		  struct krn_error *err)
{
	struct krn_member *members = krn_arena_calloc(
	    edit->find.arena, from->object.nr + 1, sizeof(*members));
	enum krn_err e = KRN_OK;

	if (!members)
		return krn_arena_fail(edit->find.arena, err);
	for (size_t i = 0; !e && i < from->object.nr; i++) {
		const struct krn_member *member = &from->object.members[i];
		const struct krn_kind_link *link =
		    krn_kind_link_find(member->name, false);
		const struct krn_kind_link *named =
		    krn_kind_link_find(member->name, true);

		if (named)
			edit_problem(edit, field,
				     "%s is written as %s here, by id",
				     named->ref, named->id);
		members[i].name = link ? krn_str_c(link->ref) : member->name;
		e = link ? edit_link(edit, field, link, &member->value,
				     &members[i].value, err)
			 : edit_links(edit, field, &member->value,
				      &members[i].value, err);
	}
	*ret = (struct krn_value){.type = KRN_VALUE_OBJECT,
				  .object = {members, from->object.nr}};
	return e;
}

/* A free-form value with names in place of ids. */
static enum krn_err
edit_links(struct edit *edit, const char *field, const struct krn_value *from,
	   struct krn_value *ret, struct krn_error *err)
{
	struct krn_value *items;
	enum krn_err e = KRN_OK;

	*ret = *from;
	if (from->type == KRN_VALUE_OBJECT)
		return edit_links_object(edit, field, from, ret, err);
	if (from->type != KRN_VALUE_ARRAY)
		return KRN_OK;
	items = krn_arena_calloc(edit->find.arena, from->array.nr + 1,
				 sizeof(*items));
	if (!items)
		return krn_arena_fail(edit->find.arena, err);
	for (size_t i = 0; !e && i < from->array.nr; i++)
		e = edit_links(edit, field, &from->array.items[i], &items[i],
			       err);
	ret->array.items = items;
	return e;
}

/* What the scope's id stands for; the scope may be the live one. */
static struct krn_value
edit_scope(struct edit *edit, const struct krn_value *id)
{
	const struct krn_value *scope =
	    krn_value_find(edit->what->fields, "scope");
	struct krn_str name;
	int kind = KRN_REF_UNKNOWN;

	if (!scope && edit->before)
		scope = krn_resource_get(edit->before, "scope");
	if (scope && scope->type == KRN_VALUE_STRING)
		kind = krn_scope_kind(scope->string);
	if (kind >= 0)
		return edit_name_of(edit, "scopeId", (enum krn_kind_id)kind,
				    id);
	if (kind != KRN_REF_SEGMENT || id->type != KRN_VALUE_STRING)
		return *id;
	name = krn_live_segment_name(&edit->live, id->string);
	if (!name.s)
		edit_problem(edit, "scopeId",
			     "there is no segment with the id \"%.100s\"",
			     id->string.s);
	return name.s ? krn_value_str(name) : *id;
}

/* One field of the kind as the body has it. */
static enum krn_err
edit_field(struct edit *edit, const struct krn_kind_field *field,
	   const struct krn_value *from, struct krn_value *ret,
	   struct krn_error *err)
{
	char name[KRN_FIELD_NAME_BYTES];

	switch (field->type) {
	case KRN_TYPE_REFERENCE:
		*ret = edit_name_of(edit, krn_field_api_name(field->name, name),
				    field->reference, from);
		return KRN_OK;
	case KRN_TYPE_SCOPE:
		*ret = edit_scope(edit, from);
		return KRN_OK;
	case KRN_TYPE_ARRAY:
	case KRN_TYPE_OBJECT:
		return edit_links(edit, field->name, from, ret, err);
	case KRN_TYPE_STRING:
	case KRN_TYPE_INT:
	case KRN_TYPE_DOUBLE:
	case KRN_TYPE_BOOL:
	case KRN_TYPE_TIME:
	case KRN_TYPE_CHOICE:
		break;
	}
	*ret = *from;
	return KRN_OK;
}

/* Members that the kind does not have. */
static void
edit_check_unknown(struct edit *edit)
{
	const struct krn_value *fields = edit->what->fields;
	char name[KRN_FIELD_NAME_BYTES];

	for (size_t i = 0; i < fields->object.nr; i++) {
		const struct krn_str given = fields->object.members[i].name;
		size_t best = 4, nearest = edit->kind->fields_nr;
		bool is_known = edit_is_own_member(edit, given);

		for (size_t k = 0; !is_known && k < edit->kind->fields_nr;
		     k++) {
			const size_t distance = krn_str_distance(
			    given, krn_str_c(krn_field_api_name(
				       edit->kind->fields[k].name, name)));

			is_known = krn_str_eq_c(given, name);
			if (distance < best) {
				best = distance;
				nearest = k;
			}
		}
		if (is_known)
			continue;
		if (nearest < edit->kind->fields_nr)
			edit_problem(
			    edit, given.s,
			    "unknown field; did you mean \"%s\"?",
			    krn_field_api_name(edit->kind->fields[nearest].name,
					       name));
		else
			edit_problem(edit, given.s, "unknown field");
	}
}

enum krn_err
edit_spec(struct edit *edit, struct krn_value *ret, struct krn_error *err)
{
	const struct krn_kind *kind = edit->kind;
	struct krn_member *members = krn_arena_calloc(
	    edit->find.arena, kind->fields_nr, sizeof(*members));
	char name[KRN_FIELD_NAME_BYTES];
	size_t nr = 0;
	enum krn_err e = KRN_OK;

	if (!members)
		return krn_arena_fail(edit->find.arena, err);
	edit_check_unknown(edit);
	for (size_t i = 0; !e && i < kind->fields_nr; i++) {
		const struct krn_kind_field *field = &kind->fields[i];
		const struct krn_value *given = krn_value_find(
		    edit->what->fields, krn_field_api_name(field->name, name));

		if (!given && !edit->before)
			continue; /* its default */
		members[nr].name = krn_str_c(field->name);
		if (given)
			e = edit_field(edit, field, given, &members[nr].value,
				       err);
		else
			members[nr].value = edit->before->values[i];
		nr++;
	}
	*ret = (struct krn_value){.type = KRN_VALUE_OBJECT,
				  .object = {members, nr}};
	return e;
}
