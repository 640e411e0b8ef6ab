/* Every maximum in one place. Sizes are bytes, times milliseconds, unless the name says otherwise.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* JSON */
#define JSON_DEPTH_MAX 64
#define JSON_BODY_MAX (1024 * 1024) /* request and response bodies of the client API */
#define JSON_NODES_MAX 2000000 /* a send_join answer of a room of 10,000 members is 1,000,000 */

/* HTTP */
#define HTTP_HEAD_MAX (32 * 1024)
#define HTTP_HEADERS_MAX 64
#define HTTP_QUERY_MAX 64
#define HTTP_BODY_MAX (1024 * 1024) /* a request body, peer or client */
#define SERVER_BODY_MAX /* of a server over HTTPS: a full transaction, and what is beside its PDUs \
                         */                                                                        \
    (TRANSACTION_PDUS_MAX * EVENT_SIZE_MAX + HTTP_BODY_MAX)
#define HTTP_ANSWER_MAX (16 * 1024 * 1024) /* an answer that we build or take from a peer */
#define HTTP_SEGMENTS_MAX 16

/* Events: Client-Server API, "Size limits" */
#define EVENT_SIZE_MAX 65536
#define EVENT_NESTING_MAX (JSON_DEPTH_MAX - 8) /* inside the deepest answer it still parses */
#define EVENT_DEPTH_MAX 9007199254740991LL     /* of the graph: the largest canonical integer */
#define EVENT_ID_MAX 255
#define EVENT_PREV_MAX 20
#define EVENT_AUTH_MAX 10
#define EVENT_PREV_CITED 10 /* extremities we cite in an event of ours */

/* Rooms */
#define STORE_NAMES_MAX (256 * 1024) /* of names remembered with their numbers */
#define STATE_DELTAS_MAX 64          /* length of a chain of state deltas before a full snapshot */
#define AUTH_CHAIN_MAX 100000        /* events walked in one state resolution */
#define STATE_SETS_MAX 32            /* forks resolved at once */
#define JOIN_EVENTS_MAX 200000       /* events of a send_join answer */

/* Federation */
#define TRANSACTION_PDUS_MAX 50
#define TRANSACTION_EDUS_MAX 100
#define TRANSACTION_SIZE_MAX (HTTP_BODY_MAX - EVENT_SIZE_MAX) /* sent: less than a peer takes */
#define MISSING_EVENTS_MAX 20
#define FETCH_DEPTH_MAX 10
#define OUTBOX_PDUS_MAX 10000    /* that wait for a server that fails; beyond, it catches up */
#define OUTBOX_LONG_PDUS_MAX 200 /* the same for one that has failed for long: */
#define OUTBOX_LONG_FAILURES 10  /* this often, a quarter of an hour */
#define OUTBOX_EDUS_MAX 10000    /* the newest are kept */

/* Client API */
#define REQUESTS_PARKED_MAX 1024
#define REQUESTS_PARKED_OF_ONE 128 /* of a user, a server, or an address that names neither */
#define REQUESTS_PARKED_OF_SERVERS 512
#define SYNC_TIMEOUT_MAX_MS 25000
#define SYNC_WAITING_MAX 32 /* requests of one user that wait for news */
#define SYNC_TIMELINE_DEFAULT 10
#define SYNC_TIMELINE_MAX 100
#define SYNC_SCAN_MAX 500                /* events of a room looked at for its timeline */
#define SYNC_BYTES_MAX (8 * 1024 * 1024) /* of events in timelines, all rooms of an answer */
#define SYNC_TO_DEVICE_MAX 100
#define SYNC_TO_DEVICE_BYTES_MAX (2 * 1024 * 1024) /* or one message */
#define TO_DEVICE_TOLD_MAX 64 /* answers of a device that had no room for all, remembered */
#define SYNC_STRIPPED_BYTES_MAX (2 * 1024 * 1024) /* told of invites; then only who invites */
#define SYNC_UNREAD_MAX 100                       /* unread messages counted in a room */
#define SYNC_HEROES 5
#define PUSH_TEXT_MAX 8192  /* of a body that is searched for words of push rules */
#define PUSH_RULES_MAX 1000 /* of one kind */
#define TYPING_ROOMS_MAX 4096
#define TYPING_USERS_MAX 64 /* of a room */
#define TYPING_TIMEOUT_MAX_MS 60000
#define PRESENCE_IDLE_MS 60000 /* without a /sync: offline */
#define PRESENCE_SEEN_MAX 4096
#define PRESENCE_STATUS_MAX 1024           /* bytes of a status message */
#define RECEIPTS_MAX 1000                  /* of one EDU or request */
#define RECEIPT_THREADS_MAX 250            /* of a user in a room, the newest */
#define DEVICES_MAX 1000                   /* named in one query or claim */
#define REMOTE_LISTS_MAX 10000             /* users elsewhere whose devices are kept */
#define REMOTE_KEYS_SIZE_MAX 16384         /* of one device or key, here or theirs */
#define ONE_TIME_KEYS_MAX 1000             /* kept of a device */
#define FALLBACK_KEYS_MAX 16               /* algorithms of a device */
#define KEY_SIGNATURES_MAX 100             /* of one user on one key */
#define ACCOUNT_DATA_MAX (8 * 1024 * 1024) /* of a user: a first /sync tells it all */
#define FILTERS_MAX 250                    /* of a user, the newest */
#define FILTER_SIZE_MAX (64 * 1024)
#define PUSHERS_MAX 100                        /* of a user */
#define BACKUP_KEYS_MAX 200000                 /* of one version */
#define TO_DEVICE_MAX 10000                    /* messages of one request or EDU */
#define TO_DEVICE_BYTES_MAX (32 * 1024 * 1024) /* of them, counted at each device they are for */
#define INBOX_BYTES_MAX (32 * 1024 * 1024) /* that wait for a device; who sent most loses most */
#define USER_SEARCH_MAX 50
#define MESSAGES_MAX 100
#define SEARCH_RESULTS_MAX 100
#define SEARCH_SCAN_MAX 1000 /* events that fit the words, looked at for a page */
#define SEARCH_ROOMS_MAX 500
#define SEARCH_WORDS_MAX 32
#define SEARCH_CONTEXT_MAX 20 /* events around a result */
#define SEARCH_CATCH_UP 2000  /* events indexed before a search */
#define REPORTS_MAX 100       /* of one user in REPORTS_SPAN_MS */
#define REPORTS_SPAN_MS (24 * 60 * 60 * 1000)
#define REPORT_REASON_MAX 4096
#define HIERARCHY_ROOMS_MAX 1000   /* looked at in one space */
#define HIERARCHY_CHILDREN_MAX 500 /* of one room */
#define HIERARCHY_PAGE_MAX 50
#define HIERARCHY_DEPTH_MAX 16
#define GUESTS_OF_ROOM_MAX 1000    /* who leave when they may not stay */
#define UPGRADE_COPIED_MAX 1000    /* bans, and rooms of a space, that move with a room */
#define PRESENCE_TOLD_MAX 200      /* members of a room just entered */
#define RESTRICTED_ROOMS_MAX 50    /* of a join rule that are looked at */
#define REQUEST_IDS_OF_SESSION 256 /* answers kept for repeated requests */
#define REQUEST_IDS_MAX 65536
#define PASSWORD_MAX 512
#define AUTH_SESSIONS_MAX 5000 /* of user-interactive authentication; the oldest go */
#define AUTH_PARAMS_MAX 4096   /* remembered of a registration, as JSON */
#define REGISTRATION_TOKEN_MAX 64
#define ADMIN_LIST_MAX 1000
#define USERNAME_MAX 255

/* Media; an upload is a request body, HTTP_BODY_MAX */
#define MEDIA_OF_USER_MAX (64 * 1024 * 1024)
#define MEDIA_CACHE_MAX (32 * 1024 * 1024) /* files of other servers */
#define MEDIA_PENDING_MAX 50               /* created and not uploaded, of a user */

/* Peer-to-peer */
#define MULTISTREAM_MESSAGE_MAX 1024
#define NOISE_MESSAGE_MAX 65535
#define NOISE_PLAIN_MAX 65519
#define YAMUX_WINDOW (256 * 1024)
#define YAMUX_STREAMS_MAX 1000
#define YAMUX_QUEUE_MAX (HTTP_ANSWER_MAX + HTTP_HEAD_MAX) /* of one stream, not sent yet */
#define LINK_CHUNK_MAX (64 * 1024)
#define LINK_MESSAGE_MAX 1000000 /* a websocket message, as the relay has it */
#define NET_RELAYS_MAX 8
#define NET_CONNS_MAX 256                          /* connections to peers, all relays */
#define NET_CALLS_MAX 1024                         /* requests of ours that wait for their answer */
#define NET_CONN_CALLS_MAX 64                      /* of them on one connection; the rest wait */
#define NET_CONN_SERVES_MAX 64                     /* requests of one peer at once */
#define NET_MEMORY_MAX (128 * 1024 * 1024)         /* bodies being sent and received, all streams */
#define NET_SERVE_MEMORY_MAX (NET_MEMORY_MAX / 2)  /* beyond it peers wait, so that we can ask */
#define NET_CONN_BODIES_MAX (8 * HTTP_BODY_MAX)    /* of requests of one peer, on one connection */
#define NET_CONN_ANSWERS_MAX (2 * HTTP_ANSWER_MAX) /* that it does not take */
#define PEERS_MAX 4096
#define ADDRESS_MAX 512

#endif
