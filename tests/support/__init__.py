"""Real servers, clients and terminals for tests, all private to the test and on 127.0.0.1."""
