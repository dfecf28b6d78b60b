/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Documents that are made to cost time or memory. Each of them has to be done with in a second or
 * so; without the limits of xml_document.h they take minutes.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "xml/container_def.h"
#include "xml/network_def.h"

#define SECONDS_MAX 10 /* under a sanitizer, on a slow machine */

/* prefix, then piece as often as it fits into max bytes, then suffix. A '$' in piece is a number
 * that counts up. */
static char *repeat(const char *prefix, const char *piece, const char *suffix, size_t max) {
        const char *number = strchr(piece, '$');
        int n_before = (int) (number ? number - piece : (ptrdiff_t) strlen(piece));
        _cleanup_fclose_ FILE *f = NULL;
        size_t size, written;
        char *text = NULL;

        f = open_memstream(&text, &size);
        assert_non_null(f);
        written = (size_t) fprintf(f, "%s", prefix);
        for (size_t i = 0; written + strlen(piece) + 8 + strlen(suffix) < max; i++) {
                written += (size_t) fprintf(f, "%.*s", n_before, piece);
                if (number)
                        written += (size_t) fprintf(f, "%zu%s", i, number + 1);
        }
        (void) fputs(suffix, f);
        assert_int_equal(fclose(TAKE_PTR(f)), 0);
        return text;
}

static double now(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int parse_container(const char *text) {
        _cleanup_(container_def_freep) ContainerDef *def = NULL;
        _cleanup_strv_ char **warnings = NULL;

        return container_def_parse(text, strlen(text), "x", 0, &def, &warnings, NULL);
}

static int parse_network(const char *text) {
        _cleanup_(network_def_freep) NetworkDef *def = NULL;

        return network_def_parse(text, strlen(text), "x", &def, NULL);
}

static const struct {
        const char *prefix, *piece, *suffix;
        int container, network; /* what comes of it */
} rows[] = {
        { "<network><name>a</name>", "<a/>", "</network>", -EFBIG, -EFBIG },
        { "<network><name>a</name>", "<a b='$' c='' d='' e='' f='' g='' h=''/>", "</network>",
          -EFBIG, 0 },
        { "<network ", "a$='' ", "/>", -EFBIG, -EFBIG },
        { "<network ", "xmlns:a$='a' ", "/>", -EFBIG, -EFBIG },
        { "<!-- <a \" --><network ", "a$='' ", "/>", -EFBIG, -EFBIG },
        { "<network ", "a$=<a ", "/>", -EBADMSG, -EBADMSG },
        { "", "<a>", "", -EFBIG, -EINVAL },
        { "", "<a b='>'>", "", -EFBIG, -EINVAL },
        { "<network>", "<a>", "", -EFBIG, -EFBIG },
        { "<network><name>", "&amp;", "</name></network>", -EINVAL, -EINVAL },
        { "<network><name>", "<![CDATA[a]]>", "</name></network>", -EINVAL, -EINVAL },
        { "<network>", "<a xmlns:a='a'/>", "</network>", -EFBIG, -EFBIG },
        { "<!DOCTYPE a [<!ENTITY a 'aaaa'>", "<!ENTITY a$ '&a;&a;&a;'>", "]><a/>", -EINVAL,
          -EINVAL },
        { "<!DOCTYPE ", "a", "><a/>", -EBADMSG, -EINVAL },
        { "<a>", "&amp;", "</a>", -EINVAL, -EINVAL },
        { "<a>", "<![CDATA[]]>", "</a>", -EINVAL, -EINVAL },
        { "<a>", "<!---->", "</a>", -EINVAL, -EINVAL },
        { "", "<?a?>", "<a/>", -EINVAL, -EINVAL },
        { "", "\n", "<a/>", -EINVAL, -EINVAL },
        { "<?xml version='1.0' ", "encoding ", "?><a/>", -EBADMSG, -EBADMSG },
        { "<domain type='nspawn'><name>a</name><description>", "]]&gt; &#13;",
          "</description></domain>", 0, -EINVAL },
        { "<domain type='nspawn'><name>a</name><os>", "<initarg/>", "</os></domain>", -EFBIG,
          -EINVAL },
        { "<domain type='nspawn'><name>a</name><os><init>", "/.", "</init></os></domain>", -EINVAL,
          -EINVAL },
        { "<domain type='nspawn'><name>", "a", "</name></domain>", -EINVAL, -EINVAL },
};

static void test_costs_nothing(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *small =
                        repeat(rows[i].prefix, rows[i].piece, rows[i].suffix, CONTAINER_XML_MAX);
                _cleanup_free_ char *large =
                        repeat(rows[i].prefix, rows[i].piece, rows[i].suffix, NETWORK_XML_MAX);
                double begin = now();
                int r, k;

                r = parse_container(small);
                k = parse_network(large);
                if (now() - begin > SECONDS_MAX)
                        fail_msg("row %zu took %.1f s", i, now() - begin);
                if (r != rows[i].container || k != rows[i].network)
                        fail_msg("row %zu: %d and %d", i, r, k);
        }
}

/* As many unknown things as the limits allow: kept, but with a bounded number of warnings. */
static void test_most_of_everything(void **state) {
        _cleanup_free_ char *middle = repeat("", "<x$ a='1' b='2'/>\n", "", 150000);
        _cleanup_(container_def_freep) ContainerDef *def = NULL, *again = NULL;
        _cleanup_free_ char *text = NULL, *formatted = NULL;
        _cleanup_strv_ char **warnings = NULL;
        double begin = now();

        assert_true(asprintf(&text, "<domain type='nspawn'><name>a</name>%s</domain>", middle) > 0);
        assert_int_equal(container_def_parse(text, strlen(text), "x", 0, &def, &warnings, NULL), 0);
        assert_int_equal(strv_length(warnings), 101);
        assert_int_equal(container_def_format(def, &formatted), 0);
        assert_int_equal(
                container_def_parse(formatted, strlen(formatted), "x", 0, &again, NULL, NULL), 0);
        assert_true(container_def_equal(def, again));
        assert_true(now() - begin < SECONDS_MAX);
}

static void test_too_large(void **state) {
        _cleanup_free_ char *text = calloc(1, CONTAINER_XML_MAX + 1);
        _cleanup_error_ Error *err = NULL;
        ContainerDef *def = NULL;

        assert_non_null(text);
        assert_int_equal(
                container_def_parse(text, CONTAINER_XML_MAX + 1, "x.xml", 0, &def, NULL, &err),
                -EFBIG);
        assert_string_equal(err->text, "document of 1048577 bytes is larger than the limit of "
                                       "1048576");
        assert_string_equal(err->file, "x.xml");
}

static void test_line_beyond_65535(void **state) {
        _cleanup_free_ char *text = repeat("<domain type='nspawn'>", "\n",
                                           "<name>a</name><memory>x</memory></domain>", 100000);
        _cleanup_error_ Error *err = NULL;
        ContainerDef *def = NULL;

        assert_int_equal(container_def_parse(text, strlen(text), "x.xml", 0, &def, NULL, &err),
                         -EINVAL);
        assert_true(err->line > 65535);
}

/* Cut anywhere, a document is an error or a definition, never anything else. */
static void test_truncated(void **state) {
        static const char text[] = "<?xml version='1.0' encoding='UTF-8'?>\n"
                                   "<domain type='nspawn'><name>a\xc3\xa4</name><!-- c -->"
                                   "<title><![CDATA[x]]>&lt;</title><x:y xmlns:x='u'/></domain>\n";

        for (size_t size = 0; size < strlen(text) - 1; size++) {
                _cleanup_free_ char *part = malloc(size + 1);
                _cleanup_error_ Error *err = NULL;
                ContainerDef *def = NULL;

                assert_non_null(part);
                memcpy(part, text, size);
                assert_int_equal(container_def_parse(part, size, "x", 0, &def, NULL, &err),
                                 -EBADMSG);
                assert_non_null(err);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_costs_nothing), cmocka_unit_test(test_most_of_everything),
                cmocka_unit_test(test_too_large),     cmocka_unit_test(test_line_beyond_65535),
                cmocka_unit_test(test_truncated),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
