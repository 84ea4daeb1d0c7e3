"""Finds what is wrong with an installation of g4f and says how to mend it: `python -m g4f_doctor`, or `g4f doctor`.

A package of its own on the standard library alone, so that it still works when another project has overwritten the
package `g4f`: the package index's `g4f` is not ours and has the same import name. It imports of `g4f` only what is
ours, and no provider; `--import` has each of them imported by a process of its own.
"""
