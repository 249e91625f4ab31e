/*
 * A load generator: kept-alive HTTP/1.1 connections to a unix socket, each
 * with one request under way.
 *
 *	load SOCKET CONNECTIONS[@RATE] SECONDS PATH [HEADER…]
 *
 * With a rate, so many requests a second come over all connections, however
 * long the answers take: a request that has to wait for the one before it has
 * begun when it was due. Without one, each follows the answer before it.
 *
 * Prints the answers with status 200, the others, the lost connections, the
 * seconds, and p50 and p99 in microseconds. Answers need a Content-Length.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES 16384
#define CONNECTIONS_MAX 1024

struct connection {
	int fd;
	int64_t due_us;  /* with a rate: of the next request */
	int64_t sent_us; /* or due */
	char head[HEAD_BYTES + 1];
	size_t head_len;
	int64_t body_left; /* -1: the head is not complete; 0: no request */
	int status;
	int closes;
};

static struct {
	struct sockaddr_un address;
	char request[8192];
	size_t request_len;
	int epoll;
	int64_t pause_us; /* between requests of a connection; 0: no rate */
	uint32_t *times;
	size_t times_nr, times_size;
	uint64_t failed, lost;
} load;

static void
load_die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
load_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The request is small: it always fits the socket's buffer. */
static int
load_send(struct connection *c)
{
	c->head_len = 0;
	c->body_left = -1;
	c->closes = 0;
	c->sent_us = load.pause_us ? c->due_us : load_now_us();
	c->due_us += load.pause_us;
	return send(c->fd, load.request, load.request_len, MSG_NOSIGNAL) ==
		       (ssize_t)load.request_len
		   ? 0
		   : -1;
}

static void
load_connect(struct connection *c)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (const struct sockaddr *)&load.address,
		    sizeof(load.address)) != 0 ||
	    epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		load_die("connect");
	c->body_left = 0;
	if (!load.pause_us && load_send(c) != 0)
		load_die("send");
}

static void
load_reconnect(struct connection *c)
{
	close(c->fd);
	load_connect(c);
}

static void
load_note(struct connection *c)
{
	const int64_t took = load_now_us() - c->sent_us;

	if (c->status != 200) {
		load.failed++;
		return;
	}
	if (load.times_nr == load.times_size) {
		load.times_size = load.times_size ? load.times_size * 2 : 65536;
		load.times =
		    realloc(load.times, load.times_size * sizeof(*load.times));
		if (!load.times)
			load_die("memory");
	}
	load.times[load.times_nr++] = (uint32_t)took;
}

/* Status, length and whether nginx closes; the body's first bytes count. */
static void
load_read_head(struct connection *c)
{
	c->head[c->head_len] = '\0';
	char *end = strstr(c->head, "\r\n\r\n");

	if (!end) {
		if (c->head_len == HEAD_BYTES)
			load_die("a head is too long");
		return;
	}
	end[2] = '\0';
	const char *length = strcasestr(c->head, "\r\ncontent-length:");

	if (!length || sscanf(c->head, "HTTP/1.1 %d", &c->status) != 1) {
		fprintf(stderr, "load: no status or length:\n%s", c->head);
		exit(1);
	}
	c->closes = strcasestr(c->head, "\r\nconnection: close") != NULL;
	c->body_left = strtoll(strchr(length, ':') + 1, NULL, 10) -
		       (int64_t)(c->head + c->head_len - (end + 4));
}

static void
load_read(struct connection *c)
{
	static char rest[65536];
	const int in_head = c->body_left < 0;
	const ssize_t got = in_head ? read(c->fd, c->head + c->head_len,
					   HEAD_BYTES - c->head_len)
				    : read(c->fd, rest, sizeof(rest));

	if (got <= 0) {
		load.lost++;
		load_reconnect(c);
		return;
	}
	if (in_head) {
		c->head_len += (size_t)got;
		load_read_head(c);
	} else {
		c->body_left -= got;
	}
	if (c->body_left != 0)
		return;
	load_note(c);
	if (c->closes || (!load.pause_us && load_send(c) != 0))
		load_reconnect(c);
}

/* Send what is due; how long nothing will be. */
static struct timespec
load_due(struct connection *connections, int nr)
{
	const int64_t now = load_now_us();
	int64_t pause = 100000;

	for (int i = 0; load.pause_us && i < nr; i++) {
		struct connection *c = &connections[i];

		if (c->body_left != 0)
			continue;
		if (c->due_us <= now) {
			if (load_send(c) != 0)
				load_die("send");
		} else if (c->due_us - now < pause) {
			pause = c->due_us - now;
		}
	}
	return (struct timespec){.tv_nsec = pause * 1000};
}

static int
load_order(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
load_report(double seconds)
{
	const size_t nr = load.times_nr;

	if (nr)
		qsort(load.times, nr, sizeof(*load.times), load_order);
	printf("%zu %llu %llu %.3f %u %u\n", nr,
	       (unsigned long long)load.failed, (unsigned long long)load.lost,
	       seconds, nr ? load.times[nr / 2] : 0,
	       nr ? load.times[nr - 1 - nr / 100] : 0);
}

static void
load_prepare(int argc, char **argv)
{
	FILE *text = fmemopen(load.request, sizeof(load.request), "w");

	load.epoll = epoll_create1(0);
	if (!text || load.epoll < 0)
		load_die("start");
	load.address.sun_family = AF_UNIX;
	snprintf(load.address.sun_path, sizeof(load.address.sun_path), "%s",
		 argv[1]);
	fprintf(text, "GET %s HTTP/1.1\r\nHost: localhost\r\n", argv[4]);
	for (int i = 5; i < argc; i++)
		fprintf(text, "%s\r\n", argv[i]);
	fprintf(text, "\r\n");
	load.request_len = (size_t)ftell(text);
	fclose(text);
}

int
main(int argc, char **argv)
{
	static struct connection connections[CONNECTIONS_MAX];
	struct epoll_event events[64];

	const int nr = argc < 5 ? 0 : atoi(argv[2]);

	if (nr < 1 || nr > CONNECTIONS_MAX) {
		fputs("usage: load SOCKET CONNECTIONS[@RATE] SECONDS PATH "
		      "[HEADER…]\n",
		      stderr);
		return 2;
	}
	const char *rate = strchr(argv[2], '@');

	if (rate)
		load.pause_us = (int64_t)(1e6 * nr / atof(rate + 1));
	load_prepare(argc, argv);
	const int64_t start = load_now_us();
	const int64_t end = start + (int64_t)(atof(argv[3]) * 1e6);

	for (int i = 0; i < nr; i++) {
		connections[i].due_us = start + i * load.pause_us / nr;
		load_connect(&connections[i]);
	}
	while (load_now_us() < end) {
		const struct timespec pause = load_due(connections, nr);
		const int ready =
		    epoll_pwait2(load.epoll, events, 64, &pause, NULL);

		for (int i = 0; i < ready; i++)
			load_read(events[i].data.ptr);
	}
	load_report((double)(load_now_us() - start) / 1e6);
	return 0;
}
