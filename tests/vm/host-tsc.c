// Prints the frequency of this machine's time stamp counter in kHz.
//
// The emulated processor's counter is the machine's own, and the guest's clock stands on it. The
// guest's kernel would measure its frequency at boot against an emulated timer: on a busy machine
// it was seen to find a fiftieth of it, and then each second in the guest, and each of its time
// limits, is over in 20 ms. Here it is measured against the machine's clock, between two moments
// each of which is known to a microsecond or so.
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct moment {
    uint64_t ticks;
    int64_t ns;
};

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// Of several looks the one in which least time passed between reading one clock and the other.
static struct moment look(void) {
    struct moment best = {0, 0};
    int64_t narrowest = INT64_MAX;
    for (int i = 0; i < 50; ++i) {
        const int64_t before = now_ns();
        const uint64_t ticks = __rdtsc();
        const int64_t after = now_ns();
        if (after - before < narrowest) {
            narrowest = after - before;
            best = (struct moment){ticks, before + (after - before) / 2};
        }
    }
    return best;
}

int main(void) {
    const struct moment from = look();
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    nanosleep(&pause, NULL);
    const struct moment to = look();
    printf("%.0f\n", (double)(to.ticks - from.ticks) * 1e6 / (double)(to.ns - from.ns));
}
