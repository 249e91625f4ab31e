#ifndef KRN_OUTPUT_H
#define KRN_OUTPUT_H

/*
 * The file of a run: which columns there are, and how a decision becomes a
 * line of CSV (RFC 4180, CRLF) or NDJSON.
 *
 * Source: contract section 5, file.
 */

#include "base/buf.h"
#include "base/value.h"
#include "campaign/personalize.h"
#include "decide/plan.h"

enum krn_output_column {
	KRN_COLUMN_CUSTOMER_ID,
	KRN_COLUMN_OFFER_ID,
	KRN_COLUMN_OFFER_NAME,
	KRN_COLUMN_CATEGORY,
	KRN_COLUMN_CREATIVE_ID,
	KRN_COLUMN_CHANNEL,
	KRN_COLUMN_CHANNEL_ID,
	KRN_COLUMN_RANK,
	KRN_COLUMN_SCORE,
	KRN_COLUMN_CAMPAIGN_ID,
	KRN_COLUMN_CAMPAIGN_RUN_ID,
	KRN_COLUMN_DECIDED_AT,
	KRN_COLUMN_PERSONALIZATION,
	KRN_COLUMN_PROPERTY,  /* personalization.<name> */
	KRN_COLUMN_ATTRIBUTE, /* attr.<name> */
};

#define KRN_OUTPUT_COLUMNS_MAX 100

struct krn_output {
	bool is_json;
	size_t columns_nr;
	struct {
		enum krn_output_column column;
		struct krn_str name; /* as written in the header */
		/* its place: of the attributes, or the plan's properties */
		size_t attribute;
		bool is_number; /* an attribute of a number type */
	} columns[KRN_OUTPUT_COLUMNS_MAX];
	struct krn_str attributes[KRN_OUTPUT_COLUMNS_MAX]; /* names */
	size_t attributes_nr;
	bool personalizes;   /* a column is the personalization */
	bool has_properties; /* a column is one of the flow's */
	/* set before the first line, when it does */
	const struct krn_personalize *personalize;
	struct krn_buf *rendered; /* of the line under way */
	/* the same in every line */
	struct krn_str campaign_id, run_id, decided_at;
};

/* What the flow computed; .text.s NULL is null. */
struct krn_output_property {
	struct krn_str text;
	bool is_number;
};

/* One decision. */
struct krn_output_row {
	/* texts of the database; creative_id.s NULL: none */
	struct krn_str customer_id, rank, score, creative_id;
	const struct krn_plan_offer *offer;
	const struct krn_plan_channel *channel;
	const struct krn_str *attributes;             /* .s NULL is NULL */
	const struct krn_output_property *properties; /* of the plan */
};

/* Is it a column's name? "attr.<name>", "personalization.<name>" always are. */
bool krn_output_column_is(struct krn_str name);

/*
 * Take the columns of a campaign's fileConfig.
 * Errors: KRN_ERR_INVALID
 */
KRN_MUSTCHECK enum krn_err krn_output_init(struct krn_output *output,
					   const struct krn_value *file_config,
					   struct krn_error *err);

/*
 * The places of the columns that are properties of the plan.
 * Errors: KRN_ERR_INVALID  the flow has none of that name
 */
KRN_MUSTCHECK enum krn_err krn_output_bind(struct krn_output *output,
					   const struct krn_plan *plan,
					   struct krn_error *err);

/* CSV: the header line. NDJSON: nothing. */
void krn_output_header(const struct krn_output *output, struct krn_buf *to);

/* One line. Failures of memory are the buffer's. */
void krn_output_line(const struct krn_output *output,
		     const struct krn_output_row *row, struct krn_buf *to);

#endif
