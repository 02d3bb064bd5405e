/* File system calls: what they return, which errors they give, what stat says. Runs in an empty directory. */
#include "check.h"
#include <dirent.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *dir)
{
    DIR *d = opendir(dir);
    char *names[64];
    int n = 0;
    for (struct dirent *e; d && (e = readdir(d)) && n < 64;)
        names[n++] = strdup(e->d_name);
    if (d)
        closedir(d);
    qsort(names, n, sizeof(char *), by_name);
    for (int i = 0; i < n; i++)
        TEXT(names[i]);
}

static void basics(void)
{
    char buf[64] = "";
    struct stat st;
    int fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0640);
    VALUE(fd >= 0);
    VALUE(write(fd, "hello, world\n", 13));
    VALUE(lseek(fd, 7, SEEK_SET));
    VALUE(read(fd, buf, 5));
    TEXT(buf);
    VALUE(pread(fd, buf, 5, 0));
    TEXT(buf);
    VALUE(pwrite(fd, "J", 1, 0));
    VALUE(lseek(fd, 0, SEEK_END));
    VALUE(fstat(fd, &st));
    VALUE(st.st_size);
    VALUE(st.st_mode);
    VALUE(st.st_nlink);
    VALUE(st.st_uid == getuid());
    VALUE(st.st_blksize > 0);
    VALUE(ftruncate(fd, 5));
    VALUE(stat("a", &st));
    VALUE(st.st_size);
    VALUE(fallocate(fd, 0, 0, 8192));
    VALUE(fstat(fd, &st));
    VALUE(st.st_size);
    VALUE(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW));
    VALUE(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
    VALUE(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECTORY | O_NOFOLLOW | O_DIRECT));
    VALUE(fcntl(fd, F_GETFD));
    VALUE(fcntl(fd, F_SETFD, FD_CLOEXEC));
    VALUE(fcntl(fd, F_GETFD));
    struct iovec v[3] = {{(void *)"ab", 2}, {(void *)"", 0}, {(void *)"cdef", 4}};
    VALUE(writev(fd, v, 3));
    struct timespec ts[2] = {{1000000000, 123456789}, {1234567890, 987654321}};
    VALUE(futimens(fd, ts));
    VALUE(fstat(fd, &st));
    VALUE(st.st_mtim.tv_sec);
    VALUE(st.st_mtim.tv_nsec);
    VALUE(st.st_atim.tv_nsec);
    VALUE(close(fd));
    TRY(close(fd));
}

static void names(void)
{
    char buf[64];
    struct stat st;
    VALUE(mkdir("d", 0755));
    TRY(mkdir("d", 0755));
    VALUE(symlink("a", "ln"));
    VALUE(symlink("nowhere", "broken"));
    VALUE(symlink("d", "dl"));
    memset(buf, 0, sizeof(buf));
    VALUE(readlink("ln", buf, sizeof(buf)));
    TEXT(buf);
    TRY(readlink("a", buf, sizeof(buf)));
    VALUE(lstat("ln", &st));
    VALUE(S_ISLNK(st.st_mode));
    VALUE(st.st_size);
    TRY(stat("broken", &st));
    VALUE(link("a", "d/hard"));
    VALUE(stat("a", &st));
    VALUE(st.st_nlink);
    VALUE(rename("d/hard", "d/b"));
    TRY(rename("d/hard", "d/b"));
    TRY(rmdir("d"));
    TRY(unlink("d"));
    TRY(open("nothing", O_RDONLY));
    TRY(open("d", O_WRONLY));
    TRY(open("a", O_RDONLY | O_DIRECTORY));
    TRY(open("ln", O_RDONLY | O_NOFOLLOW));
    TRY(open("a/b", O_RDONLY));
    TRY(open("dl", O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    int dir = open("dl", O_RDONLY | O_DIRECTORY);
    VALUE(dir >= 0);
    int fd = openat(dir, "b", O_RDONLY);
    VALUE(fd >= 0);
    VALUE(faccessat(dir, "b", R_OK, 0));
    VALUE(fchmod(fd, 0600));
    VALUE(fstatat(dir, "b", &st, AT_SYMLINK_NOFOLLOW));
    VALUE(st.st_mode);
    VALUE(chmod("a", 0444));
    VALUE(unlinkat(dir, "b", 0));
    close(fd);
    close(dir);
    list(".");
    VALUE(chdir("d"));
    char cwd[512];
    VALUE(getcwd(cwd, sizeof(cwd)) != NULL);
    TEXT(strrchr(cwd, '/') + 1);
    TRY(getcwd(cwd, 2) ? 0 : -1);
    VALUE(chdir(".."));
    VALUE(rmdir("d"));
    mode_t old = umask(027);
    VALUE(old);
    VALUE(umask(old));
    struct statx sx;
    VALUE(statx(AT_FDCWD, "a", 0, STATX_SIZE | STATX_MODE, &sx));
    VALUE(sx.stx_size);
    VALUE(sx.stx_mode);
    struct statfs sf;
    VALUE(statfs(".", &sf));
    VALUE(sf.f_bsize > 0 && sf.f_namelen >= 255);
    VALUE(mkfifo("fifo", 0600));
    VALUE(stat("fifo", &st));
    VALUE(S_ISFIFO(st.st_mode));
}

static void descriptors(void)
{
    int p[2];
    char buf[64];
    VALUE(pipe2(p, O_CLOEXEC | O_NONBLOCK));
    VALUE(fcntl(p[0], F_GETFD));
    TRY(read(p[0], buf, 10));
    VALUE(write(p[1], "0123456789", 10));
    int d = dup(p[0]), e = dup3(p[0], 50, O_CLOEXEC);
    VALUE(e);
    VALUE(read(d, buf, 4));
    VALUE(read(e, buf, 4));
    TRY(dup3(p[0], p[0], 0));
    close(p[1]);
    VALUE(read(p[0], buf, 64));
    VALUE(read(p[0], buf, 64));
    close(p[0]);
    int in = open("a", O_RDONLY), out = open("copy", O_RDWR | O_CREAT, 0600);
    VALUE(sendfile(out, in, NULL, 5));
    off_t at = 1;
    VALUE(sendfile(out, in, &at, 3));
    VALUE(at);
    VALUE(lseek(out, 0, SEEK_END));
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5};
    VALUE(fcntl(out, F_SETLK, &fl));
    pid_t child = fork();
    if (child == 0) {
        struct flock q = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
        VALUE(fcntl(out, F_GETLK, &q));
        VALUE(q.l_type == F_WRLCK);
        VALUE(q.l_start);
        VALUE(q.l_len);
        VALUE(q.l_pid == getppid());
        exit(0);
    }
    waitpid(child, NULL, 0);
    VALUE(flock(out, LOCK_EX | LOCK_NB));
    VALUE(fsync(out));
    VALUE(fdatasync(out));
    VALUE(posix_fadvise(out, 0, 0, POSIX_FADV_SEQUENTIAL));
    off_t a = 0, b = 20;
    VALUE(copy_file_range(in, &a, out, &b, 4, 0));
    VALUE(b);
    close(in);
    close(out);
    int m = memfd_create("mem", MFD_CLOEXEC);
    VALUE(m >= 0);
    VALUE(write(m, "xyz", 3));
    VALUE(lseek(m, 0, SEEK_CUR));
    close(m);
    int r = setxattr("copy", "user.k", "value", 5, 0);
    if (r == 0) {
        memset(buf, 0, sizeof(buf));
        r = getxattr("copy", "user.k", buf, sizeof(buf)) == 5 && !strcmp(buf, "value") ? 0 : 1;
    } else if (errno == ENOTSUP) {
        r = 0;
    }
    VALUE(r);
    TRY(getxattr("copy", "user.none", buf, sizeof(buf)) < 0 && errno == ENOTSUP ? (errno = ENODATA, -1) : -1);
}

static void bad_addresses(void)
{
    void *bad = (void *)16;
    int fd = open("copy", O_RDWR);
    TRY(read(fd, bad, 4));
    TRY(write(fd, bad, 4));
    TRY(open(bad, O_RDONLY));
    TRY(stat("copy", bad));
    TRY(pipe(bad));
    TRY(readlink("ln", bad, 10));
    TRY(syscall(SYS_getcwd, bad, 4096));
    TRY(syscall(SYS_getdents64, fd, bad, 100));
    void *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    lseek(fd, 0, SEEK_SET);
    TRY(read(fd, ro, 4));
    struct iovec v = {bad, 4};
    TRY(readv(fd, &v, 1));
    TRY(writev(fd, bad, 1));
    TRY(read(-1, ro, 4));
    TRY(syscall(1000));
    close(fd);
}

int main(void)
{
    basics();
    names();
    descriptors();
    bad_addresses();
    return 7;
}
