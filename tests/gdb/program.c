/* What the tests debug: recursion, globals, a signal, a thread. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

int counter, other;
double ratio = 1.5;
struct pair { short a; long long b; } pair = { 3, 4 };

int fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static void on_signal(int number)
{
    counter += 100 + number * 0;
}

void *work(void *p)
{
    for (int i = 0; i < 3; i++)
        __atomic_add_fetch(&other, 1, __ATOMIC_SEQ_CST);
    return p;
}

void mark(void)
{
    ratio *= pair.a;
    counter += 0;
}

int main(void)
{
    pthread_t thread;
    signal(SIGUSR1, on_signal);
    for (int i = 0; i < 5; i++)
        counter += fib(i + 3);
    mark();
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    raise(SIGUSR1);
    printf("counter %d other %d\n", counter, other);
    return counter & 127;
}
