/* The table of room versions. A new version is a row. */
#include "event/version.h"

/* clang-format off */
static const struct room_version versions[] = {
    /*               id form                 resolution               strict key    alias  notif  knock  restr  redact knock  int    impl   redacts redact room   priv
     *                                                                JSON   valid  rule   rule          icted  9      restr  power  creator content 11    = hash creators */
    {STR_INIT("1"),  VERSION_ID_SERVER,      VERSION_RESOLUTION_1,    false, false, true,  false, false, false, false, false, false, false, false, false, false, false},
    {STR_INIT("2"),  VERSION_ID_SERVER,      VERSION_RESOLUTION_2,    false, false, true,  false, false, false, false, false, false, false, false, false, false, false},
    {STR_INIT("3"),  VERSION_ID_BASE64,      VERSION_RESOLUTION_2,    false, false, true,  false, false, false, false, false, false, false, false, false, false, false},
    {STR_INIT("4"),  VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2,    false, false, true,  false, false, false, false, false, false, false, false, false, false, false},
    {STR_INIT("5"),  VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2,    false, true,  true,  false, false, false, false, false, false, false, false, false, false, false},
    {STR_INIT("6"),  VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2,    true,  true,  false, true,  false, false, false, false, false, false, false, false, false, false},
    {STR_INIT("7"),  VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2,    true,  true,  false, true,  true,  false, false, false, false, false, false, false, false, false},
    {STR_INIT("8"),  VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2,    true,  true,  false, true,  true,  true,  false, false, false, false, false, false, false, false},
    {STR_INIT("9"),  VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2,    true,  true,  false, true,  true,  true,  true,  false, false, false, false, false, false, false},
    {STR_INIT("10"), VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2,    true,  true,  false, true,  true,  true,  true,  true,  true,  false, false, false, false, false},
    {STR_INIT("11"), VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2,    true,  true,  false, true,  true,  true,  true,  true,  true,  true,  true,  true,  false, false},
    {STR_INIT("12"), VERSION_ID_BASE64_URL,  VERSION_RESOLUTION_2_1,  true,  true,  false, true,  true,  true,  true,  true,  true,  true,  true,  true,  true,  true},
};
/* clang-format on */

const struct room_version *room_version_at(size_t i)
{
    return i < COUNT_OF(versions) ? &versions[i] : NULL;
}

const struct room_version *room_version_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        if (str_eq(versions[i].name, name)) {
            return &versions[i];
        }
    }
    return NULL;
}

const struct room_version *room_version_default(void)
{
    return room_version_find(STR("11"));
}
