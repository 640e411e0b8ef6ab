#include "host/native/config.h"

#include "test/test.h"

#define WORDS_MAX 24

/* Parses a command line written as one text with blanks. The words live until the next call. */
static enum config_outcome parse(struct config *out, const char *line, char *why)
{
    static char copy[1024];
    static char *words[WORDS_MAX];
    int n = 0;
    bool in_word = false;
    snprintf(copy, sizeof(copy), "neurite %s", line);
    for (char *at = copy; *at != '\0'; at++) {
        if (*at == ' ') {
            *at = '\0';
            in_word = false;
        } else if (!in_word) {
            in_word = true;
            words[n++] = at;
        }
    }
    return config_parse(out, n, words, why);
}

static bool is_refused(const char *line, const char *word)
{
    struct config config;
    char why[CONFIG_SENTENCE_MAX];
    size_t n;
    bool is_wrong = parse(&config, line, why) == CONFIG_WRONG;
    n = strlen(why);
    return is_wrong && strstr(why, word) != NULL && (why[n - 1] == '.');
}

TEST(a_full_command_line_is_understood)
{
    struct config c;
    char why[CONFIG_SENTENCE_MAX];
    CHECK(parse(&c,
                "--listen [::1]:8008 --data=/var/n --relay ws://a:9090 --relay ws://[::1]:9091 "
                "--log-level debug --password-memory-kib 8 --no-rate-limits "
                "--registration-secret-file s",
                why) == CONFIG_RUN);
    CHECK_STR(str_of(c.listen.address), STR("::1"));
    CHECK(c.listen.port == 8008);
    CHECK_STR(str_of(c.data), STR("/var/n"));
    CHECK(c.n_relays == 2);
    CHECK_STR(c.relays[1], STR("ws://[::1]:9091"));
    CHECK(c.log_level == LOG_DEBUG && c.password_memory_kib == 8 && !c.rate_limits);
    CHECK_STR(str_of(c.registration_secret_file), STR("s"));
    CHECK(c.server_name == NULL);
}

TEST(what_is_left_out_has_its_default)
{
    struct config c;
    char why[CONFIG_SENTENCE_MAX];
    CHECK(parse(&c, "--listen 127.0.0.1:0 --data d", why) == CONFIG_RUN);
    CHECK(c.listen.port == 0 && c.n_relays == 0 && c.rate_limits && c.log_level == LOG_INFO);
    CHECK(c.password_memory_kib == 0);
}

TEST(help_and_version_win_over_anything_else)
{
    struct config c;
    char why[CONFIG_SENTENCE_MAX];
    CHECK(parse(&c, "--bogus --help", why) == CONFIG_HELP);
    CHECK(parse(&c, "--version --listen", why) == CONFIG_VERSION);
}

static void check_page(const char *page)
{
    size_t lines = 0, width = 0;
    for (const char *at = page; *at != '\0'; at++) {
        width = *at == '\n' ? 0 : width + 1;
        lines += *at == '\n';
        CHECK(width <= 80);
    }
    CHECK(lines <= 24);
}

TEST(help_fits_a_screen)
{
    check_page(config_help());
    check_page(config_help_federation());
}

TEST(a_wrong_flag_gets_a_sentence)
{
    CHECK(is_refused("--bogus", "--bogus"));
    CHECK(is_refused("stray", "stray"));
    CHECK(is_refused("--listen", "--listen wants a value"));
    CHECK(is_refused("--no-rate-limits=1", "takes no value"));
    CHECK(is_refused("--data d", "--listen is missing"));
    CHECK(is_refused("--listen 127.0.0.1:1", "--data is missing"));
    CHECK(is_refused("--listen localhost:1 --data d", "numeric address"));
    CHECK(is_refused("--listen 127.0.0.1 --data d", "ADDRESS:PORT"));
    CHECK(is_refused("--listen 127.0.0.1:65536 --data d", "ADDRESS:PORT"));
    CHECK(is_refused("--listen 127.0.0.1:+1 --data d", "ADDRESS:PORT"));
    CHECK(is_refused("--relay http://a:1", "ws://HOST:PORT"));
    CHECK(is_refused("--relay ws://a", "ws://HOST:PORT"));
    CHECK(is_refused("--relay ws://:1", "ws://HOST:PORT"));
    CHECK(is_refused("--relay ws://a/b:1", "ws://HOST:PORT"));
    CHECK(is_refused("--log-level loud", "error, warn, info or debug"));
    CHECK(is_refused("--password-memory-kib 7", "from 8 to"));
    CHECK(is_refused("--server-name a/b", "--server-name wants a name"));
    CHECK(is_refused("--well-known-server https://a", "NAME:PORT"));
    CHECK(is_refused("--well-known-client matrix.example.org", "wants a URL"));
}

TEST(an_https_name_and_a_relay_are_refused_together)
{
    CHECK(is_refused("--listen 127.0.0.1:1 --data d --server-name a.b --relay ws://a:1",
                     "do not go together"));
    CHECK(is_refused("--server-name 12D3KooWabc", "peer id"));
}

TEST(a_command_has_its_own_flags)
{
    struct config c;
    char why[CONFIG_SENTENCE_MAX];
    CHECK(parse(&c, "export --data d --file=f", why) == CONFIG_RUN);
    CHECK(c.command == COMMAND_EXPORT);
    CHECK_STR(str_of(c.file), STR("f"));
    CHECK(parse(&c, "import --data d --file f", why) == CONFIG_RUN && c.command == COMMAND_IMPORT);
    CHECK(parse(&c, "stop --data d", why) == CONFIG_RUN && c.command == COMMAND_STOP);
    CHECK(parse(&c, "admin --data d create-user alice", why) == CONFIG_RUN);
    CHECK(c.command == COMMAND_ADMIN && c.n_words == 2);
    CHECK_STR(str_of(c.words[1]), STR("alice"));
    CHECK(parse(&c, "admin --data d", why) == CONFIG_WRONG);
    CHECK(parse(&c, "admin --data d 1 2 3 4 5", why) == CONFIG_WRONG);
    CHECK(parse(&c, "reset --data d", why) == CONFIG_RUN && !c.is_confirmed);
    CHECK(parse(&c, "reset --data d --confirm reset", why) == CONFIG_RUN && c.is_confirmed);
    CHECK(is_refused("remove --data d", "remove"));
    CHECK(is_refused("export --data d", "--file"));
    CHECK(is_refused("export --file f", "--data"));
    CHECK(is_refused("stop --data d --listen 127.0.0.1:0", "--listen"));
    CHECK(is_refused("--listen 127.0.0.1:0 --data d --file f", "--file"));
    CHECK(is_refused("reset --data d --confirm yes", "yes"));
}

TEST_MAIN(TEST_ROW(a_command_has_its_own_flags), TEST_ROW(a_full_command_line_is_understood),
          TEST_ROW(what_is_left_out_has_its_default),
          TEST_ROW(help_and_version_win_over_anything_else), TEST_ROW(help_fits_a_screen),
          TEST_ROW(a_wrong_flag_gets_a_sentence),
          TEST_ROW(an_https_name_and_a_relay_are_refused_together))
