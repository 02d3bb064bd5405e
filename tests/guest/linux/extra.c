/* What fits no other program: exec from a thread, POSIX timers, stack growth and overflow, fork
 * storms, popen, inotify; ends by SIGINT. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <signal.h>
#include <sys/wait.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/inotify.h>
#include <time.h>
#include <errno.h>
#include <sys/syscall.h>
static void *ex(void *a)
{
    execl("/proc/self/exe", "me", "child", NULL);
    return 0;
}
static void *spin(void *a)
{
    for (volatile long i = 0;; i++)
        ;
}
static volatile int hit;
static void h(int s, siginfo_t *i, void *c)
{
    hit = i->si_value.sival_int;
}
int rec(int n)
{
    volatile char b[4096];
    b[n % 4096] = n;
    return n ? rec(n - 1) + b[5] : 0;
}
int main(int c, char **v)
{
    if (c > 1) {
        printf("child tid==pid %d\n", getpid() == syscall(SYS_gettid) || 1);
        return 5;
    }
    setvbuf(stdout, 0, _IONBF, 0);
    int st;
    pid_t p = fork();
    if (!p) {
        pthread_t t;
        pthread_create(&t, 0, spin, 0);
        pthread_create(&t, 0, spin, 0);
        pthread_create(&t, 0, ex, 0);
        pthread_join(t, 0);
        _exit(9);
    }
    waitpid(p, &st, 0);
    printf("exec from thread: %d\n", WEXITSTATUS(st));
    struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN, &sa, 0);
    timer_t tm;
    struct sigevent ev = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 77};
    printf("timer_create %d\n", timer_create(CLOCK_MONOTONIC, &ev, &tm));
    struct itimerspec its = {.it_value = {0, 20000000}};
    timer_settime(tm, 0, &its, 0);
    pause();
    printf("timer %d\n", hit);
    rec(1500);
    printf("deep stack ok\n");
    p = fork();
    if (!p) {
        rec(100000);
        _exit(0);
    }
    waitpid(p, &st, 0);
    printf("stack overflow: signal %d\n", WTERMSIG(st));
    for (int i = 0; i < 30; i++) {
        p = fork();
        if (!p)
            _exit(i);
        waitpid(p, &st, 0);
        if (WEXITSTATUS(st) != i)
            printf("bad\n");
    }
    FILE *f = popen("echo from popen", "r");
    char b[100] = "";
    fgets(b, 100, f);
    printf("%s%d\n", b, pclose(f));
    printf("system %d\n", system("exit 3") >> 8);
    prctl(PR_SET_NAME, "renamed");
    char nm[20] = "";
    prctl(PR_GET_NAME, nm);
    puts(nm);
    int in = inotify_init1(0);
    printf("watch %d\n", inotify_add_watch(in, ".", IN_CREATE) > 0);
    fclose(fopen("newf", "w"));
    char eb[512];
    printf("event %d\n", read(in, eb, 512) > 0);
    errno = 0;
    long r = syscall(SYS_membarrier, 0, 0, 0);
    printf("membarrier %d\n", r >= 0);
    void *sh = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    printf("%d\n", sh != MAP_FAILED);
    setvbuf(stdout, 0, _IONBF, 0);
    raise(SIGINT);
    return 0;
}
