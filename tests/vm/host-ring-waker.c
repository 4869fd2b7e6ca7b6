// Wakes the render server's ring threads a few times a second, preloaded into QEMU and what it
// starts.
//
// Venus' commands go through a ring in shared memory, which the render server's thread polls until
// nothing has come for some milliseconds; then it marks the ring idle and sleeps on a condition
// variable until the guest's driver, having seen the mark, notifies it. Nothing else wakes that
// thread, and a notification can be lost: the driver stores the ring's tail and loads the mark with
// no full barrier between them, and sends none soon after its last one. Then a driver that waits
// for an answer waits for ever.
//
// A condition variable may wake without a signal, so here those threads' waits end after a while;
// the thread looks at its ring again and goes on. Nothing else in the machine is touched.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum { WAIT_MS = 250 };

static int is_ring_thread(void) {
    char name[16] = "";
    return prctl(PR_GET_NAME, name) == 0 && strncmp(name, "vkr-ring", 8) == 0;
}

static struct timespec soon(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += WAIT_MS * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec += 1;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
    static int (*real)(pthread_cond_t*, pthread_mutex_t*);
    if (is_ring_thread()) {
        const struct timespec at = soon();
        pthread_cond_timedwait(condition, mutex, &at);
        return 0;
    }
    if (!real)
        real = (int (*)(pthread_cond_t*, pthread_mutex_t*))dlsym(RTLD_NEXT, "pthread_cond_wait");
    return real(condition, mutex);
}
