/*
 * kaireonctl verify-audit: every row of the audit chains, of one tenant or of
 * all.
 */

#include "base/base.h"

#include "access/audit_verify.h"
#include "base/json_out.h"
#include "ctl/ctl.h"
#include "queue/job.h"

/* SEQ:HASH of --head. */
static enum krn_err
audit_head(const struct krn_ctl *ctl, struct krn_audit_scope *scope,
	   struct krn_error *err)
{
	struct krn_str rest = ctl->head, seq;

	if (!ctl->head.s)
		return KRN_OK;
	if (!ctl->tenant.s)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "--head is of one tenant: --tenant is "
				  "required");
	if (!krn_str_split(&rest, ':', &seq) || !rest.s ||
	    rest.len != KRN_SHA256_HEX_BYTES - 1 ||
	    krn_parse_int64(seq, 1, INT64_MAX, &scope->kept_seq, NULL))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "--head is a number, a colon and 64 hex "
				  "digits");
	scope->kept_hash = rest;
	return KRN_OK;
}

static void
audit_write(struct krn_json_out *out, struct krn_str tenant,
	    const struct krn_audit_report *report)
{
	krn_json_obj_open(out, NULL);
	krn_json_str(out, "tenantId", tenant);
	krn_json_bool(out, "ok", report->findings_nr == 0);
	krn_json_int(out, "rows", report->rows);
	krn_json_int(out, "purgedTo", report->anchor_seq);
	krn_json_int(out, "headSeq", report->head_seq);
	krn_json_str(out, "headHash", report->head_hash);
	krn_json_int(out, "problems", report->findings_nr);
	krn_json_arr_open(out, "findings");
	for (int64_t i = 0;
	     i < report->findings_nr && i < KRN_AUDIT_FINDINGS_MAX; i++) {
		const struct krn_audit_finding *f = &report->findings[i];

		krn_json_obj_open(out, NULL);
		krn_json_int(out, "seq", f->seq);
		krn_json_str(out, "id", f->id);
		krn_json_c(out, "reason", krn_audit_wrong_name(f->wrong));
		krn_json_close(out);
	}
	krn_json_close(out);
	krn_json_close(out);
}

static void
audit_print(struct krn_str tenant, const struct krn_audit_report *report)
{
	printf("%.*s: %s, %lld rows, head %lld:%.*s\n", KRN_STR_ARG(tenant),
	       report->findings_nr ? "NOT INTACT" : "intact",
	       (long long)report->rows, (long long)report->head_seq,
	       KRN_STR_ARG(report->head_hash));
	for (int64_t i = 0;
	     i < report->findings_nr && i < KRN_AUDIT_FINDINGS_MAX; i++) {
		const struct krn_audit_finding *f = &report->findings[i];

		printf("  %lld %s %s\n", (long long)f->seq,
		       f->id.s ? f->id.s : "-", krn_audit_wrong_name(f->wrong));
	}
	if (report->findings_nr > KRN_AUDIT_FINDINGS_MAX)
		printf("  … %lld in all\n", (long long)report->findings_nr);
}

/* The tenants that are meant. */
static enum krn_err
audit_tenants(struct krn_ctl *ctl, const struct krn_rows **ret,
	      struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_READ, err)))
		return e;
	krn_db_send(ctl->db, KRN_STMT_tenant_list, NULL, ret);
	return krn_db_commit(ctl->db, err);
}

static enum krn_err
audit_one(struct krn_ctl *ctl, struct krn_str tenant,
	  const struct krn_audit_scope *scope, struct krn_json_out *out,
	  struct krn_error *err)
{
	struct krn_audit_report *report =
	    krn_arena_make(ctl->arena, struct krn_audit_report);
	enum krn_err e;

	if (!report)
		return krn_arena_fail(ctl->arena, err);
	if ((e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_SNAPSHOT, err)))
		return e;
	krn_tenant_set(ctl->db, tenant);
	if ((e = krn_audit_verify(ctl->arena, ctl->db, tenant, scope, report,
				  err)) ||
	    (e = krn_db_commit(ctl->db, err)))
		return e;
	if (report->findings_nr)
		ctl->status = 1;
	if (ctl->json)
		audit_write(out, tenant, report);
	else
		audit_print(tenant, report);
	return KRN_OK;
}

enum krn_err
krn_cmd_verify_audit(struct krn_ctl *ctl, struct krn_error *err)
{
	struct krn_audit_scope scope = {.newest = 0};
	const struct krn_rows *tenants = NULL;
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, ctl->arena);
	krn_json_init(&out, &buf);
	if ((e = audit_head(ctl, &scope, err)))
		return e;
	if (!ctl->tenant.s && (e = audit_tenants(ctl, &tenants, err)))
		return e;
	krn_json_arr_open(&out, NULL);
	if (ctl->tenant.s &&
	    (e = audit_one(ctl, ctl->tenant, &scope, &out, err)))
		return e;
	for (size_t i = 0; tenants && i < krn_rows_nr(tenants); i++)
		if ((e = audit_one(ctl, krn_rows_str(tenants, i, 0), &scope,
				   &out, err)))
			return e;
	krn_json_close(&out);
	krn_json_end(&out);
	if (ctl->json)
		printf("%.*s\n", (int)buf.len, buf.data);
	return KRN_OK;
}
