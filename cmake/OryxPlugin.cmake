# oryx_plugin(NAME SOURCES a.c b.c [LIBRARIES ...] [INCLUDES ...] [NO_INSTALL])
#
# Builds target NAME and NAME.so, a plugin that exports exactly one symbol, oryx_plugin_open_v1, and has
# no undefined symbol but libc's and those of LIBRARIES. It sees the stable ABI headers and its own
# folder, nothing else. NO_INSTALL, for plugins of tests, leaves it in the current binary directory.
# Used inside the tree and, installed with OryxConfig.cmake, by plugins outside it.
set(ORYX_PLUGIN_MAP "${CMAKE_CURRENT_LIST_DIR}/oryx_plugin.map")
if(NOT ORYX_PLUGIN_INSTALL)
    set(ORYX_PLUGIN_INSTALL "lib/oryx/plugins")
endif()

function(oryx_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 A "NO_INSTALL" "" "SOURCES;LIBRARIES;INCLUDES")
    if(NOT A_SOURCES)
        message(FATAL_ERROR "oryx_plugin(${name}): give SOURCES")
    endif()
    add_library(${name} MODULE ${A_SOURCES})
    set_target_properties(${name} PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
        POSITION_INDEPENDENT_CODE ON LINK_DEPENDS "${ORYX_PLUGIN_MAP}")
    target_compile_options(${name} PRIVATE -fno-plt)
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}
        ${A_INCLUDES})
    target_link_libraries(${name} PRIVATE Oryx::abi ${A_LIBRARIES})
    target_link_options(${name} PRIVATE "-Wl,--version-script=${ORYX_PLUGIN_MAP}" -Wl,--no-undefined
        -Wl,-z,now -Wl,-z,relro -Wl,--build-id -Wl,-z,noexecstack)
    if(ORYX_PLUGIN_OUTPUT AND NOT A_NO_INSTALL)
        set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${ORYX_PLUGIN_OUTPUT}")
    endif()
    if(NOT A_NO_INSTALL)
        install(TARGETS ${name} LIBRARY DESTINATION "${ORYX_PLUGIN_INSTALL}")
    endif()
endfunction()
