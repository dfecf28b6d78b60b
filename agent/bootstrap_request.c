/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap_request.h"

#include "agent/bus_errors.h"

#define STRINGS_MAX 1000
#define STRING_MAX 4096

void bootstrap_request_done(BootstrapRequest *r) {
        strv_free(r->mirrors);
        strv_free(r->packages);
        *r = (BootstrapRequest){ 0 };
}

static int refuse_size(const char *key, Error **err) {
        return error_set(err, EINVAL, "option %s is too long", key);
}

static int read_string(sd_bus_message *m, const char *key, const char **ret, Error **err) {
        int r = sd_bus_message_read(m, "v", "s", ret);

        if (r < 0)
                return error_set(err, EINVAL, "option %s is no string", key);
        return strlen(*ret) > STRING_MAX ? refuse_size(key, err) : 0;
}

static int read_strings(sd_bus_message *m, const char *key, char ***ret, Error **err) {
        int r;

        strv_free(*ret);
        *ret = NULL;
        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, "as");
        if (r >= 0)
                r = sd_bus_message_read_strv(m, ret);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return error_set(err, EINVAL, "option %s is no list of strings", key);
        if (strv_length(*ret) > STRINGS_MAX)
                return refuse_size(key, err);
        STRV_FOREACH(s, *ret)
                if (strlen(*s) > STRING_MAX)
                        return refuse_size(key, err);
        return 0;
}

static int read_bool(sd_bus_message *m, const char *key, bool *ret, Error **err) {
        int value;

        if (sd_bus_message_read(m, "v", "b", &value) < 0)
                return error_set(err, EINVAL, "option %s is no boolean", key);
        *ret = value;
        return 0;
}

static int read_option(sd_bus_message *m, BootstrapRequest *q, Error **err) {
        bool cache = true;
        const char *key;
        int r;

        r = sd_bus_message_read(m, "s", &key);
        if (r < 0)
                return r;
        if (streq(key, "From"))
                return read_string(m, key, &q->from, err);
        if (streq(key, "Release"))
                return read_string(m, key, &q->release, err);
        if (streq(key, "Verify"))
                return read_string(m, key, &q->verify, err);
        if (streq(key, "Mirrors"))
                return read_strings(m, key, &q->mirrors, err);
        if (streq(key, "Packages"))
                return read_strings(m, key, &q->packages, err);
        if (streq(key, "Replace"))
                return read_bool(m, key, &q->replace, err);
        if (!streq(key, "Cache"))
                return error_set(err, EINVAL, "unknown option '%.80s'", key);
        r = read_bool(m, key, &cache, err);
        q->no_cache = !cache;
        return r;
}

int bootstrap_request_read(sd_bus_message *m, BootstrapRequest *ret, Error **err) {
        _cleanup_bootstrap_request_ BootstrapRequest q = { 0 };
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 &&
               (r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = read_option(m, &q, err);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = q;
        q = (BootstrapRequest){ 0 };
        return 0;
}

static int apply_verify(const char *word, BootstrapDef *b, Error **err) {
        int verify = bootstrap_verify_from_string(word);

        if (verify < 0)
                return error_set(err, EINVAL,
                                 "'%.80s' is no way to verify: signature, checksum or no", word);
        b->verify = (BootstrapVerify) verify;
        return 0;
}

static int apply_lists(const BootstrapRequest *q, BootstrapDef *b) {
        char **mirrors;
        int r;

        if (q->mirrors) {
                r = strv_copy(q->mirrors, &mirrors);
                if (r < 0)
                        return r;
                strv_free(b->mirrors);
                b->mirrors = mirrors;
        }
        STRV_FOREACH(p, q->packages) {
                r = strv_extend(&b->packages, *p);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int apply_release(const char *release, BootstrapDef *b) {
        char *copy = strdup(release);

        if (!copy)
                return -ENOMEM;
        free(b->release);
        b->release = copy;
        return 0;
}

static int apply_from(const char *from, ContainerDef *def, Error **err) {
        BootstrapDef *b;
        int r;

        if (!from)
                return def->bootstrap
                               ? 0
                               : error_set(err, ERRNO_OPERATION_INVALID,
                                           "the definition of container '%s' does not say what its "
                                           "root is made from (<ct:bootstrap>); say it: ctvirt "
                                           "bootstrap %s --from debian",
                                           def->name, def->name);
        r = bootstrap_def_from_word(from, &b, err);
        if (r < 0)
                return r;
        bootstrap_def_free(def->bootstrap);
        def->bootstrap = b;
        return 0;
}

int bootstrap_request_apply(const BootstrapRequest *request, ContainerDef *def, Error **err) {
        BootstrapDef *b;
        int r;

        r = apply_from(request->from, def, err);
        if (r < 0)
                return r;
        b = def->bootstrap;
        if (request->no_cache)
                b->no_cache = true;
        if (request->release)
                r = apply_release(request->release, b);
        if (r >= 0 && request->verify)
                r = apply_verify(request->verify, b, err);
        if (r >= 0)
                r = apply_lists(request, b);
        return r < 0 ? r : bootstrap_def_check(b, err);
}
