-- The oldest program that can work with this schema, by the newest migration that it brings; one row always.
SELECT least FROM schema_needs
