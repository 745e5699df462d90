"""The page of `bench voice`: a browser reads each figure back and can play each sound, without a network."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from benches import voice

from tests.support.page import report_of

SCRIPT: Final = """
const text = await (await fetch('page.html')).text();
const listening = `<script>
  var problems = [];
  addEventListener('error', event => problems.push(event.message || 'could not load ' + String(event.target.src).slice(0, 40)), true);
  addEventListener('securitypolicyviolation', event => problems.push('asked for ' + event.blockedURI));
<\\/script>`;
const frame = document.createElement('iframe');
frame.srcdoc = text.replace('<style>', listening + '<style>');
document.body.append(frame);
await new Promise(done => frame.addEventListener('load', done));
const page = frame.contentDocument;
const sounds = [...page.querySelectorAll('audio')];
for (const sound of sounds) {
  sound.preload = 'auto';
  if (!(sound.readyState >= 1)) await new Promise(done => sound.addEventListener('loadedmetadata', done));
}
return {
  rows: [...page.querySelectorAll('tr[data-receiver]')].map(row => ({
    trace: row.closest('section').dataset.trace,
    receiver: row.dataset.receiver,
    figures: Object.fromEntries([...row.querySelectorAll('data')].map(one => [one.dataset.figure, Number(one.value)])),
    seconds: row.querySelector('audio').duration,
    picture: row.querySelector('img').naturalWidth,
  })),
  seconds: sounds.map(sound => sound.duration),
  asked: frame.contentWindow.performance.getEntriesByType('resource').map(one => one.name).filter(one => !one.startsWith('data:')),
  problems: frame.contentWindow.problems,
};
"""


@pytest.mark.in_pairs
def test_a_browser_reads_the_figures_back_and_can_play_each_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert voice.main(["--json", "--traces", "loss10", "--seeds", "1", "--html", str(page)]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    seen: Any = report_of("chromium", SCRIPT, {"page.html": page})
    assert seen["problems"] == []
    assert seen["asked"] == []
    assert [(one["trace"], one["receiver"]) for one in seen["rows"]] == [
        ("loss10", receiver) for receiver in voice.RECEIVERS
    ]
    for row, told in zip(rows, seen["rows"], strict=True):
        assert told["figures"] == {name: value for name, value in row.items() if isinstance(value, float)}, (
            "a figure reads otherwise"
        )
        assert told["seconds"] == pytest.approx(21.5, abs=0.1), "the call and what is behind it"
        assert told["picture"] > 0
    assert min(seen["seconds"]) > 19, "what was said is there too"
