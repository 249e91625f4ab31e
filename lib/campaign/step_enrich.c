/*
 * What the data schemas of a plan say of a chunk's customers: each is read
 * once and merged by customer, as all streams have the same order.
 */

#include "base/base.h"

#include "campaign/step_private.h"
#include "store/copy.h"

struct step_source {
	size_t fields;        /* the customer first */
	size_t *columns;      /* of the plan; for each field but the first */
	struct krn_str *rows; /* nr × fields */
	size_t nr, size, next;
};

/* The fields that the plan needs of a source, as a list for the slot. */
static enum krn_err
enrich_list(struct krn_step *step, const struct krn_plan *plan, uint32_t number,
	    struct step_source *source, struct krn_str *ret,
	    struct krn_error *err)
{
	struct krn_buf list;

	krn_buf_init(&list, step->arena);
	source->fields = 1;
	source->columns = krn_arena_calloc(step->arena, plan->columns_nr,
					   sizeof(*source->columns));
	if (!source->columns)
		return krn_arena_fail(step->arena, err);
	for (size_t i = 0; i < plan->columns_nr; i++) {
		if (plan->columns[i].source != number)
			continue;
		if (source->fields > 1)
			krn_buf_add_char(&list, '\x1f');
		krn_buf_add_str(&list, plan->columns[i].field);
		source->columns[source->fields++ - 1] = i;
	}
	return krn_buf_end(&list, ret, err);
}

static enum krn_err
enrich_row(struct krn_step *step, struct step_source *source,
	   struct krn_copy_row row, struct krn_str *fields,
	   struct krn_error *err)
{
	struct krn_str *to;

	if (krn_copy_split(row, fields, source->fields) != source->fields)
		return krn_fail(err, KRN_ERR_INTERNAL,
				"a schema's row has too few fields");
	source->rows =
	    krn_arena_room(step->arena, source->rows, source->nr, &source->size,
			   source->fields * sizeof(*source->rows));
	if (!source->rows)
		return krn_arena_fail(step->arena, err);
	to = source->rows + source->nr * source->fields;
	for (size_t i = 0; i < source->fields; i++) {
		to[i] = (struct krn_str){NULL, 0};
		if (!fields[i].s)
			continue;
		to[i] = krn_str_dup(step->arena, fields[i]);
		if (!to[i].s)
			return krn_arena_fail(step->arena, err);
	}
	source->nr++;
	return KRN_OK;
}

static enum krn_err
enrich_read(struct krn_step *step, const struct step_run *run, uint32_t number,
	    struct step_source *source, struct krn_error *err)
{
	const struct krn_plan_table *from = &run->plan->sources[number - 1];
	struct krn_str names[4] = {run->space, from->table, from->id_column};
	struct krn_copy_row row;
	struct krn_str *fields;
	enum krn_err e;

	if ((e = enrich_list(step, run->plan, number, source, &names[3], err)))
		return e;
	if (source->fields == 1)
		return KRN_OK; /* nothing looks at it */
	fields = krn_arena_calloc(step->arena, source->fields, sizeof(*fields));
	if (!fields)
		return krn_arena_fail(step->arena, err);
	if ((e = krn_copy_out_begin(step->db, KRN_STMT_run_enrich_copy, names,
				    err)))
		return e;
	while (!(e = krn_copy_out_next(step->db, &row, err)) && row.s)
		if ((e = enrich_row(step, source, row, fields, err)))
			return e;
	return e;
}

enum krn_err
step_sources_read(struct krn_step *step, const struct step_run *run,
		  struct step_source **ret, struct krn_error *err)
{
	const size_t nr = run->plan->sources_nr;
	struct step_source *sources =
	    krn_arena_calloc(step->arena, nr, sizeof(*sources));
	enum krn_err e;

	if (!sources)
		return krn_arena_fail(step->arena, err);
	for (uint32_t i = 1; i <= nr; i++)
		if ((e = enrich_read(step, run, i, &sources[i - 1], err)))
			return e;
	*ret = sources;
	return KRN_OK;
}

void
step_sources_fill(const struct krn_plan *plan, struct step_source *sources,
		  const struct krn_str *fields, struct krn_str *columns)
{
	const struct krn_str customer = *fields++;

	for (size_t i = 0; i < plan->columns_nr; i++)
		columns[i] = plan->columns[i].source ? (struct krn_str){NULL, 0}
						     : *fields++;
	for (size_t i = 0; i < plan->sources_nr; i++) {
		struct step_source *source = &sources[i];
		const struct krn_str *row;

		while (source->next < source->nr &&
		       krn_str_cmp(source->rows[source->next * source->fields],
				   customer) < 0)
			source->next++;
		row = source->rows + source->next * source->fields;
		if (source->next == source->nr || !krn_str_eq(row[0], customer))
			continue;
		for (size_t k = 1; k < source->fields; k++)
			columns[source->columns[k - 1]] = row[k];
	}
}
