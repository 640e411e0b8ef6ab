/* Account data: one row a type. */
#include "engine/account_data.h"

#include "engine/gate.h"
#include "engine/unread.h"

enum err account_data_get(struct hs *hs, struct arena *a, int64_t user, int64_t room,
                          struct str type, struct json **out)
{
    struct str text;
    *out = NULL;
    TRY(store_get_str(hs->store, a, &text, STMT_ACCOUNT_DATA_GET, "iit", user, room, type));
    if (text.p == NULL) {
        return ERR_NONE;
    }
    return json_parse(a, text, out, NULL) == ERR_NONE ? ERR_NONE : ERR_CORRUPT;
}

enum err account_data_put(struct hs *hs, int64_t user, int64_t room, struct str type,
                          const struct json *content)
{
    int64_t position;
    struct str text = json_str(hs->turn, content);
    TRY(store_position_next(hs->store, &position));
    TRY(store_run(hs->store, STMT_ACCOUNT_DATA_PUT, "iitti", user, room, type, text, position));
    gate_news(hs, user);
    if (str_eq(type, STR("m.push_rules")) || str_eq(type, STR("m.ignored_user_list"))) {
        unread_forget(hs, user);
    }
    return ERR_NONE;
}
