/* What the network knows of itself. */
#include "engine/status_net.h"

#include "net/link.h"

void status_net_put(struct hs *hs, struct arena *a, struct json *out)
{
    struct json *relays = json_put_array(out, STR("relays"));
    struct json *peers = json_put_array(out, STR("peers"));
    bool is_up = false;
    (void)a;
    for (size_t i = 0; hs->net != NULL && i < net_relay_count(hs->net); i++) {
        struct net_relay_info info = net_relay_info(hs->net, i);
        struct json *relay = json_push_object(relays);
        json_put_text(relay, "url", info.url);
        json_put_text(relay, "address", info.address);
        json_put_text(relay, "state", str_of(net_relay_state_name(info.state)));
        json_put_text(relay, "why", info.why);
        json_put_int(relay, "since_ms", hs->now.mono_ms - info.since_ms);
        is_up = is_up || info.state == NET_RELAY_JOINED;
    }
    for (size_t i = 0; hs->net != NULL && i < net_peer_count(hs->net); i++) {
        struct net_peer_info info = net_peer_info(hs->net, i);
        struct json *peer = json_push_object(peers);
        json_put_text(peer, "id", info.id);
        json_put_text(peer, "address", info.address);
        json_put_bool(peer, "connected", info.connected);
        if (info.rtt_ms >= 0) {
            json_put_int(peer, "rtt_ms", info.rtt_ms);
        }
    }
    json_put_text(out, "relay", hs->net == NULL ? STR("none") : (is_up ? STR("up") : STR("down")));
}
