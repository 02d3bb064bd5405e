/* Handlers of run.c, part of interp_run: integers, comparisons with and without a block end, flags. */
    /* --- integers ---------------------------------------------------------------------------------------- */
#define W 32
#define S int32_t
#define X(n, e)                                                                                                       \
    L_##n##_32r:                                                                                                      \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = R32(ip->b);                                                                      \
        W64(ip->d, (uint32_t)(e));                                                                                    \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_##n##_32i:                                                                                                      \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = (uint32_t)ip->imm;                                                               \
        W64(ip->d, (uint32_t)(e));                                                                                    \
        NEXT();                                                                                                       \
    }
    INT_BIN(X)
#undef X
#define X(n, e)                                                                                                       \
    L_CMP_##n##_32r:                                                                                                  \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = R32(ip->b);                                                                      \
        W64(ip->d, (e));                                                                                              \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_CMP_##n##_32i:                                                                                                  \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = (uint32_t)ip->imm;                                                               \
        W64(ip->d, (e));                                                                                              \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_CMPG_##n##_32r:                                                                                                 \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = R32(ip->b);                                                                      \
        ip++;                                                                                                         \
        EXIT_COND(e);                                                                                                 \
    }                                                                                                                 \
    L_CMPG_##n##_32i:                                                                                                 \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = (uint32_t)ip->imm;                                                               \
        ip++;                                                                                                         \
        EXIT_COND(e);                                                                                                 \
    }
    INT_CC(X)
#undef X
#undef W
#undef S
#define W 64
#define S int64_t
#define X(n, e)                                                                                                       \
    L_##n##_64r:                                                                                                      \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = R64(ip->b);                                                                      \
        W64(ip->d, (uint64_t)(e));                                                                                    \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_##n##_64i:                                                                                                      \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = ip->imm;                                                                         \
        W64(ip->d, (uint64_t)(e));                                                                                    \
        NEXT();                                                                                                       \
    }
    INT_BIN(X)
#undef X
#define X(n, e)                                                                                                       \
    L_CMP_##n##_64r:                                                                                                  \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = R64(ip->b);                                                                      \
        W64(ip->d, (e));                                                                                              \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_CMP_##n##_64i:                                                                                                  \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = ip->imm;                                                                         \
        W64(ip->d, (e));                                                                                              \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_CMPG_##n##_64r:                                                                                                 \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = R64(ip->b);                                                                      \
        ip++;                                                                                                         \
        EXIT_COND(e);                                                                                                 \
    }                                                                                                                 \
    L_CMPG_##n##_64i:                                                                                                 \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = ip->imm;                                                                         \
        ip++;                                                                                                         \
        EXIT_COND(e);                                                                                                 \
    }
    INT_CC(X)
#undef X
#undef W
#undef S

    /* --- flags ------------------------------------------------------------------------------------------- */
#define FL_BODY(n, w, T, B, tail)                                                                                     \
    {                                                                                                                 \
        T a = (T)R##w(ip->a), b = (T)(B);                                                                             \
        uint32_t f = FLV_##n(w, a, b, ip->c);                                                                         \
        (void)b;                                                                                                      \
        W32(ip->d, f);                                                                                                \
        tail                                                                                                          \
    }
#define FL_EXIT                                                                                                       \
    ip++;                                                                                                             \
    EXIT_COND(softop_conds[f & 511] >> ((uint32_t)ip->d >> 16) & 1);
#define X(n)                                                                                                          \
    L_FL_##n##_32r : FL_BODY(n, 32, uint32_t, R32(ip->b), NEXT();)                                                    \
    L_FL_##n##_32i : FL_BODY(n, 32, uint32_t, ip->imm, NEXT();)                                                       \
    L_FL_##n##_64r : FL_BODY(n, 64, uint64_t, R64(ip->b), NEXT();)                                                    \
    L_FL_##n##_64i : FL_BODY(n, 64, uint64_t, ip->imm, NEXT();)                                                       \
    L_FLG_##n##_32r : FL_BODY(n, 32, uint32_t, R32(ip->b), FL_EXIT)                                                   \
    L_FLG_##n##_32i : FL_BODY(n, 32, uint32_t, ip->imm, FL_EXIT)                                                      \
    L_FLG_##n##_64r : FL_BODY(n, 64, uint64_t, R64(ip->b), FL_EXIT)                                                   \
    L_FLG_##n##_64i : FL_BODY(n, 64, uint64_t, ip->imm, FL_EXIT)
    FL_KINDS(X)
#undef X
L_FLCOND:
    W64(ip->d, softop_conds[R32(ip->a) & 511] >> ip->imm & 1);
    NEXT();

