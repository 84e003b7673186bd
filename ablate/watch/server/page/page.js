"use strict";
(() => {
  const get = (id) => document.getElementById(id);
  // A text with places at which a narrow screen may break a name: at its signs, not inside its words and numbers.
  const breakable = (text) => `${text}`.split(/(?<=[=_@+/])(?=.)|(?<=[,.;])(?=[A-Za-z])|(?<=\S)(?=\()/s)
    .flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part]));
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.append(...breakable(text));
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  // Text is changed only where it differs: a screen reader and a selection are left alone.
  const write = (element, text) => {
    if (element.textContent !== `${text}`) element.replaceChildren(...breakable(text));
  };
  const study = new URLSearchParams(location.search).get("study");
  const address = (path, more = {}) => (study === null ? path : `${path}?${new URLSearchParams({ study, ...more })}`);
  const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  const clock = (seconds) => new Date(1000 * seconds)
    .toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const duration = (seconds) => {
    if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  };

  // The parts of the state by name, as the server has sent them.
  const parts = new Map();
  const numbered = (kind) => [...parts.keys()]
    .filter((name) => name.startsWith(`${kind}:`))
    .sort((a, b) => Number(a.slice(kind.length + 1)) - Number(b.slice(kind.length + 1)))
    .map((name) => parts.get(name));

  const title = document.querySelector("h1");
  title.replaceChildren(...breakable(title.textContent));

  let said = 0;
  let phase = "";
  const say = (text, always) => {
    // not more often than somebody can listen to
    if (!always && Date.now() - said < 20000) return;
    said = Date.now();
    write(get("said"), text);
  };

  const drawHead = (head) => {
    const gone = head.phase === "gone";
    get("problem").hidden = !gone;
    write(get("problem"), gone ? `The study cannot be read now: ${head.problem}` : "");
    if (gone || head.phase === "list") return;
    get("all").hidden = false;
    write(get("question"), head.question);
    const left = head.left === null ? "the time that is left is not known yet"
      : `${head.at_least ? "at least" : "about"} ${duration(head.left)} left`;
    const chosen = head.adaptive ? ", for the variants that are chosen so far" : "";
    const part = head.part ? " This home has a part of the study." : "";
    write(get("phase"), {
      running: `Running since ${clock(head.since || 0)}, ${left}${chosen}.`,
      reporting: "All runs have ended. The report is being written.",
      complete: `All runs have ended.${head.report ? ` The report is written: ${head.report} in the home of this study.` : ""}`,
      stopped: "No command of this home works on this study now. To continue it, use ablate study run with the same options.",
    }[head.phase] + part);
    const failed = head.failed ? `, ${head.failed.toLocaleString("en")} failed` : "";
    const runs = `${head.done.toLocaleString("en")} of ${count(head.total, "run")} done${failed}`;
    write(get("counts"), `${runs}; ${head.stages.toLocaleString("en")} of ${count(head.stages_total, "stage")} finished`);
    get("bar").value = head.stages_total ? head.stages / head.stages_total : 0;
    document.title = `${head.done + head.failed}/${head.total} ${head.name} – ablate watch`;
    say(`${runs}.`, phase !== head.phase && phase !== "");
    phase = head.phase;
    const seen = ["reporting", "complete"].includes(head.phase) && head.looked >= head.replicates;
    write(get("cost"), seen
      ? "All runs have ended, and a command has shown these verdicts already. It costs nothing to see them here."
      : get("cost").dataset.early);
  };

  const drawJobs = (jobs) => {
    get("no-jobs").hidden = jobs.length > 0;
    const list = get("jobs");
    while (list.children.length > jobs.length) list.lastChild.remove();
    jobs.forEach((job, i) => {
      let item = list.children[i];
      if (!item) {
        item = make("li");
        item.append(make("span"), make("progress", undefined, { max: "1" }), make("span", "", { class: "small" }));
        list.append(item);
      }
      const [what, bar, facts] = item.children;
      const together = job.together > 1 ? ` ${job.together} as one, among them` : "";
      write(what, `${job.what}${together} ${job.who}`);
      bar.value = job.share;
      bar.setAttribute("aria-label", `${job.what} ${job.who}`);
      write(facts, [`${Math.round(100 * job.share)} %`, job.facts].filter(Boolean).join(", "));
    });
  };

  const drawRuns = () => {
    const table = get("runs");
    const rows = numbered("row");
    const columns = parts.get("columns") || [];
    const states = ["done", "active", "waiting", "failed", "pruned", "idle"];
    const counted = rows.some((row) => row.counts);
    const shownStates = states.filter((state) => rows.some((row) => row.counts && row.counts[state]));
    const own = rows.find((row) => row.cells && row.cells.length === columns.length);
    const names = own ? own.cells.map((cell) => cell.name) : columns.map(String);
    const titles = ["variant", ...(counted ? shownStates : names.map((name) => `replicate ${name}`))];
    if (table.dataset.titles !== titles.join("\n")) {
      table.dataset.titles = titles.join("\n");
      const line = make("tr");
      titles.forEach((title) => line.append(make("th", title, { scope: "col" })));
      table.tHead.replaceChildren(line);
      table.tBodies[0].replaceChildren();
    }
    const body = table.tBodies[0];
    while (body.rows.length > rows.length) body.lastChild.remove();
    rows.forEach((row, i) => {
      const text = JSON.stringify(row);
      const line = body.rows[i] || body.insertRow();
      if (line.made === text) return;
      line.made = text;
      line.replaceChildren(make("th", `${row.variant}${row.baseline ? " (baseline)" : ""}`, { scope: "row" }));
      if (row.counts) {
        shownStates.forEach((state) => line.append(make("td", (row.counts[state] || 0).toLocaleString("en"), { class: state })));
        return;
      }
      const cells = new Map(row.cells.map((cell) => [cell.replicate, cell]));
      columns.forEach((replicate) => {
        const cell = cells.get(replicate);
        const share = cell && cell.share !== null ? ` ${Math.round(100 * cell.share)} %` : "";
        const box = make("td", cell ? cell.text + share : "", cell ? { class: cell.state } : {});
        if (cell && cell.facts) box.append(make("small", cell.facts));
        line.append(box);
      });
    });
  };

  const drawFailures = (failures) => {
    const list = get("failures");
    list.hidden = failures.length === 0;
    list.replaceChildren(...failures.map(({ reason, runs }) => make("li", `Failed: ${runs}: ${reason}`)));
  };

  const SVG = "http://www.w3.org/2000/svg";
  const drawn = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const drawLosses = () => {
    const figures = numbered("loss");
    get("no-losses").hidden = figures.length > 0;
    const points = figures.flatMap((figure) => figure.lines.flatMap((line) => line.points));
    const low = points.reduce((least, point) => Math.min(least, point[1]), Infinity);
    const high = points.reduce((most, point) => Math.max(most, point[1]), -Infinity);
    const box = get("losses");
    while (box.children.length > figures.length) box.lastChild.remove();
    figures.forEach((figure, i) => {
      const made = JSON.stringify([figure, low, high]);
      const old = box.children[i];
      if (old && old.made === made) return;
      const element = make("figure");
      element.made = made;
      const picture = drawn("svg", { viewBox: "0 0 200 80", preserveAspectRatio: "none", role: "img" });
      for (const y of [2, 78]) picture.append(drawn("line", { x1: 0, x2: 200, y1: y, y2: y }));
      const steps = Math.max(...figure.lines.map((line) => line.steps), 1);
      for (const line of figure.lines) {
        const at = line.points.map(([step, loss]) => {
          const y = high > low ? 78 - (76 * (loss - low)) / (high - low) : 40;
          return `${((200 * step) / steps).toFixed(1)},${y.toFixed(1)}`;
        });
        if (at.length === 1) at.push(at[0]); // a dot
        picture.append(drawn("polyline", { points: at.join(" "), class: line.running ? "running" : "ended" }));
      }
      const last = figure.lines.map((line) => line.points.at(-1)).filter(Boolean);
      const losses = last.map((point) => point[1]);
      const [least, most] = [Math.min(...losses).toFixed(3), Math.max(...losses).toFixed(3)];
      const running = figure.lines.filter((line) => line.running).length;
      const about = [
        `${count(figure.lines.length + figure.more, "replicate")}${figure.more ? `, the first ${figure.lines.length} drawn` : ""}`,
        running ? (running === figure.lines.length ? "running" : `${running} running`) : "",
        `last loss ${least === most ? least : `${least} to ${most}`}`,
      ].filter(Boolean).join(", ");
      picture.setAttribute("aria-label", `Losses of ${figure.title}: ${about}`);
      const caption = make("figcaption");
      caption.append(make("strong", figure.title), make("br"), about);
      caption.append(make("br"), make("small", `${low.toFixed(2)} to ${high.toFixed(2)} nats per token, ${count(steps, "step")}`));
      element.append(picture, caption);
      if (old) old.replaceWith(element); else box.append(element);
    });
    const more = (parts.get("losses") || { more: 0 }).more;
    get("more-losses").hidden = !more;
    write(get("more-losses"), more ? `${count(more, "more figure")}; the report has all.` : "");
  };

  // A piano roll as in the report: brighter is louder, a line every ten seconds, drums below a line.
  const RAMP = ["#8257c9", "#a654c4", "#c655ad", "#df5c92", "#f06b78", "#f98466", "#fea772", "#fecf92", "#fcfdbf"];
  const drawRoll = (canvas, roll) => {
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const pitches = roll.notes.map((note) => note[2]);
    const low = pitches.reduce((a, b) => Math.min(a, b), 127) - 2;
    const high = pitches.reduce((a, b) => Math.max(a, b), 0) + 3;
    const span = roll.notes.reduce((most, note) => Math.max(most, note[0] + note[1]), 1000);
    pen.fillStyle = "#26334a";
    pen.fillRect(0, 0, (roll.primer / span) * width, height);
    pen.fillStyle = "#3a4149";
    for (let at = 10000; at < span; at += 10000) pen.fillRect(Math.round((at / span) * width), 0, 1, height);
    const tall = height / (high - low);
    if (roll.strip !== null) pen.fillRect(0, Math.round((high - roll.strip - 0.5) * tall), width, 1);
    for (const [start, length, pitch, velocity, instrument] of roll.notes) {
      pen.fillStyle = roll.colours.length ? roll.colours[instrument][1]
        : RAMP[Math.min(RAMP.length - 1, Math.floor((velocity / 128) * RAMP.length))];
      pen.fillRect((start / span) * width, (high - pitch - 1) * tall, Math.max((length / span) * width - 0.5, 1.2), Math.max(tall, 1.5));
    }
  };
  const failed = (canvas) => canvas.setAttribute("aria-label", "The piano roll could not be loaded");
  const load = (canvas) => {
    fetch(address("/sample.json", canvas.sample))
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
      .then((roll) => {
        const instruments = roll.colours.map(([name]) => name).join(", ");
        const about = [roll.about, instruments].filter(Boolean).join("; ");
        canvas.setAttribute("aria-label", `Piano roll of ${canvas.dataset.title}: ${about}`);
        write(canvas.parentElement.querySelector(".about"), about);
        canvas.roll = roll;
        drawRoll(canvas, roll);
      })
      .catch(() => failed(canvas));
  };
  const near = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
    if (!isIntersecting) return;
    near.unobserve(target);
    load(target);
  }), { rootMargin: "300px" });
  const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => target.roll && drawRoll(target, target.roll)));
  const card = (sample, number, sound) => {
    const title = `${sample.variant}, replicate ${sample.replicate}, sample ${number}`;
    const article = make("article", undefined, { class: "sample", "data-key": `${sample.key}/${number}` });
    const canvas = make("canvas", undefined, { role: "img", "aria-label": `Piano roll of ${title}` });
    canvas.sample = { key: sample.key, number };
    canvas.dataset.title = title;
    article.append(make("h3", title), canvas, make("p", "", { class: "small about" }));
    if (sound) {
      const audio = make("audio", undefined, { controls: "", preload: "none", "aria-label": title });
      audio.src = address("/sample.mp3", canvas.sample);
      audio.addEventListener("play", () => {
        for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
      });
      article.append(audio);
    }
    const midi = make("a", "MIDI file", { href: address("/sample.mid", canvas.sample), download: "" });
    midi.setAttribute("aria-label", `MIDI file of ${title}`);
    article.append(midi);
    near.observe(canvas);
    sizes.observe(canvas);
    return article;
  };
  const drawSamples = ({ listed, more, sound, install }) => {
    get("no-samples").hidden = listed.length > 0;
    get("silence").hidden = sound || !listed.length;
    write(get("silence"), `To hear them here, install the renderer (${install}) and start ablate watch again.`);
    const box = get("samples");
    const wanted = listed.flatMap((sample) => Array.from({ length: sample.count }, (_, number) => [sample, number]));
    const old = new Map([...box.children].map((each) => [each.dataset.key, each]));
    wanted.forEach(([sample, number], i) => {
      const key = `${sample.key}/${number}`;
      const element = old.get(key) || card(sample, number, sound);
      old.delete(key);
      // one that stays in its place goes on playing
      if (box.children[i] !== element) box.insertBefore(element, box.children[i] || null);
    });
    old.forEach((element) => element.remove());
    get("more-samples").hidden = !more;
    write(get("more-samples"), more ? `Samples of ${count(more, "more variant")} are in the report.` : "");
  };

  const drawStudies = (studies) => {
    get("studies").replaceChildren(...studies.map((each) => {
      const item = make("li");
      item.append(make("a", each.shown, { href: `/?${new URLSearchParams({ study: each.name })}` }));
      const state = each.running ? "running now" : each.updated && `last run ${each.updated}`;
      item.append(make("span", state ? ` ${state}` : "", { class: each.running ? "active" : "small" }), make("br"), each.question);
      return item;
    }));
  };

  const draw = (names) => {
    const changed = (test) => names.some(test);
    if (parts.has("head")) drawHead(parts.get("head"));
    if (changed((name) => name === "jobs")) drawJobs(parts.get("jobs") || []);
    if (changed((name) => name === "columns" || name.startsWith("row:"))) drawRuns();
    if (changed((name) => name === "failures")) drawFailures(parts.get("failures") || []);
    if (changed((name) => name.startsWith("loss"))) drawLosses();
    if (changed((name) => name === "samples") && parts.has("samples")) drawSamples(parts.get("samples"));
    if (changed((name) => name === "studies")) drawStudies(parts.get("studies") || []);
  };

  // Verdicts are asked for, never sent.
  const sentences = ({ heading, lines }) => {
    const block = make("section");
    const list = make("ul");
    for (const [verdict, text] of lines) {
      const item = make("li");
      if (verdict) item.append(make("strong", verdict));
      item.append(text);
      list.append(item);
    }
    block.append(make("h3", heading), list);
    return block;
  };
  const showVerdicts = (found) => {
    const head = parts.get("head");
    const answer = get("answer");
    if (found.refused) { answer.replaceChildren(make("p", found.refused, { class: "notice" })); return; }
    const when = `At ${clock(Date.now() / 1000)}, with ${head.done} of ${head.total} runs done:`;
    answer.replaceChildren(make("p", when, { class: "small" }));
    if (found.warning) answer.append(make("p", found.warning, { class: "notice" }));
    answer.append(...found.blocks.map(sentences));
    for (const text of [found.promise, found.population]) if (text) answer.append(make("p", text, { class: "small" }));
    if (found.warnings.length) {
      answer.append(sentences({ heading: "Before you trust a difference", lines: found.warnings.map((text) => ["", text]) }));
    }
  };
  const ask = get("ask");
  if (ask) {
    ask.addEventListener("click", () => {
      ask.disabled = true;
      get("answer").replaceChildren(make("p", "Computing the verdicts, once for all who ask now. With thousands of runs this takes up to a minute."));
      fetch(address("/verdicts"))
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
        .then(showVerdicts)
        .catch(() => get("answer").replaceChildren(make("p", "The server did not answer. Try again.", { class: "notice" })))
        .finally(() => { ask.disabled = false; });
    });
  }

  // The connection: the page says when it is lost, and connects again.
  const RETRY = 2000;
  const SILENT = 35000;
  let source;
  let waiting;
  let heard = Date.now();
  const state = (text, lost) => {
    write(get("connection"), text);
    get("connection").classList.toggle("lost", lost);
  };
  const take = (message, anew) => {
    heard = Date.now();
    state("Connected; this page follows by itself.", false);
    const news = JSON.parse(message.data);
    const before = anew ? [...parts.keys()] : [];
    if (anew) parts.clear();
    for (const [name, part] of Object.entries(news)) {
      if (part === null) parts.delete(name); else parts.set(name, part);
    }
    draw([...before, ...Object.keys(news)]);
  };
  const connect = () => {
    source = new EventSource(address("/events"));
    source.addEventListener("state", (message) => take(message, true));
    source.addEventListener("changes", (message) => take(message, false));
    source.addEventListener("ping", () => { heard = Date.now(); });
    source.addEventListener("end", () => lose("The server was stopped. This page shows its last state, and connects again when the server is there."));
    source.onerror = () => lose("The server does not answer. This page shows its last state, and connects again when the server is there. If the server printed a new link, open that one.");
  };
  const lose = (text) => {
    source.close();
    state(text, true);
    waiting = setTimeout(connect, RETRY);
  };
  // A browser has six connections for all tabs of a server, so a tab that nobody sees keeps none.
  document.addEventListener("visibilitychange", () => {
    source.close();
    clearTimeout(waiting);
    if (document.hidden) state("Paused while nobody sees this tab.", false); else connect();
  });
  setInterval(() => {
    if (source.readyState === EventSource.OPEN && Date.now() - heard > SILENT) {
      state("The server has been silent for a while; what you see may be old.", true);
    }
  }, 5000);
  connect();
})();
