/*
 * CSV reader.
 */

#include "base/base.h"

#include "campaign/csv.h"

void
krn_csv_init(struct krn_csv *csv, struct krn_arena *arena, FILE *file,
	     char delimiter)
{
	memset(csv, 0, sizeof(*csv));
	csv->file = file;
	csv->delimiter = delimiter;
	csv->next_line = 1;
	krn_buf_init(&csv->text, arena);
}

static int
csv_get(struct krn_csv *csv)
{
	const int c = getc_unlocked(csv->file);

	if (c != EOF)
		csv->bytes++;
	if (c == '\n')
		csv->next_line++;
	return c;
}

static int
csv_peek(struct krn_csv *csv)
{
	const int c = getc_unlocked(csv->file);

	if (c != EOF)
		ungetc(c, csv->file);
	return c;
}

static enum krn_err
csv_refuse(const struct krn_csv *csv, struct krn_error *err, const char *what)
{
	return krn_refuse(err, KRN_ERR_INVALID, "line %lld, column %zu: %s",
			  (long long)csv->line, csv->nr + 1, what);
}

/* EF BB BF at the very beginning. Source: Unicode, byte order mark. */
static void
csv_skip_mark(struct krn_csv *csv)
{
	static const int mark[] = {0xEF, 0xBB, 0xBF};

	for (size_t i = 0; i < KRN_NR(mark) && csv_peek(csv) == mark[i]; i++)
		csv_get(csv);
}

static enum krn_err
csv_quoted(struct krn_csv *csv, struct krn_error *err)
{
	for (;;) {
		const int c = csv_get(csv);

		if (c == EOF)
			return csv_refuse(csv, err, "a quote without its end");
		if (c == '"' && csv_peek(csv) != '"')
			return KRN_OK;
		if (c == '"')
			csv_get(csv);
		if (c == '\0')
			return csv_refuse(csv, err, "a NUL byte");
		krn_buf_add_char(&csv->text, (char)c);
		if (csv->text.len > KRN_CSV_RECORD_BYTES_MAX)
			return csv_refuse(csv, err, "a record over 1 MiB");
	}
}

/*
 * One field with the delimiter or line end behind it; *ret_last tells which.
 */
static enum krn_err
csv_field(struct krn_csv *csv, bool *ret_last, struct krn_error *err)
{
	const bool quoted = csv_peek(csv) == '"';
	enum krn_err e;

	csv->quoted[csv->nr] = quoted;
	if (quoted) {
		csv_get(csv);
		if ((e = csv_quoted(csv, err)))
			return e;
	}
	for (;;) {
		int c = csv_get(csv);

		if (c == '\r' && csv_peek(csv) == '\n')
			c = csv_get(csv);
		*ret_last = c == '\n' || c == EOF;
		if (*ret_last || c == csv->delimiter)
			return KRN_OK;
		if (quoted)
			return csv_refuse(csv, err,
					  "text behind a closing quote");
		if (c == '"')
			return csv_refuse(csv, err,
					  "a quote inside an unquoted field");
		if (c == '\0')
			return csv_refuse(csv, err, "a NUL byte");
		krn_buf_add_char(&csv->text, (char)c);
		if (csv->text.len > KRN_CSV_RECORD_BYTES_MAX)
			return csv_refuse(csv, err, "a record over 1 MiB");
	}
}

/* The fields of the record, and whether they are as they should be. */
static enum krn_err
csv_finish(struct krn_csv *csv, struct krn_error *err)
{
	const size_t nr = csv->nr;

	if (csv->text.failed)
		return krn_arena_fail(csv->text.arena, err);
	csv->starts[nr] = csv->text.len;
	for (csv->nr = 0; csv->nr < nr; csv->nr++) {
		const size_t i = csv->nr;

		csv->fields[i] = (struct krn_csv_field){
		    {csv->text.data ? csv->text.data + csv->starts[i] : "",
		     csv->starts[i + 1] - csv->starts[i]},
		    csv->quoted[i]};
		if (!krn_str_is_utf8(csv->fields[i].text))
			return csv_refuse(csv, err, "not UTF-8");
	}
	if (csv->expected == 0)
		csv->expected = nr;
	if (nr == csv->expected)
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_INVALID,
			  "line %lld: %zu fields, the header has %zu",
			  (long long)csv->line, nr, csv->expected);
}

enum krn_err
krn_csv_next(struct krn_csv *csv, bool *ret_more, struct krn_error *err)
{
	bool last = false;
	enum krn_err e;

	if (csv->bytes == 0)
		csv_skip_mark(csv);
	*ret_more = csv_peek(csv) != EOF;
	if (!*ret_more)
		return ferror(csv->file)
			   ? krn_fail_errno(err, "read the file")
			   : KRN_OK;
	csv->line = csv->next_line;
	csv->nr = 0;
	krn_buf_clear(&csv->text);
	while (!last) {
		if (csv->nr == KRN_CSV_FIELDS_MAX)
			return csv_refuse(csv, err, "more than 1600 fields");
		csv->starts[csv->nr] = csv->text.len;
		if ((e = csv_field(csv, &last, err)))
			return e;
		csv->nr++;
	}
	return csv_finish(csv, err);
}

char
krn_csv_guess_delimiter(FILE *file)
{
	static const char delimiters[] = {',', ';', '\t', '|'};
	size_t counts[KRN_NR(delimiters)] = {0}, best = 0;
	bool quoted = false;
	int c;

	while ((c = getc(file)) != EOF && (quoted || c != '\n')) {
		if (c == '"')
			quoted = !quoted;
		for (size_t i = 0; !quoted && i < KRN_NR(delimiters); i++)
			counts[i] += c == delimiters[i];
	}
	rewind(file);
	for (size_t i = 1; i < KRN_NR(delimiters); i++)
		if (counts[i] > counts[best])
			best = i;
	return delimiters[best];
}
