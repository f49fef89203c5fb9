# aim_plugin(name SOURCES a.cpp... [LINKS targets...]): a provider plugin. One exported symbol, everything else hidden, no undefined
# symbol left to chance, no unique symbols. The file is <name>.so in ${AIM_PLUGIN_OUTPUT_DIRECTORY} (default: <build>/plugins).
set(AIM_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/plugin.map)
if(NOT AIM_PLUGIN_INCLUDE_DIR)
    # Beside this file in the tree; three folders up from lib/cmake/AimPlugin where it is installed.
    foreach(folder ../include ../../../include)
        get_filename_component(folder ${CMAKE_CURRENT_LIST_DIR}/${folder} ABSOLUTE)
        if(EXISTS ${folder}/aim/abi/aim_abi.h)
            set(AIM_PLUGIN_INCLUDE_DIR ${folder})
            break()
        endif()
    endforeach()
endif()
function(aim_plugin name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
    if(NOT AIM_PLUGIN_OUTPUT_DIRECTORY)
        set(AIM_PLUGIN_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
        # The plugins that the gateway loads; the tests check each of them.
        set_property(GLOBAL APPEND PROPERTY AIM_TREE_PLUGINS ${name})
    endif()
    add_library(${name} MODULE ${ARG_SOURCES})
    target_include_directories(${name} PRIVATE ${AIM_PLUGIN_INCLUDE_DIR})
    target_link_libraries(${name} PRIVATE ${ARG_LINKS})
    target_compile_options(${name} PRIVATE -fvisibility=hidden $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
    target_link_options(${name} PRIVATE
        -Wl,--version-script=${AIM_PLUGIN_MAP} -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack)
    if(NOT AIM_SANITIZE)
        target_link_options(${name} PRIVATE -Wl,-z,defs)
    endif()
    set_target_properties(${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden
        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${AIM_PLUGIN_MAP}
        LIBRARY_OUTPUT_DIRECTORY ${AIM_PLUGIN_OUTPUT_DIRECTORY})
endfunction()
