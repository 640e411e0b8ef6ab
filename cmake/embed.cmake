# Writes INPUT's bytes as a C array named SYMBOL into OUTPUT.
file(READ "${INPUT}" hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " hex "${hex}")
file(WRITE "${OUTPUT}" "/* Generated. */\n#include <stddef.h>\n"
    "static const size_t ${SYMBOL}_size = ${size};\n"
    "static const char ${SYMBOL}[] = {\n${hex}0};\n")
