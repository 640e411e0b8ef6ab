/* The operations under faults, as data. */
#include "test/faults/operations.h"

#define ROOM "/_matrix/client/v3/rooms/$room/"
#define USER(name) "/_matrix/client/v3/user/$" name "/"
#define CLIENT "/_matrix/client/v3/"
#define PASSWORD "\"auth\":{\"type\":\"m.login.password\",\"user\":\"$alice\",\"password\":\"p\"}"
#define KEY                                                                                        \
    "{\"algorithm\":\"m.megolm_backup.v1.curve25519-aes-sha2\",\"auth_data\":{\"public_key\":"     \
    "\"x\"}}"
#define DEVICE                                                                                     \
    "{\"one_time_keys\":{\"curve25519:AAAA\":\"one\",\"curve25519:AAAB\":\"two\"},"                \
    "\"fallback_keys\":{\"curve25519:AAAC\":\"three\"}}"

/* clang-format off */
const struct operation operations[] = {
    {"opens a database", "", NULL, NULL, CLIENT "profile/$alice", false},
    {"makes a database", "nobody", NULL, NULL, NULL, false},
    {"registers", "", "POST " CLIENT "register",
        "{\"username\":\"fay\",\"password\":\"p\",\"auth\":{\"type\":\"m.login.dummy\"}}",
        CLIENT "profile/@fay:$here", false},
    {"logs in", "", "POST " CLIENT "login",
        "{\"type\":\"m.login.password\",\"user\":\"alice\",\"password\":\"p\"}", NULL, false},
    {"logs out", "dave", "POST " CLIENT "logout", "{}", NULL, false},
    {"changes the password", "alice", "POST " CLIENT "account/password",
        "{\"new_password\":\"q\",\"logout_devices\":false," PASSWORD "}", NULL, false},
    {"changes a profile", "alice", "PUT " CLIENT "profile/$alice/displayname",
        "{\"displayname\":\"Alice A\"}", CLIENT "profile/$alice/displayname", true},
    {"names a device", "alice", "PUT " CLIENT "devices/HOME", "{\"display_name\":\"at home\"}",
        CLIENT "devices/HOME", false},

    {"creates a room", "alice", "POST " CLIENT "createRoom",
        "{\"preset\":\"public_chat\",\"name\":\"new\",\"room_alias_name\":\"new\"}",
        CLIENT "directory/room/%23new:$here", false},
    {"sends", "alice", "PUT " ROOM "send/m.room.message/t1",
        "{\"msgtype\":\"m.text\",\"body\":\"under faults\"}", NULL, true},
    {"sends in a room of this house", "alice", "PUT " CLIENT "rooms/$den/send/m.room.message/t1",
        "{\"msgtype\":\"m.text\",\"body\":\"under faults\"}", NULL, false},
    {"edits", "alice", "PUT " CLIENT "rooms/$den/send/m.room.message/t2",
        "{\"msgtype\":\"m.text\",\"body\":\"* x\",\"m.new_content\":{\"msgtype\":\"m.text\","
        "\"body\":\"x\"},\"m.relates_to\":{\"rel_type\":\"m.replace\",\"event_id\":\"$said\"}}",
        NULL, false},
    {"redacts", "alice", "PUT " CLIENT "rooms/$den/redact/$said/t3", "{}", NULL, false},
    {"sets a topic", "alice", "PUT " CLIENT "rooms/$den/state/m.room.topic", "{\"topic\":\"faults\"}",
        CLIENT "rooms/$den/state/m.room.topic", false},
    {"invites", "alice", "POST " CLIENT "rooms/$den/invite", "{\"user_id\":\"$bob\"}",
        CLIENT "rooms/$den/state/m.room.member/$bob", false},
    {"joins", "dave", "POST " CLIENT "join/$den", "{}",
        CLIENT "rooms/$den/state/m.room.member/$dave", false},
    {"leaves", "bob", "POST " ROOM "leave", "{}", NULL, true},
    {"bans", "alice", "POST " ROOM "ban", "{\"user_id\":\"$bob\"}", NULL, true},
    {"upgrades a room", "alice", "POST " CLIENT "rooms/$den/upgrade", "{\"new_version\":\"11\"}", NULL, false},
    {"publishes an alias", "alice", "PUT " CLIENT "directory/room/%23den:$here",
        "{\"room_id\":\"$den\"}", CLIENT "directory/room/%23den:$here", false},

    {"uploads keys", "alice", "POST " CLIENT "keys/upload", DEVICE, NULL, false},
    {"claims a key", "alice", "POST " CLIENT "keys/claim",
        "{\"one_time_keys\":{\"$bob\":{\"BOBS\":\"curve25519\"}}}", NULL, false},
    {"sends to a device", "alice", "PUT " CLIENT "sendToDevice/m.dummy/t4",
        "{\"messages\":{\"$bob\":{\"*\":{\"x\":1}}}}", NULL, false},
    {"starts a backup of keys", "alice", "POST " CLIENT "room_keys/version", KEY,
        CLIENT "room_keys/version", false},
    {"puts account data", "alice", "PUT " USER("alice") "account_data/org.example", "{\"a\":1}",
        USER("alice") "account_data/org.example", false},
    {"tags a room", "alice", "PUT " USER("alice") "rooms/$den/tags/m.favourite", "{\"order\":0}",
        NULL, false},
    {"marks what is read", "bob", "POST " ROOM "receipt/m.read/$event", "{}", NULL, true},
    {"makes a filter", "alice", "POST " USER("alice") "filter", "{\"room\":{\"timeline\":{\"limit\":3}}}",
        NULL, false},
    {"sets a push rule", "alice", "PUT " CLIENT "pushrules/global/content/faults",
        "{\"pattern\":\"faults\",\"actions\":[\"notify\"]}", CLIENT "pushrules/global/content/faults",
        false},
    {"uploads a file", "alice", "POST /_matrix/media/v3/upload?filename=x", "the bytes of a file",
        NULL, false},
    {"reports an event", "bob", "POST " ROOM "report/$event", "{\"reason\":\"loud\"}", NULL, false},

    {"syncs at first", "alice", "GET " CLIENT "sync", "", NULL, false},
    {"syncs on", "alice", "GET " CLIENT "sync?since=$since", "", NULL, false},
    {"pages back", "alice", "GET " ROOM "messages?dir=b&limit=50", "", NULL, false},
    {"searches", "alice", "POST " CLIENT "search",
        "{\"search_categories\":{\"room_events\":{\"search_term\":\"before\"}}}", NULL, false},

    {"joins a room of the other house", "alice", "POST " CLIENT "join/$lobby?server_name=$there", "{}",
        CLIENT "rooms/$lobby/state/m.room.member/$alice", true},
    {"hears a message of the other house", "carol", "PUT " ROOM "send/m.room.message/t5",
        "{\"msgtype\":\"m.text\",\"body\":\"from there\"}", NULL, true},
    {"lets someone of the other house in", "erin", "POST " CLIENT "join/$room?server_name=$here",
        "{}", ROOM "state/m.room.member/$erin", true},
    {"invites into the other house", "alice", "POST " CLIENT "rooms/$den/invite",
        "{\"user_id\":\"$carol\"}", CLIENT "rooms/$den/state/m.room.member/$carol", true},
};
/* clang-format on */

const size_t operations_n = COUNT_OF(operations);
