#ifndef KRN_OUTBOX_H
#define KRN_OUTBOX_H

/*
 * The outbox: deliveries to a tenant's notification providers, written in the
 * transaction of the fact that they tell of, delivered by tick and worker.
 *
 * A delivery is claimed under a lease and a fence, as jobs are (job.h). It is
 * at least once: who is killed between the receiver's answer and the commit
 * delivers again, with the same key.
 *
 * Source: DESIGN section 6, tick.
 */

#include "base/json_out.h"
#include "store/db.h"

#define KRN_OUTBOX_ALERTS "alert_deliveries"
#define KRN_OUTBOX_REPORTS "report_deliveries"

/*
 * Queue a message (JSON, watch/deliver.h) to providers of the transaction's
 * tenant, one delivery each. `key` names the fact: with the same key, nothing
 * is queued again. Failures of the database are told by the flush.
 * Errors: as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err
krn_outbox_add(struct krn_arena *arena, struct krn_db *db, const char *topic,
	       struct krn_str key, struct krn_str source_id,
	       struct krn_str message, const struct krn_str *providers,
	       size_t nr, struct krn_error *err);

struct krn_outbox_row {
	struct krn_str tenant_id, id, topic, key, source_id, message;
	int64_t fence, attempts, max_attempts;
	struct krn_str created_at;
	struct krn_str provider_id, provider_kind, provider_name;
	bool usable;               /* the provider is there and enabled */
	struct krn_str config_hex; /* sealed */
};

/*
 * Claim up to `max` deliveries that are due, those first of whose tenant and
 * provider the fewest are under way. Of a tenant at most `tenant_max` are
 * under way by this session, of a provider at most `each` by all, and one at a
 * time while it fails: whose receivers hang leaves places to the others. Claims
 * of several workers at the same moment do not see each other's: a provider may
 * then get that many of each of them.
 * A transaction of its own; on an error it is undone.
 *
 * Ownership: the rows live in `arena`.
 * Errors:    KRN_ERR_UNAVAILABLE
 */
KRN_MUSTCHECK enum krn_err
krn_outbox_claim(struct krn_arena *arena, struct krn_db *db,
		 int64_t lease_seconds, size_t max, size_t tenant_max,
		 size_t each, struct krn_outbox_row **ret, size_t *ret_nr,
		 struct krn_error *err);

enum krn_outbox_outcome {
	KRN_OUTBOX_DELIVERED,
	KRN_OUTBOX_FAILED, /* again later, until the attempts are used up */
	KRN_OUTBOX_HOPELESS,
	KRN_OUTBOX_POSTPONED, /* it was not tried: no attempt, a second later */
};

/*
 * What came of an attempt. A transaction of its own, undone on an error: then
 * the lease ends and somebody delivers again. *ret_is_dead (may be NULL): it
 * became a dead letter.
 * Errors: KRN_ERR_CONFLICT  somebody else has it
 */
KRN_MUSTCHECK enum krn_err
krn_outbox_settle(struct krn_arena *arena, struct krn_db *db,
		  const struct krn_outbox_row *row,
		  enum krn_outbox_outcome outcome, struct krn_str reason,
		  bool *ret_is_dead, struct krn_error *err);

/* Remove what ended more than a month ago. A transaction of its own. */
KRN_MUSTCHECK enum krn_err krn_outbox_purge(struct krn_arena *arena,
					    struct krn_db *db,
					    struct krn_error *err);

#endif
