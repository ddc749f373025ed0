"""Cellwright's kernels for every Jupyter client: JupyterLab, nbclient, papermill, `jupyter run`.

    client ── ZeroMQ ── relay ── one socket ── kernel in its sandbox
      │                   │
      provisioner ────── host, one for a person, which keeps templates warm

A client starts kernels through jupyter_client, whose provisioner (`provisioner.py`) asks the host (`host.py`) for one.
The host is a process of its own: clients such as nbclient live for a second, and a template takes seconds to warm. It
starts with the first kernel, ends when it has had none for some minutes, and ends each kernel with the client that
asked for it.
"""
