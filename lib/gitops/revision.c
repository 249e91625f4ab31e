/*
 * Revisions and the snapshot.
 */

#include "base/base.h"

#include "gitops/revision.h"

#include "access/audit.h"
#include "base/clock.h"
#include "base/json_in.h"
#include "gitops/export.h"

enum krn_err
krn_revision_read(struct krn_arena *arena, struct krn_db *db, int64_t revision,
		  struct krn_bundle *ret, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_int(arena, revision)};
	struct krn_value *bundle = krn_arena_make(arena, struct krn_value);
	const struct krn_rows *rows;
	enum krn_err e;

	if (!bundle)
		return krn_arena_fail(arena, err);
	if ((e = krn_db_exec(db, KRN_STMT_gitops_revision_get, params, &rows,
			     err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such revision");
	if ((e = krn_json_parse_stored(arena, krn_rows_str(rows, 0, 0), bundle,
				       err)))
		return e;
	return krn_bundle_read(arena, bundle, KRN_KINDS_ALL, ret, err);
}

enum krn_err
krn_snapshot_set(struct krn_arena *arena, struct krn_db *db,
		 const struct krn_resource *resources, size_t nr,
		 const struct krn_caller *caller, int64_t *ret_revision,
		 struct krn_error *err)
{
	const struct krn_export_options options = {
	    .kinds = KRN_KINDS_ALL,
	    .tenant_id = caller->tenant_id,
	    .at_us = krn_clock_us(),
	    .json = true,
	};
	const struct krn_live list = {
	    .resources = (struct krn_resource *)(uintptr_t)resources, .nr = nr};
	struct krn_audit audit = {
	    .action = "gitops_snapshot",
	    .entity_type = "bundle",
	    .entity_id = {NULL, 0},
	};
	const struct krn_rows *rows;
	struct krn_str bundle;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, arena);
	if ((e = krn_bundle_write(arena, &list, &options, &buf, err)) ||
	    (e = krn_buf_end(&buf, &bundle, err)))
		return e;
	const struct krn_param params[] = {krn_param_str(caller->actor_name),
					   krn_param_str(bundle)};

	if ((e = krn_db_exec(db, KRN_STMT_gitops_snapshot_set, params, &rows,
			     err)))
		return e;
	*ret_revision = krn_rows_int(rows, 0, 0);
	audit.changes = krn_str_printf(
	    arena, "{\"snapshotRevision\":%lld,\"resources\":%zu}",
	    (long long)*ret_revision, nr);
	if (!audit.changes.s)
		return krn_arena_fail(arena, err);
	return krn_audit_append(arena, db, caller, &audit, err);
}
