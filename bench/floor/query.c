/*
 * A floor: a libfcgi worker that runs one prepared query a request and prints
 * the rows. FLOOR_URL is the database, FLOOR_QUERY the query.
 */

#include <fcgiapp.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static PGconn *
query_connect(void)
{
	const char *url = getenv("FLOOR_URL");
	const char *query = getenv("FLOOR_QUERY");

	if (!url || !query)
		return NULL;
	PGconn *conn = PQconnectdb(url);
	PGresult *result = PQprepare(conn, "floor", query, 0, NULL);

	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		fprintf(stderr, "floor: %s", PQerrorMessage(conn));
		PQclear(result);
		PQfinish(conn);
		return NULL;
	}
	PQclear(result);
	return conn;
}

/* The body comes first: nginx is to know its length, as with ours. */
static int
query_print(const PGresult *result, FCGX_Stream *out)
{
	char *body = NULL;
	size_t len = 0;
	FILE *text = open_memstream(&body, &len);

	if (!text)
		return -1;
	for (int row = 0; row < PQntuples(result); row++) {
		for (int column = 0; column < PQnfields(result); column++) {
			if (column)
				fputc('\t', text);
			fputs(PQgetvalue(result, row, column), text);
		}
		fputc('\n', text);
	}
	if (fclose(text) == 0) {
		FCGX_FPrintF(out,
			     "Content-Type: text/plain\r\n"
			     "Content-Length: %d\r\n\r\n",
			     (int)len);
		FCGX_PutStr(body, (int)len, out);
	}
	free(body);
	return 0;
}

int
main(void)
{
	PGconn *conn = query_connect();
	FCGX_Request request;

	if (!conn || FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		PGresult *result =
		    PQexecPrepared(conn, "floor", 0, NULL, NULL, NULL, 0);

		if (PQresultStatus(result) != PGRES_TUPLES_OK ||
		    query_print(result, request.out) != 0)
			FCGX_FPrintF(request.out, "Status: 500\r\n\r\n");
		PQclear(result);
		FCGX_Finish_r(&request);
	}
	PQfinish(conn);
	return 0;
}
