/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/failure_journal.h"

#include "units/conf_file.h"

#define IDENTIFIER "systemd-nspawn"
#define ENTRIES_MAX 32 /* of one invocation; what is older explains nothing */

/* What follows a cause; the cause itself stands before it. */
static const char *const consequences[] = {
        "Child died too early",
        "Parent died too early",
};

static bool is_consequence(const char *line) {
        for (size_t i = 0; i < ELEMENTSOF(consequences); i++)
                if (startswith(line, consequences[i]))
                        return true;
        return false;
}

static void make_printable(char *line) {
        bool utf8 = utf8_is_valid(line, strlen(line));

        for (char *p = line; *p; p++) {
                unsigned char c = (unsigned char) *p;

                if (c < ' ' || c == 0x7f || (!utf8 && c > 0x7f))
                        *p = '?';
        }
}

/* Cut between characters: bytes that only continue one go with it. */
static size_t shortened(const char *data, size_t size) {
        if (size <= FAILURE_LINE_MAX)
                return size;
        size = FAILURE_LINE_MAX;
        while (size > 0 && ((unsigned char) data[size] & 0xc0) == 0x80)
                size--;
        return size;
}

char *failure_line_clean(const char *data, size_t size) {
        char *line;

        while (size > 0 && (*data == ' ' || *data == '\t')) {
                data++;
                size--;
        }
        while (size > 0 && strchr(" \t\r\n", data[size - 1]))
                size--;
        if (size == 0)
                return NULL;

        line = strndup(data, shortened(data, size));
        if (!line)
                return NULL;
        make_printable(line);
        if (*line && !is_consequence(line))
                return line;
        free(line);
        return NULL;
}

int failure_journal_open(sd_journal **ret) {
        _cleanup_(sd_journal_closep) sd_journal *journal = NULL;
        int r;

        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;
        /* From now on sd_journal_process() notices files that are made. */
        r = sd_journal_get_fd(journal);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(journal);
        return 0;
}

static int add_match(sd_journal *journal, const char *match) {
        return sd_journal_add_match(journal, match, 0);
}

/* By the invocation, which all processes of nspawn share; and by nspawn's pid, as journald cannot
 * find out the unit of a process that is gone when it looks. */
static int set_matches(sd_journal *journal, const FailureQuestion *q) {
        char invocation[] = "_SYSTEMD_INVOCATION_ID=" SD_ID128_FORMAT_STR;
        char pid[] = "_PID=4294967295";
        int r;

        (void) snprintf(invocation, sizeof(invocation), "_SYSTEMD_INVOCATION_ID=%s",
                        SD_ID128_TO_STRING(q->invocation));
        (void) snprintf(pid, sizeof(pid), "_PID=%u", q->pid);

        sd_journal_flush_matches(journal);
        r = add_match(journal, invocation);
        if (r >= 0)
                r = add_match(journal, "SYSLOG_IDENTIFIER=" IDENTIFIER);
        if (r >= 0 && q->pid > 0)
                r = sd_journal_add_disjunction(journal);
        if (r >= 0 && q->pid > 0)
                r = add_match(journal, pid);
        if (r >= 0 && q->pid > 0)
                r = add_match(journal, "SYSLOG_IDENTIFIER=" IDENTIFIER);
        return r;
}

static char *read_line(sd_journal *journal) {
        const void *data;
        size_t size, prefix = strlen("MESSAGE=");

        if (sd_journal_get_data(journal, "MESSAGE", &data, &size) < 0 || size < prefix)
                return NULL;
        return failure_line_clean((const char *) data + prefix, size - prefix);
}

/* That of the newest entry. Not sd_id128_get_boot(): where the host is a container itself, our
 * sandbox shows the id of the machine below. */
static int current_boot(sd_journal *journal, sd_id128_t *ret) {
        uint64_t usec;

        sd_journal_flush_matches(journal);
        if (sd_journal_seek_tail(journal) < 0 || sd_journal_previous(journal) <= 0)
                return -ENODATA;
        return sd_journal_get_monotonic_usec(journal, &usec, ret);
}

/* The pid had other owners before, in this boot and in others. */
static bool is_of_this_start(sd_journal *journal, const FailureQuestion *question,
                             sd_id128_t boot) {
        sd_id128_t entry_boot;
        uint64_t usec;

        return sd_journal_get_monotonic_usec(journal, &usec, &entry_boot) >= 0 &&
               sd_id128_equal(entry_boot, boot) && usec >= question->start_usec;
}

char *failure_journal_find(sd_journal *journal, const FailureQuestion *question) {
        sd_id128_t boot;
        char *line = NULL;

        (void) sd_journal_process(journal);
        if (current_boot(journal, &boot) < 0 || set_matches(journal, question) < 0 ||
            sd_journal_seek_tail(journal) < 0)
                return NULL;
        for (unsigned i = 0; i < ENTRIES_MAX && !line && sd_journal_previous(journal) > 0; i++) {
                if (!is_of_this_start(journal, question, boot))
                        break;
                line = read_line(journal);
        }
        return line;
}
