/* Threads: creation, join, locks, conditions, thread-local storage, signals to threads, fork and exit beside threads. */
#include "check.h"
#include <pthread.h>
#include <semaphore.h>

static __thread int mine;
static int total;
static _Atomic int atomics;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static int turn;
static pthread_key_t key;
static _Atomic int destroyed, signalled;
static sem_t sem;

static void *work(void *arg)
{
    mine = (int)(intptr_t)arg;
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&lock);
        total++;
        pthread_mutex_unlock(&lock);
        atomics++;
    }
    pthread_barrier_wait(&barrier);
    return (void *)(intptr_t)(mine * 2);
}

static void *ping(void *arg)
{
    int me = (int)(intptr_t)arg;
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        while (turn != me)
            pthread_cond_wait(&cond, &lock);
        turn = !me;
        pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void gone(void *p)
{
    (void)p;
    destroyed++;
}

static void *keyed(void *arg)
{
    pthread_setspecific(key, arg);
    return NULL;
}

static void on_usr(int sig)
{
    (void)sig;
    signalled = mine;
}

static void *waits(void *arg)
{
    mine = 77;
    sem_post(&sem);
    char c;
    errno = 0;
    long r = read((int)(intptr_t)arg, &c, 1);
    return (void *)(intptr_t)(r == -1 ? errno : r);
}

static void *forever(void *arg)
{
    (void)arg;
    for (volatile unsigned i = 0;; i++)
        ;
    return NULL;
}

int main(void)
{
    pthread_t t[8];
    void *r;
    pthread_barrier_init(&barrier, NULL, 8);
    for (int i = 0; i < 8; i++)
        VALUE(pthread_create(&t[i], NULL, work, (void *)(intptr_t)(i + 1)));
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], &r);
        VALUE((intptr_t)r);
    }
    VALUE(total);
    VALUE(atomics);
    VALUE(mine);
    pthread_create(&t[0], NULL, ping, (void *)0);
    pthread_create(&t[1], NULL, ping, (void *)1);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    VALUE(turn);
    pthread_key_create(&key, gone);
    for (int i = 0; i < 3; i++) {
        pthread_create(&t[0], NULL, keyed, &key);
        pthread_join(t[0], NULL);
    }
    VALUE(destroyed);
    int p[2];
    if (pipe(p))
        return 1;
    struct sigaction sa = {.sa_handler = on_usr};
    sigaction(SIGUSR1, &sa, NULL);
    sem_init(&sem, 0, 0);
    pthread_create(&t[0], NULL, waits, (void *)(intptr_t)p[0]);
    sem_wait(&sem);
    usleep(50000);
    pthread_kill(t[0], SIGUSR1);
    pthread_join(t[0], &r);
    VALUE((intptr_t)r == EINTR);
    VALUE(signalled);
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_nsec += 20000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_nsec -= 1000000000;
        ts.tv_sec++;
    }
    VALUE(sem_timedwait(&sem, &ts) == -1 && errno == ETIMEDOUT);
    pthread_create(&t[0], NULL, forever, NULL);
    pid_t pid = fork();
    if (!pid) {
        void *m = malloc(100000);
        _exit(m ? 21 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    VALUE(WEXITSTATUS(status));
    pthread_create(&t[1], NULL, waits, (void *)(intptr_t)p[0]);
    sem_wait(&sem);
    VALUE(syscall(SYS_gettid) == getpid());
    exit(33); /* one thread computes, one sleeps in a call */
}
