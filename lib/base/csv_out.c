/*
 * Cells of CSV.
 */

#include "base/base.h"

#include "base/csv_out.h"

/* Would a spreadsheet take the cell for a formula? Source: contract 5. */
static bool
csv_is_formula(struct krn_str text)
{
	return text.len && strchr("=+-@\t\r", text.s[0]) && text.s[0];
}

void
krn_csv_cell(struct krn_buf *to, struct krn_str text, bool is_number)
{
	const bool guard = !is_number && csv_is_formula(text);
	bool quote = false;

	for (size_t i = 0; i < text.len && !quote; i++)
		quote = text.s[i] == '"' || text.s[i] == ',' ||
			text.s[i] == '\n' || text.s[i] == '\r';
	/* an empty text is not NULL: "" */
	quote |= text.s && text.len == 0;
	if (quote)
		krn_buf_add_char(to, '"');
	if (guard)
		krn_buf_add_char(to, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.s[i] == '"')
			krn_buf_add_char(to, '"');
		krn_buf_add_char(to, text.s[i]);
	}
	if (quote)
		krn_buf_add_char(to, '"');
}
