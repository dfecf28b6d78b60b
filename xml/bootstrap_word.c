/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bootstrap_def_from_word(): a whole BootstrapDef in one word of the command line. */

#include "xml/bootstrap_def.h"
#include "xml/container_values.h"
#include "xml/xml_compat.h"

typedef struct Prefix {
        const char *text;
        BootstrapType type;
        bool whole; /* the prefix belongs to the source */
} Prefix;

static const Prefix prefixes[] = {
        { "tar:", BOOTSTRAP_TAR, false },        { "directory:", BOOTSTRAP_DIRECTORY, false },
        { "raw:", BOOTSTRAP_RAW, false },        { "clone:", BOOTSTRAP_CLONE, false },
        { "base:", BOOTSTRAP_BASE, false },      { "docker://", BOOTSTRAP_OCI, true },
        { "oci:", BOOTSTRAP_OCI, true },         { "oci-archive:", BOOTSTRAP_OCI, true },
        { "http://", BOOTSTRAP_PULL_TAR, true }, { "https://", BOOTSTRAP_PULL_TAR, true },
};

static bool length_ends_with(const char *s, size_t length, const char *suffix) {
        size_t n = strlen(suffix);

        return length >= n && strncmp(s + length - n, suffix, n) == 0;
}

/* By the path of a URL, whatever it is compressed with; as systemd-importd takes them. */
static bool is_raw(const char *url) {
        static const char *const compressions[] = { ".xz", ".gz", ".bz2", ".zst" };
        static const char *const suffixes[] = { ".raw", ".img", ".qcow2" };
        size_t length = strcspn(url, "?#");

        for (size_t i = 0; i < ELEMENTSOF(compressions); i++)
                if (length_ends_with(url, length, compressions[i])) {
                        length -= strlen(compressions[i]);
                        break;
                }
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++)
                if (length_ends_with(url, length, suffixes[i]))
                        return true;
        return false;
}

/* The path of a source in the one form that a definition has it in; a path that cannot be brought
 * into it is left for the check. */
static int set_source(BootstrapDef *def, const char *source) {
        int r = -EINVAL;

        if (def->type == BOOTSTRAP_TAR || def->type == BOOTSTRAP_DIRECTORY ||
            def->type == BOOTSTRAP_RAW)
                r = clean_path(source, &def->source);
        if (r != -EINVAL)
                return r;
        def->source = strdup(source);
        return def->source ? 0 : -ENOMEM;
}

static int set_recipe(BootstrapDef *def, const char *word) {
        const char *colon = strchrnul(word, ':');

        def->recipe = strndup(word, (size_t) (colon - word));
        if (!def->recipe)
                return -ENOMEM;
        if (!*colon)
                return 0;
        def->release = strdup(colon + 1);
        return def->release ? 0 : -ENOMEM;
}

/* What looks like a recipe to us, and was meant as something else. */
static int refuse_slip(const char *word, Error **err) {
        static const char *const schemes[] = { "docker:", "http:", "https:" };

        for (size_t i = 0; i < ELEMENTSOF(schemes); i++) {
                const char *rest = startswith(word, schemes[i]);

                if (rest)
                        return error_set(err, EINVAL, "write '%s//%s'", schemes[i], XML_SHOW(rest));
        }
        if (memchr(word, '.', strcspn(word, ":")))
                return error_set(err, EINVAL,
                                 "no recipe has a dot in its name; if this is a file, write "
                                 "'tar:%s', or 'raw:%s' for a disk image",
                                 XML_SHOW(word), XML_SHOW(word));
        return 0;
}

static int read_word(BootstrapDef *def, const char *word, Error **err) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++) {
                const char *rest = startswith(word, prefixes[i].text);

                if (!rest)
                        continue;
                def->type = prefixes[i].type;
                if (def->type == BOOTSTRAP_PULL_TAR && is_raw(word))
                        def->type = BOOTSTRAP_PULL_RAW;
                return set_source(def, prefixes[i].whole ? word : rest);
        }
        r = refuse_slip(word, err);
        return r < 0 ? r : set_recipe(def, word);
}

int bootstrap_def_from_word(const char *word, BootstrapDef **ret, Error **err) {
        _cleanup_bootstrap_def_ BootstrapDef *def = calloc(1, sizeof(*def));
        _cleanup_error_ Error *reason = NULL;
        int r;

        assert(word);
        assert(ret);

        if (!def)
                return -ENOMEM;
        r = read_word(def, word, &reason);
        if (r >= 0)
                r = bootstrap_def_check(def, &reason);
        if (r == -EINVAL)
                return error_set(err, EINVAL,
                                 "'%s' does not say what the root is made from: %s; right would be "
                                 "RECIPE[:RELEASE] (debian, fedora:40), tar:/FILE, "
                                 "directory:/FOLDER, raw:/FILE, https://HOST/FILE, "
                                 "docker://HOST/IMAGE:TAG, oci:/FOLDER:TAG, oci-archive:/FILE, "
                                 "clone:CONTAINER or base:KEY",
                                 XML_SHOW(word), reason ? reason->text : "bad value");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(def);
        return 0;
}
