"""Where groups of nodes run: in worker processes of this machine.

Enters: a group of nodes whose inputs are in the store. Leaves: messages about each node. An engine knows nothing of
tasks or languages; the store decides what is done.
"""
