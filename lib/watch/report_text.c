/*
 * Reports as CSV, Markdown and JSON.
 *
 * Source: RFC 4180; CommonMark with the tables of GitHub; contract section 5
 * for the apostrophe before what a spreadsheet would compute.
 */

#include "base/base.h"

#include "watch/report.h"

#include "base/clock.h"

static const struct krn_value report_null = {.type = KRN_VALUE_NULL};

/* A cell of a row; null when there is none. */
static const struct krn_value *
report_cell(const struct krn_report_section *section, size_t row, size_t column)
{
	const struct krn_value *cells = &section->rows.array.items[row];

	return cells->type == KRN_VALUE_ARRAY && column < cells->array.nr
		   ? &cells->array.items[column]
		   : &report_null;
}

/* 1234567.5 as 1,234,567.50 */
static void
report_number(struct krn_buf *buf, double number, int decimals)
{
	char text[400];
	const int len = snprintf(text, sizeof(text), "%.*f", decimals, number);
	int whole = decimals ? len - decimals - 1 : len;

	for (int i = 0; i < len; i++) {
		krn_buf_add_char(buf, text[i]);
		if (i + 1 < whole && text[i] != '-' && (whole - i - 1) % 3 == 0)
			krn_buf_add_char(buf, ',');
	}
}

void
krn_report_value(struct krn_buf *buf, enum krn_report_type type,
		 const struct krn_value *value)
{
	double number = 0;

	if (value->type == KRN_VALUE_NULL) {
		krn_buf_add_c(buf, "–");
		return;
	}
	if (value->type == KRN_VALUE_STRING) {
		krn_buf_add_str(buf, value->string);
		return;
	}
	krn_value_number(value, &number);
	if (type == KRN_REPORT_PERCENT) {
		report_number(buf, number * 100, 2);
		krn_buf_add_c(buf, " %");
	} else {
		report_number(buf, number, type == KRN_REPORT_COUNT ? 0 : 2);
	}
}

/* CSV */

static void
report_csv_text(struct krn_buf *buf, struct krn_str text)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++)
		quoted |= strchr(",\"\r\n", text.s[i]) != NULL;
	if (quoted)
		krn_buf_add_char(buf, '"');
	if (text.len && strchr("=+-@\t\r", text.s[0]))
		krn_buf_add_char(buf, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.s[i] == '"')
			krn_buf_add_char(buf, '"');
		krn_buf_add_char(buf, text.s[i]);
	}
	if (quoted)
		krn_buf_add_char(buf, '"');
}

/* For programs: numbers as they are, nothing for what is missing. */
static void
report_csv_cell(struct krn_buf *buf, const struct krn_value *value)
{
	double number;

	if (value->type == KRN_VALUE_STRING)
		report_csv_text(buf, value->string);
	else if (krn_value_number(value, &number))
		krn_buf_add_double(buf, number);
}

void
krn_report_csv(const struct krn_report *report, struct krn_buf *buf)
{
	for (size_t s = 0; s < report->nr; s++) {
		const struct krn_report_section *section = &report->sections[s];
		const size_t columns = krn_report_columns(section->source);

		krn_buf_add_c(buf, "section");
		for (size_t c = 0; c < columns; c++)
			krn_buf_printf(buf, ",%s",
				       section->source->columns[c].name);
		krn_buf_add_c(buf, "\r\n");
		for (size_t r = 0; r < section->rows.array.nr; r++) {
			report_csv_text(buf, section->id);
			for (size_t c = 0; c < columns; c++) {
				krn_buf_add_char(buf, ',');
				report_csv_cell(buf,
						report_cell(section, r, c));
			}
			krn_buf_add_c(buf, "\r\n");
		}
		if (s + 1 < report->nr)
			krn_buf_add_c(buf, "\r\n");
	}
}

/* Markdown */

static void
report_markdown_text(struct krn_buf *buf, struct krn_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("\\`*_{}[]<>#|&", text.s[i]) && text.s[i])
			krn_buf_add_char(buf, '\\');
		krn_buf_add_char(buf, text.s[i] == '\n' || text.s[i] == '\r'
					  ? ' '
					  : text.s[i]);
	}
}

static void
report_markdown_cell(struct krn_buf *buf, enum krn_report_type type,
		     const struct krn_value *value)
{
	krn_buf_add_c(buf, " ");
	if (value->type == KRN_VALUE_STRING)
		report_markdown_text(buf, value->string);
	else
		krn_report_value(buf, type, value);
	krn_buf_add_c(buf, " |");
}

static void
report_markdown_section(const struct krn_report_section *section,
			struct krn_buf *buf)
{
	const size_t columns = krn_report_columns(section->source);

	krn_buf_add_c(buf, "\n## ");
	report_markdown_text(buf, section->title);
	krn_buf_printf(buf, "\n\nLast %lld days.\n\n|",
		       (long long)section->days);
	for (size_t c = 0; c < columns; c++)
		krn_buf_printf(buf, " %s |", section->source->columns[c].title);
	krn_buf_add_c(buf, "\n|");
	for (size_t c = 0; c < columns; c++)
		krn_buf_add_c(buf,
			      section->source->columns[c].type <= KRN_REPORT_DAY
				  ? " --- |"
				  : " ---: |");
	krn_buf_add_char(buf, '\n');
	for (size_t r = 0; r < section->rows.array.nr; r++) {
		krn_buf_add_char(buf, '|');
		for (size_t c = 0; c < columns; c++)
			report_markdown_cell(buf,
					     section->source->columns[c].type,
					     report_cell(section, r, c));
		krn_buf_add_char(buf, '\n');
	}
	if (section->rows.array.nr == 0)
		krn_buf_add_c(buf, "\nNo data.\n");
}

static void
report_markdown_narrative(struct krn_str lines, struct krn_buf *buf)
{
	struct krn_str line;

	krn_buf_add_c(buf, lines.s ? "\n" : "");
	while (lines.s && krn_str_split(&lines, '\n', &line)) {
		krn_buf_add_c(buf, "- ");
		report_markdown_text(buf, line);
		krn_buf_add_char(buf, '\n');
	}
}

void
krn_report_markdown(const struct krn_report *report, struct krn_buf *buf)
{
	char at[KRN_TIME_TEXT_BYTES];

	krn_time_format(report->at_us, at);
	krn_buf_add_c(buf, "# ");
	report_markdown_text(buf, report->title);
	krn_buf_add_c(buf, "\n\n");
	report_markdown_text(buf, report->tenant_name);
	krn_buf_printf(buf, ", %.10s %.5s UTC\n", at, at + 11);
	if (report->description.len) {
		krn_buf_add_char(buf, '\n');
		report_markdown_text(buf, report->description);
		krn_buf_add_char(buf, '\n');
	}
	report_markdown_narrative(report->narrative, buf);
	for (size_t s = 0; s < report->nr; s++)
		report_markdown_section(&report->sections[s], buf);
}

/* JSON */

void
krn_report_json(const struct krn_report *report, struct krn_json_out *out,
		const char *name)
{
	krn_json_arr_open(out, name);
	for (size_t s = 0; s < report->nr; s++) {
		const struct krn_report_section *section = &report->sections[s];
		const size_t columns = krn_report_columns(section->source);

		krn_json_obj_open(out, NULL);
		krn_json_str(out, "id", section->id);
		krn_json_str(out, "title", section->title);
		krn_json_c(out, "sourceKey", section->source->key);
		krn_json_int(out, "days", section->days);
		krn_json_arr_open(out, "columns");
		for (size_t c = 0; c < columns; c++)
			krn_json_c(out, NULL, section->source->columns[c].name);
		krn_json_close(out);
		krn_json_value(out, "rows", &section->rows);
		krn_json_close(out);
	}
	krn_json_close(out);
}
