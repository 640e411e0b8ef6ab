/* Trees as text, members in their order. */
#include "base/limits.h"
#include "json/node.h"

static void write_escape(struct buf *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char short_forms[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (size_t i = 0; i < sizeof(short_forms) - 1; i += 2) {
        if ((unsigned char)short_forms[i] == c) {
            buf_add_char(out, '\\');
            buf_add_char(out, short_forms[i + 1]);
            return;
        }
    }
    buf_add(out, STR("\\u00"));
    buf_add_char(out, digits[c >> 4]);
    buf_add_char(out, digits[c & 15]);
}

void json_write_text(struct buf *out, struct str text)
{
    size_t start = 0;
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0xC0) {
            continue;
        }
        buf_add(out, str_sub(text, start, i - start));
        i += c == 0xC0; /* NODE_NUL: two bytes */
        write_escape(out, c == 0xC0 ? 0 : c);
        start = i + 1;
    }
    buf_add(out, str_from(text, start));
    buf_add_char(out, '"');
}

static void write_members(struct buf *out, const struct json *node)
{
    bool object = node->kind == JSON_OBJECT;
    buf_add_char(out, object ? '{' : '[');
    for (const struct json *x = node->as.members.first; x != NULL; x = x->next) {
        if (x != node->as.members.first) {
            buf_add_char(out, ',');
        }
        if (object) {
            json_write_text(out, x->key);
            buf_add_char(out, ':');
        }
        json_write(out, x);
    }
    buf_add_char(out, object ? '}' : ']');
}

void json_write(struct buf *out, const struct json *node)
{
    switch (json_kind(node)) {
    case JSON_NULL:
        buf_add(out, STR("null"));
        break;
    case JSON_BOOL:
        buf_add(out, node->as.truth ? STR("true") : STR("false"));
        break;
    case JSON_INT:
        buf_add_i64(out, node->as.integer);
        break;
    case JSON_NUMBER:
        buf_add(out, node->as.text);
        break;
    case JSON_TEXT:
        json_write_text(out, node->as.text);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        write_members(out, node);
        break;
    }
}

struct str json_str(struct arena *a, const struct json *node)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 4);
    json_write(&out, node);
    struct str text = arena_str(a, buf_str(&out));
    buf_release(&out);
    return text;
}
