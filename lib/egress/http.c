/*
 * HTTP and SMTP by libcurl. A call is a place of a pump: its name is looked
 * up, its addresses are judged, then curl connects to those and to no others.
 */

#include "base/base.h"

#include "egress/http_private.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/registry.h"

struct krn_http_pump {
	CURLM *multi;
	size_t nr;
	struct http_place *places;
};

/* How often lookups are asked whether they are done. */
#define HTTP_LOOKUP_MS 5

/* The way of a call */

/* What a call came to, for the metrics. */
static const char *
http_outcome(const struct http_place *place)
{
	static const struct {
		enum krn_err code;
		const char *outcome;
	} outcomes[] = {
	    {KRN_OK, "answered"},
	    {KRN_ERR_TOOBIG, "too_big"},
	    {KRN_ERR_FORBIDDEN, "refused"},
	    {KRN_ERR_INVALID, "refused"},
	};

	for (size_t i = 0; i < KRN_NR(outcomes); i++)
		if (place->code == outcomes[i].code)
			return outcomes[i].outcome;
	return "no_answer";
}

static void
http_release(struct krn_http_pump *pump, struct http_place *place)
{
	if (place->easy)
		curl_multi_remove_handle(pump->multi, place->easy);
	http_transfer_end(place);
	krn_lookup_end(place->lookup);
	place->lookup = NULL;
}

static void
http_end(struct krn_http_pump *pump, struct http_place *place)
{
	const char *const labels[] = {krn_registry_what(), http_outcome(place)};

	http_release(pump, place);
	place->state = HTTP_DONE;
	krn_registry_add(KRN_REGISTRY_EGRESS_REQUESTS, labels, 1);
	krn_registry_observe(KRN_REGISTRY_EGRESS_SECONDS, labels,
			     krn_clock_monotonic_us() - place->begun_us);
}

static void
http_fail(struct krn_http_pump *pump, struct http_place *place,
	  enum krn_err code, const char *why)
{
	place->code = krn_refuse(&place->err, code, "%s", why);
	http_end(pump, place);
}

static void
http_run(struct krn_http_pump *pump, struct http_place *place)
{
	place->code = http_transfer_make(place);
	if (place->code)
		http_end(pump, place);
	else if (curl_multi_add_handle(pump->multi, place->easy))
		http_fail(pump, place, KRN_ERR_UNAVAILABLE, "out of memory");
	else
		place->state = HTTP_RUNNING;
}

/* The addresses that were judged are those that curl connects to. */
static void
http_looked_up(struct krn_http_pump *pump, struct http_place *place)
{
	struct krn_address addresses[KRN_LOOKUP_ADDRESSES_MAX];
	size_t nr;

	place->code = krn_lookup_take(place->lookup, place->request->guard,
				      addresses, &nr, &place->err);
	if (place->code)
		http_end(pump, place);
	else if (!http_transfer_pin(place, addresses, nr))
		http_fail(pump, place, KRN_ERR_UNAVAILABLE, "out of memory");
	else
		http_run(pump, place);
}

/* Parts of the address; a text of curl's becomes one of the arena. */
static bool
http_part(struct http_place *place, CURLU *url, CURLUPart part,
	  struct krn_str *ret)
{
	char *text = NULL;

	if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT))
		return false;
	*ret = krn_str_dup(place->arena, krn_str_c(text));
	curl_free(text);
	return ret->s != NULL;
}

static bool
http_parts(struct http_place *place)
{
	CURLU *url = curl_url();
	const char *text = krn_str_cstr(place->arena, place->request->url);
	const bool ok = url && text &&
			!curl_url_set(url, CURLUPART_URL, text, 0) &&
			http_part(place, url, CURLUPART_HOST, &place->host) &&
			http_part(place, url, CURLUPART_PORT, &place->port);

	curl_url_cleanup(url);
	return ok;
}

/* A numeric address is in brackets when it is of IPv6. */
static struct krn_str
http_host(const struct http_place *place)
{
	const struct krn_str host = place->host;

	return host.len > 2 && host.s[0] == '['
		   ? krn_str_from(host.s + 1, host.len - 2)
		   : host;
}

static void
http_begin(struct krn_http_pump *pump, struct http_place *place)
{
	struct krn_address address;

	if (!place->request->guard)
		http_fail(pump, place, KRN_ERR_FORBIDDEN,
			  "a call without a guard");
	else if (!http_parts(place))
		/* which is not repeated: it may hold a secret */
		http_fail(pump, place, KRN_ERR_INVALID,
			  "the address has no host, or none that is valid");
	else if (place->request->guard->open ||
		 krn_address_parse(http_host(place), &address))
		http_run(pump, place); /* http_open has the last word */
	else if (http_host(place).len > KRN_LOOKUP_HOST_MAX)
		http_fail(pump, place, KRN_ERR_INVALID,
			  "the name of the host is too long");
	else
		place->state = HTTP_LOOKUP;
}

/*
 * A lookup begins when one of the process's is free. Who never had one has
 * asked nobody: that is told apart, it says nothing of the receiver.
 */
static void
http_look_up(struct krn_http_pump *pump, struct http_place *place)
{
	if (!place->lookup)
		place->lookup = krn_lookup_start(http_host(place));
	if (place->lookup && krn_lookup_is_done(place->lookup)) {
		http_looked_up(pump, place);
	} else if (krn_clock_monotonic_us() >= place->deadline_us) {
		place->untried = !place->lookup;
		http_fail(pump, place, KRN_ERR_UNAVAILABLE,
			  place->lookup
			      ? "no answer: the host could not be looked up "
				"in time"
			      : "too many other hosts were being looked up");
	}
}

/* The pump */

static void
http_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void
pump_end(void *data)
{
	struct krn_http_pump *pump = data;

	for (size_t i = 0; i < pump->nr; i++)
		http_release(pump, &pump->places[i]);
	curl_multi_cleanup(pump->multi);
}

enum krn_err
krn_http_pump_make(struct krn_arena *arena, size_t places,
		   struct krn_http_pump **ret, struct krn_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct krn_http_pump *pump =
	    krn_arena_make(arena, struct krn_http_pump);

	pthread_once(&once, http_start);
	if (!pump)
		return krn_arena_fail(arena, err);
	pump->places = krn_arena_calloc(arena, places, sizeof(*pump->places));
	if (!pump->places)
		return krn_arena_fail(arena, err);
	pump->nr = places;
	pump->multi = curl_multi_init();
	if (!pump->multi)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	*ret = pump;
	return krn_arena_defer(arena, pump_end, pump, err);
}

static size_t
pump_count(const struct krn_http_pump *pump, enum http_state state)
{
	size_t nr = 0;

	for (size_t i = 0; i < pump->nr; i++)
		nr += pump->places[i].state == state;
	return nr;
}

size_t
krn_http_pump_room(const struct krn_http_pump *pump)
{
	return pump_count(pump, HTTP_FREE);
}

bool
krn_http_pump_is_busy(const struct krn_http_pump *pump)
{
	return pump_count(pump, HTTP_FREE) < pump->nr;
}

void
krn_http_pump_add(struct krn_http_pump *pump, struct krn_arena *arena,
		  const struct krn_http_request *request, void *tag)
{
	const int64_t now_us = krn_clock_monotonic_us();
	size_t i = 0;

	while (i < pump->nr && pump->places[i].state != HTTP_FREE)
		i++;
	KRN_BUG_IF(i == pump->nr);
	pump->places[i] = (struct http_place){
	    .arena = arena,
	    .request = request,
	    .tag = tag,
	    .begun_us = now_us,
	    .deadline_us = now_us + request->timeout_ms * 1000,
	};
	krn_buf_init(&pump->places[i].body, arena);
	http_begin(pump, &pump->places[i]);
}

static void
pump_lookups(struct krn_http_pump *pump)
{
	for (size_t i = 0; i < pump->nr; i++)
		if (pump->places[i].state == HTTP_LOOKUP)
			http_look_up(pump, &pump->places[i]);
}

static void
pump_transfers(struct krn_http_pump *pump)
{
	int running, left;
	const CURLMsg *message;

	curl_multi_perform(pump->multi, &running);
	while ((message = curl_multi_info_read(pump->multi, &left))) {
		struct http_place *place = NULL;
		const CURLcode code = message->data.result;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  &place);
		http_transfer_note(place, code);
		http_end(pump, place);
	}
}

void
krn_http_pump_wait(struct krn_http_pump *pump, int timeout_ms)
{
	const int64_t end_us =
	    krn_clock_monotonic_us() + (int64_t)timeout_ms * 1000;

	for (;;) {
		pump_lookups(pump);
		pump_transfers(pump);
		const int64_t left_us = end_us - krn_clock_monotonic_us();

		if (pump_count(pump, HTTP_DONE) || left_us <= 0)
			return;
		int ms = (int)((left_us + 999) / 1000);

		if (pump_count(pump, HTTP_LOOKUP) && ms > HTTP_LOOKUP_MS)
			ms = HTTP_LOOKUP_MS;
		curl_multi_poll(pump->multi, NULL, 0, ms, NULL);
	}
}

bool
krn_http_pump_take(struct krn_http_pump *pump, struct krn_http_done *ret)
{
	for (size_t i = 0; i < pump->nr; i++) {
		struct http_place *place = &pump->places[i];

		if (place->state != HTTP_DONE)
			continue;
		place->state = HTTP_FREE;
		*ret = (struct krn_http_done){.tag = place->tag,
					      .code = place->code,
					      .untried = place->untried,
					      .err = place->err};
		krn_buf_add_char(&place->body, '\0');
		ret->answer.status = place->status;
		ret->answer.wanted = place->wanted;
		if (!ret->code)
			ret->code = krn_buf_end(&place->body, &ret->answer.body,
						&ret->err);
		if (!ret->code)
			ret->answer.body.len--;
		return true;
	}
	return false;
}

/* One call */

enum krn_err
krn_http_call(struct krn_arena *arena, const struct krn_http_request *request,
	      struct krn_http_answer *ret, struct krn_error *err)
{
	struct krn_arena *own = krn_arena_new(0);
	struct krn_http_pump *pump;
	struct krn_http_done done;
	enum krn_err e;

	if (!own)
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	if (!(e = krn_http_pump_make(own, 1, &pump, err))) {
		krn_http_pump_add(pump, arena, request, NULL);
		while (!krn_http_pump_take(pump, &done)) {
			krn_http_pump_wait(pump, 1000);
			if (!request->tick || request->tick(request->tick_data))
				continue;
			krn_arena_free(own);
			return krn_fail(err, KRN_ERR_CONFLICT,
					"the call was broken off");
		}
		if ((e = done.code) && err)
			*err = done.err;
		*ret = done.answer;
	}
	krn_arena_free(own);
	return e;
}
