/*
 * The list of campaigns.
 */

#include "base/base.h"

#include "campaign/list.h"

#include "base/json_out.h"

enum list_type {
	LIST_TEXT,
	LIST_RAW, /* a number or JSON */
	LIST_TIME,
	LIST_OPEN, /* an object begins; no column */
	LIST_CLOSE,
	LIST_RUN, /* the latest run: the columns of list_run */
};

struct list_field {
	const char *key;
	enum list_type type;
};

/* In the order of the statement's columns. */
static const struct list_field list_run[] = {
    {"id", LIST_TEXT},
    {"campaignId", LIST_TEXT},
    {"runNumber", LIST_RAW},
    {"triggeredBy", LIST_TEXT},
    {"status", LIST_TEXT},
    {"createdAt", LIST_TIME},
    {"startedAt", LIST_TIME},
    {"completedAt", LIST_TIME},
    {"progress", LIST_OPEN},
    {"customers", LIST_RAW},
    {"processed", LIST_RAW},
    {"percent", LIST_RAW},
    {"etaSeconds", LIST_RAW},
    {NULL, LIST_CLOSE},
    {"summary", LIST_RAW},
    {"error", LIST_TEXT},
};

static const struct list_field list_campaign[] = {
    {"id", LIST_TEXT},
    {"name", LIST_TEXT},
    {"description", LIST_TEXT},
    {"status", LIST_TEXT},
    {"decisionFlowId", LIST_TEXT},
    {"decisionFlowName", LIST_TEXT},
    {"segmentId", LIST_TEXT},
    {"segmentName", LIST_TEXT},
    {"segmentCustomerCount", LIST_RAW},
    {"scheduleType", LIST_TEXT},
    {"scheduleDayOfWeek", LIST_RAW},
    {"scheduleDayOfMonth", LIST_TEXT},
    {"scheduleTime", LIST_TEXT},
    {"scheduleTimezone", LIST_TEXT},
    {"scheduleCron", LIST_TEXT},
    {"nextRunAt", LIST_TIME},
    {"volumeConstraints", LIST_RAW},
    {"fileConfig", LIST_RAW},
    {"channelIds", LIST_RAW},
    {"runCount", LIST_RAW},
    {"lastRunAt", LIST_TIME},
    {"latestRun", LIST_RUN},
    {"createdAt", LIST_TIME},
    {"updatedAt", LIST_TIME},
};

/* The page under way: the next column of a row. */
struct list_at {
	const struct krn_rows *rows;
	size_t row, column;
	struct krn_json_out out;
};

static void
list_value(struct list_at *at, const struct list_field *field)
{
	const size_t column = at->column++;

	if (krn_rows_is_null(at->rows, at->row, column))
		krn_json_null(&at->out, field->key);
	else if (field->type == LIST_TIME)
		krn_json_time(&at->out, field->key,
			      krn_rows_time(at->rows, at->row, column));
	else if (field->type == LIST_RAW)
		krn_json_raw(&at->out, field->key,
			     krn_rows_str(at->rows, at->row, column));
	else
		krn_json_str(&at->out, field->key,
			     krn_rows_str(at->rows, at->row, column));
}

static void
list_latest_run(struct list_at *at, const char *key)
{
	if (krn_rows_is_null(at->rows, at->row, at->column)) {
		for (size_t i = 0; i < KRN_NR(list_run); i++)
			at->column += list_run[i].type <= LIST_TIME;
		krn_json_null(&at->out, key);
		return;
	}
	krn_json_obj_open(&at->out, key);
	for (size_t i = 0; i < KRN_NR(list_run); i++) {
		if (list_run[i].type == LIST_OPEN)
			krn_json_obj_open(&at->out, list_run[i].key);
		else if (list_run[i].type == LIST_CLOSE)
			krn_json_close(&at->out);
		else
			list_value(at, &list_run[i]);
	}
	krn_json_close(&at->out);
}

int64_t
krn_campaign_list_write(const struct krn_rows *rows, struct krn_buf *answer)
{
	struct list_at at = {.rows = rows};
	const int64_t total = krn_rows_int(rows, 0, 0);

	krn_json_init(&at.out, answer);
	krn_json_obj_open(&at.out, NULL);
	krn_json_arr_open(&at.out, "runs");
	for (; at.row < krn_rows_nr(rows); at.row++) {
		if (krn_rows_is_null(rows, at.row, 1))
			break; /* an empty page */
		at.column = 1;
		krn_json_obj_open(&at.out, NULL);
		for (size_t i = 0; i < KRN_NR(list_campaign); i++) {
			if (list_campaign[i].type == LIST_RUN)
				list_latest_run(&at, list_campaign[i].key);
			else
				list_value(&at, &list_campaign[i]);
		}
		krn_json_close(&at.out);
	}
	krn_json_close(&at.out);
	krn_json_int(&at.out, "total", total);
	krn_json_close(&at.out);
	krn_json_end(&at.out);
	return total;
}
