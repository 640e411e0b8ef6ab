/* /_neurite/metrics: the status page's facts for Prometheus. */
#ifndef CLIENT_METRICS_H
#define CLIENT_METRICS_H

#include "engine/req.h"

/* Text in the exposition format, version 0.0.4; a host adds lines of its own. */
enum err metrics_get(struct hs *hs, struct req *req);

#endif
