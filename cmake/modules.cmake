# How folders describe themselves.
#
#   neurite_module(NAME json SOURCES json.c canon.c TESTS json_test.c canon_test.c
#                  DEPENDS base [LIBS dep_cjson] [TEST_SOURCES helper.c] [TEST_DEPENDS room])
#       A library `json` out of one folder; with no sources yet, an empty one. Each file of TESTS is
#       a program of its own and a test `json/json_test`, natively and under node.
#   neurite_program(NAME neurite SOURCES main.c DEPENDS hs [LIBS dep_lws])
#       An executable at the top of the build directory; with no sources yet, nothing.
#   neurite_test(NAME sim/net SOURCES net_test.c DEPENDS hs [LIBS ...] [ARGS ...] [TIMEOUT 60])
#       A test program outside of a module.
#   neurite_fuzz(NAME json SOURCES json_fuzz.c DEPENDS json [MUTANTS 300])
#       libFuzzer program fuzz_json; elsewhere its corpus, corpus/<NAME>/, is replayed as a test, and
#       so many mutants of each file of it.
#   neurite_embed(MODULE store FILE schema.sql SYMBOL schema_sql)
#       The file's bytes, NUL behind them, as `const char schema_sql[]` and `const size_t
#       schema_sql_size` in a generated header, "store/schema_sql.h", for that module's sources.
#
# Tests run with the top of the tree as their working directory, so "test/vectors/..." just works.

function(neurite_module)
    cmake_parse_arguments(M "" "NAME" "SOURCES;TESTS;DEPENDS;LIBS;TEST_SOURCES;TEST_DEPENDS" ${ARGN})
    if(M_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "neurite_module(${M_NAME}): what is ${M_UNPARSED_ARGUMENTS}?")
    endif()
    list(TRANSFORM M_DEPENDS PREPEND neurite::)
    list(TRANSFORM M_TEST_DEPENDS PREPEND neurite::)
    if(M_SOURCES)
        add_library(${M_NAME} STATIC ${M_SOURCES})
        target_link_libraries(${M_NAME} PUBLIC ${M_DEPENDS} ${M_LIBS} PRIVATE neurite_flags)
    else()
        add_library(${M_NAME} INTERFACE)
        target_link_libraries(${M_NAME} INTERFACE ${M_DEPENDS} ${M_LIBS})
    endif()
    add_library(neurite::${M_NAME} ALIAS ${M_NAME})
    foreach(test IN LISTS M_TESTS)
        get_filename_component(stem ${test} NAME_WE)
        neurite_test_program(${M_NAME}_${stem} ${M_NAME}/${stem})
        target_sources(${M_NAME}_${stem} PRIVATE ${test} ${M_TEST_SOURCES})
        target_link_libraries(${M_NAME}_${stem} PRIVATE neurite::${M_NAME} ${M_TEST_DEPENDS}
            neurite_flags)
    endforeach()
endfunction()

# An executable and its row for ctest; the sources come later.
function(neurite_test_program target name)
    add_executable(${target} "")
    if(EMSCRIPTEN)
        target_link_options(${target} PRIVATE -sENVIRONMENT=node -sNODERAWFS=1
            -sEXIT_RUNTIME=1 -sALLOW_MEMORY_GROWTH=1 -sASSERTIONS=1)
    endif()
    add_test(NAME ${name} COMMAND ${target} ${ARGN} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

function(neurite_program)
    cmake_parse_arguments(P "" "NAME" "SOURCES;DEPENDS;LIBS" ${ARGN})
    if(NOT P_SOURCES)
        return()
    endif()
    list(TRANSFORM P_DEPENDS PREPEND neurite::)
    add_executable(${P_NAME} ${P_SOURCES})
    target_link_libraries(${P_NAME} PRIVATE ${P_DEPENDS} ${P_LIBS} neurite_flags)
    target_compile_definitions(${P_NAME} PRIVATE NEURITE_BUILD_ID="${NEURITE_BUILD_ID}")
    set_target_properties(${P_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
endfunction()

function(neurite_test)
    cmake_parse_arguments(T "" "NAME;TIMEOUT" "SOURCES;DEPENDS;LIBS;ARGS" ${ARGN})
    list(TRANSFORM T_DEPENDS PREPEND neurite::)
    string(REPLACE "/" "_" target ${T_NAME})
    neurite_test_program(${target} ${T_NAME} ${T_ARGS})
    target_sources(${target} PRIVATE ${T_SOURCES})
    target_link_libraries(${target} PRIVATE ${T_DEPENDS} ${T_LIBS} neurite_flags)
    if(T_TIMEOUT)
        set_tests_properties(${T_NAME} PROPERTIES TIMEOUT ${T_TIMEOUT})
    endif()
endfunction()

function(neurite_fuzz)
    cmake_parse_arguments(F "" "NAME;MUTANTS" "SOURCES;DEPENDS;LIBS" ${ARGN})
    list(TRANSFORM F_DEPENDS PREPEND neurite::)
    if(NOT F_MUTANTS)
        set(F_MUTANTS 300)
    endif()
    if(NEURITE_FUZZ)
        add_executable(fuzz_${F_NAME} ${F_SOURCES})
        target_link_options(fuzz_${F_NAME} PRIVATE -fsanitize=fuzzer)
    else()
        neurite_test_program(fuzz_${F_NAME} fuzz/${F_NAME} "test/fuzz/corpus/${F_NAME}" ${F_MUTANTS})
        target_sources(fuzz_${F_NAME} PRIVATE ${F_SOURCES}
            "${CMAKE_SOURCE_DIR}/test/fuzz/replay.c")
    endif()
    target_link_libraries(fuzz_${F_NAME} PRIVATE ${F_DEPENDS} ${F_LIBS} neurite_flags)
endfunction()

function(neurite_embed)
    cmake_parse_arguments(E "" "MODULE;FILE;SYMBOL" "" ${ARGN})
    set(input "${CMAKE_CURRENT_SOURCE_DIR}/${E_FILE}")
    set(output "${CMAKE_CURRENT_BINARY_DIR}/${E_SYMBOL}.h")
    add_custom_command(OUTPUT "${output}"
        COMMAND ${CMAKE_COMMAND} -DINPUT=${input} -DOUTPUT=${output} -DSYMBOL=${E_SYMBOL}
            -P "${CMAKE_SOURCE_DIR}/cmake/embed.cmake"
        DEPENDS "${input}" "${CMAKE_SOURCE_DIR}/cmake/embed.cmake" VERBATIM)
    target_sources(${E_MODULE} PRIVATE "${output}")
    # For tools that read the sources without building them.
    add_custom_target(generate_${E_SYMBOL} DEPENDS "${output}")
    if(NOT TARGET generated)
        add_custom_target(generated)
    endif()
    add_dependencies(generated generate_${E_SYMBOL})
    target_include_directories(${E_MODULE} PRIVATE "${CMAKE_BINARY_DIR}/src"
        "${CMAKE_CURRENT_BINARY_DIR}")
endfunction()
