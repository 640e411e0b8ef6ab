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

static enum err store_data(struct hs *hs, struct req *req, int64_t room, struct str type,
                           const struct json *content)
{
    int64_t others;
    TRY(store_get_int(hs->store, &others, 0, STMT_ACCOUNT_DATA_SIZE, "iit", req->user, room, type));
    if (others + (int64_t)(type.n + json_str(req->a, content).n) > ACCOUNT_DATA_MAX) {
        return reply_error(req, 413, "M_TOO_LARGE",
                           "your account data would have more than %d bytes", ACCOUNT_DATA_MAX);
    }
    TRY(account_data_put(hs, req->user, room, type, content));
    return reply_empty(req);
}

static enum err put_data(struct hs *hs, struct req *req, int64_t room, struct str type)
{
    if (is_managed(type)) {
        return reply_error(req, 405, "M_BAD_JSON", "'%.*s' is set by a request of its own",
                           STR_ARG(type));
    }
    return store_data(hs, req, room, type, req->body);
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

/* The tags of a room: the content of m.tag, and within it the object that is always there. */
struct tagging {
    int64_t room;
    struct json *content;
    struct json *tags;
};

/* *ok false: the refusal is set. */
static enum err read_tags(struct hs *hs, struct req *req, struct tagging *of, bool *ok)
{
    TRY(find_room(hs, req, &of->room, ok));
    if (!*ok) {
        return ERR_NONE;
    }
    TRY(account_data_get(hs, req->a, req->user, of->room, STR("m.tag"), &of->content));
    if (of->content == NULL) {
        of->content = json_object(req->a);
    }
    of->tags = json_get_object(of->content, "tags");
    if (of->tags == NULL) {
        of->tags = json_put_object(of->content, STR("tags"));
    }
    return ERR_NONE;
}

enum err tags_get(struct hs *hs, struct req *req)
{
    struct tagging of;
    bool ok;
    TRY(read_tags(hs, req, &of, &ok));
    return ok ? reply_json(req, of.content) : ERR_NONE;
}

enum err tag_put(struct hs *hs, struct req *req)
{
    struct tagging of;
    bool ok;
    TRY(read_tags(hs, req, &of, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    json_put(of.tags, req->params[2], json_copy(req->a, req->body));
    return store_data(hs, req, of.room, STR("m.tag"), of.content);
}

enum err tag_delete(struct hs *hs, struct req *req)
{
    struct tagging of;
    bool ok;
    TRY(read_tags(hs, req, &of, &ok));
    if (!ok) {
        return ERR_NONE;
    }
    if (json_get(of.tags, req->params[2]) != NULL) {
        json_remove(of.tags, req->params[2]);
        TRY(account_data_put(hs, req->user, of.room, STR("m.tag"), of.content));
    }
    return reply_empty(req);
}
