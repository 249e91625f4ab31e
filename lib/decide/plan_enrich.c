/*
 * Node enrich: columns of the tenant's data schemas as attributes.
 */

#include "base/base.h"

#include "decide/plan_private.h"

/* A day: see the kinds of caches in the document. */
#define TTL_MAX 86400

/* A source as it is read. */
struct enrich_read {
	struct plan_build *build;
	struct krn_str node; /* its id */
	struct krn_str prefix;
	const struct krn_value *schema; /* of the document */
};

static enum krn_err
enrich_add(struct enrich_read *read, struct krn_str field,
	   enum krn_attribute_type type)
{
	struct plan_build *build = read->build;
	const struct krn_str name =
	    read->prefix.len
		? krn_str_printf(build->arena, "%.*s.%.*s",
				 KRN_STR_ARG(read->prefix), KRN_STR_ARG(field))
		: field;

	if (!name.s)
		return krn_arena_fail(build->arena, build->err);
	if (plan_attribute(build, name))
		return plan_refuse(build,
				   "node \"%.*s\": the attribute \"%.*s\" is "
				   "there already: give it a prefix",
				   KRN_STR_ARG(read->node), KRN_STR_ARG(name));
	if (build->enriched_nr == KRN_PLAN_ENRICHED_MAX)
		return plan_refuse(build, "more than %d enriched attributes",
				   KRN_PLAN_ENRICHED_MAX);
	if (!build->enriched)
		build->enriched =
		    krn_arena_calloc(build->arena, KRN_PLAN_ENRICHED_MAX,
				     sizeof(*build->enriched));
	if (!build->enriched)
		return krn_arena_fail(build->arena, build->err);
	build->enriched[build->enriched_nr++] = (struct krn_attribute){
	    name, type, (uint32_t)build->plan->sources_nr, field};
	return KRN_OK;
}

/* The columns that the source names, or all but the id. */
static enum krn_err
enrich_fields(struct enrich_read *read, const struct krn_value *fields)
{
	const struct krn_value *columns = plan_list(read->schema, "columns");
	const struct krn_str id = plan_text(read->schema, "idColumn");
	struct plan_build *build = read->build;
	size_t found = 0;
	enum krn_err e;

	for (size_t i = 0; columns && i < columns->array.nr; i++) {
		const struct krn_value *column = &columns->array.items[i];
		const struct krn_str name = plan_text(column, "name");

		if (fields ? !plan_list_has(fields, name)
			   : krn_str_eq(name, id))
			continue;
		found++;
		if ((e = enrich_add(
			 read, name,
			 krn_attribute_type_parse(plan_text(column, "type")))))
			return e;
	}
	if (fields && found < fields->array.nr)
		return plan_refuse(
		    build,
		    "node \"%.*s\": the schema \"%.*s\" has not "
		    "all of the fields, or they are repeated",
		    KRN_STR_ARG(read->node),
		    KRN_STR_ARG(plan_text(read->schema, "name")));
	return KRN_OK;
}

/* What any source must be, whichever schema it names. */
static enum krn_err
enrich_check(struct enrich_read *read, const struct krn_value *from)
{
	static const char *const texts[] = {"schemaId", "prefix"};
	const struct krn_value *fields = krn_value_find(from, "fields");
	const struct krn_value *ttl = krn_value_find(from, "cacheTtlSeconds");
	struct plan_build *build = read->build;
	bool is_good = !fields || fields->type == KRN_VALUE_NULL ||
		       fields->type == KRN_VALUE_ARRAY;

	for (size_t i = 0;
	     fields && fields->type == KRN_VALUE_ARRAY && i < fields->array.nr;
	     i++)
		is_good &= fields->array.items[i].type == KRN_VALUE_STRING;
	if (!is_good)
		return plan_refuse(build,
				   "node \"%.*s\": fields must be a list of "
				   "names",
				   KRN_STR_ARG(read->node));
	for (size_t i = 0; i < KRN_NR(texts); i++) {
		const struct krn_value *text = krn_value_find(from, texts[i]);

		if (text && text->type != KRN_VALUE_NULL &&
		    text->type != KRN_VALUE_STRING)
			return plan_refuse(build,
					   "node \"%.*s\": %s must be a string",
					   KRN_STR_ARG(read->node), texts[i]);
	}
	if (!plan_text(from, "schemaId").len)
		return plan_refuse(build,
				   "node \"%.*s\": a source needs a schemaId",
				   KRN_STR_ARG(read->node));
	if (ttl && ttl->type != KRN_VALUE_NULL &&
	    (ttl->type != KRN_VALUE_INT || ttl->integer < 0 ||
	     ttl->integer > TTL_MAX))
		return plan_refuse(build,
				   "node \"%.*s\": cacheTtlSeconds must be 0 "
				   "to %d",
				   KRN_STR_ARG(read->node), TTL_MAX);
	return KRN_OK;
}

static enum krn_err
enrich_source(struct enrich_read *read, const struct krn_value *from)
{
	struct plan_build *build = read->build;
	const struct krn_value *schemas = plan_list(build->config, "schemas");
	const struct krn_str id = plan_text(from, "schemaId");
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	if ((e = enrich_check(read, from)))
		return e;
	read->prefix = plan_text(from, "prefix");
	read->schema = NULL;
	for (size_t i = 0; schemas && i < schemas->array.nr; i++) {
		const struct krn_value *schema = &schemas->array.items[i];

		if (krn_str_eq(plan_text(schema, "id"), id) ||
		    krn_str_eq(plan_text(schema, "name"), id))
			read->schema = schema;
	}
	if (!read->schema && build->is_check)
		return KRN_OK;
	if (!read->schema)
		return plan_refuse(build, "node \"%.*s\": no schema \"%.*s\"",
				   KRN_STR_ARG(read->node), KRN_STR_ARG(id));
	if (plan->sources_nr == KRN_PLAN_SOURCES_MAX)
		return plan_refuse(build, "more than %d sources to enrich from",
				   KRN_PLAN_SOURCES_MAX);
	plan->sources[plan->sources_nr++] =
	    (struct krn_plan_table){plan_text(read->schema, "name"),
				    plan_text(read->schema, "tableName"),
				    plan_text(read->schema, "idColumn")};
	return enrich_fields(read, plan_list(from, "fields"));
}

enum krn_err
plan_read_enrich(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_value *list = krn_value_find(config, "sources");
	const struct krn_str key = plan_text(config, "lookupKey");
	struct enrich_read read = {
	    build, plan_text(node, "id"), {NULL, 0}, NULL};
	enum krn_err e;

	if (key.len && !krn_str_eq_c(key, "customer_id"))
		return plan_refuse(build,
				   "node \"%.*s\": lookupKey \"%.*s\" is not "
				   "supported: schemas are joined by their id",
				   KRN_STR_ARG(read.node), KRN_STR_ARG(key));
	if (list && list->type != KRN_VALUE_NULL &&
	    list->type != KRN_VALUE_ARRAY)
		return plan_refuse(build,
				   "node \"%.*s\": sources must be a list",
				   KRN_STR_ARG(read.node));
	for (size_t i = 0;
	     list && list->type == KRN_VALUE_ARRAY && i < list->array.nr; i++)
		if ((e = enrich_source(&read, &list->array.items[i])))
			return e;
	return KRN_OK;
}
