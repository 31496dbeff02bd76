/* What a node of a graph needs, and mypyc's C for a class that is acyclic does not give: see setup.py.

mypyc lets CPython's trashcan free what is nested deeply. That keeps the objects which wait in the header that the garbage
collector puts before them. An acyclic object has none, so the trashcan would write into whatever lies before it in memory. */

static const int NODE_DEPTH = 100;  // how many nodes free their arguments inside of one another
static CPyThreadLocal int node_depth = 0;
static CPyThreadLocal PyObject *node_waiting = NULL;  // those that come deeper, linked through the place of their vtable

static PyObject **node_link(PyObject *node)
{
    return (PyObject **)(node + 1);
}

static PyObject **node_dict(PyObject *node)  // the attributes of one's own: there is a dict only where somebody wrote one
{
    return (PyObject **)((char *)node + Py_TYPE(node)->tp_dictoffset);
}

#define NODE_DICT {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL}

static int node_traverse(PyObject *node, visitproc visit, void *arg)  // for subclasses: the collector sees no other node
{
    Py_VISIT(*node_dict(node));
    return 0;
}

/* Whether a class of nodes has other operators than those that were made for it: overridden, or patched since. */
static char node_own(PyObject *type, PyTypeObject *node, const PyNumberMethods *made)
{
    const PyNumberMethods *has = ((PyTypeObject *)type)->tp_as_number;
    if (type != (PyObject *)node && !PyType_IsSubtype((PyTypeObject *)type, node))
        return 0;
    return has->nb_add != made->nb_add || has->nb_multiply != made->nb_multiply || has->nb_power != made->nb_power
        || has->nb_negative != made->nb_negative;
}

static void node_dealloc(PyObject *node, int32_t (*clear)(PyObject *))
{
    if (*(PyObject **)((char *)node + Py_TYPE(node)->tp_weaklistoffset) != NULL)
        PyObject_ClearWeakRefs(node);
    if (node_depth == NODE_DEPTH) {
        *node_link(node) = node_waiting;
        node_waiting = node;
        return;
    }
    node_depth++;
    Py_CLEAR(*node_dict(node));
    clear(node);
    Py_TYPE(node)->tp_free(node);
    while (node_depth == 1 && node_waiting != NULL) {
        node = node_waiting;
        node_waiting = *node_link(node);
        Py_CLEAR(*node_dict(node));
        clear(node);
        Py_TYPE(node)->tp_free(node);
    }
    node_depth--;
}

/* Python gives an arena, a mebibyte, back to the system as soon as nothing is left in it, which is at the end of each
training step, and the next step waits while the system makes all its pages anew. So in each of the first arenas that
nodes come to, one block stays for good: at most that many mebibytes remain with the process. */
#define NODE_ARENAS 64
static size_t node_arenas[NODE_ARENAS];

static int node_arena_is_new(void *block)
{
    size_t arena = (size_t)block >> 20, *known = &node_arenas[arena % NODE_ARENAS];
    if (*known)
        return 0;
    *known = arena;
    return 1;
}

static PyObject *node_alloc(PyTypeObject *type, Py_ssize_t Py_UNUSED(items))  // PyType_GenericAlloc asks more questions
{
    PyObject *node;
    do {
        node = (PyObject *)PyObject_Malloc(type->tp_basicsize);
    } while (node != NULL && node_arena_is_new(node));
    if (node == NULL)
        return PyErr_NoMemory();
    memset(node, 0, type->tp_basicsize);
    return PyObject_Init(node, type);
}

/* The collector looks at all that is of a class made in Python. Here is one that it passes over, as it does over nodes. */
static PyObject *node_uncollected(PyObject *kind)
{
    PyTypeObject *type = (PyTypeObject *)kind;
    type->tp_flags &= ~Py_TPFLAGS_HAVE_GC;
    type->tp_traverse = NULL;
    type->tp_clear = NULL;
    type->tp_alloc = node_alloc;
    type->tp_free = PyObject_Free;
    PyType_Modified(type);
    return Py_NewRef(kind);
}

static Py_hash_t node_hash(PyObject *node)  // by identity, as object's; the low bits of an address are always zero
{
    size_t address = (size_t)node;
    return (Py_hash_t)(address >> 4 | address << (8 * sizeof(address) - 4));
}
