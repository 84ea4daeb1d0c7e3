"""Black Forest Labs' dialect: a job is begun, then asked for until its picture is there. Pure, as all of `g4f.wire`.

Source: https://docs.bfl.ai, and the vendor's own client, https://github.com/black-forest-labs/blackforest. Jobs are
written in `encode.py`, by what distinguishes the models (`families.py`); answers are read in `decode.py`, errors in
`errors.py`.
"""

from g4f.wire.dialect import Wire
from g4f_provider_bfl.wire.decode import Job, decode_job, decode_result
from g4f_provider_bfl.wire.encode import encode_image, encode_result
from g4f_provider_bfl.wire.errors import decode_error

__all__ = ["FLUX", "Job", "decode_error", "decode_job", "decode_result", "encode_image", "encode_result"]

FLUX = Wire(encode_image=encode_image, decode_error=decode_error)
