/* Whose devices changed, so that others look at their keys again. */
#ifndef ENGINE_DEVICE_LISTS_H
#define ENGINE_DEVICE_LISTS_H

#include "engine/engine.h"

/* A device of a user of ours came, changed its keys or name, or went: news to all who share a room,
 * here and elsewhere. */
enum err device_list_changed(struct hs *hs, int64_t user, struct str user_id,
                             struct str device_id) MUST_USE;
/* The same without the EDU: other keys of a user, ours or not, changed. */
enum err device_list_note(struct hs *hs, int64_t user) MUST_USE;
/* The device, its access tokens, keys and inbox go; a device that is not there is no error. */
enum err device_remove(struct hs *hs, int64_t user, struct str user_id,
                       struct str device_id) MUST_USE;
/* All of them but one; except absent: all. */
enum err device_remove_all(struct hs *hs, int64_t user, struct str user_id,
                           struct str except) MUST_USE;

#endif
