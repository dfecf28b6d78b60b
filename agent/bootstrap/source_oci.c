/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Images of the Open Container Initiative, fetched by skopeo and unpacked by umoci, which resolves
 * every path of a layer within the tree.
 */

#include "agent/bootstrap/source_oci.h"

#include <sys/stat.h>

#include "base/fileio.h"
#include "units/conf_word.h"
#include "units/text.h"
#include "units/unit_escape.h"

#define CONFIG_MAX (1024 * 1024)
#define INDEX_MAX (4 * 1024 * 1024)
#define IMAGE "image" /* tag in our own layout */

const char image_command_template[] = "{{range .Config.Entrypoint}}a {{printf \"%q\" .}}\n{{end}}"
                                      "{{range .Config.Cmd}}a {{printf \"%q\" .}}\n{{end}}"
                                      "{{range .Config.Env}}e {{printf \"%q\" .}}\n{{end}}"
                                      "d {{printf \"%q\" .Config.WorkingDir}}\n"
                                      "u {{printf \"%q\" .Config.User}}\n";

/* %q of Go: quotes, and escapes as C has them. */
static int unquote(const char *text, char **ret) {
        _cleanup_free_ char *word = NULL;
        int r;

        if (text[0] != '"')
                return -EBADMSG;
        r = conf_word_next(&text, CONF_WORD_C_ESCAPES, &word);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        if (r == 0 || *text)
                return -EBADMSG;
        if (!conf_text_is_valid(word))
                return -EILSEQ;
        *ret = TAKE_PTR(word);
        return 0;
}

static int take_text(char **field, char *word) {
        _cleanup_free_ char *owned = word;

        if (!*owned)
                return 0;
        free(*field);
        *field = TAKE_PTR(owned);
        return 0;
}

static int parse_line(ImageCommand *c, const char *line) {
        char *word;
        int r;

        if (!line[0] || line[1] != ' ' || !strchr("aedu", line[0]))
                return -EBADMSG;
        r = unquote(line + 2, &word);
        if (r < 0)
                return r;
        if (line[0] == 'a')
                return strv_push(&c->arguments, word);
        if (line[0] == 'e')
                return strv_push(&c->environment, word);
        return take_text(line[0] == 'd' ? &c->directory : &c->user, word);
}

int image_command_parse(const char *text, ImageCommand *ret) {
        _cleanup_(image_command_done) ImageCommand c = { 0 };
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy;

        if (!copy)
                return -ENOMEM;
        while (*rest) {
                char *line = rest;
                int r;

                rest += strcspn(rest, "\n");
                if (*rest)
                        *rest++ = '\0';
                r = *line ? parse_line(&c, line) : 0;
                if (r < 0)
                        return r;
        }
        *ret = c;
        c = (ImageCommand){ 0 };
        return 0;
}

static int read_command(SourceJob *j, const char *layout, Error **err) {
        const char *const arguments[] = {
                "skopeo", "inspect", "--config", "--format", image_command_template, layout, NULL
        };
        _cleanup_free_ char *text = NULL;
        int r;

        r = tool_capture(&(Tool){ .arguments = (char *const *) arguments, .report = j->report },
                         CONFIG_MAX, &text, err);
        if (r < 0)
                return r;
        r = image_command_parse(text, &j->command);
        if (r == -EILSEQ)
                return strv_extend(&j->warnings,
                                   "the image's command has a line break or another control "
                                   "character in it, which no unit can carry: give <init> and "
                                   "<initarg> in the definition");
        return r < 0 ? error_set(err, -r, "the image's configuration cannot be understood") : 0;
}

static int copy_image(const SourceJob *j, const char *layout, Error **err) {
        _cleanup_free_ char *temporary = text_format("TMPDIR=%s", j->work);
        char *const environment[] = { temporary, NULL };
        const char *arguments[8] = { "skopeo" };
        size_t n = 1;

        if (!temporary)
                return -ENOMEM;
        if (j->bootstrap->verify == BOOTSTRAP_VERIFY_NO)
                arguments[n++] = "--insecure-policy";
        arguments[n++] = "copy";
        arguments[n++] = j->bootstrap->source;
        arguments[n++] = layout;
        return tool_run(&(Tool){ .arguments = (char *const *) arguments,
                                 .environment = environment,
                                 .kind = TOOL_SKOPEO,
                                 .report = j->report },
                        err);
}

static int unpack(const SourceJob *j, const char *image, Error **err) {
        const char *const arguments[] = { "umoci",   "raw", "unpack", "--keep-dirlinks",
                                          "--image", image, j->root,  NULL };

        return tool_run(&(Tool){ .arguments = (char *const *) arguments, .report = j->report },
                        err);
}

static int fill(SourceJob *j, Error **err) {
        _cleanup_free_ char *layout = text_format("oci:%s/oci:" IMAGE, j->work);
        int r;

        if (!layout)
                return -ENOMEM;
        if (!tool_exists("umoci"))
                return error_set(err, ENOENT, "umoci is not installed on this host: install umoci");
        r = copy_image(j, layout, err);
        if (r >= 0)
                r = read_command(j, layout, err);
        return r < 0 ? r : unpack(j, layout + strlen("oci:"), err);
}

/* "oci:DIR[:TAG]": what the folder has now says its index. Where an image of a registry stands now
 * is not asked: that is what the age of bases is for. Other places are not looked into. */
static int describe(SourceJob *j, BaseKey *k, Error **err) {
        const char *path = startswith(j->bootstrap->source, "oci:");
        _cleanup_free_ char *folder = NULL, *index = NULL;
        char *colon;
        int r;

        if (!path)
                return startswith(j->bootstrap->source, "docker://") ? 0 : 1;
        folder = strdup(path);
        if (!folder)
                return -ENOMEM;
        colon = strchr(folder, ':');
        if (colon)
                *colon = '\0';
        index = text_format("%s/index.json", folder);
        if (!index)
                return -ENOMEM;
        r = base_key_add_file(k, "Image", index, INDEX_MAX);
        return r < 0 ? error_set(err, -r, "%s cannot be read: %s", index, strerror(-r)) : 0;
}

const RootSource source_oci = {
        .type = BOOTSTRAP_OCI,
        .stage = "Fetching and unpacking the image",
        .cached = true,
        .makes_tree = true,
        .describe = describe,
        .fill = fill,
};
