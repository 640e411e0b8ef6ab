/* One row of meta: "moved". A copy that ran beside its original would fork every room. */
#include "hs/moving.h"

#include "hs/identity.h"

enum err moving_check(struct hs *hs, bool is_import, const char **why)
{
    struct str moved;
    *why = "the database cannot be read";
    if (is_import) {
        TRY(store_check(hs->store));
    }
    TRY(store_meta_get(hs->store, hs->process, "moved", &moved));
    if (!is_import) {
        *why = "this homeserver was exported and runs here no more; import its file where it shall "
               "run, here too";
        return str_is_absent(moved) ? ERR_NONE : ERR_REFUSED;
    }
    if (str_is_absent(moved)) {
        *why = "the file is not an export of a homeserver; one that may still run somewhere is not "
               "imported, export it there";
        return ERR_REFUSED;
    }
    *why = "the database cannot be written";
    TRY(store_run(hs->store, STMT_META_DELETE, "t", STR("moved")));
    return identity_new_epoch(hs);
}
