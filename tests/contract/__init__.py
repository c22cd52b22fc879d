"""One suite a port, inherited by each adapter."""

import pytest

pytest.register_assert_rewrite("tests.contract.blobstore")
