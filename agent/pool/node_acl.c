/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "agent/pool/node_acl.h"

#include <archive.h>
#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include "agent/pool/archive_error.h"

#define ACL_ENTRIES_MAX 8000 /* an xattr has at most 64 KiB */

typedef struct posix_acl_xattr_entry AclEntry;
typedef struct posix_acl_xattr_header AclHeader;

/* libarchive's permissions have the kernel's values. */
static_assert(ARCHIVE_ENTRY_ACL_READ == ACL_READ && ARCHIVE_ENTRY_ACL_WRITE == ACL_WRITE &&
                      ARCHIVE_ENTRY_ACL_EXECUTE == ACL_EXECUTE,
              "permissions of libarchive");

static const struct {
        int archive;
        uint16_t kernel;
} tags[] = {
        { ARCHIVE_ENTRY_ACL_USER_OBJ, ACL_USER_OBJ },   { ARCHIVE_ENTRY_ACL_USER, ACL_USER },
        { ARCHIVE_ENTRY_ACL_GROUP_OBJ, ACL_GROUP_OBJ }, { ARCHIVE_ENTRY_ACL_GROUP, ACL_GROUP },
        { ARCHIVE_ENTRY_ACL_MASK, ACL_MASK },           { ARCHIVE_ENTRY_ACL_OTHER, ACL_OTHER },
};

void node_acl_done(NodeAcl *acl) {
        free(acl->data);
        *acl = (NodeAcl){ 0 };
}

/* The kernel wants them in the order of their tags, which have ascending values. */
static int compare_entries(const void *a, const void *b) {
        const AclEntry *x = a, *y = b;
        uint32_t x_id = le32toh(x->e_id), y_id = le32toh(y->e_id);

        if (x->e_tag != y->e_tag)
                return le16toh(x->e_tag) < le16toh(y->e_tag) ? -1 : 1;
        return x_id < y_id ? -1 : x_id > y_id;
}

static int convert(int tag, int permissions, int id, const char *name, const char *path,
                   AclEntry *ret, Error **err) {
        bool has_id = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;

        if (has_id && id == -1)
                return archive_error(err, EBADMSG, path,
                                     "its ACL names \"%.100s\" without a number: make the archive "
                                     "with tar --numeric-owner",
                                     name ? name : "");
        for (size_t i = 0; i < ELEMENTSOF(tags); i++) {
                if (tags[i].archive != tag)
                        continue;
                *ret = (AclEntry){
                        .e_tag = htole16(tags[i].kernel),
                        .e_perm = htole16((uint16_t) (permissions & 7)),
                        .e_id = has_id ? htole32((uint32_t) id) : htole32(ACL_UNDEFINED_ID),
                };
                return 0;
        }
        return archive_error(err, EBADMSG, path, "its ACL is of a kind that is not known");
}

int node_acl_of_entry(struct archive_entry *entry, int type, NodeAcl *ret, Error **err) {
        const char *path = archive_entry_pathname(entry), *name;
        int n, kind, permissions, tag, id, r, n_used = 0;
        _cleanup_free_ uint8_t *data = NULL;
        AclEntry *list;

        if (!(archive_entry_acl_types(entry) & type))
                return 0;
        n = archive_entry_acl_reset(entry, type);
        if (n <= 0)
                return 0;
        if (n > ACL_ENTRIES_MAX)
                return archive_error(err, EBADMSG, path, "its ACL has too many lines");
        data = calloc(1, sizeof(AclHeader) + (size_t) n * sizeof(AclEntry));
        if (!data)
                return archive_error(err, ENOMEM, path, "out of memory");
        *(AclHeader *) data = (AclHeader){ .a_version = htole32(POSIX_ACL_XATTR_VERSION) };
        list = (AclEntry *) (data + sizeof(AclHeader));
        while (n_used < n && archive_entry_acl_next(entry, type, &kind, &permissions, &tag, &id,
                                                    &name) == ARCHIVE_OK) {
                r = convert(tag, permissions, id, name, path, &list[n_used], err);
                if (r < 0)
                        return r;
                n_used++;
        }
        qsort(list, (size_t) n_used, sizeof(AclEntry), compare_entries);
        *ret = (NodeAcl){ .data = TAKE_PTR(data),
                          .size = sizeof(AclHeader) + (size_t) n_used * sizeof(AclEntry) };
        return 0;
}

static int add_entry(struct archive_entry *entry, int type, const AclEntry *e) {
        uint16_t tag = le16toh(e->e_tag);
        bool has_id = tag == ACL_USER || tag == ACL_GROUP;

        for (size_t i = 0; i < ELEMENTSOF(tags); i++)
                if (tags[i].kernel == tag)
                        return archive_entry_acl_add_entry(
                                entry, type, le16toh(e->e_perm) & 7, tags[i].archive,
                                has_id ? (int) le32toh(e->e_id) : -1, NULL);
        return ARCHIVE_FAILED;
}

int node_acl_to_entry(struct archive_entry *entry, int type, const void *data, size_t size,
                      const char *path, Error **err) {
        const AclHeader *header = data;
        const AclEntry *list = (const AclEntry *) ((const uint8_t *) data + sizeof(*header));
        size_t n = (size - sizeof(*header)) / sizeof(*list);

        if (size < sizeof(*header) || le32toh(header->a_version) != POSIX_ACL_XATTR_VERSION)
                return archive_error(err, EINVAL, path, "its ACL is of a kind that is not known");
        for (size_t i = 0; i < n; i++)
                if (add_entry(entry, type, &list[i]) != ARCHIVE_OK)
                        return archive_error(err, EINVAL, path, "its ACL cannot be archived");
        return 0;
}
