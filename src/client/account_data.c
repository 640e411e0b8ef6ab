/* Account data, global and of a room; tags are the room's m.tag. */
#include "client/account_data.h"

#include "engine/account_data.h"

static enum err check_self(struct req *req, bool *ok)
{
    *ok = access_is_self(req, 0);
    return *ok ? ERR_NONE : reply_forbidden(req, "the data of others are their own");
}

/* The room of params[1], of which only the number matters. */
static enum err find_room(struct hs *hs, struct req *req, int64_t *room, bool *ok)
{
    struct room *found;
    *room = 0;
    TRY(check_self(req, ok));
    if (!*ok) {
        return ERR_NONE;
    }
    enum err err = room_find(hs, req->params[1], &found);
    *ok = err == ERR_NONE;
    if (err == ERR_ABSENT) {
        return reply_not_found(req, "that room is not known here");
    }
    TRY(err);
    *room = found->nid;
    return ERR_NONE;
}

static enum err reply_data(struct hs *hs, struct req *req, int64_t room, struct str type)
{
    struct json *content;
    TRY(account_data_get(hs, req->a, req->user, room, type, &content));
    return content == NULL ? reply_not_found(req, "there is no data of this type")
                           : reply_json(req, content);
}

/* Types that have requests of their own. */
static bool is_managed(struct str type)
{
    return str_eq(type, STR("m.fully_read")) || str_eq(type, STR("m.push_rules"));
}

static enum err put_data(struct hs *hs, struct req *req, int64_t room, struct str type)
{
    if (is_managed(type)) {
        return reply_error(req, 405, "M_BAD_JSON", "'%.*s' is set by a request of its own",
                           STR_ARG(type));
    }
    TRY(account_data_put(hs, req->user, room, type, req->body));
    return reply_empty(req);
}

enum err own_data_get(struct hs *hs, struct req *req)
{
    bool ok;
    TRY(check_self(req, &ok));
    return ok ? reply_data(hs, req, 0, req->params[1]) : ERR_NONE;
}

enum err own_data_put(struct hs *hs, struct req *req)
{
    bool ok;
    TRY(check_self(req, &ok));
    return ok ? put_data(hs, req, 0, req->params[1]) : ERR_NONE;
}

enum err own_room_data_get(struct hs *hs, struct req *req)
{
    int64_t room;
    bool ok;
    TRY(find_room(hs, req, &room, &ok));
    return ok ? reply_data(hs, req, room, req->params[2]) : ERR_NONE;
}

enum err own_room_data_put(struct hs *hs, struct req *req)
{
    int64_t room;
    bool ok;
    TRY(find_room(hs, req, &room, &ok));
    return ok ? put_data(hs, req, room, req->params[2]) : ERR_NONE;
}

/* The content of m.tag, always with its `tags`. */
static enum err read_tags(struct hs *hs, struct req *req, int64_t room, struct json **content,
                          struct json **tags)
{
    TRY(account_data_get(hs, req->a, req->user, room, STR("m.tag"), content));
    if (*content == NULL) {
        *content = json_object(req->a);
    }
    *tags = json_get_object(*content, "tags");
    if (*tags == NULL) {
        *tags = json_put_object(*content, STR("tags"));
    }
    return ERR_NONE;
}

enum err tags_get(struct hs *hs, struct req *req)
{
    struct json *content;
    struct json *tags;
    int64_t room;
    bool ok;
    TRY(find_room(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(read_tags(hs, req, room, &content, &tags));
    return reply_json(req, content);
}

enum err tag_put(struct hs *hs, struct req *req)
{
    struct json *content;
    struct json *tags;
    int64_t room;
    bool ok;
    TRY(find_room(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(read_tags(hs, req, room, &content, &tags));
    json_put(tags, req->params[2], json_copy(req->a, req->body));
    TRY(account_data_put(hs, req->user, room, STR("m.tag"), content));
    return reply_empty(req);
}

enum err tag_delete(struct hs *hs, struct req *req)
{
    struct json *content;
    struct json *tags;
    int64_t room;
    bool ok;
    TRY(find_room(hs, req, &room, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    TRY(read_tags(hs, req, room, &content, &tags));
    if (json_get(tags, req->params[2]) != NULL) {
        json_remove(tags, req->params[2]);
        TRY(account_data_put(hs, req->user, room, STR("m.tag"), content));
    }
    return reply_empty(req);
}
