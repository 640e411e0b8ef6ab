/* What the process asks of the system for itself. */
#ifndef HOST_NATIVE_PROCESS_H
#define HOST_NATIVE_PROCESS_H

#include "base/base.h"

/* Both clocks. */
struct now process_now(void);
int64_t process_mono_us(void); /* to measure with */

/* At most n open descriptors from now on; fewer where the system allows no more. */
void process_limit_descriptors(size_t n);

/* SIGTERM and SIGINT no longer end the process but can be read from the descriptor (signalfd),
 * which the caller closes; SIGPIPE is ignored. -1: errno says why. */
int process_signals_open(void) MUST_USE;

#endif
