"""The built-in systems: one file a family, plug-ins like anybody else's."""
