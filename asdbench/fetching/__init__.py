"""Getting data sets and checkpoints: download, verify, unpack, lay out. Nothing here runs unless it is asked for.

Conventions
-----------
- ``catalogue.csv`` says what there is: file, address, size and checksum, where they are known.
- An archive comes to ``ROOT/archives`` (``<file>.part`` until it is complete), is unpacked under ``ROOT/.asdbench`` and
  moved to ``ROOT/dev_data`` or ``ROOT/eval_data`` by renaming, so that nothing half-made is taken for finished. After
  that it is removed, unless it shall be kept.
- ``ROOT/.asdbench`` holds the record: ``downloads.json`` with each archive's checksums, and a list of its files.
- :mod:`.dataset` fetches a data set, :mod:`.checkpoints` a network's weights, :mod:`.missing` what a run lacks.
  :mod:`.crew` works side by side; :mod:`.arrival` takes an archive through all steps: :mod:`.obtaining` has it with the
  right checksum, :mod:`.transfer` brings it over HTTP, :mod:`.archive` unpacks it safely, :mod:`.placing` lays it out,
  :mod:`.records` remembers.
"""

MIRROR = "ASDBENCH_MIRROR"
"""The environment variable that names a folder or an address to take files from instead of the official addresses."""
