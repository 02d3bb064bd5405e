/* refuse memfd|exec COMMAND...: runs a command in which the kernel refuses memfd_create, or shared mappings that are executable,
 * as hardened hosts do. A seccomp filter, so it holds for whatever the command does. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SAY(what) BPF_STMT(BPF_RET | BPF_K, what)

int main(int argc, char **argv)
{
    struct sock_filter memfd[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1), SAY(SECCOMP_RET_ERRNO | EPERM),
                                  SAY(SECCOMP_RET_ALLOW)};
    struct sock_filter exec[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 5),
                                 LOAD(args[2]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 3),
                                 LOAD(args[3]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_SHARED, 0, 1),
                                 SAY(SECCOMP_RET_ERRNO | EACCES), SAY(SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof memfd / sizeof memfd[0], memfd};
    if (argc < 3 || (strcmp(argv[1], "memfd") && strcmp(argv[1], "exec"))) {
        fprintf(stderr, "usage: refuse memfd|exec COMMAND...\n");
        return 2;
    }
    if (!strcmp(argv[1], "exec"))
        program = (struct sock_fprog){sizeof exec / sizeof exec[0], exec};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("refuse: no filter");
        return 77;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 2;
}
