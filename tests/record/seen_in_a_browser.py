"""What a browser shows of a recording with pictures while it plays it."""

import base64
from pathlib import Path
from typing import Any

import numpy as np

from blink_cli.video.coded_clock import read_clock
from blink_cli.video.picture import Picture
from tests.support.page import report_of

WIDTH, HEIGHT = 160, 90

_SCRIPT = """
const video = document.createElement('video');
video.muted = true;
video.src = '/recording.mp4';
document.body.append(video);
const canvas = new OffscreenCanvas(%(width)d, %(height)d);
const context = canvas.getContext('2d', {willReadFrequently: true});
const seen = [];
const brightness = () => {
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const rgba = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let text = '';
  for (let at = 0; at < rgba.length; at += 4)
    text += String.fromCharCode(Math.round(.299 * rgba[at] + .587 * rgba[at + 1] + .114 * rgba[at + 2]));
  return btoa(text);
};
await new Promise((done, failed) => {
  video.onloadedmetadata = done;
  video.onerror = () => failed(new Error(video.error.message));
});
for (const from of %(places)s) {
  video.currentTime = from;
  await new Promise(done => { video.onseeked = done; });
  const until = from + 0.8;
  await new Promise(async done => {
    const look = (_, told) => {
      seen.push([told.mediaTime, brightness()]);
      if (told.mediaTime >= until || video.ended) done(); else video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    video.onended = done;
    await video.play();
  });
  video.pause();
}
return {duration: video.duration, width: video.videoWidth, height: video.videoHeight, seen};
"""


def seen_in(
    browser: str, path: Path, places_s: list[float]
) -> tuple[dict[str, Any], list[tuple[float, float]]]:
    """Play a recording from some places on, 0.8 s each; skips the test where there is no such browser.

    Returns:
        `duration`, `width` and `height` as the page was told, and of each picture that shows the clock: its place in the file, and the moment that it shows.

    """
    script = _SCRIPT % {"width": WIDTH, "height": HEIGHT, "places": places_s}
    told = report_of(browser, script, {"recording.mp4": path})
    shown = []
    for at_s, text in told.pop("seen"):
        y = np.frombuffer(base64.b64decode(text), np.uint8).reshape(HEIGHT, WIDTH)
        grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
        moment_s = read_clock(Picture(y, grey, grey, 0, None))
        if moment_s is not None:
            shown.append((at_s, moment_s))
    return told, shown
