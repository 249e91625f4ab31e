#ifndef KRN_IO_H
#define KRN_IO_H

/*
 * FastCGI in and out. io.c is the only file that includes fcgiapp.h; nothing
 * of libfcgi's memory leaves it.
 */

#include "base/text.h"
#include "fcgi/request.h"

struct krn_io;

enum krn_io_accepted {
	KRN_IO_REQUEST,     /* one is there */
	KRN_IO_NONE,        /* another process took it, or a signal came */
	KRN_IO_FAILED,      /* the socket is of no use */
};

/* Life cycle: the listening socket is descriptor 0. NULL: no memory. */
struct krn_io *krn_io_new(void);
void krn_io_free(struct krn_io *io);

/*
 * Descriptor 0 is a listening socket; it is made non-blocking, and connections
 * to it end when their peer is gone without a word.
 */
bool krn_io_is_listening(void);

/* Take a request if one is waiting. Never waits for a connection. */
enum krn_io_accepted krn_io_accept(struct krn_io *io);

/*
 * A parameter such as "REQUEST_METHOD".
 * Ownership: lives in `arena`; .s is NULL when it is absent (or the arena
 * exhausted).
 */
struct krn_str krn_io_param(struct krn_io *io, struct krn_arena *arena,
			    const char *name);

/*
 * Read `len` bytes of body.
 * Errors: KRN_ERR_INVALID  the body ended early
 *         as krn_arena_fail
 */
KRN_MUSTCHECK enum krn_err krn_io_body(struct krn_io *io,
				       struct krn_arena *arena, size_t len,
				       struct krn_str *ret,
				       struct krn_error *err);

/* Write the whole response; false: the client is gone. */
bool krn_io_write(struct krn_io *io, const struct krn_response *response,
		  bool with_body);

/* End the request and close its connection. */
void krn_io_finish(struct krn_io *io);

#endif
