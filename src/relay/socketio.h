/* socket.io protocol 4 packets in the default namespace: their text head, and the few that a relay
 * sends (p2p-wire 1.4). */
#ifndef RELAY_SOCKETIO_H
#define RELAY_SOCKETIO_H

#include "relay/frame.h"
#include "json/json.h"

enum socketio_kind {
    SOCKETIO_CONNECT,
    SOCKETIO_DISCONNECT,
    SOCKETIO_EVENT,
    SOCKETIO_ACK,
    SOCKETIO_ERROR,
    SOCKETIO_BINARY_EVENT,
    SOCKETIO_BINARY_ACK,
};

struct socketio_packet {
    enum socketio_kind kind;
    unsigned n_attachments;
    struct str space; /* namespace; "/" when none is written */
    struct str ack;   /* digits, or absent */
    struct str json;  /* what follows; "" when nothing does */
};

/* Reads the head of a packet (the text after engine.io's type). Everything is borrowed.
 * ERR_ABSENT: to be ignored (unknown type, an ack id nobody can have). ERR_SYNTAX: the connection
 * ends. */
enum err socketio_read(struct str text, struct socketio_packet *out) MUST_USE;

/* The event's name when the payload begins ["name" with nothing to unescape; *rest is what follows
 * the closing quote. Absent when it needs a real parser. */
struct str socketio_name(struct str json, struct str *rest);
/* Parses a payload that has to be an array, RELAY_JSON_DEPTH_MAX deep at most. */
enum err socketio_payload(struct arena *a, struct str json, struct json **out) MUST_USE;
/* False if a placeholder anywhere in the payload is not one of n attachments. */
bool socketio_placeholders_fit(const struct json *payload, unsigned n);
/* The attachment an argument stands for; false when it is none. */
bool socketio_placeholder(const struct json *argument, int64_t *number);
/* What JavaScript's if() makes of a value. */
bool socketio_is_true(const struct json *value);

/* 42["name",texts...] and, with an ack id, 42<ack>[...]. All made frames are one reference. */
struct frame *socketio_event(struct arena *a, struct str name, const struct str *texts,
                             size_t n) MUST_USE;
struct frame *socketio_ask(struct arena *a, uint64_t ack, struct str name, const struct str *texts,
                           size_t n) MUST_USE;
/* 43<ack>[json], json being the arguments as they are. */
struct frame *socketio_answer(struct arena *a, struct str ack, struct str json) MUST_USE;
/* 43<ack>["text"] */
struct frame *socketio_answer_text(struct arena *a, struct str ack, struct str text) MUST_USE;
/* 451-["name",{"_placeholder":true,"num":0}] */
struct frame *socketio_chunk(struct arena *a, struct str name) MUST_USE;
/* 42["name",value] */
struct frame *socketio_value(struct arena *a, struct str name, const struct json *value) MUST_USE;
/* 44<namespace>,"Invalid namespace" */
struct frame *socketio_no_space(struct arena *a, struct str space) MUST_USE;

#endif
