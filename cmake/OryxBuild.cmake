# In-tree build rules: flags, output places, libraries, and the functions folders use.
# Out-of-tree plugins see only OryxPlugin.cmake.
include(GNUInstallDirs)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# No fused multiply-add behind the source's back: guest floating point must round twice.
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -ffp-contract=off -fno-plt)
if(ORYX_WERROR)
    add_compile_options(-Werror)
endif()
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--build-id)
# Tables of pointers (decoders, system calls) are relocated at every start: packed, they are read in a tenth of the pages.
include(CheckLinkerFlag)
check_linker_flag(C -Wl,-z,pack-relative-relocs ORYX_LINKER_PACKS_RELOCS)
if(ORYX_LINKER_PACKS_RELOCS)
    add_link_options(-Wl,-z,pack-relative-relocs)
endif()
if(ORYX_SANITIZE)
    add_compile_options(-fsanitize=${ORYX_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${ORYX_SANITIZE})
    if(ORYX_SANITIZE MATCHES thread)
        add_compile_options(-Wno-tsan) # TSan knows no fences; where one is used, atomics beside it carry the order
    endif()
    if(ORYX_SANITIZE MATCHES undefined)
        add_compile_options(-fno-sanitize-recover=undefined)
    endif()
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(lib GLIB=glib-2.0 FFI=libffi JSONC=json-c XXHASH=libxxhash CMOCKA=cmocka)
    string(REPLACE "=" ";" lib ${lib})
    list(GET lib 0 var)
    list(GET lib 1 module)
    if(var STREQUAL CMOCKA AND NOT ORYX_TESTS)
        continue()
    endif()
    pkg_check_modules(${var} QUIET IMPORTED_TARGET ${module})
    if(NOT ${var}_FOUND)
        message(FATAL_ERROR "library ${module} not found: run './setup build', which installs it")
    endif()
endforeach()

# The stable ABI as a target: headers only. OryxPlugin.cmake links every plugin to Oryx::abi.
add_library(oryx_abi INTERFACE)
add_library(Oryx::abi ALIAS oryx_abi)
target_include_directories(oryx_abi INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/abi> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/oryx>)

set(ORYX_PLUGIN_INSTALL "${CMAKE_INSTALL_LIBDIR}/oryx/plugins" CACHE INTERNAL "below the prefix")
set(ORYX_PLUGIN_DIR "${CMAKE_INSTALL_FULL_LIBDIR}/oryx/plugins" CACHE INTERNAL "installed plugins")
set(ORYX_PLUGIN_OUTPUT "${CMAKE_BINARY_DIR}/plugins" CACHE INTERNAL "plugins as built, beside the command")

# Add FOLDER when it has a CMakeLists.txt.
function(oryx_add_folder folder)
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
        add_subdirectory(${folder})
    endif()
endfunction()

# Add every direct subfolder of DIR that has a CMakeLists.txt, in name order.
function(oryx_add_folders_below dir)
    file(GLOB lists RELATIVE "${dir}" CONFIGURE_DEPENDS "${dir}/*/CMakeLists.txt")
    list(SORT lists)
    foreach(list IN LISTS lists)
        get_filename_component(folder "${list}" DIRECTORY)
        add_subdirectory(${folder})
    endforeach()
endfunction()

# oryx_library(SOURCES ... [LIBRARIES ...]): liboryx.so.1, target `oryx_core` (Oryx::oryx).
# Only functions marked ORYX_API leave it. White-box tests link the same objects as oryx_core_static.
function(oryx_library)
    cmake_parse_arguments(PARSE_ARGV 0 A "" "" "SOURCES;LIBRARIES")
    set(map "${PROJECT_SOURCE_DIR}/cmake/liboryx.map")
    set(libraries ${A_LIBRARIES} PkgConfig::GLIB PkgConfig::FFI PkgConfig::XXHASH
        Threads::Threads ${CMAKE_DL_LIBS})

    add_library(oryx_core_objects OBJECT ${A_SOURCES})
    target_compile_definitions(oryx_core_objects PRIVATE ORYX_BUILDING_CORE=1
        ORYX_PLUGIN_DIR="${ORYX_PLUGIN_DIR}" ORYX_VERSION="${PROJECT_VERSION}")
    target_include_directories(oryx_core_objects PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}
        ${CMAKE_CURRENT_BINARY_DIR})
    target_link_libraries(oryx_core_objects PRIVATE oryx_abi ${libraries})

    add_library(oryx_core SHARED $<TARGET_OBJECTS:oryx_core_objects>)
    add_library(Oryx::oryx ALIAS oryx_core)
    set_target_properties(oryx_core PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME oryx EXPORT_NAME oryx
        SOVERSION 1 VERSION 1.${PROJECT_VERSION_MINOR}.${PROJECT_VERSION_PATCH}
        LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}" LINK_DEPENDS "${map}")
    target_link_options(oryx_core PRIVATE -Wl,--no-undefined "-Wl,--version-script=${map}")
    target_link_libraries(oryx_core PUBLIC oryx_abi PRIVATE ${libraries})

    add_library(oryx_core_static STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:oryx_core_objects>)
    set_target_properties(oryx_core_static PROPERTIES LINKER_LANGUAGE C)
    target_include_directories(oryx_core_static INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}
        ${CMAKE_CURRENT_BINARY_DIR})
    target_link_libraries(oryx_core_static PUBLIC oryx_abi ${libraries})
endfunction()

# oryx_command(SOURCES ... [LIBRARIES ...]): the `oryx` command, at <build>/oryx; sees abi/ only.
# One run path serves build and installation: padding by CMake would put "." into it.
function(oryx_command)
    cmake_parse_arguments(PARSE_ARGV 0 A "" "" "SOURCES;LIBRARIES")
    add_executable(oryx_tool ${A_SOURCES})
    set_target_properties(oryx_tool PROPERTIES OUTPUT_NAME oryx
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}"
        BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN:$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
    target_compile_definitions(oryx_tool PRIVATE ORYX_VERSION="${PROJECT_VERSION}")
    target_include_directories(oryx_tool PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR})
    target_link_libraries(oryx_tool PRIVATE oryx_core ${A_LIBRARIES} Threads::Threads)
endfunction()

# Registers a test command: oryx_add_test(NAME LABELS quick ... COMMAND ... [TIMEOUT s] [SERIAL]).
# The command sees ORYX (the command), ORYX_SOURCE and ORYX_BUILD; exit status 77 means skipped.
function(oryx_add_test name)
    cmake_parse_arguments(PARSE_ARGV 1 A "SERIAL" "TIMEOUT" "LABELS;COMMAND;ENVIRONMENT")
    set(known quick guest diff fuzz abi tree coverage threads)
    if(NOT A_LABELS)
        message(FATAL_ERROR "test ${name}: give LABELS, one or more of: ${known}")
    endif()
    foreach(label IN LISTS A_LABELS)
        if(NOT label IN_LIST known)
            message(FATAL_ERROR "test ${name}: unknown label '${label}'; use one of: ${known}")
        endif()
    endforeach()
    if(NOT A_TIMEOUT)
        set(A_TIMEOUT 300)
    endif()
    add_test(NAME ${name} COMMAND ${A_COMMAND} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    set_tests_properties(${name} PROPERTIES LABELS "${A_LABELS}" TIMEOUT ${A_TIMEOUT}
        SKIP_RETURN_CODE 77 RUN_SERIAL ${A_SERIAL})
    set_property(TEST ${name} PROPERTY ENVIRONMENT "ORYX=${CMAKE_BINARY_DIR}/oryx"
        "ORYX_SOURCE=${PROJECT_SOURCE_DIR}" "ORYX_BUILD=${CMAKE_BINARY_DIR}" ${A_ENVIRONMENT})
endfunction()

# A C test (cmocka): oryx_test(NAME SOURCES ... LABELS ... [LIBRARIES ...] [INCLUDES ...] [ARGS ...]
# [WHITEBOX] [TIMEOUT s]). WHITEBOX adds core/ to the include path; tests link liboryx otherwise.
function(oryx_test name)
    cmake_parse_arguments(PARSE_ARGV 1 A "WHITEBOX;SERIAL" "TIMEOUT"
        "SOURCES;LABELS;LIBRARIES;INCLUDES;ARGS;ENVIRONMENT")
    add_executable(${name} ${A_SOURCES})
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_BINARY_DIR}
        ${A_INCLUDES})
    target_link_libraries(${name} PRIVATE oryx_abi ${A_LIBRARIES} PkgConfig::CMOCKA Threads::Threads
        ${CMAKE_DL_LIBS})
    if(A_WHITEBOX)
        # Internal functions are hidden in liboryx.so, so a white-box test links core's objects.
        target_link_libraries(${name} PRIVATE oryx_core_static)
    else()
        target_link_libraries(${name} PRIVATE oryx_core)
    endif()
    set(pass LABELS ${A_LABELS} COMMAND ${name} ${A_ARGS})
    if(A_TIMEOUT)
        list(APPEND pass TIMEOUT ${A_TIMEOUT})
    endif()
    if(A_SERIAL)
        list(APPEND pass SERIAL)
    endif()
    oryx_add_test(${name} ${pass} ENVIRONMENT ${A_ENVIRONMENT})
endfunction()
