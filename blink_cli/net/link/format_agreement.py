"""Which payload types and header extensions we offer, what we take of an offer, and what an answer to ours may be (RFC 3264, sections 5 to 7). Pure."""

import msgspec

from blink_cli.core.errors import WireError
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.rtx import RTX_PAYLOAD_TYPE
from blink_cli.net.link import header_encryption
from blink_cli.net.link.sdp import (
    AUDIO_LEVEL_ID,
    ENCRYPTED_LEVEL_ID,
    OPUS_PAYLOAD_TYPE,
    RED_PAYLOAD_TYPE,
)
from blink_cli.net.link_settings import LinkSettings


def offered_format(settings: LinkSettings) -> MediaFormat:
    """Everything that we know and the settings allow."""
    return MediaFormat(
        OPUS_PAYLOAD_TYPE,
        RED_PAYLOAD_TYPE if settings.redundancy else None,
        AUDIO_LEVEL_ID if settings.audio_level else None,
        encrypted_level_id=ENCRYPTED_LEVEL_ID
        if settings.audio_level and header_encryption.is_available()
        else None,
        nack=settings.retransmission,
        rtx=RTX_PAYLOAD_TYPE if settings.retransmission else None,
        dred=settings.dred,
    )


def answered_format(offered: MediaFormat, settings: LinkSettings) -> MediaFormat:
    """What we take of the other side's offer."""
    encrypted_level_id = offered.encrypted_level_id if header_encryption.is_available() else None
    return MediaFormat(
        offered.opus,
        offered.red if settings.redundancy else None,
        None if encrypted_level_id is not None else offered.audio_level_id,
        encrypted_level_id=encrypted_level_id,
        red_first=offered.red_first and settings.redundancy,
        nack=offered.nack and settings.retransmission,
        rtx=offered.rtx if offered.nack and settings.retransmission else None,
        dred=offered.dred if offered.dred == settings.dred else None,
    )


def accepted_format(answered: MediaFormat, offered: MediaFormat) -> MediaFormat:
    """What is agreed by the other side's answer to our offer.

    Raises:
        WireError: It is no answer to this offer.

    """
    if answered.opus != offered.opus or (answered.red is not None and answered.red != offered.red):
        raise WireError("the answer uses payload types that were not offered")
    if answered.rtx not in (None, offered.rtx):
        raise WireError("the answer uses a payload type for retransmissions that was not offered")
    if answered.audio_level_id not in (None, offered.audio_level_id):
        raise WireError("the answer uses a header extension that was not offered")
    if answered.encrypted_level_id not in (None, offered.encrypted_level_id):
        raise WireError("the answer uses an encrypted header extension that was not offered")
    if answered.encrypted_level_id is not None and answered.audio_level_id is not None:
        raise WireError("the answer has the audio level twice")
    if answered.dred != offered.dred:
        return msgspec.structs.replace(answered, dred=None)
    return answered
