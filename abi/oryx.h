/* Oryx: everything an embedder or a plugin author includes. Read in this order:
 *   oryx_types.h    handles, statuses, errors, growth rules
 *   oryx_machine.h  machines, vCPUs, run and its exits, registers     (embedders start here)
 *   oryx_mem.h      regions and address spaces
 *   oryx_snapshot.h taking, restoring, saving and loading the state of a machine
 *   oryx_watch.h    watchpoints and breakpoints
 *   oryx_plugin.h   plugin entry, manifest, host table                (plugin authors start here)
 *   oryx_arch.h, oryx_ir.h, oryx_engine.h, oryx_device.h, oryx_probe.h, oryx_os.h: one a plugin kind */
#ifndef ORYX_H
#define ORYX_H

#include "oryx_plugin.h"

#endif
