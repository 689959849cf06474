"""Where images live: registries over HTTP and OCI layouts on disk, behind one small protocol."""
