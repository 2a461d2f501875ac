-- Hears what other hubs tell from now on; never a row.
LISTEN payhub
