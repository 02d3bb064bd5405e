/* One file operation by name, for sandbox.py: probe OPERATION PATH. Exit status 0 when it worked, 1 when it was refused. */
#include "check.h"
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
    char buf[512] = "";
    const char *op = argc > 1 ? argv[1] : "cwd", *path = argc > 2 ? argv[2] : ".";
    int ok = 0;
    if (!strcmp(op, "read")) {
        int fd = open(path, O_RDONLY);
        ok = fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0;
        fputs(buf, stdout);
    } else if (!strcmp(op, "readat3")) {
        int fd = openat(3, path, O_RDONLY);
        ok = fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0;
        fputs(buf, stdout);
    } else if (!strcmp(op, "write")) {
        int fd = open(path, O_WRONLY | O_TRUNC);
        ok = fd >= 0 && write(fd, "changed\n", 8) == 8;
    } else if (!strcmp(op, "truncate")) {
        ok = truncate(path, 0) == 0;
    } else if (!strcmp(op, "unlink")) {
        ok = unlink(path) == 0;
    } else if (!strcmp(op, "create")) {
        ok = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600) >= 0;
    } else if (!strcmp(op, "cwd")) {
        ok = getcwd(buf, sizeof(buf)) != NULL;
        puts(buf);
    } else if (!strcmp(op, "climb")) {
        ok = chdir("/") == 0 && chdir("..") == 0 && chdir("../..") == 0 && getcwd(buf, sizeof(buf)) != NULL;
        puts(buf);
    } else if (!strcmp(op, "exe")) {
        ok = readlink("/proc/self/exe", buf, sizeof(buf) - 1) > 0;
        puts(buf);
    } else if (!strcmp(op, "exec")) {
        execl(path, path, "cwd", ".", (char *)NULL);
    } else if (!strcmp(op, "socket")) {
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        ok = bind(s, (struct sockaddr *)&un, sizeof(un)) == 0;
    }
    return !ok;
}
