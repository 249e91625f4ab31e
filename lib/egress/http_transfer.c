/*
 * A call as a transfer of curl's: its options, what curl calls meanwhile, what
 * is read off it at its end.
 */

#include "base/base.h"

#include "egress/http_private.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "base/clock.h"

/* An option that was not set might be the one that keeps the call safe. */
#define HTTP_SET(place, option, value)                                         \
	((place)->unset |=                                                     \
	 curl_easy_setopt((place)->easy, option, value) != CURLE_OK)

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

/* Options */

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
	const char *value = krn_str_cstr(place->arena, text);

	place->unset |= !value;
	HTTP_SET(place, option, value);
}

/* Source: RFC 3207 (STARTTLS): a password or message is not sent without. */
static void
http_prepare_mail(struct http_place *place)
{
	const struct krn_http_mail *mail = place->request->mail;

	HTTP_SET(place, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	HTTP_SET(place, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	http_set_text(place, CURLOPT_MAIL_FROM, mail->from);
	HTTP_SET(place, CURLOPT_MAIL_RCPT, place->recipients);
	if (mail->user.len) {
		http_set_text(place, CURLOPT_USERNAME, mail->user);
		http_set_text(place, CURLOPT_PASSWORD, mail->password);
	}
	HTTP_SET(place, CURLOPT_UPLOAD, 1L);
	HTTP_SET(place, CURLOPT_READFUNCTION, http_give);
	HTTP_SET(place, CURLOPT_READDATA, place);
	HTTP_SET(place, CURLOPT_INFILESIZE_LARGE,
		 (curl_off_t)place->request->body.len);
}

/* Source: AWS signature version 4, by libcurl. */
static void
http_sign(struct http_place *place, const struct krn_http_signer *signer)
{
	http_set_text(place, CURLOPT_AWS_SIGV4,
		      krn_str_printf(place->arena, "aws:amz:%.*s:s3",
				     KRN_STR_ARG(signer->region)));
	http_set_text(place, CURLOPT_USERNAME, signer->key_id);
	http_set_text(place, CURLOPT_PASSWORD, signer->secret);
}

static void
http_prepare_http(struct http_place *place)
{
	const struct krn_http_request *request = place->request;

	HTTP_SET(place, CURLOPT_PROTOCOLS_STR, "http,https");
	HTTP_SET(place, CURLOPT_HTTPHEADER, place->headers);
	HTTP_SET(place, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->signer)
		http_sign(place, request->signer);
	if (strcmp(request->method, "GET") == 0)
		return;
	HTTP_SET(place, CURLOPT_POSTFIELDS,
		 request->body.s ? request->body.s : "");
	HTTP_SET(place, CURLOPT_POSTFIELDSIZE_LARGE,
		 (curl_off_t)request->body.len);
}

static void
http_prepare(struct http_place *place)
{
	const struct krn_http_request *request = place->request;
	const int64_t left_us = place->deadline_us - krn_clock_monotonic_us();

	http_set_text(place, CURLOPT_URL, request->url);
	HTTP_SET(place, CURLOPT_PRIVATE, place);
	HTTP_SET(place, CURLOPT_TIMEOUT_MS,
		 (long)(left_us > 1000 ? left_us / 1000 : 1));
	HTTP_SET(place, CURLOPT_NOSIGNAL, 1L);
	HTTP_SET(place, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	HTTP_SET(place, CURLOPT_FOLLOWLOCATION, 0L);
	HTTP_SET(place, CURLOPT_PROXY, "");
	HTTP_SET(place, CURLOPT_OPENSOCKETFUNCTION, http_open);
	HTTP_SET(place, CURLOPT_OPENSOCKETDATA, place);
	HTTP_SET(place, CURLOPT_WRITEFUNCTION, http_take);
	HTTP_SET(place, CURLOPT_WRITEDATA, place);
	/* a kept connection was judged for somebody else */
	HTTP_SET(place, CURLOPT_FRESH_CONNECT, 1L);
	HTTP_SET(place, CURLOPT_FORBID_REUSE, 1L);
	if (place->resolve)
		HTTP_SET(place, CURLOPT_RESOLVE, place->resolve);
	if (request->ca_file.len)
		http_set_text(place, CURLOPT_CAINFO, request->ca_file);
	if (request->mail)
		http_prepare_mail(place);
	else
		http_prepare_http(place);
}

bool
http_transfer_pin(struct http_place *place, const struct krn_address *addresses,
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

enum krn_err
http_transfer_make(struct http_place *place)
{
	place->easy = curl_easy_init();
	if (!place->easy || !http_lists(place))
		return krn_refuse(&place->err, KRN_ERR_UNAVAILABLE,
				  "out of memory");
	http_prepare(place);
	return place->unset ? krn_refuse(&place->err, KRN_ERR_INTERNAL,
					 "the request could not be prepared")
			    : KRN_OK;
}

/* The end */

static void
http_note_answer(struct http_place *place)
{
	const char *wanted = place->request->wanted;
	struct curl_header *header;

	curl_easy_getinfo(place->easy, CURLINFO_RESPONSE_CODE, &place->status);
	if (wanted && curl_easy_header(place->easy, wanted, 0, CURLH_HEADER, -1,
				       &header) == CURLHE_OK)
		place->wanted =
		    krn_str_dup(place->arena, krn_str_c(header->value));
}

void
http_transfer_note(struct http_place *place, CURLcode code)
{
	if (code == CURLE_OK)
		http_note_answer(place);
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
}

void
http_transfer_end(struct http_place *place)
{
	if (place->easy)
		curl_easy_cleanup(place->easy);
	curl_slist_free_all(place->headers);
	curl_slist_free_all(place->recipients);
	curl_slist_free_all(place->resolve);
	place->easy = NULL;
	place->headers = place->recipients = place->resolve = NULL;
}
