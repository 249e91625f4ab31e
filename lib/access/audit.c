/*
 * The audit chain.
 */

#include "base/base.h"

#include "access/audit.h"

#include "base/crypto.h"
#include "base/id.h"
#include "base/json_in.h"
#include "base/json_out.h"

/* A member that is JSON already, or null. */
static enum krn_err
audit_json(struct krn_arena *arena, struct krn_str text, struct krn_value *ret,
	   struct krn_error *err)
{
	*ret = krn_value_null();
	return text.s ? krn_json_parse(arena, text, 2 * KRN_JSON_DEPTH_MAX, ret,
				       err)
		      : KRN_OK;
}

static struct krn_value
audit_text(struct krn_str text)
{
	return text.s ? krn_value_str(text) : krn_value_null();
}

static enum krn_err
audit_hash(struct krn_arena *arena, const struct krn_caller *caller,
	   const struct krn_audit *row, struct krn_str id, int64_t seq,
	   struct krn_str created_at, struct krn_str prev_hash,
	   char ret_hash[KRN_SHA256_HEX_BYTES], struct krn_error *err)
{
	struct krn_value changes, before, after;
	struct krn_buf buf;
	struct krn_str text;
	enum krn_err e;

	if ((e = audit_json(arena, row->changes, &changes, err)) ||
	    (e = audit_json(arena, row->before, &before, err)) ||
	    (e = audit_json(arena, row->after, &after, err)))
		return e;
	const struct krn_member members[] = {
	    {KRN_STR("action"), audit_text(krn_str_c(row->action))},
	    {KRN_STR("actorId"), audit_text(caller->actor_id)},
	    {KRN_STR("actorName"), audit_text(caller->actor_name)},
	    {KRN_STR("after"), after},
	    {KRN_STR("before"), before},
	    {KRN_STR("changes"), changes},
	    {KRN_STR("createdAt"), audit_text(created_at)},
	    {KRN_STR("entityId"), audit_text(row->entity_id)},
	    {KRN_STR("entityName"), audit_text(row->entity_name)},
	    {KRN_STR("entityType"), audit_text(krn_str_c(row->entity_type))},
	    {KRN_STR("id"), audit_text(id)},
	    {KRN_STR("requestId"), audit_text(caller->request_id)},
	    {KRN_STR("seq"), krn_value_int(seq)},
	    {KRN_STR("tenantId"), audit_text(caller->tenant_id)},
	};
	const struct krn_value document = {
	    .type = KRN_VALUE_OBJECT,
	    .object = {members, KRN_NR(members)}};

	krn_buf_init(&buf, arena);
	krn_buf_add_str(&buf, prev_hash);
	krn_json_canonical(&buf, &document);
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	krn_sha256_hex(text.s, text.len, ret_hash);
	return KRN_OK;
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
	const int64_t seq = krn_rows_int(head, 0, 0) + 1;
	const struct krn_str prev_hash = krn_rows_str(head, 0, 1);
	const struct krn_str created_at = krn_rows_str(head, 0, 2);

	if ((e = audit_hash(arena, caller, row, id, seq, created_at, prev_hash,
			    hash, err)))
		return e;
	const struct krn_param params[] = {
	    krn_param_str(id),
	    krn_param_int(arena, seq),
	    krn_param_c(row->action),
	    krn_param_c(row->entity_type),
	    krn_param_str(row->entity_id),
	    krn_param_str(row->entity_name),
	    krn_param_str(row->changes),
	    krn_param_str(row->before),
	    krn_param_str(row->after),
	    krn_param_str(caller->actor_id),
	    krn_param_str(caller->actor_name),
	    krn_param_str(caller->request_id),
	    krn_param_str(created_at),
	    krn_param_str(prev_hash),
	    krn_param_c(hash),
	};

	krn_db_send(db, KRN_STMT_audit_insert, params, NULL);
	return krn_db_flush(db, err);
}
