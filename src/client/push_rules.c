/* A user's push rules. They are one JSON text, read, changed and written back whole. */
#include "client/push_rules.h"

#include "engine/push_rules.h"

struct rules {
    struct json *all, *global, *kind; /* kind: the array of params[0]; NULL: no such kind */
    struct json *rule;                /* params[1] in it; NULL: not there */
};

static struct json *find(const struct json *kind, struct str id)
{
    struct json *x = json_first(kind);
    while (x != NULL && !str_eq(json_get_text(x, "rule_id"), id)) {
        x = json_next(x);
    }
    return x;
}

static enum err read_rules(struct hs *hs, struct req *req, struct rules *out)
{
    *out = (struct rules){0};
    TRY(push_rules_get(hs, req->a, req->user, req->user_id, &out->all));
    out->global = json_get_object(out->all, "global");
    if (req->n_params > 0) {
        out->kind = json_get(out->global, req->params[0]);
    }
    if (req->n_params > 1) {
        out->rule = find(out->kind, req->params[1]);
    }
    return ERR_NONE;
}

/* The specification's paths of several rules end in a slash, and clients tell rules from a rule by
 * it. */
static bool has_slash(const struct req *req)
{
    return str_ends(req->head->path, STR("/"));
}

enum err push_path_deny(struct hs *hs, struct req *req)
{
    (void)hs;
    return reply_error(req, 400, "M_UNRECOGNIZED",
                       "the paths are pushrules/, pushrules/global/ and "
                       "pushrules/global/{kind}/{rule id}, and below that enabled and actions");
}

enum err push_all_get(struct hs *hs, struct req *req)
{
    struct rules rules;
    if (!has_slash(req)) {
        return reply_error(req, 404, "M_UNRECOGNIZED", "this path ends in a slash");
    }
    TRY(read_rules(hs, req, &rules));
    return reply_json(req, rules.all);
}

enum err push_global_get(struct hs *hs, struct req *req)
{
    struct rules rules;
    if (!has_slash(req)) {
        return push_path_deny(hs, req);
    }
    TRY(read_rules(hs, req, &rules));
    return reply_json(req, json_copy(req->a, rules.global));
}

enum err push_kind_get(struct hs *hs, struct req *req)
{
    struct rules rules;
    if (!has_slash(req)) {
        return push_path_deny(hs, req);
    }
    TRY(read_rules(hs, req, &rules));
    return rules.kind == NULL
               ? reply_error(req, 400, "M_INVALID_PARAM", "there is no such kind of rules")
               : reply_json(req, json_copy(req->a, rules.kind));
}

static enum err no_rule(struct req *req)
{
    return reply_not_found(req, "there is no such push rule");
}

enum err push_rule_get(struct hs *hs, struct req *req)
{
    struct rules rules;
    TRY(read_rules(hs, req, &rules));
    return rules.rule == NULL ? no_rule(req) : reply_json(req, json_copy(req->a, rules.rule));
}

/* --- a new rule --------------------------------------------------------------------------- */

static bool has_conditions(struct str kind)
{
    return str_eq(kind, STR("override")) || str_eq(kind, STR("underride"));
}

/* The last two do nothing any more, and clients say them still. */
static bool is_action(const struct json *action)
{
    static const char *const words[] = {"notify", "coalesce", "dont_notify"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq(json_text(action), str_of(words[i]))) {
            return true;
        }
    }
    return json_get_text(action, "set_tweak").p != NULL;
}

/* NULL: they are some. */
static const char *actions_fault(const struct json *actions)
{
    for (const struct json *x = json_first(actions); x != NULL; x = json_next(x)) {
        if (!is_action(x)) {
            return "an action is notify, or an object with set_tweak";
        }
    }
    return NULL;
}

/* NULL: it is one. */
static const char *rule_fault(struct str kind, struct str id, const struct json *body)
{
    size_t at;
    if (str_is_empty(id) || id.p[0] == '.' || str_find(id, '/', &at) || str_find(id, '\\', &at)) {
        return "the id of a rule is not empty, begins with no dot and has no slash";
    }
    if (str_eq(kind, STR("content")) && json_get_text(body, "pattern").p == NULL) {
        return "a content rule needs a pattern";
    }
    const struct json *conditions = json_get(body, STR("conditions"));
    for (const struct json *x = json_first(conditions); x != NULL; x = json_next(x)) {
        if (json_get_text(x, "kind").p == NULL) {
            return "a condition needs a kind";
        }
    }
    return actions_fault(json_get(body, STR("actions")));
}

static struct json *new_rule(struct req *req)
{
    struct json *rule = json_object(req->a);
    const struct json *conditions = json_get_array(req->body, "conditions");
    json_put_text(rule, "rule_id", req->params[1]);
    json_put_bool(rule, "default", false);
    json_put_bool(rule, "enabled", true);
    json_put(rule, STR("actions"), json_copy(req->a, json_get_array(req->body, "actions")));
    if (has_conditions(req->params[0])) {
        json_put(rule, STR("conditions"),
                 conditions == NULL ? json_array(req->a) : json_copy(req->a, conditions));
    } else if (str_eq(req->params[0], STR("content"))) {
        json_put_text(rule, "pattern", json_get_text(req->body, "pattern"));
    }
    return rule;
}

/* Where the new one goes: before the rule at hand? Without `before` and `after`: where it was, or
 * else first of the user's own; above those stands .m.rule.master alone. */
struct place {
    struct str before, after;
    bool had_one;
};

static bool goes_before(const struct place *p, struct str id, struct str own_id)
{
    if (p->before.p != NULL) {
        return str_eq(id, p->before);
    }
    if (p->after.p != NULL) {
        return false;
    }
    return p->had_one ? str_eq(id, own_id) : !str_eq(id, STR(".m.rule.master"));
}

static struct json *insert(struct req *req, const struct json *kind, struct json *rule,
                           const struct place *p)
{
    struct json *out = json_array(req->a);
    bool done = false;
    for (const struct json *x = json_first(kind); x != NULL; x = json_next(x)) {
        struct str id = json_get_text(x, "rule_id");
        if (!done && goes_before(p, id, req->params[1])) {
            json_push(out, json_copy(req->a, rule));
            done = true;
        }
        if (!str_eq(id, req->params[1])) {
            json_push(out, json_copy(req->a, x));
        }
        if (!done && p->before.p == NULL && p->after.p != NULL && str_eq(id, p->after)) {
            json_push(out, json_copy(req->a, rule));
            done = true;
        }
    }
    if (!done) {
        json_push(out, rule);
    }
    return out;
}

static bool is_own(const struct json *rule)
{
    return rule != NULL && !json_get_bool(rule, "default", false);
}

enum err push_rule_put(struct hs *hs, struct req *req)
{
    struct rules rules;
    struct place place = {req_query(req, "before"), req_query(req, "after"), false};
    TRY(read_rules(hs, req, &rules));
    if (rules.kind == NULL) {
        return reply_error(req, 400, "M_INVALID_PARAM", "there is no such kind of rules");
    }
    const char *fault = rule_fault(req->params[0], req->params[1], req->body);
    if (fault != NULL) {
        return reply_error(req, 400, "M_INVALID_PARAM", "%s", fault);
    }
    if ((place.before.p != NULL && !is_own(find(rules.kind, place.before))) ||
        (place.after.p != NULL && !is_own(find(rules.kind, place.after)))) {
        return reply_error(req, 400, "M_UNKNOWN", "before and after name rules of your own");
    }
    if (json_count(rules.kind) >= PUSH_RULES_MAX) {
        return reply_error(req, 400, "M_LIMIT_EXCEEDED", "there are too many rules of this kind");
    }
    place.had_one = rules.rule != NULL;
    json_put(rules.global, req->params[0], insert(req, rules.kind, new_rule(req), &place));
    TRY(push_rules_put(hs, req->user, rules.all));
    return reply_empty(req);
}

enum err push_rule_delete(struct hs *hs, struct req *req)
{
    struct rules rules;
    TRY(read_rules(hs, req, &rules));
    if (rules.rule == NULL) {
        return no_rule(req);
    }
    if (!is_own(rules.rule)) {
        return reply_error(req, 400, "M_INVALID_PARAM",
                           "a rule of the server can be disabled only");
    }
    struct json *left = json_array(req->a);
    for (const struct json *x = json_first(rules.kind); x != NULL; x = json_next(x)) {
        if (x != rules.rule) {
            json_push(left, json_copy(req->a, x));
        }
    }
    json_put(rules.global, req->params[0], left);
    TRY(push_rules_put(hs, req->user, rules.all));
    return reply_empty(req);
}

/* --- its parts ---------------------------------------------------------------------------- */

static bool is_part(struct str part)
{
    return str_eq(part, STR("enabled")) || str_eq(part, STR("actions"));
}

enum err push_part_get(struct hs *hs, struct req *req)
{
    struct rules rules;
    if (!is_part(req->params[2])) {
        return push_path_deny(hs, req);
    }
    TRY(read_rules(hs, req, &rules));
    if (rules.rule == NULL) {
        return no_rule(req);
    }
    struct json *out = json_object(req->a);
    json_put(out, req->params[2], json_copy(req->a, json_get(rules.rule, req->params[2])));
    return reply_json(req, out);
}

enum err push_part_put(struct hs *hs, struct req *req)
{
    struct rules rules;
    const struct json *value = json_get(req->body, req->params[2]);
    bool is_enabled = str_eq(req->params[2], STR("enabled"));
    if (!is_part(req->params[2])) {
        return push_path_deny(hs, req);
    }
    if (value == NULL) {
        return reply_error(req, 400, "M_MISSING_PARAM", "the body lacks '%.*s'",
                           STR_ARG(req->params[2]));
    }
    if (!json_is(value, is_enabled ? JSON_BOOL : JSON_ARRAY)) {
        return reply_error(req, 400, "M_BAD_JSON", "'%.*s' must be %s", STR_ARG(req->params[2]),
                           is_enabled ? "a boolean" : "an array");
    }
    const char *fault = is_enabled ? NULL : actions_fault(value);
    if (fault != NULL) {
        return reply_error(req, 400, "M_INVALID_PARAM", "%s", fault);
    }
    TRY(read_rules(hs, req, &rules));
    if (rules.rule == NULL) {
        return no_rule(req);
    }
    json_put(rules.rule, req->params[2], json_copy(req->a, value));
    TRY(push_rules_put(hs, req->user, rules.all));
    return reply_empty(req);
}
