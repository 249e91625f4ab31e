/*
 * kaireonctl verify-export: the lake against the table; export rebase: the
 * export after a restore. Of one tenant or of all.
 */

#include "base/base.h"

#include "base/json_out.h"
#include "ctl/ctl.h"
#include "lifecycle/rebase.h"
#include "lifecycle/verify.h"

/* Names that are listed of each kind; the rest is counted. */
#define EXPORT_NAMES_MAX 1000

struct export_report {
	bool json;
	int64_t listed[KRN_VERIFY__MAX];
	struct krn_buf names[KRN_VERIFY__MAX]; /* JSON objects with commas */
};

static void
export_found(void *data, const struct krn_verify_finding *finding)
{
	struct export_report *report = data;
	struct krn_buf *names = &report->names[finding->kind];
	struct krn_json_out out;

	if (++report->listed[finding->kind] > EXPORT_NAMES_MAX)
		return;
	if (!report->json) {
		printf("%-8s %.*s %.*s%s%.*s\n", krn_verify_name(finding->kind),
		       KRN_STR_ARG(finding->tenant_id),
		       KRN_STR_ARG(finding->path), finding->id.s ? " " : "",
		       finding->id.s ? (int)finding->id.len : 0,
		       finding->id.s ? finding->id.s : "");
		return;
	}
	if (names->len)
		krn_buf_add_char(names, ',');
	krn_json_init(&out, names);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "tenantId", finding->tenant_id);
	krn_json_str(&out, "path", finding->path);
	krn_json_str(&out, "id", finding->id);
	krn_json_close(&out);
	krn_json_end(&out);
}

static int64_t
export_findings(const struct krn_verify *verify)
{
	int64_t sum = 0;

	for (size_t kind = 0; kind < KRN_VERIFY__MAX; kind++)
		sum += verify->findings[kind];
	return sum;
}

static enum krn_err
export_print_json(struct krn_ctl *ctl, const struct krn_verify *verify,
		  const struct export_report *report, struct krn_error *err)
{
	struct krn_json_out out;
	struct krn_str text;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, ctl->arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_bool(&out, "ok", export_findings(verify) == 0);
	krn_json_int(&out, "rows", verify->rows);
	krn_json_int(&out, "purged", verify->purged);
	krn_json_int(&out, "files", verify->files);
	krn_json_int(&out, "findings", export_findings(verify));
	for (size_t kind = 0; kind < KRN_VERIFY__MAX; kind++) {
		const struct krn_buf *names = &report->names[kind];

		krn_json_arr_open(&out,
				  krn_verify_name((enum krn_verify_kind)kind));
		krn_buf_add(&buf, names->data, names->len);
		buf.failed |= names->failed;
		krn_json_close(&out);
	}
	krn_json_close(&out);
	krn_json_end(&out);
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	printf("%.*s\n", KRN_STR_ARG(text));
	return KRN_OK;
}

static void
export_print(const struct krn_verify *verify,
	     const struct export_report *report)
{
	for (size_t kind = 0; kind < KRN_VERIFY__MAX; kind++)
		if (report->listed[kind] > EXPORT_NAMES_MAX)
			printf("%-8s … %lld in all\n",
			       krn_verify_name((enum krn_verify_kind)kind),
			       (long long)report->listed[kind]);
	printf("%s: %lld rows in %lld files, %lld purged since; %lld missing, "
	       "%lld extra, %lld altered\n",
	       export_findings(verify) ? "NOT INTACT" : "intact",
	       (long long)verify->rows, (long long)verify->files,
	       (long long)verify->purged,
	       (long long)verify->findings[KRN_VERIFY_MISSING],
	       (long long)verify->findings[KRN_VERIFY_EXTRA],
	       (long long)verify->findings[KRN_VERIFY_ALTERED]);
}

/* The tenants to verify: the one that is named, or all. */
static enum krn_err
export_tenants(struct krn_ctl *ctl, struct krn_arena *arena,
	       struct krn_str **ret, size_t *ret_nr, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, arena, KRN_TX_READ, err)))
		return e;
	krn_db_send(ctl->db, KRN_STMT_tenant_list, NULL, &rows);
	if ((e = krn_db_commit(ctl->db, err)))
		return e;
	*ret_nr = 0;
	*ret = krn_arena_calloc(arena, krn_rows_nr(rows) + 1, sizeof(**ret));
	if (!*ret)
		return krn_arena_fail(arena, err);
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		const struct krn_str id = krn_rows_str(rows, i, 0);

		if (!ctl->tenant.s || krn_str_eq(ctl->tenant, id))
			(*ret)[(*ret_nr)++] = id;
	}
	if (ctl->tenant.s && !*ret_nr)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such tenant");
	return KRN_OK;
}

enum krn_err
krn_cmd_verify_export(struct krn_ctl *ctl, struct krn_error *err)
{
	struct export_report report = {.json = ctl->json};
	struct krn_verify verify = {
	    .db = ctl->db,
	    .primary = ctl->primary,
	    .options = ctl->options,
	    .found = export_found,
	    .found_data = &report,
	};
	struct krn_str *tenants;
	size_t nr;
	enum krn_err e;

	for (size_t kind = 0; kind < KRN_VERIFY__MAX; kind++)
		krn_buf_init(&report.names[kind], ctl->arena);
	if ((e = export_tenants(ctl, ctl->arena, &tenants, &nr, err)))
		return e;
	for (size_t i = 0; i < nr; i++)
		if ((e = krn_verify_tenant(&verify, tenants[i], err)))
			return e;
	ctl->status = export_findings(&verify) ? 1 : 0;
	if (ctl->json)
		return export_print_json(ctl, &verify, &report, err);
	export_print(&verify, &report);
	return KRN_OK;
}

/* No export may run meanwhile: the lock of its cron job is the session's. */
static enum krn_err
export_lock(struct krn_ctl *ctl, struct krn_error *err)
{
	const struct krn_param job[] = {krn_param_c("export-interactions")};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_WRITE, err)))
		return e;
	krn_db_send(ctl->db, KRN_STMT_cron_lock, job, &rows);
	if ((e = krn_db_commit(ctl->db, err)))
		return e;
	return krn_rows_bool(rows, 0, 0)
		   ? KRN_OK
		   : krn_refuse(err, KRN_ERR_CONFLICT, "an export is running");
}

enum krn_err
krn_cmd_export_rebase(struct krn_ctl *ctl, struct krn_error *err)
{
	struct krn_rebase done, sum = {.changed = false};
	struct krn_str *tenants;
	size_t nr;
	enum krn_err e;

	if ((e = export_tenants(ctl, ctl->arena, &tenants, &nr, err)) ||
	    (e = export_lock(ctl, err)))
		return e;
	for (size_t i = 0; i < nr; i++) {
		if ((e = krn_rebase_tenant(ctl->db, ctl->options, tenants[i],
					   &done, err)))
			return e;
		sum.changed |= done.changed;
		sum.files += done.files;
		sum.adopted += done.adopted;
		sum.rows += done.rows;
		if (!ctl->json)
			printf(done.changed ? "%.*s: %lld rows in %lld files, "
					      "%lld of them not known before\n"
					    : "%.*s: in step with the lake\n",
			       KRN_STR_ARG(tenants[i]), (long long)done.rows,
			       (long long)done.files, (long long)done.adopted);
	}
	if (ctl->json)
		printf("{\"rebased\": %s, \"rows\": %lld, \"files\": %lld, "
		       "\"adopted\": %lld}\n",
		       sum.changed ? "true" : "false", (long long)sum.rows,
		       (long long)sum.files, (long long)sum.adopted);
	return KRN_OK;
}
