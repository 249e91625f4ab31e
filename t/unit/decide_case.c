/* Running decisions that are written as lines. */

#include "base/base.h"

#include "decide_case.h"

#include "base/buf.h"
#include "base/json_in.h"
#include "base/json_out.h"

const struct krn_plan_times decide_case_times = {CASE_NOW, CASE_DAY, CASE_WEEK,
						 CASE_MONTH};

const struct krn_attribute decide_case_attributes[] = {
    {.name = {"age", 3}, .type = KRN_ATTRIBUTE_INT},
    {.name = {"balance", 7}, .type = KRN_ATTRIBUTE_DOUBLE},
    {.name = {"city", 4}, .type = KRN_ATTRIBUTE_TEXT},
    {.name = {"member", 6}, .type = KRN_ATTRIBUTE_BOOL},
    {.name = {"since", 5}, .type = KRN_ATTRIBUTE_TIME},
    {.name = {"propensityScores.a", 18}, .type = KRN_ATTRIBUTE_DOUBLE},
    {.name = {"propensityScores.b", 18}, .type = KRN_ATTRIBUTE_TEXT},
};
const size_t decide_case_attributes_nr = KRN_NR(decide_case_attributes);

static const char case_nodes[] =
    "{'id':'q','type':'qualify'},{'id':'p','type':'contact_policy'},"
    "{'id':'s','type':'score'},{'id':'k','type':'rank'},"
    "{'id':'e','type':'response'}";
static const char case_offers[] =
    CASE_OFFER("a", "50", ",'categoryId':'g'") "," CASE_OFFER(
	"b", "40", ",'categoryId':'h'");

static const char *
case_or(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

/* JSON with its own quotes. */
static struct krn_str
case_end(struct krn_buf *buf)
{
	struct krn_str text = {NULL, 0};

	for (size_t i = 0; i < buf->len; i++)
		if (buf->data[i] == '\'')
			buf->data[i] = '"';
	assert_int_equal(krn_buf_end(buf, &text, NULL), KRN_OK);
	return text;
}

static struct krn_str
case_document(struct krn_arena *arena, const struct decide_case *test)
{
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_buf_printf(&buf,
		       "{%s'flow':{'id':'f','config':{'nodes':[{'id':'i',"
		       "'type':'inventory','config':%s}%s%s]}},",
		       case_or(test->more, ""), case_or(test->inventory, "{}"),
		       test->nodes && !*test->nodes ? "" : ",",
		       case_or(test->nodes, case_nodes));
	krn_buf_printf(&buf, "'creatives':[%s],'flows':[%s],",
		       case_or(test->creatives, ""), case_or(test->flows, ""));
	krn_buf_printf(&buf, "'offers':[%s],'channels':[%s],'rules':[%s],",
		       case_or(test->offers, case_offers),
		       case_or(test->channels, CASE_CHANNEL("m")),
		       case_or(test->rules, ""));
	krn_buf_printf(&buf,
		       "'policies':[%s],'profiles':[%s],'channelIds':%s,"
		       "'segments':[{'id':'1','name':'vip','viewName':'v1'},"
		       "{'id':'2','name':'new','viewName':'v2'}]}",
		       case_or(test->policies, ""), case_or(test->profiles, ""),
		       case_or(test->asked, "[]"));
	return case_end(&buf);
}

const struct krn_plan *
decide_case_compile(struct krn_arena *arena, struct krn_str document,
		    enum krn_err wanted, struct krn_error *err)
{
	struct krn_value *config = krn_arena_make(arena, struct krn_value);
	const struct krn_plan *plan = NULL;

	if (krn_json_parse(arena, document, KRN_JSON_DEPTH_MAX, config, err))
		fail_msg("%s: %.*s", err ? err->message : "not JSON",
			 KRN_STR_ARG(document));
	const enum krn_err e = krn_plan_compile(
	    arena, config, decide_case_attributes, decide_case_attributes_nr,
	    &decide_case_times, &plan, err);

	if (e != wanted)
		fail_msg("%s: \"%s\": %.*s", krn_err_row(e)->id,
			 err ? err->message : "", KRN_STR_ARG(document));
	return plan;
}

void
decide_case_no_memory(struct krn_arena *arena, struct krn_str document)
{
	struct krn_value config;
	bool done = false;

	assert_int_equal(
	    krn_json_parse(arena, document, KRN_JSON_DEPTH_MAX, &config, NULL),
	    KRN_OK);
	for (int64_t n = 1; !done; n++) {
		struct krn_error err = {0};
		const struct krn_plan *plan = NULL;

		krn_arena_fail_nth(n);
		const enum krn_err e = krn_plan_compile(
		    arena, &config, decide_case_attributes,
		    decide_case_attributes_nr, &decide_case_times, &plan, &err);

		done = e == KRN_OK && krn_decide_new(arena, plan, 5);
		if (e)
			assert_true(e == KRN_ERR_UNAVAILABLE ||
				    e == KRN_ERR_TOOBIG);
		krn_arena_fail_nth(0);
	}
}

/* A part of a case on its own. */
static struct krn_value
case_part(struct krn_arena *arena, const char *text)
{
	struct krn_error err = {0};
	struct krn_value value;
	struct krn_buf buf;

	krn_buf_init(&buf, arena);
	krn_buf_add_c(&buf, text);
	if (krn_json_parse(arena, case_end(&buf), KRN_JSON_DEPTH_MAX, &value,
			   &err))
		fail_msg("%s: %s", err.message, text);
	return value;
}

/* The text at a place that a row may not have. */
static struct krn_str
case_text_at(const struct krn_value *row, size_t i)
{
	return i < row->array.nr ? row->array.items[i].string : KRN_STR("");
}

/* Contacts, or answers, of which the fifth is the outcome. */
static const struct krn_contact *
case_contacts(struct krn_arena *arena, const struct krn_plan *plan,
	      const char *text, bool are_answers, size_t *ret_nr)
{
	const struct krn_value list = case_part(arena, text);
	struct krn_contact *contacts =
	    krn_arena_calloc(arena, list.array.nr, sizeof(*contacts));

	for (size_t i = 0; i < list.array.nr; i++) {
		const struct krn_value *from = list.array.items[i].array.items;

		const struct krn_str fifth =
		    case_text_at(&list.array.items[i], 4);

		contacts[i].of = (struct krn_plan_contact){
		    krn_plan_offer_find(plan, from[0].string),
		    krn_plan_channel_find(plan, from[1].string),
		    krn_plan_apart_find(plan->counted_creatives,
					plan->counted_creatives_nr,
					case_text_at(&list.array.items[i], 5)),
		    krn_plan_apart_find(plan->counted_campaigns,
					plan->counted_campaigns_nr, fifth)};
		contacts[i].outcome =
		    are_answers ? krn_plan_apart_find(plan->outcomes,
						      plan->outcomes_nr, fifth)
				: -1;
		contacts[i].last_us =
		    CASE_NOW - from[2].integer * CASE_HOUR - from[3].integer;
		for (size_t w = 0; w < plan->windows_nr; w++)
			contacts[i].counts[w] =
			    contacts[i].last_us >= plan->windows[w];
	}
	*ret_nr = list.array.nr;
	return contacts;
}

static uint64_t
case_segments(const struct krn_plan *plan, const struct krn_value *names)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < names->array.nr; i++) {
		const struct krn_str view =
		    krn_str_eq_c(names->array.items[i].string, "vip")
			? KRN_STR("v1")
			: KRN_STR("v2");

		for (size_t bit = 0; bit < plan->segments_nr; bit++)
			if (krn_str_eq(plan->segments[bit], view))
				bits |= UINT64_C(1) << bit;
	}
	return bits;
}

struct case_drops {
	const struct krn_plan *plan;
	struct krn_buf text;
	int64_t by_rule, by_policy;
};

static void
case_add_pair(struct krn_buf *buf, const struct krn_plan *plan, uint32_t offer,
	      uint32_t channel)
{
	krn_buf_printf(buf, "%.*s/%.*s", KRN_STR_ARG(plan->offers[offer].id),
		       KRN_STR_ARG(plan->channels[channel].id));
}

static void
case_drop(void *data, const struct krn_plan_pair *pair, enum krn_drop why,
	  struct krn_str id)
{
	struct case_drops *drops = data;

	krn_buf_add_c(&drops->text, " -");
	case_add_pair(&drops->text, drops->plan, pair->offer, pair->channel);
	krn_buf_printf(&drops->text, ":%.*s", KRN_STR_ARG(id));
	drops->by_rule += why == KRN_DROP_QUALIFICATION;
	drops->by_policy += why == KRN_DROP_CONTACT_POLICY;
}

/* The decision in the form of `expect`. */
static const char *
case_decide(struct krn_arena *arena, const struct krn_plan *plan,
	    const struct krn_customer *customer, int keep)
{
	struct krn_decide *decide =
	    krn_decide_new(arena, plan,
			   keep == 0  ? krn_plan_keep(plan, false)
			   : keep < 0 ? 0
				      : (size_t)keep);
	struct case_drops drops = {.plan = plan};
	struct krn_decision decision;
	struct krn_buf buf;
	struct krn_str text = {NULL, 0};

	krn_buf_init(&buf, arena);
	krn_buf_init(&drops.text, arena);
	krn_decide_explain(decide, case_drop, &drops);
	krn_decide_customer(decide, customer, &decision);
	for (size_t i = 0; i < decision.candidates_nr; i++) {
		const struct krn_candidate *it = &decision.candidates[i];
		char score[KRN_DOUBLE_TEXT_BYTES];

		krn_buf_add_c(&buf, " ");
		case_add_pair(&buf, plan, it->offer, it->channel);
		if (it->creative >= 0)
			krn_buf_printf(
			    &buf, "*%.*s",
			    KRN_STR_ARG(plan->creatives[it->creative].id));
		krn_format_double(it->score, score);
		krn_buf_printf(&buf, "=%s", score);
		if (plan->settings_nr) {
			struct krn_json_out out;

			krn_json_init(&out, &buf);
			krn_candidate_properties(plan, it, NULL, &out);
			krn_json_end(&out);
		}
	}
	if (decision.error) {
		krn_buf_printf(&buf, " E:%s", decision.error);
		drops = (struct case_drops){.plan = plan};
	}
	if (drops.text.len)
		krn_buf_add(&buf, drops.text.data, drops.text.len);
	if (decision.conversion_failures)
		krn_buf_printf(&buf, " !%lld",
			       (long long)decision.conversion_failures);
	assert_int_equal(decision.dropped_qualification, drops.by_rule);
	assert_int_equal(decision.dropped_contact_policy, drops.by_policy);
	assert_int_equal(krn_buf_end(&buf, &text, NULL), KRN_OK);
	/* without the first space */
	return krn_str_cstr(
	    arena, text.len ? krn_str_from(text.s + 1, text.len - 1) : text);
}

/* How many members of a list in a step of an explanation. */
static size_t
case_explained_nr(const struct krn_value *steps, size_t step, const char *name)
{
	const struct krn_value *list =
	    krn_value_find(&steps->array.items[step], name);

	return list ? list->array.nr : 0;
}

/* Each pair is dropped, given or left, and each that is scored has a reason. */
static void
case_explain_all(struct krn_arena *arena, const struct decide_case *test,
		 struct krn_str document)
{
	struct krn_value value;
	size_t told = 0;

	assert_int_equal(
	    krn_json_parse(arena, document, KRN_JSON_DEPTH_MAX, &value, NULL),
	    KRN_OK);
	const struct krn_value *steps = krn_value_find(&value, "steps");
	const struct krn_value *pairs =
	    krn_value_find(&steps->array.items[0], "candidates");

	for (size_t i = 0; i < steps->array.nr; i++)
		told += case_explained_nr(steps, i, "dropped") +
			case_explained_nr(steps, i, "decisions") +
			case_explained_nr(steps, i, "left");
	if (steps->array.nr > 1 && told != (size_t)pairs->integer)
		fail_msg("%s: %zu of %d pairs are told of: %.*s", test->name,
			 told, (int)pairs->integer, KRN_STR_ARG(document));
}

/* Each part of `explained` is in the document, in their order. */
static void
case_explain(struct krn_arena *arena, const struct krn_plan *plan,
	     const struct krn_customer *customer,
	     const struct decide_case *test)
{
	struct krn_str document = {NULL, 0};
	struct krn_buf buf;
	const char *at;

	assert_int_equal(
	    krn_decide_explain_json(arena, plan, krn_plan_keep(plan, false),
				    customer, &document, NULL),
	    KRN_OK);
	case_explain_all(arena, test, document);
	at = krn_str_cstr(arena, document);
	for (size_t i = 0; test->explained && test->explained[i]; i++) {
		krn_buf_init(&buf, arena);
		krn_buf_add_c(&buf, test->explained[i]);
		const char *part = krn_str_cstr(arena, case_end(&buf));
		const char *found = strstr(at, part);

		if (!found)
			fail_msg("%s: \"%s\" is not in %s", test->name, part,
				 document.s);
		at = found + strlen(part);
	}
}

static void
case_run(struct krn_arena *arena, const struct decide_case *test)
{
	const struct krn_str document = case_document(arena, test);
	struct krn_error err = {0};
	const struct krn_plan *plan = decide_case_compile(
	    arena, document, test->refused ? KRN_ERR_INVALID : KRN_OK, &err);

	if (test->refused) {
		if (!strstr(err.message, test->refused))
			fail_msg("%s: refused with \"%s\"", test->name,
				 err.message);
		return;
	}
	const struct krn_value texts =
	    case_part(arena, case_or(test->customer, "{}"));
	const struct krn_value segments =
	    case_part(arena, case_or(test->segments, "[]"));
	struct krn_str *columns =
	    krn_arena_calloc(arena, plan->columns_nr, sizeof(*columns));
	struct krn_customer customer = {.id = krn_str_c(case_or(test->id, "k")),
					.columns = columns};

	for (size_t i = 0; i < plan->columns_nr; i++) {
		const struct krn_value *text =
		    krn_value_find_str(&texts, plan->columns[i].name);

		columns[i] = text ? text->string : (struct krn_str){NULL, 0};
	}
	customer.segments = case_segments(plan, &segments);
	customer.contacts =
	    case_contacts(arena, plan, case_or(test->contacts, "[]"), false,
			  &customer.contacts_nr);
	customer.answers =
	    case_contacts(arena, plan, case_or(test->answers, "[]"), true,
			  &customer.answers_nr);
	case_explain(arena, plan, &customer, test);
	const char *is = case_decide(arena, plan, &customer, test->keep);

	if (strcmp(is, test->expect) != 0)
		fail_msg("%s: \"%s\", wanted \"%s\"", test->name, is,
			 test->expect);
}

void
decide_case_run(const struct decide_case *cases, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct krn_arena *arena = krn_arena_new(0);

		case_run(arena, &cases[i]);
		krn_arena_free(arena);
	}
}
