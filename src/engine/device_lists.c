/* Changes of devices: one row a user, the position of the last change. */
#include "engine/device_lists.h"

#include "engine/device_keys.h"
#include "engine/edu_in.h"
#include "engine/remote_keys.h"
#include "engine/share.h"
#include "event/mxid.h"

static enum err note(struct hs *hs, int64_t user, int64_t *position)
{
    TRY(store_position_next(hs->store, position));
    TRY(store_run(hs->store, STMT_DEVICE_CHANGE_PUT, "ii", user, *position));
    return share_news(hs, user);
}

enum err device_list_note(struct hs *hs, int64_t user)
{
    int64_t position;
    return note(hs, user, &position);
}

/* m.device_list_update, with the keys when there are any, or `deleted`. */
static enum err update_of(struct hs *hs, int64_t user, struct str device_id, struct json *content)
{
    struct query q;
    struct json *keys;
    enum err err = query_one(&q, hs->store, STMT_DEVICE_GET, "it", user, device_id);
    if (err == ERR_ABSENT) {
        json_put_bool(content, "deleted", true);
        return ERR_NONE;
    }
    TRY(err);
    json_put_text(content, "device_display_name", query_str(&q, hs->turn, 0));
    TRY(query_end(&q));
    TRY(device_keys_one(hs, hs->turn, user, device_id, &keys));
    if (keys != NULL) {
        json_put(content, STR("keys"), keys);
    }
    return ERR_NONE;
}

enum err device_list_changed(struct hs *hs, int64_t user, struct str user_id, struct str device_id)
{
    int64_t before;
    int64_t position;
    struct json *content = json_object(hs->turn);
    TRY(store_get_int(hs->store, &before, 0, STMT_DEVICE_CHANGE_TOLD, "i", user));
    TRY(note(hs, user, &position));
    TRY(store_run(hs->store, STMT_DEVICE_CHANGE_TELL, "i", user));
    json_put_text(content, "user_id", user_id);
    json_put_text(content, "device_id", device_id);
    json_put_int(content, "stream_id", position);
    struct json *prev = json_put_array(content, STR("prev_id"));
    if (before != 0) {
        json_push_int(prev, before);
    }
    TRY(update_of(hs, user, device_id, content));
    return share_edu(hs, user, STR("m.device_list_update"), content, STR_ABSENT);
}

enum err device_remove(struct hs *hs, int64_t user, struct str user_id, struct str device_id)
{
    static const enum stmt drops[] = {STMT_TOKEN_DROP_DEVICE,    STMT_DEVICE_KEYS_DROP,
                                      STMT_ONE_TIME_DROP_DEVICE, STMT_FALLBACK_DROP_DEVICE,
                                      STMT_INBOX_DROP_DEVICE,    STMT_INBOX_TOLD_DROP_DEVICE,
                                      STMT_KEY_SIGNATURES_DROP,  STMT_SPECIAL_DROP_DEVICE,
                                      STMT_PUSHER_DROP_DEVICE,   STMT_DEVICE_DROP};
    for (size_t i = 0; i < COUNT_OF(drops); i++) {
        TRY(store_run(hs->store, drops[i], "it", user, device_id));
    }
    /* The device itself came last, so the count is of it. */
    return store_changes(hs->store) == 0 ? ERR_NONE
                                         : device_list_changed(hs, user, user_id, device_id);
}

enum err device_remove_all(struct hs *hs, int64_t user, struct str user_id, struct str except)
{
    struct str device_id;
    do {
        TRY(store_get_str(hs->store, hs->turn, &device_id, STMT_DEVICE_OTHER, "it", user,
                          except.p == NULL ? STR("") : except));
        if (device_id.p != NULL) {
            TRY(device_remove(hs, user, user_id, device_id));
        }
    } while (device_id.p != NULL);
    return store_run(hs->store, STMT_SPECIAL_DROP_LOGINS, "i", user);
}

/* What a server tells of one of its users, of whom we have heard. told: does it say what changed?
 */
static enum err receive(struct hs *hs, struct str origin, const struct json *content, bool told)
{
    struct str user_id = json_get_text(content, "user_id");
    int64_t user = 0;
    bool is_true;
    if (mxid_is_user(user_id) && str_eq(mxid_server(user_id), origin)) {
        TRY(store_name_find(hs->store, user_id, &user));
    }
    if (user == 0) {
        return ERR_NONE;
    }
    TRY(told ? remote_keys_update(hs, user_id, content, &is_true)
             : remote_keys_doubt(hs, user_id, &is_true));
    return is_true ? device_list_note(hs, user) : ERR_NONE;
}

enum err device_list_receive(struct hs *hs, struct str origin, const struct json *content)
{
    return receive(hs, origin, content, true);
}

enum err signing_key_receive(struct hs *hs, struct str origin, const struct json *content)
{
    return receive(hs, origin, content, false);
}
