/*
 * Answers that are one document.
 */

#include "base/base.h"

#include "fcgi/document.h"

enum krn_err
krn_document_answer(struct krn_request *request, struct krn_response *response,
		    enum krn_stmt stmt, const struct krn_param *params,
		    const char *noun, struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(request->db, stmt, params, &rows);
	/* what was changed commits with the answer that is kept of it */
	e = request->route->tx == KRN_TX_READ ? krn_db_commit(request->db, err)
					      : krn_db_flush(request->db, err);
	if (e)
		return e;
	if (krn_rows_nr(rows) == 0 || krn_rows_is_null(rows, 0, 0))
		return krn_refuse(err, KRN_ERR_NOTFOUND, "no such %s", noun);
	krn_buf_add_str(&response->body, krn_rows_str(rows, 0, 0));
	response->rows = 1;
	return KRN_OK;
}

enum krn_err
krn_document_list(struct krn_request *request, struct krn_response *response,
		  enum krn_stmt stmt, const struct krn_param *params,
		  struct krn_error *err)
{
	const struct krn_rows *rows;
	enum krn_err e;

	krn_db_send(request->db, stmt, params, &rows);
	if ((e = krn_db_commit(request->db, err)))
		return e;
	krn_buf_add_str(&response->body, krn_rows_str(rows, 0, 0));
	response->rows = krn_rows_int(rows, 0, 1);
	return KRN_OK;
}
