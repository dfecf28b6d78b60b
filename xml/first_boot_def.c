/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/first_boot_def.h"

#include "xml/own_values.h"

static int check_ssh_key(const SshKeyDef *key, Error **err) {
        int r;

        if (!key->user || !key->key)
                return error_set(err, EINVAL, "an SSH key has a user and a key");
        r = value_check(&value_user, key->user, err);
        return r < 0 ? r : value_check(&value_ssh_key, key->key, err);
}

int first_boot_def_check(const FirstBootDef *def, Error **err) {
        const struct {
                const ValueKind *kind;
                const char *value;
        } values[] = {
                { &value_hostname, def->hostname }, { &value_password_hash, def->root_hash },
                { &value_locale, def->locale },     { &value_keymap, def->keymap },
                { &value_timezone, def->timezone }, { &value_machine_id, def->machine_id },
        };
        int r;

        if (def->root_hash && def->root_hash_withheld)
                return error_set(err, EINVAL, "a password hash that is there is not withheld");
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                r = value_check(values[i].kind, values[i].value, err);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < def->n_ssh_keys; i++) {
                r = check_ssh_key(&def->ssh_keys[i], err);
                if (r < 0)
                        return r;
        }
        return value_check_all(&value_domain, def->search_domains, err);
}

static int copy_string(const char *s, char **ret) {
        *ret = s ? strdup(s) : NULL;
        return s && !*ret ? -ENOMEM : 0;
}

static int copy_ssh_keys(const FirstBootDef *from, FirstBootDef *to) {
        to->ssh_keys = calloc(from->n_ssh_keys + 1, sizeof(*to->ssh_keys));
        if (!to->ssh_keys)
                return -ENOMEM;

        for (size_t i = 0; i < from->n_ssh_keys; i++) {
                SshKeyDef *key = &to->ssh_keys[to->n_ssh_keys++];

                if (copy_string(from->ssh_keys[i].user, &key->user) < 0 ||
                    copy_string(from->ssh_keys[i].key, &key->key) < 0)
                        return -ENOMEM;
        }
        return 0;
}

FirstBootDef *first_boot_def_copy(const FirstBootDef *def) {
        _cleanup_first_boot_def_ FirstBootDef *copy = calloc(1, sizeof(*copy));

        assert(def);

        if (!copy || copy_string(def->hostname, &copy->hostname) < 0 ||
            copy_string(def->root_hash, &copy->root_hash) < 0 ||
            copy_string(def->locale, &copy->locale) < 0 ||
            copy_string(def->keymap, &copy->keymap) < 0 ||
            copy_string(def->timezone, &copy->timezone) < 0 ||
            copy_string(def->machine_id, &copy->machine_id) < 0 || copy_ssh_keys(def, copy) < 0 ||
            strv_copy(def->search_domains, &copy->search_domains) < 0)
                return NULL;
        copy->root_hash_withheld = def->root_hash_withheld;
        return TAKE_PTR(copy);
}

bool first_boot_def_equal(const FirstBootDef *a, const FirstBootDef *b) {
        if (a->n_ssh_keys != b->n_ssh_keys || a->root_hash_withheld != b->root_hash_withheld)
                return false;
        for (size_t i = 0; i < a->n_ssh_keys; i++)
                if (!streq_ptr(a->ssh_keys[i].user, b->ssh_keys[i].user) ||
                    !streq_ptr(a->ssh_keys[i].key, b->ssh_keys[i].key))
                        return false;
        return streq_ptr(a->hostname, b->hostname) && streq_ptr(a->root_hash, b->root_hash) &&
               streq_ptr(a->locale, b->locale) && streq_ptr(a->keymap, b->keymap) &&
               streq_ptr(a->timezone, b->timezone) && streq_ptr(a->machine_id, b->machine_id) &&
               strv_equal(a->search_domains, b->search_domains);
}

FirstBootDef *first_boot_def_free(FirstBootDef *def) {
        if (!def)
                return NULL;

        free(def->hostname);
        free(def->root_hash);
        free(def->locale);
        free(def->keymap);
        free(def->timezone);
        free(def->machine_id);
        for (size_t i = 0; i < def->n_ssh_keys; i++) {
                free(def->ssh_keys[i].user);
                free(def->ssh_keys[i].key);
        }
        free(def->ssh_keys);
        strv_free(def->search_domains);
        free(def);
        return NULL;
}
