# engine-interp alone: the built plugin on a rig without a core (interp_rig.h).
foreach(name int run fp vec mix)
    oryx_test(interp_${name} SOURCES test_interp_${name}.c LABELS quick LIBRARIES m)
    add_dependencies(interp_${name} engine-interp)
endforeach()
