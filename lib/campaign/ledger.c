/*
 * Rows of the ledger.
 */

#include "base/base.h"

#include "campaign/allocate.h"
#include "campaign/ledger.h"
#include "store/copy.h"

/* The first fields of a row. */
static void
ledger_begin(const struct krn_ledger *ledger, struct krn_str customer,
	     size_t rank, const char *status)
{
	struct krn_buf *to = ledger->to;

	krn_copy_field(to, ledger->tenant_id);
	krn_copy_tab(to);
	krn_copy_field(to, ledger->run_month);
	krn_copy_tab(to);
	krn_copy_field(to, ledger->run_id);
	krn_copy_tab(to);
	krn_copy_field(to, customer);
	krn_copy_tab(to);
	krn_buf_add_int(to, (int64_t)rank);
	krn_copy_tab(to);
	krn_buf_add_c(to, status);
	krn_copy_tab(to);
}

/* A customer for whom there is nothing, or whose evaluation failed. */
static void
ledger_add_none(const struct krn_ledger *ledger, struct krn_str customer,
		struct krn_str error)
{
	struct krn_buf *to = ledger->to;

	ledger_begin(ledger, customer, 0, error.s ? "error" : "none");
	krn_buf_add_c(to, "\\N\t\\N\t\\N\t\\N\t");
	krn_copy_field(to, error);
	krn_buf_add_c(to, "\t\\N");
	krn_copy_newline(to);
}

static void
ledger_add_candidate(const struct krn_ledger *ledger, struct krn_str customer,
		     size_t rank, const struct krn_pack_candidate *candidate,
		     bool is_selected)
{
	const struct krn_plan *plan = ledger->plan;
	struct krn_buf *to = ledger->to;

	ledger_begin(ledger, customer, rank,
		     is_selected ? "selected" : "dropped");
	krn_copy_field(to, plan->offers[candidate->offer].id);
	krn_copy_tab(to);
	krn_copy_field(to, plan->channels[candidate->channel].id);
	krn_copy_tab(to);
	if (candidate->creative < 0)
		krn_buf_add_c(to, "\\N");
	else
		krn_copy_field(to, plan->creatives[candidate->creative].id);
	krn_copy_tab(to);
	krn_buf_add_double(to, candidate->score);
	krn_buf_add_c(to, "\t\\N\t");
	krn_copy_field(to, candidate->properties);
	krn_copy_newline(to);
}

void
krn_ledger_add(const struct krn_ledger *ledger,
	       const struct krn_pack_customer *customer,
	       const unsigned char *given, size_t first)
{
	if (customer->candidates_nr == 0)
		ledger_add_none(ledger, customer->id, customer->error);
	for (size_t i = 0; i < customer->candidates_nr; i++)
		ledger_add_candidate(ledger, customer->id, i + 1,
				     &customer->candidates[i],
				     given ? krn_given(given, first + i)
					   : i < ledger->plan->max_candidates);
}
