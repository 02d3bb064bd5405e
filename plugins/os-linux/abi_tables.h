/* The tables of one ABI out of its .def. An abi_<arch>.c defines ABI_DEF as that file's name, includes this once and has
 * numbers[], maps[], sizes[], fields[] and ABI_TABLES for its lx_abi. Rows:
 *   NR(number, name)             a system call, served by the row of that name in syscalls.def, or unknown to us
 *   NRAS(number, name, row)      the same with another row: old calls whose name means something else elsewhere
 *   MAP(kind, guest, host)       a number that differs, by kind (LX_M_*), rows of one kind together
 *   LAYOUT(struct, size)         the guest's size of a struct of structs.def
 *   AT(struct, member, offset, size)   where its members are, rows of one struct together
 * tests/guest/linux/abi_layout.py compares the numbers with those of a cross compiler, and prints them for a new ABI. */
#include <linux/fs.h>
#include <net/if.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <termios.h>
#include <utime.h>

#include "linux.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static const lx_nr numbers[] = {
#define NR(number, name)        {number, #name, #name},
#define NRAS(number, name, row) {number, #name, #row},
#include ABI_DEF
#undef NR
#undef NRAS
};

static const lx_map maps[] = {
#define MAP(kind, guest, host) {LX_M_##kind, guest, host},
#include ABI_DEF
#undef MAP
    {LX_M_COUNT, 0, 0}};

static const uint16_t sizes[LX_S_COUNT] = {
#define LAYOUT(strct, size) [LX_S_##strct] = size,
#include ABI_DEF
#undef LAYOUT
};

#define STRUCT(id, letter, type) typedef type host_##id;
#define FIELD(id, member)
#include "structs.def"
#define HOST_MEMBER(strct, member) (((host_##strct *)0)->member)
#define IS_SIGNED(e) _Generic((e), signed char: 1, short: 1, int: 1, long: 1, long long: 1, default: 0)
static const lx_field fields[] = {
#define AT(strct, member, offset, size)                                                              \
    {LX_S_##strct, offsetof(host_##strct, member), sizeof(HOST_MEMBER(strct, member)), offset, size, \
     IS_SIGNED(HOST_MEMBER(strct, member))},
#include ABI_DEF
#undef AT
    {0, 0, 0, 0, 0, 0}};

#define ABI_TABLES                                                                                      \
    .nrs = numbers, .n_nrs = sizeof(numbers) / sizeof(numbers[0]), .maps = maps,                        \
    .n_maps = sizeof(maps) / sizeof(maps[0]) - 1, .fields = fields, .sizes = sizes
