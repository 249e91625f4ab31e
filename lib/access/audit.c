/*
 * The audit chain.
 */

#include "base/base.h"

#include "access/audit.h"

#include "base/id.h"
#include "base/json_in.h"
#include "base/json_out.h"

void
krn_audit_row_hash(struct krn_buf *buf, const struct krn_audit_row *row,
		   char ret_hash[KRN_SHA256_HEX_BYTES])
{
	struct krn_json_out out;

	krn_buf_clear(buf);
	krn_buf_add_str(buf, row->prev_hash);
	krn_json_init(&out, buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "action", row->action);
	krn_json_str(&out, "actorId", row->actor_id);
	krn_json_str(&out, "actorName", row->actor_name);
	krn_json_raw(&out, "after", row->after);
	krn_json_raw(&out, "before", row->before);
	krn_json_raw(&out, "changes", row->changes);
	krn_json_str(&out, "createdAt", row->created_at);
	krn_json_str(&out, "entityId", row->entity_id);
	krn_json_str(&out, "entityName", row->entity_name);
	krn_json_str(&out, "entityType", row->entity_type);
	krn_json_str(&out, "id", row->id);
	krn_json_str(&out, "requestId", row->request_id);
	krn_json_int(&out, "seq", row->seq);
	krn_json_str(&out, "tenantId", row->tenant_id);
	krn_json_close(&out);
	krn_json_end(&out);
	krn_sha256_hex(buf->data ? buf->data : "", buf->len, ret_hash);
}

/* JSON in its canonical form; .s NULL stays so. */
static enum krn_err
audit_canonical(struct krn_arena *arena, struct krn_str text,
		struct krn_str *ret, struct krn_error *err)
{
	struct krn_value value;
	struct krn_buf buf;
	enum krn_err e;

	*ret = (struct krn_str){NULL, 0};
	if (!text.s)
		return KRN_OK;
	if ((e = krn_json_parse(arena, text, 2 * KRN_JSON_DEPTH_MAX, &value,
				err)))
		return e;
	krn_buf_init(&buf, arena);
	krn_json_canonical(&buf, &value);
	return krn_buf_end(&buf, ret, err);
}

static enum krn_err
audit_hash(struct krn_arena *arena, const struct krn_caller *caller,
	   const struct krn_audit *audit, struct krn_audit_row *row,
	   char ret_hash[KRN_SHA256_HEX_BYTES], struct krn_error *err)
{
	struct krn_buf buf;
	struct krn_str text;
	enum krn_err e;

	if ((e = audit_canonical(arena, audit->changes, &row->changes, err)) ||
	    (e = audit_canonical(arena, audit->before, &row->before, err)) ||
	    (e = audit_canonical(arena, audit->after, &row->after, err)))
		return e;
	row->action = krn_str_c(audit->action);
	row->actor_id = caller->actor_id;
	row->actor_name = caller->actor_name;
	row->entity_id = audit->entity_id;
	row->entity_name = audit->entity_name;
	row->entity_type = krn_str_c(audit->entity_type);
	row->request_id = caller->request_id;
	row->tenant_id = caller->tenant_id;
	krn_buf_init(&buf, arena);
	krn_audit_row_hash(&buf, row, ret_hash);
	return krn_buf_end(&buf, &text, err);
}

/* A JSON null is stored as NULL: there is one way to say that there is none. */
static struct krn_param
audit_param(struct krn_str json)
{
	return json.s && krn_str_eq_c(krn_str_trim(json), "null")
		   ? krn_param_null()
		   : krn_param_str(json);
}

enum krn_err
krn_audit_object(struct krn_arena *arena, const struct krn_member *members,
		 size_t nr, struct krn_str *ret, struct krn_error *err)
{
	const struct krn_value object = {.type = KRN_VALUE_OBJECT,
					 .object = {members, nr}};
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_json_canonical(&buf, &object);
	return krn_buf_end(&buf, ret, err);
}

enum krn_err
krn_audit_status(struct krn_arena *arena, struct krn_str status,
		 struct krn_str *ret, struct krn_error *err)
{
	const struct krn_member members[] = {
	    {KRN_STR("status"), krn_value_str(status)}};

	*ret = status;
	return status.s ? krn_audit_object(arena, members, 1, ret, err)
			: KRN_OK;
}

enum krn_err
krn_audit_append(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_caller *caller, const struct krn_audit *row,
		 struct krn_error *err)
{
	char hash[KRN_SHA256_HEX_BYTES];
	const struct krn_rows *head;
	struct krn_str id = row->id;
	enum krn_err e;

	if (!id.s)
		id = krn_id_new(arena, "aud");
	if (!id.s)
		return krn_arena_fail(arena, err);
	if ((e = krn_db_exec(db, KRN_STMT_audit_head, NULL, &head, err)))
		return e;
	struct krn_audit_row stored = {
	    .id = id,
	    .seq = krn_rows_int(head, 0, 0) + 1,
	    .prev_hash = krn_rows_str(head, 0, 1),
	    .created_at = krn_rows_str(head, 0, 2),
	};

	if ((e = audit_hash(arena, caller, row, &stored, hash, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(id),
	    krn_param_int(arena, stored.seq),
	    krn_param_c(row->action),
	    krn_param_c(row->entity_type),
	    krn_param_str(row->entity_id),
	    krn_param_str(row->entity_name),
	    audit_param(row->changes),
	    audit_param(row->before),
	    audit_param(row->after),
	    krn_param_str(caller->actor_id),
	    krn_param_str(caller->actor_name),
	    krn_param_str(caller->request_id),
	    krn_param_str(stored.created_at),
	    krn_param_str(stored.prev_hash),
	    krn_param_c(hash),
	};

	krn_db_send(db, KRN_STMT_audit_insert, params, NULL);
	return krn_db_flush(db, err);
}
