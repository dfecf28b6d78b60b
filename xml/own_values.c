/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "xml/own_values.h"

#include "base/name.h"
#include "base/strv.h"
#include "xml/container_values.h"
#include "xml/first_boot_def.h"
#include "xml/xml_compat.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM LOWER UPPER DIGITS
#define HEX DIGITS "abcdefABCDEF"
#define BASE64 ALNUM "+/="

/* RFC 3986 without "'" and ',', which part the values of lists in the configuration of tools. */
#define URL_CHARACTERS ALNUM "-._~:/?#[]@!$&()*+;=%"

/* From 1 to max characters, the first of them one of first, the others of rest. */
static bool consists_of(const char *s, const char *first, const char *rest, size_t max) {
        size_t n;

        if (!*s || !strchr(first, *s))
                return false;
        n = 1 + strspn(s + 1, rest);
        return s[n] == '\0' && n <= max;
}

static bool file_word_is_valid(const char *s) {
        return consists_of(s, ALNUM, ALNUM "._+~-", 64);
}

static bool base_is_valid(const char *s) {
        return consists_of(s, ALNUM, ALNUM "._+~-", 128);
}

static bool architecture_is_valid(const char *s) {
        return consists_of(s, ALNUM, ALNUM "_-", 32);
}

/* s behind the scheme: a host, then anything. No user and password before the host: definitions,
 * the arguments of processes, and the journal are read by others. */
static bool location_is_valid(const char *s) {
        return consists_of(s, ALNUM "[", URL_CHARACTERS, 4096) &&
               !memchr(s, '@', strcspn(s, "/?#"));
}

static bool web_is_valid(const char *s) {
        const char *rest = startswith(s, "https://");

        if (!rest)
                rest = startswith(s, "http://");
        return rest && location_is_valid(rest);
}

static bool mirror_is_valid(const char *s) {
        const char *path = startswith(s, "file://");

        return path ? consists_of(path, "/", URL_CHARACTERS, 4096) : web_is_valid(s);
}

static bool path_is_valid(const char *s) {
        _cleanup_free_ char *path = NULL;

        return clean_path(s, &path) >= 0 && streq(path, s);
}

static bool repository_key_is_valid(const char *s) {
        return *s == '/' ? path_is_valid(s) : mirror_is_valid(s);
}

/* Of dnf: "vim", "@core", "@^minimal-environment", "/usr/bin/vi"; of apt: "vim:amd64", "vim=2:9.0".
 */
static bool package_is_valid(const char *s) {
        return consists_of(s, ALNUM "@/", ALNUM "@^+._:~=/-", 256);
}

static bool image_is_valid(const char *s) {
        static const char *const on_disk[] = { "oci:", "oci-archive:" };
        const char *rest = startswith(s, "docker://");

        if (rest)
                return consists_of(rest, ALNUM "[", ALNUM "[]._:/@-", 1024);
        for (size_t i = 0; i < ELEMENTSOF(on_disk); i++) {
                rest = startswith(s, on_disk[i]);
                if (rest)
                        return path_is_valid(rest);
        }
        return false;
}

static bool sha256_is_valid(const char *s) {
        return strlen(s) == 64 && strspn(s, HEX) == 64;
}

static bool locale_is_valid(const char *s) {
        return consists_of(s, ALNUM, ALNUM "_.@:+-", 128);
}

static bool keymap_is_valid(const char *s) {
        return consists_of(s, ALNUM, ALNUM "_.@+-", 64);
}

static bool timezone_is_valid(const char *s) {
        return consists_of(s, ALNUM, ALNUM "_+/-", 128) && !strstr(s, "//") && !endswith(s, "/");
}

static bool machine_id_is_valid(const char *s) {
        if (streq(s, "uninitialized"))
                return true;
        return strlen(s) == 32 && strspn(s, HEX) == 32 && strspn(s, "0") < 32;
}

static bool user_is_valid(const char *s) {
        return consists_of(s, LOWER UPPER "_", ALNUM "_.-", 32);
}

static bool key_type_is_valid(const char *s, size_t length) {
        static const char *const prefixes[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-" };

        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (length > strlen(prefixes[i]) &&
                    strncmp(s, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;
        return false;
}

/* The length of the options of authorized_keys(5), which may have blanks between double quotes. */
static size_t option_length(const char *s) {
        bool quoted = false;
        size_t n;

        for (n = 0; s[n] && (quoted || (s[n] != ' ' && s[n] != '\t')); n++)
                if (s[n] == '\\' && s[n + 1] == '"')
                        n++;
                else if (s[n] == '"')
                        quoted = !quoted;
        return n;
}

/* [options] type key [comment]; the first bytes of each key are the length of its type, so that its
 * text begins with AAAA. */
static bool ssh_key_is_valid(const char *s) {
        size_t n = option_length(s);

        if (has_control_character(s) || strlen(s) > 16384)
                return false;
        if (!key_type_is_valid(s, n)) {
                s += n + strspn(s + n, " ");
                n = strcspn(s, " ");
        }
        if (!key_type_is_valid(s, n))
                return false;
        s += n + strspn(s + n, " ");
        n = strspn(s, BASE64);
        return n > 32 && startswith(s, "AAAA") && (s[n] == ' ' || s[n] == '\0');
}

static bool domain_is_valid(const char *s) {
        size_t length = strlen(s);

        if (length == 0 || length > 253 || strspn(s, ALNUM "_.-") != length)
                return false;
        for (;;) {
                size_t n = strcspn(s, ".");

                if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
                        return false;
                if (s[n] == '\0')
                        return true;
                s += n + 1;
        }
}

bool password_hash_is_valid(const char *s) {
        bool locked = *s == '!';
        size_t n = 0;

        if (strlen(s) > 512)
                return false;
        s += locked ? 1 : 0;
        if (*s == '\0' || streq(s, "*"))
                return locked || *s == '*';
        if (*s != '$' || strspn(s, ALNUM "./$,=+_@-") != strlen(s) || strstr(s, "$$"))
                return false;
        for (const char *p = s; *p; p++)
                n += *p == '$';
        return n >= 3 && !endswith(s, "$");
}

#define FILE_WORD_EXPECTED "letters, digits, '.', '_', '+', '~' and '-', at most 64"
#define URL_EXPECTED ", without user and password, blanks, quotes and commas"
#define PATH_EXPECTED "an absolute path without '..', '//' and control characters"

const ValueKind value_recipe = { "recipe", FILE_WORD_EXPECTED, file_word_is_valid };
const ValueKind value_release = { "release", FILE_WORD_EXPECTED, file_word_is_valid };
const ValueKind value_architecture = {
        "architecture",
        "a word such as amd64, arm64, x86_64 or aarch64",
        architecture_is_valid,
};
const ValueKind value_mirror = {
        "URL",
        "http://HOST/…, https://HOST/… or file:///…" URL_EXPECTED,
        mirror_is_valid,
};
const ValueKind value_web = {
        "URL",
        "http://HOST/… or https://HOST/…" URL_EXPECTED,
        web_is_valid,
};
const ValueKind value_repository_id = {
        "id of a repository",
        FILE_WORD_EXPECTED,
        file_word_is_valid,
};
const ValueKind value_repository_key = {
        "key of a repository",
        "an absolute path, or a URL of http, https or file",
        repository_key_is_valid,
};
const ValueKind value_package = {
        "package",
        "the name of one package, as apt or dnf take it",
        package_is_valid,
};
const ValueKind value_path = { "path", PATH_EXPECTED, path_is_valid };
const ValueKind value_container = {
        "container",
        "the name of a container: letters, digits, '-', '_' and single dots",
        container_name_is_valid,
};
const ValueKind value_base = { "base",
                               "the key of a base: letters, digits, '.', '_', '+', '~' and '-'",
                               base_is_valid };
const ValueKind value_image = {
        "image",
        "docker://HOST/IMAGE:TAG, oci:/DIRECTORY:TAG or oci-archive:/FILE",
        image_is_valid,
};
const ValueKind value_sha256 = { "SHA-256 sum", "64 hex digits", sha256_is_valid };

const ValueKind value_hostname = {
        "host name",
        "letters, digits, '-', '_' and single dots, at most 64",
        container_name_is_valid,
};
const ValueKind value_password_hash = {
        "password hash",
        "what crypt(5) makes, $ID$SALT$HASH (mkpasswd or openssl passwd print one), or '!' or '*' "
        "for no password",
        password_hash_is_valid,
        .secret = true,
};
const ValueKind value_locale = { "locale", "a name such as de_DE.UTF-8", locale_is_valid };
const ValueKind value_keymap = { "keymap", "a name such as de-latin1", keymap_is_valid };
const ValueKind value_timezone = {
        "time zone",
        "a name such as Europe/Berlin",
        timezone_is_valid,
};
const ValueKind value_machine_id = {
        "machine id",
        "32 hex digits, not all 0, or 'uninitialized'",
        machine_id_is_valid,
};
const ValueKind value_user = {
        "user",
        "letters, digits, '_', '.' and '-', no digit first, at most 32",
        user_is_valid,
};
const ValueKind value_ssh_key = {
        "SSH key", "one line of a public key file, such as 'ssh-ed25519 AAAA… me@host'",
        ssh_key_is_valid, .secret = true, /* it may be the private one */
};
const ValueKind value_domain = { "domain", "a DNS name such as example.lan", domain_is_valid };

int value_check(const ValueKind *kind, const char *s, Error **err) {
        if (!s || kind->is_valid(s))
                return 0;
        if (kind->secret)
                return error_set(err, EINVAL, "invalid %s: expected %s", kind->what,
                                 kind->expected);
        return error_set(err, EINVAL, "invalid %s '%s': expected %s", kind->what, XML_SHOW(s),
                         kind->expected);
}

int value_check_all(const ValueKind *kind, char *const *v, Error **err) {
        for (; v && *v; v++) {
                int r = value_check(kind, *v, err);

                if (r < 0)
                        return r;
        }
        return 0;
}
