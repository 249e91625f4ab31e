/*
 * HTTP and SMTP by libcurl. A call is a place of a pump: its name is looked
 * up, its addresses are judged, then curl connects to those and to no others.
 */

#include "base/base.h"

#include "egress/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/registry.h"

enum http_state { HTTP_FREE, HTTP_LOOKUP, HTTP_RUNNING, HTTP_DONE };

struct http_place {
	enum http_state state;
	struct krn_arena *arena; /* of the call */
	const struct krn_http_request *request;
	void *tag;
	CURL *easy;
	struct curl_slist *headers, *recipients, *resolve;
	struct krn_lookup *lookup;
	int64_t deadline_us;
	struct krn_str host, port;
	struct krn_buf body;
	size_t sent; /* of a mail's message */
	bool too_big, refused;
	enum krn_err code;
	long status;
	struct krn_str wanted;
	struct krn_error err;
};

struct krn_http_pump {
	CURLM *multi;
	size_t nr;
	struct http_place *places;
};

/* How often lookups are asked whether they are done. */
#define HTTP_LOOKUP_MS 5

/* What curl calls */

static size_t
http_take(char *bytes, size_t size, size_t nr, void *data)
{
	struct http_place *place = data;
	const size_t len = size * nr;

	if (len > place->request->answer_max - place->body.len) {
		place->too_big = true;
		return 0; /* not len: the transfer ends */
	}
	krn_buf_add(&place->body, bytes, len);
	return place->body.failed ? 0 : len;
}

static size_t
http_give(char *bytes, size_t size, size_t nr, void *data)
{
	struct http_place *place = data;
	const struct krn_str body = place->request->body;
	const size_t room = size * nr, rest = body.len - place->sent;
	const size_t len = rest < room ? rest : room;

	memcpy(bytes, body.s + place->sent, len);
	place->sent += len;
	return len;
}

/* The last word before a connection, whatever the name was looked up to. */
static curl_socket_t
http_open(void *data, curlsocktype purpose KRN_UNUSED, struct curl_sockaddr *to)
{
	struct http_place *place = data;
	struct krn_address address;

	if (!krn_address_of(&to->addr, &address) ||
	    !krn_guard_permits(place->request->guard, &address)) {
		place->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Options of a transfer */

/* A list of curl's own; false without memory. */
static bool
http_append(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer =
	    text ? curl_slist_append(*list, text) : NULL;

	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool
http_lists(struct http_place *place)
{
	const struct krn_http_request *request = place->request;
	const struct krn_http_mail *mail = request->mail;

	for (const char *const *h = request->headers; h && *h; h++)
		if (!http_append(&place->headers, *h))
			return false;
	for (size_t i = 0; mail && i < mail->recipients_nr; i++)
		if (!http_append(
			&place->recipients,
			krn_str_cstr(place->arena, mail->recipients[i])))
			return false;
	return true;
}

static void
http_set_text(struct http_place *place, CURLoption option, struct krn_str text)
{
	curl_easy_setopt(place->easy, option, krn_str_cstr(place->arena, text));
}

/* Source: RFC 3207 (STARTTLS): a password or message is not sent without. */
static void
http_prepare_mail(struct http_place *place)
{
	const struct krn_http_mail *mail = place->request->mail;
	CURL *easy = place->easy;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	http_set_text(place, CURLOPT_MAIL_FROM, mail->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, place->recipients);
	if (mail->user.len) {
		http_set_text(place, CURLOPT_USERNAME, mail->user);
		http_set_text(place, CURLOPT_PASSWORD, mail->password);
	}
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_give);
	curl_easy_setopt(easy, CURLOPT_READDATA, place);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
			 (curl_off_t)place->request->body.len);
}

/* Source: AWS signature version 4, by libcurl; false: it lacks that. */
static bool
http_sign(struct http_place *place, const struct krn_http_signer *signer)
{
	const struct krn_str provider = krn_str_printf(
	    place->arena, "aws:amz:%.*s:s3", KRN_STR_ARG(signer->region));

	if (!provider.s ||
	    curl_easy_setopt(place->easy, CURLOPT_AWS_SIGV4, provider.s))
		return false;
	http_set_text(place, CURLOPT_USERNAME, signer->key_id);
	http_set_text(place, CURLOPT_PASSWORD, signer->secret);
	return true;
}

static void
http_prepare_http(struct http_place *place)
{
	const struct krn_http_request *request = place->request;
	CURL *easy = place->easy;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, place->headers);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (strcmp(request->method, "GET") == 0)
		return;
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
			 request->body.s ? request->body.s : "");
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)request->body.len);
}

static void
http_prepare(struct http_place *place)
{
	const struct krn_http_request *request = place->request;
	const int64_t left_us = place->deadline_us - krn_clock_monotonic_us();
	CURL *easy = place->easy;

	http_set_text(place, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, place);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			 (long)(left_us > 1000 ? left_us / 1000 : 1));
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
			 (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, http_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, place);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, place);
	/* a kept connection was judged for somebody else */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	if (place->resolve)
		curl_easy_setopt(easy, CURLOPT_RESOLVE, place->resolve);
	if (request->ca_file.len)
		http_set_text(place, CURLOPT_CAINFO, request->ca_file);
	if (request->mail)
		http_prepare_mail(place);
	else
		http_prepare_http(place);
}

/* The way of a call */

static void
http_end(struct krn_http_pump *pump, struct http_place *place)
{
	if (place->easy) {
		curl_multi_remove_handle(pump->multi, place->easy);
		curl_easy_cleanup(place->easy);
	}
	curl_slist_free_all(place->headers);
	curl_slist_free_all(place->recipients);
	curl_slist_free_all(place->resolve);
	krn_lookup_end(place->lookup);
	place->easy = NULL;
	place->headers = place->recipients = place->resolve = NULL;
	place->lookup = NULL;
	place->state = HTTP_DONE;
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
	place->easy = curl_easy_init();
	if (!place->easy || !http_lists(place)) {
		http_fail(pump, place, KRN_ERR_UNAVAILABLE, "out of memory");
		return;
	}
	http_prepare(place);
	if (place->request->signer &&
	    !http_sign(place, place->request->signer)) {
		http_fail(pump, place, KRN_ERR_INTERNAL,
			  "the request could not be signed");
		return;
	}
	place->state = HTTP_RUNNING;
	curl_multi_add_handle(pump->multi, place->easy);
}

/* The addresses that were judged are those that curl connects to. */
static bool
http_pin(struct http_place *place, const struct krn_address *addresses,
	 size_t nr)
{
	char text[INET6_ADDRSTRLEN];
	struct krn_buf line;
	struct krn_str pin;

	krn_buf_init(&line, place->arena);
	krn_buf_printf(&line, "+%.*s:%.*s:", KRN_STR_ARG(place->host),
		       KRN_STR_ARG(place->port));
	for (size_t i = 0; i < nr; i++) {
		const bool v4 = krn_address_is_v4(&addresses[i]);

		inet_ntop(v4 ? AF_INET : AF_INET6,
			  addresses[i].bytes + (v4 ? 12 : 0), text,
			  sizeof(text));
		krn_buf_printf(&line, v4 ? "%s%s" : "%s[%s]", i ? "," : "",
			       text);
	}
	krn_buf_add_char(&line, '\0');
	return krn_buf_end(&line, &pin, NULL) == KRN_OK &&
	       http_append(&place->resolve, pin.s);
}

static void
http_looked_up(struct krn_http_pump *pump, struct http_place *place)
{
	struct krn_address addresses[KRN_LOOKUP_ADDRESSES_MAX];
	size_t nr;

	place->code = krn_lookup_take(place->lookup, place->request->guard,
				      addresses, &nr, &place->err);
	if (place->code)
		http_end(pump, place);
	else if (!http_pin(place, addresses, nr))
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

static void
http_begin(struct krn_http_pump *pump, struct http_place *place)
{
	struct krn_str host;
	struct krn_address address;

	if (!place->request->guard) {
		http_fail(pump, place, KRN_ERR_FORBIDDEN,
			  "a call without a guard");
		return;
	}
	if (!http_parts(place)) {
		/* which is not repeated: it may hold a secret */
		http_fail(pump, place, KRN_ERR_INVALID,
			  "the address has no host, or none that is valid");
		return;
	}
	host = place->host;
	if (host.len > 2 && host.s[0] == '[')
		host = krn_str_from(host.s + 1, host.len - 2);
	if (place->request->guard->open || krn_address_parse(host, &address)) {
		http_run(pump, place); /* http_open has the last word */
		return;
	}
	place->lookup = krn_lookup_start(host);
	place->state = HTTP_LOOKUP;
	if (!place->lookup)
		http_fail(pump, place, KRN_ERR_UNAVAILABLE,
			  "the host could not be looked up");
}

static void
http_note(struct http_place *place)
{
	const char *wanted = place->request->wanted;
	struct curl_header *header;

	curl_easy_getinfo(place->easy, CURLINFO_RESPONSE_CODE, &place->status);
	if (wanted && curl_easy_header(place->easy, wanted, 0, CURLH_HEADER, -1,
				       &header) == CURLHE_OK)
		place->wanted =
		    krn_str_dup(place->arena, krn_str_c(header->value));
}

static void
http_measure(const struct http_place *place, CURLcode code)
{
	curl_off_t total_us = 0;

	curl_easy_getinfo(place->easy, CURLINFO_TOTAL_TIME_T, &total_us);
	krn_registry_add(KRN_REGISTRY_EGRESS_REQUESTS,
			 (const char *[]){code == CURLE_OK   ? "answered"
					  : place->too_big ? "too_big"
					  : place->refused ? "refused"
							   : "no_answer"},
			 1);
	krn_registry_observe(KRN_REGISTRY_EGRESS_SECONDS, NULL, total_us);
}

static void
http_ended(struct krn_http_pump *pump, struct http_place *place, CURLcode code)
{
	if (code == CURLE_OK)
		http_note(place);
	else if (place->too_big)
		place->code = krn_refuse(&place->err, KRN_ERR_TOOBIG,
					 "the answer is longer than %zu bytes",
					 place->request->answer_max);
	else if (place->refused)
		place->code =
		    krn_refuse(&place->err, KRN_ERR_FORBIDDEN,
			       "the address of the host is not permitted");
	else
		place->code =
		    krn_refuse(&place->err,
			       code == CURLE_URL_MALFORMAT ||
				       code == CURLE_UNSUPPORTED_PROTOCOL
				   ? KRN_ERR_INVALID
				   : KRN_ERR_UNAVAILABLE,
			       "no answer: %s", curl_easy_strerror(code));
	http_measure(place, code);
	http_end(pump, place);
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
		if (pump->places[i].state != HTTP_FREE)
			http_end(pump, &pump->places[i]);
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
	size_t i = 0;

	while (i < pump->nr && pump->places[i].state != HTTP_FREE)
		i++;
	KRN_BUG_IF(i == pump->nr);
	pump->places[i] = (struct http_place){
	    .arena = arena,
	    .request = request,
	    .tag = tag,
	    .deadline_us =
		krn_clock_monotonic_us() + request->timeout_ms * 1000,
	};
	krn_buf_init(&pump->places[i].body, arena);
	http_begin(pump, &pump->places[i]);
}

static void
pump_lookups(struct krn_http_pump *pump)
{
	const int64_t now_us = krn_clock_monotonic_us();

	for (size_t i = 0; i < pump->nr; i++) {
		struct http_place *place = &pump->places[i];

		if (place->state != HTTP_LOOKUP)
			continue;
		if (krn_lookup_is_done(place->lookup))
			http_looked_up(pump, place);
		else if (now_us >= place->deadline_us)
			http_fail(pump, place, KRN_ERR_UNAVAILABLE,
				  "no answer: the host could not be looked "
				  "up in time");
	}
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
		http_ended(pump, place, code);
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
		*ret = (struct krn_http_done){
		    .tag = place->tag, .code = place->code, .err = place->err};
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
			if (request->tick)
				request->tick(request->tick_data);
		}
		if ((e = done.code) && err)
			*err = done.err;
		*ret = done.answer;
	}
	krn_arena_free(own);
	return e;
}
