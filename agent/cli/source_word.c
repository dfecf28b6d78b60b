/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/source_word.h"

static const char *find_path(const char *word) {
        static const char *const prefixes[] = { "tar:", "directory:", "raw:", "oci:",
                                                "oci-archive:" };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++) {
                const char *path = startswith(word, prefixes[i]);

                if (path)
                        return path;
        }
        return NULL;
}

/* Only the folder: what is in it may have a tag behind it. */
static int find_folder(const char *path, size_t length, char **ret) {
        _cleanup_free_ char *folder = strndup(length > 0 ? path : ".", length > 0 ? length : 1);

        if (!folder)
                return -ENOMEM;
        *ret = realpath(folder, NULL);
        return *ret || errno != ENOMEM ? 0 : -ENOMEM;
}

static int copy(const char *word, char **ret) {
        *ret = strdup(word);
        return *ret ? 0 : -ENOMEM;
}

int source_word_absolute(const char *word, char **ret) {
        const char *path = find_path(word), *name;
        _cleanup_free_ char *folder = NULL;
        int r;

        if (isempty(path) || *path == '/')
                return copy(word, ret);
        name = strrchr(path, '/');
        name = name ? name + 1 : path;

        r = find_folder(path, (size_t) (name - path), &folder);
        if (r < 0)
                return r;
        if (!folder)
                return copy(word, ret);
        r = asprintf(ret, "%.*s%s/%s", (int) (path - word), word, streq(folder, "/") ? "" : folder,
                     name);
        return r < 0 ? -ENOMEM : 0;
}
