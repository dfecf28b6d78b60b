/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The D-Bus API as clients see it: names of errors, and introspection against the golden file.
 * CTVIRT_REGENERATE=1 writes what comes out instead of comparing it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/api.h"
#include "agent/bus_errors.h"
#include "agent/bus_objects.h"
#include "base/fileio.h"

#define GOLDEN CTVIRT_SOURCE_DIR "/tests/golden/bus/introspection.xml"

static const struct {
        int error;
        const char *name;
} errors[] = {
        { ERRNO_NO_SUCH_CONTAINER, CTVIRT_ERROR_NO_SUCH_CONTAINER },
        { ERRNO_NO_SUCH_NETWORK, CTVIRT_ERROR_NO_SUCH_NETWORK },
        { ERRNO_XML, CTVIRT_ERROR_XML },
        { ERRNO_OPERATION_INVALID, CTVIRT_ERROR_OPERATION_INVALID },
        { ERRNO_OPERATION_FAILED, CTVIRT_ERROR_OPERATION_FAILED },
        { ERRNO_CONFLICT, CTVIRT_ERROR_CONFLICT },
        { ENOSPC, CTVIRT_ERROR_OPERATION_FAILED },
        { ENOMEM, SD_BUS_ERROR_NO_MEMORY },
};

static void test_error_names(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                assert_string_equal(bus_error_name(errors[i].error), errors[i].name);
                assert_string_equal(bus_error_name(-errors[i].error), errors[i].name);
        }
}

/* The table has each errno and each name once, so that both directions are clear. */
static void test_error_map(void **state) {
        assert_true(bus_errors_register() >= 0);
        for (size_t i = 0; i < 6; i++) {
                const sd_bus_error e = { .name = errors[i].name };

                assert_int_equal(sd_bus_error_get_errno(&e), errors[i].error);
        }
}

static void test_error_text(void **state) {
        _cleanup_error_ Error *err = NULL;
        sd_bus_error e = SD_BUS_ERROR_NULL;

        (void) error_set_at(&err, EINVAL, "web.xml", 3, "no name");
        assert_int_equal(bus_error_from(&e, -ERRNO_XML, err), -ERRNO_XML);
        assert_string_equal(e.name, CTVIRT_ERROR_XML);
        assert_string_equal(e.message, "web.xml:3: no name");
        sd_bus_error_free(&e);

        (void) bus_error_from(&e, -ENOSPC, NULL);
        assert_string_equal(e.name, CTVIRT_ERROR_OPERATION_FAILED);
        assert_string_equal(e.message, "No space left on device");
        sd_bus_error_free(&e);
}

static void test_introspection(void **state) {
        _cleanup_free_ char *text = NULL, *golden = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        assert_int_equal(bus_objects_introspect(f), 0);
        assert_int_equal(fclose(f), 0);

        if (getenv("CTVIRT_REGENERATE")) {
                assert_true(write_file_at(AT_FDCWD, GOLDEN, text, size, 0644, 0) >= 0);
                return;
        }
        assert_int_equal(read_file_at(AT_FDCWD, GOLDEN, 1024 * 1024, true, &golden, NULL), 0);
        assert_string_equal(text, golden);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_error_names),
                cmocka_unit_test(test_error_map),
                cmocka_unit_test(test_error_text),
                cmocka_unit_test(test_introspection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
