/* Who may ask what, in one table. */
#include "client/routes.h"

#include "client/account_data.h"
#include "client/admin.h"
#include "client/backup.h"
#include "client/create.h"
#include "client/cross_signing.h"
#include "client/devices.h"
#include "client/directory.h"
#include "client/hierarchy.h"
#include "client/history.h"
#include "client/initial_sync.h"
#include "client/keys.h"
#include "client/knock.h"
#include "client/login.h"
#include "client/media.h"
#include "client/membership.h"
#include "client/message.h"
#include "client/metrics.h"
#include "client/move.h"
#include "client/profile.h"
#include "client/push_rules.h"
#include "client/pushers.h"
#include "client/receipts.h"
#include "client/register.h"
#include "client/relations.h"
#include "client/report.h"
#include "client/search.h"
#include "client/server.h"
#include "client/session.h"
#include "client/status.h"
#include "client/threepid.h"
#include "client/to_device.h"
#include "client/typing.h"
#include "client/upgrade.h"
#include "client/user_directory.h"

static const struct field login_body[] = {{"type", FIELD_TEXT, true},
                                          {"identifier", FIELD_OBJECT, false},
                                          {"user", FIELD_TEXT, false},
                                          {"password", FIELD_TEXT, false},
                                          {"token", FIELD_TEXT, false},
                                          {"refresh_token", FIELD_BOOL, false},
                                          {"device_id", FIELD_TEXT, false},
                                          {"initial_device_display_name", FIELD_TEXT, false},
                                          {0}};
static const struct field register_body[] = {{"auth", FIELD_OBJECT, false},
                                             {"username", FIELD_TEXT, false},
                                             {"password", FIELD_TEXT, false},
                                             {"device_id", FIELD_TEXT, false},
                                             {"initial_device_display_name", FIELD_TEXT, false},
                                             {"inhibit_login", FIELD_BOOL, false},
                                             {"refresh_token", FIELD_BOOL, false},
                                             {"guest_access_token", FIELD_TEXT, false},
                                             {0}};
static const struct field secret_body[] = {
    {"nonce", FIELD_TEXT, true}, {"username", FIELD_TEXT, true}, {"password", FIELD_TEXT, true},
    {"mac", FIELD_TEXT, true},   {"admin", FIELD_BOOL, false},   {0}};
static const struct field refresh_body[] = {{"refresh_token", FIELD_TEXT, true}, {0}};
static const struct field auth_body[] = {{"auth", FIELD_OBJECT, false}, {0}};
static const struct field deactivate_body[] = {
    {"auth", FIELD_OBJECT, false}, {"erase", FIELD_BOOL, false}, {0}};
static const struct field address_body[] = {
    {"medium", FIELD_TEXT, true}, {"address", FIELD_TEXT, true}, {0}};
static const struct field pusher_body[] = {{"app_id", FIELD_TEXT, true},
                                           {"pushkey", FIELD_TEXT, true},
                                           {"data", FIELD_OBJECT, false},
                                           {"append", FIELD_BOOL, false},
                                           {0}};
static const struct field password_body[] = {{"auth", FIELD_OBJECT, false},
                                             {"new_password", FIELD_TEXT, true},
                                             {"logout_devices", FIELD_BOOL, false},
                                             {0}};
static const struct field create_body[] = {{"visibility", FIELD_TEXT, false},
                                           {"room_alias_name", FIELD_TEXT, false},
                                           {"name", FIELD_TEXT, false},
                                           {"topic", FIELD_TEXT, false},
                                           {"invite", FIELD_ARRAY, false},
                                           {"room_version", FIELD_TEXT, false},
                                           {"creation_content", FIELD_OBJECT, false},
                                           {"initial_state", FIELD_ARRAY, false},
                                           {"preset", FIELD_TEXT, false},
                                           {"is_direct", FIELD_BOOL, false},
                                           {"power_level_content_override", FIELD_OBJECT, false},
                                           {0}};
/* Any object, but there must be one. */
static const struct field content_body[] = {{0}};
static const struct field user_body[] = {
    {"user_id", FIELD_TEXT, true}, {"reason", FIELD_TEXT, false}, {0}};
static const struct field invite_body[] = {
    {"user_id", FIELD_TEXT, false}, {"reason", FIELD_TEXT, false}, {0}};
static const struct field alias_body[] = {{"room_id", FIELD_TEXT, true}, {0}};
static const struct field visibility_body[] = {{"visibility", FIELD_TEXT, false}, {0}};
static const struct field public_body[] = {{"filter", FIELD_OBJECT, false},
                                           {"limit", FIELD_INT, false},
                                           {"since", FIELD_TEXT, false},
                                           {"include_all_networks", FIELD_BOOL, false},
                                           {"third_party_instance_id", FIELD_TEXT, false},
                                           {0}};

static const struct field actions_body[] = {{"actions", FIELD_ARRAY, true},
                                            {"conditions", FIELD_ARRAY, false},
                                            {"pattern", FIELD_TEXT, false},
                                            {0}};
static const struct field markers_body[] = {{"m.fully_read", FIELD_TEXT, false},
                                            {"m.read", FIELD_TEXT, false},
                                            {"m.read.private", FIELD_TEXT, false},
                                            {0}};
static const struct field receipt_body[] = {{"thread_id", FIELD_TEXT, false}, {0}};
static const struct field typing_body[] = {
    {"typing", FIELD_BOOL, true}, {"timeout", FIELD_INT, false}, {0}};
static const struct field presence_body[] = {
    {"presence", FIELD_TEXT, true}, {"status_msg", FIELD_TEXT, false}, {0}};
static const struct field device_body[] = {{"display_name", FIELD_TEXT, false}, {0}};
static const struct field devices_body[] = {
    {"devices", FIELD_ARRAY, true}, {"auth", FIELD_OBJECT, false}, {0}};
static const struct field upload_body[] = {{"device_keys", FIELD_OBJECT, false},
                                           {"one_time_keys", FIELD_OBJECT, false},
                                           {"fallback_keys", FIELD_OBJECT, false},
                                           {0}};
static const struct field query_body[] = {
    {"device_keys", FIELD_OBJECT, true}, {"timeout", FIELD_INT, false}, {0}};
static const struct field claim_body[] = {
    {"one_time_keys", FIELD_OBJECT, true}, {"timeout", FIELD_INT, false}, {0}};
static const struct field backup_body[] = {{"algorithm", FIELD_TEXT, true},
                                           {"auth_data", FIELD_OBJECT, true},
                                           {"version", FIELD_TEXT, false},
                                           {0}};
static const struct field signing_body[] = {{"master_key", FIELD_OBJECT, false},
                                            {"self_signing_key", FIELD_OBJECT, false},
                                            {"user_signing_key", FIELD_OBJECT, false},
                                            {"auth", FIELD_OBJECT, false},
                                            {0}};
static const struct field to_device_body[] = {{"messages", FIELD_OBJECT, true}, {0}};
static const struct field upgrade_body[] = {
    {"new_version", FIELD_TEXT, true}, {"additional_creators", FIELD_ARRAY, false}, {0}};
static const struct field report_body[] = {
    {"reason", FIELD_TEXT, false}, {"score", FIELD_INT, false}, {0}};
static const struct field events_body[] = {{"search_categories", FIELD_OBJECT, true}, {0}};
static const struct field search_body[] = {
    {"search_term", FIELD_TEXT, true}, {"limit", FIELD_INT, false}, {0}};

/* clang-format off */
const struct route client_routes[] = {
    /* methods   path                                          who         rate          handler              body */
    {HTTP_GET,   "/_neurite/status",                           WHO_ADMIN,  RATE_OTHER,   status_get,          NULL},
    {HTTP_GET,   "/_neurite/metrics",                          WHO_ADMIN,  RATE_OTHER,   metrics_get,         NULL},
    {HTTP_POST,  "/_neurite/move",                             WHO_ADMIN,  RATE_OTHER,   move_post,           NULL},
    {HTTP_POST,  "/_neurite/admin",                            WHO_ADMIN,  RATE_OTHER,   admin_post,          route_bytes},

    {HTTP_GET,   "/client/v3/login",                           WHO_ANYONE, RATE_OTHER,   login_get,           NULL},
    {HTTP_POST,  "/client/v3/login",                           WHO_ANYONE, RATE_ACCOUNT, login_post,          login_body},
    {HTTP_POST,  "/client/v3/logout",                          WHO_GUEST,  RATE_OTHER,   logout_post,         NULL},
    {HTTP_POST,  "/client/v3/logout/all",                      WHO_USER,   RATE_OTHER,   logout_all_post,     NULL},
    {HTTP_POST,  "/client/v3/register",                        WHO_ANYONE, RATE_ACCOUNT, register_post,       register_body},
    {HTTP_GET,   "/_synapse/admin/v1/register",                WHO_ANYONE, RATE_ACCOUNT, register_nonce_get,  NULL},
    {HTTP_POST,  "/_synapse/admin/v1/register",                WHO_ANYONE, RATE_ACCOUNT, register_secret_post, secret_body},
    {HTTP_GET,   "/client/v3/register/available",              WHO_ANYONE, RATE_ACCOUNT, register_available_get, NULL},
    {HTTP_POST,  "/client/v3/refresh",                         WHO_ANYONE, RATE_ACCOUNT, refresh_post,        refresh_body},
    {HTTP_POST,  "/client/v1/login/get_token",                 WHO_USER,   RATE_OTHER,   login_token_post,    auth_body},
    {HTTP_GET,   "/client/v1/register/m.login.registration_token/validity", WHO_ANYONE, RATE_ACCOUNT, registration_token_get, NULL},
    {HTTP_POST,  "/client/v3/account/deactivate",              WHO_USER,   RATE_OTHER,   deactivate_post,     deactivate_body},
    {HTTP_POST,  "/client/v3/user/{}/openid/request_token",    WHO_USER,   RATE_OTHER,   openid_post,         NULL},
    {HTTP_GET,   "/client/v3/admin/whois/{}",                  WHO_USER,   RATE_OTHER,   whois_get,           NULL},
    {HTTP_GET,   "/client/v3/account/whoami",                  WHO_GUEST,  RATE_OTHER,   whoami_get,          NULL},
    {HTTP_POST,  "/client/v3/account/password",                WHO_USER,   RATE_OTHER,   password_post,       password_body},

    {HTTP_GET,   "/client/v3/profile/{}",                      WHO_ANYONE, RATE_OTHER,   profile_get,         NULL},
    {HTTP_GET,   "/client/v3/profile/{}/{}",                   WHO_ANYONE, RATE_OTHER,   profile_field_get,   NULL},
    {HTTP_PUT,   "/client/v3/profile/{}/{}",                   WHO_GUEST,  RATE_ROOM,    profile_field_put,   NULL},
    {HTTP_DELETE, "/client/v3/profile/{}/{}",                   WHO_USER,   RATE_ROOM,    profile_field_delete,NULL},

    {HTTP_POST,  "/client/v3/createRoom",                      WHO_USER,   RATE_ROOM,    create_room_post,    create_body},
    {HTTP_POST,  "/client/v3/join/{}",                         WHO_GUEST,  RATE_ROOM,    join_post,           NULL},
    {HTTP_GET,   "/client/v3/joined_rooms",                    WHO_GUEST,  RATE_OTHER,   joined_rooms_get,    NULL},
    {HTTP_POST,  "/client/v3/rooms/{}/join",                   WHO_GUEST,  RATE_ROOM,    room_join_post,      NULL},
    {HTTP_POST,  "/client/v3/knock/{}",                        WHO_USER,   RATE_ROOM,    knock_post,          NULL},
    {HTTP_POST,  "/client/v3/rooms/{}/invite",                 WHO_USER,   RATE_ROOM,    invite_post,         invite_body},
    {HTTP_POST,  "/client/v3/rooms/{}/leave",                  WHO_GUEST,  RATE_OTHER,   leave_post,          NULL},
    {HTTP_POST,  "/client/v3/rooms/{}/forget",                 WHO_GUEST,  RATE_OTHER,   forget_post,         NULL},
    {HTTP_POST,  "/client/v3/rooms/{}/kick",                   WHO_USER,   RATE_MESSAGE, kick_post,           user_body},
    {HTTP_POST,  "/client/v3/rooms/{}/ban",                    WHO_USER,   RATE_MESSAGE, ban_post,            user_body},
    {HTTP_POST,  "/client/v3/rooms/{}/unban",                  WHO_USER,   RATE_MESSAGE, unban_post,          user_body},

    {HTTP_POST,  "/client/v3/rooms/{}/upgrade",                WHO_USER,   RATE_ROOM,    upgrade_post,        upgrade_body},
    {HTTP_POST,  "/client/v3/rooms/{}/report",                 WHO_USER,   RATE_OTHER,   report_room_post,    report_body},
    {HTTP_POST,  "/client/v3/rooms/{}/report/{}",              WHO_USER,   RATE_ROOM,    report_event_post,   report_body},
    {HTTP_POST,  "/client/v3/users/{}/report",                 WHO_USER,   RATE_OTHER,   report_user_post,    report_body},

    {HTTP_PUT,   "/client/v3/rooms/{}/send/{}/{}",             WHO_GUEST,  RATE_MESSAGE, message_put,         content_body},
    {HTTP_POST,  "/client/v3/rooms/{}/send/{}",                WHO_USER,   RATE_MESSAGE, message_put,         content_body},
    {HTTP_PUT,   "/client/v3/rooms/{}/redact/{}/{}",           WHO_USER,   RATE_MESSAGE, redact_put,          NULL},
    {HTTP_POST,  "/client/v3/rooms/{}/redact/{}",               WHO_USER,   RATE_MESSAGE, redact_put,          NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/state",                  WHO_GUEST,  RATE_OTHER,   room_state_all_get,  NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/state/{}",               WHO_GUEST,  RATE_OTHER,   room_state_get,      NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/state/{}/{}",            WHO_GUEST,  RATE_OTHER,   room_state_get,      NULL},
    {HTTP_PUT,   "/client/v3/rooms/{}/state/{}",               WHO_USER,   RATE_MESSAGE, room_state_put,      content_body},
    {HTTP_PUT,   "/client/v3/rooms/{}/state/{}/{}",            WHO_USER,   RATE_MESSAGE, room_state_put,      content_body},

    {HTTP_GET,   "/client/v3/rooms/{}/messages",               WHO_GUEST,  RATE_OTHER,   messages_get,        NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/event/{}",               WHO_GUEST,  RATE_OTHER,   event_one_get,       NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/context/{}",             WHO_GUEST,  RATE_OTHER,   context_get,         NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/relations/{}",           WHO_USER,   RATE_OTHER,   relations_get,       NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/relations/{}/{}",        WHO_USER,   RATE_OTHER,   relations_get,       NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/relations/{}/{}/{}",     WHO_USER,   RATE_OTHER,   relations_get,       NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/threads",                WHO_USER,   RATE_OTHER,   threads_get,         NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/timestamp_to_event",     WHO_USER,   RATE_OTHER,   event_at_get,        NULL},
    {HTTP_POST,  "/client/v3/search",                          WHO_USER,   RATE_SEARCH,  search_post,         events_body},
    {HTTP_GET,   "/client/v3/rooms/{}/hierarchy",              WHO_USER,   RATE_OTHER,   hierarchy_get,       NULL},
    {HTTP_GET,   "/client/v3/room_summary/{}",                 WHO_OPTIONAL, RATE_OTHER,   room_summary_get,    NULL},
    {HTTP_GET,   "/client/v3/mutual_rooms",                    WHO_USER,   RATE_OTHER,   mutual_rooms_get,    NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/members",                WHO_GUEST,  RATE_OTHER,   members_get,         NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/joined_members",         WHO_GUEST,  RATE_OTHER,   joined_members_get,  NULL},
    {HTTP_GET,   "/client/v3/initialSync",                     WHO_USER,   RATE_SEARCH,  initial_sync_get,    NULL},
    {HTTP_GET,   "/client/v3/events/{}",                       WHO_USER,   RATE_OTHER,   event_any_get,       NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/initialSync",            WHO_GUEST,  RATE_OTHER,   room_initial_sync_get, NULL},

    {HTTP_GET,   "/client/v3/directory/room/{}",               WHO_ANYONE, RATE_OTHER,   alias_get,           NULL},
    {HTTP_PUT,   "/client/v3/directory/room/{}",               WHO_USER,   RATE_OTHER,   alias_put,           alias_body},
    {HTTP_DELETE, "/client/v3/directory/room/{}",               WHO_USER,   RATE_OTHER,   alias_delete,        NULL},
    {HTTP_GET,   "/client/v3/rooms/{}/aliases",                WHO_USER,   RATE_OTHER,   room_aliases_get,    NULL},
    {HTTP_GET,   "/client/v3/directory/list/room/{}",          WHO_ANYONE, RATE_OTHER,   visibility_get,      NULL},
    {HTTP_PUT,   "/client/v3/directory/list/room/{}",          WHO_USER,   RATE_OTHER,   visibility_put,      visibility_body},
    {HTTP_GET,   "/client/v3/publicRooms",                     WHO_OPTIONAL, RATE_SEARCH,  public_rooms_get,    NULL},
    {HTTP_POST,  "/client/v3/publicRooms",                     WHO_GUEST,  RATE_SEARCH,  public_rooms_post,   public_body},

    {HTTP_GET,   "/client/versions",                           WHO_ANYONE, RATE_OTHER,   versions_get,        NULL},
    {HTTP_GET,   "/.well-known/matrix/policy_server",          WHO_ANYONE, RATE_OTHER,   policy_server_get,   NULL},
    {HTTP_GET,   "/client/v3/capabilities",                    WHO_GUEST,  RATE_OTHER,   capabilities_get,    NULL},
    {HTTP_GET,   "/client/v3/voip/turnServer",                 WHO_USER,   RATE_OTHER,   turn_server_get,     NULL},
    {HTTP_GET,   "/client/v3/thirdparty/protocols",            WHO_USER,   RATE_OTHER,   protocols_get,       NULL},
    {HTTP_GET,   "/client/v3/pushers",                         WHO_USER,   RATE_OTHER,   pushers_get,         NULL},
    {HTTP_POST,  "/client/v3/pushers/set",                     WHO_USER,   RATE_OTHER,   pushers_set_post,    pusher_body},
    {HTTP_GET,   "/client/v3/account/3pid",                    WHO_USER,   RATE_OTHER,   threepids_get,       NULL},
    {HTTP_POST,  "/client/v3/account/3pid",                    WHO_USER,   RATE_OTHER,   threepid_deny,       NULL},
    {HTTP_POST,  "/client/v3/account/3pid/add",                WHO_USER,   RATE_OTHER,   threepid_deny,       NULL},
    {HTTP_POST,  "/client/v3/account/3pid/bind",               WHO_USER,   RATE_OTHER,   threepid_deny,       NULL},
    {HTTP_POST,  "/client/v3/account/3pid/delete",             WHO_USER,   RATE_OTHER,   threepid_drop_post,  address_body},
    {HTTP_POST,  "/client/v3/account/3pid/unbind",             WHO_USER,   RATE_OTHER,   threepid_drop_post,  address_body},
    {HTTP_POST,  "/client/v3/account/3pid/{}/requestToken",    WHO_ANYONE, RATE_OTHER,   threepid_deny,       NULL},
    {HTTP_POST,  "/client/v3/account/password/{}/requestToken", WHO_ANYONE, RATE_OTHER,   threepid_deny,       NULL},
    {HTTP_POST,  "/client/v3/register/{}/requestToken",        WHO_ANYONE, RATE_OTHER,   threepid_deny,       NULL},

    {HTTP_POST,  "/media/v3/upload",                           WHO_USER,   RATE_UPLOAD,  media_upload_post,   route_bytes},
    {HTTP_PUT,   "/media/v3/upload/{}/{}",                     WHO_USER,   RATE_UPLOAD,  media_upload_put,    route_bytes},
    {HTTP_POST,  "/media/v1/create",                           WHO_USER,   RATE_UPLOAD,  media_create_post,   NULL},
    {HTTP_GET,   "/client/v1/media/config",                    WHO_GUEST,  RATE_OTHER,   media_config_get,    NULL},
    {HTTP_GET,   "/client/v1/media/download/{}/{}",            WHO_GUEST,  RATE_OTHER,   media_download_get,  NULL},
    {HTTP_GET,   "/client/v1/media/download/{}/{}/{}",         WHO_GUEST,  RATE_OTHER,   media_download_get,  NULL},
    {HTTP_GET,   "/client/v1/media/thumbnail/{}/{}",           WHO_GUEST,  RATE_OTHER,   media_thumbnail_get, NULL},
    {HTTP_GET,   "/media/v3/config",                           WHO_USER,   RATE_OTHER,   media_config_get,    NULL},
    {HTTP_GET,   "/media/v3/download/{}/{}",                   WHO_ANYONE, RATE_FILE,    media_download_get,  NULL},
    {HTTP_GET,   "/media/v3/download/{}/{}/{}",                WHO_ANYONE, RATE_FILE,    media_download_get,  NULL},
    {HTTP_GET,   "/media/v3/thumbnail/{}/{}",                  WHO_ANYONE, RATE_FILE,    media_thumbnail_get, NULL},

    {HTTP_GET,   "/client/v3/user/{}/account_data/{}",         WHO_USER,   RATE_OTHER,   own_data_get,        NULL},
    {HTTP_PUT,   "/client/v3/user/{}/account_data/{}",         WHO_USER,   RATE_OTHER,   own_data_put,        NULL},
    {HTTP_GET,   "/client/v3/user/{}/rooms/{}/account_data/{}", WHO_USER,   RATE_OTHER,   own_room_data_get,   NULL},
    {HTTP_PUT,   "/client/v3/user/{}/rooms/{}/account_data/{}", WHO_USER,   RATE_OTHER,   own_room_data_put,   NULL},
    {HTTP_GET,   "/client/v3/user/{}/rooms/{}/tags",           WHO_USER,   RATE_OTHER,   tags_get,            NULL},
    {HTTP_PUT,   "/client/v3/user/{}/rooms/{}/tags/{}",        WHO_USER,   RATE_OTHER,   tag_put,             NULL},
    {HTTP_DELETE, "/client/v3/user/{}/rooms/{}/tags/{}",        WHO_USER,   RATE_OTHER,   tag_delete,          NULL},
    {HTTP_POST,  "/client/v3/user_directory/search",           WHO_USER,   RATE_SEARCH,  user_search_post,    search_body},

    {HTTP_GET,   "/client/v3/pushrules",                       WHO_GUEST,  RATE_OTHER,   push_all_get,        NULL},
    {HTTP_GET,   "/client/v3/pushrules/global",                WHO_USER,   RATE_OTHER,   push_global_get,     NULL},
    {HTTP_GET,   "/client/v3/pushrules/global/{}",             WHO_USER,   RATE_OTHER,   push_kind_get,       NULL},
    {HTTP_GET,   "/client/v3/pushrules/global/{}/{}",          WHO_USER,   RATE_OTHER,   push_rule_get,       NULL},
    {HTTP_PUT,   "/client/v3/pushrules/global/{}/{}",          WHO_USER,   RATE_OTHER,   push_rule_put,       actions_body},
    {HTTP_DELETE, "/client/v3/pushrules/global/{}/{}",          WHO_USER,   RATE_OTHER,   push_rule_delete,    NULL},
    {HTTP_GET,   "/client/v3/pushrules/global/{}/{}/{}",       WHO_USER,   RATE_OTHER,   push_part_get,       NULL},
    {HTTP_PUT,   "/client/v3/pushrules/global/{}/{}/{}",       WHO_USER,   RATE_OTHER,   push_part_put,       NULL},
    {HTTP_PUT,    "/client/v3/pushrules",                       WHO_USER,   RATE_OTHER,   push_path_deny,      NULL},
    {HTTP_GET | HTTP_PUT, "/client/v3/pushrules/{}",                    WHO_USER,   RATE_OTHER,   push_path_deny,      NULL},
    {HTTP_GET | HTTP_PUT, "/client/v3/pushrules/{}/{}",                 WHO_USER,   RATE_OTHER,   push_path_deny,      NULL},
    {HTTP_GET | HTTP_PUT, "/client/v3/pushrules/{}/{}/{}",              WHO_USER,   RATE_OTHER,   push_path_deny,      NULL},
    {HTTP_GET | HTTP_PUT, "/client/v3/pushrules/{}/{}/{}/{}",           WHO_USER,   RATE_OTHER,   push_path_deny,      NULL},

    {HTTP_POST,  "/client/v3/rooms/{}/receipt/{}/{}",          WHO_USER,   RATE_OTHER,   receipt_post,        receipt_body},
    {HTTP_POST,  "/client/v3/rooms/{}/read_markers",           WHO_USER,   RATE_OTHER,   read_markers_post,   markers_body},
    {HTTP_PUT,   "/client/v3/rooms/{}/typing/{}",              WHO_USER,   RATE_OTHER,   typing_put,          typing_body},
    {HTTP_GET,   "/client/v3/presence/{}/status",              WHO_USER,   RATE_OTHER,   presence_get,        NULL},
    {HTTP_PUT,   "/client/v3/presence/{}/status",              WHO_USER,   RATE_MESSAGE, presence_put,        presence_body},

    {HTTP_GET,   "/client/v3/devices",                         WHO_GUEST,  RATE_OTHER,   devices_get,         NULL},
    {HTTP_GET,   "/client/v3/devices/{}",                      WHO_GUEST,  RATE_OTHER,   device_get,          NULL},
    {HTTP_PUT,   "/client/v3/devices/{}",                      WHO_GUEST,  RATE_OTHER,   device_put,          device_body},
    {HTTP_DELETE, "/client/v3/devices/{}",                      WHO_USER,   RATE_OTHER,   device_delete,       NULL},
    {HTTP_POST,  "/client/v3/delete_devices",                  WHO_USER,   RATE_OTHER,   devices_delete_post, devices_body},
    {HTTP_POST,  "/client/v3/keys/upload",                     WHO_GUEST,  RATE_OTHER,   keys_upload_post,    upload_body},
    {HTTP_POST,  "/client/v3/keys/upload/{}",                  WHO_USER,   RATE_OTHER,   keys_upload_post,    upload_body},
    {HTTP_POST,  "/client/v3/keys/query",                      WHO_GUEST,  RATE_OTHER,   keys_query_post,     query_body},
    {HTTP_POST,  "/client/v3/keys/claim",                      WHO_GUEST,  RATE_OTHER,   keys_claim_post,     claim_body},
    {HTTP_POST,  "/client/v3/keys/device_signing/upload",      WHO_USER,   RATE_OTHER,   device_signing_post, signing_body},
    {HTTP_POST,  "/client/v3/keys/signatures/upload",          WHO_USER,   RATE_OTHER,   signatures_post,     content_body},
    {HTTP_POST,  "/client/v3/room_keys/version",               WHO_USER,   RATE_OTHER,   backup_version_post, backup_body},
    {HTTP_GET,   "/client/v3/room_keys/version",               WHO_USER,   RATE_OTHER,   backup_current_get,  NULL},
    {HTTP_GET,   "/client/v3/room_keys/version/{}",            WHO_USER,   RATE_OTHER,   backup_version_get,  NULL},
    {HTTP_PUT,   "/client/v3/room_keys/version/{}",            WHO_USER,   RATE_OTHER,   backup_version_put,  backup_body},
    {HTTP_DELETE, "/client/v3/room_keys/version/{}",            WHO_USER,   RATE_OTHER,   backup_version_delete, NULL},
    {HTTP_GET,   "/client/v3/room_keys/keys",                  WHO_USER,   RATE_OTHER,   backup_keys_get,     NULL},
    {HTTP_PUT,   "/client/v3/room_keys/keys",                  WHO_USER,   RATE_OTHER,   backup_keys_put,     content_body},
    {HTTP_DELETE, "/client/v3/room_keys/keys",                  WHO_USER,   RATE_OTHER,   backup_keys_delete,  NULL},
    {HTTP_GET,   "/client/v3/room_keys/keys/{}",               WHO_USER,   RATE_OTHER,   backup_keys_get,     NULL},
    {HTTP_PUT,   "/client/v3/room_keys/keys/{}",               WHO_USER,   RATE_OTHER,   backup_keys_put,     content_body},
    {HTTP_DELETE, "/client/v3/room_keys/keys/{}",               WHO_USER,   RATE_OTHER,   backup_keys_delete,  NULL},
    {HTTP_GET,   "/client/v3/room_keys/keys/{}/{}",            WHO_USER,   RATE_OTHER,   backup_keys_get,     NULL},
    {HTTP_PUT,   "/client/v3/room_keys/keys/{}/{}",            WHO_USER,   RATE_OTHER,   backup_keys_put,     content_body},
    {HTTP_DELETE, "/client/v3/room_keys/keys/{}/{}",            WHO_USER,   RATE_OTHER,   backup_keys_delete,  NULL},
    {HTTP_PUT,   "/client/v3/sendToDevice/{}/{}",              WHO_GUEST,  RATE_MESSAGE, to_device_put,       to_device_body},

    {0, NULL, WHO_ANYONE, RATE_OTHER, NULL, NULL},
};
/* clang-format on */
