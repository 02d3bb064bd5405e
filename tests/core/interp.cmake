# And with the JIT, where every block becomes a region at its first entry and takes in all it leads to.
if(TARGET engine-x64)
    foreach(test core_run core_probe)
        oryx_add_test(${test}_regions LABELS quick COMMAND ${test} ENVIRONMENT TOY_ENGINE=x64 TOY_PLUGIN=$<TARGET_FILE:toy>
            TOY_PLUGINS=${CMAKE_BINARY_DIR}/plugins ORYX_REGION_HOT=1 ORYX_REGION_ALL=1)
        add_dependencies(${test} engine-x64)
    endforeach()
endif()
# engine-interp alone: the built plugin on a rig without a core (interp_rig.h).
foreach(name int run fp vec mix)
    oryx_test(interp_${name} SOURCES test_interp_${name}.c LABELS quick LIBRARIES m)
    add_dependencies(interp_${name} engine-interp)
endforeach()
# Not a test: ORYX_BUILD=<build> <build>/tests/core/interp_bench [millions]
add_executable(interp_bench EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tests/bench/interp_bench.c)
target_include_directories(interp_bench PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(interp_bench PRIVATE oryx_abi PkgConfig::CMOCKA ${CMAKE_DL_LIBS})
add_dependencies(interp_bench engine-interp)
