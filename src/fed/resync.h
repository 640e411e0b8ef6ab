/* Lists of devices that missed a change (engine/remote_keys.h), asked for anew with GET
 * /user/devices: one at a time of each server, again and again until it answers. What is to be
 * asked is in the database; here is only whom to ask when. */
#ifndef FED_RESYNC_H
#define FED_RESYNC_H

#include "engine/engine.h"

/* EDUs, as in engine/edu_in.h: what they leave stale is asked for. */
enum err resync_device_list(struct hs *hs, struct str origin, const struct json *content) MUST_USE;
enum err resync_signing_key(struct hs *hs, struct str origin, const struct json *content) MUST_USE;

struct resyncs;
struct resyncs *resyncs_new(void);
void resyncs_free(struct resyncs *r);
/* After a start: what is stale is due. */
enum err resyncs_load(struct hs *hs) MUST_USE;
/* End of the turn: asks whom it is time to ask, each as an input of its own. */
void resyncs_turn(struct hs *hs);
/* A server is there: if it was not, it is asked again. */
void resyncs_seen(struct hs *hs, struct str server);
/* mono_ms; -1: never. */
int64_t resyncs_next_ms(const struct hs *hs);

#endif
