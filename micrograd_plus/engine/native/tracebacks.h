/* What is built natively leaves no rows in a traceback, like everything in C: its last row is the line that called us.

mypyc's rows would name files relative to the folder that it compiled in, where whoever looks for their source finds none.
Plain Python (MICROGRAD_PLUS_PURE=1) shows every row. */

#define CPy_AddTraceback(file, function, line, globals) ((void)0)
#define CPy_TypeErrorTraceback(file, function, line, globals, expected, value) CPy_TypeError(expected, value)
#define CPy_AttributeError(file, function, kind, name, line, globals) \
    PyErr_Format(PyExc_AttributeError, "attribute '%s' of '%s' undefined", name, kind)
