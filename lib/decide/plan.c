/*
 * Compiling a plan: offers, channels, pairs. The flow is in plan_flow.c, its
 * nodes are in plan_filter.c, plan_creative.c and plan_score.c, the rules and
 * policies in plan_rule.c and plan_policy.c.
 */

#include "base/base.h"

#include "decide/plan.h"

#include "decide/plan_private.h"

struct krn_str
plan_text(const struct krn_value *object, const char *name)
{
	const struct krn_value *value = krn_value_find(object, name);

	return value && value->type == KRN_VALUE_STRING ? value->string
							: KRN_STR("");
}

enum krn_err
plan_refuse(struct plan_build *build, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	krn_format_v(text, sizeof(text), format, args);
	va_end(args);
	return krn_refuse(build->err, KRN_ERR_INVALID, "%s", text);
}

enum krn_attribute_type
krn_attribute_type_parse(struct krn_str name)
{
	if (krn_str_eq_c(name, "bigint") || krn_str_eq_c(name, "integer") ||
	    krn_str_eq_c(name, "smallint"))
		return KRN_ATTRIBUTE_INT;
	if (krn_str_eq_c(name, "double precision") ||
	    krn_str_eq_c(name, "real") ||
	    krn_str_has_prefix(name, KRN_STR("numeric")))
		return KRN_ATTRIBUTE_DOUBLE;
	if (krn_str_eq_c(name, "boolean"))
		return KRN_ATTRIBUTE_BOOL;
	if (krn_str_eq_c(name, "date") ||
	    krn_str_has_prefix(name, KRN_STR("timestamp")))
		return KRN_ATTRIBUTE_TIME;
	return KRN_ATTRIBUTE_TEXT;
}

const struct krn_attribute *
plan_attribute(const struct plan_build *build, struct krn_str name)
{
	for (size_t i = 0; i < build->attributes_nr; i++)
		if (krn_str_eq(build->attributes[i].name, name))
			return &build->attributes[i];
	for (size_t i = 0; i < build->enriched_nr; i++)
		if (krn_str_eq(build->enriched[i].name, name))
			return &build->enriched[i];
	return NULL;
}

enum krn_err
plan_column(struct plan_build *build, struct krn_str name, int *ret,
	    struct krn_error *err)
{
	const struct krn_attribute *attribute;
	struct krn_plan *plan = build->plan;

	*ret = -1;
	for (size_t i = 0; i < plan->columns_nr; i++)
		if (krn_str_eq(plan->columns[i].name, name)) {
			*ret = (int)i;
			return KRN_OK;
		}
	attribute = plan_attribute(build, name);
	if (!attribute)
		return KRN_OK;
	if (!plan->columns)
		plan->columns = krn_arena_calloc(
		    build->arena, build->attributes_nr + KRN_PLAN_ENRICHED_MAX,
		    sizeof(*plan->columns));
	if (!plan->columns)
		return krn_arena_fail(build->arena, err);
	*ret = (int)plan->columns_nr;
	plan->columns[plan->columns_nr] = *attribute;
	if (!attribute->source)
		plan->columns[plan->columns_nr].field = attribute->name;
	plan->columns_nr++;
	return KRN_OK;
}

/* An array member of the configuration; empty when it is absent. */
static const struct krn_value *
plan_array(const struct krn_value *config, const char *name)
{
	static const struct krn_value empty = {.type = KRN_VALUE_ARRAY};
	const struct krn_value *value = krn_value_find(config, name);

	return value && value->type == KRN_VALUE_ARRAY ? value : &empty;
}

static double
plan_number(const struct krn_value *object, const char *name, double otherwise)
{
	double number;

	return krn_value_number(krn_value_find(object, name), &number)
		   ? number
		   : otherwise;
}

static int
plan_offer_id_order(const void *a, const void *b)
{
	return krn_str_cmp(((const struct krn_plan_offer *)a)->id,
			   ((const struct krn_plan_offer *)b)->id);
}

static int
plan_channel_id_order(const void *a, const void *b)
{
	return krn_str_cmp(((const struct krn_plan_channel *)a)->id,
			   ((const struct krn_plan_channel *)b)->id);
}

static enum krn_err
plan_read_offers(struct plan_build *build)
{
	const struct krn_value *list = plan_array(build->config, "offers");
	struct krn_plan *plan = build->plan;

	plan->offers = krn_arena_calloc(build->arena, list->array.nr,
					sizeof(*plan->offers));
	if (!plan->offers)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < list->array.nr; i++) {
		const struct krn_value *from = &list->array.items[i];
		const struct krn_value *mandatory =
		    krn_value_find(from, "mandatory");

		plan->offers[plan->offers_nr++] = (struct krn_plan_offer){
		    .id = plan_text(from, "id"),
		    .name = plan_text(from, "name"),
		    .row = from,
		    .category_id = plan_text(from, "categoryId"),
		    .category_name = plan_text(from, "categoryName"),
		    .sub_category_id = plan_text(from, "subCategoryId"),
		    .priority = plan_number(from, "priority", 50),
		    .business_value = plan_number(from, "businessValue", 0),
		    .mandatory = mandatory &&
				 mandatory->type == KRN_VALUE_BOOL &&
				 mandatory->boolean,
		    .is_candidate = true, /* the inventory says */
		};
	}
	if (plan->offers_nr)
		qsort(plan->offers, plan->offers_nr, sizeof(*plan->offers),
		      plan_offer_id_order);
	return KRN_OK;
}

/* Is the id in an array of strings? */
static bool
plan_has(const struct krn_value *array, struct krn_str id)
{
	for (size_t i = 0; i < array->array.nr; i++)
		if (array->array.items[i].type == KRN_VALUE_STRING &&
		    krn_str_eq(array->array.items[i].string, id))
			return true;
	return false;
}

static enum krn_err
plan_read_channels(struct plan_build *build)
{
	const struct krn_value *list = plan_array(build->config, "channels");
	const struct krn_value *asked = plan_array(build->config, "channelIds");
	struct krn_plan *plan = build->plan;

	plan->channels = krn_arena_calloc(build->arena, list->array.nr,
					  sizeof(*plan->channels));
	if (!plan->channels)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < list->array.nr; i++) {
		const struct krn_value *from = &list->array.items[i];
		const struct krn_str id = plan_text(from, "id");

		plan->channels[plan->channels_nr++] = (struct krn_plan_channel){
		    .id = id,
		    .name = plan_text(from, "name"),
		    .row = from,
		    .is_candidate =
			krn_str_eq_c(plan_text(from, "status"), "active") &&
			krn_str_eq_c(plan_text(from, "deliveryMode"), "file") &&
			(asked->array.nr == 0 || plan_has(asked, id)),
		};
	}
	if (plan->channels_nr)
		qsort(plan->channels, plan->channels_nr,
		      sizeof(*plan->channels), plan_channel_id_order);
	return KRN_OK;
}

/*
 * Places of equal scores: counted, not sorted; the lists are short. Only
 * candidates have one: deleted offers may be many and share their names.
 */
static void
plan_order(struct krn_plan *plan)
{
	for (size_t i = 0; i < plan->offers_nr; i++)
		for (size_t k = 0; k < plan->offers_nr; k++) {
			const struct krn_plan_offer *a = &plan->offers[i];
			const struct krn_plan_offer *b = &plan->offers[k];

			if (!a->is_candidate)
				break;
			if (!b->is_candidate)
				continue;
			if (b->priority > a->priority ||
			    (b->priority == a->priority &&
			     krn_str_cmp(b->name, a->name) < 0))
				plan->offers[i].order++;
		}
	for (size_t i = 0; i < plan->channels_nr; i++)
		for (size_t k = 0; k < plan->channels_nr; k++)
			if (krn_str_cmp(plan->channels[k].name,
					plan->channels[i].name) < 0)
				plan->channels[i].order++;
}

static enum krn_err
plan_constrain_offers(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	enum krn_err e;

	for (size_t i = 0; i < plan->offers_nr; i++)
		if (plan->offers[i].is_candidate &&
		    (e = plan_read_constraints(build, &plan->offers[i])))
			return e;
	return KRN_OK;
}

enum krn_err
krn_plan_compile(struct krn_arena *arena, const struct krn_value *config,
		 const struct krn_attribute *attributes, size_t attributes_nr,
		 const struct krn_plan_times *times,
		 const struct krn_plan **ret, struct krn_error *err)
{
	struct krn_plan *plan = krn_arena_make(arena, struct krn_plan);
	struct plan_build build = {
	    .arena = arena,
	    .config = config,
	    .attributes = attributes,
	    .attributes_nr = attributes_nr,
	    .plan = plan,
	    .err = err,
	};
	enum krn_err e;

	if (!plan)
		return krn_arena_fail(arena, err);
	plan->times = *times;
	if ((e = plan_read_offers(&build)) ||
	    (e = plan_read_channels(&build)) || (e = plan_read_flow(&build)))
		return e;
	plan_order(plan);
	plan_weigh_offers(plan);
	if ((e = plan_constrain_offers(&build)) ||
	    (e = plan_read_rules(&build)) ||
	    (e = plan_resolve_models(&build)) || (e = plan_learn(&build)) ||
	    (e = plan_read_policies(&build)) || (e = plan_make_pairs(&build)) ||
	    (e = plan_match_filters(&build)) ||
	    (e = plan_match_creatives(&build)) ||
	    (e = plan_match_weights(&build)) ||
	    (e = plan_match_properties(&build)) ||
	    (e = plan_match_pairs(&build)))
		return e;
	*ret = plan;
	return KRN_OK;
}

size_t
krn_plan_keep(const struct krn_plan *plan, bool has_limits)
{
	const size_t max = plan->max_candidates;
	const size_t reserve = 4 * max < 20 ? 4 * max : 20;

	/* a reserve would need a place of its own */
	return !has_limits || plan->placements_nr || max > reserve ? max
								   : reserve;
}

int
krn_plan_offer_find(const struct krn_plan *plan, struct krn_str id)
{
	const struct krn_plan_offer key = {.id = id};
	const struct krn_plan_offer *found =
	    plan->offers_nr ? bsearch(&key, plan->offers, plan->offers_nr,
				      sizeof(key), plan_offer_id_order)
			    : NULL;

	return found ? (int)(found - plan->offers) : -1;
}

int
krn_plan_channel_find(const struct krn_plan *plan, struct krn_str id)
{
	const struct krn_plan_channel key = {.id = id};
	const struct krn_plan_channel *found =
	    plan->channels_nr ? bsearch(&key, plan->channels, plan->channels_nr,
					sizeof(key), plan_channel_id_order)
			      : NULL;

	return found ? (int)(found - plan->channels) : -1;
}
