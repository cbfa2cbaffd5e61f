"""Objects by key (docs/store.md).

Enters: a key, its pre-image, and a function that writes files. Leaves: a folder whose bytes are known to be whole.
`io` is the only module that touches the disk; `objects` publishes and reads; `index` remembers what exists and can be
rebuilt from the objects; `trouble` words what a disk or a database does wrong. No ML library.
"""
