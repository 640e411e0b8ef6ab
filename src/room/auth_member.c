/* Rule "m.room.member": who may join, invite, leave, kick, ban and knock. */
#include "event/mxid.h"
#include "event/seal.h"
#include "room/rules.h"

/* Each costs a verification for every signature. */
enum { THIRD_PARTY_KEYS_MAX = 16 };

/* The change at hand and what the state says of the two users. */
struct change {
    const struct rules *r;
    const struct event *ev;
    struct str sender, target;       /* user ids */
    struct str of_sender, of_target; /* their memberships now, maybe absent */
    struct str join_rule;
    int64_t sender_power;
};

static bool is(struct str text, const char *word)
{
    return str_eq(text, str_of(word));
}

/* "invite" unless the state says something else; a rule that is no text fits no rule. */
static struct str join_rule_of(const struct rules *r)
{
    const struct event *rules = rules_get(r, "m.room.join_rules", STR(""));
    const struct json *rule = rules == NULL ? NULL : json_get(rules->content, STR("join_rule"));
    return rule == NULL ? STR("invite") : json_text(rule);
}

static bool is_first_join(const struct change *c)
{
    return c->ev->prev_events.n == 1 && str_eq(c->ev->prev_events.at[0], c->r->create->id) &&
           (c->ev->version->implicit_creator
                ? str_eq(c->r->create->sender, c->target)
                : str_eq(json_get_text(c->r->create->content, "creator"), c->target));
}

static bool is_restricted(const struct change *c)
{
    return (c->ev->version->restricted && is(c->join_rule, "restricted")) ||
           (c->ev->version->knock_restricted && is(c->join_rule, "knock_restricted"));
}

static struct verdict check_restricted_join(const struct change *c)
{
    struct str authoriser = json_get_text(c->ev->content, "join_authorised_via_users_server");
    if (str_is_absent(authoriser)) {
        return verdict_reject("rule m.room.member, join: restricted, and no user authorises it");
    }
    if (!is(rules_membership(c->r, authoriser), "join")) {
        return verdict_reject("rule m.room.member, join: the authorising user is not joined");
    }
    if (power_of_user(&c->r->power, authoriser) < power_for(&c->r->power, POWER_INVITE)) {
        return verdict_reject("rule m.room.member, join: the authorising user may not invite");
    }
    return verdict_accept();
}

static struct verdict check_join(const struct change *c)
{
    bool welcome = is(c->of_sender, "join") || is(c->of_sender, "invite");
    if (!str_eq(c->sender, c->target)) {
        return verdict_reject("rule m.room.member, join: for another user");
    }
    if (is(c->of_target, "ban")) {
        return verdict_reject("rule m.room.member, join: the sender is banned");
    }
    if (is(c->join_rule, "public")) {
        return verdict_accept();
    }
    if (is_restricted(c)) {
        return welcome ? verdict_accept() : check_restricted_join(c);
    }
    if (is(c->join_rule, "invite") || (c->ev->version->knock && is(c->join_rule, "knock"))) {
        return welcome ? verdict_accept()
                       : verdict_reject("rule m.room.member, join: the sender is not invited");
    }
    return verdict_reject("rule m.room.member, join: a join rule that allows nobody");
}

/* `signed` fits one of the keys that the invitation was stored with. */
static bool third_party_fits(const struct change *c, const struct json *signed_object,
                             const struct event *invite)
{
    size_t left = THIRD_PARTY_KEYS_MAX;
    struct str key = json_get_text(invite->content, "public_key");
    if (!str_is_absent(key) && seal_third_party_fits(c->r->a, signed_object, key)) {
        return true;
    }
    const struct json *keys = json_get_array(invite->content, "public_keys");
    for (const struct json *x = json_first(keys); x != NULL && left > 0; x = json_next(x)) {
        key = json_get_text(x, "public_key");
        if (!str_is_absent(key) && seal_third_party_fits(c->r->a, signed_object, key)) {
            return true;
        }
        left--;
    }
    return false;
}

static struct verdict check_third_party(const struct change *c)
{
    const struct json *given = json_get_object(c->ev->content, "third_party_invite");
    const struct json *signed_object = json_get_object(given, "signed");
    struct str token = json_get_text(signed_object, "token");
    if (is(c->of_target, "ban")) {
        return verdict_reject("rule m.room.member, third-party invite: the user is banned");
    }
    if (str_is_absent(token) || !str_eq(json_get_text(signed_object, "mxid"), c->target)) {
        return verdict_reject("rule m.room.member, third-party invite: not for this user");
    }
    const struct event *invite = rules_get(c->r, "m.room.third_party_invite", token);
    if (invite == NULL || !str_eq(invite->sender, c->sender)) {
        return verdict_reject("rule m.room.member, third-party invite: none by this sender");
    }
    if (!third_party_fits(c, signed_object, invite)) {
        return verdict_reject("rule m.room.member, third-party invite: no signature fits");
    }
    return verdict_accept();
}

static struct verdict check_invite(const struct change *c)
{
    if (!is(c->of_sender, "join")) {
        return verdict_reject("rule m.room.member, invite: the sender is not joined");
    }
    if (is(c->of_target, "join") || is(c->of_target, "ban")) {
        return verdict_reject("rule m.room.member, invite: the user is joined or banned");
    }
    if (c->sender_power < power_for(&c->r->power, POWER_INVITE)) {
        return verdict_reject("rule m.room.member, invite: power below the invite level");
    }
    return verdict_accept();
}

static struct verdict check_leave(const struct change *c)
{
    if (str_eq(c->sender, c->target)) {
        bool inside = is(c->of_sender, "join") || is(c->of_sender, "invite") ||
                      (c->ev->version->knock && is(c->of_sender, "knock"));
        return inside ? verdict_accept()
                      : verdict_reject("rule m.room.member, leave: the sender is not in the room");
    }
    if (!is(c->of_sender, "join")) {
        return verdict_reject("rule m.room.member, leave: the sender is not joined");
    }
    if (is(c->of_target, "ban") && c->sender_power < power_for(&c->r->power, POWER_BAN)) {
        return verdict_reject("rule m.room.member, leave: power below the ban level");
    }
    if (c->sender_power < power_for(&c->r->power, POWER_KICK) ||
        c->sender_power <= power_of_user(&c->r->power, c->target)) {
        return verdict_reject(
            "rule m.room.member, leave: power below the kick level or the user's");
    }
    return verdict_accept();
}

static struct verdict check_ban(const struct change *c)
{
    if (!is(c->of_sender, "join")) {
        return verdict_reject("rule m.room.member, ban: the sender is not joined");
    }
    if (c->sender_power < power_for(&c->r->power, POWER_BAN) ||
        c->sender_power <= power_of_user(&c->r->power, c->target)) {
        return verdict_reject("rule m.room.member, ban: power below the ban level or the user's");
    }
    return verdict_accept();
}

static struct verdict check_knock(const struct change *c)
{
    bool open = is(c->join_rule, "knock") ||
                (c->ev->version->knock_restricted && is(c->join_rule, "knock_restricted"));
    if (!open) {
        return verdict_reject("rule m.room.member, knock: the join rule is another");
    }
    if (!str_eq(c->sender, c->target)) {
        return verdict_reject("rule m.room.member, knock: for another user");
    }
    if (is(c->of_sender, "ban") || is(c->of_sender, "invite") || is(c->of_sender, "join")) {
        return verdict_reject("rule m.room.member, knock: the sender is banned, invited or joined");
    }
    return verdict_accept();
}

struct verdict rules_check_member(const struct rules *r)
{
    const struct event *ev = r->ev;
    struct str membership = event_membership(ev);
    if (!event_is_state(ev) || str_is_absent(membership)) {
        return verdict_reject("rule m.room.member: no state_key or no membership");
    }
    struct change c = {.r = r, .ev = ev, .sender = ev->sender, .target = ev->state_key};
    if (is(membership, "join") && is_first_join(&c)) {
        return verdict_accept();
    }
    struct str server = mxid_server(c.target);
    if (str_is_absent(server) || !rules_may_federate(r, server)) {
        return verdict_reject("rule m.federate: the user is of another server");
    }
    c.of_sender = rules_membership(r, c.sender);
    c.of_target = rules_membership(r, c.target);
    c.join_rule = join_rule_of(r);
    c.sender_power = power_of_user(&r->power, c.sender);
    if (is(membership, "join")) {
        return check_join(&c);
    }
    if (is(membership, "invite")) {
        return json_get(ev->content, STR("third_party_invite")) != NULL ? check_third_party(&c)
                                                                        : check_invite(&c);
    }
    if (is(membership, "leave")) {
        return check_leave(&c);
    }
    if (is(membership, "ban")) {
        return check_ban(&c);
    }
    if (ev->version->knock && is(membership, "knock")) {
        return check_knock(&c);
    }
    return verdict_reject("rule m.room.member: unknown membership");
}
