"""The model and data hub: names to content, content to local files. The only package that touches the network.

Enters: repositories as a spec names them. Leaves: pins for `xfer.lock`, and files whose bytes are the pinned ones.
"""
