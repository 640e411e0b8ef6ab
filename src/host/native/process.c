/* Clocks; signals as bytes to read, so that no handler runs in the middle of something. */
#define _GNU_SOURCE /* signalfd, clock_gettime */
#include "host/native/process.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>

struct now process_now(void)
{
    struct timespec mono, unix_time;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &unix_time);
    return (struct now){.mono_ms = (int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
                        .unix_ms = (int64_t)unix_time.tv_sec * 1000 + unix_time.tv_nsec / 1000000};
}

int64_t process_mono_us(void)
{
    struct timespec mono;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    return (int64_t)mono.tv_sec * 1000000 + mono.tv_nsec / 1000;
}

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
