# Region backends as the ABI allows them: an ops struct of an older, shorter header, memory that is direct for a prefix only,
# and direct pointers that are taken back while the region is mapped.
oryx_plugin(abi-region SOURCES region_plugin.c NO_INSTALL)
oryx_test(abi_region SOURCES region_test.c LABELS quick abi
    ENVIRONMENT TOY_PLUGIN=$<TARGET_FILE:toy> REGION_PLUGIN=$<TARGET_FILE:abi-region>)
add_dependencies(abi_region toy abi-region region-io region-ram)
