/*
 * GitOps: export, diff, apply. Diff is apply's dry run.
 */

#include "base/base.h"

#include "fcgi/route_gitops.h"

#include "base/clock.h"
#include "base/json_out.h"
#include "fcgi/fields.h"
#include "gitops/apply.h"
#include "gitops/export.h"
#include "gitops/revision.h"
#include "gitops/schema.h"

/* Only the literal false commits. */
static bool
gitops_is_dry(const struct krn_request *request)
{
	const struct krn_str dry_run =
	    krn_query_find(request->arena, request->query, "dryRun");

	return !dry_run.s || !krn_str_eq_c(dry_run, "false");
}

enum krn_tx
krn_route_gitops_tx(const struct krn_request *request)
{
	return gitops_is_dry(request) ? KRN_TX_SNAPSHOT : KRN_TX_WRITE;
}

/* The kinds that the query names. */
static enum krn_err
gitops_kinds(const struct krn_request *request, krn_kind_set *ret,
	     struct krn_error *err)
{
	return krn_kind_set_parse(
	    krn_query_find(request->arena, request->query, "kinds"), ret, err);
}

/* GITOPS_KINDS=v1: the kinds beyond its five are looked at only. */
static krn_kind_set
gitops_frozen(const struct krn_options *options)
{
	krn_kind_set frozen = 0;

	for (unsigned i = 0; i < KRN_KIND__MAX; i++)
		if (krn_str_eq_c(options->gitops_kinds, "v1") &&
		    !krn_kinds[i].in_v1)
			frozen |= 1u << i;
	return frozen;
}

/* One of two words, the first being the default. */
static enum krn_err
gitops_choice(const struct krn_request *request, const char *name,
	      const char *first, const char *second, bool *ret_second,
	      struct krn_error *err)
{
	const struct krn_str value =
	    krn_query_find(request->arena, request->query, name);

	*ret_second = value.s && krn_str_eq_c(value, second);
	if (!value.s || *ret_second || krn_str_eq_c(value, first))
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_INVALID, "%s must be %s or %s", name,
			  first, second);
}

enum krn_err
krn_route_gitops_export(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	struct krn_export_options options = {.at_us = krn_clock_us()};
	struct krn_live live;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (e = gitops_kinds(request, &options.kinds, err)) ||
	    (e = gitops_choice(request, "format", "yaml", "json", &options.json,
			       err)) ||
	    (e = gitops_choice(request, "layout", "bundle", "files",
			       &options.files, err)))
		return e;
	options.tenant_id = request->caller.tenant_id;
	if ((e = krn_live_read(request->arena, request->db, NULL, &live, err)) ||
	    (e = krn_bundle_write(request->arena, &live, &options,
				  &response->body, err)))
		return e;
	response->rows = (int64_t)live.nr;
	if (options.files)
		return KRN_OK;
	const struct krn_str disposition = krn_str_printf(
	    request->arena, "attachment; filename=\"kaireon-export-%.*s.%s\"",
	    KRN_STR_ARG(options.tenant_id), options.json ? "json" : "yaml");

	if (!disposition.s)
		return krn_arena_fail(request->arena, err);
	krn_response_header(response, "Content-Disposition", disposition);
	if (!options.json)
		response->content_type = "application/yaml";
	return KRN_OK;
}

static enum krn_err
gitops_write_change(struct krn_arena *arena, struct krn_json_out *out,
		    const struct krn_change *change, struct krn_error *err)
{
	const struct krn_resource *r =
	    change->after ? change->after : change->before;
	const struct krn_kind *kind = &krn_kinds[r->kind];
	const bool changed = change->op != KRN_CHANGE_UNCHANGED;
	enum krn_err e;

	krn_json_obj_open(out, NULL);
	krn_json_c(out, "kind", kind->name);
	krn_json_str(out, "name", r->name);
	krn_json_c(out, "op", krn_change_op_name(change->op));
	if (change->op == KRN_CHANGE_UPDATE) {
		krn_json_arr_open(out, "changedFields");
		for (size_t i = 0; i < kind->fields_nr; i++)
			if (change->fields >> i & 1)
				krn_json_c(out, NULL, kind->fields[i].name);
		krn_json_close(out);
	}
	if (changed && change->before &&
	    (e = krn_change_write_spec(arena, out, "before", change,
				       change->before, err)))
		return e;
	if (changed && change->after &&
	    (e = krn_change_write_spec(arena, out, "after", change,
				       change->after, err)))
		return e;
	krn_json_close(out);
	return KRN_OK;
}

static enum krn_err
gitops_write_changes(struct krn_request *request, struct krn_response *response,
		     const struct krn_changes *changes, bool dry_run,
		     int64_t revision, struct krn_error *err)
{
	struct krn_json_out out;
	enum krn_err e;

	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_bool(&out, "dryRun", dry_run);
	krn_json_arr_open(&out, "diffs");
	for (size_t i = 0; i < changes->nr; i++)
		if ((e = gitops_write_change(request->arena, &out,
					     &changes->list[i], err)))
			return e;
	krn_json_close(&out);
	krn_json_obj_open(&out, "summary");
	krn_change_write_counts(&out, changes);
	krn_json_close(&out);
	krn_json_c(&out, "planHash", changes->hash);
	krn_json_int(&out, "revision", revision);
	krn_json_close(&out);
	krn_json_end(&out);
	response->rows = (int64_t)changes->nr;
	return KRN_OK;
}

/* If-Match: "<planHash>", or *. */
static enum krn_err
gitops_check_match(const struct krn_request *request,
		   const struct krn_changes *changes, struct krn_error *err)
{
	struct krn_str match = request->if_match;

	if (!match.s || krn_str_eq_c(match, "*"))
		return KRN_OK;
	if (match.len >= 2 && match.s[0] == '"' &&
	    match.s[match.len - 1] == '"')
		match = krn_str_from(match.s + 1, match.len - 2);
	if (krn_str_eq_c(match, changes->hash))
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_STALE_PLAN,
			  "the plan no longer holds: diff again");
}

static enum krn_err
gitops_options(const struct krn_request *request, bool is_apply,
	       struct krn_change_options *ret, bool *ret_dry_run,
	       struct krn_error *err)
{
	struct krn_arena *arena = request->arena;
	const struct krn_str prune =
	    krn_query_find(arena, request->query, "prune");
	const struct krn_str budget =
	    krn_query_find(arena, request->query, "maxDeletes");

	*ret_dry_run = !is_apply || gitops_is_dry(request);
	*ret = (struct krn_change_options){
	    .frozen = gitops_frozen(request->options),
	    .prune = prune.s && krn_str_eq_c(prune, "true"),
	    .max_deletes = -1,
	};
	if (budget.s &&
	    krn_parse_int64(budget, 0, INT64_MAX, &ret->max_deletes, NULL))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "maxDeletes must be a whole number, 0 or "
				  "more");
	return gitops_kinds(request, &ret->kinds, err);
}

/*
 * The bundle against the live configuration: compare, and when it is real,
 * apply under the lock. `note` is for the audit row.
 */
static enum krn_err
gitops_reconcile(struct krn_request *request, struct krn_response *response,
		 const struct krn_bundle *bundle,
		 const struct krn_change_options *options, bool dry_run,
		 struct krn_str note, struct krn_error *err)
{
	struct krn_arena *arena = request->arena;
	struct krn_changes changes;
	struct krn_live live;
	int64_t revision = 0;
	enum krn_err e;

	if ((!dry_run && (e = krn_config_lock(request->db, err))) ||
	    (e = krn_live_read(arena, request->db, NULL, &live, err)) ||
	    (e = krn_changes_find(arena, request->db, bundle, &live, options,
				  &changes, err)) ||
	    (e = gitops_check_match(request, &changes, err)))
		return e;
	if (dry_run)
		e = krn_config_revision(request->db, &revision, err);
	else if (!(e = krn_changes_allowed(&changes, request->caller.role,
					   err)))
		e = krn_changes_apply(arena, request->db, &changes,
				      options->kinds, note, &request->caller,
				      &revision, err);
	return e ? e
		 : gitops_write_changes(request, response, &changes, dry_run,
					revision, err);
}

static enum krn_err
gitops_serve(struct krn_request *request, struct krn_response *response,
	     bool is_apply, struct krn_error *err)
{
	struct krn_change_options options;
	struct krn_bundle bundle;
	bool dry_run;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)))
		return e;
	if (is_apply && !gitops_is_dry(request) &&
	    request->caller.role < KRN_ROLE_EDITOR)
		return krn_refuse(err, KRN_ERR_FORBIDDEN,
				  "a real apply needs the role editor");
	if ((e = gitops_options(request, is_apply, &options, &dry_run, err)) ||
	    (e = krn_bundle_parse(request->arena, request->body,
				  request->content_type, options.kinds, &bundle,
				  err)))
		return e;
	return gitops_reconcile(request, response, &bundle, &options, dry_run,
				(struct krn_str){NULL, 0}, err);
}

enum krn_err
krn_route_gitops_diff(struct krn_request *request,
		      struct krn_response *response, struct krn_error *err)
{
	return gitops_serve(request, response, false, err);
}

enum krn_err
krn_route_gitops_apply(struct krn_request *request,
		       struct krn_response *response, struct krn_error *err)
{
	return gitops_serve(request, response, true, err);
}

enum krn_err
krn_route_gitops_rollback(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	const struct krn_change_options options = {
	    .kinds = KRN_KINDS_ALL,
	    .frozen = gitops_frozen(request->options),
	    .prune = true,
	    .max_deletes = INT64_MAX,
	};
	const struct krn_str to =
	    krn_query_find(request->arena, request->query, "to");
	const bool dry_run = gitops_is_dry(request);
	struct krn_bundle bundle;
	int64_t revision;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)))
		return e;
	if (!to.s || krn_parse_int64(to, 1, INT64_MAX, &revision, NULL))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "to must be the number of a revision");
	const struct krn_str note = krn_str_printf(
	    request->arena, "rollback to revision %lld", (long long)revision);

	if (!note.s)
		return krn_arena_fail(request->arena, err);
	if ((!dry_run && (e = krn_config_lock(request->db, err))) ||
	    (e = krn_revision_read(request->arena, request->db, revision,
				   &bundle, err)))
		return e;
	return gitops_reconcile(request, response, &bundle, &options, dry_run,
				note, err);
}

enum krn_err
krn_route_gitops_revisions(struct krn_request *request,
			   struct krn_response *response, struct krn_error *err)
{
	const struct krn_gitops_revision_fields *fields = request->fields;
	const struct krn_param params[] = {
	    krn_param_int(request->arena, fields->limit)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(request->db, KRN_STMT_gitops_revision_list, params,
			     &rows, err)))
		return e;
	krn_buf_add_str(&response->body, krn_rows_str(rows, 0, 0));
	return KRN_OK;
}

enum krn_err
krn_route_gitops_snapshot(struct krn_request *request,
			  struct krn_response *response, struct krn_error *err)
{
	static const struct krn_change_options check = {
	    .kinds = KRN_KINDS_ALL, .prune = true, .any_delete = true};
	const bool is_live = krn_str_trim(request->body).len == 0;
	const struct krn_resource *resources;
	struct krn_changes changes;
	struct krn_json_out out;
	struct krn_bundle bundle;
	struct krn_live live;
	int64_t revision;
	size_t nr;
	enum krn_err e;

	if ((e = krn_request_identify(request, err)) ||
	    (!is_live && (e = krn_bundle_parse(request->arena, request->body,
					       request->content_type,
					       KRN_KINDS_ALL, &bundle, err))) ||
	    (e = krn_config_lock(request->db, err)) ||
	    (e = krn_live_read(request->arena, request->db, NULL, &live, err)) ||
	    /* it is a whole configuration: what it refers to is in it */
	    (!is_live &&
	     (e = krn_changes_find(request->arena, request->db, &bundle, &live,
				   &check, &changes, err))))
		return e;
	resources = is_live ? live.resources : bundle.resources;
	nr = is_live ? live.nr : bundle.nr;
	if ((e = krn_snapshot_set(request->arena, request->db, resources, nr,
				  &request->caller, &revision, err)))
		return e;
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_int(&out, "snapshotRevision", revision);
	krn_json_int(&out, "resources", (int64_t)nr);
	krn_json_close(&out);
	krn_json_end(&out);
	response->rows = (int64_t)nr;
	return KRN_OK;
}

enum krn_err
krn_route_gitops_schema(struct krn_request *request,
			struct krn_response *response, struct krn_error *err)
{
	enum krn_err e;

	if ((e = krn_request_identify(request, err)))
		return e;
	krn_bundle_schema(&response->body);
	response->content_type = "application/schema+json";
	return KRN_OK;
}
