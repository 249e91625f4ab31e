/*
 * Step 2: decide for the customers of one chunk. Memberships and contacts are
 * read first and merged by customer_id, which all streams are ordered by; the
 * decisions go, packed, to where the volume limits are settled or, in one COPY,
 * into the ledger.
 */

#include "base/base.h"

#include "base/registry.h"
#include "campaign/pack.h"
#include "campaign/step_private.h"
#include "decide/decide.h"
#include "store/copy.h"

/*
 * Fields of run_contacts_copy and run_answers_copy: customer, offer, channel,
 * creative, campaign, outcome, last, 16 counts.
 */
#define CONTACT_COUNTS 7
#define CONTACT_FIELDS (CONTACT_COUNTS + KRN_PLAN_WINDOWS_MAX)

struct decide_members {
	struct krn_str *customers; /* in byte order */
	size_t nr, size, next;
};

struct decide_contacts {
	struct krn_str *customers; /* of each contact, in byte order */
	struct krn_contact *list;
	size_t nr, size, next;
};

struct decide_chunk {
	struct krn_step *step;
	const struct step_run *run;
	struct krn_str low, high;
	int64_t number;
	struct krn_decide *decide;
	size_t keep; /* candidates a customer */
	/* of a chunk that is explained instead: the document, once there */
	bool is_explained;
	struct krn_str explanation;
	struct decide_members members[KRN_PLAN_SEGMENTS_MAX];
	struct decide_contacts contacts, answers;
	struct step_source *sources;
	struct krn_str *columns; /* of the customer */
	struct krn_pack pack;    /* of its decisions */
	int64_t dropped_qualification, dropped_contact_policy;
	int64_t evaluated; /* pairs that were looked at */
	int64_t conversion_failures, errors;
};

static enum krn_err
decide_members_add(struct krn_arena *arena, struct decide_members *members,
		   struct krn_str customer, struct krn_error *err)
{
	struct krn_str *list =
	    krn_arena_room(arena, members->customers, members->nr,
			   &members->size, sizeof(*list));

	if (!list)
		return krn_arena_fail(arena, err);
	members->customers = list;
	list[members->nr] = krn_str_dup(arena, customer);
	if (!list[members->nr].s)
		return krn_arena_fail(arena, err);
	members->nr++;
	return KRN_OK;
}

static enum krn_err
decide_read_members(struct decide_chunk *chunk, size_t segment,
		    struct krn_error *err)
{
	struct krn_step *step = chunk->step;
	const struct krn_str names[] = {chunk->run->space,
					chunk->run->plan->segments[segment]};
	struct krn_copy_row row;
	struct krn_str customer;
	enum krn_err e;

	if ((e = krn_copy_out_begin(step->db, KRN_STMT_run_members_copy, names,
				    err)))
		return e;
	while (!(e = krn_copy_out_next(step->db, &row, err)) && row.s) {
		krn_copy_split(row, &customer, 1);
		if (customer.s &&
		    (e = decide_members_add(
			 step->arena, &chunk->members[segment], customer, err)))
			return e;
	}
	return e;
}

static int
decide_apart(const struct krn_str *list, size_t nr, struct krn_str id)
{
	return id.s ? krn_plan_apart_find(list, nr, id) : -1;
}

/* One row of run_contacts_copy or run_answers_copy. */
static enum krn_err
decide_contact_add(struct decide_chunk *chunk, struct decide_contacts *contacts,
		   const struct krn_str *fields, struct krn_error *err)
{
	struct krn_arena *arena = chunk->step->arena;
	const struct krn_plan *plan = chunk->run->plan;
	size_t size = contacts->size; /* both grow together */

	contacts->customers =
	    krn_arena_room(arena, contacts->customers, contacts->nr, &size,
			   sizeof(*contacts->customers));
	contacts->list =
	    krn_arena_room(arena, contacts->list, contacts->nr, &contacts->size,
			   sizeof(*contacts->list));
	if (!contacts->customers || !contacts->list)
		return krn_arena_fail(arena, err);

	struct krn_contact *contact = &contacts->list[contacts->nr];
	enum krn_err e;

	contact->of = (struct krn_plan_contact){
	    fields[1].s ? krn_plan_offer_find(plan, fields[1]) : -1,
	    fields[2].s ? krn_plan_channel_find(plan, fields[2]) : -1,
	    decide_apart(plan->counted_creatives, plan->counted_creatives_nr,
			 fields[3]),
	    decide_apart(plan->counted_campaigns, plan->counted_campaigns_nr,
			 fields[4]),
	};
	contact->outcome =
	    decide_apart(plan->outcomes, plan->outcomes_nr, fields[5]);
	if ((e = krn_parse_int64(fields[6], INT64_MIN, INT64_MAX,
				 &contact->last_us, err)))
		return e;
	for (size_t i = 0; i < plan->windows_nr; i++)
		if ((e = krn_parse_int64(fields[CONTACT_COUNTS + i], 0,
					 INT64_MAX, &contact->counts[i], err)))
			return e;
	contacts->customers[contacts->nr] = krn_str_dup(arena, fields[0]);
	if (!contacts->customers[contacts->nr].s)
		return krn_arena_fail(arena, err);
	contacts->nr++;
	return KRN_OK;
}

static enum krn_err
decide_read_contacts(struct decide_chunk *chunk, enum krn_stmt stmt,
		     struct decide_contacts *contacts, struct krn_error *err)
{
	struct krn_step *step = chunk->step;
	struct krn_str fields[CONTACT_FIELDS];
	struct krn_copy_row row;
	enum krn_err e;

	if ((e = krn_copy_out_begin(step->db, stmt, NULL, err)))
		return e;
	while (!(e = krn_copy_out_next(step->db, &row, err)) && row.s) {
		if (krn_copy_split(row, fields, CONTACT_FIELDS) !=
		    CONTACT_FIELDS)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"a contact row has too few fields");
		if ((e = decide_contact_add(chunk, contacts, fields, err)))
			return e;
	}
	return e;
}

/* The customer's bits: each list is passed once, in step with the stream. */
static uint64_t
decide_segments_of(struct decide_chunk *chunk, struct krn_str customer)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < chunk->run->plan->segments_nr; i++) {
		struct decide_members *members = &chunk->members[i];

		while (members->next < members->nr &&
		       krn_str_cmp(members->customers[members->next],
				   customer) < 0)
			members->next++;
		if (members->next < members->nr &&
		    krn_str_eq(members->customers[members->next], customer))
			bits |= UINT64_C(1) << i;
	}
	return bits;
}

/* The customer's part of a list, which is passed once too. */
static const struct krn_contact *
decide_contacts_of(struct decide_contacts *contacts, struct krn_str id,
		   size_t *ret_nr)
{
	size_t end;

	while (contacts->next < contacts->nr &&
	       krn_str_cmp(contacts->customers[contacts->next], id) < 0)
		contacts->next++;
	end = contacts->next;
	while (end < contacts->nr && krn_str_eq(contacts->customers[end], id))
		end++;
	*ret_nr = end - contacts->next;
	return contacts->nr ? contacts->list + contacts->next : NULL;
}

static enum krn_err
decide_customer(struct decide_chunk *chunk, const struct krn_str *fields,
		struct krn_error *err)
{
	struct krn_customer customer = {
	    .id = fields[0],
	    .columns = chunk->columns,
	    .segments = decide_segments_of(chunk, fields[0]),
	};
	struct krn_decision decision;

	step_sources_fill(chunk->run->plan, chunk->sources, fields,
			  chunk->columns);
	customer.contacts = decide_contacts_of(&chunk->contacts, fields[0],
					       &customer.contacts_nr);
	customer.answers = decide_contacts_of(&chunk->answers, fields[0],
					      &customer.answers_nr);
	if (chunk->is_explained)
		return krn_decide_explain_json(
		    chunk->step->arena, chunk->run->plan, chunk->keep,
		    &customer, &chunk->explanation, err);
	krn_decide_customer(chunk->decide, &customer, &decision);
	chunk->dropped_qualification += decision.dropped_qualification;
	chunk->dropped_contact_policy += decision.dropped_contact_policy;
	chunk->conversion_failures += decision.conversion_failures;
	chunk->errors += decision.error != NULL;
	chunk->evaluated += (int64_t)decision.candidates_nr +
			    decision.dropped_qualification +
			    decision.dropped_contact_policy;
	krn_pack_add(&chunk->pack, fields[0], &decision);
	return KRN_OK;
}

/* customer_id and the plan's columns of the view, as a list for the identifier
 * slot. */
static enum krn_err
decide_column_list(struct decide_chunk *chunk, struct krn_str *ret,
		   struct krn_error *err)
{
	const struct krn_plan *plan = chunk->run->plan;
	struct krn_buf list;

	krn_buf_init(&list, chunk->step->arena);
	krn_buf_add_c(&list, "customer_id");
	for (size_t i = 0; i < plan->columns_nr; i++) {
		if (plan->columns[i].source)
			continue;
		krn_buf_add_char(&list, '\x1f');
		krn_buf_add_str(&list, plan->columns[i].name);
	}
	return krn_buf_end(&list, ret, err);
}

static enum krn_err
decide_stream(struct decide_chunk *chunk, struct krn_error *err)
{
	struct krn_step *step = chunk->step;
	const struct krn_plan *plan = chunk->run->plan;
	size_t nr = 1;
	struct krn_str names[3] = {chunk->run->space, chunk->run->view_name};
	struct krn_copy_row row;
	enum krn_err e;

	for (size_t i = 0; i < plan->columns_nr; i++)
		nr += !plan->columns[i].source;
	struct krn_str *fields =
	    krn_arena_calloc(step->arena, nr, sizeof(*fields));

	chunk->columns = krn_arena_calloc(step->arena, plan->columns_nr,
					  sizeof(*chunk->columns));
	if (!fields || !chunk->columns)
		return krn_arena_fail(step->arena, err);
	if ((e = decide_column_list(chunk, &names[2], err)) ||
	    (e = krn_copy_out_begin(step->db, KRN_STMT_run_customers_copy,
				    names, err)))
		return e;
	while (!(e = krn_copy_out_next(step->db, &row, err)) && row.s) {
		if (krn_copy_split(row, fields, nr) != nr)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"a customer row has too few fields");
		if ((e = decide_customer(chunk, fields, err)))
			return e;
	}
	return e;
}

/* The volume limits are settled later; without any the ledger is final. */
static enum krn_err
decide_store(struct decide_chunk *chunk, struct krn_error *err)
{
	struct krn_step *step = chunk->step;
	const struct step_limits limits = step_limits(&chunk->run->config);
	struct krn_str pack;
	enum krn_err e;

	if ((e = krn_buf_end(&chunk->pack.bytes, &pack, err)))
		return e;
	if (!step_has_limits(&limits))
		return step_ledger_write(step, chunk->run, pack,
					 (struct krn_str){NULL, 0}, err);
	if ((e = krn_copy_in_begin(step->db, KRN_STMT_run_pack_copy, NULL,
				   err)) ||
	    (e = step_chunk_put(step, chunk->number, pack, err)))
		return e;
	return krn_copy_in_end(step->db, NULL, err);
}

/* A list for a COPY statement. */
static enum krn_err
decide_argument_list(struct decide_chunk *chunk, const char *name,
		     const struct krn_str *list, size_t nr,
		     struct krn_error *err)
{
	struct krn_str text;
	struct krn_buf buf;
	enum krn_err e;

	krn_buf_init(&buf, chunk->step->arena);
	for (size_t i = 0; i < nr; i++) {
		if (i)
			krn_buf_add_char(&buf, '\x1f');
		krn_buf_add_str(&buf, list[i]);
	}
	if ((e = krn_buf_end(&buf, &text, err)))
		return e;
	step_argument(chunk->step, name, text);
	return KRN_OK;
}

/* The windows and ends of the chunk, for the COPY statements. */
static enum krn_err
decide_arguments(struct decide_chunk *chunk, struct krn_error *err)
{
	const struct krn_plan *plan = chunk->run->plan;
	struct krn_step *step = chunk->step;
	enum krn_err e;

	if ((e = decide_argument_list(chunk, "creatives",
				      plan->counted_creatives,
				      plan->counted_creatives_nr, err)) ||
	    (e = decide_argument_list(chunk, "campaigns",
				      plan->counted_campaigns,
				      plan->counted_campaigns_nr, err)) ||
	    (e = decide_argument_list(chunk, "outcomes", plan->outcomes,
				      plan->outcomes_nr, err)))
		return e;
	step_argument(step, "low", chunk->low);
	step_argument(step, "high", chunk->high);
	step_argument(step, "ceiling", chunk->run->ceiling);
	for (size_t i = 0; i < plan->windows_nr; i++) {
		char name[32];
		const struct krn_param since =
		    plan->windows[i] == INT64_MIN
			? krn_param_c("-infinity")
			: krn_param_time(step->arena, plan->windows[i]);

		snprintf(name, sizeof(name), "window_%zu", i);
		step_argument(step, name, krn_str_from(since.value, since.len));
	}
	return krn_db_flush(step->db, err);
}

static enum krn_err
decide_chunk(struct decide_chunk *chunk, struct krn_error *err)
{
	struct krn_arena *arena = chunk->step->arena;
	const struct krn_plan *plan = chunk->run->plan;
	const struct step_limits limits = step_limits(&chunk->run->config);
	enum krn_err e;

	chunk->keep = krn_plan_keep(plan, step_has_limits(&limits));
	chunk->decide = krn_decide_new(arena, plan, chunk->keep);
	if (!chunk->decide)
		return krn_arena_fail(arena, err);
	krn_pack_init(&chunk->pack, arena, plan);
	if ((e = decide_arguments(chunk, err)))
		return e;
	for (size_t i = 0; i < plan->segments_nr; i++)
		if ((e = decide_read_members(chunk, i, err)))
			return e;
	if (plan->needs_contacts &&
	    (e = decide_read_contacts(chunk, KRN_STMT_run_contacts_copy,
				      &chunk->contacts, err)))
		return e;
	if (plan->outcomes_nr &&
	    (e = decide_read_contacts(chunk, KRN_STMT_run_answers_copy,
				      &chunk->answers, err)))
		return e;
	if ((e = step_sources_read(chunk->step, chunk->run, &chunk->sources,
				   err)))
		return e;
	return decide_stream(chunk, err);
}

static void
decide_done(struct decide_chunk *chunk)
{
	struct krn_arena *arena = chunk->step->arena;
	const struct krn_param params[] = {
	    krn_param_str(chunk->step->run_id),
	    krn_param_int(arena, chunk->number),
	    krn_param_int(arena, chunk->dropped_qualification),
	    krn_param_int(arena, chunk->dropped_contact_policy),
	    krn_param_int(arena, chunk->conversion_failures),
	    krn_param_int(arena, chunk->errors),
	};

	krn_db_send(chunk->step->db, KRN_STMT_run_chunk_done, params, NULL);
}

enum krn_err
krn_step_decide(struct krn_step *step, struct krn_error *err)
{
	struct decide_chunk *chunk =
	    krn_arena_make(step->arena, struct decide_chunk);
	const struct krn_rows *rows;
	struct step_run run;
	enum krn_err e;

	if (!chunk)
		return krn_arena_fail(step->arena, err);
	chunk->step = step;
	chunk->run = &run;
	chunk->number = step_chunk(step);

	const struct krn_param params[] = {
	    krn_param_str(step->run_id),
	    krn_param_int(step->arena, chunk->number),
	};

	if ((e = step_begin(step, KRN_TX_WRITE, err)) ||
	    (e = step_load(step, &run, err)) ||
	    (e = krn_db_exec(step->db, KRN_STMT_run_chunk_get, params, &rows,
			     err)))
		return e;
	/* a run that was ended, a chunk that is done: only the job is left */
	if (run.is_running && krn_rows_nr(rows)) {
		chunk->low = krn_rows_str(rows, 0, 0);
		chunk->high = krn_rows_str(rows, 0, 1);
		if ((e = decide_chunk(chunk, err)) ||
		    (e = decide_store(chunk, err)))
			return e;
		decide_done(chunk);
	}
	if ((e = krn_job_complete(step->arena, step->db, step->job, err)))
		return e;
	krn_registry_add(KRN_REGISTRY_OFFERS_EVALUATED, NULL, chunk->evaluated);
	return KRN_OK;
}

enum krn_err
step_decide_explain(struct krn_step *step, const struct step_run *run,
		    struct krn_str customer_id, struct krn_str *ret,
		    struct krn_error *err)
{
	struct decide_chunk *chunk =
	    krn_arena_make(step->arena, struct decide_chunk);
	enum krn_err e;

	if (!chunk)
		return krn_arena_fail(step->arena, err);
	chunk->step = step;
	chunk->run = run;
	chunk->low = chunk->high = customer_id;
	chunk->is_explained = true;
	if ((e = decide_chunk(chunk, err)))
		return e;
	if (!chunk->explanation.s)
		return krn_refuse(err, KRN_ERR_NOTFOUND,
				  "the segment has no customer of that id");
	*ret = chunk->explanation;
	return KRN_OK;
}
