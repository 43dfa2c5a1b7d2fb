"""Getting data sets and checkpoints: download, verify, unpack, lay out. Nothing here runs unless it is asked for.

Conventions
-----------
- ``catalogue.csv`` says what there is: file, address, size and checksum, where they are known.
- An archive comes to ``ROOT/archives`` (``<file>.part`` until it is complete), is unpacked under ``ROOT/.asdbench`` and
  moved to ``ROOT/dev_data`` or ``ROOT/eval_data`` by renaming, so that nothing half-made is taken for finished. After
  that it is removed, unless it shall be kept.
- ``ROOT/.asdbench`` holds the record: ``downloads.json`` with each archive's checksums, and a list of its files.
- :mod:`.dataset` fetches a data set, :mod:`.checkpoints` a network's weights; :mod:`.download` brings one file over
  HTTP, :mod:`.archive` unpacks one safely, :mod:`.placing` lays its files out, :mod:`.records` remembers.
"""

MIRROR = "ASDBENCH_MIRROR"
"""The environment variable that names a folder or an address to take files from instead of the official addresses."""
