/*
 * Health and readiness.
 */

#include "base/base.h"

#include "fcgi/route_health.h"

#include "base/json_out.h"
#include "store/migrate.h"

enum krn_err
krn_route_health(struct krn_request *request KRN_UNUSED,
		 struct krn_response *response, struct krn_error *err KRN_UNUSED)
{
	struct krn_json_out out;

	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "status", "ok");
	krn_json_close(&out);
	krn_json_end(&out);
	return KRN_OK;
}

enum krn_err
krn_route_ready(struct krn_request *request, struct krn_response *response,
		struct krn_error *err)
{
	const struct krn_rows *rows;
	struct krn_json_out out;
	enum krn_err e;

	if ((e = krn_db_begin(request->db, request->arena, KRN_TX_READ, err)))
		return e;
	krn_db_send(request->db, KRN_STMT_health_ready, NULL, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return krn_fail(err, KRN_ERR_UNAVAILABLE,
				"the database does not answer as it should");
	const long long version = (long long)krn_rows_int(rows, 0, 0);
	const long long oldest = (long long)krn_rows_int(rows, 0, 1);

	if (version < krn_migrate_version())
		return krn_refuse(err, KRN_ERR_UNAVAILABLE,
				  "the database's schema is version %lld, the "
				  "program needs %d",
				  version, krn_migrate_version());
	/* a later schema that only has more serves this program too */
	if (oldest > krn_migrate_version())
		return krn_refuse(err, KRN_ERR_UNAVAILABLE,
				  "the database's schema serves programs from "
				  "version %lld on, this one is %d",
				  oldest, krn_migrate_version());
	krn_json_init(&out, &response->body);
	krn_json_obj_open(&out, NULL);
	krn_json_c(&out, "status", "ready");
	krn_json_obj_open(&out, "checks");
	krn_json_c(&out, "database", "ok");
	krn_json_c(&out, "schema", "ok");
	krn_json_c(&out, "queue", "ok");
	krn_json_close(&out);
	krn_json_close(&out);
	krn_json_end(&out);
	return KRN_OK;
}
