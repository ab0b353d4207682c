/* Hashes with the reference library as often as it is told to, and says how long that took.
 *
 * A number on each line of the input; for each a line with nanoseconds of processor time and the
 * digest. With an argument, the memory is mapped once on huge pages, and not wiped: as Spare Key
 * has it. Without, the library does as it does by itself.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "argon2.h"
#include "core.h"

static const size_t huge = (size_t)2 << 20;
static uint8_t *mapped;

static int lend(uint8_t **memory, size_t bytes) {
    if (mapped == NULL) {
        uint8_t *start = mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED) {
            return ARGON2_MEMORY_ALLOCATION_ERROR;
        }
        mapped = (uint8_t *)(((uintptr_t)start + huge - 1) / huge * huge);
        madvise(mapped, bytes / huge * huge, MADV_HUGEPAGE);
    }
    *memory = mapped;
    return 0;
}

static void take_back(uint8_t *memory, size_t bytes) {
    (void)memory;
    (void)bytes;
}

static long long processor_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int count, char **arguments) {
    (void)arguments;
    uint8_t out[32], salt[16], secret[32], data[32];
    char password[] = "KZ3MQ7TBWJ5RHXYN";
    memset(salt, 2, sizeof salt);
    memset(secret, 3, sizeof secret);
    memset(data, 4, sizeof data);
    argon2_context context;
    memset(&context, 0, sizeof context);
    context.out = out;
    context.outlen = sizeof out;
    context.pwd = (uint8_t *)password;
    context.pwdlen = sizeof password - 1;
    context.salt = salt;
    context.saltlen = sizeof salt;
    context.secret = secret;
    context.secretlen = sizeof secret;
    context.ad = data;
    context.adlen = sizeof data;
    context.t_cost = 2;
    context.m_cost = 19456;
    context.lanes = 1;
    context.threads = 1;
    context.version = ARGON2_VERSION_13;
    if (count > 1) {
        context.allocate_cbk = lend;
        context.free_cbk = take_back;
        FLAG_clear_internal_memory = 0;
    }
    char line[32];
    while (fgets(line, sizeof line, stdin) != NULL) {
        long wanted = atol(line);
        long long start = processor_time();
        for (long done = 0; done < wanted; done++) {
            if (argon2_ctx(&context, Argon2_id) != ARGON2_OK) {
                return 1;
            }
        }
        printf("%lld ", processor_time() - start);
        for (size_t at = 0; at < sizeof out; at++) {
            printf("%02x", out[at]);
        }
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
