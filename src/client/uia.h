/* User-interactive authentication (client-server API, "User-Interactive Authentication API"). Each
 * flow has one stage, which may come whole with the first request. Who is asked for it gets a
 * session, which belongs to one user and one operation, ends with it or after an hour, and
 * remembers of a registration what was said at first. */
#ifndef CLIENT_UIA_H
#define CLIENT_UIA_H

#include "engine/req.h"

enum uia_stage { UIA_DUMMY, UIA_TOKEN, UIA_PASSWORD };

struct uia_session {
    struct str id;       /* empty: there is none yet */
    struct json *params; /* remembered with a new session; NULL: nothing */
    struct str password; /* the hash remembered, or to be; absent: none */
    bool is_completed;
    int64_t made; /* the account that came of it; 0: none yet */
};

/* The session that the request names. What it remembers and the body lacks is put into the body.
 * *ok false: it is of something else, and the refusal is set. One that is not known is none. */
enum err uia_recall(struct hs *hs, struct req *req, struct uia_session *session, bool *ok) MUST_USE;
/* *ok: the stage is passed, now or before. Else the 401 with the flows is set, or another refusal,
 * or the request waits for its turn. */
enum err uia_step(struct hs *hs, struct req *req, struct uia_session *session, enum uia_stage stage,
                  bool *ok) MUST_USE;
/* The session has made an account, whoever asks again is told so for some minutes. */
enum err uia_made(struct hs *hs, const struct uia_session *session, int64_t user) MUST_USE;

/* m.login.password of the user himself, with all of the above. */
enum err uia_password(struct hs *hs, struct req *req, bool *ok) MUST_USE;
/* Does the password fit the account? Costs the same for one that is not there. user 0: nobody. */
enum err uia_check_password(struct hs *hs, struct arena *a, int64_t user, struct str password,
                            bool *fits) MUST_USE;

#endif
