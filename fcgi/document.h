#ifndef KRN_FCGI_DOCUMENT_H
#define KRN_FCGI_DOCUMENT_H

/* Answers that are one document, as a statement's first column has it. */

#include "fcgi/route.h"

/*
 * Answer with the document of a statement, or 404 "no such <noun>" when it
 * gives no row or NULL. On a route that reads, its transaction ends with it.
 * Errors: KRN_ERR_NOTFOUND, and as krn_db_commit
 */
KRN_MUSTCHECK enum krn_err
krn_document_answer(struct krn_request *request, struct krn_response *response,
		    enum krn_stmt stmt, const struct krn_param *params,
		    const char *noun, struct krn_error *err);

/*
 * Answer with the document of a statement that gives one row: the document, and
 * of how many rows it tells. Its transaction ends with it.
 * Errors: as krn_db_commit
 */
KRN_MUSTCHECK enum krn_err
krn_document_list(struct krn_request *request, struct krn_response *response,
		  enum krn_stmt stmt, const struct krn_param *params,
		  struct krn_error *err);

#endif
