#ifndef KRN_DOCTOR_H
#define KRN_DOCTOR_H

/*
 * kaireonctl doctor: is this host's part of a site as it should be? Each check
 * is a row of one table (cmd_doctor.c) and answers with a state, what it saw
 * and, when that is wrong, what to do. A check never stops the others.
 */

#include "ctl/ctl.h"

enum doctor_state { DOCTOR_OK, DOCTOR_WRONG, DOCTOR_SKIPPED };

struct doctor_answer {
	enum doctor_state state;
	struct krn_str detail;
	const char *remedy; /* of DOCTOR_WRONG */
};

/* What the checks look at; gathered once. */
struct doctor {
	struct krn_ctl *ctl;
	const struct krn_rows *state;  /* doctor_state; NULL: out of reach */
	const struct krn_rows *timers; /* doctor_timers */
	int64_t asked_us;              /* our clock when state was read */
};

typedef void (*doctor_fn)(const struct doctor *doctor,
			  struct doctor_answer *answer);

/* Say what was seen. */
KRN_PRINTF(3, 4)
void doctor_say(const struct doctor *doctor, struct doctor_answer *answer,
		const char *format, ...);

/* Say what is wrong, and what helps. */
KRN_PRINTF(4, 5)
void doctor_wrong(const struct doctor *doctor, struct doctor_answer *answer,
		  const char *remedy, const char *format, ...);

/* Of this host: doctor_host.c */
void doctor_secrets(const struct doctor *doctor, struct doctor_answer *answer);
void doctor_sockets(const struct doctor *doctor, struct doctor_answer *answer);
void doctor_site(const struct doctor *doctor, struct doctor_answer *answer);
void doctor_disk(const struct doctor *doctor, struct doctor_answer *answer);

/* doctor_replica.c */
void doctor_replica(const struct doctor *doctor, struct doctor_answer *answer);

#endif
