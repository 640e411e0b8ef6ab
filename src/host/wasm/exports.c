/* The module's exports: src/hs/hs.h and the image, flattened to numbers.
 *
 * docs/host-interface.md lists them with their types and the order of calls. Text goes in as
 * (pointer, length) of memory that the worker took with hs_alloc; what comes out is the module's
 * and valid until the next call. */
#include "host/wasm/exports.h"
#include "host/wasm/import.h"
#include "host/wasm/vfs.h"

#include <string.h>

enum { RELAYS_MAX = 16 };

_Static_assert(sizeof(struct flat_effect) == 48, "docs/host-interface.md: the effect record");

struct instance {
    struct image *image;
    struct vfs *vfs;
    struct hs *hs;
    const char *why;
    struct flat_effect effect;
};

static uint32_t address(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

static struct now now_of(int64_t mono_ms, int64_t unix_ms)
{
    return (struct now){.mono_ms = mono_ms, .unix_ms = unix_ms};
}

/* --- memory ----------------------------------------------------------------------------------- */

void *export_alloc(uint32_t n)
{
    return base_alloc(n);
}

void export_free(void *p)
{
    base_free(p);
}

/* --- the image -------------------------------------------------------------------------------- */

struct instance *export_new(void)
{
    struct instance *in = base_alloc(sizeof(*in));
    in->image = image_new();
    in->vfs = vfs_new(VFS_NAME, in->image, import_random);
    return in;
}

void *export_image_extent(struct instance *in, uint32_t index)
{
    return image_extent(in->image, index);
}

uint32_t export_image_loaded(struct instance *in, uint32_t size)
{
    return image_loaded(in->image, size);
}

uint32_t export_image_size(struct instance *in)
{
    return image_size(in->image);
}

uint32_t export_flush_begin(struct instance *in)
{
    uint32_t n;
    image_flush_begin(in->image);
    (void)image_flush_pages(in->image, &n);
    return n;
}

const uint32_t *export_flush_pages(struct instance *in)
{
    uint32_t n;
    return image_flush_pages(in->image, &n);
}

const void *export_page(struct instance *in, uint32_t page)
{
    return image_page(in->image, page);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void services_random(void *ctx, void *out, size_t n)
{
    (void)ctx;
    import_random(out, n);
}

static void services_log(void *ctx, enum log_level level, struct str line)
{
    (void)ctx;
    import_log((uint32_t)level, line.p, line.n);
}

/* One "name value" of the configuration. Unknown names are left alone: the worker may be newer. */
static void configure(struct hs_config *config, struct str *relays, struct str name,
                      struct str value)
{
    if (str_eq(name, STR("build_id"))) {
        config->build_id = value;
    } else if (str_eq(name, STR("relay")) && config->relays.n < RELAYS_MAX) {
        relays[config->relays.n++] = value;
    } else if (str_eq(name, STR("read_only"))) {
        config->read_only = true;
    } else if (str_eq(name, STR("rate_limits"))) {
        config->rate_limits = true;
    } else if (str_eq(name, STR("import"))) {
        config->is_import = true;
    }
}

uint32_t export_open(struct instance *in, int64_t mono_ms, int64_t unix_ms, const char *text,
                     uint32_t n)
{
    struct str relays[RELAYS_MAX];
    struct hs_config config = {
        .db_path = STR("neurite.db"),
        .vfs = VFS_NAME,
        .wasm_pragmas = true,
        .server_name = STR(""),
        .relays = {relays, 0},
        .build_id = STR(""),
        .admin_token = STR_ABSENT,
        .registration_secret = STR_ABSENT,
    };
    struct str rest = str_make(text, n), line, name, value;
    while (str_cut(rest, '\n', &line, &rest)) {
        if (str_cut(line, ' ', &name, &value)) {
            configure(&config, relays, name, value);
        }
    }
    const struct host host = {.random = services_random, .log = services_log};
    in->why = "";
    return (uint32_t)hs_open(&in->hs, &config, &host, now_of(mono_ms, unix_ms), &in->why);
}

const char *export_why(struct instance *in)
{
    return in->why;
}

uint32_t export_why_n(struct instance *in)
{
    return (uint32_t)strlen(in->why);
}

/* --- inputs ----------------------------------------------------------------------------------- */

void export_request(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t id,
                    const char *head, uint32_t head_n, const char *body, uint32_t body_n)
{
    hs_request(in->hs, now_of(mono_ms, unix_ms), id, str_make(head, head_n),
               str_make(body, body_n));
}

void export_request_gone(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t id)
{
    hs_request_gone(in->hs, now_of(mono_ms, unix_ms), id);
}

void export_link_up(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t link)
{
    hs_link_up(in->hs, now_of(mono_ms, unix_ms), link);
}

void export_link_message(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t link,
                         const char *message, uint32_t n, uint32_t is_text)
{
    hs_link_message(in->hs, now_of(mono_ms, unix_ms), link, str_make(message, n), is_text != 0);
}

void export_link_room(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t link,
                      uint32_t room)
{
    hs_link_room(in->hs, now_of(mono_ms, unix_ms), link, room);
}

void export_link_down(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t link,
                      const char *why, uint32_t n)
{
    hs_link_down(in->hs, now_of(mono_ms, unix_ms), link, str_make(why, n));
}

void export_flushed(struct instance *in, int64_t mono_ms, int64_t unix_ms, uint64_t turn,
                    uint32_t ok)
{
    image_flush_end(in->image, ok != 0);
    hs_flushed(in->hs, now_of(mono_ms, unix_ms), turn, ok != 0);
}

void export_turn(struct instance *in, int64_t mono_ms, int64_t unix_ms)
{
    hs_turn(in->hs, now_of(mono_ms, unix_ms));
}

/* --- effects ---------------------------------------------------------------------------------- */

const struct flat_effect *export_next(struct instance *in)
{
    struct effect effect = {0};
    if (!hs_next(in->hs, &effect)) {
        return NULL;
    }
    in->effect = (struct flat_effect){
        .kind = (uint32_t)effect.kind,
        .status = (uint32_t)effect.status,
        .id = effect.id,
        .at_mono_ms = effect.at_mono_ms,
        .is_text = effect.is_text,
        .head = address(effect.head.p),
        .head_n = (uint32_t)effect.head.n,
        .bytes = address(effect.bytes.p),
        .bytes_n = (uint32_t)effect.bytes.n,
    };
    return &in->effect;
}

uint32_t export_is_dirty(struct instance *in)
{
    return hs_is_dirty(in->hs);
}

const char *export_server_name(struct instance *in)
{
    return hs_server_name(in->hs).p;
}

uint32_t export_server_name_n(struct instance *in)
{
    return (uint32_t)hs_server_name(in->hs).n;
}
