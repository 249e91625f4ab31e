/*
 * FastCGI by libfcgi.
 */

#define KRN_ALLOW_MALLOC
#include "base/base.h"

#include "fcgi/io.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

struct krn_io {
	FCGX_Request request;
};

/*
 * With nginx on another host, one that is gone without a word would leave a
 * process waiting for the rest of a request. What the listening socket is
 * told, each accepted connection has; a unix socket takes none of it.
 * Source: tcp(7); the times are those of sql/roles.sql
 */
static void
io_keep_alive(void)
{
	static const struct {
		int level, option, value;
	} settings[] = {
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, 15},
	    {IPPROTO_TCP, TCP_KEEPINTVL, 5},
	    {IPPROTO_TCP, TCP_KEEPCNT, 3},
	    {IPPROTO_TCP, TCP_USER_TIMEOUT, 30000},
	};

	for (size_t i = 0; i < KRN_NR(settings); i++)
		(void)setsockopt(0, settings[i].level, settings[i].option,
				 &settings[i].value, sizeof(settings[i].value));
}

bool
krn_io_is_listening(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	if (getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
	    !listening)
		return false;
	io_keep_alive();
	const int flags = fcntl(0, F_GETFL);

	return flags >= 0 && fcntl(0, F_SETFL, flags | O_NONBLOCK) == 0;
}

struct krn_io *
krn_io_new(void)
{
	struct krn_io *io = calloc(1, sizeof(*io));

	if (io && (FCGX_Init() != 0 ||
		   FCGX_InitRequest(&io->request, 0,
				    FCGI_FAIL_ACCEPT_ON_INTR) != 0)) {
		free(io);
		return NULL;
	}
	return io;
}

void
krn_io_free(struct krn_io *io)
{
	free(io);
}

enum krn_io_accepted
krn_io_accept(struct krn_io *io)
{
	const int result = FCGX_Accept_r(&io->request);

	if (result == 0)
		return KRN_IO_REQUEST;
	/* the accepted connection inherits nothing: it blocks, as we want */
	switch (-result) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return KRN_IO_NONE;
	case EBADF:
	case ENOTSOCK:
	case EINVAL:
		return KRN_IO_FAILED;
	default:
		/* a malformed request: libfcgi closed the connection */
		return KRN_IO_NONE;
	}
}

/* The value of "NAME=value" when it is this name's, else NULL. */
static const char *
io_value(const char *pair, const char *name, size_t name_len)
{
	return strncmp(pair, name, name_len) == 0 && pair[name_len] == '='
		   ? pair + name_len + 1
		   : NULL;
}

/*
 * A header that the client sent twice comes twice here (nginx before 1.23) or
 * joined with ", " (since then): both look the same to us.
 */
struct krn_str
krn_io_param(struct krn_io *io, struct krn_arena *arena, const char *name)
{
	const size_t name_len = strlen(name);
	struct krn_str found = {NULL, 0};

	for (char **at = io->request.envp; at && *at; at++) {
		const char *value = io_value(*at, name, name_len);

		if (!value)
			continue;
		found = found.s ? krn_str_printf(arena, "%.*s, %s",
						 KRN_STR_ARG(found), value)
				: krn_str_dup(arena, krn_str_c(value));
		if (!found.s)
			return found;
	}
	return found;
}

enum krn_err
krn_io_body(struct krn_io *io, struct krn_arena *arena, size_t len,
	    struct krn_str *ret, struct krn_error *err)
{
	char *body = krn_arena_alloc(arena, len + 1);
	size_t have = 0;

	if (!body)
		return krn_arena_fail(arena, err);
	while (have < len) {
		const size_t part =
		    len - have < INT32_MAX / 2 ? len - have : INT32_MAX / 2;
		const int got =
		    FCGX_GetStr(body + have, (int)part, io->request.in);

		if (got <= 0)
			return krn_refuse(err, KRN_ERR_INVALID,
					  "the body ended after %zu of %zu "
					  "bytes",
					  have, len);
		have += (size_t)got;
	}
	body[len] = '\0';
	*ret = krn_str_from(body, len);
	return KRN_OK;
}

bool
krn_io_write(struct krn_io *io, const struct krn_response *response,
	     bool with_body)
{
	FCGX_Stream *out = io->request.out;
	const struct krn_buf *body = &response->body;
	size_t done = 0;

	FCGX_FPrintF(out, "Status: %d\r\n", response->status);
	if (body->len)
		FCGX_FPrintF(out, "Content-Type: %s\r\n",
			     response->content_type);
	for (size_t i = 0; i < response->headers_nr; i++) {
		const struct krn_header *header = &response->headers[i];

		FCGX_FPrintF(out, "%s: ", header->name);
		FCGX_PutStr(header->value.s, (int)header->value.len, out);
		FCGX_PutStr("\r\n", 2, out);
	}
	FCGX_FPrintF(out, "Content-Length: %lu\r\n\r\n",
		     (unsigned long)body->len);
	while (with_body && done < body->len) {
		const size_t part = body->len - done < INT32_MAX / 2
					? body->len - done
					: INT32_MAX / 2;

		if (FCGX_PutStr(body->data + done, (int)part, out) < 0)
			return false;
		done += part;
	}
	return FCGX_FFlush(out) == 0;
}

void
krn_io_finish(struct krn_io *io)
{
	FCGX_Finish_r(&io->request);
}
