/*
 * Lines of files beside rows of the table.
 */

#include "base/base.h"

#include "lifecycle/verify_private.h"

#include "base/clock.h"
#include "lifecycle/export_line.h"
#include "store/copy.h"

/* The id of a line as it stands there; the whole line when it is none. */
static struct krn_str
lake_line_id(struct krn_str line)
{
	const struct krn_str begin = KRN_STR("{\"id\":\"");
	static const char end[] = "\",\"tenantId\":";
	const char *at = memmem(line.s, line.len, end, sizeof(end) - 1);

	if (!at || !krn_str_has_prefix(line, begin))
		return krn_str_from(line.s, line.len < 100 ? line.len : 100);
	return krn_str_from(line.s + begin.len,
			    (size_t)(at - line.s) - begin.len);
}

/* createdAt of a line; INT64_MAX when it is none: no purge took it. */
static int64_t
lake_line_created(struct krn_str line)
{
	const size_t tail = sizeof("2026-03-30T02:00:00.000Z\"}") - 1;
	int64_t us;

	if (line.len < tail ||
	    krn_time_parse(krn_str_from(line.s + line.len - tail, tail - 2),
			   &us, NULL))
		return INT64_MAX;
	return us;
}

/* The table's side */

enum krn_err
lake_next(struct lake_tenant *tenant, struct krn_error *err)
{
	struct krn_str fields[1 + KRN_EXPORT_FIELDS];
	struct krn_copy_row row;
	enum krn_err e;

	tenant->has_row = false;
	if (tenant->ended)
		return KRN_OK;
	if ((e = krn_copy_out_next(tenant->verify->db, &row, err)))
		return e;
	if (!row.s) {
		tenant->ended = true;
		return KRN_OK;
	}
	if (krn_copy_split(row, fields, KRN_NR(fields)) != KRN_NR(fields))
		return krn_fail(err, KRN_ERR_INTERNAL,
				"an interaction row has too few fields");
	if ((e = krn_parse_int64(fields[0], 0, INT64_MAX, &tenant->row_xid,
				 err)))
		return e;
	krn_buf_clear(&tenant->row_id);
	krn_buf_clear(&tenant->row_line);
	krn_buf_add_str(&tenant->row_id, fields[1]);
	krn_export_fields(&tenant->row_line, fields + 1);
	if (tenant->row_id.failed || tenant->row_line.failed)
		return krn_arena_fail(tenant->arena, err);
	tenant->row_line.len--; /* its newline */
	tenant->has_row = true;
	return KRN_OK;
}

/* Is there a row at hand, and does it belong into the file at hand? */
static bool
lake_in_file(const struct lake_tenant *tenant)
{
	if (!tenant->has_row || tenant->row_xid != tenant->to_xid)
		return tenant->has_row && tenant->row_xid < tenant->to_xid;
	return krn_str_cmp(lake_text(&tenant->row_id), tenant->to_id) <= 0;
}

/* Judging */

static void
lake_pair(struct lake_tenant *tenant, struct krn_str id, bool same)
{
	if (same)
		tenant->verify->rows++;
	else
		lake_tell(tenant, KRN_VERIFY_ALTERED, tenant->path, id);
}

/*
 * The row at hand has no line at hand: its partner waits, or it does.
 * *ret_matched: it had one.
 */
static enum krn_err
lake_row(struct lake_tenant *tenant, bool *ret_matched, struct krn_error *err)
{
	const struct krn_str line = lake_text(&tenant->row_line);
	const struct krn_str id = lake_line_id(line);
	bool same;

	*ret_matched = merge_take(tenant->merge, MERGE_LAKE, id, line, &same);
	if (*ret_matched)
		lake_pair(tenant, id, same);
	else if (!merge_wait(tenant->merge, MERGE_TABLE, id, line, 0))
		return krn_arena_fail(tenant->arena, err);
	return lake_next(tenant, err);
}

static enum krn_err
lake_line(struct lake_tenant *tenant, struct krn_str line,
	  struct krn_error *err)
{
	const bool in_file = lake_in_file(tenant);
	bool same, matched;
	enum krn_err e;

	if (in_file && krn_str_eq(line, lake_text(&tenant->row_line))) {
		tenant->verify->rows++;
		return lake_next(tenant, err);
	}
	const struct krn_str id = lake_line_id(line);

	if (in_file &&
	    krn_str_eq(id, lake_line_id(lake_text(&tenant->row_line)))) {
		lake_pair(tenant, id, false);
		return lake_next(tenant, err);
	}
	if (merge_take(tenant->merge, MERGE_TABLE, id, line, &same)) {
		lake_pair(tenant, id, same);
		return KRN_OK;
	}
	if (!in_file) {
		lake_gone(tenant, id, lake_line_created(line));
		return KRN_OK;
	}
	if (!merge_wait(tenant->merge, MERGE_LAKE, id, line,
			lake_line_created(line)))
		return krn_arena_fail(tenant->arena, err);
	do {
		if ((e = lake_row(tenant, &matched, err)))
			return e;
	} while (matched && lake_in_file(tenant));
	return KRN_OK;
}

/* The lake's side */

enum krn_err
lake_part(void *data, const char *bytes, size_t len, struct krn_error *err)
{
	struct lake_tenant *tenant = data;
	enum krn_err e;

	while (len) {
		const char *newline = memchr(bytes, '\n', len);
		const size_t used =
		    newline ? (size_t)(newline - bytes) + 1 : len;

		if (newline && tenant->partial.len == 0) {
			if ((e = lake_line(tenant,
					   krn_str_from(bytes, used - 1), err)))
				return e;
		} else {
			krn_buf_add(&tenant->partial, bytes,
				    newline ? used - 1 : used);
			if (tenant->partial.failed)
				return krn_arena_fail(tenant->arena, err);
			if (newline) {
				e = lake_line(tenant,
					      lake_text(&tenant->partial), err);
				krn_buf_clear(&tenant->partial);
				if (e)
					return e;
			}
		}
		bytes += used;
		len -= used;
	}
	return KRN_OK;
}

enum krn_err
lake_file_end(struct lake_tenant *tenant, struct krn_error *err)
{
	struct krn_str id;
	int64_t created_us;
	bool matched;
	enum krn_err e;

	/* a last line without its newline */
	if (tenant->partial.len &&
	    (e = lake_line(tenant, lake_text(&tenant->partial), err)))
		return e;
	krn_buf_clear(&tenant->partial);
	while (lake_in_file(tenant))
		if ((e = lake_row(tenant, &matched, err)))
			return e;
	while (merge_rest(tenant->merge, MERGE_TABLE, &id, &created_us))
		lake_tell(tenant, KRN_VERIFY_MISSING, tenant->path, id);
	while (merge_rest(tenant->merge, MERGE_LAKE, &id, &created_us))
		lake_gone(tenant, id, created_us);
	return KRN_OK;
}
