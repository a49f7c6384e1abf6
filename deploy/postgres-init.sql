-- Prefect keeps its own tables apart from the registry's.
CREATE DATABASE prefect OWNER pipe;
