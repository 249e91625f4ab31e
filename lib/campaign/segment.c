/*
 * Segments.
 */

#include "base/base.h"

#include "campaign/segment.h"

#include "base/id.h"
#include "base/json_out.h"

/* "attribute:operator:value"; the value may contain colons. */
static enum krn_err
segment_where(struct krn_json_out *out, struct krn_str where,
	      struct krn_error *err)
{
	const struct krn_str written = where;
	struct krn_str attribute, operator, item;

	if (!krn_str_split(&where, ':', &attribute) ||
	    !krn_str_split(&where, ':', &operator) || attribute.len == 0)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "\"%.*s\" is not attribute:operator:value",
				  KRN_STR_ARG(written));
	const bool is_list = krn_str_eq_c(operator, "in") ||
			     krn_str_eq_c(operator, "not_in");
	const bool no_value = krn_str_eq_c(operator, "exists") ||
			      krn_str_eq_c(operator, "not_exists");

	if (no_value != (where.s == NULL))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "\"%.*s\": %.*s %s a value",
				  KRN_STR_ARG(written), KRN_STR_ARG(operator),
				  no_value ? "takes no" : "needs");
	krn_json_obj_open(out, NULL);
	krn_json_str(out, "attribute", attribute);
	krn_json_str(out, "operator", operator);
	if (is_list) {
		krn_json_arr_open(out, "value");
		while (krn_str_split(&where, ',', &item))
			krn_json_str(out, NULL, item);
		krn_json_close(out);
	} else if (!no_value) {
		krn_json_str(out, "value", where);
	}
	krn_json_close(out);
	return KRN_OK;
}

enum krn_err
krn_segment_create(struct krn_arena *arena, struct krn_db *db,
		   struct krn_str name, struct krn_str schema,
		   const struct krn_str *wheres, size_t wheres_nr,
		   struct krn_segment *ret, struct krn_error *err)
{
	unsigned char random[6];
	char view[4 + 12 + 1] = "seg_", id[KRN_ID_BYTES];
	struct krn_json_out out;
	struct krn_buf buf;
	struct krn_str filters;
	const struct krn_rows *made, *counted;
	enum krn_err e;

	if (name.len == 0 || krn_str_code_points(name) > 255)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "a segment's name has 1 to 255 characters");
	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_arr_open(&out, NULL);
	for (size_t i = 0; i < wheres_nr; i++)
		if ((e = segment_where(&out, wheres[i], err)))
			return e;
	krn_json_close(&out);
	krn_json_end(&out);
	if ((e = krn_buf_end(&buf, &filters, err)))
		return e;
	krn_random(random, sizeof(random));
	krn_format_hex(random, sizeof(random), view + 4);
	krn_id_make("seg", id);

	const struct krn_param params[] = {
	    krn_param_c(id), krn_param_str(name), krn_param_str(schema),
	    krn_param_str(filters), krn_param_c(view)};
	const struct krn_param of_id[] = {krn_param_c(id)};

	if ((e = krn_db_exec(db, KRN_STMT_segment_insert, params, &made, err))) {
		if (err && strcmp(err->sqlstate, "23505") == 0)
			return krn_refuse(err, KRN_ERR_CONFLICT,
					  "a segment of this name exists");
		return e;
	}
	if (krn_rows_nr(made) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "no schema \"%.*s\"", KRN_STR_ARG(schema));
	if ((e = krn_db_exec(db, KRN_STMT_segment_view, of_id, &counted, err)))
		return e;
	*ret = (struct krn_segment){
	    krn_str_dup(arena, krn_str_c(id)), name,
	    krn_str_dup(arena, krn_str_c(view)), krn_rows_int(counted, 0, 0)};
	return ret->id.s && ret->view_name.s ? KRN_OK
					     : krn_arena_fail(arena, err);
}
