#ifndef KRN_LEDGER_H
#define KRN_LEDGER_H

/*
 * Rows of the ledger, as statement run_ledger_copy takes them: for each
 * candidate one, or one of rank 0 for a customer without any.
 */

#include "campaign/pack.h"

struct krn_ledger {
	const struct krn_plan *plan;
	struct krn_str tenant_id, run_month, run_id;
	struct krn_buf *to;
};

/*
 * The rows of one customer. `given` has a bit for each candidate, of which
 * this customer's begin at `first`: whether the volume limits left room for
 * it; NULL: there are no limits, the best are selected.
 */
void krn_ledger_add(const struct krn_ledger *ledger,
		    const struct krn_pack_customer *customer,
		    const unsigned char *given, size_t first);

#endif
