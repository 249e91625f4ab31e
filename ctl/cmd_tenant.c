/*
 * kaireonctl migrate, tenant …, key …
 */

#include "base/base.h"

#include "access/apikey.h"
#include "access/tenant.h"
#include "base/json_out.h"
#include "ctl/ctl.h"
#include "queue/job.h"
#include "store/migrate.h"

static void
ctl_migrated(void *data KRN_UNUSED, int number KRN_UNUSED, const char *name)
{
	printf("applied %s\n", name);
}

enum krn_err
krn_cmd_migrate(struct krn_ctl *ctl, struct krn_error *err)
{
	const enum krn_err e =
	    krn_migrate(ctl->db, ctl->json ? NULL : ctl_migrated, NULL, err);

	if (!e && ctl->json)
		printf("{\"version\": %d}\n", krn_migrate_version());
	else if (!e)
		printf("the schema is at version %d\n", krn_migrate_version());
	return e;
}

/* Begin a transaction of the tenant that --tenant names. */
static enum krn_err
ctl_begin(struct krn_ctl *ctl, enum krn_tx tx, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, ctl->arena, tx, err)))
		return e;
	krn_tenant_set(ctl->db, ctl->tenant);
	return KRN_OK;
}

enum krn_err
krn_cmd_tenant_create(struct krn_ctl *ctl, struct krn_error *err)
{
	const struct krn_param params[] = {
	    krn_param_str(ctl->id),
	    krn_param_str(ctl->name),
	    krn_param_bool(ctl->playground),
	    krn_param_str(ctl->time_zone.s ? ctl->time_zone : KRN_STR("UTC")),
	};
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(ctl->db, KRN_STMT_tenant_create, params, NULL);
	if ((e = krn_db_commit(ctl->db, err)))
		return e;
	printf(ctl->json ? "{\"id\": \"%s\"}\n" : "created tenant %s\n",
	       ctl->id.s);
	return KRN_OK;
}

enum krn_err
krn_cmd_tenant_list(struct krn_ctl *ctl, struct krn_error *err)
{
	static const char *const columns[] = {
	    "id",        "name",     "status",    "isPlayground",
	    "legalHold", "timeZone", "createdAt", NULL};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_READ, err)))
		return e;
	krn_db_send(ctl->db, KRN_STMT_tenant_list, NULL, &rows);
	if ((e = krn_db_commit(ctl->db, err)))
		return e;
	krn_ctl_print_rows(ctl, rows, columns);
	return KRN_OK;
}

/* Begin a transaction that speaks for the tenant that --id names. */
static enum krn_err
ctl_tenant_begin(struct krn_ctl *ctl, struct krn_caller *ret,
		 struct krn_error *err)
{
	*ret = (struct krn_caller){
	    .tenant_id = ctl->id,
	    .role = KRN_ROLE_ADMIN,
	    .actor_id = KRN_STR("kaireonctl"),
	    .actor_name = KRN_STR("kaireonctl"),
	    .request_id = KRN_STR(""),
	};
	ctl->tenant = ctl->id;
	return ctl_begin(ctl, KRN_TX_WRITE, err);
}

static enum krn_err
ctl_tenant_end(struct krn_ctl *ctl, const char *what, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_db_commit(ctl->db, err)))
		return e;
	printf(ctl->json ? "{\"%s\": \"%s\"}\n" : "%s %s\n",
	       ctl->json ? "id" : what, ctl->id.s);
	return KRN_OK;
}

static enum krn_err
ctl_tenant_suspend(struct krn_ctl *ctl, bool suspended, struct krn_error *err)
{
	struct krn_caller caller;
	enum krn_err e;

	if ((e = ctl_tenant_begin(ctl, &caller, err)) ||
	    (e = krn_tenant_suspend(ctl->arena, ctl->db, &caller, suspended,
				    err)))
		return e;
	return ctl_tenant_end(ctl, suspended ? "suspended" : "resumed", err);
}

enum krn_err
krn_cmd_tenant_suspend(struct krn_ctl *ctl, struct krn_error *err)
{
	return ctl_tenant_suspend(ctl, true, err);
}

enum krn_err
krn_cmd_tenant_resume(struct krn_ctl *ctl, struct krn_error *err)
{
	return ctl_tenant_suspend(ctl, false, err);
}

enum krn_err
krn_cmd_tenant_hold(struct krn_ctl *ctl, struct krn_error *err)
{
	struct krn_caller caller;
	enum krn_err e;

	if ((e = ctl_tenant_begin(ctl, &caller, err)) ||
	    (e = krn_tenant_hold(ctl->arena, ctl->db, &caller, !ctl->off, err)))
		return e;
	return ctl_tenant_end(ctl, ctl->off ? "hold lifted from" : "hold set on",
			      err);
}

/* kaireonctl as the author of what it does for a tenant. */
static struct krn_caller
ctl_caller(const struct krn_ctl *ctl)
{
	return (struct krn_caller){
	    .tenant_id = ctl->tenant,
	    .role = KRN_ROLE_ADMIN,
	    .actor_id = KRN_STR("kaireonctl"),
	    .actor_name = KRN_STR("kaireonctl"),
	    .request_id = KRN_STR(""),
	};
}

static enum krn_err
ctl_key_fields(const struct krn_ctl *ctl,
	       struct krn_str scopes[KRN_APIKEY_SCOPES_MAX + 1],
	       struct krn_apikey_fields *ret, struct krn_error *err)
{
	struct krn_str list = ctl->scopes;

	*ret = (struct krn_apikey_fields){
	    .name = ctl->name, .expires = ctl->expires, .scopes = scopes};
	if (!krn_role_parse(ctl->role, &ret->role))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "--role must be viewer, editor or admin");
	while (list.s && ret->scopes_nr <= KRN_APIKEY_SCOPES_MAX &&
	       krn_str_split(&list, ',', &scopes[ret->scopes_nr]))
		ret->scopes_nr++;
	return KRN_OK;
}

enum krn_err
krn_cmd_key_create(struct krn_ctl *ctl, struct krn_error *err)
{
	const struct krn_caller caller = ctl_caller(ctl);
	struct krn_str scopes[KRN_APIKEY_SCOPES_MAX + 1];
	struct krn_apikey_fields fields;
	struct krn_apikey key;
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	if ((e = ctl_key_fields(ctl, scopes, &fields, err)) ||
	    (e = ctl_begin(ctl, KRN_TX_WRITE, err)) ||
	    (e = krn_apikey_create(ctl->arena, ctl->db, &caller,
				   ctl->options->api_key_pepper, &fields, &key,
				   err)))
		return e == KRN_ERR_CONFLICT
			   ? krn_refuse(err, KRN_ERR_NOTFOUND,
					"no tenant \"%s\"", ctl->tenant.s)
			   : e;
	if ((e = krn_db_commit(ctl->db, err)))
		return e;
	krn_buf_init(&buf, ctl->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "id", key.id);
	krn_json_str(&out, "key", key.key);
	krn_json_str(&out, "prefix", key.prefix);
	krn_json_c(&out, "role", krn_role_name(fields.role));
	krn_json_close(&out);
	krn_json_end(&out);
	if (ctl->json)
		printf("%.*s\n", (int)buf.len, buf.data);
	else
		printf("%s\nkept as %s; it is not shown again\n", key.key.s,
		       key.id.s);
	return KRN_OK;
}

enum krn_err
krn_cmd_key_list(struct krn_ctl *ctl, struct krn_error *err)
{
	static const char *const columns[] = {
	    "id",	  "name",   "role",
	    "prefix",	  "status", "scopes",
	    "expiresAt",  "lastUsedAt", "createdAt",
	    NULL};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = ctl_begin(ctl, KRN_TX_READ, err)))
		return e;
	krn_db_send(ctl->db, KRN_STMT_apikey_list, NULL, &rows);
	if ((e = krn_db_commit(ctl->db, err)))
		return e;
	krn_ctl_print_rows(ctl, rows, columns);
	return KRN_OK;
}

enum krn_err
krn_cmd_key_revoke(struct krn_ctl *ctl, struct krn_error *err)
{
	const struct krn_caller caller = ctl_caller(ctl);
	enum krn_err e;

	if ((e = ctl_begin(ctl, KRN_TX_WRITE, err)) ||
	    (e = krn_apikey_revoke(ctl->arena, ctl->db, &caller, ctl->id,
				   ctl->reason, err)) ||
	    (e = krn_db_commit(ctl->db, err)))
		return e;
	printf("revoked %s\n", ctl->id.s);
	return KRN_OK;
}
