/* Why a run decided for a customer as it did. */

#include "base/base.h"

#include "campaign/explain.h"

#include "base/json_out.h"
#include "campaign/step_private.h"

static void
explain_ledger(struct krn_json_out *out, const struct krn_rows *rows)
{
	krn_json_arr_open(out, "ledger");
	for (size_t i = 0; i < krn_rows_nr(rows); i++) {
		krn_json_obj_open(out, NULL);
		krn_json_int(out, "rank", krn_rows_int(rows, i, 0));
		krn_json_str(out, "status", krn_rows_str(rows, i, 1));
		krn_json_str(out, "offerId", krn_rows_str(rows, i, 2));
		krn_json_str(out, "channelId", krn_rows_str(rows, i, 3));
		if (krn_rows_is_null(rows, i, 4))
			krn_json_null(out, "score");
		else
			krn_json_double(out, "score",
					krn_rows_double(rows, i, 4));
		krn_json_str(out, "error", krn_rows_str(rows, i, 5));
		krn_json_close(out);
	}
	krn_json_close(out);
}

enum krn_err
krn_run_explain(struct krn_arena *arena, struct krn_db *db,
		const struct krn_options *options, struct krn_str run_id,
		struct krn_str customer_id, struct krn_str *ret,
		struct krn_error *err)
{
	struct krn_step step = {
	    .arena = arena, .db = db, .options = options, .run_id = run_id};
	const struct krn_param params[] = {krn_param_str(run_id),
					   krn_param_str(customer_id)};
	const struct krn_rows *rows;
	struct krn_json_out out;
	struct krn_str decision;
	struct step_run run;
	struct krn_buf buf;
	enum krn_err e;

	if ((e = step_load_planned(&step, &run, err)) ||
	    (e = step_decide_explain(&step, &run, customer_id, &decision,
				     err)) ||
	    (e = krn_db_exec(db, KRN_STMT_run_customer, params, &rows, err)))
		return e;
	krn_buf_init(&buf, arena);
	krn_json_init(&out, &buf);
	krn_json_obj_open(&out, NULL);
	krn_json_str(&out, "runId", run_id);
	krn_json_str(&out, "campaignId", run.campaign_id);
	krn_json_raw(&out, "decision", decision);
	explain_ledger(&out, rows);
	krn_json_close(&out);
	krn_json_end(&out);
	return krn_buf_end(&buf, ret, err);
}
