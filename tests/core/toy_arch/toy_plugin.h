/* What the two halves of the toy plugin share. */
#ifndef TOY_PLUGIN_H
#define TOY_PLUGIN_H

#include "oryx.h"

extern const oryx_arch_ops toy_arch;
extern const oryx_engine_ops toy_engine;

#endif
