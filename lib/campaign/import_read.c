/*
 * Records of an import: CSV by csv.c, NDJSON by the JSON reader.
 */

#include "base/base.h"

#include "base/json_in.h"
#include "base/json_out.h"
#include "campaign/import_private.h"

#define IMPORT_LINE_BYTES_MAX ((size_t)1 << 20)

/* How often progress is told, in records. */
#define IMPORT_PROGRESS_RECORDS 4096

static enum krn_err
import_add_column(struct import_read *read, struct krn_str name,
		  struct krn_error *err)
{
	struct import_column *columns = krn_arena_grow(
	    read->arena, read->columns,
	    read->columns_nr * sizeof(*columns),
	    (read->columns_nr + 1) * sizeof(*columns));

	if (!columns)
		return krn_arena_fail(read->arena, err);
	read->columns = columns;
	for (size_t i = 0; i < read->columns_nr; i++)
		if (krn_str_eq(columns[i].name, name))
			return krn_refuse(err, KRN_ERR_INVALID,
					  "line %lld: the column \"%.*s\" "
					  "stands twice",
					  (long long)read->line,
					  KRN_STR_ARG(name));
	if (name.len == 0 || name.len > 63)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "line %lld, column %zu: a column's name has "
				  "1 to 63 bytes",
				  (long long)read->line, read->columns_nr + 1);
	columns[read->columns_nr] = (struct import_column){
	    .name = krn_str_dup(read->arena, name), .type = IMPORT_BIGINT};
	return columns[read->columns_nr++].name.s
		   ? KRN_OK
		   : krn_arena_fail(read->arena, err);
}

static enum krn_err
import_ready(struct import_read *read, struct krn_error *err)
{
	read->id = SIZE_MAX;
	for (size_t i = 0; i < read->columns_nr; i++)
		if (krn_str_eq(read->columns[i].name, read->import->id_column))
			read->id = i;
	if (read->id == SIZE_MAX)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the file has no column \"%.*s\"",
				  KRN_STR_ARG(read->import->id_column));
	read->values = krn_arena_calloc(read->arena, read->columns_nr,
					sizeof(*read->values));
	read->is_quoted = krn_arena_calloc(read->arena, read->columns_nr, 1);
	return read->values && read->is_quoted
		   ? KRN_OK
		   : krn_arena_fail(read->arena, err);
}

/* The header of a CSV file. */
static enum krn_err
import_header(struct import_read *read, struct krn_error *err)
{
	bool more;
	enum krn_err e;

	if ((e = krn_csv_next(&read->csv, &more, err)))
		return e;
	if (!more)
		return krn_refuse(err, KRN_ERR_INVALID, "the file is empty");
	if (read->columns)
		return KRN_OK;
	read->line = read->csv.line;
	if (read->import->number_rows &&
	    (e = import_add_column(read, read->import->id_column, err)))
		return e;
	for (size_t i = 0; i < read->csv.nr; i++)
		if ((e = import_add_column(read, read->csv.fields[i].text,
					   err)))
			return e;
	return import_ready(read, err);
}

/* Columns of an NDJSON file: the members of its first line. */
static enum krn_err
import_members(struct import_read *read, const struct krn_value *first,
	       struct krn_error *err)
{
	enum krn_err e;

	if (read->import->number_rows &&
	    (e = import_add_column(read, read->import->id_column, err)))
		return e;
	for (size_t i = 0; i < first->object.nr; i++)
		if ((e = import_add_column(read, first->object.members[i].name,
					   err)))
			return e;
	return import_ready(read, err);
}

enum krn_err
import_begin(struct import_read *read, struct krn_error *err)
{
	rewind(read->import->file);
	read->row = 0;
	read->line = 0;
	krn_csv_init(&read->csv, read->arena, read->import->file,
		     read->import->delimiter);
	return read->import->ndjson ? KRN_OK : import_header(read, err);
}

static void
import_row_number(struct import_read *read)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)read->row);
	read->values[read->id] =
	    krn_str_dup(read->record, krn_str_c(text));
}

static enum krn_err
import_next_csv(struct import_read *read, bool *ret_more, struct krn_error *err)
{
	const size_t shift = read->import->number_rows ? 1 : 0;
	enum krn_err e;

	if ((e = krn_csv_next(&read->csv, ret_more, err)) || !*ret_more)
		return e;
	read->line = read->csv.line;
	for (size_t i = 0; i < read->csv.nr; i++) {
		const struct krn_csv_field *field = &read->csv.fields[i];

		read->values[i + shift] = field->text;
		read->is_quoted[i + shift] = field->quoted;
		if (field->text.len == 0 && !field->quoted)
			read->values[i + shift].s = NULL;
	}
	return KRN_OK;
}

/* A member's value as a column's text. */
static enum krn_err
import_member_text(struct import_read *read, const struct krn_value *value,
		   struct krn_str *ret, struct krn_error *err)
{
	struct krn_buf buf;
	struct krn_json_out out;

	*ret = (struct krn_str){NULL, 0};
	if (value->type == KRN_VALUE_NULL)
		return KRN_OK;
	if (value->type == KRN_VALUE_STRING) {
		*ret = value->string;
		return KRN_OK;
	}
	krn_buf_init(&buf, read->record);
	krn_json_init(&out, &buf);
	krn_json_value(&out, NULL, value);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

static enum krn_err
import_record(struct import_read *read, const struct krn_value *object,
	      struct krn_error *err)
{
	enum krn_err e;

	if (object->type != KRN_VALUE_OBJECT)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "line %lld: must be a JSON object",
				  (long long)read->line);
	if (!read->columns && (e = import_members(read, object, err)))
		return e;
	memset(read->values, 0, read->columns_nr * sizeof(*read->values));
	for (size_t i = 0; i < object->object.nr; i++) {
		const struct krn_member *member = &object->object.members[i];
		size_t k = 0;

		while (k < read->columns_nr &&
		       !krn_str_eq(read->columns[k].name, member->name))
			k++;
		if (k == read->columns_nr)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "line %lld: \"%.100s\" is not in the "
					  "first line",
					  (long long)read->line,
					  member->name.s);
		read->is_quoted[k] = member->value.type == KRN_VALUE_STRING;
		if ((e = import_member_text(read, &member->value,
					    &read->values[k], err)))
			return e;
	}
	return KRN_OK;
}

static enum krn_err
import_next_json(struct import_read *read, bool *ret_more,
		 struct krn_error *err)
{
	struct krn_buf line;
	struct krn_value object;
	int c = 0;
	enum krn_err e;

	krn_buf_init(&line, read->record);
	while ((c = getc_unlocked(read->import->file)) != EOF && c != '\n') {
		krn_buf_add_char(&line, (char)c);
		if (line.len > IMPORT_LINE_BYTES_MAX)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "line %lld: over 1 MiB",
					  (long long)read->line + 1);
	}
	read->csv.bytes += (int64_t)line.len + 1;
	*ret_more = c != EOF || line.len > 0;
	if (!*ret_more)
		return KRN_OK;
	read->line++;
	if (line.failed)
		return krn_arena_fail(read->record, err);
	if ((e = krn_json_parse(read->record,
				krn_str_from(line.data ? line.data : "",
					     line.len),
				KRN_JSON_DEPTH_MAX, &object, err))) {
		char why[300];

		snprintf(why, sizeof(why), "%.290s",
			 err ? err->message : "not JSON");
		return krn_refuse(err, KRN_ERR_INVALID, "line %lld: %s",
				  (long long)read->line, why);
	}
	return import_record(read, &object, err);
}

enum krn_err
import_next(struct import_read *read, bool *ret_more, struct krn_error *err)
{
	const struct krn_import *import = read->import;
	enum krn_err e;

	krn_arena_reset(read->record);
	e = import->ndjson ? import_next_json(read, ret_more, err)
			   : import_next_csv(read, ret_more, err);
	if (e || !*ret_more)
		return e;
	read->row++;
	if (import->number_rows)
		import_row_number(read);
	if (!read->values[read->id].s || read->values[read->id].len == 0)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "line %lld: the id \"%.*s\" is empty",
				  (long long)read->line,
				  KRN_STR_ARG(import->id_column));
	if (import->progress && read->row % IMPORT_PROGRESS_RECORDS == 0)
		import->progress(import->progress_data,
				 read->passes_done * read->total_bytes +
				     read->csv.bytes,
				 2 * read->total_bytes);
	return KRN_OK;
}
