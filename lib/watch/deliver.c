/*
 * The loop of deliveries.
 */

#include "base/base.h"

#include "watch/deliver_private.h"

#include "base/clock.h"
#include "base/json_in.h"
#include "watch/provider.h"

/* How many are under way at a time, of one tenant, and of one provider. */
#define DELIVER_PLACES 32
#define DELIVER_TENANT 16
#define DELIVER_EACH 4

/* A lease is longer than an attempt may take. */
#define DELIVER_LEASE_SECONDS 120

/* How often the outbox is looked at while others are under way. */
#define DELIVER_CLAIM_US (KRN_US_PER_SECOND / 5)
#define DELIVER_WAIT_MS 100

/* What a receiver says is looked at by its status only. */
#define DELIVER_ANSWER_MAX ((size_t)64 * 1024)

struct deliver_loop {
	struct krn_deliver *deliver;
	struct krn_arena *arena; /* of the pump */
	struct krn_arena *batch; /* of a claim or a settlement */
	struct krn_http_pump *pump;
	struct krn_guard guard;
	struct deliver_call *idle[DELIVER_PLACES];
	size_t idle_nr;
	int64_t claimed_us;
	size_t claimed;
	/* the first failure of the database: nothing more is claimed, what is
	 * under way comes to its end and is settled if it can be */
	enum krn_err code;
	struct krn_error *err;
};

/* Keep a failure, unless there was one. */
static void
deliver_trouble(struct deliver_loop *loop, enum krn_err e,
		const struct krn_error *err)
{
	if (loop->code)
		return;
	loop->code = e;
	if (loop->err)
		*loop->err = *err;
}

static void
deliver_end_call(struct deliver_loop *loop, struct deliver_call *call)
{
	krn_arena_reset(call->arena);
	loop->idle[loop->idle_nr++] = call;
}

/* Who lost the connection or a lock may have it back: noted late is better
 * than sent twice. */
static void
deliver_settle(struct deliver_loop *loop, const struct krn_outbox_row *row,
	       enum krn_outbox_outcome outcome, const char *reason)
{
	struct krn_deliver *deliver = loop->deliver;
	struct krn_error err;
	bool is_dead = false;
	enum krn_err e = KRN_ERR_UNAVAILABLE;

	for (int i = 0; e && e != KRN_ERR_CONFLICT && i < 2; i++) {
		err = (struct krn_error){.code = KRN_OK};
		krn_arena_reset(loop->batch);
		e = krn_outbox_settle(loop->batch, deliver->db, row, outcome,
				      krn_str_c(reason), &is_dead, &err);
	}
	if (e) {
		/* somebody else's is somebody else's to tell of */
		if (e != KRN_ERR_CONFLICT || err.sqlstate[0])
			deliver_trouble(loop, e, &err);
		return;
	}
	deliver->delivered += outcome == KRN_OUTBOX_DELIVERED;
	if (outcome == KRN_OUTBOX_DELIVERED || outcome == KRN_OUTBOX_POSTPONED)
		return;
	deliver->attempts_failed++;
	deliver->dead += is_dead;
	deliver->failed(deliver->failed_data, row, reason, is_dead);
}

/* Copies of the texts, as the row outlives the claim. */
static bool
deliver_copy(struct krn_arena *arena, const struct krn_outbox_row *row,
	     struct krn_outbox_row *ret)
{
	struct krn_str *texts[] = {
	    &ret->tenant_id,     &ret->id,          &ret->topic,
	    &ret->key,           &ret->source_id,   &ret->message,
	    &ret->created_at,    &ret->provider_id, &ret->provider_kind,
	    &ret->provider_name, &ret->config_hex,
	};

	*ret = *row;
	for (size_t i = 0; i < KRN_NR(texts); i++) {
		if (!texts[i]->s)
			continue;
		*texts[i] = krn_str_dup(arena, *texts[i]);
		if (!texts[i]->s)
			return false;
	}
	return true;
}

/* The call of a delivery; what cannot be sent is told as its failure. */
static enum krn_err
deliver_make(struct deliver_call *call, struct krn_error *err)
{
	const struct krn_outbox_row *row = &call->row;
	enum krn_err e;

	if (!row->usable)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the provider is gone or disabled");
	if ((e = krn_provider_config(call->arena, call->options, row->tenant_id,
				     row->provider_id, row->config_hex,
				     &call->config, err))) {
		if (e == KRN_ERR_UNAVAILABLE)
			krn_refuse(err, e,
				   "the provider's configuration could not be "
				   "decrypted with the key that is set");
		return e;
	}
	if ((e = krn_json_parse_stored(call->arena, row->message,
				       &call->message, err)))
		return e;
	call->request = (struct krn_http_request){
	    .method = "POST",
	    .ca_file = call->options->egress_cacert,
	    .timeout_ms = call->options->delivery_timeout_ms,
	    .answer_max = DELIVER_ANSWER_MAX,
	    .guard = call->guard,
	    .headers = call->headers,
	};
	return deliver_prepare(call, err);
}

static void
deliver_begin(struct deliver_loop *loop, const struct krn_outbox_row *row)
{
	struct deliver_call *call = loop->idle[--loop->idle_nr];
	struct krn_error why = {.code = KRN_OK};
	enum krn_err e;

	*call = (struct deliver_call){
	    .arena = call->arena,
	    .options = loop->deliver->options,
	    .db = loop->deliver->db,
	    .guard = &loop->guard,
	};
	if (!deliver_copy(call->arena, row, &call->row))
		e = krn_arena_fail(call->arena, &why);
	else
		e = deliver_make(call, &why);
	krn_db_rollback(loop->deliver->db);
	if (!e) {
		krn_http_pump_add(loop->pump, call->arena, &call->request,
				  call);
		return;
	}
	deliver_settle(loop, row,
		       e == KRN_ERR_INVALID ? KRN_OUTBOX_HOPELESS
					    : KRN_OUTBOX_FAILED,
		       why.message[0] ? why.message : krn_err_row(e)->message);
	deliver_end_call(loop, call);
}

static void
deliver_claim(struct deliver_loop *loop)
{
	struct krn_error err = {.code = KRN_OK};
	struct krn_outbox_row *rows;
	struct krn_arena *own;
	size_t nr = 0;
	enum krn_err e;

	loop->claimed_us = krn_clock_monotonic_us();
	own = krn_arena_new(0);
	if (!own)
		e = krn_fail(&err, KRN_ERR_UNAVAILABLE, "out of memory");
	else
		e = krn_outbox_claim(own, loop->deliver->db,
				     DELIVER_LEASE_SECONDS, loop->idle_nr,
				     DELIVER_TENANT, DELIVER_EACH, &rows, &nr,
				     &err);
	if (e)
		deliver_trouble(loop, e, &err);
	for (size_t i = 0; i < nr; i++)
		deliver_begin(loop, &rows[i]);
	loop->claimed = nr;
	krn_arena_free(own);
}

/* What a call came to; NULL: it was taken. */
static const char *
deliver_problem(const struct krn_http_done *done, char *text, size_t size)
{
	const long status = done->answer.status;

	if (done->code)
		return done->err.message[0] ? done->err.message
					    : krn_err_row(done->code)->message;
	if (status >= 200 && status < 300)
		return NULL;
	snprintf(text, size, "the receiver answered %ld%s", status,
		 status >= 300 && status < 400 ? ", redirects are not followed"
					       : "");
	return text;
}

/*
 * Only 410 says that it will never do (RFC 9110, 15.5.11), and an address that
 * is none. Everything else may be mended while it is tried: a receiver that is
 * away, but also a path or a key that somebody corrects.
 */
static enum krn_outbox_outcome
deliver_outcome(const struct krn_http_done *done, const char *problem)
{
	if (!problem)
		return KRN_OUTBOX_DELIVERED;
	if (done->untried)
		return KRN_OUTBOX_POSTPONED;
	if (done->code ? done->code == KRN_ERR_INVALID
		       : done->answer.status == 410)
		return KRN_OUTBOX_HOPELESS;
	return KRN_OUTBOX_FAILED;
}

static void
deliver_take(struct deliver_loop *loop)
{
	struct krn_http_done done;

	while (krn_http_pump_take(loop->pump, &done)) {
		struct deliver_call *call = done.tag;
		char text[100];
		const char *problem =
		    deliver_problem(&done, text, sizeof(text));

		deliver_settle(loop, &call->row,
			       deliver_outcome(&done, problem),
			       problem ? problem : "");
		deliver_end_call(loop, call);
	}
}

static void
deliver_loop(struct deliver_loop *loop, int64_t deadline_us,
	     bool (*should_stop)(void))
{
	for (;;) {
		const int64_t now_us = krn_clock_monotonic_us();
		const bool more = !loop->code && now_us < deadline_us &&
				  !(should_stop && should_stop());
		const bool is_busy = krn_http_pump_is_busy(loop->pump);

		if (more && loop->idle_nr &&
		    (!is_busy || loop->claimed ||
		     now_us - loop->claimed_us >= DELIVER_CLAIM_US)) {
			deliver_claim(loop);
			if (!loop->claimed && !is_busy)
				return;
		} else if (!more && !is_busy) {
			return;
		}
		krn_http_pump_wait(loop->pump, DELIVER_WAIT_MS);
		deliver_take(loop);
	}
}

static void
deliver_free_arena(void *data)
{
	krn_arena_free(data);
}

/* A call of each place, with an arena of its own. */
static enum krn_err
deliver_calls(struct deliver_loop *loop, struct krn_error *err)
{
	for (size_t i = 0; i < DELIVER_PLACES; i++) {
		struct deliver_call *call =
		    krn_arena_make(loop->arena, struct deliver_call);
		enum krn_err e;

		if (!call)
			return krn_arena_fail(loop->arena, err);
		call->arena = krn_arena_new(0);
		if (!call->arena)
			return krn_fail(err, KRN_ERR_UNAVAILABLE,
					"out of memory");
		if ((e = krn_arena_defer(loop->arena, deliver_free_arena,
					 call->arena, err)))
			return e;
		loop->idle[loop->idle_nr++] = call;
	}
	return KRN_OK;
}

enum krn_err
krn_deliver_due(struct krn_deliver *deliver, int64_t deadline_us,
		bool (*should_stop)(void), struct krn_error *err)
{
	struct deliver_loop loop = {
	    .deliver = deliver,
	    .err = err,
	    .arena = krn_arena_new(0),
	    .batch = krn_arena_new(0),
	    .guard = {deliver->options->egress_allow, false},
	};
	enum krn_err e;

	if (!loop.arena || !loop.batch)
		e = krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	else if (!(e = deliver_calls(&loop, err)) &&
		 !(e = krn_http_pump_make(loop.arena, DELIVER_PLACES,
					  &loop.pump, err))) {
		deliver_loop(&loop, deadline_us, should_stop);
		e = loop.code;
	}
	krn_db_rollback(deliver->db);
	krn_arena_free(loop.arena);
	krn_arena_free(loop.batch);
	return e;
}
