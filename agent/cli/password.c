/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/cli/password.h"

#include <crypt.h>
#include <termios.h>

#define PASSWORD_MAX 512
#define METHOD "$y$" /* yescrypt */

static int hash(Cli *cli, const char *password, char **ret) {
        char setting[CRYPT_GENSALT_OUTPUT_SIZE];
        struct crypt_data *data;
        const char *result;

        data = calloc(1, sizeof(*data));
        if (!data)
                return -ENOMEM;
        result = crypt_gensalt_rn(METHOD, 0, NULL, 0, setting, sizeof(setting))
                         ? crypt_rn(password, setting, data, sizeof(*data))
                         : NULL;
        *ret = result ? strdup(result) : NULL;
        explicit_bzero(data, sizeof(*data));
        free(data);
        if (!*ret)
                output_error(&cli->output, "cannot hash the password");
        return *ret ? 0 : -EIO;
}

/* One line of the terminal without showing it. */
static int ask(Cli *cli, const char *prompt, char buffer[static PASSWORD_MAX]) {
        struct termios old, quiet;
        bool read;

        if (tcgetattr(STDIN_FILENO, &old) < 0) {
                output_error(&cli->output,
                             "there is no terminal to ask for the password on; use --password");
                return -ENOTTY;
        }
        quiet = old;
        quiet.c_lflag &= (tcflag_t) ~ECHO;
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        (void) fputs(prompt, cli->output.err);
        (void) fflush(cli->output.err);
        read = fgets(buffer, PASSWORD_MAX, stdin);
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        (void) fputs("\n", cli->output.err);
        if (!read) {
                output_error(&cli->output, "no password was given");
                return -ENODATA;
        }
        buffer[strcspn(buffer, "\n")] = '\0';
        return 0;
}

static int ask_twice(Cli *cli, char **ret) {
        char first[PASSWORD_MAX] = "", second[PASSWORD_MAX] = "";
        int r;

        r = ask(cli, "New password: ", first);
        if (r >= 0)
                r = ask(cli, "Retype new password: ", second);
        if (r >= 0 && !streq(first, second)) {
                output_error(&cli->output, "the passwords are not the same");
                r = -EINVAL;
        }
        if (r >= 0)
                r = hash(cli, first, ret);
        explicit_bzero(first, sizeof(first));
        explicit_bzero(second, sizeof(second));
        return r;
}

int password_hash(Cli *cli, const char *password, bool encrypted, char **ret) {
        if (!password && encrypted) {
                output_error(&cli->output, "option --encrypted requires --password");
                return -EINVAL;
        }
        if (encrypted) {
                *ret = strdup(password);
                return *ret ? 0 : -ENOMEM;
        }
        return password ? hash(cli, password, ret) : ask_twice(cli, ret);
}
