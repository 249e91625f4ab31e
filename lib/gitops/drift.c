/*
 * The drift check.
 */

#include "base/base.h"

#include "gitops/drift.h"

#include "access/audit.h"
#include "base/clock.h"
#include "base/json_in.h"
#include "gitops/apply.h"

struct drift_job {
	struct krn_str request_id;
	int64_t total;
};

/* One tenant. */
struct drift {
	bool has_snapshot;
	int64_t revision;
	struct krn_str told; /* hash of the drift that the audit knows */
	struct krn_live live;
	struct krn_bundle snapshot;
	struct krn_changes changes;
};

static struct drift_job *
drift_of(const struct krn_cron *cron)
{
	return cron->state;
}

static int64_t
drift_count(const struct drift *drift)
{
	return (int64_t)drift->changes.nr -
	       drift->changes.count[KRN_CHANGE_UNCHANGED];
}

/* Compare in one snapshot of the database. */
static enum krn_err
drift_find(struct krn_cron *cron, struct krn_str tenant, struct drift *ret,
	   struct krn_error *err)
{
	const struct krn_change_options options = {.kinds = KRN_KINDS_ALL,
						   .prune = true,
						   .any_bundle = true,
						   .any_delete = true};
	struct krn_value bundle;
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_cron_begin(cron, KRN_TX_SNAPSHOT, tenant, err)) ||
	    (e = krn_db_exec(cron->db, KRN_STMT_gitops_snapshot, NULL, &rows,
			     err)))
		return e;
	if (krn_rows_nr(rows) == 0)
		return KRN_OK;
	ret->has_snapshot = true;
	ret->revision = krn_rows_int(rows, 0, 0);
	ret->told = krn_rows_str(rows, 0, 2);
	if ((e = krn_json_parse_stored(cron->batch, krn_rows_str(rows, 0, 1),
				       &bundle, err)) ||
	    (e = krn_bundle_read_applied(cron->batch, &bundle, &ret->snapshot,
					 err)) ||
	    (e = krn_live_read(cron->batch, cron->db, NULL, &ret->live, err)))
		return e;
	return krn_changes_find(cron->batch, cron->db, &ret->snapshot,
				&ret->live, &options, &ret->changes, err);
}

/* What is not there any more: who deleted the last of that name, and who
 * changed the object of that id. Rows are in byte order of their first column.
 */
struct drift_missing {
	const struct krn_rows *deleted; /* name, parent, by, at, audit id */
	const struct krn_rows *changed; /* id, by, at, audit id */
};

/* The first row of a text; how many there are when there is none. */
static size_t
drift_row(const struct krn_rows *rows, struct krn_str text)
{
	size_t low = 0, high = krn_rows_nr(rows);

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (krn_str_cmp(krn_rows_str(rows, middle, 0), text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < krn_rows_nr(rows) &&
		       krn_str_eq(krn_rows_str(rows, low, 0), text)
		   ? low
		   : krn_rows_nr(rows);
}

/* The name of the parent of what is missing; .s NULL: it has none. */
static struct krn_str
drift_parent(const struct krn_resource *missing)
{
	const char *within = krn_kinds[missing->kind].within;
	const struct krn_value *name =
	    within ? krn_resource_get(missing, within) : NULL;

	return name && name->type == KRN_VALUE_STRING
		   ? name->string
		   : (struct krn_str){NULL, 0};
}

/* The deleted row of that name and parent; as drift_row. */
static size_t
drift_deleted_row(const struct krn_rows *rows,
		  const struct krn_resource *missing)
{
	const struct krn_str parent = drift_parent(missing);
	size_t row = drift_row(rows, missing->title);

	for (; row < krn_rows_nr(rows) &&
	       krn_str_eq(krn_rows_str(rows, row, 0), missing->title);
	     row++)
		if (!parent.s ||
		    (!krn_rows_is_null(rows, row, 1) &&
		     krn_str_eq(krn_rows_str(rows, row, 1), parent)))
			return row;
	return krn_rows_nr(rows);
}

/* Note the three columns that say who; false: nobody is known. */
static bool
drift_take_culprit(const struct drift_missing *missing,
		   struct krn_resource *gone)
{
	const struct krn_rows *rows = missing->changed;
	size_t row = gone->id.s ? drift_row(rows, gone->id) : krn_rows_nr(rows);
	size_t column = 1;

	if (row == krn_rows_nr(rows)) {
		rows = missing->deleted;
		row = drift_deleted_row(rows, gone);
		column = 2;
	}
	if (row == krn_rows_nr(rows))
		return false;
	gone->changed_by = krn_rows_str(rows, row, column);
	gone->changed_at = krn_rows_str(rows, row, column + 1);
	gone->changed_audit_id = krn_rows_str(rows, row, column + 2);
	return true;
}

/* Copies of what is missing, with who made it so. */
static enum krn_err
drift_note_missing(struct krn_cron *cron, struct drift *drift, int kind,
		   const struct drift_missing *missing, struct krn_error *err)
{
	for (size_t i = 0; i < drift->changes.nr; i++) {
		struct krn_change *change = &drift->changes.list[i];
		struct krn_resource gone;

		if (change->op != KRN_CHANGE_CREATE ||
		    (int)change->after->kind != kind)
			continue;
		gone = *change->after;
		if (!drift_take_culprit(missing, &gone))
			continue;
		struct krn_resource *kept =
		    krn_arena_make(cron->batch, struct krn_resource);

		if (!kept)
			return krn_arena_fail(cron->batch, err);
		*kept = gone;
		change->after = kept;
	}
	return KRN_OK;
}

/* Read what is known of the missing objects of a kind. */
static enum krn_err
drift_read_missing(struct krn_cron *cron, const struct krn_kind *kind,
		   const struct krn_str *names, const struct krn_str *ids,
		   size_t nr, struct drift_missing *ret, struct krn_error *err)
{
	const int parent =
	    kind->within ? krn_kind_field_find(kind, krn_str_c(kind->within))
			 : -1;
	const struct krn_str tables[] = {
	    krn_str_c(kind->table),
	    krn_str_c(parent < 0
			  ? kind->table
			  : krn_kinds[kind->fields[parent].reference].table),
	};
	const struct krn_param deleted[] = {
	    krn_param_str_array(cron->batch, names, nr),
	    parent < 0 ? krn_param_null()
		       : krn_param_c(kind->fields[parent].column),
	};
	const struct krn_param changed[] = {
	    krn_param_str_array(cron->batch, ids, nr)};

	if (!deleted[0].value || !changed[0].value)
		return krn_arena_fail(cron->batch, err);
	krn_db_send_named(cron->db, KRN_STMT_kind_deleted, tables, deleted,
			  &ret->deleted);
	krn_db_send_named(cron->db, KRN_STMT_kind_changed, tables, changed,
			  &ret->changed);
	return krn_db_flush(cron->db, err);
}

/* Who changed what is not there any more? A round trip a kind. */
static enum krn_err
drift_find_missing(struct krn_cron *cron, struct drift *drift,
		   struct krn_error *err)
{
	const size_t most = drift->changes.nr + 1;
	struct krn_str *names =
	    krn_arena_calloc(cron->batch, most, sizeof(*names));
	struct krn_str *ids = krn_arena_calloc(cron->batch, most, sizeof(*ids));
	enum krn_err e;

	if (!names || !ids)
		return krn_arena_fail(cron->batch, err);
	for (int kind = 0; kind < KRN_KIND__MAX; kind++) {
		struct drift_missing missing;
		size_t nr = 0;

		for (size_t i = 0; i < drift->changes.nr; i++) {
			const struct krn_change *c = &drift->changes.list[i];

			if (c->op != KRN_CHANGE_CREATE ||
			    (int)c->after->kind != kind)
				continue;
			names[nr] = c->after->title;
			ids[nr++] = c->after->id.s ? c->after->id : KRN_STR("");
		}
		if (nr == 0)
			continue;
		if ((e = drift_read_missing(cron, &krn_kinds[kind], names, ids,
					    nr, &missing, err)) ||
		    (e = drift_note_missing(cron, drift, kind, &missing, err)))
			return e;
	}
	return KRN_OK;
}

static void
drift_write_change(struct krn_json_out *out, const struct krn_change *change)
{
	const struct krn_resource *r =
	    change->before ? change->before : change->after;
	const struct krn_kind *kind = &krn_kinds[r->kind];
	char at[KRN_TIME_TEXT_BYTES] = "";
	int64_t us;

	krn_json_obj_open(out, NULL);
	krn_json_c(out, "kind", kind->name);
	krn_json_str(out, "name", r->name);
	krn_json_c(out, "op", krn_change_op_name(change->op));
	krn_json_arr_open(out, "changedFields");
	for (size_t i = 0; i < kind->fields_nr; i++)
		if (change->fields >> i & 1)
			krn_json_c(out, NULL, kind->fields[i].name);
	krn_json_close(out);
	if (r->changed_by.len &&
	    krn_time_parse(r->changed_at, &us, NULL) == KRN_OK) {
		krn_time_format(us, at);
		krn_json_obj_open(out, "lastChange");
		krn_json_str(out, "actor", r->changed_by);
		krn_json_c(out, "at", at);
		krn_json_str(out, "auditId", r->changed_audit_id);
		krn_json_close(out);
	} else {
		krn_json_null(out, "lastChange");
	}
	krn_json_close(out);
}

static void
drift_write(struct krn_json_out *out, const struct drift *drift)
{
	krn_json_int(out, "drifted", drift_count(drift));
	krn_json_obj_open(out, "summary");
	krn_change_write_counts(out, &drift->changes);
	krn_json_close(out);
	krn_json_arr_open(out, "diffs");
	for (size_t i = 0; i < drift->changes.nr; i++)
		if (drift->changes.list[i].op != KRN_CHANGE_UNCHANGED)
			drift_write_change(out, &drift->changes.list[i]);
	krn_json_close(out);
}

/* [{"kind", "op", "resources"}], for the gauge */
static enum krn_err
drift_gauge(struct krn_cron *cron, const struct drift *drift,
	    struct krn_str *ret, struct krn_error *err)
{
	int64_t count[KRN_KIND__MAX][KRN_CHANGE__MAX] = {{0}};
	struct krn_json_out out;
	struct krn_buf buf;

	for (size_t i = 0; i < drift->changes.nr; i++) {
		const struct krn_change *change = &drift->changes.list[i];

		count[(change->before ? change->before : change->after)->kind]
		     [change->op]++;
	}
	krn_buf_init(&buf, cron->batch);
	krn_json_init(&out, &buf);
	krn_json_arr_open(&out, NULL);
	for (int kind = 0; kind < KRN_KIND__MAX; kind++)
		for (int op = 0; op < KRN_CHANGE_UNCHANGED; op++) {
			if (count[kind][op] == 0)
				continue;
			krn_json_obj_open(&out, NULL);
			krn_json_c(&out, "kind", krn_kinds[kind].name);
			krn_json_c(&out, "op",
				   krn_change_op_name((enum krn_change_op)op));
			krn_json_int(&out, "resources", count[kind][op]);
			krn_json_close(&out);
		}
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}

/* The audit row of a drift that nobody was told of yet, or of its end. */
static enum krn_err
drift_audit(struct krn_cron *cron, struct krn_str tenant,
	    const struct drift *drift, struct krn_error *err)
{
	const struct krn_caller caller = {
	    .tenant_id = tenant,
	    .role = KRN_ROLE_VIEWER,
	    .actor_id = KRN_STR("cron"),
	    .actor_name = KRN_STR("cron"),
	    .request_id = drift_of(cron)->request_id,
	};
	struct krn_audit audit = {
	    .action = "gitops_drift",
	    .entity_type = "bundle",
	    .entity_id = {NULL, 0},
	};
	struct krn_json_out out;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, cron->batch);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_int(&out, "snapshotRevision", drift->revision);
	drift_write(&out, drift);
	krn_json_close(&out);
	krn_json_end(&out);
	if ((e = krn_buf_end(&buf, &audit.changes, err)))
		return e;
	return krn_audit_append(cron->batch, cron->db, &caller, &audit, err);
}

/* Keep what was found, in a transaction of its own. */
static enum krn_err
drift_keep(struct krn_cron *cron, struct krn_str tenant,
	   const struct drift *drift, struct krn_error *err)
{
	const struct krn_str hash =
	    krn_str_c(drift_count(drift) ? drift->changes.hash : "");
	struct krn_str gauge;
	enum krn_err e;

	if ((e = drift_gauge(cron, drift, &gauge, err)) ||
	    (e = krn_cron_begin(cron, KRN_TX_WRITE, tenant, err)))
		return e;
	const struct krn_param gauge_params[] = {krn_param_str(gauge)};
	const struct krn_param hash_params[] = {krn_param_str(hash)};

	krn_db_send(cron->db, KRN_STMT_gitops_drift_clear, NULL, NULL);
	krn_db_send(cron->db, KRN_STMT_gitops_drift_insert, gauge_params, NULL);
	if (!krn_str_eq(hash, drift->told)) {
		krn_db_send(cron->db, KRN_STMT_gitops_drift_told, hash_params,
			    NULL);
		if ((e = drift_audit(cron, tenant, drift, err)))
			return e;
	}
	return krn_db_commit(cron->db, err);
}

static enum krn_err
drift_tenant(struct krn_cron *cron, struct krn_str id, struct krn_error *err)
{
	struct drift drift = {.has_snapshot = false};
	enum krn_err e;

	if ((e = drift_find(cron, id, &drift, err)) ||
	    (e = drift_find_missing(cron, &drift, err)) ||
	    (e = krn_db_commit(cron->db, err)))
		return e;
	if (drift.has_snapshot) {
		if ((e = drift_keep(cron, id, &drift, err)))
			return e;
		krn_json_int(&cron->out, "snapshotRevision", drift.revision);
	} else {
		krn_json_null(&cron->out, "snapshotRevision");
	}
	drift_write(&cron->out, &drift);
	drift_of(cron)->total += drift_count(&drift);
	cron->rows += drift_count(&drift);
	return KRN_OK;
}

static void
drift_totals(const struct krn_cron *cron, struct krn_json_out *out)
{
	krn_json_time(out, "checkedAt", krn_clock_us());
	krn_json_int(out, "totalDrifted", drift_of(cron)->total);
}

enum krn_err
krn_drift_check(struct krn_cron *cron, struct krn_str request_id,
		struct krn_buf *answer, struct krn_error *err)
{
	static const struct krn_cron_job drift_job = {
	    .name = "gitops-drift-check",
	    .tenant = drift_tenant,
	    .totals = drift_totals,
	};
	struct drift_job job = {.request_id = request_id};

	cron->state = &job;
	return krn_cron_run(cron, &drift_job, answer, err);
}
