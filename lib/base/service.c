/*
 * The notify protocol of systemd: a datagram to a unix socket.
 */

#include "base/base.h"

#include "base/service.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* Four times in the manager's interval: three may be lost. */
#define SERVICE_PARTS 4

static struct {
	bool is_read;
	int64_t interval_us; /* between two signs of life; 0: none wanted */
	int64_t next_us;     /* monotonic */
} service;

/* A failure is nobody's to handle: a manager that hears nothing acts. */
static void
service_tell(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(address.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@') /* an abstract address */
		address.sun_path[0] = '\0';
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)!sendto(
	    fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (const struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

static void
service_read(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	int64_t usec;

	service.is_read = true;
	if (text && getenv("NOTIFY_SOCKET") &&
	    !krn_parse_int64(krn_str_c(text), 1, INT64_MAX, &usec, NULL))
		service.interval_us = usec / SERVICE_PARTS;
}

void
krn_service_ready(void)
{
	service_tell("READY=1");
}

void
krn_service_alive(void)
{
	if (!service.is_read)
		service_read();
	/* the first thread speaks for the program: another may go on alone */
	if (!service.interval_us || gettid() != getpid())
		return;
	const int64_t now = krn_clock_monotonic_us();

	if (now < service.next_us)
		return;
	service.next_us = now + service.interval_us;
	service_tell("WATCHDOG=1");
}

int
krn_service_patience_ms(void)
{
	if (!service.is_read)
		service_read();
	if (!service.interval_us)
		return -1;
	return service.interval_us / 1000 > INT_MAX
		   ? INT_MAX
		   : (int)(service.interval_us / 1000) + 1;
}
