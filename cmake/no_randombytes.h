/* Included before each file of libsodium in the wasm build: names the implementation below. */
#ifndef CMAKE_NO_RANDOMBYTES_H
#define CMAKE_NO_RANDOMBYTES_H

struct randombytes_implementation;
extern struct randombytes_implementation no_randombytes;

#endif
