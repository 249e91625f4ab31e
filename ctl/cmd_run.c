/*
 * kaireonctl run explain
 */

#include "base/base.h"

#include "base/json_in.h"
#include "campaign/explain.h"
#include "ctl/ctl.h"
#include "queue/job.h"

static struct krn_str
run_text(const struct krn_value *object, const char *name)
{
	const struct krn_value *value = krn_value_find(object, name);

	return value && value->type == KRN_VALUE_STRING ? value->string
							: KRN_STR("-");
}

/* A number as the document has it; "-": none. */
static void
run_number(const struct krn_value *object, const char *name)
{
	char text[KRN_DOUBLE_TEXT_BYTES];
	double number;

	if (!krn_value_number(krn_value_find(object, name), &number))
		printf("\t-");
	else
		printf("\t%.*s", (int)krn_format_double(number, text), text);
}

/* Lines of a list: what happened, to which offer and channel, why or how. */
static void
run_print_list(const struct krn_value *object, struct krn_str step,
	       const char *name)
{
	const struct krn_value *list = krn_value_find(object, name);

	for (size_t i = 0; list && i < list->array.nr; i++) {
		const struct krn_value *it = &list->array.items[i];
		const struct krn_value *by = krn_value_find(it, "by");

		printf("%.*s\t%s\t%.*s\t%.*s", KRN_STR_ARG(step), name,
		       KRN_STR_ARG(run_text(it, "offerName")),
		       KRN_STR_ARG(run_text(it, "channelId")));
		if (by)
			printf("\t%.*s %.*s", KRN_STR_ARG(run_text(by, "type")),
			       KRN_STR_ARG(krn_value_find(by, "name")
					       ? run_text(by, "name")
					       : run_text(by, "id")));
		else if (krn_value_find(it, "because"))
			printf("\t%.*s", KRN_STR_ARG(run_text(it, "because")));
		else
			run_number(it, "score");
		printf("\n");
	}
}

static void
run_print(const struct krn_value *document)
{
	const struct krn_value *decision = krn_value_find(document, "decision");
	const struct krn_value *steps = krn_value_find(decision, "steps");
	const struct krn_value *ledger = krn_value_find(document, "ledger");
	static const char *const lists[] = {"dropped", "scores", "decisions",
					    "left"};

	printf("step\twhat\toffer\tchannel\twhy\n");
	if (krn_value_find(decision, "error")->type == KRN_VALUE_STRING)
		printf("decide\terror\t-\t-\t%.*s\n",
		       KRN_STR_ARG(run_text(decision, "error")));
	for (size_t i = 0; i < steps->array.nr; i++)
		for (size_t k = 0; k < KRN_NR(lists); k++)
			run_print_list(&steps->array.items[i],
				       run_text(&steps->array.items[i], "step"),
				       lists[k]);
	for (size_t i = 0; i < ledger->array.nr; i++) {
		const struct krn_value *it = &ledger->array.items[i];

		printf("ledger\t%.*s\t%.*s\t%.*s",
		       KRN_STR_ARG(run_text(it, "status")),
		       KRN_STR_ARG(run_text(it, "offerId")),
		       KRN_STR_ARG(run_text(it, "channelId")));
		run_number(it, "score");
		printf("\n");
	}
}

enum krn_err
krn_cmd_run_explain(struct krn_ctl *ctl, struct krn_error *err)
{
	struct krn_value document;
	struct krn_str text;
	enum krn_err e;

	if ((e = krn_db_begin(ctl->db, ctl->arena, KRN_TX_SNAPSHOT, err)))
		return e;
	krn_tenant_set(ctl->db, ctl->tenant);
	if ((e = krn_run_explain(ctl->arena, ctl->db, ctl->options, ctl->run,
				 ctl->customer, &text, err)))
		return e;
	if (ctl->json) {
		printf("%.*s\n", KRN_STR_ARG(text));
		return KRN_OK;
	}
	if ((e = krn_json_parse(ctl->arena, text, KRN_JSON_DEPTH_MAX, &document,
				err)))
		return e;
	run_print(&document);
	return KRN_OK;
}
