/* The words of a formula. */

#include "base/base.h"

#include "decide/formula_private.h"

/* A longer one before the one that it begins with. */
static const char *const formula_signs[] = {
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "+", "-",
    "*",  "/",  "%",  "!",  "?",  ":",  "(", ")", ",",
};

enum krn_err
formula_refuse(struct formula_parse *parse, const char *what)
{
	const struct krn_str before = krn_str_from(parse->text.s, parse->start);
	struct krn_str token = krn_str_from(parse->text.s + parse->start,
					    parse->at - parse->start);
	const char *quote = token.len ? "\"" : "";

	if (token.len > 40)
		token = krn_str_whole(krn_str_from(token.s, 40));
	return krn_refuse(
	    parse->err, KRN_ERR_INVALID, "at character %zu: %s, not %s%.*s%s",
	    krn_str_code_points(before) + 1, what, quote,
	    KRN_STR_ARG(token.len ? token : KRN_STR("the end")), quote);
}

enum krn_err
formula_refuse_at(struct formula_parse *parse, size_t at, const char *what)
{
	return krn_refuse(
	    parse->err, KRN_ERR_INVALID, "at character %zu: %s",
	    krn_str_code_points(krn_str_from(parse->text.s, at)) + 1, what);
}

/* Tokens */

static bool
formula_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
formula_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The byte at a place, NUL behind the end. */
static char
formula_byte(const struct formula_parse *parse, size_t at)
{
	return at < parse->text.len ? parse->text.s[at] : '\0';
}

static enum krn_err
formula_number(struct formula_parse *parse)
{
	size_t at = parse->start;

	while (formula_is_digit(formula_byte(parse, at)))
		at++;
	if (formula_byte(parse, at) == '.')
		at++;
	while (formula_is_digit(formula_byte(parse, at)))
		at++;
	if (formula_byte(parse, at) == 'e' || formula_byte(parse, at) == 'E') {
		at++;
		if (formula_byte(parse, at) == '+' ||
		    formula_byte(parse, at) == '-')
			at++;
		while (formula_is_digit(formula_byte(parse, at)))
			at++;
	}
	/* "1x" is a number with a slip in it */
	while (formula_is_letter(formula_byte(parse, at)) ||
	       formula_is_digit(formula_byte(parse, at)))
		at++;
	parse->at = at;
	parse->token = TOKEN_NUMBER;
	return krn_parse_double(krn_str_from(parse->text.s + parse->start,
					     at - parse->start),
				&parse->number, NULL)
		   ? formula_refuse(parse, "a number must be decimal")
		   : KRN_OK;
}

/* 'text' or "text": all up to the same sign. */
static enum krn_err
formula_text(struct formula_parse *parse, char quote)
{
	size_t at = parse->start + 1;

	while (at < parse->text.len && parse->text.s[at] != quote)
		at++;
	if (at == parse->text.len)
		return formula_refuse_at(parse, parse->start,
					 "the text does not end");
	parse->token = TOKEN_TEXT;
	parse->word = krn_str_from(parse->text.s + parse->start + 1,
				   at - parse->start - 1);
	parse->at = at + 1;
	return KRN_OK;
}

/* A part of a name: behind it. */
static enum krn_err
formula_part(struct formula_parse *parse, size_t *at)
{
	const bool is_quoted = formula_byte(parse, *at) == '`';
	const size_t start = *at += is_quoted;

	while (*at < parse->text.len &&
	       (is_quoted ? parse->text.s[*at] != '`'
			  : formula_is_letter(parse->text.s[*at]) ||
				formula_is_digit(parse->text.s[*at])))
		++*at;
	if (*at == start)
		return formula_refuse_at(parse, start,
					 "a part of a name is missing");
	if (is_quoted && *at == parse->text.len)
		return formula_refuse_at(parse, start - 1,
					 "the name does not end with `");
	*at += is_quoted;
	return KRN_OK;
}

/* Parts with points between them; ` is left out. */
static enum krn_err
formula_name(struct formula_parse *parse)
{
	size_t at = parse->start, nr = 0;
	enum krn_err e;
	char *name;

	if ((e = formula_part(parse, &at)))
		return e;
	while (formula_byte(parse, at) == '.') {
		at++;
		if ((e = formula_part(parse, &at)))
			return e;
	}
	parse->token = TOKEN_NAME;
	parse->at = at;
	parse->word =
	    krn_str_from(parse->text.s + parse->start, at - parse->start);
	if (!memchr(parse->word.s, '`', parse->word.len))
		return KRN_OK;
	if (!(name = krn_arena_alloc(parse->arena, parse->word.len)))
		return krn_arena_fail(parse->arena, parse->err);
	for (size_t i = 0; i < parse->word.len; i++)
		if (parse->word.s[i] != '`')
			name[nr++] = parse->word.s[i];
	parse->word = krn_str_from(name, nr);
	return KRN_OK;
}

static bool
formula_sign_at(struct formula_parse *parse, const char *sign)
{
	const struct krn_str rest = krn_str_from(
	    parse->text.s + parse->start, parse->text.len - parse->start);

	if (!krn_str_has_prefix(rest, krn_str_c(sign)))
		return false;
	parse->token = TOKEN_SIGN;
	parse->at = parse->start + strlen(sign);
	return true;
}

enum krn_err
formula_next(struct formula_parse *parse)
{
	char c;

	while (parse->at < parse->text.len &&
	       memchr(" \t\r\n", parse->text.s[parse->at], 4))
		parse->at++;
	parse->start = parse->at;
	parse->token = TOKEN_END;
	if (parse->at == parse->text.len)
		return KRN_OK;
	c = parse->text.s[parse->at];
	if (formula_is_digit(c) ||
	    (c == '.' && formula_is_digit(formula_byte(parse, parse->at + 1))))
		return formula_number(parse);
	if (c == '\'' || c == '"')
		return formula_text(parse, c);
	if (formula_is_letter(c) || c == '`')
		return formula_name(parse);
	for (size_t i = 0; i < KRN_NR(formula_signs); i++)
		if (formula_sign_at(parse, formula_signs[i]))
			return KRN_OK;
	return formula_refuse_at(parse, parse->start,
				 c == '=' ? "equal is written =="
					  : "a sign that means nothing here");
}

bool
formula_is_sign(const struct formula_parse *parse, const char *sign)
{
	return parse->token == TOKEN_SIGN &&
	       krn_str_eq_c(krn_str_from(parse->text.s + parse->start,
					 parse->at - parse->start),
			    sign);
}
