/* Handlers of run.c, part of interp_run: guest memory. Hits of the translation cache are inline. */
    /* --- memory ------------------------------------------------------------------------------------------ */
#define TLB_OF(off) ((const oryx_tlb *)(const void *)((const uint8_t *)cpu + (off)))
#define HIT(t, way, size)                                                                                             \
    const oryx_tlb_entry *en = &(t)->way[addr >> ORYX_PAGE_BITS & (t)->mask];                                         \
    if (LIKELY(((addr + (size) - 1) & ~(uint64_t)(ORYX_PAGE_SIZE - 1)) == en->tag))
#define HOST(T) ((T *)(uintptr_t)(addr + en->addend))
    typedef uint8_t uint8_tu;
    typedef int8_t int8_tu;
    typedef u16u uint16_tu;
    typedef u32u uint32_tu;
    typedef u64u uint64_tu;
    typedef int16_t __attribute__((aligned(1), may_alias)) int16_tu;
    typedef int32_t __attribute__((aligned(1), may_alias)) int32_tu;
#define X(n, T, e)                                                                                                    \
    L_LD_##n:                                                                                                         \
    {                                                                                                                 \
        const oryx_tlb *t = TLB_OF(ip->b);                                                                            \
        addr = R64(ip->a) + ip->imm;                                                                                  \
        HIT(t, rd, sizeof(T))                                                                                         \
        {                                                                                                             \
            T v = *HOST(T##u);                                                                                        \
            W64(ip->d, (e));                                                                                          \
            NEXT();                                                                                                   \
        }                                                                                                             \
        goto load_slow;                                                                                               \
    }
    LOADS(X)
#undef X
#define X(n, T)                                                                                                       \
    L_ST_##n:                                                                                                         \
    {                                                                                                                 \
        const oryx_tlb *t = TLB_OF(ip->d);                                                                            \
        addr = R64(ip->a) + ip->imm;                                                                                  \
        HIT(t, wr, sizeof(T))                                                                                         \
        {                                                                                                             \
            *HOST(T##u) = *(const T##u *)(base + ip->b);                                                              \
            NEXT();                                                                                                   \
        }                                                                                                             \
        goto store_slow;                                                                                              \
    }
    STORES(X)
#undef X
L_LOAD128:
{
    const oryx_tlb *t = TLB_OF(ip->b);
    addr = R64(ip->a) + ip->imm;
    HIT(t, rd, 16)
    {
        uint64_t lo = HOST(u64u)[0], hi = HOST(u64u)[1];
        W64(ip->d, lo);
        W64(ip->d + 8, hi);
        NEXT();
    }
    goto load_slow;
}
L_STORE128:
{
    const oryx_tlb *t = TLB_OF(ip->d);
    addr = R64(ip->a) + ip->imm;
    HIT(t, wr, 16)
    {
        uint64_t lo = R64(ip->b), hi = R64(ip->b + 8);
        HOST(u64u)[0] = lo;
        HOST(u64u)[1] = hi;
        NEXT();
    }
    goto store_slow;
}
#define X(n, T, Tu)                                                                                                   \
    L_LOADX##n:                                                                                                       \
    {                                                                                                                 \
        const oryx_tlb *t = &cpu->tlb[0];                                                                             \
        addr = R64(ip->a) + (R64(ip->b) << (ip->imm & 63));                                                           \
        HIT(t, rd, sizeof(T))                                                                                         \
        {                                                                                                             \
            W64(ip->d, *HOST(Tu));                                                                                    \
            NEXT();                                                                                                   \
        }                                                                                                             \
        goto load_slow;                                                                                               \
    }
    X(8, uint8_t, uint8_t)
    X(32, uint32_t, u32u)
    X(64, uint64_t, u64u)
#undef X
L_LOADG:
    addr = R64(ip->a) + ip->imm;
load_slow:
{
    oryx_v128 v = { 0, 0 };
    uint32_t mo = (uint32_t)ip->c & 0xffff;
    unsigned type = (uint32_t)ip->c >> 16;
    CALL_OUT(interp_load_general(cpu, addr, mo, &v));
    v.lo = interp_extend(v.lo, mo, type);
    set_value(base, ip->d, type, &v);
    CHECK_CODE();
    NEXT();
}
L_STOREG:
    addr = R64(ip->a) + ip->imm;
store_slow:
{
    oryx_v128 v;
    value_of(&v, base, ip->b, (uint32_t)ip->c >> 16);
    CALL_OUT(interp_store_general(cpu, addr, (uint32_t)ip->c & 0xffff, &v));
    CHECK_CODE();
    NEXT();
}
L_RMW:
{
    oryx_v128 v, old = { 0, 0 };
    value_of(&v, base, ip->b, (unsigned)ip->c);
    CALL_OUT(cpu->fn->rmw(cpu, R64(ip->a), ip->imm, v.lo, &old.lo));
    set_value(base, ip->d, (unsigned)ip->c, &old);
    CHECK_CODE();
    NEXT();
}
L_CAS:
{
    oryx_v128 want, v, old = { 0, 0 };
    unsigned type = (unsigned)(ip->imm >> 32);
    value_of(&want, base, ip->b, type);
    value_of(&v, base, ip->c, type);
    CALL_OUT(cpu->fn->cas(cpu, R64(ip->a), (uint32_t)ip->imm, &want, &v, &old));
    set_value(base, ip->d, type, &old);
    CHECK_CODE();
    NEXT();
}
L_LDX:
{
    oryx_v128 v = { 0, 0 };
    CALL_OUT(cpu->fn->ldx(cpu, R64(ip->a), (uint32_t)ip->imm, &v));
    set_value(base, ip->d, (unsigned)ip->c, &v);
    NEXT();
}
L_STX:
{
    oryx_v128 v;
    uint32_t failed = 1;
    value_of(&v, base, ip->b, (unsigned)ip->c);
    CALL_OUT(cpu->fn->stx(cpu, R64(ip->a), (uint32_t)ip->imm, &v, &failed));
    W64(ip->d, failed != 0);
    CHECK_CODE();
    NEXT();
}
L_CLREX:
    cpu->monitor.active = 0;
    NEXT();
L_FENCE:
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    NEXT();

