/*
 * Expressions of filters: POSIX extended, over bytes, of a bounded size.
 *
 * The library's matcher copies what is repeated and keeps a state for each
 * set of places that it ever was in, so that a short expression could take
 * all memory. Hence the limits: on the expression when it is written out, on
 * the text, and a fresh start after some text. Back-references, whose time
 * has no bound, are refused.
 */

#include "base/base.h"

#include <regex.h>

#include "decide/plan_private.h"

#define REGEX_BYTES_MAX 256
/* Characters and sets, when repetitions are written out. */
#define REGEX_ATOMS_MAX 512
#define REGEX_DEPTH_MAX 32
/* A longer text does not match, and counts as one that cannot be converted. */
#define REGEX_TEXT_MAX 1024
/* Then the states are thrown away. */
#define REGEX_STATES_BYTES 4096

struct regex {
	regex_t compiled;
	bool is_compiled;
	const char *text;
	size_t matched_bytes;
};

static void
regex_release(void *data)
{
	struct regex *regex = data;

	if (regex->is_compiled)
		regfree(&regex->compiled);
	regex->is_compiled = false;
}

static bool
regex_compile(struct regex *regex)
{
	regex->matched_bytes = 0;
	regex->is_compiled = regcomp(&regex->compiled, regex->text,
				     REG_EXTENDED | REG_NOSUB) == 0;
	return regex->is_compiled;
}

/* The end of a bracket expression that begins at `at`. */
static size_t
regex_bracket(struct krn_str text, size_t at)
{
	at++;
	if (at < text.len && text.s[at] == '^')
		at++;
	if (at < text.len && text.s[at] == ']')
		at++;
	while (at < text.len && text.s[at] != ']') {
		const char kind = at + 1 < text.len ? text.s[at + 1] : 0;

		if (text.s[at] == '[' &&
		    (kind == ':' || kind == '.' || kind == '=')) {
			for (at += 2;
			     at + 1 < text.len &&
			     !(text.s[at] == kind && text.s[at + 1] == ']');
			     at++)
				;
			at++;
		}
		at++;
	}
	return at;
}

/* How often a quantifier repeats: "+", "{2,5}"; *at moves to its end. */
static size_t
regex_factor(struct krn_str text, size_t *at)
{
	size_t numbers[2] = {0, 0}, which = 0;

	if (text.s[*at] != '{')
		return text.s[*at] == '+' ? 2 : 1;
	for (size_t i = *at + 1; i < text.len; i++) {
		const char c = text.s[i];

		if (c == ',' && which == 0) {
			which = 1;
		} else if (c >= '0' && c <= '9' && numbers[which] < 100000) {
			numbers[which] =
			    10 * numbers[which] + (size_t)(c - '0');
		} else {
			if (c == '}')
				*at = i;
			break;
		}
	}
	return 1 + (numbers[0] > numbers[1] ? numbers[0] : numbers[1]);
}

/* The size of the expression written out, or one that is too large. */
static size_t
regex_atoms(struct krn_str text)
{
	size_t sizes[REGEX_DEPTH_MAX + 1] = {0}, last = 0, depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		size_t factor;

		if (text.s[i] == '\\') {
			i++;
			if (i < text.len && text.s[i] >= '0' &&
			    text.s[i] <= '9')
				return SIZE_MAX;
			last = 1;
		} else if (text.s[i] == '[') {
			i = regex_bracket(text, i);
			last = 1;
		} else if (text.s[i] == '(') {
			if (depth == REGEX_DEPTH_MAX)
				return SIZE_MAX;
			sizes[++depth] = 0;
			last = 0;
		} else if (text.s[i] == ')' && depth) {
			last = sizes[depth--] + 1;
		} else if (strchr("*+?{", text.s[i])) {
			factor = regex_factor(text, &i);
			last = last * factor;
		} else {
			last = 1;
		}
		/* a repetition counts all over again: more, never less */
		sizes[depth] += last + 1;
		if (sizes[depth] > REGEX_ATOMS_MAX)
			return SIZE_MAX;
	}
	while (depth--)
		sizes[depth] += sizes[depth + 1];
	return sizes[0];
}

enum krn_err
plan_regex(struct krn_arena *arena, struct krn_str text, const void **ret,
	   struct krn_error *err)
{
	struct regex *regex = krn_arena_make(arena, struct regex);
	enum krn_err e;

	if (!regex)
		return krn_arena_fail(arena, err);
	if (text.len > REGEX_BYTES_MAX || regex_atoms(text) > REGEX_ATOMS_MAX)
		return krn_refuse(err, KRN_ERR_INVALID,
				  "the regular expression is too large or has "
				  "back-references");
	regex->text = krn_str_cstr(arena, text);
	if (!regex->text)
		return krn_arena_fail(arena, err);
	if (!regex_compile(regex))
		return krn_refuse(err, KRN_ERR_INVALID,
				  "\"%.*s\" is not a regular expression",
				  KRN_STR_ARG(text));
	if ((e = krn_arena_defer(arena, regex_release, regex, err)))
		return e;
	*ret = regex;
	return KRN_OK;
}

bool
plan_regex_matches(const void *pattern, struct krn_str text, bool *ret_is_good)
{
	/* what the matcher remembers is no part of the plan */
	struct regex *regex = (struct regex *)(uintptr_t)pattern;
	char line[REGEX_TEXT_MAX + 1];

	*ret_is_good = text.len <= REGEX_TEXT_MAX;
	if (!*ret_is_good)
		return false;
	regex->matched_bytes += text.len;
	if (regex->matched_bytes > REGEX_STATES_BYTES)
		regex_release(regex);
	if (!regex->is_compiled && !regex_compile(regex)) {
		*ret_is_good = false;
		return false;
	}
	memcpy(line, text.s, text.len);
	line[text.len] = '\0';
	return regexec(&regex->compiled, line, 0, NULL, 0) == 0;
}
