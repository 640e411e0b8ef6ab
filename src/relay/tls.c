/* The certificate and key that the relay serves by: PEM files, or one of PKCS#12. */
#include "relay/host.h"
#include "relay/key.h"

#include <stdio.h>

enum { PFX_SIZE_MAX = 1024 * 1024 };

static enum err load_pfx(const struct options *o, void *ssl_ctx)
{
    struct buf bytes;
    FILE *file = fopen(o->pfx, "rb");
    enum err err = ERR_ABSENT;
    buf_init(&bytes, PFX_SIZE_MAX);
    unsigned char *p = file == NULL ? NULL : buf_reserve(&bytes, PFX_SIZE_MAX);
    if (p != NULL) {
        bytes.n = fread(p, 1, PFX_SIZE_MAX, file);
        err = key_load_pfx(ssl_ctx, buf_str(&bytes), o->passphrase);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    buf_release(&bytes);
    return err;
}

int tls_load(struct server *server, void *ssl_ctx)
{
    const struct options *o = server->options;
    enum err err = options_have_pem(o) ? key_load_pem(ssl_ctx, o->cert, o->key, o->passphrase)
                                       : load_pfx(o, ssl_ctx);
    server->is_bad_key = err != ERR_NONE;
    return server->is_bad_key ? -1 : 0;
}
