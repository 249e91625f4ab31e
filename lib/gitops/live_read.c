/*
 * The rows of a kind: COPY, a value a column, JSON only where the column is.
 */

#include "base/base.h"

#include "gitops/live_private.h"

#include "base/clock.h"
#include "base/json_in.h"
#include "store/copy.h"

/* Of every kind, before its fields. */
static const char *const live_columns[] = {
    "id", "name", "version", "updated_at", "changed_by", "changed_audit_id"};

#define LIVE_FIELDS_MAX 64

/* Is the field read? Of a kind's names only what is part of the identity. */
static bool
live_has_field(const struct live_read *read, enum krn_kind_id kind, size_t i)
{
	const char *within = krn_kinds[kind].within;

	return !(read->names_only >> kind & 1) ||
	       (within && strcmp(krn_kinds[kind].fields[i].name, within) == 0);
}

/* The list of columns for the statement's slot. */
static enum krn_err
live_columns_of(const struct live_read *read, enum krn_kind_id kind,
		struct krn_str *ret, size_t *ret_nr, struct krn_error *err)
{
	struct krn_buf list;

	*ret_nr = KRN_NR(live_columns);
	krn_buf_init(&list, read->arena);
	for (size_t i = 0; i < KRN_NR(live_columns); i++) {
		if (i)
			krn_buf_add_char(&list, '\x1f');
		krn_buf_add_c(&list, live_columns[i]);
	}
	for (size_t i = 0; i < krn_kinds[kind].fields_nr; i++) {
		if (!live_has_field(read, kind, i))
			continue;
		krn_buf_add_char(&list, '\x1f');
		krn_buf_add_c(&list, krn_kinds[kind].fields[i].column);
		(*ret_nr)++;
	}
	return krn_buf_end(&list, ret, err);
}

/* Most free-form objects are empty: no parser for those. */
static enum krn_err
live_json(struct krn_arena *arena, struct krn_str text, struct krn_value *ret,
	  struct krn_error *err)
{
	if (krn_str_eq_c(text, "{}"))
		*ret = (struct krn_value){.type = KRN_VALUE_OBJECT};
	else if (krn_str_eq_c(text, "[]"))
		*ret = (struct krn_value){.type = KRN_VALUE_ARRAY};
	else
		return krn_json_parse_stored(arena, text, ret, err);
	return KRN_OK;
}

static enum krn_err
live_time(struct krn_arena *arena, struct krn_str text, struct krn_str *ret,
	  struct krn_error *err)
{
	char spelled[KRN_TIME_TEXT_BYTES];
	int64_t us;
	enum krn_err e;

	if ((e = krn_time_parse(text, &us, err)))
		return e;
	krn_time_format(us, spelled);
	*ret = krn_str_dup(arena, krn_str_c(spelled));
	return ret->s ? KRN_OK : krn_arena_fail(arena, err);
}

static enum krn_err
live_value(struct krn_arena *arena, const struct krn_kind_field *field,
	   struct krn_str text, struct krn_value *ret, struct krn_error *err)
{
	*ret = krn_value_null();
	if (!text.s)
		return KRN_OK;
	switch (field->type) {
	case KRN_TYPE_INT:
		ret->type = KRN_VALUE_INT;
		return krn_parse_int64(text, INT64_MIN, INT64_MAX,
				       &ret->integer, err);
	case KRN_TYPE_DOUBLE:
		ret->type = KRN_VALUE_DOUBLE;
		return krn_parse_double(text, &ret->number, err);
	case KRN_TYPE_BOOL:
		*ret = krn_value_bool(krn_str_eq_c(text, "t"));
		return KRN_OK;
	case KRN_TYPE_ARRAY:
	case KRN_TYPE_OBJECT:
		return live_json(arena, text, ret, err);
	case KRN_TYPE_TIME:
		ret->type = KRN_VALUE_STRING;
		return live_time(arena, text, &ret->string, err);
	case KRN_TYPE_STRING:
	case KRN_TYPE_CHOICE:
	case KRN_TYPE_REFERENCE:
	case KRN_TYPE_SCOPE:
		break;
	}
	*ret = krn_value_str(krn_str_dup(arena, text));
	return ret->string.s ? KRN_OK : krn_arena_fail(arena, err);
}

/* A copy of a column that every kind has. */
static enum krn_err
live_text(struct krn_arena *arena, struct krn_str text, struct krn_str *ret,
	  struct krn_error *err)
{
	*ret = text.s ? krn_str_dup(arena, text) : text;
	return !text.s || ret->s ? KRN_OK : krn_arena_fail(arena, err);
}

static enum krn_err
live_resource(const struct live_read *read, enum krn_kind_id kind,
	      const struct krn_str *fields, struct krn_resource *ret,
	      struct krn_error *err)
{
	const struct krn_kind *table = &krn_kinds[kind];
	struct krn_arena *arena = read->arena;
	size_t column = KRN_NR(live_columns);
	enum krn_err e;

	*ret = (struct krn_resource){
	    .kind = kind,
	    .values = krn_arena_calloc(arena, table->fields_nr,
				       sizeof(struct krn_value)),
	    .place = KRN_PLACE_LIVE,
	};
	if (!ret->values)
		return krn_arena_fail(arena, err);
	if ((e = live_text(arena, fields[0], &ret->id, err)) ||
	    (e = live_text(arena, fields[1], &ret->title, err)) ||
	    (e = krn_parse_int64(fields[2], 0, INT64_MAX, &ret->version,
				 err)) ||
	    (e = live_time(arena, fields[3], &ret->changed_at, err)) ||
	    (e = live_text(arena, fields[4], &ret->changed_by, err)) ||
	    (e = live_text(arena, fields[5], &ret->changed_audit_id, err)))
		return e;
	ret->name = ret->title;
	for (size_t i = 0; i < table->fields_nr; i++)
		if (live_has_field(read, kind, i) &&
		    (e = live_value(arena, &table->fields[i], fields[column++],
				    &ret->values[i], err)))
			return e;
	return KRN_OK;
}

enum krn_err
live_read_kind(struct live_read *read, enum krn_kind_id kind,
	       struct krn_error *err)
{
	struct krn_str names[2], fields[LIVE_FIELDS_MAX];
	struct krn_live *live = read->live;
	struct krn_copy_row row;
	size_t nr;
	enum krn_err e;

	KRN_BUG_IF(KRN_NR(live_columns) + krn_kinds[kind].fields_nr >
		   LIVE_FIELDS_MAX);
	names[0] = krn_str_c(krn_kinds[kind].table);
	if ((e = live_columns_of(read, kind, &names[1], &nr, err)) ||
	    (e = krn_copy_out_begin(read->db, KRN_STMT_kind_read, names, err)))
		return e;
	while (!(e = krn_copy_out_next(read->db, &row, err)) && row.s) {
		if (krn_copy_split(row, fields, LIVE_FIELDS_MAX) != nr)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"a row of %s has other columns",
					krn_kinds[kind].table);
		live->resources =
		    krn_arena_room(read->arena, live->resources, live->nr,
				   &read->size, sizeof(*live->resources));
		if (!live->resources)
			return krn_arena_fail(read->arena, err);
		if ((e = live_resource(read, kind, fields,
				       &live->resources[live->nr], err)))
			return e;
		live->nr++;
	}
	return e;
}
