#ifndef KRN_CAMPAIGN_LIST_H
#define KRN_CAMPAIGN_LIST_H

/*
 * A page of campaigns as the answer of GET /api/v1/runs. The keys are those
 * of kaireon.campaign_document and kaireon.run_document.
 */

#include "base/buf.h"
#include "store/db.h"

/* Write the page; returns the number of all campaigns. */
int64_t krn_campaign_list_write(const struct krn_rows *rows,
				struct krn_buf *answer);

#endif
