/*
 * Imports: types and checks in the first pass, COPY in the second.
 */

#include "base/base.h"

#include "campaign/import.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/json_in.h"
#include "base/json_out.h"
#include "campaign/import_private.h"
#include "queue/job.h"
#include "store/copy.h"

/* What is sent at once. */
#define IMPORT_SEND_BYTES 262144

static const char *const import_sql_types[] = {"bigint", "double precision",
					       "text", ""};
static const char *const import_given_types[] = {
    "text", "bigint", "double precision", "boolean", "date", "timestamptz"};

/* First pass: types */

static bool
import_fits(enum import_type type, struct krn_str text)
{
	int64_t integer;
	double number;

	if (type == IMPORT_BIGINT)
		return krn_parse_int64(text, INT64_MIN, INT64_MAX, &integer,
				       NULL) == KRN_OK;
	if (type == IMPORT_DOUBLE)
		return krn_parse_double(text, &number, NULL) == KRN_OK;
	return true;
}

/* "age=bigint,joined=date" */
static enum krn_err
import_given(struct import_read *read, struct krn_error *err)
{
	struct krn_str rest = read->import->types, item;

	while (rest.len && krn_str_split(&rest, ',', &item)) {
		const ptrdiff_t at = krn_str_find_char(item, '=');
		const struct krn_str name =
		    krn_str_from(item.s, at < 0 ? item.len : (size_t)at);
		const struct krn_str type =
		    at < 0 ? KRN_STR("")
			   : krn_str_from(item.s + at + 1,
					  item.len - (size_t)at - 1);
		size_t k = 0, t = 0;

		while (k < read->columns_nr &&
		       !krn_str_eq(read->columns[k].name, name))
			k++;
		while (t < KRN_NR(import_given_types) &&
		       !krn_str_eq_c(type, import_given_types[t]))
			t++;
		if (k == read->columns_nr || t == KRN_NR(import_given_types))
			return krn_refuse(err, KRN_ERR_INVALID,
					  "--types: \"%.*s\" is not a column "
					  "and a type (text, bigint, double "
					  "precision, boolean, date, "
					  "timestamptz)",
					  KRN_STR_ARG(item));
		read->columns[k].given = true;
		read->columns[k].sql = import_given_types[t];
		read->columns[k].type = t == 0	 ? IMPORT_TEXT
					: t == 1 ? IMPORT_BIGINT
					: t == 2 ? IMPORT_DOUBLE
						 : IMPORT_OTHER;
	}
	return KRN_OK;
}

static enum krn_err
import_narrow(struct import_read *read, struct krn_error *err)
{
	for (size_t i = 0; i < read->columns_nr; i++) {
		struct import_column *column = &read->columns[i];
		const struct krn_str text = read->values[i];

		if (!text.s || i == read->id)
			continue;
		column->has_value = true;
		if (column->given && !import_fits(column->type, text))
			return krn_refuse(err, KRN_ERR_INVALID,
					  "line %lld, column %zu (\"%.*s\"): "
					  "\"%.*s\" is not a %s",
					  (long long)read->line, i + 1,
					  KRN_STR_ARG(column->name),
					  (int)(text.len < 60 ? text.len : 60),
					  text.s, column->sql);
		while (!column->given && !import_fits(column->type, text))
			column->type++;
	}
	return KRN_OK;
}

static enum krn_err
import_find_types(struct import_read *read, struct krn_error *err)
{
	bool more = true, first = true;
	enum krn_err e;

	if ((e = import_begin(read, err)))
		return e;
	if (!read->import->ndjson && (e = import_given(read, err)))
		return e;
	while (!(e = import_next(read, &more, err)) && more) {
		if (first && read->import->ndjson &&
		    (e = import_given(read, err)))
			return e;
		first = false;
		if ((e = import_narrow(read, err)))
			return e;
	}
	if (e)
		return e;
	if (!read->columns)
		return krn_refuse(err, KRN_ERR_INVALID, "the file is empty");
	for (size_t i = 0; i < read->columns_nr; i++) {
		struct import_column *column = &read->columns[i];

		if (i == read->id || (!column->has_value && !column->given))
			column->type = IMPORT_TEXT;
		if (!column->given || i == read->id)
			column->sql = import_sql_types[column->type];
	}
	read->passes_done = 1;
	return KRN_OK;
}

/* The table */

static enum krn_err
import_columns_json(struct import_read *read, struct krn_str *ret,
		    struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, read->arena);
	krn_json_init(&out, &buf);
	krn_json_arr_open(&out, NULL);
	for (size_t i = 0; i < read->columns_nr; i++) {
		krn_json_obj_open(&out, NULL);
		krn_json_str(&out, "name", read->columns[i].name);
		krn_json_c(&out, "type", read->columns[i].sql);
		krn_json_close(&out);
	}
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

/* An existing schema must have the same columns, whatever their order. */
static enum krn_err
import_same_columns(const struct import_read *read,
		    const struct krn_rows *existing, struct krn_error *err)
{
	struct krn_value columns;
	enum krn_err e;

	if ((e = krn_json_parse(read->arena, krn_rows_str(existing, 0, 2),
				KRN_JSON_DEPTH_MAX, &columns, err)))
		return e;
	bool same = columns.array.nr == read->columns_nr &&
		    krn_str_eq(krn_rows_str(existing, 0, 1),
			       read->import->id_column);

	for (size_t i = 0; same && i < read->columns_nr; i++) {
		size_t k = 0;

		while (k < columns.array.nr &&
		       !krn_str_eq(krn_value_find(&columns.array.items[k],
						  "name")
				       ->string,
				   read->columns[i].name))
			k++;
		same = k < columns.array.nr;
	}
	if (same)
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_CONFLICT,
			  "the columns are not those of the existing schema");
}

static enum krn_err
import_table(struct import_read *read, struct krn_db *db, struct krn_str *ret,
	     struct krn_error *err)
{
	const struct krn_import *import = read->import;
	const struct krn_param find[] = {krn_param_str(import->schema)};
	const struct krn_rows *existing, *made;
	struct krn_str columns;
	char id[KRN_ID_BYTES];
	enum krn_err e;

	if ((e = krn_db_exec(db, KRN_STMT_schema_find, find, &existing, err)))
		return e;
	if (krn_rows_nr(existing)) {
		*ret = krn_rows_str(existing, 0, 0);
		if (import->mode == KRN_IMPORT_NEW)
			return krn_refuse(err, KRN_ERR_CONFLICT,
					  "the schema \"%.*s\" exists: use "
					  "--append or --replace",
					  KRN_STR_ARG(import->schema));
		return import_same_columns(read, existing, err);
	}
	if ((e = import_columns_json(read, &columns, err)))
		return e;
	krn_id_make("sch", id);
	const struct krn_param params[] = {
	    krn_param_c(id),
	    krn_param_str(import->schema),
	    krn_param_str(import->id_column),
	    krn_param_str(columns),
	};

	if ((e = krn_db_exec(db, KRN_STMT_schema_create, params, &made, err)))
		return e;
	*ret = krn_rows_str(made, 0, 0);
	return KRN_OK;
}

/* Second pass: COPY */

static enum krn_err
import_copy_rows(struct import_read *read, struct krn_db *db,
		 struct krn_error *err)
{
	struct krn_arena *arena = krn_arena_new(0);
	struct krn_buf buf;
	bool more = true;
	enum krn_err e;

	if (!arena)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	krn_buf_init(&buf, arena);
	e = import_begin(read, err);
	while (!e && !(e = import_next(read, &more, err)) && more) {
		for (size_t i = 0; i < read->columns_nr; i++) {
			if (i)
				krn_copy_tab(&buf);
			krn_copy_field(&buf, read->values[i]);
		}
		krn_copy_newline(&buf);
		if (buf.failed)
			e = krn_arena_fail(arena, err);
		else if (buf.len >= IMPORT_SEND_BYTES) {
			e = krn_copy_in_put(db, buf.data, buf.len, err);
			krn_buf_clear(&buf);
		}
	}
	if (!e && buf.len)
		e = krn_copy_in_put(db, buf.data, buf.len, err);
	krn_arena_free(arena);
	return e;
}

static enum krn_err
import_copy(struct import_read *read, struct krn_db *db, struct krn_str table,
	    int64_t *ret_rows, struct krn_error *err)
{
	const struct krn_str space = krn_str_printf(
	    read->arena, "t_%.*s", KRN_STR_ARG(read->import->tenant_id));
	struct krn_buf list;
	struct krn_str names[3] = {space, table};
	enum krn_err e;

	krn_buf_init(&list, read->arena);
	for (size_t i = 0; i < read->columns_nr; i++) {
		if (i)
			krn_buf_add_char(&list, '\x1f');
		krn_buf_add_str(&list, read->columns[i].name);
	}
	if (!space.s)
		return krn_arena_fail(read->arena, err);
	if ((e = krn_buf_end(&list, &names[2], err)))
		return e;
	/* COPY FROM is refused to roles that row-level policies apply to */
	krn_db_send(db, KRN_STMT_role_worker, NULL, NULL);
	if (read->import->mode == KRN_IMPORT_REPLACE)
		krn_db_send_named(db, KRN_STMT_schema_truncate, names, NULL,
				  NULL);
	if ((e = krn_copy_in_begin(db, KRN_STMT_schema_copy, names, err)))
		return e;
	if ((e = import_copy_rows(read, db, err))) {
		krn_copy_in_abort(db);
		return e;
	}
	return krn_copy_in_end(db, ret_rows, err);
}

/* What the server says of a bad row is said in the file's terms. */
static enum krn_err
import_explain(enum krn_err e, struct krn_error *err)
{
	char why[400];

	if (!err || e == KRN_ERR_INVALID || err->sqlstate[0] == '\0')
		return e;
	if (strncmp(err->sqlstate, "22", 2) != 0 &&
	    strcmp(err->sqlstate, "23505") != 0)
		return e;
	snprintf(why, sizeof(why), "%.390s", err->detail);
	return krn_refuse(err, KRN_ERR_INVALID,
			  strcmp(err->sqlstate, "23505") == 0
			      ? "an id stands twice: %s"
			      : "a value is not of its column's type: %s",
			  why);
}

static enum krn_err
import_load(struct import_read *read, struct krn_db *db,
	    struct krn_import_result *ret, struct krn_error *err)
{
	struct krn_str table;
	enum krn_err e;

	if ((e = krn_db_begin(db, read->arena, KRN_TX_WRITE, err)))
		return e;
	krn_tenant_set(db, read->import->tenant_id);
	if ((e = import_table(read, db, &table, err)) ||
	    (e = import_explain(import_copy(read, db, table, &ret->rows, err),
				err))) {
		krn_db_rollback(db);
		return e;
	}
	ret->table = table;
	return krn_db_commit(db, err);
}

enum krn_err
krn_import(struct krn_arena *arena, struct krn_db *db,
	   const struct krn_import *import, struct krn_import_result *ret,
	   struct krn_error *err)
{
	const int64_t start_us = krn_clock_monotonic_us();
	struct krn_import with_delimiter = *import;
	struct import_read *read = krn_arena_make(arena, struct import_read);
	enum krn_err e;

	if (!read)
		return krn_arena_fail(arena, err);
	if (!import->ndjson && !import->delimiter)
		with_delimiter.delimiter = krn_csv_guess_delimiter(import->file);
	read->arena = arena;
	read->import = &with_delimiter;
	read->record = krn_arena_new(0);
	if (!read->record)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	fseek(import->file, 0, SEEK_END);
	read->total_bytes = ftell(import->file);
	*ret = (struct krn_import_result){.schema = import->schema};
	if (!(e = import_find_types(read, err)))
		e = import_load(read, db, ret, err);
	krn_arena_free(read->record);
	ret->duration_ms = (krn_clock_monotonic_us() - start_us) / 1000;
	return e;
}
