/* The Noise handshake and its transport messages. The names follow the Noise specification,
 * section 5: MixHash, MixKey, EncryptAndHash, Split. */
#include "net/noise.h"

#include "base/encode.h"
#include "net/addr.h"

#include <string.h>

static const struct str PROTOCOL = STR_INIT("Noise_XX_25519_ChaChaPoly_SHA256");
static const struct str SIGN_PREFIX = STR_INIT("noise-libp2p-static-key:");
static const struct str YAMUX = STR_INIT("/yamux/1.0.0");

enum {
    LENGTH_SIZE = 2,
    PAYLOAD_MAX = 4096, /* a payload that we build or accept in the handshake */
    SIGNED_SIZE = 24 + BOX_KEY_SIZE,
};
static const uint64_t COUNTER_MAX = 0xFFFFFFFFu;

static struct str bytes32(const uint8_t bytes[32])
{
    return str_make(bytes, 32);
}

static void mix_hash(struct noise *n, struct str data)
{
    hash_sha256_pair(n->h, bytes32(n->h), data);
}

/* HKDF with two outputs. */
static void hkdf(const uint8_t ck[HASH_SIZE], struct str input, uint8_t first[HASH_SIZE],
                 uint8_t second[HASH_SIZE])
{
    uint8_t temp[HASH_SIZE], one[HASH_SIZE], more[HASH_SIZE + 1];
    hash_hmac(temp, bytes32(ck), input);
    hash_hmac(one, bytes32(temp), STR("\x01"));
    memcpy(more, one, HASH_SIZE);
    more[HASH_SIZE] = 2;
    hash_hmac(second, bytes32(temp), str_make(more, sizeof(more)));
    memcpy(first, one, HASH_SIZE);
}

static enum err mix_key(struct noise *n, const uint8_t ours[BOX_KEY_SIZE],
                        const uint8_t theirs[BOX_KEY_SIZE])
{
    uint8_t shared[BOX_KEY_SIZE];
    TRY(box_shared(shared, ours, theirs));
    hkdf(n->ck, bytes32(shared), n->ck, n->k);
    n->has_k = true;
    n->k_counter = 0;
    return ERR_NONE;
}

static void encrypt_and_hash(struct noise *n, struct str plain, struct buf *out)
{
    size_t size = plain.n + (n->has_k ? BOX_TAG_SIZE : 0);
    unsigned char *to = buf_reserve(out, size);
    if (to == NULL) {
        return;
    }
    if (n->has_k) {
        box_seal(to, plain, bytes32(n->h), n->k_counter, n->k);
        n->k_counter++;
    } else if (plain.n > 0) {
        memcpy(to, plain.p, plain.n);
    }
    out->n += size;
    mix_hash(n, str_make(to, size));
}

/* out has room for cipher.n bytes. */
static enum err decrypt_and_hash(struct noise *n, struct str cipher, uint8_t *out)
{
    if (n->has_k) {
        TRY(box_open(out, cipher, bytes32(n->h), n->k_counter, n->k));
        n->k_counter++;
    } else if (cipher.n > 0) {
        memcpy(out, cipher.p, cipher.n);
    }
    mix_hash(n, cipher);
    return ERR_NONE;
}

/* --- the libp2p payload ------------------------------------------------------------------- */

static void signed_text(uint8_t out[SIGNED_SIZE], const uint8_t static_public[BOX_KEY_SIZE])
{
    assert(SIGN_PREFIX.n + BOX_KEY_SIZE == SIGNED_SIZE);
    memcpy(out, SIGN_PREFIX.p, SIGN_PREFIX.n);
    memcpy(out + SIGN_PREFIX.n, static_public, BOX_KEY_SIZE);
}

static void add_field(struct buf *out, unsigned field, struct str bytes)
{
    varint_write(out, field << 3 | 2);
    varint_write(out, bytes.n);
    buf_add(out, bytes);
}

static void write_payload(const struct noise *n, struct buf *out)
{
    uint8_t key[ADDR_KEY_SIZE], text[SIGNED_SIZE], signature[SIGN_SIZE], public_key[BOX_KEY_SIZE];
    struct buf extensions;
    box_public(public_key, n->keys.static_key);
    signed_text(text, public_key);
    sign_make(signature, n->keys.identity, str_make(text, sizeof(text)));
    addr_key_write(key, n->keys.identity->public_key);
    add_field(out, 1, str_make(key, sizeof(key)));
    add_field(out, 2, str_make(signature, sizeof(signature)));
    buf_init(&extensions, PAYLOAD_MAX);
    if (n->offer == NOISE_OFFERS_YAMUX) {
        add_field(&extensions, 2, YAMUX);
    }
    add_field(out, 4, buf_str(&extensions));
    buf_release(&extensions);
}

/* One protobuf field off the front; *bytes is absent for fields that are no bytes. */
static enum err take_field(struct str *in, uint64_t *field, struct str *bytes)
{
    uint64_t tag, value;
    int used = varint_read(*in, &tag);
    if (used <= 0) {
        return ERR_SYNTAX;
    }
    *in = str_from(*in, (size_t)used);
    *field = tag >> 3;
    *bytes = STR_ABSENT;
    uint64_t kind = tag & 7;
    if (kind == 1 || kind == 5) {
        value = kind == 1 ? 8 : 4;
    } else if (kind == 0 || kind == 2) {
        used = varint_read(*in, &value);
        if (used <= 0) {
            return ERR_SYNTAX;
        }
        *in = str_from(*in, (size_t)used);
    } else {
        return ERR_SYNTAX;
    }
    if (kind == 0) {
        return ERR_NONE;
    }
    if (value > in->n) {
        return ERR_SYNTAX;
    }
    if (kind == 2) {
        *bytes = str_sub(*in, 0, (size_t)value);
    }
    *in = str_from(*in, (size_t)value);
    return ERR_NONE;
}

/* With a list on both sides the multiplexer is chosen here; ours has one entry at most. */
static enum err read_extensions(struct noise *n, struct str in)
{
    size_t listed = 0;
    bool has_yamux = false;
    while (in.n > 0) {
        uint64_t field;
        struct str bytes;
        TRY(take_field(&in, &field, &bytes));
        if (field == 2 && !str_is_absent(bytes)) {
            listed++;
            has_yamux = has_yamux || str_eq(bytes, YAMUX);
        }
    }
    if (n->offer == NOISE_OFFERS_NONE || listed == 0) {
        return ERR_NONE;
    }
    n->is_yamux_agreed = has_yamux;
    return has_yamux ? ERR_NONE : ERR_REFUSED;
}

static enum err read_payload(struct noise *n, struct str in)
{
    struct str key = STR_ABSENT, signature = STR_ABSENT, extensions = STR("");
    while (in.n > 0) {
        uint64_t field;
        struct str bytes;
        TRY(take_field(&in, &field, &bytes));
        if (field == 1) {
            key = bytes;
        } else if (field == 2) {
            signature = bytes;
        } else if (field == 4 && !str_is_absent(bytes)) {
            extensions = bytes;
        }
    }
    uint8_t text[SIGNED_SIZE];
    TRY(addr_key_parse(key, n->peer_key));
    if (signature.n != SIGN_SIZE) {
        return ERR_REFUSED;
    }
    signed_text(text, n->their_static);
    TRY(sign_check(n->peer_key, str_make(text, sizeof(text)), (const uint8_t *)signature.p));
    if (n->expects_peer && memcmp(n->peer_key, n->expected_key, SIGN_PUBLIC_SIZE) != 0) {
        return ERR_REFUSED;
    }
    return read_extensions(n, extensions);
}

/* --- the handshake -------------------------------------------------------------------------- */

static void add_message(struct buf *wire, const struct buf *message)
{
    buf_add_u16be(wire, (uint16_t)message->n);
    buf_add(wire, buf_str(message));
}

static void add_ephemeral(struct noise *n, struct buf *message)
{
    uint8_t public_key[BOX_KEY_SIZE];
    box_public(public_key, n->keys.ephemeral_key);
    buf_add_bytes(message, public_key, sizeof(public_key));
    mix_hash(n, bytes32(public_key));
}

static void add_static(struct noise *n, struct buf *message)
{
    uint8_t public_key[BOX_KEY_SIZE];
    box_public(public_key, n->keys.static_key);
    encrypt_and_hash(n, bytes32(public_key), message);
}

static void add_payload(struct noise *n, struct buf *message)
{
    struct buf payload;
    buf_init(&payload, PAYLOAD_MAX);
    write_payload(n, &payload);
    encrypt_and_hash(n, buf_str(&payload), message);
    buf_release(&payload);
}

static void split(struct noise *n)
{
    uint8_t first[HASH_SIZE], second[HASH_SIZE];
    hkdf(n->ck, STR(""), first, second);
    memcpy(n->send_key, n->is_initiator ? first : second, HASH_SIZE);
    memcpy(n->receive_key, n->is_initiator ? second : first, HASH_SIZE);
    n->state = NOISE_OPEN;
}

void noise_init(struct noise *n, bool is_initiator, const struct noise_keys *keys,
                enum noise_offer offer, const uint8_t *expected, struct buf *wire)
{
    *n = (struct noise){.is_initiator = is_initiator, .offer = offer, .keys = *keys};
    n->state = is_initiator ? NOISE_WAITS_B : NOISE_WAITS_A;
    n->expects_peer = expected != NULL;
    if (expected != NULL) {
        memcpy(n->expected_key, expected, SIGN_PUBLIC_SIZE);
    }
    buf_init(&n->frame, LENGTH_SIZE + NOISE_MESSAGE_MAX);
    assert(PROTOCOL.n == HASH_SIZE);
    memcpy(n->h, PROTOCOL.p, HASH_SIZE);
    memcpy(n->ck, n->h, HASH_SIZE);
    mix_hash(n, STR("")); /* the prologue */
    if (is_initiator) {
        struct buf message;
        buf_init(&message, NOISE_MESSAGE_MAX);
        add_ephemeral(n, &message);
        encrypt_and_hash(n, STR(""), &message);
        add_message(wire, &message);
        buf_release(&message);
    }
}

void noise_release(struct noise *n)
{
    buf_release(&n->frame);
    memset(n, 0, sizeof(*n));
    n->state = NOISE_FAILED;
}

/* -> e */
static enum err take_a(struct noise *n, struct str message, struct buf *wire)
{
    uint8_t nothing[PAYLOAD_MAX];
    if (message.n < BOX_KEY_SIZE || message.n - BOX_KEY_SIZE > sizeof(nothing)) {
        return ERR_SYNTAX;
    }
    memcpy(n->their_ephemeral, message.p, BOX_KEY_SIZE);
    mix_hash(n, bytes32(n->their_ephemeral));
    TRY(decrypt_and_hash(n, str_from(message, BOX_KEY_SIZE), nothing));
    struct buf answer;
    buf_init(&answer, NOISE_MESSAGE_MAX);
    add_ephemeral(n, &answer);
    enum err err = mix_key(n, n->keys.ephemeral_key, n->their_ephemeral);
    if (err == ERR_NONE) {
        add_static(n, &answer);
        err = mix_key(n, n->keys.static_key, n->their_ephemeral);
    }
    if (err == ERR_NONE) {
        add_payload(n, &answer);
        add_message(wire, &answer);
        n->state = NOISE_WAITS_C;
    }
    buf_release(&answer);
    return err;
}

static enum err take_static(struct noise *n, struct str message, size_t at)
{
    if (message.n < at + BOX_KEY_SIZE + BOX_TAG_SIZE) {
        return ERR_SYNTAX;
    }
    return decrypt_and_hash(n, str_sub(message, at, BOX_KEY_SIZE + BOX_TAG_SIZE), n->their_static);
}

static enum err take_payload(struct noise *n, struct str cipher)
{
    uint8_t plain[PAYLOAD_MAX];
    if (cipher.n < BOX_TAG_SIZE || cipher.n > sizeof(plain)) {
        return ERR_SYNTAX;
    }
    TRY(decrypt_and_hash(n, cipher, plain));
    return read_payload(n, str_make(plain, cipher.n - BOX_TAG_SIZE));
}

/* <- e, ee, s, es; answered by -> s, se */
static enum err take_b(struct noise *n, struct str message, struct buf *wire)
{
    if (message.n < BOX_KEY_SIZE) {
        return ERR_SYNTAX;
    }
    memcpy(n->their_ephemeral, message.p, BOX_KEY_SIZE);
    mix_hash(n, bytes32(n->their_ephemeral));
    TRY(mix_key(n, n->keys.ephemeral_key, n->their_ephemeral));
    TRY(take_static(n, message, BOX_KEY_SIZE));
    TRY(mix_key(n, n->keys.ephemeral_key, n->their_static));
    TRY(take_payload(n, str_from(message, 2 * BOX_KEY_SIZE + BOX_TAG_SIZE)));
    struct buf answer;
    buf_init(&answer, NOISE_MESSAGE_MAX);
    add_static(n, &answer);
    enum err err = mix_key(n, n->keys.static_key, n->their_ephemeral);
    if (err == ERR_NONE) {
        add_payload(n, &answer);
        add_message(wire, &answer);
        split(n);
    }
    buf_release(&answer);
    return err;
}

static enum err take_c(struct noise *n, struct str message)
{
    TRY(take_static(n, message, 0));
    TRY(mix_key(n, n->keys.ephemeral_key, n->their_static));
    TRY(take_payload(n, str_from(message, BOX_KEY_SIZE + BOX_TAG_SIZE)));
    split(n);
    return ERR_NONE;
}

/* --- transport ------------------------------------------------------------------------------ */

static enum err take_transport(struct noise *n, struct str cipher, struct buf *plain)
{
    if (cipher.n < BOX_TAG_SIZE) {
        return ERR_SYNTAX;
    }
    unsigned char *to = buf_reserve(plain, cipher.n - BOX_TAG_SIZE);
    if (to == NULL || n->receive_counter > COUNTER_MAX) {
        return ERR_LIMIT;
    }
    TRY(box_open(to, cipher, STR(""), n->receive_counter, n->receive_key));
    n->receive_counter++;
    plain->n += cipher.n - BOX_TAG_SIZE;
    return ERR_NONE;
}

static enum err take_message(struct noise *n, struct str message, struct buf *wire,
                             struct buf *plain)
{
    switch (n->state) {
    case NOISE_WAITS_A:
        return take_a(n, message, wire);
    case NOISE_WAITS_B:
        return take_b(n, message, wire);
    case NOISE_WAITS_C:
        return take_c(n, message);
    case NOISE_OPEN:
        return take_transport(n, message, plain);
    case NOISE_FAILED:
        break;
    }
    return ERR_REFUSED;
}

/* Appends what the frame still lacks of `size` bytes; true when it has them. */
static bool fill_frame(struct noise *n, struct str *bytes, size_t size)
{
    if (n->frame.n < size) {
        struct str part = str_sub(*bytes, 0, size - n->frame.n);
        buf_add(&n->frame, part);
        *bytes = str_from(*bytes, part.n);
    }
    return n->frame.n >= size;
}

static enum err feed(struct noise *n, struct str bytes, struct buf *wire, struct buf *plain)
{
    while (fill_frame(n, &bytes, LENGTH_SIZE)) {
        size_t length = (size_t)n->frame.p[0] << 8 | n->frame.p[1];
        if (!fill_frame(n, &bytes, LENGTH_SIZE + length)) {
            break;
        }
        struct str message = str_from(buf_str(&n->frame), LENGTH_SIZE);
        TRY(take_message(n, message, wire, plain));
        buf_clear(&n->frame);
    }
    return wire->overflow ? ERR_LIMIT : ERR_NONE;
}

enum err noise_feed(struct noise *n, struct str bytes, struct buf *wire, struct buf *plain)
{
    enum err err = n->state == NOISE_FAILED ? ERR_REFUSED : feed(n, bytes, wire, plain);
    if (err != ERR_NONE) {
        n->state = NOISE_FAILED;
    }
    return err;
}

enum err noise_write(struct noise *n, struct str plain, struct buf *wire)
{
    assert(n->state == NOISE_OPEN);
    while (plain.n > 0) {
        struct str part = str_sub(plain, 0, NOISE_PLAIN_MAX);
        if (n->send_counter > COUNTER_MAX) {
            return ERR_LIMIT;
        }
        buf_add_u16be(wire, (uint16_t)(part.n + BOX_TAG_SIZE));
        unsigned char *to = buf_reserve(wire, part.n + BOX_TAG_SIZE);
        if (to == NULL) {
            return ERR_LIMIT;
        }
        box_seal(to, part, STR(""), n->send_counter, n->send_key);
        n->send_counter++;
        wire->n += part.n + BOX_TAG_SIZE;
        plain = str_from(plain, part.n);
    }
    return ERR_NONE;
}
