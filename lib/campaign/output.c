/*
 * Lines of a run's file.
 */

#include "base/base.h"

#include "campaign/output.h"

#include "base/csv_out.h"
#include "base/json_out.h"

static const char *const output_names[] = {
    [KRN_COLUMN_CUSTOMER_ID] = "customer_id",
    [KRN_COLUMN_OFFER_ID] = "offer_id",
    [KRN_COLUMN_OFFER_NAME] = "offer_name",
    [KRN_COLUMN_CATEGORY] = "category",
    [KRN_COLUMN_CREATIVE_ID] = "creative_id",
    [KRN_COLUMN_CHANNEL] = "channel",
    [KRN_COLUMN_CHANNEL_ID] = "channel_id",
    [KRN_COLUMN_RANK] = "rank",
    [KRN_COLUMN_SCORE] = "score",
    [KRN_COLUMN_CAMPAIGN_ID] = "campaign_id",
    [KRN_COLUMN_CAMPAIGN_RUN_ID] = "campaign_run_id",
    [KRN_COLUMN_DECIDED_AT] = "decided_at",
    [KRN_COLUMN_PERSONALIZATION] = "personalization",
};

/* Columns whose names go on with one of the tenant's own. */
static const struct {
	struct krn_str prefix;
	enum krn_output_column column;
} output_prefixes[] = {
    {{"attr.", 5}, KRN_COLUMN_ATTRIBUTE},
    {{"personalization.", 16}, KRN_COLUMN_PROPERTY},
};

static size_t
output_name_index(struct krn_str name)
{
	size_t i = 0;

	while (i < KRN_NR(output_names) && !krn_str_eq_c(name, output_names[i]))
		i++;
	return i;
}

/* What follows the prefix, if there is one and something does. */
static bool
output_prefix(struct krn_str name, enum krn_output_column *ret,
	      struct krn_str *ret_rest)
{
	for (size_t i = 0; i < KRN_NR(output_prefixes); i++) {
		const struct krn_str prefix = output_prefixes[i].prefix;

		if (!krn_str_has_prefix(name, prefix) || name.len == prefix.len)
			continue;
		*ret = output_prefixes[i].column;
		*ret_rest =
		    krn_str_from(name.s + prefix.len, name.len - prefix.len);
		return true;
	}
	return false;
}

bool
krn_output_column_is(struct krn_str name)
{
	enum krn_output_column column;
	struct krn_str rest;

	return output_name_index(name) < KRN_NR(output_names) ||
	       output_prefix(name, &column, &rest);
}

enum krn_err
krn_output_init(struct krn_output *output, const struct krn_value *file_config,
		struct krn_error *err)
{
	const struct krn_value *format = krn_value_find(file_config, "format");
	const struct krn_value *columns =
	    krn_value_find(file_config, "columns");
	const struct krn_value *include =
	    krn_value_find(file_config, "includePersonalization");

	*output = (struct krn_output){
	    .is_json = format && format->type == KRN_VALUE_STRING &&
		       krn_str_eq_c(format->string, "json")};
	if (!columns || columns->type != KRN_VALUE_ARRAY ||
	    columns->array.nr == 0 ||
	    columns->array.nr > KRN_OUTPUT_COLUMNS_MAX)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the file needs 1 to %d columns",
				  KRN_OUTPUT_COLUMNS_MAX);
	for (size_t i = 0; i < columns->array.nr; i++) {
		const struct krn_str name = columns->array.items[i].string;
		const size_t index = output_name_index(name);
		enum krn_output_column *column = &output->columns[i].column;
		struct krn_str rest = name;

		output->personalizes |= index == KRN_COLUMN_PERSONALIZATION;

		output->columns[i].name = name;
		*column = (enum krn_output_column)index;
		if (index < KRN_NR(output_names))
			continue;
		if (!output_prefix(name, column, &rest))
			return krn_refuse(err, KRN_ERR_INVALID,
					  "the file has no column \"%.*s\"",
					  KRN_STR_ARG(name));
		output->has_properties |= *column == KRN_COLUMN_PROPERTY;
		if (*column == KRN_COLUMN_PROPERTY)
			continue;
		output->columns[i].attribute = output->attributes_nr;
		output->attributes[output->attributes_nr++] = rest;
	}
	output->columns_nr = columns->array.nr;
	if (include && include->type == KRN_VALUE_BOOL && include->boolean &&
	    !output->personalizes &&
	    output->columns_nr < KRN_OUTPUT_COLUMNS_MAX) {
		output->columns[output->columns_nr].name =
		    KRN_STR("personalization");
		output->columns[output->columns_nr++].column =
		    KRN_COLUMN_PERSONALIZATION;
		output->personalizes = true;
	}
	return KRN_OK;
}

enum krn_err
krn_output_bind(struct krn_output *output, const struct krn_plan *plan,
		struct krn_error *err)
{
	for (size_t i = 0; i < output->columns_nr; i++) {
		enum krn_output_column column;
		struct krn_str name;

		if (output->columns[i].column != KRN_COLUMN_PROPERTY ||
		    !output_prefix(output->columns[i].name, &column, &name))
			continue;
		const int property = krn_plan_property_find(plan, name);

		if (property < 0)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "the flow computes no \"%.*s\" for "
					  "the file",
					  KRN_STR_ARG(name));
		output->columns[i].attribute = (size_t)property;
	}
	return KRN_OK;
}

/* A cell's text, and whether it is a number. .s NULL: empty. */
static struct krn_str
output_cell(const struct krn_output *output, size_t column,
	    const struct krn_output_row *row, bool *ret_is_number)
{
	const struct krn_str rendered =
	    output->rendered ? (struct krn_str){output->rendered->data,
						output->rendered->len}
			     : KRN_STR("null");

	*ret_is_number = false;
	switch (output->columns[column].column) {
	case KRN_COLUMN_CUSTOMER_ID:
		return row->customer_id;
	case KRN_COLUMN_OFFER_ID:
		return row->offer->id;
	case KRN_COLUMN_OFFER_NAME:
		return row->offer->name;
	case KRN_COLUMN_CATEGORY:
		return row->offer->category_name;
	case KRN_COLUMN_CHANNEL:
		return row->channel->name;
	case KRN_COLUMN_CHANNEL_ID:
		return row->channel->id;
	case KRN_COLUMN_RANK:
		*ret_is_number = true;
		return row->rank;
	case KRN_COLUMN_SCORE:
		*ret_is_number = true;
		return row->score;
	case KRN_COLUMN_CAMPAIGN_ID:
		return output->campaign_id;
	case KRN_COLUMN_CAMPAIGN_RUN_ID:
		return output->run_id;
	case KRN_COLUMN_DECIDED_AT:
		return output->decided_at;
	case KRN_COLUMN_PROPERTY:
		*ret_is_number =
		    row->properties[output->columns[column].attribute]
			.is_number;
		return row->properties[output->columns[column].attribute].text;
	case KRN_COLUMN_ATTRIBUTE:
		*ret_is_number = output->columns[column].is_number;
		return row->attributes[output->columns[column].attribute];
	case KRN_COLUMN_CREATIVE_ID:
		return row->creative_id;
	case KRN_COLUMN_PERSONALIZATION:
		return krn_str_eq_c(rendered, "null")
			   ? (struct krn_str){NULL, 0}
			   : rendered;
	}
	return (struct krn_str){NULL, 0};
}

void
krn_output_header(const struct krn_output *output, struct krn_buf *to)
{
	if (output->is_json)
		return;
	for (size_t i = 0; i < output->columns_nr; i++) {
		if (i)
			krn_buf_add_char(to, ',');
		krn_csv_cell(to, output->columns[i].name, false);
	}
	krn_buf_add(to, "\r\n", 2);
}

static void
output_json_cell(struct krn_buf *to, struct krn_str name, struct krn_str text,
		 bool is_number)
{
	krn_buf_add_char(to, '"');
	krn_json_escape(to, name);
	krn_buf_add(to, "\":", 2);
	if (!text.s) {
		krn_buf_add(to, "null", 4);
	} else if (is_number && text.len && text.s[0] != 'N' &&
		   text.s[0] != 'I' &&
		   !krn_str_has_prefix(text, KRN_STR("-I"))) {
		krn_buf_add_str(to, text);
	} else {
		krn_buf_add_char(to, '"');
		krn_json_escape(to, text);
		krn_buf_add_char(to, '"');
	}
}

void
krn_output_line(const struct krn_output *output,
		const struct krn_output_row *row, struct krn_buf *to)
{
	if (output->personalizes) {
		krn_buf_clear(output->rendered);
		krn_personalize_render(output->personalize, row->creative_id,
				       row->attributes, row->properties,
				       output->rendered);
		/* a line without its texts would be a lie */
		to->failed |= output->rendered->failed;
	}
	if (output->is_json)
		krn_buf_add_char(to, '{');
	for (size_t i = 0; i < output->columns_nr; i++) {
		bool is_number;
		const struct krn_str text =
		    output_cell(output, i, row, &is_number);

		if (i)
			krn_buf_add_char(to, ',');
		/* JSON stands in JSON as it is, like a number */
		is_number |= output->is_json && output->columns[i].column ==
						    KRN_COLUMN_PERSONALIZATION;
		if (output->is_json)
			output_json_cell(to, output->columns[i].name, text,
					 is_number);
		else
			krn_csv_cell(to, text, is_number);
	}
	krn_buf_add_c(to, output->is_json ? "}\n" : "\r\n");
}
