/* The homeserver as its parts: one pointer a part, shared by engine, client, sync, fed and hs. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/limits.h"
#include "crypto/password.h"
#include "crypto/sign.h"
#include "event/event.h"
#include "hs/hs.h"
#include "store/store.h"
#include "json/json.h"

struct effects;
struct parked;
struct calls;
struct key_waits;
struct typing;
struct presence;
struct unread;
struct search_index;
struct lazy_members;
struct event_cache;
struct outbox;
struct destinations;
struct missing;
struct resyncs;
struct admission;
struct remote;
struct net;
struct fact;

/* Who we are; made on first start, kept for good in the database. */
struct identity {
    struct sign_key key;
    struct str server; /* server name: the peer id unless --server-name says otherwise */
    struct str peer_id;
    struct str key_id;   /* "ed25519:p2p" for a peer id */
    int64_t server_name; /* its number in names */
    struct str epoch;    /* of this database, in every stream token */
};

struct settings {
    struct str build_id, admin_token, registration_secret;
    struct strs relays;
    struct password_cost password_cost;
    bool read_only, rate_limits, guests;
    bool logs_debug;
    bool registration_tokens; /* only who has one registers */
    bool federates;           /* over HTTPS, with servers that have ordinary names */
    struct str well_known_server, well_known_client; /* m.server and base_url; empty: not told */
};

typedef enum err (*subscriber_fn)(struct hs *hs, const struct fact *fact);

struct hs {
    struct host host;
    struct now now; /* of the input at hand */
    struct now started;
    struct arena *process; /* settings and identity */
    struct arena *turn;    /* scratch, gone at the end of the turn */
    struct settings settings;
    struct identity identity;
    struct store *store;
    struct effects *effects;
    struct parked *parked;
    struct calls *calls;
    struct key_waits *key_waits; /* engine/server_keys.c */
    struct typing *typing;
    struct presence *presence;
    struct unread *unread;
    struct search_index *search_index;
    struct lazy_members *lazy_members;
    struct event_cache *cache;
    struct outbox *outbox;
    struct destinations *destinations; /* fed/destination.c */
    struct missing *missing;           /* fed/missing.c */
    struct resyncs *resyncs;           /* fed/resync.c */
    struct admission *admission;
    const struct remote *remote; /* what client/ may ask of fed/ (hs/wiring.c) */
    struct net *net;             /* NULL: no relay */
    /* Called for each published fact, in order; ends with NULL (hs/wiring.c). */
    const subscriber_fn *subscribers;
    bool dead; /* COMMIT failed: nothing leaves any more */
};

/* One line into the host's log: a fact with ids, no secrets. */
void hs_log(struct hs *hs, enum log_level level, const char *format, ...) PRINTF_LIKE(3, 4);
void hs_random(struct hs *hs, void *out, size_t n);
/* n characters of [A-Za-z], for opaque ids. */
struct str hs_random_text(struct hs *hs, struct arena *a, size_t n);
struct event_signer hs_signer(const struct hs *hs);
/* Is the id (of a user, alias, ...) one of ours? */
bool hs_is_ours(const struct hs *hs, struct str id);

#endif
