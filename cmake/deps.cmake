# Third-party code: dep_sqlite, dep_sodium, dep_cjson, dep_picohttp; dep_lws, dep_nats, dep_ares and
# dep_openssl (native only).
# sqlite and picohttpparser are compiled from NEURITE_DEPS everywhere; libsodium and cJSON are the
# distribution's libraries natively, and its sources in wasm.
if(NOT EXISTS "${NEURITE_DEPS}/sqlite/sqlite3.c")
    message(FATAL_ERROR "Nothing in ${NEURITE_DEPS}: run scripts/fetch-deps.sh first, or pass "
        "-DNEURITE_DEPS=<a folder that it filled>.")
endif()

# One set of defines for every build, so that the simulator proves the sqlite that browsers run.
set(sqlite_defines
    SQLITE_THREADSAFE=0 SQLITE_DQS=0 SQLITE_DEFAULT_MEMSTATUS=0 SQLITE_DEFAULT_FOREIGN_KEYS=1
    SQLITE_ENABLE_FTS5 SQLITE_LIKE_DOESNT_MATCH_BLOBS SQLITE_MAX_EXPR_DEPTH=0
    SQLITE_MAX_MMAP_SIZE=0 SQLITE_OMIT_DEPRECATED SQLITE_OMIT_LOAD_EXTENSION
    SQLITE_OMIT_PROGRESS_CALLBACK SQLITE_OMIT_SHARED_CACHE SQLITE_TEMP_STORE=3
    SQLITE_USE_ALLOCA HAVE_FDATASYNC=1)

function(add_sqlite name)
    add_library(${name} STATIC "${NEURITE_DEPS}/sqlite/sqlite3.c")
    target_compile_definitions(${name} PRIVATE ${sqlite_defines} ${ARGN})
    target_compile_options(${name} PRIVATE -w)
endfunction()

add_sqlite(dep_sqlite_system)
if(NOT EMSCRIPTEN)
    target_link_libraries(dep_sqlite_system PUBLIC m)
endif()
add_library(dep_sqlite INTERFACE)
target_include_directories(dep_sqlite SYSTEM INTERFACE "${NEURITE_DEPS}/sqlite")
if(EMSCRIPTEN)
    # The module for the browser brings its own VFS: no file system is compiled in. A program says
    # which one it wants by its property NEURITE_STANDALONE; tests under node take the other.
    add_sqlite(dep_sqlite_bare SQLITE_OS_OTHER=1)
    target_link_libraries(dep_sqlite INTERFACE
        $<IF:$<BOOL:$<TARGET_PROPERTY:NEURITE_STANDALONE>>,dep_sqlite_bare,dep_sqlite_system>)
else()
    target_link_libraries(dep_sqlite INTERFACE dep_sqlite_system)
endif()

add_library(dep_picohttp STATIC "${NEURITE_DEPS}/picohttp/picohttpparser.c")
target_compile_options(dep_picohttp PRIVATE -w)
target_include_directories(dep_picohttp SYSTEM INTERFACE "${NEURITE_DEPS}/picohttp")

if(EMSCRIPTEN)
    add_library(dep_cjson STATIC "${NEURITE_DEPS}/cjson/cjson/cJSON.c")
    target_compile_options(dep_cjson PRIVATE -w)
    target_include_directories(dep_cjson SYSTEM INTERFACE "${NEURITE_DEPS}/cjson")

    # Debian's source has no generated configure script, and needs none. Its Emscripten branch wants
    # generated JavaScript for randomness: we pass as an unknown system and lend no randomness.
    file(GLOB_RECURSE sodium_sources "${NEURITE_DEPS}/sodium/*.c")
    add_library(dep_sodium STATIC ${sodium_sources} cmake/no_randombytes.c)
    target_compile_definitions(dep_sodium PRIVATE CONFIGURED=1 RANDOMBYTES_CUSTOM_IMPLEMENTATION
        "RANDOMBYTES_DEFAULT_IMPLEMENTATION=(&no_randombytes)")
    target_compile_definitions(dep_sodium PUBLIC SODIUM_STATIC=1)
    target_compile_options(dep_sodium PRIVATE -w -U__EMSCRIPTEN__ -include
        "${CMAKE_SOURCE_DIR}/cmake/no_randombytes.h")
    target_include_directories(dep_sodium SYSTEM PUBLIC "${NEURITE_DEPS}/sodium/include")
    target_include_directories(dep_sodium PRIVATE "${NEURITE_DEPS}/sodium/include/sodium")
else()
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
    pkg_check_modules(cjson REQUIRED IMPORTED_TARGET libcjson>=1.7)
    pkg_check_modules(lws REQUIRED IMPORTED_TARGET libwebsockets>=4.1)
    pkg_check_modules(ares REQUIRED IMPORTED_TARGET libcares>=1.16)
    add_library(dep_sodium INTERFACE)
    target_link_libraries(dep_sodium INTERFACE PkgConfig::sodium)
    add_library(dep_cjson INTERFACE)
    target_link_libraries(dep_cjson INTERFACE PkgConfig::cjson)
    pkg_check_modules(nats REQUIRED IMPORTED_TARGET libnats>=3.4)
    add_library(dep_lws INTERFACE)
    target_link_libraries(dep_lws INTERFACE PkgConfig::lws)
    # libev has no .pc file.
    find_path(ev_include ev.h REQUIRED)
    find_library(ev_library ev REQUIRED)
    add_library(dep_ev INTERFACE)
    target_include_directories(dep_ev SYSTEM INTERFACE "${ev_include}")
    target_link_libraries(dep_ev INTERFACE "${ev_library}")
    add_library(dep_nats INTERFACE)
    target_link_libraries(dep_nats INTERFACE PkgConfig::nats)
    pkg_check_modules(openssl REQUIRED IMPORTED_TARGET openssl>=1.1.1)
    add_library(dep_openssl INTERFACE)
    target_link_libraries(dep_openssl INTERFACE PkgConfig::openssl)
    add_library(dep_ares INTERFACE)
    # Newer releases have other names for what the oldest one that we build with has.
    target_compile_definitions(dep_ares INTERFACE CARES_NO_DEPRECATED)
    target_link_libraries(dep_ares INTERFACE PkgConfig::ares)
endif()
