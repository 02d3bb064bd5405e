# Execution, IR, probes: every test_NAME.c that is not the memory or interpreter group becomes core_NAME. They see core/, the toy plugin
# (TOY_PLUGIN) and the built plugins (TOY_PLUGINS).
oryx_plugin(toy SOURCES toy_arch/toy_arch.c toy_arch/toy_engine.c NO_INSTALL)
file(GLOB tests RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS test_*.c)
list(FILTER tests EXCLUDE REGEX "^test_(mem|interp)_")
foreach(test IN LISTS tests)
    string(REGEX REPLACE "^test_(.*)\\.c$" "core_\\1" name ${test})
    set(labels quick)
    if(name MATCHES "thread")
        list(APPEND labels threads)
    endif()
    oryx_test(${name} SOURCES ${test} LABELS ${labels} WHITEBOX
        ENVIRONMENT TOY_PLUGIN=$<TARGET_FILE:toy> TOY_PLUGINS=${CMAKE_BINARY_DIR}/plugins)
    add_dependencies(${name} toy region-ram region-io probe-count probe-trace)
endforeach()
# The run loop, the cache and the probes once more with the reference engine instead of the toy's.
foreach(test core_run core_tb core_probe core_threads)
    oryx_add_test(${test}_interp LABELS quick COMMAND ${test} ENVIRONMENT TOY_ENGINE=interp TOY_PLUGIN=$<TARGET_FILE:toy>
        TOY_PLUGINS=${CMAKE_BINARY_DIR}/plugins)
    add_dependencies(${test} engine-interp)
endforeach()
