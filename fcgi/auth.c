/*
 * Authentication.
 */

#include "base/base.h"

#include "fcgi/auth.h"

#include "access/apikey.h"
#include "base/address.h"

/* The token behind "Bearer "; .s NULL when the header is of another kind. */
static struct krn_str
auth_bearer(struct krn_str header)
{
	const struct krn_str scheme = KRN_STR("Bearer ");

	if (header.len <= scheme.len ||
	    !krn_str_eq_nocase(krn_str_from(header.s, scheme.len), scheme))
		return (struct krn_str){NULL, 0};
	return krn_str_from(header.s + scheme.len, header.len - scheme.len);
}

/* Cron */

static bool
auth_secret_is(struct krn_str given, struct krn_str secret,
	       struct krn_str previous)
{
	/* both are always compared: the time tells nothing */
	const bool is_current = krn_secret_eq(secret, given);
	const bool is_previous = krn_secret_eq(previous, given);

	return is_current || is_previous;
}

/*
 * Every header that is there must match, and one must be there. nginx joins
 * a repeated header with ", ", which matches nothing.
 */
static enum krn_err
auth_cron(const struct krn_options *options, bool is_tick,
	  const struct krn_credentials *credentials, struct krn_error *err)
{
	const bool own = is_tick && options->cron_token.len;
	const struct krn_str secret =
	    own ? options->cron_token : options->cron_secret;
	const struct krn_str previous =
	    own ? options->cron_token_previous : options->cron_secret_previous;
	const struct krn_str given[] = {
	    credentials->authorization.s
		? auth_bearer(credentials->authorization)
		: credentials->authorization,
	    credentials->cron_secret,
	    is_tick ? credentials->cron_token : (struct krn_str){NULL, 0},
	};
	bool any = false,
	     all = credentials->authorization.s == NULL || given[0].s != NULL;

	for (size_t i = 0; i < KRN_NR(given); i++) {
		if (!given[i].s)
			continue;
		any = true;
		all &= auth_secret_is(given[i], secret, previous);
	}
	if (secret.len && any && all)
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_UNAUTHORIZED,
			  "the cron secret is required");
}

/* The tenant header */

/* Is the address in one of the ranges, which commas separate? */
static bool
auth_address_listed(struct krn_str list, struct krn_str text)
{
	struct krn_address address;

	return text.s && krn_address_parse(text, &address) &&
	       krn_address_listed(list, &address);
}

static bool
auth_tenant_header_allowed(const struct krn_options *options,
			   struct krn_str address)
{
	enum krn_role role;

	return krn_role_parse(options->tenant_header_role, &role) &&
	       auth_address_listed(options->tenant_header_from, address);
}

/* Operators: the host itself, by whatever way, and who METRICS_ALLOW names. */
static enum krn_err
auth_operator(const struct krn_options *options, struct krn_str address,
	      struct krn_error *err)
{
	if (krn_str_eq_c(address, "unix:") ||
	    auth_address_listed(KRN_STR("127.0.0.0/8,::1"), address) ||
	    auth_address_listed(options->metrics_allow, address))
		return KRN_OK;
	return krn_refuse(err, KRN_ERR_FORBIDDEN, "this is for operators only");
}

/* API keys */

static enum krn_err
auth_key(const struct krn_request *request,
	 const struct krn_credentials *credentials, struct krn_identity *ret,
	 struct krn_error *err)
{
	const struct krn_str named = credentials->api_key;
	const struct krn_str bearer =
	    credentials->authorization.s
		? auth_bearer(credentials->authorization)
		: (struct krn_str){NULL, 0};

	ret->key = named.s ? named : bearer;
	if (credentials->authorization.s && !bearer.s)
		return krn_fail(err, KRN_ERR_UNAUTHORIZED,
				"the Authorization header is not Bearer");
	if (named.s && bearer.s && !krn_str_eq(named, bearer))
		return krn_fail(err, KRN_ERR_UNAUTHORIZED,
				"two different keys were given");
	if (!ret->key.s && credentials->tenant_id.s &&
	    auth_tenant_header_allowed(request->options,
				       credentials->remote_address)) {
		ret->tenant = credentials->tenant_id;
		return KRN_OK;
	}
	if (!ret->key.s)
		return krn_fail(err, KRN_ERR_UNAUTHORIZED, "no key was given");
	if (!krn_apikey_is(ret->key) || !request->options->api_key_pepper.len)
		return krn_fail(err, KRN_ERR_UNAUTHORIZED,
				"the key is not of the form of a key");
	return KRN_OK;
}

enum krn_err
krn_auth_read(const struct krn_request *request,
	      const struct krn_credentials *credentials,
	      struct krn_identity *ret, struct krn_error *err)
{
	*ret = (struct krn_identity){{NULL, 0}, {NULL, 0}, NULL};
	switch (request->route->auth) {
	case KRN_AUTH_NONE:
		return KRN_OK;
	case KRN_AUTH_CRON_SECRET:
	case KRN_AUTH_CRON_TOKEN:
		return auth_cron(request->options,
				 request->route->auth == KRN_AUTH_CRON_TOKEN,
				 credentials, err);
	case KRN_AUTH_OPERATOR:
		return auth_operator(request->options,
				     credentials->remote_address, err);
	case KRN_AUTH_VIEWER:
	case KRN_AUTH_EDITOR:
	case KRN_AUTH_ADMIN:
		return auth_key(request, credentials, ret, err);
	case KRN_AUTH__UNSET:
		break;
	}
	return krn_fail(err, KRN_ERR_UNAUTHORIZED, "the route has no auth");
}

bool
krn_auth_is_key(const struct krn_route *route)
{
	return route->auth == KRN_AUTH_VIEWER ||
	       route->auth == KRN_AUTH_EDITOR || route->auth == KRN_AUTH_ADMIN;
}

static const char *
auth_minimum_role(enum krn_auth auth)
{
	return auth == KRN_AUTH_VIEWER   ? "viewer"
	       : auth == KRN_AUTH_EDITOR ? "editor"
					 : "admin";
}

static struct krn_param
auth_key_hash(struct krn_request *request, const struct krn_identity *identity)
{
	unsigned char hash[KRN_SHA256_BYTES];

	krn_apikey_hash(request->options->api_key_pepper, identity->key, hash);
	return krn_param_bytes(request->arena, hash, sizeof(hash));
}

void
krn_auth_send(struct krn_request *request, struct krn_identity *identity)
{
	const struct krn_param minimum =
	    krn_param_c(auth_minimum_role(request->route->auth));

	if (identity->tenant.s) {
		const struct krn_param params[] = {
		    krn_param_str(identity->tenant),
		    krn_param_str(request->options->tenant_header_role),
		    minimum,
		};

		krn_db_send(request->db, KRN_STMT_authenticate_tenant, params,
			    &identity->rows);
		return;
	}
	const struct krn_param params[] = {
	    auth_key_hash(request, identity),
	    minimum,
	    krn_param_c(request->route->name),
	};

	krn_db_send(request->db, KRN_STMT_authenticate, params,
		    &identity->rows);
}

void
krn_auth_take(struct krn_request *request, const struct krn_identity *identity)
{
	const struct krn_rows *rows = identity->rows;
	struct krn_caller *caller = &request->caller;

	if (!rows || caller->role != KRN_ROLE__UNSET)
		return;
	caller->tenant_id = krn_rows_str(rows, 0, 0);
	KRN_BUG_IF(!krn_role_parse(krn_rows_str(rows, 0, 1), &caller->role));
	caller->actor_id = krn_rows_str(rows, 0, 2);
	caller->actor_name = krn_rows_str(rows, 0, 3);
	caller->epoch = krn_rows_int(rows, 0, 4);
}

enum krn_err
krn_auth_note_use(struct krn_request *request,
		  const struct krn_identity *identity, struct krn_error *err)
{
	enum krn_err e;

	if (!identity->rows || !identity->key.s ||
	    !krn_rows_bool(identity->rows, 0, 5))
		return KRN_OK;
	if ((e = krn_db_begin(request->db, request->arena, KRN_TX_WRITE, err)))
		return e;
	const struct krn_param params[] = {auth_key_hash(request, identity)};

	krn_db_send(request->db, KRN_STMT_apikey_used, params, NULL);
	return krn_db_commit(request->db, err);
}
