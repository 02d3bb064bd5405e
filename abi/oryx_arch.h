/* Architecture frontends: interface "oryx.arch/1", one class a guest architecture ("arm64").
 *
 * A frontend describes its registers, lifts one instruction at a time to IR, disassembles, and says what an exception
 * means. It keeps no state but the vCPU's state block and what its rows declare, so it can be saved and swapped. */
#ifndef ORYX_ARCH_H
#define ORYX_ARCH_H

#include "oryx_cpu.h"
#include "oryx_ir.h"

ORYX_BEGIN

#define ORYX_ARCH_ID "oryx.arch/1"

enum { ORYX_REG_INT, ORYX_REG_FLOAT, ORYX_REG_VECTOR, ORYX_REG_FLAGS, ORYX_REG_SYSTEM };
#define ORYX_REG_IS_PC 1u      /* COMPUTED too: reg_write is told of every new pc (MIPS: it leaves the delay slot) */
#define ORYX_REG_IS_SP 2u
#define ORYX_REG_COMPUTED 4u  /* read and written through reg_read, reg_write; no slot of its own */
#define ORYX_REG_READONLY 8u
#define ORYX_REG_ALIAS 16u    /* a view of another register (w0 of x0): not listed by "all" */

/* One register as users name it. Rows without COMPUTED are plain little-endian bytes at offset. */
typedef struct oryx_reg {
    const char *name;
    const char *group;        /* "general", "fp", "system": the heading tools list it under */
    uint32_t offset;          /* in the state block */
    uint16_t size;            /* bytes: 1, 2, 4, 8 or 16 */
    uint8_t kind;             /* ORYX_REG_INT.. */
    uint8_t type;             /* ORYX_T_* of the slot */
    uint32_t flags;
    int32_t gdb;              /* GDB register number, -1 none */
    uint64_t reset;           /* value after reset (low 64 bits) */
} oryx_reg;

typedef struct oryx_cpu_model {
    const char *name;
    const char *text;
    const void *data;         /* the frontend's */
} oryx_cpu_model;

/* A function that IR may CALL. signature: "ret(args)" of void u32 u64 f32 f64 v128 vcpu, e.g. "u64(vcpu,u64,u32)"; vcpu
 * is the oryx_cpu pointer and is supplied by the engine, v128 arguments are const oryx_v128 *, a v128 result is a first
 * argument oryx_v128 *. effects: letters R W (may fault: sets cpu->exc and the engine checks it), G S (reads, writes
 * state), P pure, E (uses cpu->fp). Registered once a machine; the name is unique in it. */
typedef struct oryx_helper {
    const char *name;
    const char *signature;
    const char *effects;
    void (*fn)(void);
} oryx_helper;

/* What lift works on. in: ir, pc, mode, bytes (n_bytes readable bytes at pc, at least 1), model, helper_base (the id of
 * helpers[0] in this machine). out: len, end, and mode when the next instruction of the block has another mode key (the
 * body has then emitted SETMODE and the state that goes with it; Arm's IT blocks). A frontend that needs more bytes than n_bytes returns ORYX_NEED_BYTES and
 * the core calls again with more, or raises the fetch fault at pc + n_bytes. INSN is emitted by the core. An
 * undecodable word is not an error: lift emits RAISE UNDEFINED. */
typedef struct oryx_lift {
    oryx_hdr hdr;
    oryx_ir *ir;
    uint64_t pc, mode;
    const uint8_t *bytes;
    uint32_t n_bytes;
    uint32_t helper_base;
    const oryx_cpu_model *model;
    uint32_t len;             /* out: bytes used */
    uint32_t end;             /* out: non-zero when the block ends here (a block end op was emitted) */
} oryx_lift;

/* Result of a page-table walk. */
typedef struct oryx_mmu_result {
    oryx_hdr hdr;
    uint64_t phys;
    uint64_t page_size;       /* the mapping covers [addr & -page_size, +page_size); a power of two from 32 up. Below 4096 (MPUs) nothing
                               * is cached: every access asks */
    uint32_t prot;            /* ORYX_PROT_* the mapping allows */
    uint32_t attrs;
    uint64_t syndrome;        /* with a refusal: the frontend's detail, which becomes exc.syndrome */
} oryx_mmu_result;

typedef struct oryx_disasm {
    oryx_hdr hdr;
    uint32_t len;             /* bytes used */
    char text[160];           /* objdump's syntax, operands separated from the mnemonic by one tab */
} oryx_disasm;

/* The registers with GDB numbers first to last make this feature of GDB's target descriptions ("org.gnu.gdb.aarch64.core"); several
 * rows of one name that follow one another make one feature. */
typedef struct oryx_gdb_feature {
    const char *name;
    int32_t first, last;
} oryx_gdb_feature;

typedef struct oryx_arch_ops {
    oryx_hdr hdr;
    const char *name;         /* the class, "arm64" */
    const char *text;
    uint32_t state_size;
    uint32_t pc_offset;       /* of the 8-byte pc slot */
    const oryx_reg *regs;
    uint32_t reg_stride;      /* sizeof(oryx_reg) as the frontend knew it */
    uint32_t n_regs;
    const char *const *modes; /* names for mode selection ("a64"), NULL-terminated; the first is the default */
    const oryx_cpu_model *models;
    uint32_t model_stride;
    uint32_t n_models;
    const oryx_helper *helpers;
    uint32_t helper_stride;
    uint32_t n_helpers;
    uint32_t insn_align;      /* 4 for A64 */
    uint32_t insn_max;        /* longest instruction in bytes */
    uint32_t big_endian;
    uint32_t n_mmu_indexes;
    /* Fill the zeroed state block and cpu->fp with reset values. mode: a name of modes or NULL. [control] */
    oryx_status (*reset)(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err);
    /* Everything in the state that changes what lift emits; also refreshes cpu->fp from the state. [vcpu] */
    uint64_t (*mode_key)(oryx_cpu *cpu);
    oryx_status (*lift)(oryx_lift *l);
    /* Read or write a COMPUTED register; buf has the register's size. [stopped] */
    oryx_status (*reg_read)(oryx_cpu *cpu, uint32_t reg, void *buf);
    oryx_status (*reg_write)(oryx_cpu *cpu, uint32_t reg, const void *buf);
    /* Virtual to physical. NULL or returning addr itself: no MMU. ORYX_FAULT_* refuses. mmu_index: the access's, or
     * ORYX_MMU_CURRENT, as the state is now (fetches, the API). Must not change the state. [vcpu] */
    oryx_status (*mmu)(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t mmu_index, oryx_mmu_result *out);
    /* Deliver cpu->exc to the guest (vectors). NULL: every exception leaves vcpu_run. ORYX_OK: delivered. [vcpu] */
    oryx_status (*deliver)(oryx_cpu *cpu, const oryx_exc *exc);
    /* Disassemble bytes at pc. Undecodable: ORYX_E_FORMAT, text as objdump's (".inst 0x... ; undefined"). [any] */
    oryx_status (*disasm)(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes, oryx_disasm *out);
    /* Mode key right after reset in a mode of `modes`, for tools that have no vCPU. NULL: every mode's key is 0. [any] */
    oryx_status (*mode_of)(const char *mode, uint64_t *key);
    /* Interrupts. irqs, irq_outs: names of the input and output lines, NULL-terminated, at most 48 inputs; NULL: none. */
    const char *const *irqs;
    const char *const *irq_outs;
    /* Called between blocks while cpu->irq is not 0: take an interrupt when the state lets one in. ORYX_OK: taken, the state is
     * that of its handler; anything else: nothing changed. A frontend ends a block with RESYNC, or kicks the slice, wherever
     * its guest may have unmasked one. [vcpu] */
    oryx_status (*interrupt)(oryx_cpu *cpu, uint64_t lines);
    /* The virtual time that was asked for with device_alarm of the vCPU's device is reached. [vcpu] */
    void (*alarm)(oryx_cpu *cpu, uint64_t now);
    /* A device model shares a block of state with this vCPU (oryx_machine_attach): `id` says what it is, NULL shared: no longer.
     * The frontend may keep the pointer in cpu->arch_data. An id it does not know: ORYX_E_UNSUPPORTED. [control] */
    oryx_status (*attach)(oryx_cpu *cpu, const char *id, void *shared);
    /* For GDB: the architecture's name there ("aarch64") and what its standard registers are; a row with name NULL ends the list.
     * NULL: GDB cannot be served. */
    const char *gdb_arch;
    const oryx_gdb_feature *gdb_features;
} oryx_arch_ops;

ORYX_END
#endif
