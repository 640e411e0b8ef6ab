/* What cJSON would take too kindly or lose: this reads a text by the letter of RFC 8259 before
 * cJSON sees it, with limits, and hands it on in a form that survives. */
#include "json/node.h"

#include "base/encode.h"
#include "base/limits.h"

/* Digits of 2^53 - 1, the largest integer that canonical JSON allows. */
static const char INTEGER_MAX[] = "9007199254740991";

struct reader {
    struct str text;
    size_t at;
    struct buf *out;
    size_t n_nodes;
    const char *why;
};

static enum err fail(struct reader *r, enum err err, const char *why)
{
    r->why = why;
    return err;
}

/* The next byte, 0 at the end (a NUL byte is never legal outside). */
static char peek(const struct reader *r)
{
    return r->at < r->text.n ? r->text.p[r->at] : 0;
}

static void skip_space(struct reader *r)
{
    char c = peek(r);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        r->at++;
        c = peek(r);
    }
}

/* The four digits behind \u, -1 if they are not. */
static int32_t read_hex4(const struct reader *r, size_t at)
{
    int32_t value = 0;
    if (r->text.n - at < 4) {
        return -1;
    }
    for (size_t i = 0; i < 4; i++) {
        char c = r->text.p[at + i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* At the 'u' of an escape. Surrogates come in pairs or not at all: half of one has no UTF-8. */
static enum err check_unicode_escape(struct reader *r)
{
    int32_t unit = read_hex4(r, r->at + 1);
    size_t start = r->at - 1;
    if (unit < 0) {
        return fail(r, ERR_SYNTAX, "bad \\u escape in a string");
    }
    r->at += 5;
    if (unit == 0) {
        buf_add(r->out, STR(NODE_NUL));
        return ERR_NONE;
    }
    if (unit >= 0xD800 && unit <= 0xDFFF) {
        bool paired = unit <= 0xDBFF && r->text.n - r->at >= 6 && r->text.p[r->at] == '\\' &&
                      r->text.p[r->at + 1] == 'u';
        int32_t second = paired ? read_hex4(r, r->at + 2) : -1;
        if (second < 0xDC00 || second > 0xDFFF) {
            return fail(r, ERR_SYNTAX, "half a surrogate pair in a string");
        }
        r->at += 6;
    }
    buf_add(r->out, str_sub(r->text, start, r->at - start));
    return ERR_NONE;
}

static enum err check_escape(struct reader *r)
{
    r->at++;
    switch (peek(r)) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        buf_add(r->out, str_sub(r->text, r->at - 1, 2));
        r->at++;
        return ERR_NONE;
    case 'u':
        return check_unicode_escape(r);
    default:
        return fail(r, ERR_SYNTAX, "unknown escape in a string");
    }
}

static enum err check_string(struct reader *r)
{
    size_t start = r->at;
    r->at++;
    for (;;) {
        while (r->at < r->text.n && r->text.p[r->at] != '"' && r->text.p[r->at] != '\\' &&
               (unsigned char)r->text.p[r->at] >= 0x20) {
            r->at++;
        }
        buf_add(r->out, str_sub(r->text, start, r->at - start));
        char c = peek(r);
        if (c == '"') {
            buf_add_char(r->out, c);
            r->at++;
            return ERR_NONE;
        }
        if (c != '\\') {
            return fail(r, ERR_SYNTAX,
                        r->at == r->text.n ? "a string does not end"
                                           : "a control character in a string");
        }
        TRY(check_escape(r));
        start = r->at;
    }
}

static size_t skip_digits(struct reader *r)
{
    size_t n = 0;
    while (peek(r) >= '0' && peek(r) <= '9') {
        r->at++;
        n++;
    }
    return n;
}

/* An integer that int64 and canonical JSON share; -0 is none. */
static bool is_plain(struct str literal)
{
    struct str digits = str_from(literal, literal.p[0] == '-' ? 1 : 0);
    struct str most = STR(INTEGER_MAX);
    if (digits.p[0] == '0') {
        return literal.p[0] != '-';
    }
    return digits.n < most.n || (digits.n == most.n && str_cmp(digits, most) <= 0);
}

static enum err check_number(struct reader *r)
{
    size_t start = r->at;
    bool integer = true;
    r->at += peek(r) == '-';
    bool zero = peek(r) == '0';
    size_t n = skip_digits(r);
    if (n == 0 || (zero && n > 1)) {
        return fail(r, ERR_SYNTAX, "malformed number");
    }
    if (peek(r) == '.') {
        r->at++;
        integer = false;
        if (skip_digits(r) == 0) {
            return fail(r, ERR_SYNTAX, "malformed number");
        }
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        integer = false;
        r->at += peek(r) == '+' || peek(r) == '-';
        if (skip_digits(r) == 0) {
            return fail(r, ERR_SYNTAX, "malformed number");
        }
    }
    struct str literal = str_sub(r->text, start, r->at - start);
    if (integer && is_plain(literal)) {
        buf_add(r->out, literal);
    } else {
        buf_add(r->out, STR("\"" NODE_NUMBER));
        buf_add(r->out, literal);
        buf_add_char(r->out, '"');
    }
    return ERR_NONE;
}

static enum err check_word(struct reader *r, struct str word)
{
    if (!str_starts(str_from(r->text, r->at), word)) {
        return fail(r, ERR_SYNTAX, "not JSON");
    }
    r->at += word.n;
    buf_add(r->out, word);
    return ERR_NONE;
}

static enum err check_value(struct reader *r, size_t depth);

/* At '{' or '['. */
static enum err check_members(struct reader *r, size_t depth, char end)
{
    if (depth == JSON_DEPTH_MAX) {
        return fail(r, ERR_LIMIT, "JSON nested too deeply");
    }
    buf_add_char(r->out, r->text.p[r->at]);
    r->at++;
    skip_space(r);
    bool first = true;
    while (peek(r) != end || !first) {
        if (end == '}') {
            if (peek(r) != '"') {
                return fail(r, ERR_SYNTAX, "a member of an object has no key");
            }
            TRY(check_string(r));
            skip_space(r);
            TRY(check_word(r, STR(":")));
        }
        TRY(check_value(r, depth + 1));
        first = false;
        if (peek(r) == end) {
            break;
        }
        TRY(check_word(r, STR(",")));
        skip_space(r);
    }
    r->at++;
    buf_add_char(r->out, end);
    return ERR_NONE;
}

/* A value with the space around it. */
static enum err check_value(struct reader *r, size_t depth)
{
    enum err err;
    if (r->n_nodes == JSON_NODES_MAX) {
        return fail(r, ERR_LIMIT, "JSON with too many values");
    }
    r->n_nodes++;
    skip_space(r);
    switch (peek(r)) {
    case '{':
        err = check_members(r, depth, '}');
        break;
    case '[':
        err = check_members(r, depth, ']');
        break;
    case '"':
        err = check_string(r);
        break;
    case 't':
        err = check_word(r, STR("true"));
        break;
    case 'f':
        err = check_word(r, STR("false"));
        break;
    case 'n':
        err = check_word(r, STR("null"));
        break;
    default:
        err = check_number(r);
        break;
    }
    if (err == ERR_NONE) {
        skip_space(r);
    }
    return err;
}

enum err check_text(struct str text, struct buf *out, const char **why)
{
    struct reader r = {.text = text, .out = out};
    enum err err = ERR_NONE;
    if (text.n > HTTP_ANSWER_MAX) {
        err = fail(&r, ERR_LIMIT, "JSON too large");
    } else if (!utf8_is_valid(text)) {
        err = fail(&r, ERR_SYNTAX, "JSON is not UTF-8");
    } else {
        err = check_value(&r, 0);
    }
    if (err == ERR_NONE && r.at != text.n) {
        err = fail(&r, ERR_SYNTAX, "more text after the JSON value");
    }
    if (err == ERR_NONE && out->overflow) {
        err = fail(&r, ERR_LIMIT, "JSON too large");
    }
    if (err != ERR_NONE && why != NULL) {
        *why = r.why;
    }
    return err;
}
