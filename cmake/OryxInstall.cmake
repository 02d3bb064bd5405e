# Installation: headers, library, command, pkg-config file and CMake package. Plugins install themselves.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Oryx")

install(DIRECTORY abi/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/oryx"
    FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(TARGETS oryx_abi EXPORT OryxTargets)
set_target_properties(oryx_abi PROPERTIES EXPORT_NAME abi)
if(TARGET oryx_core)
    install(TARGETS oryx_core EXPORT OryxTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()
if(TARGET oryx_tool)
    install(TARGETS oryx_tool RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

# oryx.pc finds its prefix from its own place, so an installed tree can be moved.
file(RELATIVE_PATH pc_to_prefix "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
configure_file(oryx.pc.in oryx.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/oryx.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(EXPORT OryxTargets NAMESPACE Oryx:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/OryxConfig.cmake.in OryxConfig.cmake
    INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(OryxConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/OryxConfig.cmake" "${PROJECT_BINARY_DIR}/OryxConfigVersion.cmake"
    cmake/OryxPlugin.cmake cmake/oryx_plugin.map DESTINATION "${package_dir}")
