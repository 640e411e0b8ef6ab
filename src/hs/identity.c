/* The key, the name and the epoch. */
#include "hs/identity.h"

#include "base/encode.h"
#include "event/mxid.h"
#include "net/addr.h"

#include <string.h>

enum { EPOCH_LENGTH = 6, KEY_ID_LENGTH = 8 };

static enum err load_or_make(struct hs *hs, const char *key, struct str fresh, struct str *out)
{
    TRY(store_meta_get(hs->store, hs->process, key, out));
    if (str_is_absent(*out)) {
        TRY(store_meta_put(hs->store, key, fresh));
        *out = arena_str(hs->process, fresh);
    }
    return ERR_NONE;
}

/* Of the key itself: a server that was set up anew under its old name must not show another key
 * under an id that others remember. */
static struct str key_id_of(struct arena *a, const struct sign_key *key)
{
    struct str text = base64url_write(a, str_make(key->public_key, sizeof(key->public_key)));
    char tail[KEY_ID_LENGTH];
    for (size_t i = 0; i < sizeof(tail); i++) {
        tail[i] = text.p[i];
        if (tail[i] == '-') {
            tail[i] = '_';
        }
    }
    return arena_join(a, STR("ed25519:"), str_make(tail, sizeof(tail)), STR(""));
}

enum err identity_load(struct hs *hs, struct str server_name, const char **why)
{
    struct identity *id = &hs->identity;
    uint8_t fresh[SIGN_SEED_SIZE];
    struct str seed;
    struct str server;
    *why = "the identity cannot be read";
    hs_random(hs, fresh, sizeof(fresh));
    TRY(load_or_make(hs, "identity_seed", str_make(fresh, sizeof(fresh)), &seed));
    if (seed.n != SIGN_SEED_SIZE) {
        *why = "the identity in the database is damaged";
        return ERR_CORRUPT;
    }
    uint8_t exact[SIGN_SEED_SIZE];
    memcpy(exact, seed.p, sizeof(exact));
    sign_key_from_seed(&id->key, exact);
    id->peer_id = addr_id_write(hs->process, id->key.public_key);
    TRY(load_or_make(hs, "server_name", server_name.n == 0 ? id->peer_id : server_name, &server));
    if (server_name.n != 0 && !str_eq(server, server_name)) {
        *why = "the database belongs to another server name; a name is for good, start with an "
               "empty data directory for a new one";
        return ERR_CORRUPT;
    }
    id->server = server;
    id->key_id = mxid_is_peer(server, NULL) ? mxid_peer_key_id() : key_id_of(hs->process, &id->key);
    struct str epoch = hs_random_text(hs, hs->process, EPOCH_LENGTH);
    TRY(load_or_make(hs, "epoch", epoch, &id->epoch));
    return store_name(hs->store, id->server, &id->server_name);
}

enum err identity_new_epoch(struct hs *hs)
{
    return store_meta_put(hs->store, "epoch", hs_random_text(hs, hs->process, EPOCH_LENGTH));
}
