/* Processes: fork, exec, wait, groups, pipes between them; runs itself by /proc/self/exe. */
#include "check.h"
#include <sched.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/utsname.h>

extern char **environ;

static int status_of(pid_t pid)
{
    int status = -1;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? -WTERMSIG(status) : 1000;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "child")) {
        SAY("child of %d arguments, X=%s, fd 3 %s, fd 4 %s", argc, getenv("X") ? getenv("X") : "unset",
            fcntl(3, F_GETFD) >= 0 ? "open" : "closed", fcntl(4, F_GETFD) >= 0 ? "open" : "closed");
        sigset_t set;
        sigprocmask(SIG_BLOCK, NULL, &set);
        struct sigaction sa, sb;
        sigaction(SIGUSR1, NULL, &sa);
        sigaction(SIGUSR2, NULL, &sb);
        SAY("mask %d, USR1 %s, USR2 %s", sigismember(&set, SIGHUP), sa.sa_handler == SIG_DFL ? "default" : "set",
            sb.sa_handler == SIG_IGN ? "ignored" : "not ignored");
        return 42;
    }
    pid_t pid = fork();
    if (!pid)
        _exit(5);
    VALUE(status_of(pid));
    TRY(waitpid(pid, NULL, 0));

    int keep = open("/dev/null", O_RDONLY), gone = open("/dev/null", O_RDONLY | O_CLOEXEC);
    VALUE(keep);
    VALUE(gone);
    signal(SIGUSR1, (void (*)(int))status_of);
    signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pid = fork();
    if (!pid) {
        char *args[] = {"me", "child", "and more", NULL}, *envs[] = {"X=1", NULL};
        execve("/proc/self/exe", args, envs);
        _exit(1);
    }
    VALUE(status_of(pid));
    pid = vfork();
    if (!pid) {
        execl("/proc/self/exe", "me", "child", (char *)NULL);
        _exit(1);
    }
    VALUE(status_of(pid));
    char *sargs[] = {"me", "child", NULL};
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addclose(&fa, 3);
    int spawned = posix_spawn(&pid, argv[0], &fa, NULL, sargs, environ), spawn_status = status_of(pid);
    VALUE(spawned);
    VALUE(spawn_status);
    TRY(execl("/nonexistent/program", "x", (char *)NULL));
    TRY(execl("/", "x", (char *)NULL));
    TRY(execl("/dev/null", "x", (char *)NULL));
    int junk = open("junk", O_WRONLY | O_CREAT | O_TRUNC, 0755);
    VALUE(write(junk, "garbage\n", 8));
    close(junk);
    TRY(execl("./junk", "x", (char *)NULL));
    int script = open("script", O_WRONLY | O_CREAT | O_TRUNC, 0755);
    dprintf(script, "#!%s child\nrest\n", argv[0]);
    close(script);
    pid = fork();
    if (!pid) {
        execl("./script", "ignored", "arg", (char *)NULL);
        _exit(1);
    }
    VALUE(status_of(pid));

    /* a pipeline */
    int p[2], q[2];
    char buf[64] = "";
    if (pipe(p) || pipe(q))
        return 1;
    if (!fork()) {
        int n = (int)read(p[0], buf, sizeof(buf));
        for (int i = 0; i < n; i++)
            buf[i] ^= 0x20;
        _exit(write(q[1], buf, (size_t)n) != n);
    }
    VALUE(write(p[1], "Hello", 5));
    VALUE(read(q[0], buf, sizeof(buf)));
    TEXT(buf);
    siginfo_t si;
    memset(&si, 0, sizeof(si));
    VALUE(waitid(P_ALL, 0, &si, WEXITED));
    VALUE(si.si_status);
    VALUE(si.si_code);

    /* groups, stop and continue */
    pid = fork();
    if (!pid) {
        setpgid(0, 0);
        raise(SIGSTOP);
        _exit(getpgrp() == getpid() ? 11 : 12);
    }
    int status;
    VALUE(waitpid(pid, &status, WUNTRACED) == pid);
    VALUE(WIFSTOPPED(status));
    VALUE(getpgid(pid) == pid);
    kill(-pid, SIGCONT);
    VALUE(status_of(pid));
    pid = fork();
    if (!pid) {
        setsid();
        _exit(getsid(0) == getpid() ? 13 : 14);
    }
    VALUE(status_of(pid));
    pid = fork();
    if (!pid) {
        pause();
        _exit(1);
    }
    kill(pid, SIGKILL);
    VALUE(status_of(pid));
    struct rusage ru;
    VALUE(getrusage(RUSAGE_CHILDREN, &ru));
    VALUE(getpriority(PRIO_PROCESS, 0));
    struct utsname un;
    VALUE(uname(&un));
    TEXT(un.machine);
    TEXT(un.sysname);
    VALUE(getauxval(AT_PAGESZ));
    VALUE(getauxval(AT_CLKTCK));
    VALUE(getauxval(AT_UID) == getuid());
    VALUE(getauxval(AT_RANDOM) != 0);
    TEXT((char *)getauxval(AT_PLATFORM));
    VALUE(!strcmp((char *)getauxval(AT_EXECFN), argv[0]));
    VALUE(getauxval(AT_HWCAP) & 3);
    struct rlimit lim;
    VALUE(getrlimit(RLIMIT_NOFILE, &lim));
    VALUE(lim.rlim_cur > 10);
    cpu_set_t cpus;
    VALUE(sched_getaffinity(0, sizeof(cpus), &cpus));
    VALUE(CPU_COUNT(&cpus) > 0);
    char link[256] = "", real[256] = "";
    VALUE(readlink("/proc/self/exe", link, sizeof(link) - 1) > 0);
    VALUE(realpath(argv[0], real) && !strcmp(link, real));
    FILE *f = fopen("/proc/self/cmdline", "r");
    VALUE(f && fgets(buf, sizeof(buf), f) && strstr(argv[0], buf) != NULL);
    f = fopen("/proc/self/maps", "r");
    char line[512];
    int has_stack = 0, has_heap = 0;
    malloc(100);
    while (f && fgets(line, sizeof(line), f)) {
        has_stack |= strstr(line, "[stack]") != NULL;
        has_heap |= strstr(line, "[heap]") != NULL;
    }
    VALUE(has_stack);
    VALUE(has_heap);
    exit(300);
}
