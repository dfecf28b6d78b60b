#pragma once
/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * RootSource: one way to fill a root. Each has a table of what it can; which one it is comes
 * from the type of the definition's <ct:bootstrap>.
 */

#include "agent/bootstrap/base_key.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/bootstrap/recipe.h"
#include "agent/bootstrap/tool.h"
#include "agent/pool/pool_backend.h"

typedef struct SourceJob {
        const Pool *pool;
        const ContainerDef *def;
        const BootstrapDef *bootstrap; /* of def */
        const Recipe *recipe;          /* apt, dnf */
        const char *id;
        const JobReport *report;

        char *root;  /* absolute path of the empty tree to fill; of an image not there yet */
        int root_fd; /* the tree, -1 for an image */
        char *work;  /* absolute path of a folder beside it for everything else */
        int new_fd;  /* the folder that they are in */

        char **warnings;
        ImageCommand command;
} SourceJob;

typedef struct RootSource {
        BootstrapType type;
        const char *stage; /* "Installing packages" */
        bool cached;       /* what it makes is kept as a base */
        bool makes_tree;   /* SourceJob.root is an empty tree; false: it makes what is there */
        bool is_image;     /* VOLUME_RAW. BOOTSTRAP_CLONE and _BASE: like what they are made from */

        /* What decides the content beside what the definition says; NULL: nothing. 1: that cannot
         * be known, no base is kept. */
        int (*describe)(SourceJob *j, BaseKey *k, Error **err);
        int (*fill)(SourceJob *j, Error **err);
        /* Ends what others do for the job; NULL: nothing. Also after success. */
        void (*clean)(SourceJob *j);
} RootSource;

extern const RootSource source_apt;
extern const RootSource source_dnf;
extern const RootSource source_tar;
extern const RootSource source_directory;
extern const RootSource source_raw;
extern const RootSource source_pull_tar;
extern const RootSource source_pull_raw;
extern const RootSource source_oci;
extern const RootSource source_clone;
extern const RootSource source_base;

const RootSource *root_source_of(BootstrapType t);

/* What is to be installed: those of the recipe for this kind of container, then the definition's,
 * each once. */
int source_packages(const SourceJob *j, char ***ret);
/* A container with a network of its own: interfaces, or a private network without any. */
bool source_own_network(const ContainerDef *def);

/* Bytes of total that are copied; asks for the end as well. */
typedef struct SourceCopy {
        const JobReport *report;
        uint64_t total; /* 0: not known */
} SourceCopy;

TreeProgress source_progress(SourceCopy *c);
bool source_canceled(const SourceJob *j);

/* A file in SourceJob.work, 0600. *ret_path is its absolute path. */
int source_write_work(const SourceJob *j, const char *name, const char *text, char **ret_path);
/* A file in the tree that was made, 0644, with its folders. The tree may be hostile: -ELOOP. */
int source_write_root(const SourceJob *j, const char *folder, const char *name, const char *text,
                      size_t size);
int source_read_file(const char *path, size_t max, char **ret, size_t *ret_size, Error **err);

/* file:///… and copy:///…: the path; NULL for any other URL. */
const char *url_local_path(const char *url);
