/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/tool_output.h"

#include <ctype.h>

#include "units/conf_file.h"

/* Takes an escape sequence (ECMA-48) off the text; returns how long it is. */
static size_t escape_length(const char *s) {
        size_t n = 1;

        if (s[n] == '[') {
                for (n++; s[n] >= 0x20 && s[n] < 0x40; n++)
                        ;
                return s[n] ? n + 1 : n;
        }
        if (s[n] == ']') { /* ends with BEL */
                while (s[n] && s[n] != '\a')
                        n++;
                return s[n] ? n + 1 : n;
        }
        return s[n] ? 2 : 1;
}

/* In place: no control characters, no escape sequences, valid UTF-8, no blanks at the ends. */
static char *clean(char *line) {
        char *to = line;

        for (const char *from = line; *from;) {
                if (*from == '\x1b') {
                        from += escape_length(from);
                        continue;
                }
                *to++ = (unsigned char) *from < 0x20 || *from == 0x7f ? ' ' : *from;
                from++;
        }
        *to = '\0';
        if (!utf8_is_valid(line, (size_t) (to - line)))
                for (char *c = line; *c; c++)
                        if ((unsigned char) *c >= 0x80)
                                *c = '?';
        while (to > line && to[-1] == ' ')
                *--to = '\0';
        return line + strspn(line, " ");
}

void tool_lines_finish(ToolLines *l, ToolLineHandler line, void *userdata) {
        char *text;

        l->text[l->length] = '\0';
        l->length = 0;
        text = clean(l->text);
        if (*text)
                line(userdata, text);
}

void tool_lines_add(ToolLines *l, const char *data, size_t size, ToolLineHandler line,
                    void *userdata) {
        for (size_t i = 0; i < size; i++) {
                if (data[i] == '\n' || data[i] == '\r')
                        tool_lines_finish(l, line, userdata);
                else if (l->length < TOOL_LINE_MAX)
                        l->text[l->length++] = data[i] ? data[i] : ' ';
        }
}

static double advance(ToolProgress *p, double percent) {
        if (percent > 100)
                percent = 100;
        if (percent > p->percent)
                p->percent = percent;
        return p->percent;
}

static double begin_part(ToolProgress *p, double from, double to, unsigned total) {
        p->from = from;
        p->to = to;
        p->total = total;
        p->done = 0;
        return advance(p, from);
}

static double step(ToolProgress *p) {
        p->done++;
        if (p->total == 0 || p->done > p->total)
                return p->percent;
        return advance(p, p->from + (p->to - p->from) * p->done / p->total);
}

static unsigned number_before(const char *line, const char *word) {
        const char *end = strstr(line, word), *p = end;

        while (p && p > line && isdigit((unsigned char) p[-1]))
                p--;
        if (!p || p == end || end - p > 6)
                return 0;
        return (unsigned) strtoul(p, NULL, 10);
}

/*
 * mmdebstrap installs twice: the essential packages, which are downloaded, extracted and
 * configured, then with the new root's own apt all others. Each time apt says how many there are,
 * and then a line for each step of each.
 */
enum { ESSENTIAL_DOWNLOAD, ESSENTIAL_INSTALL, OTHER_DOWNLOAD, OTHER_INSTALL };

static double mmdebstrap_line(ToolProgress *p, const char *line) {
        unsigned n = number_before(line, " newly installed");
        unsigned total = p->total;

        if (startswith(line, "I: installing essential packages")) {
                p->part = ESSENTIAL_INSTALL;
                return begin_part(p, 25, 50, 2 * total);
        }
        if (startswith(line, "I: installing remaining packages")) {
                p->part = OTHER_DOWNLOAD;
                return begin_part(p, 50, 50, 0);
        }
        if (startswith(line, "I: cleaning"))
                return begin_part(p, 98, 100, 0);
        if (n > 0)
                return p->part == ESSENTIAL_DOWNLOAD ? begin_part(p, 3, 25, n)
                                                     : begin_part(p, 50, 65, n);
        if (startswith(line, "Get:") && p->total > 0)
                return step(p);
        if (startswith(line, "Unpacking ") || startswith(line, "Setting up ")) {
                if (p->part == OTHER_DOWNLOAD) {
                        p->part = OTHER_INSTALL;
                        (void) begin_part(p, 65, 98, 2 * total);
                }
                return step(p);
        }
        return p->percent;
}

/* debootstrap does not say how many there are: what it does next is all that is known. */
static double debootstrap_line(ToolProgress *p, const char *line) {
        static const struct {
                const char *begin;
                double percent;
        } parts[] = {
                { "I: Retrieving InRelease", 1 },
                { "I: Resolving dependencies", 5 },
                { "I: Retrieving ", 8 },
                { "I: Chosen extractor", 30 },
                { "I: Installing core packages", 45 },
                { "I: Unpacking required packages", 50 },
                { "I: Configuring required", 60 },
                { "I: Unpacking the base system", 70 },
                { "I: Configuring the base", 85 },
                { "I: Base system installed", 100 },
        };

        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                if (startswith(line, parts[i].begin))
                        return advance(p, parts[i].percent);
        return p->percent;
}

/* "12/165" somewhere in the line; false if there is none, or one that cannot be. */
static bool find_fraction(const char *line, unsigned *ret_done, unsigned *ret_total) {
        for (const char *slash = strchr(line, '/'); slash; slash = strchr(slash + 1, '/')) {
                const char *p = slash, *end = slash + 1;
                unsigned long done, total;

                while (p > line && isdigit((unsigned char) p[-1]))
                        p--;
                while (isdigit((unsigned char) *end))
                        end++;
                if (p == slash || end == slash + 1 || slash - p > 6 || end - slash > 7 ||
                    (p > line && !strchr(" ([", p[-1])) || (*end && !strchr(" )]:", *end)))
                        continue;
                done = strtoul(p, NULL, 10);
                total = strtoul(slash + 1, NULL, 10);
                if (done == 0 || done > total)
                        continue;
                *ret_done = (unsigned) done;
                *ret_total = (unsigned) total;
                return true;
        }
        return false;
}

/*
 * 4: "(12/165): bash-5.2.rpm", later "Installing : bash-5.2 12/165", "Verifying : bash-5.2 12/165".
 * 5: "[ 12/165] bash-0:5.2", later "[ 12/167] Installing bash-0:5.2".
 */
static double dnf_line(ToolProgress *p, const char *line) {
        unsigned done, total;
        double from = 5, to = 50;

        if (strstr(line, "Running transaction check")) {
                p->part = 1;
                return advance(p, 50);
        }
        /* ("1/1", of its own.) */
        if (startswith(line, "Preparing ") || !find_fraction(line, &done, &total))
                return p->percent;
        if (strstr(line, "Verifying")) {
                from = 95;
                to = 100;
        } else if (strstr(line, "Installing") || strstr(line, "Upgrading") ||
                   strstr(line, "Running scriptlet") || strstr(line, "Prepare transaction") ||
                   strstr(line, "Verify package") || p->part > 0) {
                p->part = 1;
                from = 50;
                to = 95;
        }
        return advance(p, from + (to - from) * done / total);
}

/* A line for each layer, which are not counted in advance. */
static double skopeo_line(ToolProgress *p, const char *line) {
        if (startswith(line, "Copying blob"))
                return advance(p, p->percent + (80 - p->percent) / 6);
        if (startswith(line, "Copying config"))
                return advance(p, 90);
        if (startswith(line, "Writing manifest"))
                return advance(p, 95);
        return p->percent;
}

double tool_progress_line(ToolProgress *p, const char *line) {
        switch (p->kind) {
        case TOOL_PLAIN:
                return -1;
        case TOOL_MMDEBSTRAP:
                return mmdebstrap_line(p, line);
        case TOOL_DEBOOTSTRAP:
                return debootstrap_line(p, line);
        case TOOL_DNF:
                return dnf_line(p, line);
        case TOOL_SKOPEO:
                return skopeo_line(p, line);
        }
        return -1;
}

#define HINT_KEY_PLACE                                                                             \
        "name it: Key= of the recipe (ctvirt-recipe(5)), or <ct:repository key=…> in the "       \
        "definition."
#define HINT_KEY "The repository is signed with a key that is not trusted; " HINT_KEY_PLACE

/* The first that is found in one of the last lines counts; so causes stand before what follows from
 * them. */
static const struct {
        const char *pattern;
        int code;
        const char *hint;
} hints[] = {
        { "No space left on device", ENOSPC,
          "There is no space left: remove what is not needed (ctvirt vol-list, ctvirt base-list), or "
          "enlarge the filesystem." },
        { "Disk quota exceeded", EDQUOT, "The quota of the container is too small for it." },
        { "Temporary failure resolving", ENETUNREACH,
          "The mirror's name cannot be resolved: check the host's network and DNS." },
        { "Temporary failure in name resolution", ENETUNREACH,
          "The mirror's name cannot be resolved: check the host's network and DNS." },
        { "Could not resolve", ENETUNREACH,
          "The mirror's name cannot be resolved: check the host's network and DNS." },
        { "no such host", ENETUNREACH,
          "The name cannot be resolved: check it, and the host's DNS." },
        { "Network is unreachable", ENETUNREACH,
          "The host has no network; a mirror on this host (file:///…) needs none." },
        { "network is unreachable", ENETUNREACH, "The host has no network." },
        { "Connection refused", ECONNREFUSED,
          "Nobody listens there: check the URL and the proxy." },
        { "connection refused", ECONNREFUSED,
          "Nobody listens there: check the URL and the proxy." },
        { "Connection timed out", ETIMEDOUT, "The mirror does not answer: try another." },
        { "Timeout was reached", ETIMEDOUT, "The mirror does not answer: try another." },
        { "i/o timeout", ETIMEDOUT, "The registry does not answer." },
        { "NO_PUBKEY", EKEYREJECTED, HINT_KEY },
        { "Missing key", EKEYREJECTED, HINT_KEY },
        { "BADSIG", EKEYREJECTED, "A signature is wrong: do not use this mirror." },
        { "EXPKEYSIG", EKEYREJECTED,
          "The key of the repository is too old: update the package that holds it." },
        { "is not signed", EKEYREJECTED,
          "It has no signature that can be checked: use a mirror that is signed; where its key is "
          "another, " HINT_KEY_PLACE },
        { "GPG check FAILED", EKEYREJECTED,
          "A package has no signature by the keys that were named: check the key." },
        { "Public key for", EKEYREJECTED,
          "A package has no signature by the keys that were named: check the key." },
        { "signature verification failed", EKEYREJECTED, "A signature is wrong: check the key." },
        { "Signature verification failed", EKEYREJECTED,
          "It is signed by nobody whose key is in /etc/systemd/import-pubring.gpg or "
          "/usr/lib/systemd/import-pubring.gpg: put the key of who made it into the first of them." },
        { "Failed to retrieve signature file", EKEYREJECTED,
          "Nobody has signed it: name its SHA-256 in the definition (<ct:verify sha256=…/>), or be "
          "content with the sums of the server (checksum)." },
        { "did not check out", EBADMSG,
          "It is not what the server has the sum of: it is damaged, or another one." },
        { "Couldn't connect to server", ECONNREFUSED,
          "Nobody listens there: check the URL and the proxy." },
        { "Couldn't download", ENETUNREACH, "A package cannot be fetched: check the mirror." },
        { "Unable to locate package", ENOENT,
          "There is no such package in these repositories: check its name and the release." },
        { "has no installation candidate", ENOENT,
          "There is no such package in these repositories: check its name and the release." },
        { "Couldn't find these debs", ENOENT,
          "There is no such package in these repositories: check its name and the release." },
        { "No match for argument", ENOENT,
          "There is no such package in these repositories: check its name and the release." },
        { "Unable to find a match", ENOENT,
          "There is no such package in these repositories: check its name and the release." },
        { "does not have a Release file", ENOENT,
          "The mirror does not have this release: check release and URL." },
        { "Failed getting release file", ENOENT,
          "The mirror does not have this release: check release and URL." },
        { "Failed to download metadata", ENOENT,
          "The repository cannot be read: check release and URL." },
        { "404", ENOENT, "It is not there: check release and URL." },
        { "manifest unknown", ENOENT, "There is no such image or tag." },
        { "unauthorized", EACCES,
          "The registry wants a login (skopeo login), or has no such image." },
        { "authentication required", EACCES, "The registry wants a login (skopeo login)." },
        { "certificate", EKEYREJECTED,
          "The server's certificate is not trusted: check the host's clock and CA certificates." },
        { "Read-only file system", EROFS, "Something that has to be written is read-only." },
        { "Permission denied", EACCES,
          "Something is denied to the job: the journal may say more." },
};

const char *tool_hint(char *const *lines, int *ret_code) {
        for (size_t i = 0; i < ELEMENTSOF(hints); i++)
                for (char *const *l = lines; l && *l; l++)
                        if (strstr(*l, hints[i].pattern)) {
                                *ret_code = hints[i].code;
                                return hints[i].hint;
                        }
        *ret_code = EIO;
        return NULL;
}
