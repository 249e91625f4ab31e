/*
 * Lines of the export.
 */

#include "base/base.h"

#include "lifecycle/export_line.h"

#include "base/json_out.h"

enum line_type {
	LINE_TEXT,
	LINE_NUMBER, /* NaN and infinity have no JSON: null */
	LINE_JSON,
	LINE_TIME, /* in UTC, as PostgreSQL writes it */
};

#define LINE_KEY(text) text, sizeof(text) - 1

/* In the order of the statement's columns and of the line. */
static const struct {
	const char *key; /* with quotes, colon and the comma before it */
	size_t len;
	enum line_type type;
} line_fields[] = {
    {LINE_KEY("{\"id\":"), LINE_TEXT},
    {LINE_KEY(",\"tenantId\":"), LINE_TEXT},
    {LINE_KEY(",\"customerId\":"), LINE_TEXT},
    {LINE_KEY(",\"interactionType\":"), LINE_TEXT},
    {LINE_KEY(",\"direction\":"), LINE_TEXT},
    {LINE_KEY(",\"outcome\":"), LINE_TEXT},
    {LINE_KEY(",\"offerId\":"), LINE_TEXT},
    {LINE_KEY(",\"creativeId\":"), LINE_TEXT},
    {LINE_KEY(",\"channelId\":"), LINE_TEXT},
    {LINE_KEY(",\"campaignId\":"), LINE_TEXT},
    {LINE_KEY(",\"campaignRunId\":"), LINE_TEXT},
    {LINE_KEY(",\"recommendationId\":"), LINE_TEXT},
    {LINE_KEY(",\"rank\":"), LINE_NUMBER},
    {LINE_KEY(",\"score\":"), LINE_NUMBER},
    {LINE_KEY(",\"conversionValue\":"), LINE_NUMBER},
    {LINE_KEY(",\"context\":"), LINE_JSON},
    {LINE_KEY(",\"createdAt\":"), LINE_TIME},
};

/*
 * "2026-01-31 09:08:07.1234+00" as "2026-01-31T09:08:07.123Z". Here and not by
 * to_char, which takes a tenth of the export.
 */
static void
line_time(struct krn_buf *buf, struct krn_str text)
{
	const ptrdiff_t space = krn_str_find_char(text, ' ');
	const size_t seconds = (size_t)space + 9; /* " hh:mm:ss" */
	char milliseconds[] = ".000Z";

	if (space < 0 || text.len < seconds) {
		krn_buf_add_str(buf, text); /* infinity */
		return;
	}
	if (text.len > seconds && text.s[seconds] == '.')
		for (size_t i = 1; i <= 3 && seconds + i < text.len &&
				   text.s[seconds + i] >= '0';
		     i++)
			milliseconds[i] = text.s[seconds + i];
	krn_buf_add(buf, text.s, (size_t)space);
	krn_buf_add_char(buf, 'T');
	krn_buf_add(buf, text.s + space + 1, 8);
	krn_buf_add(buf, milliseconds, 5);
}

static void
line_value(struct krn_buf *buf, enum line_type type, struct krn_str text)
{
	const bool finite =
	    type != LINE_NUMBER || (text.len && text.s[text.len - 1] <= '9');

	if (!text.s || !finite) {
		krn_buf_add(buf, "null", 4);
	} else if (type == LINE_NUMBER || type == LINE_JSON) {
		krn_buf_add_str(buf, text);
	} else {
		krn_buf_add_char(buf, '"');
		if (type == LINE_TEXT)
			krn_json_escape(buf, text);
		else
			line_time(buf, text);
		krn_buf_add_char(buf, '"');
	}
}

_Static_assert(KRN_NR(line_fields) == KRN_EXPORT_FIELDS, "all of them");

void
krn_export_fields(struct krn_buf *buf,
		  const struct krn_str fields[KRN_EXPORT_FIELDS])
{
	for (size_t i = 0; i < KRN_EXPORT_FIELDS; i++) {
		krn_buf_add(buf, line_fields[i].key, line_fields[i].len);
		line_value(buf, line_fields[i].type, fields[i]);
	}
	krn_buf_add(buf, "}\n", 2);
}

enum krn_err
krn_export_line(struct krn_buf *buf, struct krn_copy_row row,
		struct krn_error *err)
{
	struct krn_str fields[KRN_EXPORT_FIELDS];

	if (krn_copy_split(row, fields, KRN_NR(fields)) != KRN_NR(fields))
		return krn_fail(err, KRN_ERR_INTERNAL,
				"an interaction row has too few fields");
	krn_export_fields(buf, fields);
	return KRN_OK;
}
