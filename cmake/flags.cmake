# Language, warnings, sanitizers. Assertions stay on in every build: no NDEBUG.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_MINSIZEREL "-Os")

# What every file of ours is compiled with; third-party code gets none of it.
add_library(neurite_flags INTERFACE)
target_compile_options(neurite_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wundef -Wformat=2 -Wwrite-strings -Wcast-qual -Wswitch-enum
    $<$<BOOL:${NEURITE_WERROR}>:-Werror>)
target_include_directories(neurite_flags INTERFACE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}")

if(EMSCRIPTEN)
    # An assertion's sentence names the file; the module is the same wherever it is built.
    add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
endif()

if(NEURITE_SANITIZE)
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
endif()
if(NEURITE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
