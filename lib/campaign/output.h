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
	KRN_COLUMN_ATTRIBUTE, /* attr.<name> */
};

#define KRN_OUTPUT_COLUMNS_MAX 100

struct krn_output {
	bool is_json;
	size_t columns_nr;
	struct {
		enum krn_output_column column;
		struct krn_str name;      /* as written in the header */
		size_t attribute;         /* of KRN_COLUMN_ATTRIBUTE: place */
		bool is_number;           /* an attribute of a number type */
	} columns[KRN_OUTPUT_COLUMNS_MAX];
	struct krn_str attributes[KRN_OUTPUT_COLUMNS_MAX]; /* names */
	size_t attributes_nr;
	bool personalizes; /* a column is the personalization */
	/* set before the first line, when it does */
	const struct krn_personalize *personalize;
	struct krn_buf *rendered; /* of the line under way */
	/* the same in every line */
	struct krn_str campaign_id, run_id, decided_at;
};

/* One decision. */
struct krn_output_row {
	/* texts of the database; creative_id.s NULL: none */
	struct krn_str customer_id, rank, score, creative_id;
	const struct krn_plan_offer *offer;
	const struct krn_plan_channel *channel;
	const struct krn_str *attributes; /* .s NULL is NULL */
};

/* Is it a column's name? "attr.<name>" always is. */
bool krn_output_column_is(struct krn_str name);

/*
 * Take the columns of a campaign's fileConfig.
 * Errors: KRN_ERR_INVALID
 */
KRN_MUSTCHECK enum krn_err krn_output_init(struct krn_output *output,
					   const struct krn_value *file_config,
					   struct krn_error *err);

/* CSV: the header line. NDJSON: nothing. */
void krn_output_header(const struct krn_output *output, struct krn_buf *to);

/* One line. Failures of memory are the buffer's. */
void krn_output_line(const struct krn_output *output,
		     const struct krn_output_row *row, struct krn_buf *to);

#endif
