/*
 * The error table and the functions that fill struct krn_error.
 */

#include "base/base.h"

#include "base/error.h"

#include <errno.h>
#include <unistd.h>

#include "base/text.h"

static const struct krn_err_row err_rows[KRN_ERR__MAX] = {
    [KRN_OK] = {"OK", 200, "OK", "done"},
#define KRN_ERR(id, http, wire, message)                                       \
	[KRN_ERR_##id] = {#id, http, wire, message},
#include "base/errors.def"
#undef KRN_ERR
};

const struct krn_err_row *
krn_err_row(enum krn_err code)
{
	KRN_BUG_IF((unsigned)code >= KRN_ERR__MAX);
	return &err_rows[code];
}

void
krn_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "bug: %s:%d: %s\n", file, line, what);
	fflush(stderr);
	abort();
}

/* Everything but the texts. */
static void
err_begin(struct krn_error *err, enum krn_err code)
{
	err->code = code;
	err->sqlstate[0] = '\0';
	err->message[0] = '\0';
	err->detail[0] = '\0';
	err->values_at = 0;
	err->problems = NULL;
}

enum krn_err
krn_fail(struct krn_error *err, enum krn_err code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	err_begin(err, code);
	va_start(args, format);
	krn_format_v(err->detail, sizeof(err->detail), format, args);
	va_end(args);
	return code;
}

enum krn_err
krn_refuse(struct krn_error *err, enum krn_err code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	err_begin(err, code);
	va_start(args, format);
	krn_format_v(err->message, sizeof(err->message), format, args);
	va_end(args);
	snprintf(err->detail, sizeof(err->detail), "%s", err->message);
	return code;
}

enum krn_err
krn_fail_errno(struct krn_error *err, const char *format, ...)
{
	const int saved = errno;
	char what[512];
	va_list args;

	va_start(args, format);
	krn_format_v(what, sizeof(what), format, args);
	va_end(args);
	return krn_fail(err, KRN_ERR_INTERNAL, "could not %s: %s", what,
			strerror(saved));
}

void
krn_problem_add(struct krn_problems *problems, const char *field,
		const char *format, ...)
{
	char text[512];
	va_list args;

	if (problems->nr++ >= KRN_PROBLEM_MAX)
		return;
	va_start(args, format);
	krn_format_v(text, sizeof(text), format, args);
	va_end(args);
	/* without memory the problem is still told, with less words */
	const char *kept_field =
	    krn_str_cstr(problems->arena, krn_str_whole(krn_str_c(field)));
	const char *kept_text = krn_str_cstr(problems->arena, krn_str_c(text));
	problems->list[problems->nr - 1] = (struct krn_problem){
	    kept_field ? kept_field : "?", kept_text ? kept_text : "not valid"};
}

enum krn_err
krn_problems_end(const struct krn_problems *problems, const char *message,
		 struct krn_error *err)
{
	if (problems->nr == 0)
		return KRN_OK;
	if (message)
		krn_refuse(err, KRN_ERR_INVALID, "%s", message);
	else
		krn_fail(err, KRN_ERR_INVALID, "%s: %s%s",
			 problems->list[0].field, problems->list[0].message,
			 problems->nr > 1 ? ", and more" : "");
	if (err)
		err->problems = problems;
	return KRN_ERR_INVALID;
}
