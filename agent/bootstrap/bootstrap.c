/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/bootstrap/bootstrap.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/bootstrap/base_cache.h"
#include "agent/bootstrap/first_boot.h"
#include "agent/bootstrap/image_program.h"
#include "agent/bootstrap/root_check.h"
#include "agent/bootstrap/source.h"
#include "agent/pool/tree_remove.h"
#include "agent/pool/volume.h"
#include "base/name.h"
#include "units/text.h"

typedef enum BootstrapStage {
        STAGE_CHECK = 1,
        STAGE_FILL, /* the source's own words */
        STAGE_KEEP,
        STAGE_FIRST_BOOT,
        STAGE_PUBLISH,
} BootstrapStage;

#define STAGES STAGE_PUBLISH

typedef struct BootstrapRun {
        SourceJob job;
        const RootSource *source;
        const BootstrapOptions *options;
        Recipe *recipe;
        BootstrapDef *bootstrap; /* def's, with what only the recipe knows */
        bool is_image;           /* what has been built */
        bool keeps;              /* STAGE_KEEP comes, as far as is known by now */
        BaseKey facts;
        char key[BASE_KEY_LENGTH + 1]; /* "": no base is used or kept */
        char *base;                    /* key of the one that was used or kept; NULL */
} BootstrapRun;

void bootstrap_result_done(BootstrapResult *r) {
        strv_free(r->warnings);
        free(r->base);
        image_command_done(&r->command);
        *r = (BootstrapResult){ 0 };
}

static void close_root(BootstrapRun *run) {
        closep(&run->job.root_fd);
        run->job.root_fd = -1;
}

static void remove_new(const BootstrapRun *run, const char *suffix) {
        _cleanup_free_ char *name = text_format("%s%s", run->job.id, suffix);

        if (name && run->job.new_fd >= 0)
                (void) tree_remove(run->job.new_fd, name, NULL, NULL);
}

/* Also what is half done: it has no other name than ours. After it was published, nothing is left
 * under these. */
static void run_done(BootstrapRun *run) {
        if (run->source && run->source->clean && run->job.work)
                run->source->clean(&run->job);
        close_root(run);
        remove_new(run, "");
        remove_new(run, POOL_WORK_SUFFIX);
        closep(&run->job.new_fd);
        free(run->job.root);
        free(run->job.work);
        strv_free(run->job.warnings);
        image_command_done(&run->job.command);
        recipe_free(run->recipe);
        bootstrap_def_free(run->bootstrap);
        base_key_done(&run->facts);
        free(run->base);
}

/* Where no base is kept, that stage is not counted. */
static int stage(const BootstrapRun *run, BootstrapStage stage, const char *what, Error **err) {
        unsigned number = (unsigned) stage - (!run->keeps && stage > STAGE_KEEP ? 1 : 0);
        const JobReport *report = run->job.report;

        if (source_canceled(&run->job))
                return error_set(err, ECANCELED, "canceled");
        if (report->stage)
                report->stage(report->userdata, number, STAGES - (run->keeps ? 0 : 1), what);
        return 0;
}

static int find_source(BootstrapRun *run, Error **err) {
        int r;

        if (!run->bootstrap)
                return -ENOMEM;
        if (run->bootstrap->type == BOOTSTRAP_APT || run->bootstrap->type == BOOTSTRAP_DNF) {
                const BootstrapDef *b = run->bootstrap;

                if (!b->recipe)
                        return error_set(err, EINVAL,
                                         "<ct:bootstrap type='%s'> needs <ct:recipe name=…>",
                                         bootstrap_type_to_string(b->type));
                r = recipe_load(run->options->root ? run->options->root : "", b->recipe, b->release,
                                b->architecture, &run->recipe, err);
                if (r < 0)
                        return r;
                run->bootstrap->type = run->recipe->type;
                run->job.recipe = run->recipe;
        } else if (!run->bootstrap->source)
                return error_set(err, EINVAL, "<ct:bootstrap type='%s'> needs <ct:source …>",
                                 bootstrap_type_to_string(run->bootstrap->type));
        run->source = root_source_of(run->bootstrap->type);
        run->is_image = run->source->is_image;
        return 0;
}

static bool name_is_taken(const Pool *p, const char *name) {
        _cleanup_free_ char *image = text_format("%s.raw", name);

        return faccessat(p->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
               (image && faccessat(p->fd, image, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

static int check_name(const BootstrapRun *run, Error **err) {
        const char *name = run->job.def->name;

        if (!volume_name_is_valid(name))
                return error_set(err, EINVAL, "'%s' is no name for a volume", name);
        if (!run->options->replace && name_is_taken(run->job.pool, name))
                return error_set(err, EEXIST,
                                 "there is a root for %s in the pool already; delete it (ctvirt "
                                 "vol-delete %s), or say that it is to be replaced (--replace)",
                                 name, name);
        return 0;
}

/* Everything that decides what the source makes, in a fixed order. */
static int describe_definition(const BootstrapRun *run, BaseKey *k) {
        const BootstrapDef *b = run->bootstrap;
        int r;

        r = base_key_add(k, "Type", bootstrap_type_to_string(b->type));
        if (r >= 0)
                r = base_key_add(k, "Source", b->source);
        if (r >= 0)
                r = base_key_add(k, "SHA256", b->sha256);
        if (r >= 0)
                r = base_key_add(k, "Verify", bootstrap_verify_to_string(b->verify));
        if (r >= 0)
                r = base_key_add(k, "Docs", b->docs ? "yes" : "no");
        return r;
}

static int describe_recipe(const BootstrapRun *run, BaseKey *k) {
        const Recipe *recipe = run->recipe;
        _cleanup_strv_ char **packages = NULL;
        int r;

        if (!recipe)
                return 0;
        r = base_key_add(k, "Recipe", recipe->name);
        if (r >= 0)
                r = base_key_add_content(k, "RecipeContent", recipe->text, strlen(recipe->text));
        if (r >= 0)
                r = base_key_add(k, "Release", recipe->release);
        if (r >= 0)
                r = base_key_add(k, "Architecture", recipe->architecture);
        if (r >= 0)
                r = source_packages(&run->job, &packages);
        return r < 0 ? r : base_key_add_list(k, "Package", packages);
}

/* Without a key no base is looked for and none is kept. */
static int make_key(BootstrapRun *run, Error **err) {
        int r;

        if (!run->source || !run->source->cached || run->bootstrap->no_cache)
                return 0;
        r = describe_definition(run, &run->facts);
        if (r >= 0)
                r = describe_recipe(run, &run->facts);
        if (r >= 0 && run->source->describe)
                r = run->source->describe(&run->job, &run->facts, err);
        if (r == 0)
                base_key_text(&run->facts, run->key);
        return r < 0 ? r : 0;
}

static int make_work(BootstrapRun *run, Error **err) {
        SourceJob *j = &run->job;
        _cleanup_free_ char *name = text_format("%s" POOL_WORK_SUFFIX, j->id);

        j->new_fd = openat(j->pool->fd, POOL_NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (j->new_fd < 0)
                return negative_errno();
        j->root = text_format("%s/" POOL_NEW "/%s", j->pool->path, j->id);
        j->work = text_format("%s/" POOL_NEW "/%s" POOL_WORK_SUFFIX, j->pool->path, j->id);
        if (!name || !j->root || !j->work)
                return -ENOMEM;
        if (mkdirat(j->new_fd, name, 0700) < 0)
                return error_set(err, errno, "%s cannot be made: %s", j->work, strerror(errno));
        return 0;
}

static int open_root(BootstrapRun *run) {
        struct stat st;

        if (fstatat(run->job.new_fd, run->job.id, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return negative_errno();
        run->is_image = S_ISREG(st.st_mode);
        close_root(run);
        if (run->is_image)
                return 0;
        run->job.root_fd = openat(run->job.new_fd, run->job.id,
                                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        return run->job.root_fd < 0 ? negative_errno() : 0;
}

static int fill(BootstrapRun *run, Error **err) {
        const RootSource *source = run->source;
        SourceJob *j = &run->job;
        int r;

        if (!source)
                return -EINVAL;
        r = stage(run, STAGE_FILL, source->stage, err);
        if (r >= 0 && source->makes_tree)
                r = volume_begin(j->pool, j->id, &j->root_fd, err);
        if (r >= 0)
                r = source->fill(j, err);
        return r < 0 ? error_prefix(err, "%s", source->stage) : open_root(run);
}

static int use_base(BootstrapRun *run, const Base *b, Error **err) {
        SourceCopy copy = { run->job.report };
        TreeProgress progress = source_progress(&copy);
        int r;

        r = base_use(run->job.pool, b, run->job.id, &progress);
        if (r < 0)
                return error_set(err, -r, "the base %.16s cannot be copied: %s", b->key,
                                 strerror(-r));
        run->base = strdup(b->key);
        return run->base ? open_root(run) : -ENOMEM;
}

static int copy_command(BootstrapRun *run, Base *b) {
        image_command_done(&run->job.command);
        run->job.command = b->command;
        b->command = (ImageCommand){ 0 };
        return 0;
}

/* Before it is kept as a base, and before another root goes for it. A copy of what is there is what
 * it is, if nothing is lost for it. */
static int check_made(BootstrapRun *run, Error **err) {
        SourceJob *j = &run->job;
        int r;

        if (run->bootstrap->type == BOOTSTRAP_CLONE && !run->options->replace)
                return 0;
        r = run->is_image ? root_check_image(j->root, err)
                          : root_check_tree(j->root_fd, j->def, &j->command, &j->warnings, err);
        return r < 0 && run->options->replace ? error_prefix(err, "nothing is replaced") : r;
}

/* 1: there was one. */
static int from_base(BootstrapRun *run, Error **err) {
        _cleanup_base_ Base b = { 0 };
        int r;

        run->keeps = *run->key;
        if (!run->keeps)
                return 0;
        r = base_lookup(run->job.pool, run->key, run->options->base_max_age_usec, &b);
        if (r <= 0)
                return r < 0 ? error_set(err, -r, "the bases cannot be read: %s", strerror(-r)) : 0;
        run->keeps = false;
        r = stage(run, STAGE_FILL, "Copying the base", err);
        if (r >= 0)
                r = use_base(run, &b, err);
        if (r >= 0)
                r = copy_command(run, &b);
        if (r >= 0)
                r = check_made(run, err);
        return r < 0 ? r : 1;
}

/* The base has what the source has made, before the container has its own settings. That command
 * and facts are read back says that the next one will find them. */
static int keep_base(BootstrapRun *run, Error **err) {
        _cleanup_base_ Base b = { .image = run->is_image };
        int r;

        if (!*run->key)
                return 0;
        r = stage(run, STAGE_KEEP, "Keeping a base", err);
        if (r < 0)
                return r;
        memcpy(b.key, run->key, sizeof(b.key));
        b.facts = TAKE_PTR(run->facts.facts);
        b.command = run->job.command;
        run->job.command = (ImageCommand){ 0 };
        close_root(run);
        r = base_keep(run->job.pool, run->job.id, run->options->base_max_age_usec, &b);
        if (r < 0)
                return error_set(err, -r, "the base cannot be kept: %s", strerror(-r));
        r = use_base(run, &b, err);
        return r < 0 ? r : copy_command(run, &b);
}

/* Somebody else's image stays as it is unless the definition has something to tell it. A copy of a
 * container's must not be taken for that container. */
static bool writes_image(const BootstrapRun *run) {
        return run->job.def->first_boot || run->bootstrap->type == BOOTSTRAP_CLONE;
}

static int first_boot(BootstrapRun *run, Error **err) {
        const FirstBootPlan plan = { run->job.def, source_own_network(run->job.def), 0 };
        _cleanup_strv_ char **warnings = NULL;
        int r;

        r = stage(run, STAGE_FIRST_BOOT, "First boot settings", err);
        if (r < 0)
                return r;
        if (run->is_image && !writes_image(run))
                return 0;
        r = run->is_image
                    ? first_boot_apply_image(run->job.root, &plan, run->job.report, &warnings, err)
                    : first_boot_apply(run->job.root_fd, &plan, &warnings, err);
        if (r < 0)
                return error_prefix(err, "First boot settings");
        STRV_FOREACH(w, warnings)
                if (r >= 0)
                        r = strv_extend(&run->job.warnings, *w);
        return r;
}

/* A filesystem without quotas is no reason not to have the container. */
static int set_quota(BootstrapRun *run) {
        const SourceJob *j = &run->job;
        _cleanup_error_ Error *why = NULL;
        int r;

        if (j->def->quota == 0 || run->is_image)
                return 0;
        r = j->pool->backend->set_quota(j->new_fd, j->id, j->def->quota, &why);
        if (r >= 0)
                return 0;
        return strv_push(&run->job.warnings,
                         text_format("<ct:quota> was not set: %s", why ? why->text : strerror(-r)));
}

static int publish(BootstrapRun *run, Error **err) {
        const SourceJob *j = &run->job;
        VolumeType type = run->is_image ? VOLUME_RAW : VOLUME_DIRECTORY;
        int r;

        r = stage(run, STAGE_PUBLISH, "Writing to disk", err);
        if (r >= 0)
                r = set_quota(run);
        if (r < 0)
                return r;
        close_root(run);
        return volume_publish(j->pool, j->id, type, j->def->name, run->options->replace, err);
}

static int build(BootstrapRun *run, Error **err) {
        int r;

        run->keeps = run->bootstrap && root_source_of(run->bootstrap->type)->cached &&
                     !run->bootstrap->no_cache;
        r = stage(run, STAGE_CHECK, "Checking", err);
        if (r >= 0)
                r = find_source(run, err);
        if (r >= 0)
                r = check_name(run, err);
        if (r >= 0)
                r = make_work(run, err);
        if (r >= 0)
                r = make_key(run, err);
        if (r >= 0)
                r = from_base(run, err);
        if (r == 0) {
                r = fill(run, err);
                if (r >= 0)
                        r = check_made(run, err);
                if (r >= 0)
                        r = keep_base(run, err);
        }
        if (r >= 0 && !run->is_image)
                r = image_program_find(run->job.root_fd, &run->job.command, &run->job.warnings);
        if (r >= 0)
                r = first_boot(run, err);
        return r < 0 ? r : publish(run, err);
}

static void take_result(BootstrapRun *run, BootstrapResult *ret) {
        *ret = (BootstrapResult){ TAKE_PTR(run->job.warnings), TAKE_PTR(run->base),
                                  run->job.command };
        run->job.command = (ImageCommand){ 0 };
}

int bootstrap_run(const Pool *pool, const ContainerDef *def, const char *id,
                  const BootstrapOptions *options, const JobReport *report, BootstrapResult *ret,
                  Error **err) {
        _cleanup_(run_done) BootstrapRun run = {
                .job = { .pool = pool,
                         .def = def,
                         .id = id,
                         .report = report,
                         .root_fd = -1,
                         .new_fd = -1 },
                .options = options,
        };
        _cleanup_error_ Error *own = NULL;
        int r;

        if (!err)
                err = &own; /* what is put before its text comes back with its code */
        if (!def->bootstrap)
                return error_set(err, EINVAL,
                                 "the definition of %s does not say what its root is made from: "
                                 "give <ct:bootstrap> in it, or --from",
                                 def->name);
        run.bootstrap = bootstrap_def_copy(def->bootstrap);
        run.job.bootstrap = run.bootstrap;
        r = bootstrap_def_check(def->bootstrap, err);
        if (r >= 0)
                r = build(&run, err);
        if (r < 0)
                return error_set(err, -r, "%s", strerror(-r));
        take_result(&run, ret);
        return 0;
}
