"""The operator's page: server-rendered, read-only on the lake, nothing from other hosts."""
