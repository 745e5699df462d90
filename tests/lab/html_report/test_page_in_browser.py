"""A real browser opens the page without a network, reads every figure back, and moves through the call."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from blink_cli.lab.html_report.format import FIGURES
from tests.lab.html_report.runs import kept
from tests.support.page import report_of

SCRIPT: Final = """
const text = await (await fetch('page.html')).text();
const listening = `<script>
  var problems = [];
  addEventListener('error', event => problems.push(event.message || 'could not load ' + String(event.target.src).slice(0, 40)), true);
  addEventListener('securitypolicyviolation', event => problems.push('asked for ' + event.blockedURI));
  console.error = console.warn = (...words) => problems.push(words.join(' '));
<\\/script>`;
const frame = document.createElement('iframe');
frame.style = 'width: 400px; height: 3000px';
frame.srcdoc = text.replace('<style>', listening + '<style>');
document.body.append(frame);
await new Promise(done => frame.addEventListener('load', done));
const page = frame.contentDocument;
const voices = [...page.querySelectorAll('.voice')].map(voice => ({
  speaker: voice.dataset.speaker,
  listener: voice.dataset.listener,
  figures: Object.fromEntries([...voice.querySelectorAll('.figures data')].map(one => [one.dataset.figure, [one.value, one.textContent]])),
  plots: [...voice.querySelectorAll('[data-plot]')].map(one => one.dataset.plot),
  delay: (() => {
    const box = voice.querySelector('[data-plot=delay] svg'), high = Number(box.dataset.high);
    const words = box.querySelector('path.delay').getAttribute('d').match(/[ML][\\d.]+ [\\d.]+/g) || [];
    return words.map(word => word.slice(1).split(' ').map(Number))
      .map(([ms, y]) => [ms / 1000, high * (1 - y / box.viewBox.baseVal.height)]);
  })(),
  lost: [...voice.querySelectorAll('[data-plot=loss] rect.bar')].map(one => one.dataset.text),
}));
const matrix = [...page.querySelectorAll('.matrix')].map(table => ({
  figure: table.dataset.matrix,
  fields: [...table.querySelectorAll('td[data-speaker]')].map(one => [one.dataset.speaker, one.dataset.listener, one.querySelector('data').value]),
}));
const voice = page.querySelector('.voice');
const sounds = [...voice.querySelectorAll('audio')];
for (const sound of sounds) {
  sound.preload = 'auto';
  if (!(sound.readyState >= 1)) await new Promise(done => sound.addEventListener('loadedmetadata', done));
}
const area = voice.querySelector('[data-plot=delay]').getBoundingClientRect();
const clicked = new MouseEvent('click', {clientX: area.left + area.width / 2, clientY: area.top + 20, bubbles: true});
voice.querySelector('[data-plot=delay]').dispatchEvent(clicked);
const told = voice.querySelector('output').textContent;
const slider = voice.querySelector('input');
slider.value = '1'; slider.dispatchEvent(new Event('input'));
return {
  voices, matrix, told,
  title: page.title,
  about: page.querySelector('section p').textContent,
  bold: page.querySelector('section p b') !== null,
  outcomes: [...page.querySelectorAll('[data-expectation]')].map(one => [one.dataset.expectation, one.querySelector('.badge').textContent]),
  commands: [...page.querySelectorAll('code')].map(one => one.textContent).filter(one => one.startsWith('blink')),
  durations: sounds.map(sound => sound.duration),
  moments: sounds.map(sound => sound.currentTime),
  slid: voice.querySelector('output').textContent,
  width: page.documentElement.scrollWidth,
  wanted: page.documentElement.clientWidth,
  cut: [...page.querySelectorAll('.player, .plot, .figures')].filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.className),
  asked: frame.contentWindow.performance.getEntriesByType('resource').map(one => one.name).filter(one => !one.startsWith('data:')),
  problems: frame.contentWindow.problems,
};
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path: Path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_bytes(kept().page.content)
    return report_of("chromium", SCRIPT, {"page.html": path})


def test_it_needs_no_network_and_complains_of_nothing(seen: Any) -> None:
    assert seen["problems"] == []
    assert seen["asked"] == []
    assert seen["width"] <= seen["wanted"], "nothing stands out at the side of a telephone"
    assert seen["cut"] == []


def test_every_figure_reads_as_in_the_report(seen: Any) -> None:
    report = msgspec.to_builtins(kept().report)
    (case,) = report["cases"]
    assert [(one["speaker"], one["listener"]) for one in seen["voices"]] == [
        ("alice", "bob"),
        ("bob", "alice"),
    ]
    for voice, pair in zip(seen["voices"], case["pairs"], strict=True):
        assert set(voice["figures"]) == {figure.key for figure in FIGURES}
        for key, (value, text) in voice["figures"].items():
            name, _, statistic = key.partition(".")
            expected = pair[name] if not statistic else (pair[name] or {}).get(statistic)
            if name == "gaps":
                expected = len(pair["gaps"])
            assert json.loads(value or "null") == expected, key
            figure = next(one for one in FIGURES if one.key == key)
            assert text == ("-" if expected is None else figure.text(expected))
        delays = [tuple(point) for point in voice["delay"]]
        assert len(delays) == len(pair["delay_series"]) > 10
        for (at_s, ms), (said_at_s, delay_ms) in zip(delays, pair["delay_series"], strict=True):
            assert at_s == pytest.approx(said_at_s, abs=0.001)
            assert ms == pytest.approx(delay_ms, abs=0.1)
        assert voice["lost"] == [
            f"{lost} of {sent} packets" for at_s, sent, lost in pair["loss_series"] if at_s < 6
        ]
    for table in seen["matrix"]:
        name, _, statistic = table["figure"].partition(".")
        for speaker, listener, value in table["fields"]:
            pair = next(
                one for one in case["pairs"] if (one["speaker"], one["listener"]) == (speaker, listener)
            )
            assert json.loads(value) == (pair[name] if not statistic else pair[name][statistic])
    assert [one["figure"] for one in seen["matrix"]] == ["pesq_wb", "delay_ms.median", "loss"]


def test_verdicts_and_what_makes_it_again_are_told(seen: Any) -> None:
    assert seen["title"] == "✗ failed: blink lab"
    assert seen["outcomes"] == [["heard(alice->bob)", "✓ passed"], ["loss(alice->bob) < 1%", "✗ failed"]]
    assert seen["commands"] == ["blink lab run 'a trial.toml'", "blink lab run 'a trial.toml' --case trial"]
    assert (seen["about"], seen["bold"]) == ("A <b>bad</b> line & a mute.", False)


def test_plots_and_sounds_share_one_moment(seen: Any) -> None:
    assert seen["voices"][0]["plots"] == [
        *("done", "delay", "jitter", "loss", "concealed", "level", "buffer", "playout", "said", "heard")
    ]
    assert seen["durations"] == pytest.approx([7.0, 7.0], abs=0.05)
    assert float(seen["told"].split()[0]) == pytest.approx(3.0, abs=0.02), "where it was clicked, to a pixel"
    assert "lost: " in seen["told"]
    assert "what the playout did: " in seen["told"]
    assert seen["slid"].startswith("1.00 s · ")
    assert seen["moments"] == pytest.approx([1.0, 1.0], abs=0.01)
