/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/job_spec.h"

#include <dirent.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "agent/bootstrap/bootstrap.h"
#include "agent/pool/snapshot.h"
#include "base/fileio.h"
#include "base/name.h"
#include "xml/container_def.h"

#define SPEC_MAX (16 * 1024)
#define VALUE_MAX 4096

static const char *const kind_names[] = {
        [JOB_BOOTSTRAP] = "bootstrap",
        [JOB_VOLUME_CLONE] = "volume-clone",
        [JOB_VOLUME_DOWNLOAD] = "volume-download",
        [JOB_VOLUME_UPLOAD] = "volume-upload",
        [JOB_VOLUME_RESIZE] = "volume-resize",
        [JOB_VOLUME_RENAME] = "volume-rename",
        [JOB_VOLUME_DELETE] = "volume-delete",
        [JOB_SNAPSHOT_CREATE] = "snapshot-create",
        [JOB_SNAPSHOT_REVERT] = "snapshot-revert",
        [JOB_SNAPSHOT_DELETE] = "snapshot-delete",
        [JOB_BASE_DELETE] = "base-delete",
        [JOB_EXPORT] = "export",
        [JOB_IMPORT] = "import",
        [JOB_POOL_BUILD] = "pool-build",
        [JOB_POOL_REPAIR] = "pool-repair",
        [JOB_CLEAN] = "clean",
};

const char *job_kind_to_string(JobKind k) {
        return (size_t) k < ELEMENTSOF(kind_names) ? kind_names[k] : NULL;
}

int job_kind_from_string(const char *s) {
        for (size_t i = 0; i < ELEMENTSOF(kind_names); i++)
                if (streq(s, kind_names[i]))
                        return (int) i;
        return -EINVAL;
}

bool job_id_is_valid(const char *s) {
        return strlen(s) == JOB_ID_LENGTH && strspn(s, "0123456789abcdef") == JOB_ID_LENGTH;
}

JobSpec *job_spec_free(JobSpec *spec) {
        if (!spec)
                return NULL;
        free(spec->id);
        free(spec->name);
        free(spec->source);
        free(spec->snapshot);
        free(spec->text);
        free(spec->compression);
        free(spec->definition);
        free(spec);
        return NULL;
}

const char *job_spec_frozen(const JobSpec *spec) {
        return spec->source ? spec->source : spec->name;
}

/*
 * The file
 */

/* One line of any text. */
static bool is_line(const char *s) {
        for (const char *p = s; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f)
                        return false;
        return strlen(s) <= VALUE_MAX;
}

static int take_text(const char *value, char **field) {
        char *copy;

        if (*field || !is_line(value))
                return -EINVAL;
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        *field = copy;
        return 0;
}

static int take_number(const char *value, uint64_t max, uint64_t *ret) {
        unsigned long long n;
        char *end;

        if (*value < '0' || *value > '9')
                return -EINVAL;
        errno = 0;
        n = strtoull(value, &end, 10);
        if (errno != 0 || *end || n > max)
                return -EINVAL;
        *ret = n;
        return 0;
}

static int take_flags(const char *value, JobFlags *ret) {
        uint64_t flags;
        int r = take_number(value, JOB_FLAGS_ALL, &flags);

        if (r >= 0)
                *ret = (JobFlags) flags;
        return r;
}

static int take_kind(const char *value, JobKind *ret) {
        int kind = job_kind_from_string(value);

        if (kind < 0)
                return kind;
        *ret = (JobKind) kind;
        return 0;
}

static int take_assignment(const char *key, const char *value, JobSpec *s, bool *has_kind) {
        if (streq(key, "KIND")) {
                *has_kind = true;
                return take_kind(value, &s->kind);
        }
        if (streq(key, "NAME"))
                return take_text(value, &s->name);
        if (streq(key, "SOURCE"))
                return take_text(value, &s->source);
        if (streq(key, "SNAPSHOT"))
                return take_text(value, &s->snapshot);
        if (streq(key, "TEXT"))
                return take_text(value, &s->text);
        if (streq(key, "COMPRESSION"))
                return take_text(value, &s->compression);
        if (streq(key, "SIZE"))
                return take_number(value, UINT64_MAX, &s->size);
        if (streq(key, "BASE_MAX_AGE_USEC"))
                return take_number(value, UINT64_MAX, &s->base_max_age_usec);
        if (streq(key, "FLAGS"))
                return take_flags(value, &s->flags);
        return -EINVAL;
}

static int check(const JobSpec *s, Error **err) {
        const char *const texts[] = { s->source, s->text, s->compression };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (texts[i] && !is_line(texts[i]))
                        return error_set(err, EINVAL,
                                         "a text with control characters, or too long");
        if (s->name && !container_name_is_valid(s->name))
                return error_set(err, EINVAL, "'%s' is no name of a container", s->name);
        if (s->snapshot && !snapshot_name_is_valid(s->snapshot))
                return error_set(err, EINVAL, "'%s' is no name of a snapshot", s->snapshot);
        return 0;
}

static int parse(char *text, JobSpec *s, Error **err) {
        bool has_kind = false;
        char *line, *rest = text;

        for (unsigned number = 1; (line = strsep(&rest, "\n")); number++) {
                char *equals = strchr(line, '=');
                int r;

                if (!*line)
                        continue;
                if (equals)
                        *equals = '\0';
                r = equals ? take_assignment(line, equals + 1, s, &has_kind) : -EINVAL;
                if (r < 0)
                        return error_set_at(err, -r, "job", number, "not understood: %s", line);
        }
        return has_kind ? check(s, err) : error_set(err, EINVAL, "no KIND");
}

int job_spec_parse(const char *text, size_t size, JobSpec **ret, Error **err) {
        _cleanup_job_spec_ JobSpec *s = calloc(1, sizeof(*s));
        _cleanup_free_ char *copy = strndup(text, size);
        int r;

        if (!s || !copy)
                return -ENOMEM;
        if (strlen(copy) != size)
                return error_set(err, EINVAL, "it is no text");
        s->size = UINT64_MAX;
        s->base_max_age_usec = BOOTSTRAP_BASE_MAX_AGE_USEC;
        r = parse(copy, s, err);
        if (r >= 0)
                *ret = TAKE_PTR(s);
        return r;
}

static int load_definition(int jobs_fd, JobSpec *s) {
        _cleanup_free_ char *path = NULL;
        size_t size;
        int r;

        if (asprintf(&path, "%s/definition.xml", s->id) < 0)
                return -ENOMEM;
        r = read_file_at(jobs_fd, path, CONTAINER_XML_MAX, false, &s->definition, &size);
        if (r == -ENOENT)
                return 0;
        return r >= 0 && strlen(s->definition) != size ? -EINVAL : r;
}

bool job_spec_learn_name(int jobs_fd, JobSpec *spec) {
        _cleanup_free_ char *path = NULL, *name = NULL;
        size_t size;

        if (spec->name || spec->kind != JOB_IMPORT)
                return false;
        if (asprintf(&path, "%s/name", spec->id) < 0) {
                path = NULL;
                return false;
        }
        if (read_file_at(jobs_fd, path, VALUE_MAX, false, &name, &size) < 0 ||
            !container_name_is_valid(name))
                return false;
        spec->name = TAKE_PTR(name);
        return true;
}

int job_spec_load(int jobs_fd, const char *id, JobSpec **ret, Error **err) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        _cleanup_job_spec_ JobSpec *s = NULL;
        size_t size;
        int r;

        if (!job_id_is_valid(id))
                return error_set(err, EINVAL, "'%s' is no ID of a job", id);
        if (asprintf(&path, "%s/job", id) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = read_file_at(jobs_fd, path, SPEC_MAX, false, &text, &size);
        if (r < 0)
                return error_set(err, -r, "cannot read job %s: %s", id, strerror(-r));
        r = job_spec_parse(text, size, &s, err);
        if (r < 0 || !s)
                return r < 0 ? r : -ENOMEM;
        s->id = strdup(id);
        if (!s->id)
                return -ENOMEM;
        r = load_definition(jobs_fd, s);
        if (r < 0)
                return error_set(err, -r, "cannot read the definition of job %s: %s", id,
                                 strerror(-r));
        (void) job_spec_learn_name(jobs_fd, s);
        *ret = TAKE_PTR(s);
        return 0;
}

static void print_text(FILE *f, const char *key, const char *value) {
        if (value)
                fprintf(f, "%s=%s\n", key, value);
}

int job_spec_format(const JobSpec *s, char **ret, size_t *ret_size) {
        FILE *f = open_memstream(ret, ret_size);

        if (!f)
                return -ENOMEM;
        print_text(f, "KIND", job_kind_to_string(s->kind));
        print_text(f, "NAME", s->name);
        print_text(f, "SOURCE", s->source);
        print_text(f, "SNAPSHOT", s->snapshot);
        print_text(f, "TEXT", s->text);
        print_text(f, "COMPRESSION", s->compression);
        if (s->size != UINT64_MAX)
                fprintf(f, "SIZE=%" PRIu64 "\n", s->size);
        if (s->kind == JOB_BOOTSTRAP)
                fprintf(f, "BASE_MAX_AGE_USEC=%" PRIu64 "\n", s->base_max_age_usec);
        if (s->flags != 0)
                fprintf(f, "FLAGS=%u\n", (unsigned) s->flags);
        return fclose(f) != 0 ? -ENOMEM : 0;
}

static int save_file(int jobs_fd, const char *id, const char *name, const char *text, size_t size) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s", id, name) < 0)
                return -ENOMEM;
        r = write_file_at(jobs_fd, path, text, size, 0600, 0);
        return r < 0 ? r : 0;
}

int job_spec_note_name(int jobs_fd, const char *id, const char *name) {
        return save_file(jobs_fd, id, "name", name, strlen(name));
}

int job_spec_save(int jobs_fd, const JobSpec *spec) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (!job_id_is_valid(spec->id) || check(spec, NULL) < 0)
                return -EINVAL;
        r = job_spec_format(spec, &text, &size);
        if (r < 0)
                return r;
        if (mkdirat(jobs_fd, spec->id, 0700) < 0)
                return negative_errno();
        if (spec->definition)
                r = save_file(jobs_fd, spec->id, "definition.xml", spec->definition,
                              strlen(spec->definition));
        /* Last: a folder without it is no job. */
        if (r >= 0)
                r = save_file(jobs_fd, spec->id, "job", text, size);
        if (r < 0)
                (void) job_spec_remove(jobs_fd, spec->id);
        return r;
}

/*
 * All of them
 */

static int open_directory(int dir_fd, const char *name, DIR **ret) {
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return negative_errno();
        *ret = fdopendir(fd);
        if (!*ret) {
                int r = negative_errno();

                (void) close(fd);
                return r;
        }
        return 0;
}

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

int job_spec_list(int jobs_fd, char ***ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_strv_ char **ids = NULL;
        const struct dirent *e;
        int r;

        r = open_directory(jobs_fd, ".", &d);
        if (r < 0)
                return r;
        while ((e = readdir(d))) {
                r = job_id_is_valid(e->d_name) ? strv_extend(&ids, e->d_name) : 0;
                if (r < 0)
                        return r;
        }
        strv_sort(ids);
        *ret = TAKE_PTR(ids);
        return 0;
}

int job_spec_remove(int jobs_fd, const char *id) {
        _cleanup_(closedirp) DIR *d = NULL;
        const struct dirent *e;
        int r;

        if (!job_id_is_valid(id))
                return -EINVAL;
        r = open_directory(jobs_fd, id, &d);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        while ((e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        (void) unlinkat(dirfd(d), e->d_name, 0);
        return unlinkat(jobs_fd, id, AT_REMOVEDIR) < 0 ? negative_errno() : 0;
}
