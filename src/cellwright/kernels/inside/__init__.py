"""Runs outside Cellwright's own process: the template that is warmed once, the sandboxes it forks, the kernels in them.

It stands alone, under the name `_cellwright`: the Python that runs it needs ipykernel, not Cellwright. Nothing here is
imported by the rest of Cellwright but the words of `line.py` and of `guest.py`, which is sent into remote kernels.

    host program ── start.py ──exec──> template.py ──clone──> sandbox.py (process 1) ──fork──> notebook.py (the kernel)
                    builds the root     imports once           mounts, limits, branches         runs the cells
"""
