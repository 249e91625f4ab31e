/*
 * Nodes filter and conditional: conditions with typed constants. Those over
 * offers and channels are evaluated here, once, into bits of each pair; what
 * is left for a customer is the conditions over customer.*.
 */

#include "base/base.h"

#include "decide/decide_private.h"
#include "decide/plan_private.h"

/* Constants of one condition. */
#define FILTER_LIST_MAX 1000

static const struct {
	const char *name;
	enum krn_plan_operator op;
} filter_operators[] = {
    {"eq", KRN_OP_EQ},
    {"neq", KRN_OP_NEQ},
    {"gt", KRN_OP_GT},
    {"gte", KRN_OP_GTE},
    {"lt", KRN_OP_LT},
    {"lte", KRN_OP_LTE},
    {"in", KRN_OP_IN},
    {"not_in", KRN_OP_NOT_IN},
    {"contains", KRN_OP_CONTAINS},
    {"starts_with", KRN_OP_STARTS_WITH},
    {"regex", KRN_OP_REGEX},
    {"is_null", KRN_OP_NOT_EXISTS},
    {"is_not_null", KRN_OP_EXISTS},
};

/* Fields of the document's rows. Those of offer.metadata are any. */
static const struct {
	enum krn_plan_source source;
	const char *name;
	enum krn_attribute_type type;
} filter_fields[] = {
    {KRN_SOURCE_OFFER, "id", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "name", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "status", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "priority", KRN_ATTRIBUTE_DOUBLE},
    {KRN_SOURCE_OFFER, "businessValue", KRN_ATTRIBUTE_DOUBLE},
    {KRN_SOURCE_OFFER, "mandatory", KRN_ATTRIBUTE_BOOL},
    {KRN_SOURCE_OFFER, "category", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "categoryId", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "categoryName", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "subCategoryId", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "subCategoryName", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "group", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "productType", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "tags", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_OFFER, "margin", KRN_ATTRIBUTE_DOUBLE},
    {KRN_SOURCE_OFFER, "revenueValue", KRN_ATTRIBUTE_DOUBLE},
    {KRN_SOURCE_CHANNEL, "id", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_CHANNEL, "name", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_CHANNEL, "status", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_CHANNEL, "deliveryMode", KRN_ATTRIBUTE_TEXT},
    {KRN_SOURCE_CHANNEL, "channelType", KRN_ATTRIBUTE_TEXT},
};

const struct krn_value *
plan_member(const struct krn_value *row, struct krn_str path)
{
	while (row) {
		const char *dot = memchr(path.s, '.', path.len);
		const size_t len = dot ? (size_t)(dot - path.s) : path.len;

		row = krn_value_find_str(row, krn_str_from(path.s, len));
		if (!dot)
			break;
		path = krn_str_from(dot + 1, path.len - len - 1);
	}
	return row;
}

bool
plan_field(enum krn_plan_source source, struct krn_str field,
	   enum krn_attribute_type *ret)
{
	for (size_t i = 0; i < KRN_NR(filter_fields); i++) {
		if (filter_fields[i].source != source ||
		    !krn_str_eq_c(field, filter_fields[i].name))
			continue;
		*ret = filter_fields[i].type;
		return true;
	}
	return false;
}

/* A node as it is read. */
struct filter_read {
	struct plan_build *build;
	struct krn_plan_filter *filter;
};

static bool
filter_cut(struct krn_str *text, struct krn_str prefix)
{
	if (!krn_str_has_prefix(*text, prefix))
		return false;
	*text = krn_str_from(text->s + prefix.len, text->len - prefix.len);
	return true;
}

/* The type of a field that says nothing itself is that of its constant. */
static enum krn_attribute_type
filter_value_type(const struct krn_value *value)
{
	if (value && value->type == KRN_VALUE_ARRAY)
		value = value->array.nr ? value->array.items : NULL;
	if (value && value->type == KRN_VALUE_BOOL)
		return KRN_ATTRIBUTE_BOOL;
	return value && (value->type == KRN_VALUE_INT ||
			 value->type == KRN_VALUE_DOUBLE)
		   ? KRN_ATTRIBUTE_DOUBLE
		   : KRN_ATTRIBUTE_TEXT;
}

static enum krn_err
filter_field(struct filter_read *read, struct krn_str name,
	     const struct krn_value *value, struct krn_plan_condition *ret)
{
	struct plan_build *build = read->build;
	struct krn_str field = name;

	ret->column = -1;
	ret->type = KRN_ATTRIBUTE_TEXT;
	if (filter_cut(&field, KRN_STR("customer."))) {
		const enum krn_err e =
		    plan_column(build, field, &ret->column, build->err);

		ret->source = KRN_SOURCE_CUSTOMER;
		if (!e && ret->column >= 0)
			ret->type = build->plan->columns[ret->column].type;
		return e;
	}
	ret->source = KRN_SOURCE_OFFER;
	if (filter_cut(&field, KRN_STR("channel.")))
		ret->source = KRN_SOURCE_CHANNEL;
	else if (!filter_cut(&field, KRN_STR("offer.")))
		return plan_refuse(build,
				   "node \"%.*s\": field \"%.*s\" is not of "
				   "offer, channel or customer",
				   KRN_STR_ARG(read->filter->id),
				   KRN_STR_ARG(name));
	ret->field = field;
	if (ret->source == KRN_SOURCE_OFFER &&
	    krn_str_has_prefix(field, KRN_STR("metadata."))) {
		ret->type = filter_value_type(value);
		return KRN_OK;
	}
	if (plan_field(ret->source, field, &ret->type))
		return KRN_OK;
	return plan_refuse(build, "node \"%.*s\": there is no field \"%.*s\"",
			   KRN_STR_ARG(read->filter->id), KRN_STR_ARG(name));
}

static enum krn_err
filter_constants(struct filter_read *read, const struct krn_value *value,
		 struct krn_plan_condition *ret)
{
	struct plan_build *build = read->build;
	const bool wants_list =
	    ret->op == KRN_OP_IN || ret->op == KRN_OP_NOT_IN;
	const bool is_list = value && value->type == KRN_VALUE_ARRAY;
	const bool is_text = ret->op == KRN_OP_CONTAINS ||
			     ret->op == KRN_OP_STARTS_WITH ||
			     ret->op == KRN_OP_REGEX;
	const size_t nr = is_list ? value->array.nr : 1;
	struct krn_plan_constant *constants;

	if (!value || is_list != wants_list || nr > FILTER_LIST_MAX)
		return plan_refuse(build, "node \"%.*s\": value must be %s",
				   KRN_STR_ARG(read->filter->id),
				   wants_list ? "a list of at most 1000"
					      : "a scalar");
	constants = krn_arena_calloc(build->arena, nr, sizeof(*constants));
	if (!constants)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < nr; i++) {
		const struct krn_value *it =
		    is_list ? &value->array.items[i] : value;

		if (it->type == KRN_VALUE_NULL || it->type >= KRN_VALUE_ARRAY)
			return plan_refuse(build,
					   "node \"%.*s\": value must not be "
					   "null or nested",
					   KRN_STR_ARG(read->filter->id));
		if (!plan_constant(build->arena, it,
				   is_text ? KRN_ATTRIBUTE_TEXT : ret->type,
				   &constants[i]))
			ret->never = true;
	}
	ret->constants = constants;
	ret->constants_nr = nr;
	return ret->op == KRN_OP_REGEX
		   ? plan_regex(build->arena, constants->text, &ret->pattern,
				build->err)
		   : KRN_OK;
}

static enum krn_err
filter_condition(struct filter_read *read, const struct krn_value *from,
		 struct krn_plan_condition *ret)
{
	const struct krn_str name = plan_text(from, "operator");
	const struct krn_value *value = krn_value_find(from, "value");
	enum krn_err e;
	size_t i = 0;

	while (i < KRN_NR(filter_operators) &&
	       !krn_str_eq_c(name, filter_operators[i].name))
		i++;
	if (i == KRN_NR(filter_operators))
		return plan_refuse(
		    read->build, "node \"%.*s\": unknown operator \"%.*s\"",
		    KRN_STR_ARG(read->filter->id), KRN_STR_ARG(name));
	ret->op = filter_operators[i].op;
	if ((e = filter_field(read, plan_text(from, "field"), value, ret)))
		return e;
	if (ret->op == KRN_OP_EXISTS || ret->op == KRN_OP_NOT_EXISTS)
		return KRN_OK;
	return filter_constants(read, value, ret);
}

/* {conditions, combinator} as bits of the node. */
static enum krn_err
filter_test(struct filter_read *read, const struct krn_value *from,
	    struct krn_plan_test *ret)
{
	const struct krn_value *list = krn_value_find(from, "conditions");
	const struct krn_str how = plan_text(from, "combinator");
	struct krn_plan_filter *filter = read->filter;
	enum krn_err e;

	ret->is_any = krn_str_eq_nocase(how, KRN_STR("OR"));
	if (how.len && !ret->is_any && !krn_str_eq_nocase(how, KRN_STR("AND")))
		return plan_refuse(read->build,
				   "node \"%.*s\": combinator must be AND or "
				   "OR",
				   KRN_STR_ARG(filter->id));
	if (list && list->type != KRN_VALUE_ARRAY)
		return plan_refuse(read->build,
				   "node \"%.*s\": conditions must be a list",
				   KRN_STR_ARG(filter->id));
	for (size_t i = 0; list && i < list->array.nr; i++) {
		if (filter->conditions_nr == KRN_PLAN_CONDITIONS_MAX)
			return plan_refuse(read->build,
					   "node \"%.*s\": more than %d "
					   "conditions",
					   KRN_STR_ARG(filter->id),
					   KRN_PLAN_CONDITIONS_MAX);
		if ((e = filter_condition(
			 read, &list->array.items[i],
			 &filter->conditions[filter->conditions_nr])))
			return e;
		ret->mask |= UINT64_C(1) << filter->conditions_nr++;
	}
	return KRN_OK;
}

static enum krn_err
filter_new(struct plan_build *build, const struct krn_value *node,
	   struct filter_read *ret)
{
	struct krn_plan *plan = build->plan;

	if (plan->filters_nr == KRN_PLAN_FILTERS_MAX)
		return plan_refuse(build,
				   "the flow has more than %d filters and "
				   "conditionals",
				   KRN_PLAN_FILTERS_MAX);
	if (!plan->filters)
		plan->filters = krn_arena_calloc(
		    build->arena, KRN_PLAN_FILTERS_MAX, sizeof(*plan->filters));
	if (!plan->filters)
		return krn_arena_fail(build->arena, build->err);
	*ret = (struct filter_read){build, &plan->filters[plan->filters_nr]};
	ret->filter->id = plan_text(node, "id");
	ret->filter->conditions =
	    krn_arena_calloc(build->arena, KRN_PLAN_CONDITIONS_MAX,
			     sizeof(*ret->filter->conditions));
	if (!ret->filter->conditions)
		return krn_arena_fail(build->arena, build->err);
	plan->filters_nr++;
	return KRN_OK;
}

enum krn_err
plan_read_filter(struct plan_build *build, const struct krn_value *node)
{
	struct filter_read read;
	enum krn_err e;

	if ((e = filter_new(build, node, &read)))
		return e;
	return filter_test(&read, krn_value_find(node, "config"),
			   &read.filter->keep);
}

/* {action, conditions, combinator}; none keeps all. */
static enum krn_err
filter_branch(struct filter_read *read, const struct krn_value *from,
	      struct krn_plan_test *ret)
{
	const struct krn_str action = plan_text(from, "action");

	if (!from || from->type == KRN_VALUE_NULL)
		return KRN_OK;
	ret->is_negated = krn_str_eq_c(action, "drop");
	if (!ret->is_negated && !krn_str_eq_c(action, "keep"))
		return plan_refuse(read->build,
				   "node \"%.*s\": then and else need an "
				   "action, keep or drop",
				   KRN_STR_ARG(read->filter->id));
	return filter_test(read, from, ret);
}

enum krn_err
plan_read_conditional(struct plan_build *build, const struct krn_value *node)
{
	const struct krn_value *config = krn_value_find(node, "config");
	const struct krn_value *then = krn_value_find(config, "then");
	const struct krn_value *otherwise = krn_value_find(config, "else");
	struct filter_read read;
	enum krn_err e;

	if ((e = filter_new(build, node, &read)))
		return e;
	if (!plan_list(config, "conditions") || (!then && !otherwise))
		return plan_refuse(build,
				   "node \"%.*s\": a conditional needs "
				   "conditions, and then or else",
				   KRN_STR_ARG(read.filter->id));
	if ((e = filter_test(&read, config, &read.filter->when)))
		return e;
	for (size_t i = 0; i < read.filter->conditions_nr; i++)
		if (read.filter->conditions[i].source != KRN_SOURCE_CUSTOMER)
			return plan_refuse(build,
					   "node \"%.*s\": the conditions of a "
					   "conditional are over customer.*",
					   KRN_STR_ARG(read.filter->id));
	if ((e = filter_branch(&read, then, &read.filter->keep)))
		return e;
	return filter_branch(&read, otherwise, &read.filter->otherwise);
}

/* Offers and channels */

/* Is a JSON value of the type that it is compared in? */
static bool
filter_is_of(const struct krn_value *value, enum krn_attribute_type type)
{
	if (type == KRN_ATTRIBUTE_BOOL)
		return value->type == KRN_VALUE_BOOL;
	return type == KRN_ATTRIBUTE_TEXT || value->type == KRN_VALUE_INT ||
	       value->type == KRN_VALUE_DOUBLE;
}

/* Does a condition hold for an offer's or a channel's row? */
static enum krn_err
filter_holds(struct plan_build *build,
	     const struct krn_plan_condition *condition,
	     const struct krn_value *row, bool *ret)
{
	const struct krn_value *it = plan_member(row, condition->field);
	struct krn_str text = {NULL, 0};
	struct decide_value value;
	bool is_good;

	if (it && it->type == KRN_VALUE_ARRAY) {
		*ret = condition->op == KRN_OP_CONTAINS
			   ? plan_list_has(it, condition->constants->text)
			   : condition->op == KRN_OP_EXISTS;
		return KRN_OK;
	}
	if (it && it->type == KRN_VALUE_OBJECT) {
		*ret = condition->op == KRN_OP_EXISTS;
		return KRN_OK;
	}
	if (it && it->type != KRN_VALUE_NULL &&
	    !plan_scalar_text(build->arena, it, &text))
		return krn_arena_fail(build->arena, build->err);
	decide_value_read(&value, text, condition->type);
	if (!value.is_null)
		value.is_good =
		    value.is_good && filter_is_of(it, condition->type);
	*ret = decide_condition(condition, &value, &is_good);
	return KRN_OK;
}

/* The bits of a filter that hold for a row. */
static enum krn_err
filter_row_bits(struct plan_build *build, const struct krn_plan_filter *filter,
		enum krn_plan_source source, const struct krn_value *row,
		uint64_t *ret)
{
	bool holds = false;
	enum krn_err e;

	*ret = 0;
	for (size_t i = 0; i < filter->conditions_nr; i++) {
		if (filter->conditions[i].source != source)
			continue;
		if ((e = filter_holds(build, &filter->conditions[i], row,
				      &holds)))
			return e;
		if (holds)
			*ret |= UINT64_C(1) << i;
	}
	return KRN_OK;
}

/* The pairs of an offer lie together: its bits are found once. */
static enum krn_err
filter_pairs(struct plan_build *build, size_t index, uint64_t *channels,
	     uint64_t *bits)
{
	struct krn_plan *plan = build->plan;
	const struct krn_plan_filter *filter = &plan->filters[index];
	uint64_t of_offer = 0;
	enum krn_err e;

	for (size_t i = 0; i < plan->channels_nr; i++)
		if ((e = filter_row_bits(build, filter, KRN_SOURCE_CHANNEL,
					 plan->channels[i].row, &channels[i])))
			return e;
	for (size_t i = 0; i < plan->pairs_nr; i++) {
		const struct krn_plan_pair *pair = &plan->pairs[i];

		if ((i == 0 || plan->pairs[i - 1].offer != pair->offer) &&
		    (e = filter_row_bits(build, filter, KRN_SOURCE_OFFER,
					 plan->offers[pair->offer].row,
					 &of_offer)))
			return e;
		bits[i * plan->filters_nr + index] =
		    of_offer | channels[pair->channel];
	}
	return KRN_OK;
}

enum krn_err
plan_match_filters(struct plan_build *build)
{
	struct krn_plan *plan = build->plan;
	uint64_t *bits, *channels;
	size_t nr;
	enum krn_err e;

	if (plan->filters_nr == 0)
		return KRN_OK;
	if (!krn_mul_size(plan->pairs_nr, plan->filters_nr, &nr))
		return plan_refuse(build, "too many offers");
	bits = krn_arena_calloc(build->arena, nr, sizeof(*bits));
	channels = krn_arena_calloc(build->arena, plan->channels_nr,
				    sizeof(*channels));
	if (!bits || !channels)
		return krn_arena_fail(build->arena, build->err);
	for (size_t i = 0; i < plan->filters_nr; i++)
		if ((e = filter_pairs(build, i, channels, bits)))
			return e;
	for (size_t i = 0; i < plan->pairs_nr; i++)
		plan->pairs[i].filter_bits = bits + i * plan->filters_nr;
	return KRN_OK;
}
