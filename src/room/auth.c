/* The authorization rules in the specification's order; m.room.member and m.room.power_levels have
 * files of their own. Where the specification is silent, this decides as the servers do that most
 * rooms live on, for a rule decided differently splits the room. */
#include "room/auth.h"

#include "base/limits.h"
#include "event/mxid.h"
#include "room/rules.h"

/* --- the view of cited events ------------------------------------------------------------- */

static const struct event *cited_get(void *ctx, struct str type, struct str state_key)
{
    const struct auth_cited *cited = ctx;
    for (size_t i = 0; i < cited->n; i++) {
        if (event_is(cited->events[i], type, state_key)) {
            return cited->events[i];
        }
    }
    return cited->create != NULL && event_is(cited->create, type, state_key) ? cited->create : NULL;
}

struct auth_view auth_view_cited(struct auth_cited *cited)
{
    return (struct auth_view){cited, cited_get};
}

/* --- what to cite ------------------------------------------------------------------------- */

struct key_list {
    struct auth_key *at;
    size_t n;
};

static void add_key(struct key_list *list, struct str type, struct str state_key)
{
    for (size_t i = 0; i < list->n; i++) {
        if (str_eq(list->at[i].type, type) && str_eq(list->at[i].state_key, state_key)) {
            return;
        }
    }
    assert(list->n < EVENT_AUTH_MAX);
    list->at[list->n] = (struct auth_key){type, state_key};
    list->n++;
}

static void add_member_keys(struct key_list *list, const struct room_version *version,
                            struct str state_key, const struct json *content)
{
    struct str membership = json_get_text(content, "membership");
    bool joins = str_eq(membership, STR("join"));
    bool invites = str_eq(membership, STR("invite"));
    const struct json *invite = json_get_object(content, "third_party_invite");
    struct str token = json_get_text(json_get_object(invite, "signed"), "token");
    struct str authoriser = json_get_text(content, "join_authorised_via_users_server");
    add_key(list, STR("m.room.member"), state_key);
    if (joins || invites || str_eq(membership, STR("knock"))) {
        add_key(list, STR("m.room.join_rules"), STR(""));
    }
    if (invites && !str_is_absent(token)) {
        add_key(list, STR("m.room.third_party_invite"), token);
    }
    if (joins && version->restricted && !str_is_absent(authoriser)) {
        add_key(list, STR("m.room.member"), authoriser);
    }
}

struct auth_keys auth_needs(struct arena *a, const struct room_version *version, struct str type,
                            struct str sender, struct str state_key, const struct json *content)
{
    struct key_list list = {arena_array(a, EVENT_AUTH_MAX, sizeof(struct auth_key)), 0};
    if (str_eq(type, STR("m.room.create"))) {
        return (struct auth_keys){list.at, 0};
    }
    if (!version->room_id_is_create_hash) {
        add_key(&list, STR("m.room.create"), STR(""));
    }
    add_key(&list, STR("m.room.power_levels"), STR(""));
    add_key(&list, STR("m.room.member"), sender);
    if (str_eq(type, STR("m.room.member")) && !str_is_absent(state_key)) {
        add_member_keys(&list, version, state_key, content);
    }
    return (struct auth_keys){list.at, list.n};
}

/* --- rules without state ------------------------------------------------------------------ */

static bool are_users(const struct json *list)
{
    for (const struct json *x = json_first(list); x != NULL; x = json_next(x)) {
        if (!mxid_is_user(json_text(x))) {
            return false;
        }
    }
    return json_is(list, JSON_ARRAY);
}

static struct verdict check_create(const struct event *ev)
{
    const struct room_version *version = ev->version;
    const struct json *room_version = json_get(ev->content, STR("room_version"));
    const struct json *creators = json_get(ev->content, STR("additional_creators"));
    if (ev->prev_events.n > 0) {
        return verdict_reject("rule m.room.create: it has prev_events");
    }
    if (version->room_id_is_create_hash && json_get(ev->tree, STR("room_id")) != NULL) {
        return verdict_reject("rule m.room.create: it has a room_id");
    }
    if (!version->room_id_is_create_hash &&
        !str_eq(mxid_server(ev->room_id), mxid_server(ev->sender))) {
        return verdict_reject(
            "rule m.room.create: the room id is of another server than the sender");
    }
    if (room_version != NULL && room_version_find(json_text(room_version)) == NULL) {
        return verdict_reject("rule m.room.create: unknown room_version");
    }
    if (!version->implicit_creator && json_get(ev->content, STR("creator")) == NULL) {
        return verdict_reject("rule m.room.create: no creator");
    }
    if (version->privileged_creators && creators != NULL && !are_users(creators)) {
        return verdict_reject("rule m.room.create: additional_creators is no list of user ids");
    }
    return verdict_accept();
}

static bool is_needed(struct auth_keys keys, const struct event *ev)
{
    for (size_t i = 0; i < keys.n; i++) {
        if (event_is(ev, keys.at[i].type, keys.at[i].state_key)) {
            return true;
        }
    }
    return false;
}

struct verdict auth_check_alone(struct arena *a, const struct event *ev, const struct event *create,
                                const struct event *const *cited, const bool *rejected, size_t n)
{
    if (str_eq(ev->type, STR("m.room.create"))) {
        return check_create(ev);
    }
    bool has_create = ev->version->room_id_is_create_hash;
    if (has_create && (create == NULL || !str_eq(create->room_id, ev->room_id))) {
        return verdict_reject("rule room_id: it is not that of an accepted m.room.create");
    }
    struct auth_keys keys =
        auth_needs(a, ev->version, ev->type, ev->sender, ev->state_key, ev->content);
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(cited[i]->room_id, ev->room_id)) {
            return verdict_reject("rule auth_events: one is of another room");
        }
        if (!is_needed(keys, cited[i])) {
            return verdict_reject("rule auth_events: one is not named by the selection");
        }
        for (size_t k = 0; k < i; k++) {
            if (event_is(cited[k], cited[i]->type, cited[i]->state_key)) {
                return verdict_reject("rule auth_events: two for one type and state_key");
            }
        }
        if (rejected != NULL && rejected[i]) {
            return verdict_reject("rule auth_events: one was rejected");
        }
        has_create = has_create || event_is(cited[i], STR("m.room.create"), STR(""));
    }
    return has_create ? verdict_accept()
                      : verdict_reject("rule auth_events: no m.room.create among them");
}

/* --- rules by state ----------------------------------------------------------------------- */

const struct event *rules_get(const struct rules *r, const char *type, struct str state_key)
{
    return r->view.get(r->view.ctx, str_of(type), state_key);
}

struct str rules_membership(const struct rules *r, struct str user)
{
    const struct event *member = rules_get(r, "m.room.member", user);
    return member == NULL ? STR_ABSENT : event_membership(member);
}

bool rules_may_federate(const struct rules *r, struct str server)
{
    const struct json *federate = json_get(r->create->content, STR("m.federate"));
    return federate == NULL || json_bool(federate, false) ||
           str_eq(mxid_server(r->create->sender), server);
}

static struct verdict check_aliases(const struct event *ev)
{
    return event_is_state(ev) && ev->state_key.n > 0 &&
                   str_eq(ev->state_key, mxid_server(ev->sender))
               ? verdict_accept()
               : verdict_reject("rule m.room.aliases: state_key is not the sender's server");
}

/* Versions 1 and 2: later ones look at the target when the redaction is applied. */
static struct verdict check_redaction(const struct rules *r)
{
    const struct event *ev = r->ev;
    if (ev->version->id_form != VERSION_ID_SERVER ||
        power_of_user(&r->power, ev->sender) >= power_for(&r->power, POWER_REDACT) ||
        str_is_absent(ev->redacts) || str_eq(mxid_server(ev->redacts), mxid_server(ev->id))) {
        return verdict_accept();
    }
    return verdict_reject("rule m.room.redaction: neither power nor an event of the own server");
}

static struct verdict check_sending(const struct rules *r)
{
    const struct event *ev = r->ev;
    if (!str_eq(rules_membership(r, ev->sender), STR("join"))) {
        return verdict_reject("rule sender: not joined");
    }
    int64_t power = power_of_user(&r->power, ev->sender);
    if (str_eq(ev->type, STR("m.room.third_party_invite"))) {
        return power >= power_for(&r->power, POWER_INVITE)
                   ? verdict_accept()
                   : verdict_reject("rule m.room.third_party_invite: power below the invite level");
    }
    if (power < power_to_send(&r->power, ev->type, event_is_state(ev))) {
        return verdict_reject("rule required power level: the sender's is below it");
    }
    if (str_starts(ev->state_key, STR("@")) && !str_eq(ev->state_key, ev->sender)) {
        return verdict_reject("rule state_key: it names another user");
    }
    if (str_eq(ev->type, STR("m.room.power_levels"))) {
        return rules_check_power_levels(r);
    }
    return str_eq(ev->type, STR("m.room.redaction")) ? check_redaction(r) : verdict_accept();
}

struct verdict auth_check(struct arena *a, const struct event *ev, struct auth_view view)
{
    struct rules r = {.a = a, .ev = ev, .view = view};
    if (str_eq(ev->type, STR("m.room.create"))) {
        return verdict_accept(); /* auth_check_alone decides */
    }
    r.create = rules_get(&r, "m.room.create", STR(""));
    if (r.create == NULL) {
        return verdict_reject("rule m.room.create: there is none in this state");
    }
    r.power = power_of(r.create, rules_get(&r, "m.room.power_levels", STR("")));
    if (!rules_may_federate(&r, mxid_server(ev->sender))) {
        return verdict_reject("rule m.federate: the sender is of another server");
    }
    if (ev->version->aliases_rule && str_eq(ev->type, STR("m.room.aliases"))) {
        return check_aliases(ev);
    }
    if (str_eq(ev->type, STR("m.room.member"))) {
        return rules_check_member(&r);
    }
    return check_sending(&r);
}

bool auth_may_redact(const struct event *redaction, const struct event *target,
                     struct auth_view view)
{
    struct power power = power_of(view.get(view.ctx, STR("m.room.create"), STR("")),
                                  view.get(view.ctx, STR("m.room.power_levels"), STR("")));
    if (power_of_user(&power, redaction->sender) >= power_for(&power, POWER_REDACT)) {
        return true;
    }
    bool by_id = redaction->version->id_form == VERSION_ID_SERVER;
    return by_id ? str_eq(mxid_server(redaction->id), mxid_server(target->id))
                 : str_eq(mxid_server(redaction->sender), mxid_server(target->sender));
}
