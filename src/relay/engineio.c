/* Types in front of messages. */
#include "relay/engineio.h"

#include "base/encode.h"
#include "relay/limits.h"

static struct engineio_packet read_base64(struct arena *a, struct str text)
{
    struct engineio_packet packet = {ENGINEIO_BAD, true, STR("")};
    if (text.n > 1 && text.p[1] >= '0' && text.p[1] <= '6' &&
        base64_parse(a, str_from(text, 2), &packet.data) == ERR_NONE) {
        packet.kind = (enum engineio_kind)(text.p[1] - '0');
    }
    return packet;
}

struct engineio_packet engineio_read(struct arena *a, const struct frame *message)
{
    struct str all = frame_payload(message);
    bool is_binary = message->kind == FRAME_BINARY;
    if (!is_binary && all.n > 0 && all.p[0] == 'b') {
        return read_base64(a, all);
    }
    int kind = all.n == 0 ? -1 : is_binary ? all.p[0] : all.p[0] - '0';
    if (kind < ENGINEIO_OPEN || kind > ENGINEIO_NOOP) {
        kind = is_binary ? ENGINEIO_IGNORE : ENGINEIO_BAD;
    }
    return (struct engineio_packet){(enum engineio_kind)kind, is_binary, str_from(all, 1)};
}

struct frame *engineio_open(struct arena *a, struct str sid, bool can_upgrade,
                            const struct limits *limits)
{
    return frame_of(arena_fmt(
        a, "0{\"sid\":\"%.*s\",\"upgrades\":[%s],\"pingInterval\":%lld,\"pingTimeout\":%lld}",
        STR_ARG(sid), can_upgrade ? "\"websocket\"" : "", (long long)limits->ping_interval_ms,
        (long long)limits->ping_timeout_ms));
}

struct frame *engineio_base64(struct arena *a, struct frame *message)
{
    static const char padding[] = "==";
    struct str all = frame_payload(message);
    if (message->kind == FRAME_TEXT || all.n == 0) {
        return frame_hold(message);
    }
    struct str text = base64_write(a, str_from(all, 1));
    const char head[] = {'b', (char)('0' + all.p[0])};
    struct frame *f = frame_new(FRAME_TEXT, sizeof(head) + text.n + 2);
    f = frame_add(f, head, sizeof(head));
    f = frame_add(f, text.p, text.n);
    f = frame_add(f, padding, (4 - text.n % 4) % 4);
    frame_seal(f);
    return f;
}
