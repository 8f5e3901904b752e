#include "net/tls.h"

#include "base/fs.h"
#include "base/status.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { KEY = 32, KEY_FILE = 4096 };

struct eex__key {
    SSL_CTX *context;
    eex__role role;
    unsigned char secret[KEY];
};

struct eex__tls {
    SSL *ssl;
    bool shaken; /* hands: the other side has shown that it has the key */
    bool broken; /* by an error, after which OpenSSL must not be asked for anything */
};

static const unsigned char identity[] = {'e', 'e', 'x'};
static const char suite[] = "TLS_AES_128_GCM_SHA256";
static const unsigned char suite_code[] = {0x13, 0x01};

/* ---- the key ---- */

static int parse_key(unsigned char out[KEY], const char *text, const char *path)
{
    char pair[3] = "";
    const size_t length = strcspn(text, " \t\r\n");
    bool good = length == 2 * (size_t)KEY && text[length + strspn(text + length, " \t\r\n")] == 0;
    for (size_t i = 0; good && i < length; i++)
        good = isxdigit((unsigned char)text[i]);
    if (!good)
        return eex_fail(EEX_EFORMAT,
                        "%s: no key: expected %d hexadecimal digits, as `openssl rand -hex %d` "
                        "writes them",
                        path, 2 * KEY, KEY);
    for (size_t i = 0; i < KEY; i++) {
        memcpy(pair, text + 2 * i, 2);
        out[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    OPENSSL_cleanse(pair, sizeof pair);
    return EEX_OK;
}

static int read_secret(unsigned char out[KEY], const char *path)
{
    struct stat facts;
    char *text;
    size_t size;
    if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode) &&
        (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return eex_fail(EEX_EINVAL, "%s: others may read or write this key: chmod 600 %s", path,
                        path);
    EEX_TRY(eex_fs_read(&text, &size, path, KEY_FILE));
    const int code = parse_key(out, text, path);
    OPENSSL_cleanse(text, size);
    free(text);
    return code;
}

/* A session as if one had been resumed whose secret is the key. */
static SSL_SESSION *session_of(SSL *ssl)
{
    const eex__key *key = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite_code);
    SSL_SESSION *session = SSL_SESSION_new();
    if (session && cipher && SSL_SESSION_set1_master_key(session, key->secret, KEY) &&
        SSL_SESSION_set_cipher(session, cipher) &&
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION))
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

static int find_key(SSL *ssl, const unsigned char *name, size_t length, SSL_SESSION **out)
{
    const bool known = length == sizeof identity && memcmp(name, identity, length) == 0;
    *out = known ? session_of(ssl) : NULL;
    return !known || *out;
}

static int use_key(SSL *ssl, const EVP_MD *digest, const unsigned char **name, size_t *length,
                   SSL_SESSION **out)
{
    *name = identity;
    *length = sizeof identity;
    *out = session_of(ssl);
    return *out != NULL;
}

/* OpenSSL forgets that hands were shaken once a connection breaks: it is remembered here. */
static void note_shaken(const SSL *ssl, int where, int value)
{
    eex__tls *tls = SSL_get_app_data(ssl);
    if (where & SSL_CB_HANDSHAKE_DONE)
        tls->shaken = true;
}

static bool set_up(eex__key *key)
{
    SSL_CTX *c = key->context =
        SSL_CTX_new(key->role == EEX__SERVES ? TLS_server_method() : TLS_client_method());
    if (!c || !SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) ||
        !SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) || !SSL_CTX_set_ciphersuites(c, suite) ||
        !SSL_CTX_set_num_tickets(c, 0))
        return false;
    SSL_CTX_set_app_data(c, key);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_info_callback(c, note_shaken);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(c, key->role == EEX__CALLS ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (key->role == EEX__SERVES)
        SSL_CTX_set_psk_find_session_callback(c, find_key);
    else
        SSL_CTX_set_psk_use_session_callback(c, use_key);
    return true;
}

int eex__key_read(eex__key **out, const char *path, eex__role role)
{
    *out = NULL;
    eex__key *key = calloc(1, sizeof *key);
    if (!key)
        return eex_fail(EEX_ENOMEM, "out of memory for a key");
    key->role = role;
    int code = read_secret(key->secret, path);
    if (code == EEX_OK && !set_up(key))
        code = eex_fail(EEX_EUNSUPPORTED, "this OpenSSL has no TLS 1.3 with %s", suite);
    if (code < 0) {
        eex__key_free(key);
        return code;
    }
    *out = key;
    return EEX_OK;
}

void eex__key_free(eex__key *key)
{
    if (!key)
        return;
    SSL_CTX_free(key->context);
    OPENSSL_cleanse(key->secret, sizeof key->secret);
    free(key);
}

/* ---- a connection ---- */

int eex__tls_new(eex__tls **out, eex__key *key, int socket)
{
    *out = NULL;
    eex__tls *tls = calloc(1, sizeof *tls);
    if (tls)
        tls->ssl = SSL_new(key->context);
    if (!tls || !tls->ssl || !SSL_set_fd(tls->ssl, socket)) {
        eex__tls_free(tls);
        return eex_fail(EEX_ENOMEM, "out of memory for a TLS connection");
    }
    SSL_set_app_data(tls->ssl, tls);
    if (key->role == EEX__SERVES)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    *out = tls;
    return EEX_OK;
}

/* OpenSSL writes to the socket without a word about SIGPIPE, and whether that ends the program is
 * not ours to say: while it works the signal waits, and one that came of it is taken away. */
static bool hold_pipe(sigset_t *before)
{
    sigset_t pipe, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, before);
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE);
}

static void let_pipe(const sigset_t *before, bool waited)
{
    const struct timespec now = {0};
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!waited)
        (void)sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Says that it is the end, if that can be said at once: the other side then knows that nobody has
 * cut the wire. */
static void say_end(const eex__tls *tls)
{
    sigset_t before;
    ERR_clear_error();
    const bool waited = hold_pipe(&before);
    (void)SSL_shutdown(tls->ssl);
    let_pipe(&before, waited);
    ERR_clear_error();
}

void eex__tls_free(eex__tls *tls)
{
    if (!tls)
        return;
    if (tls->shaken && !tls->broken)
        say_end(tls);
    SSL_free(tls->ssl);
    free(tls);
}

/* What a call that did nothing means. Before the hands are shaken whatever goes wrong is the key,
 * or its absence. */
static int judge(eex__tls *tls, int result, int number, short *events)
{
    const int error = SSL_get_error(tls->ssl, result);
    const unsigned long why = ERR_peek_error();
    *events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return EEX_OK;
    tls->broken = error != SSL_ERROR_ZERO_RETURN;
    if (!tls->shaken)
        return eex_fail(EEX_EFORMAT,
                        "no TLS connection: the other side has no key or another one "
                        "(%s)",
                        why ? ERR_reason_error_string(why) : "it closed the connection");
    if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SSL && !why) ||
        ERR_GET_REASON(why) == SSL_R_UNEXPECTED_EOF_WHILE_READING || number == ECONNRESET ||
        number == EPIPE)
        return eex_fail(EEX_ENOTFOUND, "the other side has closed the connection");
    return eex_fail(EEX_EIO, "TLS: %s",
                    why      ? ERR_reason_error_string(why)
                    : number ? strerror(number)
                             : "broken off");
}

int eex__tls_read(eex__tls *tls, void *to, size_t size, size_t *got, short *events)
{
    sigset_t before;
    *got = 0;
    ERR_clear_error();
    const bool waited = hold_pipe(&before);
    errno = 0;
    const int result = SSL_read(tls->ssl, to, size > INT_MAX ? INT_MAX : (int)size);
    const int number = errno;
    let_pipe(&before, waited);
    if (result <= 0)
        return judge(tls, result, number, events);
    *got = (size_t)result;
    *events = POLLIN;
    return EEX_OK;
}

int eex__tls_write(eex__tls *tls, const void *from, size_t size, size_t *put, short *events)
{
    sigset_t before;
    *put = 0;
    ERR_clear_error();
    const bool waited = hold_pipe(&before);
    errno = 0;
    const int result = SSL_write(tls->ssl, from, size > INT_MAX ? INT_MAX : (int)size);
    const int number = errno;
    let_pipe(&before, waited);
    if (result <= 0)
        return judge(tls, result, number, events);
    *put = (size_t)result;
    *events = POLLIN;
    return EEX_OK;
}
