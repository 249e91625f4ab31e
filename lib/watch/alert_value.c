/*
 * What rules observe: one statement for all rules of a kind of metric. What is
 * counted comes by its age, between the edges of all windows; a window is a
 * sum of ages.
 */

#include "base/base.h"

#include "watch/alert.h"

#include <math.h>

#include "base/clock.h"

/* Values of one age that are summed. */
#define VALUE_SUMS 4

struct values {
	struct krn_arena *arena;
	struct krn_db *db;
	const struct krn_alert_rule *rules;
	size_t nr;
	enum krn_stmt stmt;
	struct krn_str tenant; /* .s NULL: all */
	int64_t now_us;
	struct krn_alert_seen *seen;
};

static bool
value_is_of(const struct values *values, size_t i)
{
	const struct krn_alert_metric *metric =
	    krn_alert_metric(values->rules[i].metric);

	return metric && metric->values == values->stmt &&
	       (!values->tenant.s ||
		krn_str_eq(values->rules[i].tenant_id, values->tenant));
}

/* "{5,10}": an array of numbers as PostgreSQL reads it. */
static enum krn_err
value_array(struct krn_arena *arena, const double *numbers, size_t nr,
	    struct krn_param *ret, struct krn_error *err)
{
	struct krn_buf buf;
	struct krn_str text;
	enum krn_err e;

	krn_buf_init(&buf, arena);
	for (size_t i = 0; i < nr; i++) {
		krn_buf_add_char(&buf, i ? ',' : '{');
		krn_buf_add_double(&buf, numbers[i]);
	}
	krn_buf_add_c(&buf, nr ? "}" : "{}");
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	*ret = krn_param_str(text);
	return KRN_OK;
}

static int
value_compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Ages */

/* The begins of all windows and of those before them, ascending, each once. */
static size_t
value_edges(const struct values *values, double *ret)
{
	size_t nr = 0, kept = 0;

	for (size_t i = 0; i < values->nr; i++) {
		if (!value_is_of(values, i))
			continue;
		ret[nr++] = (double)values->rules[i].window_minutes;
		ret[nr++] = 2 * (double)values->rules[i].window_minutes;
	}
	qsort(ret, nr, sizeof(*ret), value_compare);
	for (size_t i = 0; i < nr; i++)
		if (kept == 0 || ret[i] > ret[kept - 1])
			ret[kept++] = ret[i];
	return kept;
}

/* How many edges there are up to one: ages below it are within. */
static int64_t
value_age(const double *edges, size_t nr, double edge)
{
	const double *found =
	    bsearch(&edge, edges, nr, sizeof(*edges), value_compare);

	KRN_BUG_IF(!found);
	return found - edges + 1;
}

static double
value_sum(const struct krn_rows *rows, size_t from, size_t to, int64_t age,
	  int64_t below, const struct krn_alert_metric *metric)
{
	double sums[VALUE_SUMS] = {0};

	for (size_t row = from; row < to; row++) {
		const int64_t of = krn_rows_int(rows, row, 1);

		if (of < age || of >= below)
			continue;
		for (size_t k = 0; k < VALUE_SUMS; k++)
			sums[k] += krn_rows_double(rows, row, 2 + k);
	}
	return metric->value(sums);
}

/* Rows and rules are in order of their tenants. */
static void
value_take_ages(const struct values *values, const struct krn_rows *rows,
		const double *edges, size_t edges_nr)
{
	const size_t rows_nr = krn_rows_nr(rows);
	size_t from = 0, to = 0;

	for (size_t i = 0; i < values->nr; i++) {
		const struct krn_alert_rule *rule = &values->rules[i];

		if (!value_is_of(values, i))
			continue;
		while (from < rows_nr &&
		       krn_str_cmp(krn_rows_str(rows, from, 0),
				   rule->tenant_id) < 0)
			from++;
		if (to < from)
			to = from;
		while (to < rows_nr &&
		       krn_str_eq(krn_rows_str(rows, to, 0), rule->tenant_id))
			to++;
		const double minutes = (double)rule->window_minutes;
		const int64_t edge = value_age(edges, edges_nr, minutes);
		const int64_t before = value_age(edges, edges_nr, 2 * minutes);
		const struct krn_alert_metric *metric =
		    krn_alert_metric(rule->metric);

		values->seen[i] = (struct krn_alert_seen){
		    value_sum(rows, from, to, 0, edge, metric),
		    value_sum(rows, from, to, edge, before, metric)};
	}
}

static enum krn_err
value_look_ages(const struct values *values, struct krn_error *err)
{
	double *edges =
	    krn_arena_calloc(values->arena, 2 * values->nr + 1, sizeof(*edges));
	struct krn_param params[3];
	const struct krn_rows *rows;
	size_t nr;
	enum krn_err e;

	if (!edges)
		return krn_arena_fail(values->arena, err);
	nr = value_edges(values, edges);
	params[0] = krn_param_time(values->arena, values->now_us);
	params[1] = krn_param_str(values->tenant);
	if (nr == 0)
		return KRN_OK;
	krn_db_send(values->db, KRN_STMT_alert_by_hash, NULL, NULL);
	if ((e = value_array(values->arena, edges, nr, &params[2], err)) ||
	    (e = krn_db_exec(values->db, values->stmt, params, &rows, err)))
		return e;
	value_take_ages(values, rows, edges, nr);
	return KRN_OK;
}

/* Percentiles: the windows of each tenant, each once */

static bool
value_is_known(const struct krn_str *tenants, const double *minutes, size_t nr,
	       const struct krn_alert_rule *rule)
{
	while (nr-- && krn_str_eq(tenants[nr], rule->tenant_id))
		if (!(minutes[nr] < (double)rule->window_minutes) &&
		    !(minutes[nr] > (double)rule->window_minutes))
			return true;
	return false;
}

static void
value_take_latency(const struct values *values, const struct krn_rows *rows)
{
	size_t from = 0;

	for (size_t i = 0; i < values->nr; i++) {
		const struct krn_alert_rule *rule = &values->rules[i];

		if (!value_is_of(values, i))
			continue;
		while (from < krn_rows_nr(rows) &&
		       krn_str_cmp(krn_rows_str(rows, from, 0),
				   rule->tenant_id) < 0)
			from++;
		for (size_t row = from;
		     row < krn_rows_nr(rows) &&
		     krn_str_eq(krn_rows_str(rows, row, 0), rule->tenant_id);
		     row++) {
			if ((int64_t)krn_rows_double(rows, row, 1) !=
				rule->window_minutes ||
			    krn_rows_is_null(rows, row, 3))
				continue;
			*(krn_rows_bool(rows, row, 2)
			      ? &values->seen[i].baseline
			      : &values->seen[i].observed) =
			    krn_rows_double(rows, row, 3);
		}
	}
}

static enum krn_err
value_look_latency(const struct values *values, struct krn_error *err)
{
	struct krn_str *tenants =
	    krn_arena_calloc(values->arena, values->nr + 1, sizeof(*tenants));
	double *minutes =
	    krn_arena_calloc(values->arena, values->nr + 1, sizeof(*minutes));
	struct krn_param params[4];
	const struct krn_rows *rows;
	double most = 0;
	size_t nr = 0;
	enum krn_err e;

	if (!tenants || !minutes)
		return krn_arena_fail(values->arena, err);
	for (size_t i = 0; i < values->nr; i++) {
		const struct krn_alert_rule *rule = &values->rules[i];

		if (!value_is_of(values, i) ||
		    value_is_known(tenants, minutes, nr, rule))
			continue;
		tenants[nr] = rule->tenant_id;
		minutes[nr++] = (double)rule->window_minutes;
		if (2 * minutes[nr - 1] > most)
			most = 2 * minutes[nr - 1];
	}
	if (nr == 0)
		return KRN_OK;
	params[0] = krn_param_time(values->arena, values->now_us);
	params[1] = krn_param_str_array(values->arena, tenants, nr);
	params[3] = krn_param_double(values->arena, most);
	if ((e = value_array(values->arena, minutes, nr, &params[2], err)) ||
	    (e = krn_db_exec(values->db, values->stmt, params, &rows, err)))
		return e;
	value_take_latency(values, rows);
	return KRN_OK;
}

enum krn_err
krn_alert_look(struct krn_arena *arena, struct krn_db *db,
	       const struct krn_alert_rule *rules, size_t nr,
	       enum krn_stmt stmt, struct krn_str tenant, int64_t now_us,
	       struct krn_alert_seen *seen, struct krn_error *err)
{
	const struct values values = {arena, db,     rules,  nr,
				      stmt,  tenant, now_us, seen};

	return stmt == KRN_STMT_alert_values_latency
		   ? value_look_latency(&values, err)
		   : value_look_ages(&values, err);
}
