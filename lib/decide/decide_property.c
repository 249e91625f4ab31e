/* The properties of a candidate: what nodes compute and set_properties say. */

#include "base/base.h"

#include "base/json_out.h"
#include "decide/decide_private.h"

struct property_load {
	struct krn_decide *decide;
	const struct krn_plan_pair *pair;
	struct krn_formula_value *properties;
};

bool
decide_properties_new(struct krn_arena *arena, struct krn_decide *d)
{
	const size_t nr = d->plan->properties_nr;

	/* both factors are small: krn_plan_keep, KRN_PLAN_PROPERTIES_MAX */
	d->properties =
	    krn_arena_calloc(arena, d->keep * nr, sizeof(*d->properties));
	d->property_room =
	    krn_arena_calloc(arena, d->keep, KRN_PLAN_PROPERTY_BYTES);
	d->property_is_set =
	    krn_arena_calloc(arena, nr, sizeof(*d->property_is_set));
	return d->properties && d->property_room && d->property_is_set;
}

/* A column in its type: times are texts. */
static struct krn_formula_value
property_column(struct krn_decide *d, int column)
{
	struct krn_formula_value result = {KRN_FORMULA_NULL, 0, {NULL, 0}};

	if (column < 0 || d->values[column].is_null)
		return result;
	const struct decide_value *value = &d->values[column];

	switch (d->plan->columns[column].type) {
	case KRN_ATTRIBUTE_TEXT:
	case KRN_ATTRIBUTE_TIME:
		result.type = KRN_FORMULA_TEXT;
		result.text = value->text;
		break;
	case KRN_ATTRIBUTE_BOOL:
		result.type = KRN_FORMULA_NUMBER;
		result.number = (double)value->integer;
		break;
	case KRN_ATTRIBUTE_INT:
	case KRN_ATTRIBUTE_DOUBLE:
		d->out->conversion_failures += !value->is_good;
		if (!value->is_good)
			break;
		result.type = KRN_FORMULA_NUMBER;
		result.number = value->number;
		break;
	}
	return result;
}

static struct krn_formula_value
property_load(void *data, uint32_t number)
{
	const struct property_load *load = data;
	struct krn_decide *d = load->decide;
	const struct krn_plan_name *name = &d->plan->names[number];

	if (name->source == KRN_NAME_CUSTOMER)
		return property_column(d, name->column);
	if (name->source == KRN_NAME_CHANNEL)
		return name->of[load->pair->channel];
	return name->property >= 0 && d->property_is_set[name->property]
		   ? load->properties[name->property]
		   : name->of[load->pair->offer];
}

void
decide_properties(struct krn_decide *d, const struct krn_plan_pair *pair,
		  struct krn_candidate *candidate)
{
	const struct krn_plan *plan = d->plan;
	const struct krn_plan_offer *offer = &plan->offers[pair->offer];
	const size_t at = d->out->candidates_nr;
	struct krn_formula_value *properties =
	    d->properties + at * plan->properties_nr;
	struct property_load load = {d, pair, properties};
	struct krn_formula_run run = {
	    .load = property_load,
	    .data = &load,
	    .room = d->property_room + at * KRN_PLAN_PROPERTY_BYTES,
	    .room_size = KRN_PLAN_PROPERTY_BYTES,
	};

	memset(properties, 0, plan->properties_nr * sizeof(*properties));
	memset(d->property_is_set, 0, plan->properties_nr);
	for (size_t i = 0; i < offer->settings_nr; i++) {
		const struct krn_plan_setting *setting =
		    &plan->settings[offer->settings[i]];
		struct krn_formula_value value = setting->constant;

		if (setting->formula)
			value = krn_formula_eval(setting->formula, &run);
		if (setting->output)
			value = krn_formula_as(value, setting->output, &run);
		properties[setting->property] = value;
		d->property_is_set[setting->property] = true;
	}
	d->out->conversion_failures += run.failures;
	if (run.is_full)
		decide_fail(d,
			    "the computed texts of offer \"%.*s\" take more "
			    "than %zu bytes",
			    KRN_STR_ARG(offer->name), KRN_PLAN_PROPERTY_BYTES);
	candidate->properties = properties;
}

void
krn_candidate_properties(const struct krn_plan *plan,
			 const struct krn_candidate *candidate,
			 const char *name, struct krn_json_out *to)
{
	krn_json_obj_open(to, name);
	for (size_t i = 0; i < plan->properties_nr; i++) {
		const struct krn_formula_value *it = &candidate->properties[i];

		if (it->type == KRN_FORMULA_NULL)
			continue;
		if (it->type == KRN_FORMULA_NUMBER)
			krn_json_double(to, plan->properties[i].s, it->number);
		else
			krn_json_str(to, plan->properties[i].s, it->text);
	}
	krn_json_close(to);
}
