/*
 * A floor: the least that a libfcgi worker can do for a request.
 */

#include <fcgiapp.h>

int
main(void)
{
	static const char body[] = "{\"status\":\"ok\"}";
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_FPrintF(request.out,
			     "Content-Type: application/json\r\n"
			     "Content-Length: %d\r\n\r\n%s",
			     (int)sizeof(body) - 1, body);
		FCGX_Finish_r(&request);
	}
	return 0;
}
