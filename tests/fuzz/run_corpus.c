/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs a fuzzer over files, and over all files of folders, given as arguments.
 */

#include <dirent.h>

#include "base/fileio.h"
#include "fuzz.h"

#define INPUT_MAX (16 * 1024 * 1024)

/* A copy of exactly the right size, so that a sanitizer sees a read beyond it. */
static int run_file(const char *path) {
        _cleanup_free_ char *text = NULL;
        _cleanup_free_ uint8_t *exact = NULL;
        size_t size;
        int r;

        r = read_file_at(AT_FDCWD, path, INPUT_MAX, true, &text, &size);
        if (r < 0)
                return r;
        exact = malloc(size > 0 ? size : 1);
        if (!exact)
                return -ENOMEM;
        memcpy(exact, text, size);

        (void) printf("%s\n", path);
        (void) fflush(stdout);
        (void) LLVMFuzzerTestOneInput(exact, size);
        return 0;
}

DEFINE_CLEANUP(DIR *, closedir)

static int run_path(const char *path, size_t *n_run) {
        _cleanup_(closedirp) DIR *dir = opendir(path);
        const struct dirent *entry;
        int r = 0;

        if (!dir) {
                (*n_run)++;
                return run_file(path);
        }
        while (r >= 0 && (entry = readdir(dir))) {
                _cleanup_free_ char *file = NULL;

                if (entry->d_name[0] == '.')
                        continue;
                if (asprintf(&file, "%s/%s", path, entry->d_name) < 0)
                        return -ENOMEM;
                r = run_file(file);
                (*n_run)++;
        }
        return r;
}

int main(int argc, char **argv) {
        size_t n_run = 0;

        for (int i = 1; i < argc; i++) {
                int r = run_path(argv[i], &n_run);

                if (r < 0) {
                        (void) fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
                        return EXIT_FAILURE;
                }
        }
        (void) printf("%zu files\n", n_run);
        return n_run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
