/* Text forms that strangers send: multiaddrs, peer ids, base64, base58, percent, varint, user ids.
 */
#include "base/encode.h"
#include "net/addr.h"
#include "test/fuzz/fuzz.h"

static void check_encodings(struct arena *a, struct str text)
{
    struct str bytes = STR_ABSENT;
    struct str back = STR_ABSENT;
    uint64_t value = 0;
    if (base58_parse(a, text, &bytes) == ERR_NONE) {
        assert(base58_write(a, bytes, &back) == ERR_NONE && str_eq(back, text));
    }
    assert(base64_parse(a, base64_write(a, text), &bytes) == ERR_NONE && str_eq(bytes, text));
    assert(base64_parse(a, base64url_write(a, text), &bytes) == ERR_NONE && str_eq(bytes, text));
    assert(hex_parse(a, hex_write(a, text), &bytes) == ERR_NONE && str_eq(bytes, text));
    assert(percent_parse(a, percent_write(a, text), true, &bytes) == ERR_NONE);
    assert(str_eq(bytes, text));
    (void)!base64_parse(a, text, &bytes);
    (void)!percent_parse(a, text, false, &bytes);
    int n = varint_read(text, &value);
    if (n > 0) {
        struct buf out;
        buf_init_in(&out, a, 16);
        varint_write(&out, value);
        assert(str_eq(buf_str(&out), str_sub(text, 0, (size_t)n)));
    }
    if (utf8_is_valid(text)) {
        struct buf out;
        buf_init_in(&out, a, text.n);
        for (size_t at = 0; at < text.n;) {
            utf8_write(&out, utf8_next(text, &at));
        }
        assert(str_eq(buf_str(&out), text));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct str text = str_make(data, size);
    struct str out = STR_ABSENT;
    uint8_t key[SIGN_PUBLIC_SIZE];
    check_encodings(a, text);
    if (addr_id_parse(text, key) == ERR_NONE) {
        assert(str_eq(addr_id_write(a, key), text)); /* one spelling each */
    }
    if (addr_canonical(a, text, &out) == ERR_NONE) {
        struct str again = STR_ABSENT;
        assert(addr_canonical(a, out, &again) == ERR_NONE && str_eq(again, out));
    }
    (void)addr_peer(text);
    (void)!addr_to_url(a, text, &out);
    (void)!addr_socket_url(a, text, &out);
    (void)!addr_key_parse(text, key);
    arena_free(a);
    return 0;
}
