/* Preloaded into a program, moves its wall clock by CLOCK_OFFSET_SECS and leaves every other clock alone.
 * The tests use it to meet a token that is genuine in everything and yet expired. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    static time_t offset;
    if (!real) {
        const char *text = getenv("CLOCK_OFFSET_SECS");
        offset = text ? strtol(text, NULL, 10) : 0;
        real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int status = real(clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += offset;
    }
    return status;
}
