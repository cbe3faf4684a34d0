"""A private MariaDB for tests: started once a session, an empty database for each test that asks."""
