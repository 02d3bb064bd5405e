# The JSON reader of plugins and the core, against Python's.
add_executable(abi-json-read ${CMAKE_CURRENT_LIST_DIR}/json_read.c)
target_link_libraries(abi-json-read PRIVATE oryx_abi)
oryx_add_test(abi-json-read LABELS quick abi fuzz COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/json_read.py $<TARGET_FILE:abi-json-read>)
