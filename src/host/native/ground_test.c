#include "host/native/ground.h"

#include "test/test.h"

#include <arpa/inet.h>
#include <string.h>

static enum ground of(const char *text)
{
    unsigned char bytes[16];
    bool is_v6 = strchr(text, ':') != NULL;
    CHECK(inet_pton(is_v6 ? AF_INET6 : AF_INET, text, bytes) == 1);
    return ground_of(bytes, is_v6 ? 16 : 4);
}

TEST(public_addresses_may_be_called)
{
    static const char *const texts[] = {
        "1.1.1.1",         "9.255.255.255", "11.0.0.0",       "100.63.255.255",   "100.128.0.0",
        "126.255.255.255", "128.0.0.0",     "172.15.0.1",     "172.32.0.0",       "192.0.3.0",
        "192.167.0.1",     "198.17.0.1",    "198.20.0.0",     "223.255.255.255",  "2606:4700::1111",
        "2a00::1",         "2001:200::1",   "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "3fff:1000::",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CHECK(of(texts[i]) == GROUND_PUBLIC);
    }
}

TEST(loopback_is_told_apart)
{
    static const char *const texts[] = {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CHECK(of(texts[i]) == GROUND_LOOPBACK);
    }
}

TEST(private_addresses_are_refused)
{
    static const char *const texts[] = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::127.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CHECK(of(texts[i]) == GROUND_PRIVATE);
    }
}

TEST_MAIN(TEST_ROW(public_addresses_may_be_called), TEST_ROW(loopback_is_told_apart),
          TEST_ROW(private_addresses_are_refused))
