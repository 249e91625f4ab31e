/*
 * The route table's own checks and its printed form.
 */

#include "base/base.h"

#include "fcgi/auth.h"
#include "fcgi/dispatch.h"

static const char *const route_auth_names[] = {
    "unset", "none", "viewer", "editor", "admin", "cron_secret", "cron_token", "operator"};
static const char *const route_pool_names[] = {"unset", "api", "cron", "both"};

/* What is wrong with the row, or NULL. */
static const char *
route_wrong(const struct krn_route *route)
{
	const unsigned writes = KRN_PUT | KRN_PATCH | KRN_DELETE;

	if (!route->path || route->path[0] != '/' || !route->name ||
	    !route->handler || !route->methods)
		return "path, name, methods or handler is missing";
	if (route->methods & (KRN_HEAD | KRN_OPTIONS))
		return "HEAD and OPTIONS are implied";
	if (route->auth == KRN_AUTH__UNSET)
		return "auth is unset";
	if (route->pool == KRN_POOL__UNSET)
		return "pool is unset";
	if (route->tx == KRN_TX__UNSET)
		return "tx is unset";
	if (route->body == KRN_BODY__UNSET)
		return "body is unset";
	if ((route->body == KRN_BODY_NONE) != (route->body_max == 0) &&
	    route->body != KRN_BODY_IGNORED)
		return "body_max does not go with body";
	if ((route->methods & writes) &&
	    (route->tx == KRN_TX_READ || route->tx == KRN_TX_SNAPSHOT))
		return "a write method in a read-only transaction";
	if (route->limit && !krn_auth_is_key(route))
		return "a limit is a tenant's, so it needs a key";
	if (route->limit && (route->limit->quota < 1 ||
			     route->limit->window_seconds < 1 ||
			     strpbrk(route->limit->name, "\"\\")))
		return "the limit is none";
	if (route->fields_nr > 64)
		return "more than 64 fields";
	if (route->fields_nr && route->fields_size < sizeof(struct krn_fields))
		return "fields without their struct";
	return NULL;
}

static bool
route_same(const struct krn_route *a, const struct krn_route *b)
{
	return strcmp(a->path, b->path) == 0 && (a->methods & b->methods);
}

enum krn_err
krn_routes_check(struct krn_error *err)
{
	for (size_t i = 0; i < krn_routes_nr; i++) {
		const struct krn_route *route = &krn_routes[i];
		const char *wrong = route_wrong(route);

		for (size_t k = 0; !wrong && k < i; k++)
			if (route_same(route, &krn_routes[k]))
				wrong = "a second row of path and method";
		if (wrong)
			return krn_fail(err, KRN_ERR_INTERNAL,
					"route %zu (%s): %s", i,
					route->path ? route->path : "?", wrong);
	}
	return KRN_OK;
}

void
krn_routes_print(FILE *out)
{
	static const char *const methods[] = {"GET",   "HEAD",   "POST", "PUT",
					      "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < krn_routes_nr; i++) {
		const struct krn_route *route = &krn_routes[i];

		for (size_t m = 0; m < KRN_NR(methods); m++)
			if (route->methods & 1u << m)
				fprintf(out, "%s\t%s\t%s\t%s\t%s\t%zu\n",
					methods[m], route->path, route->name,
					route_auth_names[route->auth],
					route_pool_names[route->pool],
					route->body_max);
	}
}
