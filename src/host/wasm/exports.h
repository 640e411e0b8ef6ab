/* The module's exports: src/hs/hs.h and the image, flattened to numbers for the worker.
 *
 * docs/host-interface.md is the manual: types, order of calls, ownership. Text goes in as (pointer,
 * length) of memory that the worker took with hs_alloc and frees; what comes out is the module's
 * and valid until the next call. The functions do what those of hs.h do that have their names. */
#ifndef HOST_WASM_EXPORTS_H
#define HOST_WASM_EXPORTS_H

#include "hs/hs.h"

#define EXPORTED(name) __attribute__((export_name(name)))

struct instance;

/* struct effect as the worker reads it: little-endian, no padding. */
struct flat_effect {
    uint32_t kind, status;
    uint64_t id;
    int64_t at_mono_ms;
    uint32_t is_text, head, head_n, bytes, bytes_n, unused;
};

EXPORTED("hs_alloc")
void *export_alloc(uint32_t n);
EXPORTED("hs_free")
void export_free(void *p);
EXPORTED("hs_new")
struct instance *export_new(void);
EXPORTED("hs_image_extent")
void *export_image_extent(struct instance *in, uint32_t index);
EXPORTED("hs_image_loaded")
uint32_t export_image_loaded(struct instance *in, uint32_t size);
EXPORTED("hs_image_size")
uint32_t export_image_size(struct instance *in);
EXPORTED("hs_flush_begin")
uint32_t export_flush_begin(struct instance *in);
EXPORTED("hs_flush_pages")
const uint32_t *export_flush_pages(struct instance *in);
EXPORTED("hs_page")
const void *export_page(struct instance *in, uint32_t page);
EXPORTED("hs_open")
uint32_t export_open(struct instance *in, int64_t mono_ms, int64_t unix_ms, const char *text,
                     uint32_t n);
EXPORTED("hs_why")
const char *export_why(struct instance *in);
EXPORTED("hs_why_n")
uint32_t export_why_n(struct instance *in);
EXPORTED("hs_request")
void export_request(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t id,
                    const char *head, uint32_t head_n, const char *body, uint32_t body_n);
EXPORTED("hs_request_gone")
void export_request_gone(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t id);
EXPORTED("hs_link_up")
void export_link_up(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t link);
EXPORTED("hs_link_message")
void export_link_message(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t link,
                         const char *message, uint32_t n, uint32_t is_text);
EXPORTED("hs_link_room")
void export_link_room(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t link,
                      uint32_t room);
EXPORTED("hs_link_down")
void export_link_down(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t link,
                      const char *why, uint32_t n);
EXPORTED("hs_flushed")
void export_flushed(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t turn,
                    uint32_t ok);
EXPORTED("hs_turn")
void export_turn(struct instance *in, int64_t mono_ms, int64_t unix_ms);
EXPORTED("hs_next")
const struct flat_effect *export_next(struct instance *in);
EXPORTED("hs_is_dirty")
uint32_t export_is_dirty(struct instance *in);
EXPORTED("hs_server_name")
const char *export_server_name(struct instance *in);
EXPORTED("hs_server_name_n")
uint32_t export_server_name_n(struct instance *in);

#endif
