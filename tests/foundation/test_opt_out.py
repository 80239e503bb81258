from __future__ import annotations

from typing import Any

import pytest

from constructs_lib.foundation.errors import ConfigurationError
from constructs_lib.foundation.opt_out import OptOut


def test_a_reason_of_real_length_is_kept() -> None:
    assert OptOut("the partner calls from fixed addresses").reason == "the partner calls from fixed addresses"


@pytest.mark.parametrize("reason", ["", "because", " " * 40, None, True])
def test_a_reason_that_says_nothing_is_refused(reason: Any) -> None:
    with pytest.raises(ConfigurationError) as error:
        OptOut(reason)
    assert str(error.value) == (
        f"OptOut: reason={reason!r}: must be a sentence of at least 20 characters that says why"
    )
