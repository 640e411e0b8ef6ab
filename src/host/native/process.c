/* Signals as bytes to read, so that no handler runs in the middle of something. */
#define _GNU_SOURCE /* signalfd */
#include "host/native/process.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

void process_limit_descriptors(size_t n)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max > n ? n : limit.rlim_max; /* infinity is larger */
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int process_signals_open(void)
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    return signalfd(-1, &ending, SFD_NONBLOCK | SFD_CLOEXEC);
}
