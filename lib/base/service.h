#ifndef KRN_SERVICE_H
#define KRN_SERVICE_H

/*
 * What a program tells the service manager that started it: that it is ready,
 * and again and again that it lives. Without a manager ($NOTIFY_SOCKET unset)
 * all of it does nothing.
 *
 * Source: sd_notify(3), "notify protocol"; sd_watchdog_enabled(3). The process
 * that $WATCHDOG_PID names is the supervisor of a pool, not its processes, so
 * that variable is not looked at: NotifyAccess=all lets each of them tell.
 */

#include "base/base.h"

/* Once, when requests or jobs are taken from now on. */
void krn_service_ready(void);

/*
 * To be called wherever the program is seen to move on: between requests,
 * jobs and rows, and while it waits. Tells at most four times in the
 * interval that the manager asks for; cheap in between. Of other threads
 * than the first it is not taken for a sign of life.
 */
void krn_service_alive(void);

/*
 * How long a wait may last before krn_service_alive must be called again, in
 * milliseconds; -1: as long as one likes.
 */
int krn_service_patience_ms(void);

#endif
