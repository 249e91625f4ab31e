/*
 * Messages of clients.
 */

#include "base/base.h"

#include "watch/send.h"

#include "access/audit.h"
#include "base/id.h"
#include "queue/outbox.h"

static const char *const send_severities[] = {"info", "warning", "critical",
					      NULL};

const struct krn_form_field krn_send_fields[KRN_SEND__MAX] = {
    [KRN_SEND_PROVIDER_IDS] = {.name = "providerIds",
			       .type = KRN_FORM_TEXTS,
			       .required = true,
			       .min = 1,
			       .max = 20},
    [KRN_SEND_TITLE] = {.name = "title",
			.type = KRN_FORM_TEXT,
			.required = true,
			.min = 1,
			.max = 200},
    [KRN_SEND_TEXT] = {.name = "text",
		       .type = KRN_FORM_TEXT,
		       .max = 4000,
		       .fallback = "\"\""},
    [KRN_SEND_SEVERITY] = {.name = "severity",
			   .type = KRN_FORM_CHOICE,
			   .choices = send_severities,
			   .fallback = "\"info\""},
};

/* The message as the outbox has it. */
static enum krn_err
send_message(struct krn_object *object, struct krn_str id, struct krn_str *ret,
	     struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_buf buf;

	krn_buf_init(&buf, object->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "type", "notification");
	krn_json_str(&out, "title", krn_form_text(&object->value, "title"));
	krn_json_str(&out, "text", krn_form_text(&object->value, "text"));
	krn_json_str(&out, "severity",
		     krn_form_text(&object->value, "severity"));
	krn_json_obj_open(&out, "data");
	krn_json_str(&out, "notificationId", id);
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

static enum krn_err
send_queue(struct krn_object *object, struct krn_str id,
	   const struct krn_value *providers, const struct krn_rows **ret,
	   struct krn_error *err)
{
	struct krn_str *ids =
	    krn_arena_calloc(object->arena, providers->array.nr, sizeof(*ids));
	const struct krn_param params[] = {krn_param_str(id)};
	struct krn_str message;
	enum krn_err e;

	if (!ids)
		return krn_arena_fail(object->arena, err);
	for (size_t i = 0; i < providers->array.nr; i++)
		ids[i] = providers->array.items[i].string;
	if ((e = send_message(object, id, &message, err)))
		return e;
	if ((e = krn_outbox_add(object->arena, object->db, KRN_OUTBOX_ALERTS,
				id, id, message, ids, providers->array.nr,
				err)))
		return e;
	return krn_db_exec(object->db, KRN_STMT_outbox_of, params, ret, err);
}

static enum krn_err
send_form(struct krn_object *object, const struct krn_form_values *values,
	  struct krn_error *err)
{
	enum krn_err e;

	object->problems = krn_arena_make(object->arena, struct krn_problems);
	if (!object->problems)
		return krn_arena_fail(object->arena, err);
	object->problems->arena = object->arena;
	if ((e = krn_form_fill(object->arena, krn_send_fields, KRN_SEND__MAX,
			       values, NULL, object->problems, &object->value,
			       err)))
		return e;
	if (!object->problems->nr &&
	    (e = krn_object_check_providers(
		 object, "providerIds",
		 krn_value_find(&object->value, "providerIds"), err)))
		return e;
	return krn_problems_end(object->problems, NULL, err);
}

enum krn_err
krn_send(struct krn_object *object, const struct krn_form_values *values,
	 struct krn_buf *answer, struct krn_error *err)
{
	const struct krn_str id = krn_id_new(object->arena, "msg");
	const struct krn_rows *rows;
	struct krn_json_out out;
	enum krn_err e;

	if (!id.s)
		return krn_arena_fail(object->arena, err);
	if ((e = send_form(object, values, err)) ||
	    (e = send_queue(object, id,
			    krn_value_find(&object->value, "providerIds"),
			    &rows, err)))
		return e;
	krn_json_init(&out, answer);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "notificationId", id);
	krn_json_raw(&out, "deliveries", krn_rows_str(rows, 0, 0));
	krn_json_close(&out);
	krn_json_end(&out);
	const struct krn_audit audit = {
	    .action = "notification.send",
	    .entity_type = "notification",
	    .entity_id = id,
	    .entity_name = krn_form_text(&object->value, "title"),
	};

	return krn_audit_append(object->arena, object->db, object->caller,
				&audit, err);
}
