/*
 * The floor of reading a bundle: libyaml alone reads the events of a file, as
 * often as it is told; prints the milliseconds of each time.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yaml.h>

static char *
slurp(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long len;

	if (!file)
		return NULL;
	if (fseek(file, 0, SEEK_END) == 0 && (len = ftell(file)) >= 0) {
		rewind(file);
		text = malloc((size_t)len + 1);
		*ret_len = text ? fread(text, 1, (size_t)len, file) : 0;
	}
	fclose(file);
	return text;
}

static int
events(const char *text, size_t len)
{
	yaml_parser_t parser;
	yaml_event_t event;
	int last;

	if (!yaml_parser_initialize(&parser))
		return 0;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	do {
		if (!yaml_parser_parse(&parser, &event))
			return 0;
		last = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	} while (!last);
	yaml_parser_delete(&parser);
	return 1;
}

int
main(int argc, char **argv)
{
	size_t len = 0;
	char *text = argc == 3 ? slurp(argv[1], &len) : NULL;

	for (int i = 0; text && i < atoi(argv[2]); i++) {
		struct timespec from, to;

		clock_gettime(CLOCK_MONOTONIC, &from);
		if (!events(text, len))
			return 1;
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%.3f\n", (double)(to.tv_sec - from.tv_sec) * 1e3 +
				     (double)(to.tv_nsec - from.tv_nsec) / 1e6);
	}
	free(text);
	return text ? 0 : 1;
}
