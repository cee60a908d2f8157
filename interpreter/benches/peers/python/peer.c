/* add, echo and sum for CPython, with its quickest calling convention. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static int given(Py_ssize_t count, Py_ssize_t wanted) {
    if (count == wanted) return 1;
    PyErr_Format(PyExc_TypeError, "takes %zd arguments, not %zd", wanted, count);
    return 0;
}

static PyObject *add(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (!given(count, 2)) return NULL;
    long long a = PyLong_AsLongLong(args[0]);
    if (a == -1 && PyErr_Occurred()) return NULL;
    long long b = PyLong_AsLongLong(args[1]);
    if (b == -1 && PyErr_Occurred()) return NULL;
    return PyLong_FromLongLong((long long)((unsigned long long)a + (unsigned long long)b));
}

static PyObject *echo(PyObject *module, PyObject *text) {
    (void)module;
    Py_ssize_t length;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    return bytes ? PyUnicode_FromStringAndSize(bytes, length) : NULL;
}

static PyObject *sum(PyObject *module, PyObject *list) {
    (void)module;
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "takes a list");
        return NULL;
    }
    unsigned long long total = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        long long element = PyLong_AsLongLong(PyList_GET_ITEM(list, i));
        if (element == -1 && PyErr_Occurred()) return NULL;
        total += (unsigned long long)element;
    }
    return PyLong_FromLongLong((long long)total);
}

static PyMethodDef FUNCTIONS[] = {
    {"add", (PyCFunction)(void (*)(void))add, METH_FASTCALL, NULL},
    {"echo", echo, METH_O, NULL},
    {"sum", sum, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "peer", NULL, -1, FUNCTIONS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_peer(void) { return PyModule_Create(&MODULE); }
