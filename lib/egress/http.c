/*
 * HTTP by libcurl.
 */

#include "base/base.h"

#include "egress/http.h"

#include <curl/curl.h>

struct http_call {
	struct krn_buf body;
	size_t answer_max;
	bool too_big;
};

static size_t
http_take(char *bytes, size_t size, size_t nr, void *data)
{
	struct http_call *call = data;
	const size_t len = size * nr;

	if (len > call->answer_max - call->body.len) {
		call->too_big = true;
		return 0; /* not len: the transfer ends */
	}
	krn_buf_add(&call->body, bytes, len);
	return call->body.failed ? 0 : len;
}

static void
http_easy_free(CURL **easy)
{
	if (*easy)
		curl_easy_cleanup(*easy);
}

static void
http_list_free(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

/* Headers as curl wants them; false without memory. */
static bool
http_headers(const char *const *headers, struct curl_slist **ret)
{
	for (; headers && *headers; headers++) {
		struct curl_slist *longer = curl_slist_append(*ret, *headers);

		if (!longer)
			return false;
		*ret = longer;
	}
	return true;
}

static void
http_prepare(CURL *easy, struct krn_arena *arena,
	     const struct krn_http_request *request,
	     const struct curl_slist *headers, struct http_call *call)
{
	const char *url = krn_str_cstr(arena, request->url);

	curl_easy_setopt(easy, CURLOPT_URL, url ? url : "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	if (request->ca_file.len)
		curl_easy_setopt(easy, CURLOPT_CAINFO,
				 krn_str_cstr(arena, request->ca_file));
	if (strcmp(request->method, "GET") != 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
				 request->body.s ? request->body.s : "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->body.len);
	}
}

static enum krn_err
http_perform(CURL *easy, struct http_call *call, struct krn_error *err)
{
	const CURLcode code = curl_easy_perform(easy);

	if (code == CURLE_OK)
		return KRN_OK;
	if (call->too_big)
		return krn_refuse(err, KRN_ERR_TOOBIG,
				  "the answer is longer than %zu bytes",
				  call->answer_max);
	return krn_refuse(err,
			  code == CURLE_URL_MALFORMAT ||
				  code == CURLE_UNSUPPORTED_PROTOCOL
			      ? KRN_ERR_INVALID
			      : KRN_ERR_UNAVAILABLE,
			  "no answer: %s", curl_easy_strerror(code));
}

enum krn_err
krn_http_call(struct krn_arena *arena, const struct krn_http_request *request,
	      struct krn_http_answer *ret, struct krn_error *err)
{
	struct http_call call = {.answer_max = request->answer_max};
	CURL *easy KRN_CLEANUP(http_easy_free) = curl_easy_init();
	struct curl_slist *headers KRN_CLEANUP(http_list_free) = NULL;
	enum krn_err e;

	krn_buf_init(&call.body, arena);
	if (!easy || !http_headers(request->headers, &headers))
		return krn_fail(err, KRN_ERR_UNAVAILABLE, "out of memory");
	http_prepare(easy, arena, request, headers, &call);
	if ((e = http_perform(easy, &call, err)))
		return e;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &ret->status);
	krn_buf_add_char(&call.body, '\0');
	if ((e = krn_buf_end(&call.body, &ret->body, err)))
		return e;
	ret->body.len--;
	return KRN_OK;
}
