/* Preloaded into a program, kills it (SIGKILL) at a chosen change of a file. CRASH_FILE holds two numbers that the test sets while
 * the program runs: how many changes are left until it dies (0: it lives on), and whether the last one happens before the death (2),
 * by half (1) or not at all (0). Writes, truncations, flushes, renames and removals of regular files count; sockets do not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOT_AT_ALL, BY_HALF, WHOLE };

static struct plan {
    int64_t left;
    int64_t how;
} *plan;

__attribute__((constructor)) static void find_plan(void) {
    const char *path = getenv("CRASH_FILE");
    int file = path ? open(path, O_RDWR) : -1;
    void *shared = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    plan = shared == MAP_FAILED ? NULL : shared;
}

/* Whether this change is the last one. */
static int last(void) {
    return plan && __atomic_load_n(&plan->left, __ATOMIC_SEQ_CST) > 0 && __atomic_sub_fetch(&plan->left, 1, __ATOMIC_SEQ_CST) == 0;
}

static int last_of(int file) {
    struct stat about;
    return plan && fstat(file, &about) == 0 && S_ISREG(about.st_mode) && last();
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) {
        pause();
    }
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

/* A change that happens by half is a write of half its bytes. */
#define WRITE(name, offset_type, offset_argument, offset) \
    ssize_t name(int file, const void *bytes, size_t count offset_argument) { \
        REAL(ssize_t, name, int, const void *, size_t offset_type); \
        if (last_of(file)) { \
            if (plan->how != NOT_AT_ALL) real(file, bytes, plan->how == BY_HALF ? count / 2 : count offset); \
            die(); \
        } \
        return real(file, bytes, count offset); \
    }

#define COMMA ,
WRITE(write, , , )
WRITE(pwrite, COMMA off_t, COMMA off_t at, COMMA at)
WRITE(pwrite64, COMMA off64_t, COMMA off64_t at, COMMA at)

#define CHANGE(name, counts, types, declared, given) \
    int name declared { \
        REAL(int, name, types); \
        if (counts) { \
            if (plan->how == WHOLE) real given; \
            die(); \
        } \
        return real given; \
    }

#define TWO(a, b) a, b
CHANGE(fsync, last_of(file), int, (int file), (file))
CHANGE(fdatasync, last_of(file), int, (int file), (file))
CHANGE(ftruncate, last_of(file), TWO(int, off_t), (int file, off_t size), (file, size))
CHANGE(ftruncate64, last_of(file), TWO(int, off64_t), (int file, off64_t size), (file, size))
CHANGE(rename, last(), TWO(const char *, const char *), (const char *from, const char *to), (from, to))
CHANGE(unlink, last(), const char *, (const char *path), (path))
