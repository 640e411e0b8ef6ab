/* Published vectors of each primitive: RFC 8032, 7748, 8439, 4231, FIPS 180. */
#include "base/encode.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/password.h"
#include "crypto/sign.h"
#include "test/test.h"

static struct str bytes(struct arena *a, const char *hex)
{
    struct str out = STR_ABSENT;
    CHECK(hex_parse(a, str_of(hex), &out) == ERR_NONE);
    return out;
}

static const uint8_t *raw(struct str s)
{
    return (const uint8_t *)s.p;
}

#define HEX(array) hex_write(a, str_make((array), sizeof(array)))

TEST(sha256_and_hmac_fit_their_vectors)
{
    struct arena *a = arena_new();
    uint8_t out[HASH_SIZE];
    struct str abc = STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_start();
    hash_sha256(out, STR("abc"));
    CHECK_STR(HEX(out), abc);
    hash_sha256_pair(out, STR("a"), STR("bc"));
    CHECK_STR(HEX(out), abc);
    hash_sha256(out, STR_ABSENT);
    CHECK_STR(HEX(out), STR("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    hash_hmac(out, STR("Jefe"), STR("what do ya want for nothing?"));
    CHECK_STR(HEX(out), STR("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    arena_free(a);
}

TEST(texts_are_compared_whole)
{
    CHECK(hash_eq(STR("same"), STR("same")) && hash_eq(STR(""), STR_ABSENT));
    CHECK(!hash_eq(STR("same"), STR("sama")) && !hash_eq(STR("same"), STR("sam")));
}

TEST(ed25519_fits_rfc_8032_and_refuses_a_flipped_bit)
{
    struct arena *a = arena_new();
    struct sign_key key;
    uint8_t signature[SIGN_SIZE];
    sign_key_from_seed(
        &key, raw(bytes(a, "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")));
    CHECK_STR(HEX(key.public_key),
              STR("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
    sign_make(signature, &key, bytes(a, "72"));
    CHECK_STR(HEX(signature),
              STR("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"));
    CHECK(sign_check(key.public_key, STR("r"), signature) == ERR_NONE);
    CHECK(sign_check(key.public_key, STR("s"), signature) == ERR_REFUSED);
    signature[3] ^= 1;
    CHECK(sign_check(key.public_key, STR("r"), signature) == ERR_REFUSED);
    arena_free(a);
}

TEST(x25519_fits_rfc_7748_and_refuses_a_weak_key)
{
    struct arena *a = arena_new();
    const char *alice = "77076d0a7318a57d3c16c17251b26645df4c2f2aa1c8b9a3d3e1f9b9a0a0a6a8";
    const char *bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    uint8_t alice_public[BOX_KEY_SIZE], bob_public[BOX_KEY_SIZE];
    uint8_t left[BOX_KEY_SIZE], right[BOX_KEY_SIZE];
    const uint8_t zero[BOX_KEY_SIZE] = {0};
    box_public(alice_public, raw(bytes(a, alice)));
    box_public(bob_public, raw(bytes(a, bob)));
    CHECK_STR(HEX(bob_public),
              STR("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    CHECK(box_shared(left, raw(bytes(a, alice)), bob_public) == ERR_NONE);
    CHECK(box_shared(right, raw(bytes(a, bob)), alice_public) == ERR_NONE);
    CHECK(memcmp(left, right, sizeof(left)) == 0);
    CHECK(box_shared(left, raw(bytes(a, alice)), zero) == ERR_REFUSED);
    arena_free(a);
}

TEST(chacha20_poly1305_seals_opens_and_notices)
{
    struct arena *a = arena_new();
    const uint8_t *key =
        raw(bytes(a, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
    uint8_t sealed[5 + BOX_TAG_SIZE], opened[5], other[5 + BOX_TAG_SIZE];
    box_seal(sealed, STR("hello"), STR("ad"), 0x0102030405060708, key);
    struct str cipher = str_make(sealed, sizeof(sealed));
    CHECK(box_open(opened, cipher, STR("ad"), 0x0102030405060708, key) == ERR_NONE);
    CHECK_STR(str_make(opened, 5), STR("hello"));
    CHECK(box_open(opened, cipher, STR("aD"), 0x0102030405060708, key) == ERR_REFUSED);
    CHECK(box_open(opened, cipher, STR("ad"), 0x0102030405060709, key) == ERR_REFUSED);
    CHECK(box_open(opened, str_sub(cipher, 0, 15), STR("ad"), 1, key) == ERR_SYNTAX);
    box_seal(other, STR("hello"), STR("ad"), 0x0802030405060701, key);
    CHECK(memcmp(sealed, other, sizeof(sealed)) != 0);
    sealed[0] ^= 1;
    CHECK(box_open(opened, cipher, STR("ad"), 0x0102030405060708, key) == ERR_REFUSED);
    box_seal(sealed, STR(""), STR(""), 0, key);
    CHECK(box_open(opened, str_make(sealed, BOX_TAG_SIZE), STR(""), 0, key) == ERR_NONE);
    arena_free(a);
}

/* RFC 8439, A.5: a nonce that begins with zeros would be ours; this is its counter form. */
TEST(the_nonce_is_four_zeros_and_the_counter_little_endian)
{
    struct arena *a = arena_new();
    const uint8_t *key =
        raw(bytes(a, "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"));
    struct str ad = bytes(a, "f33388860000000000004e91");
    struct str sealed =
        bytes(a, "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2");
    uint8_t opened[16];
    /* The published nonce is 00000000 0102030405060708, so the counter is read from its bytes. */
    CHECK(box_open(opened, sealed, ad, 0x0807060504030201, key) == ERR_REFUSED);
    struct str whole = bytes(
        a,
        "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e"
        "382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd"
        "60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c76"
        "7b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a"
        "0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a67276"
        "27097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b0270"
        "9beead9d67890cbb22392336fea1851f38");
    char *text = arena_alloc(a, whole.n);
    CHECK(box_open((uint8_t *)text, whole, ad, 0x0807060504030201, key) == ERR_NONE);
    CHECK(str_starts(str_make(text, whole.n - BOX_TAG_SIZE), STR("Internet-Drafts are draft")));
    arena_free(a);
}

TEST(passwords_are_hashed_checked_and_outdated)
{
    struct arena *a = arena_new();
    const struct password_cost cheap = {8, 2}, dear = {16, 2};
    const uint8_t salt[PASSWORD_SALT_SIZE] = {1, 2, 3};
    bool outdated = true;
    struct str phc = password_hash(a, STR("secret"), cheap, salt);
    CHECK(str_starts(phc, STR("$argon2id$v=19$m=8,t=2,p=1$AQIDAAAAAAAAAAAAAAAAAA$")));
    CHECK(password_check(phc, STR("secret"), cheap, &outdated) == ERR_NONE && !outdated);
    CHECK(password_check(phc, STR("secret"), dear, &outdated) == ERR_NONE && outdated);
    CHECK(password_check(phc, STR("Secret"), cheap, &outdated) == ERR_REFUSED);
    CHECK(password_check(phc, STR(""), cheap, &outdated) == ERR_REFUSED);
    static const char *const bad[] = {"",
                                      "x",
                                      "$argon2id$v=19$",
                                      "$argon2id$v=19$m=8,t=2,p=2$AQIDAAAAAAAAAAAAAAAAAA$AAAA",
                                      "$argon2id$v=19$m=8,t=2,p=1$AQID$AAAA",
                                      "$argon2id$v=19$m=99999999999,t=2,p=1$AQ$AA",
                                      "$argon2id$v=19$m=8,t=2,p=1$AQIDAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CHECK(password_check(str_of(bad[i]), STR("x"), cheap, &outdated) == ERR_SYNTAX);
    }
    arena_free(a);
}

TEST_MAIN(TEST_ROW(sha256_and_hmac_fit_their_vectors), TEST_ROW(texts_are_compared_whole),
          TEST_ROW(ed25519_fits_rfc_8032_and_refuses_a_flipped_bit),
          TEST_ROW(x25519_fits_rfc_7748_and_refuses_a_weak_key),
          TEST_ROW(chacha20_poly1305_seals_opens_and_notices),
          TEST_ROW(the_nonce_is_four_zeros_and_the_counter_little_endian),
          TEST_ROW(passwords_are_hashed_checked_and_outdated))
