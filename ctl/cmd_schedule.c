/*
 * kaireonctl schedule next
 */

#include "base/base.h"

#include "base/json_out.h"
#include "ctl/ctl.h"
#include "schedule/schedule.h"

/* "2026-03-30T02:00:00", what is local has no zone at its end */
#define SCHEDULE_LOCAL_CHARS 19

#define SCHEDULE_COUNT_MAX 1000

/* What is wrong with the options, or NULL. */
static const char *
schedule_usage(const struct krn_ctl *ctl)
{
	if (ctl->words_nr)
		return "schedule next takes options only";
	if (!ctl->cron.s == !ctl->type.s)
		return "give one of --cron and --type";
	if (ctl->cron.s &&
	    (ctl->time.s || ctl->day_of_week.s || ctl->day_of_month.s))
		return "--time, --day-of-week and --day-of-month go with "
		       "--type";
	if (ctl->type.s && !ctl->time.s)
		return "--type needs --time";
	if (ctl->type.s &&
	    !ctl->day_of_week.s != !krn_str_eq_c(ctl->type, "weekly"))
		return "--day-of-week goes with --type weekly";
	if (ctl->type.s &&
	    !ctl->day_of_month.s != !krn_str_eq_c(ctl->type, "monthly"))
		return "--day-of-month goes with --type monthly";
	return NULL;
}

static enum krn_err
schedule_options(const struct krn_ctl *ctl, struct krn_schedule *ret,
		 int64_t *ret_from_us, int64_t *ret_count,
		 struct krn_error *err)
{
	struct krn_schedule_fields fields = {
	    .type = ctl->type.s ? ctl->type : KRN_STR("manual"),
	    .time = ctl->time,
	    .cron = ctl->cron,
	    .day_of_month = ctl->day_of_month,
	};
	const struct krn_civil first = {.year = 1900, .month = 1, .day = 1};
	const struct krn_civil last = {.year = 9990, .month = 1, .day = 1};
	bool is;
	enum krn_err e;

	*ret_from_us = krn_clock_us();
	*ret_count = 1;
	if ((ctl->day_of_week.s &&
	     (e = krn_parse_int64(ctl->day_of_week, 0, 6, &fields.day_of_week,
				  err))) ||
	    (ctl->count.s &&
	     (e = krn_parse_int64(ctl->count, 1, SCHEDULE_COUNT_MAX, ret_count,
				  err))) ||
	    (ctl->from.s && (e = krn_time_parse(ctl->from, ret_from_us, err))))
		return e;
	if (*ret_from_us < krn_civil_to_us(&first) ||
	    *ret_from_us > krn_civil_to_us(&last))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "--from must be of the years 1900 to 9989");
	if (krn_str_eq_c(fields.type, "manual") && !fields.cron.s)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the type must be daily, weekly or monthly");
	return krn_schedule_parse(&fields, ret, &is, err);
}

static void
schedule_show(const struct krn_ctl *ctl, struct krn_json_out *out, int64_t us,
	      int64_t local_us)
{
	char local[KRN_TIME_TEXT_BYTES], utc[KRN_TIME_TEXT_BYTES];

	krn_time_format(local_us, local);
	krn_time_format(us, utc);
	if (ctl->json) {
		krn_json_obj_open(out, NULL);
		krn_json_str(out, "local",
			     krn_str_from(local, SCHEDULE_LOCAL_CHARS));
		krn_json_c(out, "utc", utc);
		krn_json_close(out);
	} else {
		printf("%.*s\t%s\n", SCHEDULE_LOCAL_CHARS, local, utc);
	}
}

static enum krn_err
schedule_zone(struct krn_ctl *ctl, struct krn_error *err)
{
	const struct krn_param params[] = {krn_param_str(ctl->zone)};
	const struct krn_rows *rows;
	enum krn_err e;

	if ((e = krn_db_exec(ctl->db, KRN_STMT_zone_known, params, &rows, err)))
		return e;
	return krn_rows_bool(rows, 0, 0)
		   ? KRN_OK
		   : krn_refuse(err, KRN_ERR_INVALID, "unknown time zone");
}

/* An impossible schedule has fewer moments than asked for, or none. */
enum krn_err
krn_cmd_schedule_next(struct krn_ctl *ctl, struct krn_error *err)
{
	const char *wrong = schedule_usage(ctl);
	struct krn_schedule schedule;
	struct krn_json_out out;
	struct krn_buf buf;
	int64_t us, local_us, count;
	enum krn_err e;

	if (wrong) {
		fprintf(stderr, "kaireonctl: %s\n", wrong);
		ctl->status = 2;
		return KRN_OK;
	}
	if ((e = schedule_options(ctl, &schedule, &us, &count, err)) ||
	    (e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_READ, err)) ||
	    (e = schedule_zone(ctl, err)))
		return e;
	krn_buf_init(&buf, ctl->arena);
	krn_json_init(&out, &buf);
	if (ctl->json)
		krn_json_arr_open(&out, NULL);
	else
		printf("local\tutc\n");
	while (count-- > 0) {
		if ((e = krn_schedule_next(ctl->arena, ctl->db, &schedule,
					   ctl->zone, us, &us, &local_us, err)))
			return e;
		if (us == KRN_SCHEDULE_NEVER)
			break;
		schedule_show(ctl, &out, us, local_us);
	}
	if (ctl->json) {
		struct krn_str text;

		krn_json_close(&out);
		krn_json_end(&out);
		if ((e = krn_buf_end(&buf, &text, err)))
			return e;
		printf("%.*s\n", KRN_STR_ARG(text));
	}
	return krn_db_commit(ctl->db, err);
}
