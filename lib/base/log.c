/*
 * The log: stderr for people, the journal's socket where stderr is the
 * journal.
 */

#include "base/base.h"

#include "base/log.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

/* A line longer than this is cut; the journal takes 48 KiB and more. */
#define LOG_LINE_BYTES 4096

static struct {
	char program[32];
	enum krn_log_level level;
	int journal; /* descriptor, or -1 */
} log_state = {"kaireon", KRN_LOG_INFO, -1};

static const char *const log_levels[] = {"error", "warning", "info", "debug"};

/* syslog's numbers, which the journal uses. Source: RFC 5424 table 2. */
static const int log_priorities[] = {3, 4, 6, 7};

/* Does JOURNAL_STREAM ("device:inode") name our stderr? Source: systemd.exec(5) */
static bool
log_stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat stat;
	char ours[64];

	if (!stream || fstat(STDERR_FILENO, &stat) != 0)
		return false;
	snprintf(ours, sizeof(ours), "%llu:%llu",
		 (unsigned long long)stat.st_dev,
		 (unsigned long long)stat.st_ino);
	return strcmp(stream, ours) == 0;
}

static int
log_journal_open(void)
{
	const struct sockaddr_un address = {
	    .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
			       sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void
krn_log_init(const char *program, enum krn_log_level level)
{
	snprintf(log_state.program, sizeof(log_state.program), "%s", program);
	log_state.level = level;
	if (log_state.journal < 0 && log_stderr_is_journal())
		log_state.journal = log_journal_open();
}

bool
krn_log_level_parse(struct krn_str name, enum krn_log_level *ret)
{
	for (size_t i = 0; i < KRN_NR(log_levels); i++) {
		if (krn_str_eq_c(name, log_levels[i])) {
			*ret = (enum krn_log_level)i;
			return true;
		}
	}
	return false;
}

/* A line of fixed size: the log must not need memory. */
struct log_line {
	char text[LOG_LINE_BYTES];
	size_t len;
};

static void
log_add(struct log_line *line, const char *bytes, size_t len)
{
	const size_t room = sizeof(line->text) - 1 - line->len;

	if (len > room)
		len = room;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
}

static void
log_add_c(struct log_line *line, const char *s)
{
	log_add(line, s, strlen(s));
}

/* Quoted when it is empty or holds anything but plain characters. */
static void
log_add_value(struct log_line *line, struct krn_str value)
{
	bool plain = value.len > 0;

	for (size_t i = 0; plain && i < value.len; i++) {
		const unsigned char c = (unsigned char)value.s[i];

		plain = c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7F;
	}
	if (plain) {
		log_add(line, value.s, value.len);
		return;
	}
	log_add_c(line, "\"");
	for (size_t i = 0; i < value.len; i++) {
		const unsigned char c = (unsigned char)value.s[i];
		char escape[8];

		if (c == '"' || c == '\\')
			snprintf(escape, sizeof(escape), "\\%c", c);
		else if (c < ' ' || c == 0x7F)
			snprintf(escape, sizeof(escape), "\\x%02x", c);
		else
			snprintf(escape, sizeof(escape), "%c", c);
		log_add_c(line, escape);
	}
	log_add_c(line, "\"");
}

/* A field's value as text; `number` is room for those that are numbers. */
static struct krn_str
log_field_text(const struct krn_log_field *field, char number[64])
{
	switch (field->type) {
	case KRN_LOG_TYPE_INT:
		snprintf(number, 64, "%lld", (long long)field->integer);
		return krn_str_c(number);
	case KRN_LOG_TYPE_DOUBLE:
		snprintf(number, 64, "%g", field->number);
		return krn_str_c(number);
	case KRN_LOG_TYPE_STR:
		break;
	}
	return field->str.s ? field->str : KRN_STR("");
}

static void
log_write_stderr(enum krn_log_level level, const char *message,
		 const struct krn_log_field *fields, size_t nr)
{
	struct log_line line = {.len = 0};
	char text[64 + KRN_TIME_TEXT_BYTES];

	krn_time_format(krn_clock_us(), text);
	log_add_c(&line, text);
	snprintf(text, sizeof(text), " %s %s[%d] msg=", log_levels[level],
		 log_state.program, (int)getpid());
	log_add_c(&line, text);
	log_add_value(&line, krn_str_c(message));
	for (size_t i = 0; i < nr; i++) {
		log_add_c(&line, " ");
		log_add_c(&line, fields[i].key);
		log_add_c(&line, "=");
		log_add_value(&line, log_field_text(&fields[i], text));
	}
	line.text[line.len++] = '\n';
	/* one write: lines of several processes do not mix */
	if (write(STDERR_FILENO, line.text, line.len) < 0)
		return;
}

/* One field of the journal's protocol; line feeds would end it early. */
static void
log_add_journal(struct log_line *line, const char *prefix, const char *key,
		struct krn_str value)
{
	log_add_c(line, prefix);
	for (; *key; key++) {
		const char c =
		    *key >= 'a' && *key <= 'z' ? (char)(*key - 32) : *key;

		log_add(line, &c, 1);
	}
	log_add_c(line, "=");
	for (size_t i = 0; i < value.len; i++)
		log_add(line, value.s[i] == '\n' ? " " : value.s + i, 1);
	log_add_c(line, "\n");
}

/* Source: systemd's "Native Journal Protocol" */
static bool
log_write_journal(enum krn_log_level level, const char *message,
		  const struct krn_log_field *fields, size_t nr)
{
	struct log_line line = {.len = 0};
	char text[64];

	log_add_journal(&line, "", "MESSAGE", krn_str_c(message));
	snprintf(text, sizeof(text), "%d", log_priorities[level]);
	log_add_journal(&line, "", "PRIORITY", krn_str_c(text));
	log_add_journal(&line, "", "SYSLOG_IDENTIFIER",
			krn_str_c(log_state.program));
	for (size_t i = 0; i < nr; i++)
		log_add_journal(&line, "KAIREON_", fields[i].key,
				log_field_text(&fields[i], text));
	return send(log_state.journal, line.text, line.len, MSG_NOSIGNAL) ==
	       (ssize_t)line.len;
}

void
krn_log_write(enum krn_log_level level, const char *message,
	      const struct krn_log_field *fields, size_t nr)
{
	if (level > log_state.level)
		return;
	if (log_state.journal >= 0 &&
	    log_write_journal(level, message, fields, nr))
		return;
	log_write_stderr(level, message, fields, nr);
}

void
krn_log_error(enum krn_log_level level, const char *message,
	      const struct krn_error *err)
{
	krn_log(level, message, KRN_LOG_C("error", krn_err_row(err->code)->id),
		KRN_LOG_C("sqlstate", err->sqlstate),
		KRN_LOG_C("detail", err->detail));
}
