#ifndef KRN_PARTITION_H
#define KRN_PARTITION_H

/*
 * The months of the partitioned tables: made before they are needed, dropped
 * when nobody may keep a row of them. Each in a transaction of its own: what
 * fails, fails alone.
 *
 * Source: DESIGN sections 5 (big tables) and 6 (cleanup).
 */

#include "queue/cron.h"

struct krn_partitions {
	int64_t ensured, dropped;     /* months */
	int64_t interactions, traces; /* rows of dropped months */
	struct krn_buf failures_text;
	struct krn_json_out failures; /* [{"table", "month", "error"}] */
};

/* Nothing yet; texts in cron->arena. */
void krn_partitions_init(struct krn_partitions *partitions,
			 const struct krn_cron *cron);

/*
 * Make this month and the next three of each partitioned table. What cannot
 * be made is logged and noted, and the answer is not ok.
 */
void krn_partitions_ensure(struct krn_cron *cron,
			   struct krn_partitions *partitions);

/*
 * Drop months of interactions and decision traces, with the marks of what they
 * held. A month whose readers do not go away in time is noted and stays: its
 * rows are purged one by one.
 */
void krn_partitions_drop(struct krn_cron *cron,
			 struct krn_partitions *partitions);

#endif
