/* os-linux: what its files share. One struct os a personality, one struct task a guest thread.
 *
 * Reading order: plugin.c (entry), loader.c (image and stack), run.c (the loop), syscall.c (dispatch), then one file a
 * subject. An ABI (abi_<arch>.c, abi_<arch>.def) says word size, byte order, numbers, layouts, flags and frames; nothing else
 * knows the guest's CPU. Inside, everything is the host's: signal numbers, errnos, flags, structs. They are converted where
 * they cross, by the functions of uaccess.c and convert.c. */
#ifndef OS_LINUX_H
#define OS_LINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "oryx.h"

#define LX_PAGE 4096u
#define LX_PAGE_MASK (~(uint64_t)(LX_PAGE - 1))
#define LX_PAGE_UP(x) (((uint64_t)(x) + LX_PAGE - 1) & LX_PAGE_MASK)
#define LX_NSIG 64
#define LX_SIG_KICK 64 /* the host signal that interrupts a guest thread which must end; the guest cannot use it */
#define LX_SIGBIT(n) (1ull << ((n) - 1))

/* Results of a system call beyond -errno; none is an errno. */
#define LX_RESTART 512 /* -LX_RESTART: interrupted before it had an effect; done again unless a handler forbids */
#define LX_NORESULT 600 /* -LX_NORESULT: the handler has set every register itself */

typedef struct os os;
typedef struct task task;

/* --- mm.c: guest memory ---------------------------------------------------------------------------------------- */
typedef struct lx_file {       /* what a file mapping shows in /proc/self/maps */
    uint32_t refs;
    uint64_t dev, ino;
    char path[];
} lx_file;

#define VMA_SHARED 1u
#define VMA_FILE 2u            /* pages beyond end of file exist: probe before touching */
#define VMA_NOWRITE 4u         /* shared mapping of a file opened read-only */
typedef struct vma {
    uint64_t start, end;
    uint64_t offset;
    lx_file *file;             /* NULL: anonymous */
    const char *tag;           /* "[heap]", "[stack]": static, or NULL */
    uint32_t prot, flags;
} vma;

typedef struct lx_mm {
    uint8_t *base;             /* host address of guest address 0 */
    uint64_t size;             /* of the window */
    uint8_t *reserved;         /* what was reserved for it: the window and inaccessible bytes on both sides */
    uint64_t reserved_size;
    int exact;                 /* host protections are the guest's: compiled code reaches the window directly */
    vma *v;
    size_t n, cap;
    pthread_rwlock_t lock;
    uint64_t brk_start, brk;
    uint64_t map_top;          /* mappings are placed below it, downwards */
    uint64_t limit;            /* the guest's calls cannot map at or above it */
    uint64_t stack_top, arg_start, arg_end, env_start, env_end;
    uint64_t auxv, auxv_size;
    uint64_t tramp;            /* signal return trampoline */
    _Atomic uint64_t probed[256]; /* pages of files that were there when last touched; direct-mapped, 0 none */
    int tags_seen;             /* tagged pointers were used: ranges have aliases in translation caches */
} lx_mm;

oryx_status mm_create(os *o, uint64_t want, oryx_error *err);
void mm_destroy(os *o);
oryx_status mm_window(os *o, oryx_error *err);            /* compiled code may reach guest memory directly, if the machine wants */
void mm_put(os *o, uint64_t addr, const void *src, uint64_t n); /* bytes the guest may not write itself; src NULL: zeros */
void mm_clear(os *o);                                     /* unmap everything: execve */
oryx_status mm_translate(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out);
int64_t mm_map(os *o, uint64_t addr, uint64_t len, uint32_t prot, int flags, int fd, uint64_t off, const char *tag);
int64_t mm_unmap(os *o, uint64_t addr, uint64_t len);
int64_t mm_protect(os *o, uint64_t addr, uint64_t len, uint32_t prot);
int64_t mm_remap(os *o, uint64_t old, uint64_t old_len, uint64_t new_len, int flags, uint64_t new_addr);
int64_t mm_brk(os *o, uint64_t addr);
int mm_is_mapped(os *o, uint64_t addr, uint64_t len);
int mm_maps_fd(os *o);                                    /* /proc/self/maps as an unlinked file */
void mm_changed(os *o, uint64_t addr, uint64_t len);      /* translations of the range are void */
void mm_truncated(os *o, int fd);                         /* a file may have become shorter */

/* vma.c: the sorted list; the caller holds the lock. */
vma *vma_find(lx_mm *mm, uint64_t addr);                  /* containing addr, or NULL */
size_t vma_lower(lx_mm *mm, uint64_t addr);               /* index of the first that ends after addr */
int vma_insert(lx_mm *mm, const vma *v);                  /* merges with neighbours; the range is free */
int vma_carve(lx_mm *mm, uint64_t start, uint64_t end);   /* forget the range, splitting at its ends */
int vma_set_prot(lx_mm *mm, uint64_t start, uint64_t end, uint32_t prot);
int vma_covers(lx_mm *mm, uint64_t start, uint64_t end);  /* no hole */
uint64_t vma_gap(lx_mm *mm, uint64_t len, uint64_t low, uint64_t high); /* highest free place, or 0 */
lx_file *lx_file_ref(lx_file *f);
void lx_file_unref(lx_file *f);

/* --- uaccess.c: guest memory from system calls ---------------------------------------------------------------------- */
/* Host address of [addr, addr + n) when every page allows the access, else NULL. For handing to the host's kernel, which
 * answers EFAULT itself if the mapping goes away meanwhile. */
void *u_ptr(os *o, uint64_t addr, uint64_t n, int write);
/* The same for an argument handed straight to the host: a bad one becomes an address that the host's kernel refuses, in its
 * own order of checks. */
void *u_arg(os *o, uint64_t addr, uint64_t n, int write);
int u_in(os *o, void *dst, uint64_t addr, uint64_t n);    /* 0 or -EFAULT */
int u_out(os *o, uint64_t addr, const void *src, uint64_t n);
int64_t u_str(os *o, uint64_t addr, char *buf, size_t cap); /* length, -EFAULT or -ENAMETOOLONG */
void u_written(os *o, uint64_t addr, uint64_t n);         /* the host's kernel wrote there */
int u_word_in(os *o, uint64_t addr, uint64_t *word);      /* a guest pointer or long */
int u_word_out(os *o, uint64_t addr, uint64_t word);
int u_u32_in(os *o, uint64_t addr, uint32_t *v);          /* an int */
int u_u32_out(os *o, uint64_t addr, uint32_t v);
int u_u64_in(os *o, uint64_t addr, uint64_t *v);
int u_u64_out(os *o, uint64_t addr, uint64_t v);
int u_u32s_in(os *o, uint64_t addr, uint32_t *v, uint32_t n);
int u_u32s_out(os *o, uint64_t addr, const uint32_t *v, uint32_t n);
int u_sigset_in(os *o, uint64_t addr, uint64_t size, uint64_t *mask); /* 0, -EINVAL (size), -EFAULT; host's numbers */
int u_sigset_out(os *o, uint64_t addr, uint64_t mask);
int u_big(os *o);                                         /* the guest is big-endian */

/* Structs by layout: rows in structs.def (host side) and abi_<arch>.def (guest side). */
enum {
    LX_S_NONE,
#define STRUCT(id, letter, type) LX_S_##id,
#define FIELD(id, member)
#include "structs.def"
    LX_S_COUNT
};
typedef struct lx_field {
    uint16_t strct, host, host_size, guest, guest_size;
    uint16_t is_signed;        /* a short value is extended by its sign */
} lx_field;
#define LX_STRUCT_MAX 512      /* bytes of the largest host struct in structs.def */
int u_struct_in(os *o, int id, void *host, uint64_t addr);
int u_struct_out(os *o, int id, const void *host, uint64_t addr);
/* The same between buffers: raw holds the guest's bytes. */
void lx_struct_get(os *o, int id, void *host, const uint8_t *raw);
void lx_struct_put(os *o, int id, const void *host, uint8_t *raw);
uint32_t u_struct_size(os *o, int id);                    /* the guest's */
int lx_struct_by_letter(char letter);

/* The kernel's struct termios and termios2 with this host's indices of c_cc. */
typedef struct lx_termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line, c_cc[19];
    uint32_t c_ispeed, c_ospeed;
} lx_termios;

/* --- abi --------------------------------------------------------------------------------------------------------------- */
typedef struct lx_nr {
    uint32_t number;
    const char *name, *row;    /* row: of syscalls.def that serves it */
} lx_nr;

/* What differs from this host's numbers, by kind; all that is not listed is the same. MAP(kind, guest, host) in an ABI's .def.
 * Flags: several may be set at once. Values: one of. */
enum {
    LX_M_open,                 /* flags of open, pipe2, accept4 and the other calls that share them */
    LX_M_mmap,                 /* flags */
    LX_M_errno,
    LX_M_signal,
    LX_M_sa,                   /* flags of sigaction */
    LX_M_how,                  /* of sigprocmask */
    LX_M_fcntl,
    LX_M_ioctl,
    LX_M_socket,               /* types of sockets */
    LX_M_level, LX_M_option,   /* of setsockopt; options of SOL_SOCKET */
    LX_M_rlimit,
    LX_M_iflag, LX_M_oflag, LX_M_cflag, LX_M_lflag,
    LX_M_COUNT
};
typedef struct lx_map {
    uint16_t kind;
    uint32_t guest, host;
} lx_map;
uint32_t lx_flags_in(os *o, int kind, uint32_t guest);
uint32_t lx_flags_out(os *o, int kind, uint32_t host);
uint32_t lx_value_in(os *o, int kind, uint32_t guest);
uint32_t lx_value_out(os *o, int kind, uint32_t host);
uint64_t lx_mask_in(os *o, uint64_t guest);               /* sets of signals */
uint64_t lx_mask_out(os *o, uint64_t host);
int lx_sig_in(os *o, int64_t guest);                      /* a signal's number; 0 stays 0, one the host lacks is -1 */
int lx_sig_out(os *o, int host);
uint32_t lx_status_out(os *o, uint32_t status);           /* wait status */
void lx_siginfo_put(os *o, const siginfo_t *info, uint8_t raw[128]);
void lx_siginfo_get(os *o, siginfo_t *info, const uint8_t raw[128]);
int u_siginfo_out(os *o, uint64_t addr, const siginfo_t *info);
int u_siginfo_in(os *o, uint64_t addr, siginfo_t *info);
#define lx_open_flags_in(o, v) lx_flags_in(o, LX_M_open, v)
#define lx_open_flags_out(o, v) lx_flags_out(o, LX_M_open, v)

typedef struct lx_sigaction {
    uint64_t handler, flags, restorer;
    union {
        uint64_t mask;
        uint32_t mask_word[2];  /* signals 1..32, then the rest (on a little-endian host) */
    };
} lx_sigaction;

typedef struct lx_sigstack {
    uint64_t sp;
    int32_t flags, pad;
    uint64_t size;
} lx_sigstack;

typedef struct lx_abi {
    const char *arch;          /* class of the frontend */
    const char *machine;       /* uname's */
    const char *platform;      /* AT_PLATFORM */
    uint16_t elf_machine;
    uint8_t elf_class, elf_data;
    uint32_t word;             /* bytes of a pointer and a long */
    uint32_t pairs;            /* 64-bit arguments on 32-bit ABIs: 2 begin at an even register, 1 anywhere, 0 are in one */
    uint64_t window;           /* size of user space */
    uint64_t map_top;          /* stack and mappings lie below it; 0: the window's end */
    uint64_t tag_mask;         /* address bits that count in data accesses */
    uint32_t minsigstksz;
    uint32_t sigset_size;      /* bytes of a set of signals */
    const lx_nr *nrs;
    uint32_t n_nrs;
    const lx_map *maps;        /* by kind */
    uint32_t n_maps;
    const lx_field *fields;    /* by struct, ends with strct 0 */
    const uint16_t *sizes;     /* guest's size by struct id; 0: struct is unknown to it */
    const void *tramp;         /* code of the signal return trampoline */
    uint32_t tramp_size;
    int (*init)(os *o, oryx_error *err);
    int (*map_pages)(os *o);   /* pages of a fresh image that the kernel gives: 0 or -errno; may be NULL */
    void (*args)(task *t, uint64_t *nr, uint64_t raw[8]); /* registers as they are, zero-extended */
    void (*set_result)(task *t, int64_t r); /* r: a value or -errno in the guest's numbers */
    void (*set_second)(task *t, uint64_t v); /* pipe's second descriptor where it is a register; else NULL */
    void (*restart)(task *t);  /* pc back to the system call instruction */
    void (*start)(task *t, uint64_t entry, uint64_t sp);
    void (*set_sp)(task *t, uint64_t sp);
    uint64_t (*get_sp)(task *t);
    void (*set_tls)(task *t, uint64_t tls);
    uint64_t (*hwcap)(os *o, int which);
    int (*frame)(task *t, int sig, const siginfo_t *info, const lx_sigaction *act, uint64_t mask); /* 0 or -EFAULT */
    int (*unframe)(task *t, int rt, uint64_t *mask); /* rt: by rt_sigreturn */
    void (*fault)(task *t, const oryx_exc *exc); /* notes fault details for the frame */
    void (*cpuinfo)(os *o, FILE *out); /* /proc/cpuinfo; NULL: the host's */
    uint32_t elf_flags_mask, elf_flags; /* of e_flags, where they tell ABIs apart */
    /* The signal of an exception, with its code and address; 0: what run.c says. NULL: always. */
    int (*signal_of)(task *t, const oryx_exc *exc, int *code, uint64_t *addr);
    /* The CPU model that a program's header asks for, when the user named none; NULL or no function: the frontend's first. */
    const char *(*model_of)(const Elf64_Ehdr *eh);
    /* After start: CPU modes that the program's file chooses. ph: its eh->e_phnum headers. May be NULL. */
    void (*image)(task *t, const Elf64_Ehdr *eh, const Elf64_Phdr *ph, int fd);
} lx_abi;
extern const lx_abi *const lx_abis[]; /* ends with NULL; abi.c */
const lx_abi *lx_abi_find(const Elf64_Ehdr *eh);

/* --- the personality ------------------------------------------------------------------------------------------------- */
struct task {
    os *o;
    oryx_vcpu *v;
    oryx_cpu *cpu;
    uint8_t *state;
    task *next;
    int tid;
    volatile int captured;     /* info holds a signal that the host delivered; every signal is blocked until it is served */
    siginfo_t info;
    /* SIGSEGV and SIGBUS that somebody sent while they could not be captured: mm.exact keeps them unblocked (sighost.c). */
    siginfo_t held[2];
    volatile uint64_t held_set;
    uint64_t sigmask;          /* guest's; the host thread's too while captured is 0 */
    uint64_t saved_mask;       /* of sigsuspend and the p-calls, when has_saved */
    int has_saved;
    int exiting;
    atomic_int in_run;         /* inside vcpu_run, or about to look at os.pausing */
    int restartable;           /* the system call being left may be restarted */
    uint64_t fault_addr, fault_esr;
    lx_sigstack altstack;
    uint64_t clear_tid;
    uint64_t nr, raw[8];       /* of the current call, for restart */
    const struct lx_call *call;
    uint64_t robust;           /* list head of set_robust_list */
    uint64_t fault_trap;       /* the ABI's own number of the last fault */
};

struct os {
    const oryx_host *host;
    oryx_machine *m;
    oryx_region *ram;
    oryx_space *space;
    const lx_abi *abi;
    lx_mm mm;
    const struct lx_call **calls; /* by guest number */
    const char **names;
    uint32_t n_calls;
    uint16_t field_first[LX_S_COUNT]; /* index into abi->fields */
    uint16_t map_first[LX_M_COUNT], map_n[LX_M_COUNT];
    pthread_mutex_t lock;      /* tasks, actions, ending */
    task *tasks;
    task *main;
    uint32_t n_threads;        /* running beside the main one */
    pthread_cond_t thread_gone, resume;
    atomic_int pausing;        /* a fork wants every other thread outside vcpu_run */
    lx_sigaction act[LX_NSIG + 1];
    struct sigaction old[LX_NSIG + 1];
    uint64_t old_set;          /* bit: old[n] is to be restored */
    int signals_on;
    atomic_int ending;
    int exit_code, exit_signal;
    char end_text[400];        /* why the personality gave up, or empty */
    uint64_t insns_gone;       /* of threads that ended */
    int pid0;                  /* process that called run */
    /* configuration, owned */
    char *program, *sysroot, *root, *self_path, *model;
    const oryx_os_debug *debug; /* NULL: none */
    char **argv, **envp, **self_args;
    char *exe;                 /* host path of the running image */
    char *exe_guest;           /* as the guest names it */
    int sysroot_fd, root_fd;
    size_t root_len;
    int strace, strace_fd;
    uint64_t ours[64]; /* bit: descriptor is not the guest's */
    int32_t r_pc;
    int32_t regs[128];         /* the ABI's handles */
    uint32_t off[128];         /* and state offsets */
};

/* --- elf.c ----------------------------------------------------------------------------------------------------------- */
enum { ELF_EHDR, ELF_PHDR, ELF_SHDR, ELF_SYM };
int elf_header(const uint8_t *raw, size_t n, Elf64_Ehdr *eh);             /* 0, or -1: no ELF header */
uint32_t elf_size(const Elf64_Ehdr *eh, int record);                      /* bytes of a record in this file */
void elf_record(const Elf64_Ehdr *eh, int record, const uint8_t *raw, void *out); /* into the Elf64_ form */
int elf_phdrs(int fd, const Elf64_Ehdr *eh, Elf64_Phdr *ph, unsigned most); /* 0 or -1 */

/* --- loader.c ------------------------------------------------------------------------------------------------------- */
typedef struct lx_image {
    uint64_t entry, bias, phdr, interp_base, interp_entry, end;
    uint32_t phnum, phent;
} lx_image;
/* Load program (argv may be changed by #!) and make the stack of the new image; on success t starts at its entry.
 * The old image is gone when *committed is set, also on failure. Returns 0 or -errno with err->text for people. */
int loader_exec(task *t, const char *program, char **argv, char **envp, int *committed, oryx_error *err);
void loader_symbols_of_map(os *o, int fd, uint64_t addr, uint64_t off);
void loader_choose_abi(os *o);                            /* among those of the machine's class, by the program */
oryx_status loader_identify(const char *path, char *arch, uint32_t cap, oryx_error *err);
int stack_build(task *t, char **argv, char **envp, const lx_image *im, const char *execfn);

/* --- path.c --------------------------------------------------------------------------------------------------------- */
typedef struct lx_path {
    int dir;                   /* for an *at call */
    int close_fd;              /* -1 or to be closed by path_done */
    int inside;                /* found in the sysroot or the jail: last component is no symlink if followed */
    int follow;
    char *name;                /* points into buf */
    char buf[PATH_MAX];
} lx_path;
#define PATH_FOLLOW 1
#define PATH_NEW 2             /* the last component may be missing */
int path_get(os *o, int dir, uint64_t gpath, int how, lx_path *p);    /* 0 or -errno */
int path_host(os *o, int dir, const char *guest, int how, lx_path *p);
void path_done(lx_path *p);
/* One string for calls without a dirfd; may be /proc/self/fd/N/name. */
const char *path_string(lx_path *p, char *buf, size_t cap);
int path_guest_cwd(os *o, char *buf, size_t cap);
int path_to_guest(os *o, char *buf);                      /* host path -> guest's, in place; 0 outside the jail */
int procfs_open(task *t, const char *guest_abs, int flags); /* fd, or -ENOENT when it is not emulated */
int procfs_link(task *t, const char *guest_abs, char *buf, size_t cap);

/* fds.c: descriptors of this process that are not the guest's. */
void fds_mark(os *o);                                     /* before the guest starts: close-on-exec means ours */
int fds_high(os *o, int fd);                              /* move a descriptor of ours out of the guest's way */
void fds_exec(os *o);                                     /* what execve closes */
int fds_ours(os *o, int fd);

/* --- run.c, thread.c --------------------------------------------------------------------------------------------------- */
task *task_new(os *o, oryx_error *err);
void task_free(task *t);
void task_loop(task *t);
void os_end(os *o, int code, int sig);                    /* every thread leaves as soon as possible */
void os_kick(os *o, task *except);
void os_pause(task *t);                                   /* lock held: every other vCPU comes to rest */
void os_resume(os *o);                                    /* lock held */
int threads_end_others(task *t);                          /* execve */
int64_t thread_clone(task *t, uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t tls, uint64_t ctid);
extern _Thread_local task *lx_self __attribute__((tls_model("initial-exec")));

/* --- signal.c, sighost.c ------------------------------------------------------------------------------------------------ */
void signals_begin(os *o);
void signals_end(os *o);
void signals_exec(os *o);
void signal_deliver(task *t, int64_t *result);            /* serve a captured signal; result: of the call being left, or NULL */
void signal_force(task *t, int sig, int code, uint64_t addr);
void signal_set_mask(task *t, uint64_t mask);
uint64_t signal_host_mask(os *o, uint64_t guest);
void signal_release(task *t);                             /* send held signals again that the mask now lets through */
void signal_host_block_all(uint64_t *old);
void signal_host_set(uint64_t mask);
void signal_install(os *o, int sig);                      /* host disposition for the guest's action */
int signal_fatal(int sig);                                /* default action ends the process */
uint64_t signal_frame_sp(task *t, const lx_sigaction *act, uint64_t sp); /* where a frame goes */

/* safe_syscall.c: a host system call that is not entered when a signal is waiting. */
int64_t lx_syscall(task *t, long nr, ...);
#define SYS6(t, nr, a, b, c, d, e, f) \
    lx_raw_syscall(&(t)->captured, nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYS5(t, nr, a, b, c, d, e) SYS6(t, nr, a, b, c, d, e, 0)
#define SYS4(t, nr, a, b, c, d) SYS6(t, nr, a, b, c, d, 0, 0)
#define SYS3(t, nr, a, b, c) SYS6(t, nr, a, b, c, 0, 0, 0)
#define SYS2(t, nr, a, b) SYS6(t, nr, a, b, 0, 0, 0, 0)
#define SYS1(t, nr, a) SYS6(t, nr, a, 0, 0, 0, 0, 0)
int64_t lx_raw_syscall(volatile int *stop, long nr, long a, long b, long c, long d, long e, long f);
int lx_syscall_rewind(void *ucontext);                    /* handler: the interrupted host call must not be entered */

/* --- syscall.c ------------------------------------------------------------------------------------------------------ */
typedef int64_t (*lx_handler)(task *t, const uint64_t *a);
/* Argument letters: see syscalls.def. */
typedef struct lx_call {
    const char *name;
    lx_handler fn;             /* NULL: handed to the host as the letters say */
    int host_nr;
    int wide;                  /* the 64-bit form of a call that a 32-bit ABI has twice */
    const char *sig;
} lx_call;
/* The struct of the current call's times: a 32-bit ABI has two. */
#define LX_TIMESPEC(t) ((t)->call && (t)->call->wide ? LX_S_timespec64 : LX_S_timespec)
int syscalls_bind(os *o, oryx_error *err);
void syscall_serve(task *t);
int64_t syscall_pass(task *t, const lx_call *c, const uint64_t *a);
void lx_tell(os *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- strace.c ------------------------------------------------------------------------------------------------------- */
typedef struct lx_line {
    size_t n;
    char text[2048];
} lx_line;
void strace_enter(task *t, lx_line *l, const char *name, const lx_call *c, const uint64_t *a);
void strace_leave(task *t, lx_line *l, const lx_call *c, const uint64_t *a, int64_t r);
void strace_signal(task *t, int sig, const siginfo_t *info);
void strace_end(os *o, int code, int sig);
const char *lx_signame(int sig, char *buf, size_t cap);

#define CALL(name) int64_t sys_##name(task *t, const uint64_t *a)
#define SYS(name, sig) CALL(name);
#define PASS(name, sig)
#define PASS_AS(name, host, sig)
#define AS(name, handler, sig)
#define WIDE(name, handler, sig)
#include "syscalls.def"
#undef SYS
#undef PASS
#undef PASS_AS
#undef AS
#undef WIDE

#endif
