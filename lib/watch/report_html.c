/*
 * Reports as one HTML page that needs nothing else: tables, and charts in SVG.
 * It follows the reader's light or dark, and prints black on white. Colours
 * are attributes of the SVG as well as rules of the page: the program that
 * makes a PDF of it reads only the former.
 */

#include "base/base.h"

#include "watch/report.h"

#include "base/clock.h"

/* How many bars a chart has; the table has the rest. */
#define HTML_BARS_MAX 12

/* A table of so few rows is not broken over pages. */
#define HTML_SHORT_ROWS 6

#define HTML_BAR "#2f6f8f"
#define HTML_INK "#1c2529"
#define HTML_FAINT "#5b6a71"
#define HTML_LINE "#d5dde0"

static const char html_style[] =
    ":root{--ink:" HTML_INK ";--faint:" HTML_FAINT ";--line:" HTML_LINE
    ";--bar:" HTML_BAR ";--paper:#fff;--band:#f4f7f8}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e4eaec;--faint:#9aa9b0;"
    "--line:#37444a;--bar:#6fb4d6;--paper:#14191c;--band:#1b2226}}\n"
    "@media print{:root{--ink:" HTML_INK ";--faint:" HTML_FAINT
    ";--line:" HTML_LINE ";--bar:" HTML_BAR ";--paper:#fff;--band:#f4f7f8}"
    /* a heading goes with its chart and first rows, a short table is whole */
    ".head{break-inside:avoid;break-after:avoid}.short,tr{break-inside:avoid}"
    "thead{display:table-header-group}}\n"
    "@page{size:A4;margin:18mm 16mm;@bottom-right{content:counter(page) \" / "
    "\" "
    "counter(pages);font:9pt sans-serif;color:" HTML_FAINT "}}\n"
    "html{background:#fff;background:var(--paper);color:" HTML_INK
    ";color:var(--ink);font:15px/1.45 system-ui,\"Segoe UI\",Helvetica,Arial,"
    "\"DejaVu Sans\",sans-serif}\n"
    "body{max-width:60rem;margin:0 auto;padding:1.5rem}\n"
    "header{border-bottom:2px solid " HTML_BAR
    ";border-color:var(--bar);margin-bottom:1.5rem}\n"
    "h1{font-size:1.7rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:2rem 0 "
    "0}\n"
    "p{margin:.2rem 0 .8rem;color:" HTML_FAINT ";color:var(--faint)}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-"
    "nums}\n"
    "th,td{padding:.35rem .6rem;text-align:right;border-bottom:1px "
    "solid " HTML_LINE ";border-color:var(--line)}\n"
    "th{font-weight:600;font-size:.85em;color:" HTML_FAINT
    ";color:var(--faint)}\n"
    "td{white-space:nowrap}.t,.d{text-align:left}"
    ".t{white-space:normal;overflow-wrap:anywhere}\n"
    "tbody tr:nth-child(even){background:#f4f7f8;background:var(--band)}\n"
    "svg{width:100%;height:auto;margin:.4rem 0 .8rem}\n"
    ".bar{fill:var(--bar)}.trend{stroke:var(--bar)}.area{fill:var(--bar)}"
    ".ink{fill:var(--ink)}.faint{fill:var(--faint)}.grid{stroke:var(--line)}\n"
    ".none{font-style:italic}\n"
    "@media print{body{max-width:none;padding:0}html{font-size:9pt}"
    "th,td{padding:.2rem .5rem}svg{width:88%}}\n";

/* Text of a page and of attributes in double quotes. */
static void
html_text(struct krn_buf *buf, struct krn_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.s[i]) {
		case '&':
			krn_buf_add_c(buf, "&amp;");
			break;
		case '<':
			krn_buf_add_c(buf, "&lt;");
			break;
		case '>':
			krn_buf_add_c(buf, "&gt;");
			break;
		case '"':
			krn_buf_add_c(buf, "&quot;");
			break;
		default:
			krn_buf_add_char(buf, text.s[i]);
		}
	}
}

/* A cell as people read it, escaped. */
static void
html_value(struct krn_buf *buf, enum krn_report_type type,
	   const struct krn_value *value)
{
	if (value->type == KRN_VALUE_STRING)
		html_text(buf, value->string);
	else
		krn_report_value(buf, type, value);
}

/* Charts */

static const struct krn_value *
html_cell(const struct krn_report_section *section, size_t row, size_t column)
{
	return &section->rows.array.items[row].array.items[column];
}

/* What the chart shows of a row; what is missing is nothing. */
static double
html_number(const struct krn_report_section *section, size_t row)
{
	double number = 0;

	krn_value_number(html_cell(section, row, section->source->charted),
			 &number);
	return number > 0 ? number : 0;
}

static double
html_most(const struct krn_report_section *section, size_t nr)
{
	double most = 0;

	for (size_t r = 0; r < nr; r++)
		if (html_number(section, r) > most)
			most = html_number(section, r);
	return most;
}

/* At most so many code points, with an ellipsis for the rest. */
static void
html_label(struct krn_buf *buf, struct krn_str text, size_t points)
{
	struct krn_str rest = text;
	uint32_t point;
	size_t nr = 0;

	while (nr < points && krn_str_next(&rest, &point))
		nr++;
	html_text(buf, krn_str_from(text.s, text.len - rest.len));
	if (rest.len)
		krn_buf_add_c(buf, "…");
}

static void
html_bars(const struct krn_report_section *section, struct krn_buf *buf)
{
	const struct krn_report_column *column =
	    &section->source->columns[section->source->charted];
	const size_t all = section->rows.array.nr;
	const size_t nr = all < HTML_BARS_MAX ? all : HTML_BARS_MAX;
	const double most = html_most(section, nr);

	krn_buf_printf(buf,
		       "<svg viewBox=\"0 0 720 %zu\" role=\"img\" "
		       "font-family=\"sans-serif\" font-size=\"13\">"
		       "<title>%s</title>",
		       nr * 26 + 4, column->title);
	for (size_t r = 0; r < nr; r++) {
		const double width =
		    most > 0 ? 400 * html_number(section, r) / most : 0;
		const struct krn_value *name = html_cell(section, r, 0);

		krn_buf_printf(buf,
			       "<text class=\"ink\" x=\"200\" y=\"%zu\" "
			       "text-anchor=\"end\" fill=\"" HTML_INK "\">",
			       r * 26 + 18);
		if (name->type == KRN_VALUE_STRING)
			html_label(buf, name->string, 28);
		krn_buf_printf(buf,
			       "</text><rect class=\"bar\" x=\"210\" y=\"%zu\" "
			       "width=\"%.1f\" height=\"18\" rx=\"2\" "
			       "fill=\"" HTML_BAR "\"/>"
			       "<text class=\"faint\" x=\"%.1f\" y=\"%zu\" "
			       "fill=\"" HTML_FAINT "\">",
			       r * 26 + 4, width, 218 + width, r * 26 + 18);
		html_value(buf, column->type,
			   html_cell(section, r, section->source->charted));
		krn_buf_add_c(buf, "</text>");
	}
	krn_buf_add_c(buf, "</svg>\n");
}

/* An axis from 0 in steps that are round numbers. */
struct html_axis {
	double step;
	int steps;
};

/* One that ends at the least 2, 5 or 10 of a power of ten above a number. */
static struct html_axis
html_axis(double most)
{
	double power = 1;

	if (most <= 0)
		return (struct html_axis){1, 1};
	while (power > most)
		power /= 10;
	while (power * 10 <= most)
		power *= 10;
	return most <= power * 2   ? (struct html_axis){power / 2, 4}
	       : most <= power * 5 ? (struct html_axis){power, 5}
				   : (struct html_axis){power * 2, 5};
}

/* How its values are written: whole ones without a fraction. */
static enum krn_report_type
html_axis_type(const struct krn_report_section *section, double step)
{
	const enum krn_report_type type =
	    section->source->columns[section->source->charted].type;

	if (type == KRN_REPORT_PERCENT)
		return type;
	return step < 1 ? KRN_REPORT_NUMBER : KRN_REPORT_COUNT;
}

/* Lines across, with their values. */
static void
html_grid(const struct krn_report_section *section,
	  const struct html_axis *axis, struct krn_buf *buf)
{
	const enum krn_report_type type = html_axis_type(section, axis->step);

	for (int i = 0; i <= axis->steps; i++) {
		const struct krn_value value = krn_value_double(axis->step * i);
		const double y = 190 - 170.0 * i / axis->steps;

		krn_buf_printf(buf,
			       "<line class=\"grid\" x1=\"80\" x2=\"710\" "
			       "y1=\"%.1f\" y2=\"%.1f\" stroke=\"" HTML_LINE
			       "\"/><text class=\"faint\" x=\"72\" y=\"%.1f\" "
			       "text-anchor=\"end\" fill=\"" HTML_FAINT "\">",
			       y, y, y + 4);
		krn_report_value(buf, type, &value);
		krn_buf_add_c(buf, "</text>");
	}
}

static void
html_points(const struct krn_report_section *section, double top,
	    struct krn_buf *buf)
{
	const size_t nr = section->rows.array.nr;

	for (size_t r = 0; r < nr; r++)
		krn_buf_printf(
		    buf, "%s%.1f,%.1f", r ? " " : "",
		    nr > 1 ? 80 + 630.0 * (double)r / (double)(nr - 1) : 395.0,
		    190 - 170 * html_number(section, r) / top);
}

static void
html_day(const struct krn_report_section *section, size_t row, double x,
	 const char *anchor, struct krn_buf *buf)
{
	krn_buf_printf(buf,
		       "<text class=\"faint\" x=\"%.1f\" y=\"210\" "
		       "text-anchor=\"%s\" fill=\"" HTML_FAINT "\">",
		       x, anchor);
	html_value(buf, KRN_REPORT_DAY, html_cell(section, row, 0));
	krn_buf_add_c(buf, "</text>");
}

static void
html_line(const struct krn_report_section *section, struct krn_buf *buf)
{
	const size_t nr = section->rows.array.nr;
	const struct html_axis axis = html_axis(html_most(section, nr));
	const double top = axis.step * axis.steps;

	krn_buf_printf(
	    buf,
	    "<svg viewBox=\"0 0 720 216\" role=\"img\" "
	    "font-family=\"sans-serif\" font-size=\"12\"><title>%s</title>",
	    section->source->columns[section->source->charted].title);
	html_grid(section, &axis, buf);
	krn_buf_add_c(buf, "<polygon class=\"area\" fill=\"" HTML_BAR
			   "\" fill-opacity=\"0.12\" points=\"80,190 ");
	html_points(section, top, buf);
	krn_buf_add_c(buf, " 710,190\"/><polyline class=\"trend\" "
			   "fill=\"none\" stroke=\"" HTML_BAR
			   "\" stroke-width=\"2\" points=\"");
	html_points(section, top, buf);
	krn_buf_add_c(buf, "\"/>");
	html_day(section, 0, 80, "start", buf);
	if (nr > 2)
		html_day(section, nr / 2, 395, "middle", buf);
	if (nr > 1)
		html_day(section, nr - 1, 710, "end", buf);
	krn_buf_add_c(buf, "</svg>\n");
}

/* Sections */

/* What is not a number stands on the left; a text may be broken into lines. */
static const char *
html_class(enum krn_report_type type)
{
	return type == KRN_REPORT_TEXT  ? " class=\"t\""
	       : type == KRN_REPORT_DAY ? " class=\"d\""
					: "";
}

static void
html_table(const struct krn_report_section *section, struct krn_buf *buf)
{
	const size_t columns = krn_report_columns(section->source);

	krn_buf_printf(buf, "<table%s><thead><tr>",
		       section->rows.array.nr <= HTML_SHORT_ROWS
			   ? " class=\"short\""
			   : "");
	for (size_t c = 0; c < columns; c++)
		krn_buf_printf(buf, "<th%s scope=\"col\">%s</th>",
			       html_class(section->source->columns[c].type),
			       section->source->columns[c].title);
	krn_buf_add_c(buf, "</tr></thead>\n<tbody>\n");
	for (size_t r = 0; r < section->rows.array.nr; r++) {
		krn_buf_add_c(buf, "<tr>");
		for (size_t c = 0; c < columns; c++) {
			const enum krn_report_type type =
			    section->source->columns[c].type;

			krn_buf_printf(buf, "<td%s>", html_class(type));
			html_value(buf, type, html_cell(section, r, c));
			krn_buf_add_c(buf, "</td>");
		}
		krn_buf_add_c(buf, "</tr>\n");
	}
	krn_buf_add_c(buf, "</tbody></table>\n");
}

static void
html_section(const struct krn_report_section *section, struct krn_buf *buf)
{
	krn_buf_add_c(buf, "<section>\n<div class=\"head\">\n<h2>");
	html_text(buf, section->title);
	krn_buf_printf(buf, "</h2>\n<p>Last %lld day%s",
		       (long long)section->days, section->days == 1 ? "" : "s");
	if (section->source->chart != KRN_CHART_NONE)
		krn_buf_printf(
		    buf, " · chart: %s",
		    section->source->columns[section->source->charted].title);
	krn_buf_add_c(buf, "</p>\n");
	if (section->rows.array.nr == 0)
		krn_buf_add_c(buf, "<p class=\"none\">No data.</p>\n");
	else if (section->source->chart == KRN_CHART_BARS)
		html_bars(section, buf);
	else if (section->source->chart == KRN_CHART_LINE)
		html_line(section, buf);
	krn_buf_add_c(buf, "</div>\n");
	if (section->rows.array.nr)
		html_table(section, buf);
	krn_buf_add_c(buf, "</section>\n");
}

static void
html_narrative(struct krn_str lines, struct krn_buf *buf)
{
	const bool is_there = lines.s;
	struct krn_str line;

	krn_buf_add_c(buf, is_there ? "<ul>\n" : "");
	while (lines.s && krn_str_split(&lines, '\n', &line)) {
		krn_buf_add_c(buf, "<li>");
		html_text(buf, line);
		krn_buf_add_c(buf, "</li>\n");
	}
	krn_buf_add_c(buf, is_there ? "</ul>\n" : "");
}

void
krn_report_html(const struct krn_report *report, struct krn_buf *buf)
{
	char at[KRN_TIME_TEXT_BYTES];

	krn_time_format(report->at_us, at);
	krn_buf_add_c(buf, "<!doctype html>\n<html lang=\"en\"><head><meta "
			   "charset=\"utf-8\"><meta name=\"viewport\" "
			   "content=\"width=device-width\"><meta "
			   "name=\"color-scheme\" content=\"light dark\">"
			   "<title>");
	html_text(buf, report->title);
	krn_buf_add_c(buf, "</title>\n<style>\n");
	krn_buf_add_c(buf, html_style);
	krn_buf_add_c(buf, "</style></head>\n<body>\n<header><h1>");
	html_text(buf, report->title);
	krn_buf_add_c(buf, "</h1>\n<p>");
	html_text(buf, report->tenant_name);
	krn_buf_printf(buf, " · %.10s %.5s UTC</p>\n", at, at + 11);
	if (report->description.len) {
		krn_buf_add_c(buf, "<p>");
		html_text(buf, report->description);
		krn_buf_add_c(buf, "</p>\n");
	}
	krn_buf_add_c(buf, "</header>\n");
	html_narrative(report->narrative, buf);
	for (size_t s = 0; s < report->nr; s++)
		html_section(&report->sections[s], buf);
	krn_buf_add_c(buf, "</body></html>\n");
}
