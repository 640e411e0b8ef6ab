/* What a peer may ask. Nothing else passes the peers' door. */
#include "fed/routes.h"

#include "fed/ask.h"
#include "fed/backfill.h"
#include "fed/invite.h"
#include "fed/join.h"
#include "fed/lookup.h"
#include "fed/media.h"
#include "fed/notary.h"
#include "fed/policy.h"
#include "fed/query.h"
#include "fed/serve_events.h"
#include "fed/serve_invite.h"
#include "fed/serve_join.h"
#include "fed/serve_space.h"
#include "fed/transaction.h"
#include "fed/user_keys.h"

static const struct field send_body[] = {
    {"pdus", FIELD_ARRAY, false}, {"edus", FIELD_ARRAY, false}, {0}};
static const struct field query_body[] = {{"device_keys", FIELD_OBJECT, true}, {0}};
static const struct field exchange_body[] = {
    {"type", FIELD_TEXT, true},      {"room_id", FIELD_TEXT, true},   {"sender", FIELD_TEXT, true},
    {"state_key", FIELD_TEXT, true}, {"content", FIELD_OBJECT, true}, {0}};
static const struct field bound_body[] = {{"medium", FIELD_TEXT, true},
                                          {"address", FIELD_TEXT, true},
                                          {"mxid", FIELD_TEXT, true},
                                          {"invites", FIELD_ARRAY, true},
                                          {0}};
static const struct field keys_body[] = {{"server_keys", FIELD_OBJECT, true}, {0}};
static const struct field claim_body[] = {{"one_time_keys", FIELD_OBJECT, true}, {0}};

/* clang-format off */
const struct route fed_routes[] = {
    /* methods   path                                          who         rate          handler              body */
    {HTTP_GET,   "/federation/v1/version",                     WHO_ANYONE, RATE_OTHER,   version_get,         NULL},
    {HTTP_GET,   "/key/v2/server",                             WHO_ANYONE, RATE_OTHER,   server_keys_get,     NULL},
    {HTTP_GET,   "/key/v2/server/{}",                          WHO_ANYONE, RATE_OTHER,   server_keys_get,     NULL},
    {HTTP_GET,   "/key/v2/query/{}",                           WHO_ANYONE, RATE_ERRAND,  server_keys_of_get,  NULL},
    {HTTP_POST,  "/key/v2/query",                              WHO_ANYONE, RATE_ERRAND,  server_keys_post,    keys_body},
    {HTTP_PUT,   "/federation/v1/send/{}",                     WHO_SERVER, RATE_SERVER,  transaction_put,     send_body},

    {HTTP_GET,   "/federation/v1/make_join/{}/{}",             WHO_SERVER, RATE_SERVER,  make_join_get,       NULL},
    {HTTP_PUT,   "/federation/v2/send_join/{}/{}",             WHO_SERVER, RATE_SERVER,  send_join_put,       NULL},
    {HTTP_PUT,   "/federation/v1/send_join/{}/{}",             WHO_SERVER, RATE_SERVER,  send_join_v1_put,    NULL},
    {HTTP_GET,   "/federation/v1/make_leave/{}/{}",            WHO_SERVER, RATE_SERVER,  make_leave_get,      NULL},
    {HTTP_PUT,   "/federation/v2/send_leave/{}/{}",            WHO_SERVER, RATE_SERVER,  send_leave_put,      NULL},
    {HTTP_PUT,   "/federation/v1/send_leave/{}/{}",            WHO_SERVER, RATE_SERVER,  send_leave_v1_put,   NULL},
    {HTTP_GET,   "/federation/v1/make_knock/{}/{}",            WHO_SERVER, RATE_SERVER,  make_knock_get,      NULL},
    {HTTP_PUT,   "/federation/v1/send_knock/{}/{}",            WHO_SERVER, RATE_SERVER,  send_knock_put,      NULL},
    {HTTP_PUT,   "/federation/v2/invite/{}/{}",                WHO_SERVER, RATE_SERVER,  invite_put,          NULL},
    {HTTP_PUT,   "/federation/v1/invite/{}/{}",                WHO_SERVER, RATE_SERVER,  invite_v1_put,       NULL},
    {HTTP_PUT,   "/federation/v1/exchange_third_party_invite/{}", WHO_SERVER, RATE_SERVER,  third_party_exchange_put, exchange_body},
    {HTTP_PUT,   "/federation/v1/3pid/onbind",                 WHO_ANYONE, RATE_ERRAND,  third_party_bound_put, bound_body},
    {HTTP_POST,  "/policy/v1/sign",                            WHO_SERVER, RATE_SERVER,  policy_sign_post,    NULL},

    {HTTP_GET,   "/federation/v1/event/{}",                    WHO_SERVER, RATE_SERVER,  fed_event_get,       NULL},
    {HTTP_GET,   "/federation/v1/state/{}",                    WHO_SERVER, RATE_SERVER,  fed_state_get,       NULL},
    {HTTP_GET,   "/federation/v1/state_ids/{}",                WHO_SERVER, RATE_SERVER,  fed_state_ids_get,   NULL},
    {HTTP_GET,   "/federation/v1/event_auth/{}/{}",            WHO_SERVER, RATE_SERVER,  fed_event_auth_get,  NULL},
    {HTTP_GET,   "/federation/v1/timestamp_to_event/{}",       WHO_SERVER, RATE_SERVER,  fed_event_at_get,    NULL},
    {HTTP_GET,   "/federation/v1/backfill/{}",                 WHO_SERVER, RATE_SERVER,  fed_backfill_get,    NULL},
    {HTTP_POST,  "/federation/v1/get_missing_events/{}",       WHO_SERVER, RATE_SERVER,  fed_missing_post,    NULL},

    {HTTP_GET,   "/federation/v1/query/directory",             WHO_SERVER, RATE_SERVER,  query_directory_get, NULL},
    {HTTP_GET,   "/federation/v1/query/profile",               WHO_SERVER, RATE_SERVER,  query_profile_get,   NULL},
    {HTTP_GET,   "/federation/v1/query/{}",                    WHO_SERVER, RATE_SERVER,  query_unknown_get,   NULL},
    {HTTP_GET,   "/federation/v1/openid/userinfo",             WHO_ANYONE, RATE_OTHER,   openid_userinfo_get, NULL},
    {HTTP_GET,   "/federation/v1/hierarchy/{}",                WHO_SERVER, RATE_SERVER,  fed_hierarchy_get,   NULL},
    {HTTP_GET,   "/federation/v1/publicRooms",                 WHO_SERVER, RATE_SERVER,  fed_public_rooms_get, NULL},
    {HTTP_POST,  "/federation/v1/publicRooms",                 WHO_SERVER, RATE_SERVER,  fed_public_rooms_post, NULL},
    {HTTP_GET,   "/federation/v1/user/devices/{}",             WHO_SERVER, RATE_SERVER,  user_devices_get,    NULL},
    {HTTP_POST,  "/federation/v1/user/keys/query",             WHO_SERVER, RATE_SERVER,  user_keys_query_post, query_body},
    {HTTP_POST,  "/federation/v1/user/keys/claim",             WHO_SERVER, RATE_SERVER,  user_keys_claim_post, claim_body},

    {HTTP_GET,   "/federation/v1/media/download/{}",           WHO_SERVER, RATE_SERVER,  fed_media_get,       NULL},
    {HTTP_GET,   "/federation/v1/media/thumbnail/{}",          WHO_SERVER, RATE_SERVER,  fed_media_get,       NULL},

    {0, NULL, WHO_ANYONE, RATE_OTHER, NULL, NULL},
};
/* clang-format on */

const struct remote fed_remote = {
    .enter = enter_remote,
    .alias = lookup_alias,
    .invite = invite_remote,
    .leave = leave_remote,
    .profile = lookup_profile,
    .public_rooms = lookup_public_rooms,
    .get = ask_remote,
    .backfill = backfill_remote,
    .media = media_remote,
};
