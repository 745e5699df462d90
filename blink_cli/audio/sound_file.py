"""A sound file that is read from its beginning to its end, through libsndfile."""

from pathlib import Path
from typing import BinaryIO

import soundfile

from blink_cli.files.reading import named_by_ending, open_reading


class ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # the base carries no annotations
    """A sound file that is read from the beginning to the end.

    Otherwise soundfile seeks to where it already is after every read, and libsndfile's MP3 decoder then starts anew in the middle of
    its bit reservoir: the sound is damaged from the second read on.
    """

    _source: BinaryIO | None = None

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: It cannot be opened, or is no ordinary file.
            soundfile.LibsndfileError: It is no sound.

        """
        source = open_reading(path)
        try:
            try:
                super().__init__(source.fileno(), closefd=False)
            except soundfile.LibsndfileError:
                # MP3s that begin with something else, and files without a header, are told by their endings alone.
                with named_by_ending(source, path.suffix) as name:
                    super().__init__(name)
        except BaseException:
            source.close()
            raise
        self._source = source

    def seekable(self) -> bool:
        """Say no, so that nothing but us seeks."""
        return False

    def close(self) -> None:
        """Let go of it. Safe to call twice."""
        super().close()
        if self._source is not None:
            self._source.close()
