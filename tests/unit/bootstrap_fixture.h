#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A SourceJob without a pool: what the sources make of a definition and one of our recipes. To be
 * included after cmocka.h.
 */

#include "agent/bootstrap/source.h"
#include "units/text.h"

typedef struct Fixture {
        BootstrapDef bootstrap;
        ContainerDef def;
        Recipe *recipe;
        JobReport report;
        SourceJob job;
} Fixture;

static void fixture_done(Fixture *f) {
        recipe_free(f->recipe);
        strv_free(f->job.warnings);
        image_command_done(&f->job.command);
}
#define _cleanup_fixture_ _cleanup_(fixture_done)

/* In place: the job points into it. */
static void fixture_init(Fixture *f, const char *recipe, const char *release,
                         const char *architecture) {
        _cleanup_free_ char *file = NULL, *text = NULL;
        _cleanup_error_ Error *err = NULL;
        size_t size;

        *f = (Fixture){ .def = { .name = (char *) "web", .bootstrap = &f->bootstrap } };
        f->job = (SourceJob){
                .def = &f->def,
                .bootstrap = &f->bootstrap,
                .id = "0123abcd",
                .report = &f->report,
                .root = (char *) "/pool/.ctvirt/new/0123abcd",
                .root_fd = -1,
                .work = (char *) "/pool/.ctvirt/new/0123abcd-work",
                .new_fd = -1,
        };
        file = text_format("%s/contrib/recipes/%s.conf", CTVIRT_SOURCE_DIR, recipe);
        assert_non_null(file);
        assert_int_equal(read_file_at(AT_FDCWD, file, RECIPE_MAX, true, &text, &size), 0);
        if (recipe_parse(text, size, recipe, recipe, release, architecture, &f->recipe, &err) < 0)
                fail_msg("%s", error_format(err));
        f->job.recipe = f->recipe;
        f->bootstrap.type = f->recipe->type;
}
