/* The device of the three-layer demonstration: a process that serves registers.h in POSIX shared memory until its standard
 * input ends. usage: server NAME */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "registers.h"

int main(int argc, char **argv)
{
    int fd = argc == 2 ? shm_open(argv[1], O_RDWR | O_CREAT | O_EXCL, 0600) : -1;
    if (fd < 0 || ftruncate(fd, REG_SIZE)) {
        perror(argc == 2 ? argv[1] : "usage: server NAME");
        return 1;
    }
    uint8_t *page = mmap(NULL, REG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        perror("mmap");
        shm_unlink(argv[1]);
        return 1;
    }
    volatile uint32_t *reg = (volatile uint32_t *)(void *)page;
    reg[REVISION / 4] = 1;
    __atomic_store_n(&reg[ID / 4], ID_VALUE, __ATOMIC_RELEASE); /* last: from now on the device is there */
    puts("ready");
    fflush(stdout);
    struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
    for (char byte; poll(&in, 1, 0) == 0 || read(STDIN_FILENO, &byte, 1) == 1;) {
        uint32_t command = __atomic_load_n(&reg[COMMAND / 4], __ATOMIC_ACQUIRE);
        if (command) {
            reg[RESULT / 4] = command * command;
            __atomic_store_n(&reg[COMMAND / 4], 0, __ATOMIC_RELEASE);
        }
        reg[BEATS / 4]++;
        nanosleep(&(struct timespec){ 0, 20000 }, NULL);
    }
    shm_unlink(argv[1]);
    return 0;
}
