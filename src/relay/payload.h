/* engine.io 3's payloads: what one body of long polling carries, packet after packet.
 *
 *   text     <length in UTF-16 units> ":" <packet>         when every packet is text
 *   binary   <0: text, 1: bytes> <digits as bytes 0 to 9> <255> <packet>       when one is not */
#ifndef RELAY_PAYLOAD_H
#define RELAY_PAYLOAD_H

#include "relay/frame.h"

/* Adds a frame's payload as one packet. is_binary: of the whole body. */
void payload_add(struct buf *out, const struct frame *packet, bool is_binary);

/* Takes the next packet off *rest as a sealed frame, one reference; NULL at the end. ERR_SYNTAX:
 * the body is not well formed, nothing of it should count from here on. */
enum err payload_next(struct str *rest, bool is_binary, struct frame **packet) MUST_USE;

#endif
