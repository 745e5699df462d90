// One moment for all plots of a voice: a slider, a click in a plot, or a sound that plays. Without scripts the page shows the same figures.
"use strict";
(() => {
  const words = (path) => (path.getAttribute("d") || "").match(/[ML][\d.-]+ [\d.-]+/g) || [];
  const points = new WeakMap();

  // What a line shows at a moment: the nearest point within half a second.
  const onLine = (path, ms) => {
    if (!points.has(path)) points.set(path, words(path).map((word) => word.slice(1).split(" ").map(Number)));
    let best = null;
    for (const point of points.get(path)) if (!best || Math.abs(point[0] - ms) < Math.abs(best[0] - ms)) best = point;
    if (!best || Math.abs(best[0] - ms) > 1000) return null;
    const box = path.ownerSVGElement, low = Number(box.dataset.low), high = Number(box.dataset.high);
    const value = low + (1 - best[1] / box.viewBox.baseVal.height) * (high - low);
    return `${value.toFixed(value < 10 && value > -10 ? 1 : 0)} ${box.dataset.unit}`;
  };

  const onBars = (box, ms) => {
    for (const bar of box.querySelectorAll("rect.bar")) {
      const x = bar.x.baseVal.value, width = bar.width.baseVal.value;
      if (ms >= x - 0.05 * width && ms < x + 1.05 * width) return bar.dataset.text;
    }
    return null;
  };

  const onLanes = (box, ms) => {
    const found = [];
    for (const path of box.querySelectorAll("path.box")) {
      for (const part of path.getAttribute("d").matchAll(/M([\d.]+) 3h([\d.]+)/g)) {
        if (ms >= Number(part[1]) && ms < Number(part[1]) + Number(part[2])) found.push(path.dataset.text);
      }
    }
    return found.length ? found.join("; ") : null;
  };

  const voiceOf = (voice) => {
    const duration = Number(voice.dataset.duration);
    const slider = voice.querySelector("input[type=range]"), output = voice.querySelector("output");
    const sounds = [...voice.querySelectorAll("audio")], areas = [...voice.querySelectorAll("svg.area")];
    if (!slider) return;
    slider.max = String(duration);
    const cursors = areas.map((area) => {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.setAttribute("class", "cursor");
      line.setAttribute("y1", "0");
      line.setAttribute("y2", String(area.height.baseVal.value - 17));
      area.append(line);
      return line;
    });
    const at = (seconds) => {
      const share = `${(100 * seconds) / duration}%`;
      for (const line of cursors) { line.setAttribute("x1", share); line.setAttribute("x2", share); }
      slider.value = String(seconds);
      const told = [];
      for (const area of areas) {
        const box = area.querySelector("svg");
        const title = area.closest("figure").querySelector("b").textContent;
        const line = box.querySelector("path.line:last-of-type");
        const text = line ? onLine(line, 1000 * seconds) : box.querySelector("rect.bar") ? onBars(box, 1000 * seconds) : onLanes(box, 1000 * seconds);
        if (text) told.push(`${title.toLowerCase()}: ${text}`);
      }
      output.textContent = `${seconds.toFixed(2)} s · ${told.join(" · ")}`;
    };
    const seek = (seconds) => {
      for (const sound of sounds) sound.currentTime = seconds;
      at(seconds);
    };
    slider.addEventListener("input", () => seek(Number(slider.value)));
    for (const area of areas) {
      area.addEventListener("click", (event) => {
        const box = area.getBoundingClientRect();
        seek(Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * duration);
      });
    }
    for (const sound of sounds) {
      sound.addEventListener("timeupdate", () => { if (!sound.paused) at(Math.min(sound.currentTime, duration)); });
      sound.addEventListener("play", () => {
        for (const other of document.querySelectorAll("audio")) if (other !== sound) other.pause();
      });
    }
    at(0);
  };
  for (const voice of document.querySelectorAll(".voice")) voiceOf(voice);

  const opened = () => {
    const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", opened);
  opened();
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details.voice")) one.open = true; });
})();
