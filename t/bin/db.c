/*
 * For the tests: lib/store by hand. Reads commands from standard input, one a
 * line, words separated by tabs; answers each with one line.
 *
 *	db URL
 *
 *	connect                      begin read|snapshot|write|plan
 *	send STATEMENT [PARAMETER…]  post  flush  commit  rollback
 *	named STATEMENT NAMES [PARAMETER…]
 *	rows N                       the rows of the N-th send of the
 *transaction copyin STATEMENT NAMES       put ROW  end  abort copyout STATEMENT
 *NAMES      all rows; or: copyfirst, the first and stop listen wait
 *MILLISECONDS trips                        round trips of the transaction
 *
 * NAMES are separated by "|", names within a list by ",". Words are escaped as
 * in COPY; \N is NULL. An answer is "ok …" or "ERROR id sqlstate message
 * detail".
 */

#include "base/base.h"

#include "base/buf.h"
#include "base/option.h"
#include "store/copy.h"
#include "store/notify.h"

#define WORDS_MAX 32

static struct krn_arena *db_arena; /* of a transaction */
static struct krn_db *db;
static const struct krn_rows *db_rows[WORDS_MAX];
static size_t db_rows_nr;

static enum krn_stmt
db_statement(struct krn_str name)
{
	for (int i = 0; i < KRN_STMT__MAX; i++)
		if (krn_str_eq_c(name, krn_stmt_row((enum krn_stmt)i)->name))
			return (enum krn_stmt)i;
	fprintf(stderr, "no statement \"%.*s\"\n", KRN_STR_ARG(name));
	exit(2);
}

static void
db_print_row(struct krn_buf *out, const struct krn_str *fields, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		krn_buf_add_char(out, '\t');
		krn_copy_field(out, fields[i]);
	}
}

/* "a|b,c": two names, of which the second is a list. */
static void
db_names(struct krn_str text, struct krn_str names[8])
{
	char *s = krn_str_cstr(db_arena, text);
	struct krn_str rest = krn_str_c(s);

	for (; *s; s++)
		if (*s == ',')
			*s = '\x1f';
	for (size_t i = 0; i < 8; i++)
		if (!krn_str_split(&rest, '|', &names[i]))
			names[i] = KRN_STR("");
}

static enum krn_err
db_copy_out(struct krn_buf *out, enum krn_stmt stmt,
	    const struct krn_str *names, bool first_only, struct krn_error *err)
{
	struct krn_str fields[WORDS_MAX];
	struct krn_copy_row row;
	enum krn_err e = krn_copy_out_begin(db, stmt, names, err);
	int64_t nr = 0;

	while (!e && !(e = krn_copy_out_next(db, &row, err)) && row.s) {
		const size_t n = krn_copy_split(row, fields, WORDS_MAX);

		nr++;
		db_print_row(out, fields, n);
		if (first_only) {
			krn_copy_out_abort(db);
			break;
		}
	}
	krn_buf_printf(out, "\t%lld", (long long)nr);
	return e;
}

static enum krn_err
db_begin(struct krn_str how, struct krn_error *err)
{
	krn_db_rollback(db);
	krn_arena_reset(db_arena);
	db_rows_nr = 0;
	memset(db_rows, 0, sizeof(db_rows));
	return krn_db_begin(db, db_arena,
			    krn_str_eq_c(how, "read")       ? KRN_TX_READ
			    : krn_str_eq_c(how, "snapshot") ? KRN_TX_SNAPSHOT
			    : krn_str_eq_c(how, "plan")     ? KRN_TX_PLAN
							    : KRN_TX_WRITE,
			    err);
}

static void
db_send(const struct krn_str *words, size_t nr, bool named)
{
	const enum krn_stmt stmt = db_statement(words[1]);
	struct krn_param params[WORDS_MAX];
	struct krn_str names[8];
	const size_t skip = named ? 3 : 2;

	for (size_t i = skip; i < nr; i++)
		params[i - skip] = krn_param_str(words[i]);
	if (named) {
		db_names(words[2], names);
		krn_db_send_named(db, stmt, names, params,
				  &db_rows[db_rows_nr++]);
	} else {
		krn_db_send(db, stmt, params, &db_rows[db_rows_nr++]);
	}
}

static void
db_print_rows(struct krn_buf *out, const struct krn_rows *rows, int columns)
{
	for (size_t r = 0; rows && r < krn_rows_nr(rows); r++) {
		struct krn_str fields[WORDS_MAX];

		for (int c = 0; c < columns; c++)
			fields[c] = krn_rows_str(rows, r, (size_t)c);
		db_print_row(out, fields, (size_t)columns);
	}
}

static enum krn_err
db_put(struct krn_str row, struct krn_error *err)
{
	struct krn_buf buf;

	/* the word was unescaped: its tabs separate fields here */
	krn_buf_init(&buf, db_arena);
	krn_buf_add_str(&buf, row);
	krn_buf_add_char(&buf, '\n');
	return krn_copy_in_put(db, buf.data, buf.len, err);
}

static enum krn_err
db_stream(const struct krn_str *words, struct krn_buf *out,
	  struct krn_error *err)
{
	struct krn_str names[8];
	int64_t number = 0;
	enum krn_err e;

	if (krn_str_eq_c(words[0], "put"))
		return db_put(words[1], err);
	if (krn_str_eq_c(words[0], "end")) {
		e = krn_copy_in_end(db, &number, err);
		krn_buf_printf(out, "\t%lld", (long long)number);
		return e;
	}
	if (krn_str_eq_c(words[0], "abort")) {
		krn_copy_in_abort(db);
		return KRN_OK;
	}
	db_names(words[2], names);
	if (krn_str_eq_c(words[0], "copyin"))
		return krn_copy_in_begin(db, db_statement(words[1]), names,
					 err);
	return db_copy_out(out, db_statement(words[1]), names,
			   krn_str_eq_c(words[0], "copyfirst"), err);
}

static enum krn_err
db_command(const struct krn_str *words, size_t nr, struct krn_buf *out,
	   struct krn_error *err)
{
	const struct krn_str verb = words[0];
	int64_t number = 0;
	bool notified = false;
	enum krn_err e = KRN_OK;

	if (krn_str_eq_c(verb, "connect"))
		return krn_db_connect(db, err);
	if (krn_str_eq_c(verb, "begin"))
		return db_begin(words[1], err);
	if (krn_str_eq_c(verb, "flush"))
		return krn_db_flush(db, err);
	if (krn_str_eq_c(verb, "commit"))
		return krn_db_commit(db, err);
	if (krn_str_eq_c(verb, "listen"))
		return krn_notify_listen(db, err);
	if (krn_str_eq_c(verb, "send") || krn_str_eq_c(verb, "named")) {
		db_send(words, nr, krn_str_eq_c(verb, "named"));
	} else if (krn_str_eq_c(verb, "post")) {
		krn_db_post(db);
	} else if (krn_str_eq_c(verb, "rollback")) {
		krn_db_rollback(db);
	} else if (krn_str_eq_c(verb, "rows")) {
		(void)!krn_parse_int64(words[1], 0, WORDS_MAX, &number, NULL);
		const struct krn_rows *rows = db_rows[number];

		(void)!krn_parse_int64(words[2], 0, WORDS_MAX, &number, NULL);
		db_print_rows(out, rows, (int)number);
	} else if (krn_str_eq_c(verb, "wait")) {
		(void)!krn_parse_int64(words[1], 0, 100000, &number, NULL);
		e = krn_notify_wait(db, (int)number, NULL, &notified, err);
		krn_buf_add_c(out, notified ? "\tyes" : "\tno");
	} else if (krn_str_eq_c(verb, "trips")) {
		krn_buf_printf(out, "\t%lld",
			       (long long)krn_db_round_trips(db));
	} else {
		e = db_stream(words, out, err);
	}
	return e;
}

static void
db_answer(struct krn_arena *arena, enum krn_err e, const struct krn_error *err,
	  struct krn_str more)
{
	if (!e) {
		printf("ok%.*s\n", KRN_STR_ARG(more));
	} else {
		const struct krn_str words[] = {
		    krn_str_c(krn_err_row(e)->id), krn_str_c(err->sqlstate),
		    krn_str_c(err->message), krn_str_c(err->detail)};
		struct krn_buf out;

		krn_buf_init(&out, arena);
		db_print_row(&out, words, KRN_NR(words));
		printf("ERROR%.*s\n", (int)out.len, out.data);
	}
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct krn_arena *options_arena = krn_arena_new(0);
	struct krn_options options;
	struct krn_error err;
	static char line[1 << 20];

	db_arena = krn_arena_new(0);
	if (argc != 2 || !options_arena || !db_arena ||
	    krn_options_load(options_arena, &options, &err))
		return 2;
	db = krn_db_new(krn_str_c(argv[1]), "db", &options);
	while (db && fgets(line, sizeof(line), stdin)) {
		struct krn_arena *arena = krn_arena_new(0);
		struct krn_str words[WORDS_MAX] = {{NULL, 0}}, more;
		struct krn_buf out;
		size_t nr;

		line[strcspn(line, "\n")] = '\0';
		nr = krn_copy_split((struct krn_copy_row){line, strlen(line)},
				    words, WORDS_MAX);
		for (size_t i = nr; i < WORDS_MAX; i++)
			words[i] = KRN_STR("");
		krn_buf_init(&out, arena);
		err = (struct krn_error){.code = KRN_OK};
		const enum krn_err e = db_command(words, nr, &out, &err);

		if (krn_buf_end(&out, &more, &err) == KRN_OK)
			db_answer(arena, e, &err, more);
		krn_arena_free(arena);
	}
	krn_db_free(db);
	krn_arena_free(db_arena);
	krn_arena_free(options_arena);
	return 0;
}
