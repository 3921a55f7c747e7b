/* Makes every fdatasync take a millisecond, preloaded into a server whose disk is too good.
 *
 * The real call is made first, and what is left of the millisecond is slept. Nothing else changes,
 * so a server that syncs once for many bookings shows what that is worth on a slow disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TOTAL_NANOSECONDS 1000000

int fdatasync(int file) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TOTAL_NANOSECONDS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec += 1;
    }
    int result = (int)syscall(SYS_fdatasync, file);
    int saved = errno;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
    errno = saved;
    return result;
}
