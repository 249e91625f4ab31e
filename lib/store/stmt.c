/*
 * The statement table: look-up, identifier slots, comparison with what the
 * server says.
 */

#include "base/base.h"

#include "store/stmt.h"

#include "base/buf.h"
#include "store/db_private.h"

extern const struct krn_stmt_row krn_stmt_rows[KRN_STMT__MAX + 1];

const struct krn_stmt_row *
krn_stmt_row(enum krn_stmt stmt)
{
	KRN_BUG_IF((unsigned)stmt >= KRN_STMT__MAX);
	return &krn_stmt_rows[stmt];
}

static enum krn_err
stmt_quote(struct krn_buf *buf, struct krn_str name, struct krn_error *err)
{
	if (name.len == 0 || memchr(name.s, '\0', name.len))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "a name is empty or contains NUL");
	krn_buf_add_char(buf, '"');
	for (size_t i = 0; i < name.len; i++) {
		if (name.s[i] == '"')
			krn_buf_add_char(buf, '"');
		krn_buf_add_char(buf, name.s[i]);
	}
	krn_buf_add_char(buf, '"');
	return KRN_OK;
}

/*
 * The value of a slot: one name, or a list's names behind an alias:
 * {o.columns...} writes o."a", o."b".
 */
static enum krn_err
stmt_fill(struct krn_buf *buf, struct krn_str alias, bool list,
	  struct krn_str names, struct krn_error *err)
{
	struct krn_str name;
	bool more = false;
	enum krn_err e;

	if (!list)
		return stmt_quote(buf, names, err);
	while (krn_str_split(&names, '\x1f', &name)) {
		if (more)
			krn_buf_add(buf, ", ", 2);
		more = true;
		krn_buf_add_str(buf, alias);
		if ((e = stmt_quote(buf, name, err)))
			return e;
	}
	return KRN_OK;
}

/* The index of a slot's name in the head's list; must be there. */
static size_t
stmt_slot_index(const struct krn_stmt_row *row, struct krn_str slot)
{
	struct krn_str rest = krn_str_c(row->identifiers), name;

	for (size_t i = 0; krn_str_split(&rest, ',', &name); i++) {
		if (krn_str_has_suffix(name, KRN_STR("...")))
			name.len -= 3;
		if (krn_str_eq(name, slot))
			return i;
	}
	krn_bug(__FILE__, __LINE__, "a slot is not in the statement's head");
	return 0;
}

/* Fill the slot that stands between `open` and `close`. */
static enum krn_err
stmt_slot(const struct krn_stmt_row *row, struct krn_buf *buf,
	  struct krn_str slot, const struct krn_str *identifiers,
	  struct krn_error *err)
{
	const bool list = krn_str_has_suffix(slot, KRN_STR("..."));
	const ptrdiff_t dot = krn_str_find_char(slot, '.');
	struct krn_str alias = {"", 0};

	if (list)
		slot.len -= 3;
	if (dot > 0 && (size_t)dot < slot.len) {
		alias = krn_str_from(slot.s, (size_t)dot + 1);
		slot.s += dot + 1;
		slot.len -= (size_t)dot + 1;
	}
	return stmt_fill(buf, alias, list,
			 identifiers[stmt_slot_index(row, slot)], err);
}

enum krn_err
stmt_expand(struct krn_arena *arena, enum krn_stmt stmt,
	    const struct krn_str *identifiers, const char **ret_text,
	    struct krn_error *err)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);
	const char *at = row->text;
	struct krn_buf buf;
	struct krn_str text;
	enum krn_err e;

	if (!row->identifiers[0]) {
		*ret_text = row->text;
		return KRN_OK;
	}

	krn_buf_init(&buf, arena);
	while (*at) {
		const char *open = strchr(at, '{');
		const char *close = open ? strchr(open, '}') : NULL;

		if (!close) {
			krn_buf_add_c(&buf, at);
			break;
		}
		krn_buf_add(&buf, at, (size_t)(open - at));
		at = close + 1;
		if ((e = stmt_slot(
			 row, &buf,
			 krn_str_from(open + 1, (size_t)(close - open - 1)),
			 identifiers, err)))
			return e;
	}
	krn_buf_add_char(&buf, '\0');
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	*ret_text = text.s;
	return KRN_OK;
}

/* PostgreSQL's object ids of the types that heads name. Source: pg_type.dat */
static const struct {
	const char *name;
	Oid oid;
} stmt_types[] = {
    {"bool", 16},       {"bytea", 17},         {"int8", 20},
    {"int4", 23},       {"text", 25},          {"float8", 701},
    {"date", 1082},     {"timestamptz", 1184}, {"numeric", 1700},
    {"float8[]", 1022}, {"text[]", 1009},      {"int8[]", 1016},
    {"jsonb", 3802},    {"xid8", 5069},
};

static bool
stmt_type_is(const char *name, Oid oid)
{
	for (size_t i = 0; i < KRN_NR(stmt_types); i++)
		if (strcmp(stmt_types[i].name, name) == 0)
			return stmt_types[i].oid == oid;
	return false;
}

enum krn_err
stmt_check(enum krn_stmt stmt, const PGresult *description,
	   struct krn_error *err)
{
	const struct krn_stmt_row *row = krn_stmt_row(stmt);

	if (PQnparams(description) != row->params)
		return krn_fail(err, KRN_ERR_INTERNAL,
				"statement %s has %d parameters, its head "
				"declares %d",
				row->name, PQnparams(description), row->params);
	if (PQnfields(description) != row->columns)
		return krn_fail(err, KRN_ERR_INTERNAL,
				"statement %s has %d columns, its head "
				"declares %d",
				row->name, PQnfields(description),
				row->columns);
	for (int i = 0; i < row->params; i++)
		if (!stmt_type_is(row->param_types[i],
				  PQparamtype(description, i)))
			return krn_fail(err, KRN_ERR_INTERNAL,
					"statement %s: parameter %d is not %s",
					row->name, i + 1, row->param_types[i]);
	for (int i = 0; i < row->columns; i++)
		if (!stmt_type_is(row->column_types[i],
				  PQftype(description, i)))
			return krn_fail(err, KRN_ERR_INTERNAL,
					"statement %s: column %d is not %s",
					row->name, i + 1, row->column_types[i]);
	return KRN_OK;
}
