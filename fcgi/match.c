/*
 * Requests and rows of the route table.
 */

#include "base/base.h"

#include "fcgi/match.h"

/* Longer paths are no route of ours. */
#define PATH_MAX_BYTES 2048

static const struct {
	const char *name;
	enum krn_method method;
} match_methods[] = {
    {"GET", KRN_GET},         {"HEAD", KRN_HEAD},   {"POST", KRN_POST},
    {"PUT", KRN_PUT},         {"PATCH", KRN_PATCH}, {"DELETE", KRN_DELETE},
    {"OPTIONS", KRN_OPTIONS},
};

enum krn_method
krn_method_parse(struct krn_str name)
{
	for (size_t i = 0; name.s && i < KRN_NR(match_methods); i++)
		if (krn_str_eq_c(name, match_methods[i].name))
			return match_methods[i].method;
	return (enum krn_method)0;
}

const char *
krn_method_name(enum krn_method method)
{
	for (size_t i = 0; i < KRN_NR(match_methods); i++)
		if (match_methods[i].method == method)
			return match_methods[i].name;
	return "other";
}

/* Does the path fit the pattern? Fills the parameters. */
static bool
match_path_fits(const char *pattern, struct krn_str path,
		struct krn_str params[4])
{
	struct krn_str want = krn_str_c(pattern), part, segment;
	size_t nr = 0;

	for (;;) {
		const bool more_want = krn_str_split(&want, '/', &part);
		const bool more_path = krn_str_split(&path, '/', &segment);

		if (more_want != more_path)
			return false;
		if (!more_want)
			return true;
		if (part.len && part.s[0] == '{') {
			if (segment.len == 0 || nr == 4)
				return false;
			params[nr++] = segment;
		} else if (!krn_str_eq(part, segment)) {
			return false;
		}
	}
}

static bool
match_pool_fits(const struct krn_route *route, enum krn_pool pool)
{
	return route->pool == pool || route->pool == KRN_POOL_BOTH;
}

static unsigned
match_route_methods(const struct krn_route *route)
{
	const bool is_cron = route->auth == KRN_AUTH_CRON_SECRET ||
			     route->auth == KRN_AUTH_CRON_TOKEN;
	unsigned methods = route->methods | KRN_OPTIONS;

	if ((methods & KRN_GET) && !is_cron)
		methods |= KRN_HEAD;
	return methods;
}

void
krn_match(enum krn_pool pool, enum krn_method method, struct krn_str path,
	  struct krn_match *ret)
{
	bool is_literal = false; /* what was found so far */
	bool elsewhere = false;

	*ret = (struct krn_match){.route = NULL};
	if (path.len > PATH_MAX_BYTES || !krn_str_is_utf8(path))
		return;
	for (size_t i = 0; i < krn_routes_nr; i++) {
		const struct krn_route *route = &krn_routes[i];
		struct krn_str params[4] = {{NULL, 0}};
		const bool literal = !strchr(route->path, '{');

		if (!match_path_fits(route->path, path, params) ||
		    (is_literal && !literal))
			continue;
		if (!match_pool_fits(route, pool)) {
			ret->wrong_pool = true;
			elsewhere |= literal;
			continue;
		}
		if (literal && !is_literal) {
			is_literal = true;
			ret->allowed = 0;
			ret->route = NULL;
		}
		ret->allowed |= match_route_methods(route);
		if (!(match_route_methods(route) & method) ||
		    (method == KRN_OPTIONS && ret->route))
			continue;
		ret->route = route;
		memcpy(ret->params, params, sizeof(params));
	}
	/* its path is another pool's, whatever "{id}" would take here */
	if (elsewhere && !is_literal) {
		ret->allowed = 0;
		ret->route = NULL;
	}
}

void
krn_match_allow(const struct krn_match *match, struct krn_arena *arena,
		struct krn_response *response)
{
	struct krn_buf list;
	struct krn_str text;

	krn_buf_init(&list, arena);
	for (size_t i = 0; i < KRN_NR(match_methods); i++)
		if (match->allowed & match_methods[i].method)
			krn_buf_printf(&list, "%s%s", list.len ? ", " : "",
				       match_methods[i].name);
	if (krn_buf_end(&list, &text, NULL) == KRN_OK)
		krn_response_header(response, "Allow", text);
}
