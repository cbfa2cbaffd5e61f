"""Whether this machine can run studies, and what would mend it.

Enters: a store, or none, and whether the hub is asked. Leaves: findings, each one line; nothing on the machine changes.
"""
