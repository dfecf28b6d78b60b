/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * ctvirt-generator: a systemd generator (systemd.generator(7)). See generator.h for what it makes.
 * systemd calls it with three folders, of which it uses the first.
 */

#include "base/log.h"
#include "units/generator.h"

int main(int argc, char *argv[]) {
        GeneratorReport report = { 0 };
        int r;

        log_init();
        if (argc != 2 && argc != 4) {
                log_error("Usage: %s FOLDER [EARLY-FOLDER LATE-FOLDER]", argv[0]);
                return EXIT_FAILURE;
        }

        r = generator_run("", argv[1], &report);
        for (char **s = report.complaints; s && *s; s++)
                log_warning("ctvirt-generator: %s.", *s);
        if (r < 0)
                log_error_errno(r, "ctvirt-generator: Cannot write to '%s'", argv[1]);

        generator_report_done(&report);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
