/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading a NetworkDef: with expat and not with libxml2, because the hook and the generator do it,
 * and loading libxml2 (which brings ICU and the C++ library on Debian) takes ten times as long as
 * all that they do with it. Four facts at a known place need no tree.
 */

#include <expat.h>
#include <strings.h>

#include "base/name.h"
#include "xml/network_def.h"
#include "xml/xml_show.h"

#define DEPTH_MAX 64
#define ELEMENTS_MAX 200000
#define ATTRIBUTES_MAX 64
#define TEXT_MAX ((size_t) 1024)
/* Stands between namespace and name in what expat calls an element, so that one without it is in no
 * namespace. */
#define NAMESPACE_MARK '\n'

typedef struct NetworkParser NetworkParser;

/* A child of <network>; the first of its name counts. */
typedef struct NetworkFact {
        const char *element;
        const char *attribute;                      /* NULL: the text of the element */
        int (*take)(NetworkParser *p, char *value); /* NULL: no such attribute; takes value over */
} NetworkFact;

#define N_FACTS 4

struct NetworkParser {
        XML_Parser expat;
        const char *file;
        Error **err;
        int r; /* the first thing that went wrong; nothing is looked at after it */
        size_t depth, elements;
        size_t namespaces;    /* declared by the element that comes next */
        size_t network_depth; /* of the <network> that counts; 0: not met yet */
        bool network_ended;
        unsigned network_line;
        const char *root; /* of the document, if <network> stands below it */
        bool seen[N_FACTS];
        const NetworkFact *open; /* whose text is being read */
        unsigned open_line;
        char text[TEXT_MAX]; /* what is longer is cut, and is no valid name or uuid all the same */
        size_t text_size;
        NetworkDef *def;
};

DEFINE_CLEANUP(XML_Parser, XML_ParserFree)

static unsigned line_of(const NetworkParser *p) {
        return (unsigned) XML_GetCurrentLineNumber(p->expat);
}

static void stop(NetworkParser *p, int r) {
        if (p->r >= 0)
                p->r = r;
        (void) XML_StopParser(p->expat, XML_FALSE);
}

static int take_name(NetworkParser *p, char *value) {
        p->def->name = value;
        if (network_name_is_valid(value))
                return 0;
        return error_set_at(p->err, EINVAL, p->file, p->open_line,
                            "element 'name' has invalid value '%s': expected the name of a network",
                            XML_SHOW(value));
}

static int take_uuid(NetworkParser *p, char *value) {
        _cleanup_free_ char *text = value;

        p->def->has_uuid = uuid_from_string(text, &p->def->uuid) >= 0;
        if (p->def->has_uuid)
                return 0;
        return error_set_at(
                p->err, EINVAL, p->file, p->open_line,
                "element 'uuid' has invalid value '%s': expected 32 hex digits, with or "
                "without dashes",
                XML_SHOW(text));
}

static int take_bridge(NetworkParser *p, char *value) {
        p->def->bridge = value;
        if (!value || link_name_is_valid(value))
                return 0;
        return error_set_at(p->err, EINVAL, p->file, line_of(p),
                            "element 'bridge': attribute 'name' has invalid value '%s': expected "
                            "the name of a link",
                            XML_SHOW(value));
}

/* <forward/> without a mode is nat, as in libvirt. */
static int take_forward(NetworkParser *p, char *value) {
        p->def->forward_mode = value ? value : strdup("nat");
        return p->def->forward_mode ? 0 : -ENOMEM;
}

static const NetworkFact facts[N_FACTS] = {
        { "name", NULL, take_name },
        { "uuid", NULL, take_uuid },
        { "bridge", "name", take_bridge },
        { "forward", "mode", take_forward },
};

static int take_attribute(NetworkParser *p, const NetworkFact *fact, const char **attributes) {
        char *value = NULL;

        for (; *attributes && !value; attributes += 2)
                if (streq(attributes[0], fact->attribute)) {
                        value = strdup(attributes[1]);
                        if (!value)
                                return -ENOMEM;
                }
        return fact->take(p, value);
}

static int on_child(NetworkParser *p, const char *name, const char **attributes) {
        for (size_t i = 0; i < N_FACTS; i++) {
                if (p->seen[i] || !streq(facts[i].element, name))
                        continue;
                p->seen[i] = true;
                if (facts[i].attribute)
                        return take_attribute(p, &facts[i], attributes);
                p->open = &facts[i];
                p->open_line = line_of(p);
        }
        return 0;
}

static void on_network(NetworkParser *p) {
        p->network_depth = p->depth;
        p->network_line = line_of(p);
}

static int on_root(NetworkParser *p, const char *name) {
        static const char *const wrappers[] = { "hookData", "networkstatus" };

        p->network_line = line_of(p);
        if (streq(name, "network")) {
                on_network(p);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(wrappers); i++)
                if (streq(name, wrappers[i])) {
                        p->root = wrappers[i];
                        return 0;
                }
        if (strrchr(name, NAMESPACE_MARK))
                name = strrchr(name, NAMESPACE_MARK) + 1;
        return error_set_at(p->err, EINVAL, p->file, line_of(p),
                            "unexpected root element <%s>, expecting <network>", XML_SHOW(name));
}

static int check_limits(NetworkParser *p, const char **attributes) {
        size_t n = 0;

        while (attributes[n])
                n++;
        n = n / 2 + p->namespaces;
        p->namespaces = 0;
        if (n > ATTRIBUTES_MAX)
                return error_set_at(p->err, EFBIG, p->file, line_of(p),
                                    "more than %d attributes in one element", ATTRIBUTES_MAX);
        if (++p->depth > DEPTH_MAX)
                return error_set_at(p->err, EFBIG, p->file, line_of(p),
                                    "elements are nested too deeply");
        if (++p->elements > ELEMENTS_MAX)
                return error_set_at(p->err, EFBIG, p->file, line_of(p), "too many elements");
        return 0;
}

/* expat does not count these with the attributes. */
static void on_namespace(void *userdata, const char *prefix, const char *uri) {
        NetworkParser *p = userdata;

        p->namespaces++;
}

static void on_element_start(void *userdata, const char *name, const char **attributes) {
        NetworkParser *p = userdata;
        int r;

        if (p->r < 0)
                return;
        r = check_limits(p, attributes);
        if (r >= 0 && p->depth == 1)
                r = on_root(p, name);
        else if (r >= 0 && p->depth == 2 && p->network_depth == 0 && streq(name, "network"))
                on_network(p);
        else if (r >= 0 && p->network_depth > 0 && !p->network_ended &&
                 p->depth == p->network_depth + 1)
                r = on_child(p, name, attributes);
        if (r < 0)
                stop(p, r);
}

static void on_text(void *userdata, const char *text, int size) {
        NetworkParser *p = userdata;
        size_t left = TEXT_MAX - p->text_size, n = (size_t) size < left ? (size_t) size : left;

        if (p->r < 0 || !p->open || p->depth != p->network_depth + 1)
                return;
        memcpy(p->text + p->text_size, text, n);
        p->text_size += n;
}

static int close_fact(NetworkParser *p) {
        const NetworkFact *fact = TAKE_PTR(p->open);
        char *value = strndup(p->text, p->text_size);

        p->text_size = 0;
        return value ? fact->take(p, value) : -ENOMEM;
}

static void on_element_end(void *userdata, const char *name) {
        NetworkParser *p = userdata;
        int r = 0;

        if (p->r < 0)
                return;
        if (p->open && p->depth == p->network_depth + 1)
                r = close_fact(p);
        if (p->network_depth > 0 && p->depth == p->network_depth)
                p->network_ended = true;
        p->depth--;
        if (r < 0)
                stop(p, r);
}

/* Called before the declarations are read: no entity is ever declared. */
static void on_doctype(void *userdata, const char *name, const char *system_id,
                       const char *public_id, int has_subset) {
        NetworkParser *p = userdata;

        if (p->r >= 0)
                stop(p,
                     error_set_at(p->err, EINVAL, p->file, line_of(p), "a DOCTYPE is not allowed"));
}

/* expat is told to take any document for UTF-8. */
static void on_declaration(void *userdata, const char *version, const char *encoding,
                           int standalone) {
        NetworkParser *p = userdata;

        if (p->r < 0 || !encoding || strcasecmp(encoding, "UTF-8") == 0 ||
            strcasecmp(encoding, "US-ASCII") == 0)
                return;
        stop(p, error_set_at(p->err, EBADMSG, p->file, line_of(p),
                             "encoding '%s' is not supported: save the document as UTF-8",
                             XML_SHOW(encoding)));
}

static int syntax_error(NetworkParser *p) {
        enum XML_Error code = XML_GetErrorCode(p->expat);

        if (code == XML_ERROR_NO_MEMORY)
                return -ENOMEM;
        return error_set_at(p->err, EBADMSG, p->file, line_of(p), "%s", XML_ErrorString(code));
}

static int check_complete(const NetworkParser *p) {
        if (p->network_depth == 0)
                return error_set_at(p->err, EINVAL, p->file, p->network_line,
                                    "missing element <network> in <%s>", p->root);
        if (!p->def->name)
                return error_set_at(p->err, EINVAL, p->file, p->network_line,
                                    "missing element <name> in <network>");
        return 0;
}

static int parse(NetworkParser *p, const char *xml, size_t size) {
        XML_SetUserData(p->expat, p);
        XML_SetElementHandler(p->expat, on_element_start, on_element_end);
        XML_SetStartNamespaceDeclHandler(p->expat, on_namespace);
        XML_SetCharacterDataHandler(p->expat, on_text);
        XML_SetStartDoctypeDeclHandler(p->expat, on_doctype);
        XML_SetXmlDeclHandler(p->expat, on_declaration);

        if (XML_Parse(p->expat, xml, (int) size, true) != XML_STATUS_OK)
                return p->r < 0 ? p->r : syntax_error(p);
        return p->r < 0 ? p->r : check_complete(p);
}

int network_def_parse(const char *xml, size_t size, const char *file_name, NetworkDef **ret,
                      Error **err) {
        _cleanup_(network_def_freep) NetworkDef *def = NULL;
        _cleanup_(XML_ParserFreep) XML_Parser expat = NULL;
        NetworkParser p = { .file = file_name, .err = err };
        int r;

        assert(xml || size == 0);
        assert(ret);

        if (size == 0)
                return error_set_at(err, EBADMSG, file_name, 0, "the document is empty");
        if (size > NETWORK_XML_MAX)
                return error_set_at(err, EFBIG, file_name, 0,
                                    "document of %zu bytes is larger than the limit of %d", size,
                                    NETWORK_XML_MAX);
        p.def = def = calloc(1, sizeof(*def));
        p.expat = expat = XML_ParserCreateNS("UTF-8", NAMESPACE_MARK);
        if (!def || !expat)
                return -ENOMEM;

        r = parse(&p, xml, size);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(def);
        return 0;
}
