/*
 * The grammar of RFC 8259, and what it leaves open.
 */

#include "base/base.h"

#include "base/json_scan.h"

struct json_scan {
	struct krn_arena *arena;
	const char *start;
	const char *at;
	const char *end;
	const char *line_start;
	uint32_t line;
	int depth_left;
	struct krn_json_note *notes;
	size_t notes_nr, notes_size;
	const char *wrong; /* the first thing that is wrong */
};

static bool
scan_fail(struct json_scan *scan, const char *wrong)
{
	if (!scan->wrong)
		scan->wrong = wrong;
	return false;
}

static void
scan_space(struct json_scan *scan)
{
	for (; scan->at < scan->end; scan->at++) {
		if (*scan->at == '\n') {
			scan->line++;
			scan->line_start = scan->at + 1;
		} else if (*scan->at != ' ' && *scan->at != '\t' &&
			   *scan->at != '\r') {
			break;
		}
	}
}

static bool
scan_char(struct json_scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static bool
scan_word(struct json_scan *scan, const char *word)
{
	const size_t len = strlen(word);

	if ((size_t)(scan->end - scan->at) < len ||
	    memcmp(scan->at, word, len) != 0)
		return scan_fail(scan, "a value is expected");
	scan->at += len;
	return true;
}

/* Four hex digits, or -1. */
static int
scan_hex4(struct json_scan *scan)
{
	int value = 0;

	if (scan->end - scan->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char c = *scan->at++;

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

static bool
scan_unicode_escape(struct json_scan *scan)
{
	const int unit = scan_hex4(scan);

	if (unit < 0)
		return scan_fail(scan, "\\u needs four hex digits");
	if (unit == 0)
		return scan_fail(scan, "a string may not contain NUL");
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return scan_fail(scan, "a lone surrogate");
	if (unit < 0xD800 || unit > 0xDBFF)
		return true;
	if (!scan_char(scan, '\\') || !scan_char(scan, 'u'))
		return scan_fail(scan, "a lone surrogate");
	const int low = scan_hex4(scan);

	if (low < 0xDC00 || low > 0xDFFF)
		return scan_fail(scan, "a lone surrogate");
	return true;
}

/* Behind the opening quote. */
static bool
scan_string(struct json_scan *scan)
{
	while (scan->at < scan->end) {
		const unsigned char c = (unsigned char)*scan->at++;

		if (c == '"')
			return true;
		if (c < 0x20)
			return scan_fail(scan,
					 "a control character in a string");
		if (c != '\\')
			continue;
		if (scan->at == scan->end)
			break;
		const char escape = *scan->at++;

		if (escape == 'u') {
			if (!scan_unicode_escape(scan))
				return false;
		} else if (!escape || !strchr("\"\\/bfnrt", escape)) {
			return scan_fail(scan, "an unknown escape");
		}
	}
	return scan_fail(scan, "a string without its end");
}

static size_t
scan_digits(struct json_scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		scan->at++;
	return (size_t)(scan->at - start);
}

static bool
scan_number(struct json_scan *scan)
{
	scan_char(scan, '-');
	if (!scan_char(scan, '0') && scan_digits(scan) == 0)
		return scan_fail(scan, "a value is expected");
	if (scan_char(scan, '.') && scan_digits(scan) == 0)
		return scan_fail(scan, "a digit is expected");
	if (scan_char(scan, 'e') || scan_char(scan, 'E')) {
		if (!scan_char(scan, '+'))
			scan_char(scan, '-');
		if (scan_digits(scan) == 0)
			return scan_fail(scan, "a digit is expected");
	}
	if (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		return scan_fail(scan, "a number may not begin with 0");
	return true;
}

/* Note the value that begins here; its index, or SIZE_MAX. */
static size_t
scan_note(struct json_scan *scan)
{
	struct krn_json_note *notes =
	    krn_arena_room(scan->arena, scan->notes, scan->notes_nr,
			   &scan->notes_size, sizeof(*notes));

	if (!notes)
		return SIZE_MAX;
	scan->notes = notes;
	scan->notes[scan->notes_nr] = (struct krn_json_note){
	    scan->line, (uint32_t)(scan->at - scan->line_start + 1),
	    (size_t)(scan->at - scan->start)};
	return scan->notes_nr++;
}

static bool scan_value(struct json_scan *scan);

static bool
scan_member(struct json_scan *scan)
{
	scan_space(scan);
	if (!scan_char(scan, '"'))
		return scan_fail(scan, "a name in double quotes is expected");
	if (!scan_string(scan))
		return false;
	scan_space(scan);
	if (!scan_char(scan, ':'))
		return scan_fail(scan, "\":\" is expected");
	return scan_value(scan);
}

/* Behind the opening bracket; `note` is the value's. */
static bool
scan_items(struct json_scan *scan, size_t note, char close)
{
	scan->notes[note].members = 0;
	scan_space(scan);
	if (scan_char(scan, close))
		return true;
	do {
		if (close == '}' ? !scan_member(scan) : !scan_value(scan))
			return false;
		scan->notes[note].members++;
		scan_space(scan);
	} while (scan_char(scan, ','));
	if (!scan_char(scan, close))
		return scan_fail(scan, close == '}'
					   ? "\",\" or \"}\" is expected"
					   : "\",\" or \"]\" is expected");
	return true;
}

static bool
scan_nested(struct json_scan *scan, size_t note)
{
	if (scan->depth_left-- == 0)
		return scan_fail(scan, "nested too deep");
	const char close = *scan->at++ == '{' ? '}' : ']';
	const bool done = scan_items(scan, note, close);

	scan->depth_left++;
	return done;
}

static bool
scan_value(struct json_scan *scan)
{
	scan_space(scan);
	if (scan->at == scan->end)
		return scan_fail(scan, "a value is expected");
	const size_t note = scan_note(scan);

	if (note == SIZE_MAX)
		return false;
	switch (*scan->at) {
	case '{':
	case '[':
		return scan_nested(scan, note);
	case '"':
		scan->at++;
		return scan_string(scan);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	default:
		return scan_number(scan);
	}
}

enum krn_err
krn_json_refuse(uint32_t line, uint32_t column, const char *wrong,
		struct krn_error *err)
{
	return krn_refuse(err, KRN_ERR_INVALID,
			  "invalid JSON at line %u, column %u: %s", line,
			  column, wrong);
}

enum krn_err
krn_json_scan(struct krn_arena *arena, struct krn_str text, int depth_max,
	      const struct krn_json_note **ret, struct krn_error *err)
{
	struct json_scan scan = {.arena = arena,
				 .start = text.s,
				 .at = text.s,
				 .end = text.s + text.len,
				 .line_start = text.s,
				 .line = 1,
				 .depth_left = depth_max};

	if (!krn_str_is_utf8(text))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "invalid JSON: the text is not UTF-8");
	bool good = scan_value(&scan);

	if (good) {
		scan_space(&scan);
		if (scan.at != scan.end)
			good = scan_fail(&scan, "text behind the value");
	}
	*ret = scan.notes;
	if (good)
		return KRN_OK;
	if (!scan.wrong)
		return krn_arena_fail(arena, err);
	return krn_json_refuse(scan.line,
			       (uint32_t)(scan.at - scan.line_start + 1),
			       scan.wrong, err);
}
