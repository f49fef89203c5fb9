# find_package(AimPlugin): the headers of the plugin ABI and aim_plugin(). Works installed and from the source tree.
include(${CMAKE_CURRENT_LIST_DIR}/AimPlugin.cmake)
if(NOT TARGET AimPlugin::abi)
    add_library(AimPlugin::abi INTERFACE IMPORTED)
    set_target_properties(AimPlugin::abi PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${AIM_PLUGIN_INCLUDE_DIR})
endif()
set(AimPlugin_INCLUDE_DIRS ${AIM_PLUGIN_INCLUDE_DIR})
