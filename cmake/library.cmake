# The installed library: libeex.a and libeex.so of all rooms but lua and cli, the headers that
# eex/eex.h needs under include/eex, and what pkg-config and CMake want to know. The tree may be moved
# as a whole: everything in it is found relative to itself.
#
#   EEX_LIBRARY=OFF   builds the program alone
option(EEX_LIBRARY "Build and install the library too" ON)
if(NOT EEX_LIBRARY)
    return()
endif()
include(CMakePackageConfigHelpers)

# ---- headers ----

# eex/eex.h and every header of ours that it includes, directly or not, as "room/name.h".
function(eex_public_headers out)
    set(todo eex/eex.h)
    set(found)
    while(todo)
        list(POP_FRONT todo header)
        if(header IN_LIST found)
            continue()
        endif()
        list(APPEND found ${header})
        file(STRINGS ${CMAKE_SOURCE_DIR}/src/${header} lines REGEX "^#include \"")
        foreach(line ${lines})
            string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" included "${line}")
            list(APPEND todo ${included})
        endforeach()
    endwhile()
    set(${out} ${found} PARENT_SCOPE)
endfunction()

# Writes the header as it is installed: include/eex is no folder that programs should have to search,
# so "core/model/model.h" becomes <eex/core/model/model.h>, and eex/eex.h lies beside the rooms.
function(eex_install_header header)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        ${CMAKE_SOURCE_DIR}/src/${header})
    file(READ ${CMAKE_SOURCE_DIR}/src/${header} text)
    string(REGEX REPLACE "\n#include \"([^\"]+)\"" "\n#include <eex/\\1>" text "${text}")
    string(REGEX REPLACE "^eex/" "" place ${header})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/include/eex/${place} CONTENT "${text}" @ONLY)
    get_filename_component(folder ${place} DIRECTORY)
    install(FILES ${CMAKE_BINARY_DIR}/include/eex/${place}
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/eex/${folder} COMPONENT library)
endfunction()

# The linker's list of what the shared library shows: the functions that these headers declare.
function(eex_write_exports out)
    set(names)
    foreach(header ${ARGN})
        file(READ ${CMAKE_SOURCE_DIR}/src/${header} text)
        string(REGEX MATCHALL "[^a-z0-9_]eex_[a-z0-9_]+\\(" calls "${text}")
        foreach(call ${calls})
            string(REGEX REPLACE "^.(.*)\\($" "\\1" name "${call}")
            if(NOT name MATCHES "^eex__")
                list(APPEND names ${name})
            endif()
        endforeach()
    endforeach()
    list(REMOVE_DUPLICATES names)
    list(SORT names)
    set(text "{\nglobal:\n")
    foreach(name ${names})
        string(APPEND text "    ${name};\n")
    endforeach()
    file(CONFIGURE OUTPUT ${out} CONTENT "${text}local:\n    *;\n};\n" @ONLY)
endfunction()

# ---- libraries ----

get_property(eex_rooms GLOBAL PROPERTY eex_rooms)
list(REMOVE_ITEM eex_rooms eex_lua eex_net eex_page)
foreach(isa avx512 avx2 generic)
    list(APPEND eex_rooms eex_kernels_${isa})
endforeach()
if(EEX_COMPILES_BF16)
    list(APPEND eex_rooms eex_kernels_bf16_avx512 eex_kernels_bf16_amx)
endif()
set(eex_objects)
foreach(room ${eex_rooms})
    list(APPEND eex_objects $<TARGET_OBJECTS:${room}>)
endforeach()

# A file's place as the linker's options: -L and -l, so that it is found where the program is linked,
# which need not be here.
function(eex_linker_options out)
    set(options)
    foreach(library ${ARGN})
        if(library MATCHES "^/.*/lib([^/]+)\\.(so|a)$")
            set(name ${CMAKE_MATCH_1})
            get_filename_component(folder ${library} DIRECTORY)
            if(NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
                list(APPEND options -L${folder})
            endif()
            list(APPEND options -l${name})
        elseif(library MATCHES "^-")
            list(APPEND options ${library})
        else()
            list(APPEND options -l${library})
        endif()
    endforeach()
    list(REMOVE_DUPLICATES options)
    string(JOIN " " options ${options})
    set(${out} "${options}" PARENT_SCOPE)
endfunction()

# What a program that takes libeex.a links besides.
set(eex_private ${HDF5_C_LIBRARIES} ${JPEG_LIBRARIES} ${PNG_LIBRARIES} ${WEBP_LINK_LIBRARIES}
    ${TIFF_LINK_LIBRARIES} ${CURL_LINK_LIBRARIES})
if(EEX_HAVE_CUDA)
    list(APPEND eex_private ${CUDA_cudart_static_LIBRARY} stdc++ dl rt)
endif()
list(APPEND eex_private ${ZLIB_LIBRARIES} pthread m)
eex_linker_options(EEX_LIBS_PRIVATE ${eex_private})

eex_public_headers(headers)
foreach(header ${headers})
    eex_install_header(${header})
endforeach()
eex_write_exports(${CMAKE_BINARY_DIR}/libeex.map ${headers})

add_library(eex_static STATIC ${eex_objects})
add_library(eex_shared SHARED ${eex_objects})
foreach(library eex_static eex_shared)
    set_target_properties(${library} PROPERTIES OUTPUT_NAME eex LINKER_LANGUAGE C
        ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib
        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
endforeach()
set_target_properties(eex_shared PROPERTIES VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LINK_DEPENDS ${CMAKE_BINARY_DIR}/libeex.map)
target_link_libraries(eex_shared PRIVATE eex_flags ${HDF5_C_LIBRARIES} JPEG::JPEG PNG::PNG
    PkgConfig::WEBP PkgConfig::TIFF
    $<TARGET_NAME_IF_EXISTS:PkgConfig::CURL> Threads::Threads m)
target_link_libraries(eex_shared PRIVATE ZLIB::ZLIB)
if(EEX_HAVE_CUDA)
    target_link_libraries(eex_shared PRIVATE CUDA::cudart_static)
endif()
target_link_options(eex_shared PRIVATE LINKER:--version-script=${CMAKE_BINARY_DIR}/libeex.map
    LINKER:--no-undefined)

install(TARGETS eex_static eex_shared DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)

# ---- pkg-config and CMake ----

# From the folder of eex.pc back to the prefix.
file(RELATIVE_PATH EEX_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" EEX_PC_TO_PREFIX "${EEX_PC_TO_PREFIX}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/eex.pc.in ${CMAKE_BINARY_DIR}/eex.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/eex.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT library)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/eex)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/eexConfig.cmake.in
    ${CMAKE_BINARY_DIR}/eexConfig.cmake INSTALL_DESTINATION ${package}
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/eexConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/eexConfig.cmake ${CMAKE_BINARY_DIR}/eexConfigVersion.cmake
    DESTINATION ${package} COMPONENT library)
install(DIRECTORY docs/examples/classify DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
    COMPONENT library)
