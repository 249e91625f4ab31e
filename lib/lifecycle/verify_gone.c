/*
 * Rows that the table lacks and that were erased or purged.
 */

#include "base/base.h"

#include "lifecycle/verify_private.h"

#include "base/clock.h"
#include "base/json_out.h"

static enum krn_err
gone_marks(struct lake_tenant *tenant, const struct krn_rows *rows,
	   struct krn_error *err)
{
	tenant->marks_nr = krn_rows_nr(rows);
	tenant->marks = krn_arena_calloc(tenant->arena, tenant->marks_nr,
					 sizeof(*tenant->marks));
	if (!tenant->marks && tenant->marks_nr)
		return krn_arena_fail(tenant->arena, err);
	for (size_t i = 0; i < tenant->marks_nr; i++)
		tenant->marks[i] = (struct lake_mark){
		    .month = krn_rows_str(rows, i, 0),
		    .before_us = krn_rows_time(rows, i, 1),
		    .exported_rows = krn_rows_int(rows, i, 2),
		};
	return KRN_OK;
}

static enum krn_err
gone_erased(struct lake_tenant *tenant, const struct krn_rows *rows,
	    struct krn_error *err)
{
	struct krn_buf id;

	krn_buf_init(&id, tenant->arena);
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		krn_buf_clear(&id);
		krn_json_escape(&id,
				krn_rows_str(rows, i, 0)); /* as in a line */
		if (id.failed || !merge_wait(tenant->erased, MERGE_TABLE,
					     lake_text(&id), KRN_STR(""), 0))
			return krn_arena_fail(tenant->arena, err);
	}
	return KRN_OK;
}

enum krn_err
lake_gone_init(struct lake_tenant *tenant, const struct krn_rows *marks,
	       const struct krn_rows *erased, struct krn_error *err)
{
	const enum krn_err e = gone_marks(tenant, marks, err);

	return e ? e : gone_erased(tenant, erased, err);
}

void
lake_gone(struct lake_tenant *tenant, struct krn_str id, int64_t created_us)
{
	char month[KRN_TIME_TEXT_BYTES] = "";
	bool same;

	if (merge_take(tenant->erased, MERGE_TABLE, id, KRN_STR(""), &same)) {
		tenant->verify->purged++;
		return;
	}
	if (created_us != INT64_MAX)
		krn_time_format(created_us, month);
	for (size_t i = 0; i < tenant->marks_nr; i++) {
		struct lake_mark *mark = &tenant->marks[i];

		if (strncmp(mark->month.s, month, mark->month.len) != 0 ||
		    created_us >= mark->before_us ||
		    mark->seen >= mark->exported_rows)
			continue;
		mark->seen++;
		tenant->verify->purged++;
		return;
	}
	lake_tell(tenant, KRN_VERIFY_EXTRA, tenant->path, id);
}
