/*
 * Leases that are kept while their step goes on.
 */

#include "base/base.h"

#include "queue/lease.h"

/* The row may be locked by the very step that ends: it needs no renewal. */
#define LEASE_LOCK_TIMEOUT_MS 1000
#define LEASE_STATEMENT_TIMEOUT_MS 5000

bool
krn_lease_init(struct krn_lease *lease, const struct krn_options *options)
{
	struct krn_options own = *options;

	own.lock_timeout_ms = LEASE_LOCK_TIMEOUT_MS;
	own.statement_timeout_ms = LEASE_STATEMENT_TIMEOUT_MS;
	*lease = (struct krn_lease){
	    .arena = krn_arena_new(0),
	    .db = krn_db_new(options->database_worker_url, "kaireon-lease",
			     &own),
	    .seconds = options->worker_lease_seconds,
	};
	return lease->arena && lease->db;
}

void
krn_lease_release(struct krn_lease *lease)
{
	krn_db_free(lease->db);
	krn_arena_free(lease->arena);
}

/* False: the job is not ours any more. What fails is tried again. */
static bool
lease_renew(void *data)
{
	struct krn_lease *lease = data;
	const struct krn_param params[] = {
	    krn_param_str(lease->job->tenant_id),
	    krn_param_str(lease->job->id),
	    krn_param_int(lease->arena, lease->job->fence),
	    krn_param_int(lease->arena, lease->seconds),
	};
	const struct krn_rows *rows;
	struct krn_error err;
	bool is_ours = true;

	if (!krn_db_begin(lease->db, lease->arena, KRN_TX_WRITE, &err)) {
		krn_db_send(lease->db, KRN_STMT_job_renew, params, &rows);
		if (!krn_db_commit(lease->db, &err))
			is_ours = krn_rows_nr(rows) == 1;
	}
	krn_arena_reset(lease->arena);
	lease->is_lost |= !is_ours;
	return is_ours;
}

void
krn_lease_begin(struct krn_lease *lease, struct krn_db *db,
		const struct krn_job *job)
{
	lease->job = job;
	lease->is_lost = false;
	krn_db_set_tick(db, (int)(lease->seconds * 1000 / 3), lease_renew,
			lease);
}

bool
krn_lease_end(struct krn_lease *lease, struct krn_db *db)
{
	krn_db_set_tick(db, 0, NULL, NULL);
	return lease->is_lost;
}
