/*
 * Nodes compute and set_properties, and the custom fields of categories: which
 * properties there are, in which order they are set, and what formulas name.
 */

#include "base/base.h"

#include "decide/plan_private.h"

/* Bytes of a property's name. */
#define PROPERTY_NAME_MAX 100

/* A setting as it is read: "node "x"", "category "y"", for messages. */
struct property_read {
	struct plan_build *build;
	const char *owner;
	struct krn_str owner_name;
	struct krn_str name;
	/* of a custom field */
	struct krn_str category_id, sub_category_id;
};

static enum krn_err
property_refuse(const struct property_read *read, const char *what)
{
	return plan_refuse(read->build, "%s \"%.*s\": \"%.*s\": %s",
			   read->owner, KRN_STR_ARG(read->owner_name),
			   KRN_STR_ARG(read->name), what);
}

int
krn_plan_property_find(const struct krn_plan *plan, struct krn_str name)
{
	for (size_t i = 0; i < plan->properties_nr; i++)
		if (krn_str_eq(plan->properties[i], name))
			return (int)i;
	return -1;
}

/* A scalar of the document; anything else is null. */
static struct krn_formula_value
property_scalar(const struct krn_value *value)
{
	struct krn_formula_value result = {KRN_FORMULA_NULL, 0, {NULL, 0}};

	if (!value)
		return result;
	if (value->type == KRN_VALUE_STRING) {
		result.type = KRN_FORMULA_TEXT;
		result.text = value->string;
	} else if (value->type == KRN_VALUE_BOOL) {
		result.type = KRN_FORMULA_NUMBER;
		result.number = value->boolean;
	} else if (krn_value_number(value, &result.number)) {
		result.type = KRN_FORMULA_NUMBER;
	}
	return result;
}

/* Names of formulas */

/* The custom field of that name in a list of categories, by their id. */
static const struct krn_value *
property_default(const struct plan_build *build, const char *list_name,
		 struct krn_str id, struct krn_str name)
{
	const struct krn_value *list = plan_list(build->config, list_name);

	for (size_t i = 0; list && id.len && i < list->array.nr; i++) {
		const struct krn_value *it = &list->array.items[i];
		const struct krn_value *fields = plan_list(it, "customFields");

		if (!krn_str_eq(plan_text(it, "id"), id))
			continue;
		for (size_t k = 0; fields && k < fields->array.nr; k++) {
			const struct krn_value *field = &fields->array.items[k];
			const struct krn_str key = plan_text(field, "key");

			if (krn_str_eq(key.len ? key : plan_text(field, "name"),
				       name))
				return krn_value_find(field, "defaultValue");
		}
	}
	return NULL;
}

/* What an offer itself says of a custom field. */
static struct krn_formula_value
property_of_offer(const struct plan_build *build,
		  const struct krn_plan_offer *offer, struct krn_str name)
{
	const struct krn_value *metadata =
	    krn_value_find(offer->row, "metadata");
	const struct krn_value *value = krn_value_find_str(metadata, name);

	if (!value)
		value = property_default(build, "subCategories",
					 offer->sub_category_id, name);
	if (!value)
		value = property_default(build, "categories",
					 offer->category_id, name);
	return property_scalar(value);
}

/* A field of each offer, or channel, by its path; or a custom field. */
static enum krn_err
property_values(struct plan_build *build, struct krn_plan_name *name,
		bool is_custom, struct krn_str path)
{
	const struct krn_plan *plan = build->plan;
	const bool of_offers = name->source == KRN_NAME_OFFER;
	const size_t nr = of_offers ? plan->offers_nr : plan->channels_nr;
	struct krn_formula_value *values =
	    krn_arena_calloc(build->arena, nr, sizeof(*values));

	if (!values)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < nr; i++)
		values[i] =
		    is_custom ? property_of_offer(build, &plan->offers[i], path)
			      : property_scalar(plan_member(
				    of_offers ? plan->offers[i].row
					      : plan->channels[i].row,
				    path));
	name->of = values;
	return KRN_OK;
}

static bool
property_cut(struct krn_str *text, struct krn_str prefix)
{
	if (!krn_str_has_prefix(*text, prefix))
		return false;
	*text = krn_str_from(text->s + prefix.len, text->len - prefix.len);
	return true;
}

static enum krn_err
property_name_read(struct plan_build *build, struct krn_str text,
		   struct krn_plan_name *name)
{
	const struct krn_str whole = text;
	enum krn_attribute_type type;

	name->text = text;
	name->property = -1;
	if (property_cut(&text, KRN_STR("customer."))) {
		name->source = KRN_NAME_CUSTOMER;
		return plan_column(build, text, &name->column, build->err);
	}
	if (property_cut(&text, KRN_STR("channel."))) {
		name->source = KRN_NAME_CHANNEL;
		if (plan_field(KRN_SOURCE_CHANNEL, text, &type))
			return property_values(build, name, false, text);
	} else if (property_cut(&text, KRN_STR("offer."))) {
		name->source = KRN_NAME_OFFER;
		if (krn_str_has_prefix(text, KRN_STR("metadata.")) ||
		    plan_field(KRN_SOURCE_OFFER, text, &type))
			return property_values(build, name, false, text);
	} else if (krn_str_find_char(text, '.') < 0) {
		name->source = KRN_NAME_OFFER;
		name->property = krn_plan_property_find(build->plan, text);
		return property_values(build, name, true, text);
	}
	return krn_refuse(build->err, KRN_ERR_INVALID,
			  "\"%.*s\" is no field of customer, offer or channel",
			  KRN_STR_ARG(whole));
}

static enum krn_err
property_name(void *data, struct krn_str text, uint32_t *ret,
	      struct krn_error *err)
{
	const struct property_read *read = data;
	struct krn_plan *plan = read->build->plan;

	if (!plan->names)
		plan->names =
		    krn_arena_calloc(read->build->arena, KRN_PLAN_NAMES_MAX,
				     sizeof(*plan->names));
	if (!plan->names)
		return krn_arena_fail(read->build->arena, err);
	/* a name means another thing once a property of that name is set */
	for (size_t i = 0; i < plan->names_nr; i++)
		if (krn_str_eq(plan->names[i].text, text) &&
		    plan->names[i].property ==
			krn_plan_property_find(plan, text)) {
			*ret = (uint32_t)i;
			return KRN_OK;
		}
	if (plan->names_nr == KRN_PLAN_NAMES_MAX)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the flow's formulas have more than %d names",
				  KRN_PLAN_NAMES_MAX);
	*ret = (uint32_t)plan->names_nr;
	return property_name_read(read->build, text,
				  &plan->names[plan->names_nr++]);
}

/* Settings */

/* The next setting, of the property of that name. */
static enum krn_err
property_set(const struct property_read *read, struct krn_plan_setting **ret)
{
	struct krn_plan *plan = read->build->plan;
	struct krn_arena *arena = read->build->arena;
	int property = krn_plan_property_find(plan, read->name);

	if (read->name.len == 0 || read->name.len > PROPERTY_NAME_MAX)
		return property_refuse(read, "a name has 1 to 100 bytes");
	if (!plan->settings)
		plan->settings = krn_arena_calloc(arena, KRN_PLAN_SETTINGS_MAX,
						  sizeof(*plan->settings));
	if (!plan->settings)
		return krn_arena_fail(arena, read->build->err);
	if (property < 0) {
		if (plan->properties_nr == KRN_PLAN_PROPERTIES_MAX)
			return property_refuse(
			    read, "a flow has at most 100 properties");
		property = (int)plan->properties_nr;
		plan->properties[property] = krn_str_dup(arena, read->name);
		if (!plan->properties[property].s)
			return krn_arena_fail(arena, read->build->err);
		plan->properties_nr++;
	}
	if (plan->settings_nr == KRN_PLAN_SETTINGS_MAX)
		return property_refuse(read,
				       "a flow sets properties at most 1000 "
				       "times");
	*ret = &plan->settings[plan->settings_nr++];
	(*ret)->property = (uint32_t)property;
	(*ret)->category_id = read->category_id;
	(*ret)->sub_category_id = read->sub_category_id;
	return KRN_OK;
}

/* {formula, outputType} */
static enum krn_err
property_formula(struct property_read *read, const struct krn_value *from)
{
	const struct krn_str output = plan_text(from, "outputType");
	const struct krn_value *text = krn_value_find(from, "formula");
	const struct krn_formula *formula = NULL;
	struct krn_plan_setting *setting;
	struct krn_error why = {.code = KRN_OK};
	struct krn_error *err = read->build->err;
	enum krn_err e;

	if (!text || text->type != KRN_VALUE_STRING)
		return property_refuse(read, "the formula must be a text");
	if (output.len && !krn_str_eq_c(output, "number") &&
	    !krn_str_eq_c(output, "text"))
		return property_refuse(read,
				       "outputType must be number or text");
	read->build->err = &why;
	e = krn_formula_parse(read->build->arena, text->string, property_name,
			      read, &formula, &why);
	read->build->err = err;
	if (e == KRN_ERR_INVALID)
		return property_refuse(read, why.message);
	if (e) {
		if (err)
			*err = why;
		return e;
	}
	/* of its own name, a formula sees what was set before */
	if ((e = property_set(read, &setting)))
		return e;
	setting->formula = formula;
	if (output.len)
		setting->output =
		    output.s[0] == 'n' ? KRN_FORMULA_NUMBER : KRN_FORMULA_TEXT;
	return KRN_OK;
}

enum krn_err
plan_read_custom_fields(struct plan_build *build,
			const struct krn_value *category, bool is_sub)
{
	const struct krn_value *fields = plan_list(category, "customFields");
	const struct krn_str id = plan_text(category, "id");
	struct property_read read = {
	    .build = build,
	    .owner = is_sub ? "sub-category" : "category",
	    .owner_name = plan_text(category, "name"),
	    .category_id = is_sub ? KRN_STR("") : id,
	    .sub_category_id = is_sub ? id : KRN_STR(""),
	};
	enum krn_err e;

	for (size_t i = 0; fields && i < fields->array.nr; i++) {
		const struct krn_value *field = &fields->array.items[i];

		if (!krn_str_eq_c(plan_text(field, "type"), "computed"))
			continue;
		read.name = plan_text(field, "key");
		if (!read.name.len)
			read.name = plan_text(field, "name");
		if ((e = property_formula(&read, field)))
			return e;
	}
	return KRN_OK;
}

/* Has it an offer that may be given? */
static bool
property_is_used(const struct krn_plan *plan, const struct krn_value *category,
		 bool is_sub)
{
	const struct krn_str id = plan_text(category, "id");

	for (size_t i = 0; i < plan->offers_nr; i++)
		if (plan->offers[i].is_candidate &&
		    krn_str_eq(is_sub ? plan->offers[i].sub_category_id
				      : plan->offers[i].category_id,
			       id))
			return true;
	return false;
}

static enum krn_err
property_categories(struct plan_build *build, const char *name, bool is_sub)
{
	const struct krn_value *list = plan_list(build->config, name);
	enum krn_err e;

	for (size_t i = 0; list && i < list->array.nr; i++)
		if (property_is_used(build->plan, &list->array.items[i],
				     is_sub) &&
		    (e = plan_read_custom_fields(build, &list->array.items[i],
						 is_sub)))
			return e;
	return KRN_OK;
}

enum krn_err
plan_read_compute(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *formulas =
	    krn_value_find(krn_value_find(node, "config"), "formulas");
	struct property_read read = {
	    .build = build,
	    .owner = "node",
	    .owner_name = plan_text(node, "id"),
	};
	enum krn_err e;

	if (!build->has_custom_fields) {
		build->has_custom_fields = true;
		if ((e = property_categories(build, "categories", false)) ||
		    (e = property_categories(build, "subCategories", true)))
			return e;
	}
	if (!formulas || formulas->type == KRN_VALUE_NULL)
		return KRN_OK;
	if (formulas->type != KRN_VALUE_ARRAY)
		return plan_refuse(build,
				   "node \"%.*s\": formulas must be a list",
				   KRN_STR_ARG(read.owner_name));
	for (size_t i = 0; i < formulas->array.nr; i++) {
		read.name = plan_text(&formulas->array.items[i], "name");
		if ((e = property_formula(&read, &formulas->array.items[i])))
			return e;
	}
	return KRN_OK;
}

enum krn_err
plan_read_properties(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *properties =
	    krn_value_find(krn_value_find(node, "config"), "properties");
	struct property_read read = {
	    .build = build,
	    .owner = "node",
	    .owner_name = plan_text(node, "id"),
	};
	enum krn_err e;

	if (!properties || properties->type == KRN_VALUE_NULL)
		return KRN_OK;
	if (properties->type != KRN_VALUE_OBJECT)
		return plan_refuse(build,
				   "node \"%.*s\": properties must be an "
				   "object",
				   KRN_STR_ARG(read.owner_name));
	for (size_t i = 0; i < properties->object.nr; i++) {
		const struct krn_member *member =
		    &properties->object.members[i];
		struct krn_plan_setting *setting;

		read.name = member->name;
		if (member->value.type >= KRN_VALUE_ARRAY)
			return property_refuse(
			    &read, "a value must be a text, a number, a "
				   "boolean or null");
		if ((e = property_set(&read, &setting)))
			return e;
		setting->constant = property_scalar(&member->value);
	}
	return KRN_OK;
}

/* Offers */

static bool
property_is_of(const struct krn_plan_setting *setting,
	       const struct krn_plan_offer *offer)
{
	return (!setting->category_id.len ||
		krn_str_eq(setting->category_id, offer->category_id)) &&
	       (!setting->sub_category_id.len ||
		krn_str_eq(setting->sub_category_id, offer->sub_category_id));
}

enum krn_err
plan_match_properties(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;

	for (size_t i = 0; i < plan->offers_nr && plan->settings_nr; i++) {
		struct krn_plan_offer *offer = &plan->offers[i];
		uint32_t *list;
		size_t nr = 0;

		if (!offer->is_candidate)
			continue;
		for (size_t k = 0; k < plan->settings_nr; k++)
			nr += property_is_of(&plan->settings[k], offer);
		list = krn_arena_calloc(build->arena, nr, sizeof(*list));
		if (!list)
			return krn_arena_fail(build->arena, build->err);
		for (size_t k = 0; k < plan->settings_nr; k++)
			if (property_is_of(&plan->settings[k], offer))
				list[offer->settings_nr++] = (uint32_t)k;
		offer->settings = list;
	}
	return KRN_OK;
}
