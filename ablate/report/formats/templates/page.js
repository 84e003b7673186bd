"use strict";
(() => {
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const read = (id) => JSON.parse(document.getElementById(id).textContent);

  // Tables: a click on a heading sorts by this column; long tables have a filter. Floors stay at the end.
  const FILTER_FROM = 9;

  const NOTHING = "\u2013";

  // As people type it: minus signs are hyphens, and case is ignored.
  const typed = (text) => String(text).toLowerCase().replaceAll("\u2212", "-");
  const matches = (text, wanted) => typed(wanted).split(/\s+/).every((word) => typed(text).includes(word));

  // A number, a text, or null for an empty cell.
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.sort || ((cell.querySelector(".name") || cell).firstChild || cell).textContent.trim();
    if (text === "" || text === NOTHING) return null;
    if (cell.tagName === "TH") return text;
    const number = Number(typed(text).replaceAll(",", "").replace("inf", "Infinity").split(" ")[0]);
    return Number.isNaN(number) ? text : number;
  };
  // Numbers inside a text are compared as numbers: tau=0.75 comes before tau=0.8.
  const split = new Map();
  const parts = (text) => {
    if (!split.has(text)) split.set(text, text.split(/(\d+(?:\.\d+)?(?:e[+-]?\d+)?)/i));
    return split.get(text);
  };
  const compareTexts = (a, b) => {
    const [left, right] = [parts(a), parts(b)];
    for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
      const order = i % 2 ? Number(left[i]) - Number(right[i]) : left[i].localeCompare(right[i], "en");
      if (order) return order;
    }
    return left.length - right.length;
  };
  // Empty cells come last in both directions; numbers come before texts.
  const compare = (a, b, sign) => {
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? 1 : -1;
    if (typeof a !== typeof b) return typeof a === "number" ? -sign : sign;
    return sign * (typeof a === "number" ? a - b : compareTexts(a, b));
  };
  const sortable = (headings, sort) => {
    headings.forEach((heading, column) => {
      const button = make("button", undefined, { type: "button", title: "Sort by this column" });
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(column, down ? -1 : 1);
      });
    });
  };
  const filterBox = (label, onInput) => {
    const box = make("label", "Filter ", { class: "filter" });
    const input = make("input", undefined, { type: "search", "aria-label": label });
    input.addEventListener("input", () => onInput(input.value.trim()));
    box.append(input);
    return box;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    sortable([...table.tHead.rows[0].cells], (column, sign) => {
      const rows = [...body.rows].filter((row) => !row.classList.contains("floor"));
      rows.sort((a, b) => compare(keyOf(a, column), keyOf(b, column), sign));
      body.prepend(...rows);
    });
    if (body.rows.length >= FILTER_FROM) {
      const box = filterBox(`Filter the rows of: ${table.caption.textContent}`, (wanted) => {
        for (const row of body.rows) row.hidden = !matches(row.textContent, wanted);
      });
      table.closest(".scroll").before(box);
    }
  }

  // The keyboard stops at a table or figure only if it scrolls; without this script it stops at each.
  const scrolling = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const wide = target.scrollWidth > target.clientWidth;
      target.toggleAttribute("tabindex", wide);
      if (wide) target.tabIndex = 0;
    }
  });
  const stops = () => document.querySelectorAll(".scroll").forEach((each) => scrolling.observe(each));

  // Every measurement: one row for each replicate; only the rows of the current page are built.
  const measurements = () => {
    const { names, replicates, rows } = read("measurements-data");
    const all = [];
    for (const [metric, feature, unit, values] of rows) {
      values.forEach((row, v) => row.forEach((value, r) => {
        if (value !== null) all.push([names[v], replicates[r], metric, feature, value, unit === "1" ? "" : unit]);
      }));
    }
    const SIZE = 25;
    let shown = all;
    let page = 0;
    const box = document.getElementById("measurements");
    const table = make("table");
    const caption = make("caption");
    caption.append(make("span", `${all.length.toLocaleString("en")} means over samples`));
    table.append(caption);
    const head = table.createTHead().insertRow();
    const titles = ["variant", "replicate", "metric", "feature", "value", "unit"];
    const words = [2, 3, 5];
    titles.forEach((title, i) => head.append(make("th", title, words.includes(i) ? { scope: "col", class: "words" } : { scope: "col" })));
    const body = table.createTBody();
    const written = (value) => (typeof value === "number" ? String(value).replaceAll("-", "\u2212") : value);
    const status = make("span", "", { role: "status" });
    const turn = (text, by) => {
      const button = make("button", text, { type: "button" });
      button.addEventListener("click", () => { page += by; draw(); });
      return button;
    };
    const [back, next] = [turn("Back", -1), turn("Next", 1)];
    const draw = () => {
      const pages = Math.max(1, Math.ceil(shown.length / SIZE));
      page = Math.min(Math.max(page, 0), pages - 1);
      body.replaceChildren(...shown.slice(page * SIZE, (page + 1) * SIZE).map((values) => {
        const row = make("tr");
        values.forEach((value, i) => row.append(
          i ? make("td", written(value), { "data-label": titles[i], ...(words.includes(i) && { class: "words" }) }) : make("th", undefined, { scope: "row" })
        ));
        row.cells[0].append(make("span", values[0], { class: "name" }));
        return row;
      }));
      back.disabled = page === 0;
      next.disabled = page === pages - 1;
      status.textContent = `Page ${page + 1} of ${pages}, ${shown.length.toLocaleString("en")} rows`;
    };
    sortable([...head.cells], (column, sign) => {
      all.sort((a, b) => compare(a[column], b[column], sign));
      choose();
    });
    let wanted = "";
    const choose = () => {
      shown = all.filter((row) => matches(row.join(" "), wanted));
      page = 0;
      draw();
    };
    const filter = filterBox("Filter measurements", (text) => {
      wanted = text;
      choose();
    });
    const scroll = make("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Measurements" });
    scroll.append(table);
    const pager = make("div", undefined, { class: "pager" });
    pager.append(back, next, status);
    box.append(filter, scroll, pager);
    draw();
  };

  // Piano rolls: velocity as colour, a line every ten seconds, and a playhead that follows the sound.
  // With several instruments each has its colour, brighter where louder, and drums are below a line.
  const RAMP = ["#8257c9", "#a654c4", "#c655ad", "#df5c92", "#f06b78", "#f98466", "#fea772", "#fecf92", "#fcfdbf"];
  const silence = (but) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== but) audio.pause();
  };
  const colour = (velocity) => RAMP[Math.min(RAMP.length - 1, Math.floor((velocity / 128) * RAMP.length))];
  const NIGHT = [21, 24, 29];
  const tint = (full, velocity) => {
    const mixed = NIGHT.map((dark, i) => dark + (parseInt(full.slice(1 + 2 * i, 3 + 2 * i), 16) - dark) * (0.4 + 0.6 * velocity / 127));
    return `rgb(${mixed.map(Math.round).join(" ")})`;
  };
  const rolls = () => {
    const { colours, strip } = document.getElementById("clips").dataset;
    const own = colours ? colours.split(",") : [];
    const clips = read("clips-data");
    const pitches = clips.flatMap((clip) => clip.notes.map((note) => note[2]));
    // not Math.min(...pitches), because there may be too many for arguments
    const low = pitches.reduce((a, b) => Math.min(a, b), 127) - 2;
    const high = pitches.reduce((a, b) => Math.max(a, b), 0) + 3;
    const lengths = clips.flatMap((clip) => clip.notes.map((note) => note[0] + note[1]));
    const span = lengths.reduce((a, b) => Math.max(a, b), 1000);
    const drawings = new Map(clips.map((clip) => {
      const article = document.getElementById(clip.id);
      const canvas = article.querySelector("canvas");
      const audio = article.querySelector("audio");
      const draw = () => {
        const [width, height] = [canvas.clientWidth, canvas.clientHeight];
        const scale = window.devicePixelRatio || 1;
        canvas.width = width * scale;
        canvas.height = height * scale;
        const pen = canvas.getContext("2d");
        pen.scale(scale, scale);
        if (clip.primer) {
          pen.fillStyle = "#26334a";
          pen.fillRect(0, 0, (clip.primer / span) * width, height);
        }
        pen.fillStyle = "#3a4149";
        for (let at = 10000; at < span; at += 10000) pen.fillRect(Math.round((at / span) * width), 0, 1, height);
        const tall = height / (high - low);
        if (strip !== undefined) pen.fillRect(0, Math.round((high - strip - 0.5) * tall), width, 1);
        for (const [start, length, pitch, velocity, instrument] of clip.notes) {
          pen.fillStyle = own.length ? tint(own[instrument], velocity) : colour(velocity);
          pen.fillRect((start / span) * width, (high - pitch - 1) * tall, Math.max((length / span) * width - 0.5, 1.2), Math.max(tall, 1.5));
        }
        if (audio && (audio.currentTime > 0 || !audio.paused)) {
          pen.fillStyle = "#ffffff";
          pen.fillRect(Math.round(((1000 * audio.currentTime) / span) * width), 0, 2, height);
        }
      };
      if (audio) {
        const follow = () => {
          draw();
          if (!audio.paused) requestAnimationFrame(follow);
        };
        audio.addEventListener("play", () => {
          silence(audio);
          follow();
        });
        for (const event of ["pause", "seeked", "ended"]) audio.addEventListener(event, draw);
        canvas.addEventListener("click", (event) => {
          audio.currentTime = ((event.offsetX / canvas.clientWidth) * span) / 1000;
          audio.play().catch(() => {}); // it was stopped before it began, which is no error
        });
      }
      return [canvas, draw];
    }));
    // also for a roll that was hidden while the window changed its size
    const watch = new ResizeObserver((entries) => entries.forEach((entry) => drawings.get(entry.target)()));
    drawings.forEach((draw, canvas) => { draw(); watch.observe(canvas); });
  };

  // Blind listening: one round for each sample number, with one sample of each variant, in random order.
  const blind = () => {
    const clips = document.getElementById("clips");
    const articles = [...clips.querySelectorAll(".clip")].filter((each) => each.dataset.variant);
    const bySample = [];
    const seen = new Map();
    for (const article of articles.filter((each) => each.querySelector("audio"))) {
      const number = seen.get(article.dataset.variant) || 0;
      seen.set(article.dataset.variant, number + 1);
      (bySample[number] = bySample[number] || []).push(article);
    }
    const rounds = bySample.filter((round) => round.length > 1);
    if (!rounds.length) return;
    document.querySelector(".blind").hidden = false;
    const begin = document.getElementById("blind-start");
    const panel = document.getElementById("blind-panel");
    const shuffled = (items) => {
      const order = [...items];
      for (let i = order.length - 1; i > 0; i -= 1) {
        const j = Math.floor(Math.random() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    };
    const texts = (article) => [
      article.querySelector("h3").textContent,
      ...["canvas", "audio"].map((each) => article.querySelector(each).getAttribute("aria-label")),
    ];
    const own = new Map(rounds.flat().map((article) => [article, texts(article)]));
    const named = (article, [title, roll, sound], known) => {
      article.querySelector("h3").textContent = title;
      article.querySelector("canvas").setAttribute("aria-label", roll);
      const audio = article.querySelector("audio");
      audio.setAttribute("aria-label", sound);
      if (audio.currentTime) audio.currentTime = 0;
      article.querySelector("p").hidden = !known;
    };
    const choices = [];
    const end = () => {
      clips.append(...articles);
      articles.forEach((article) => { article.hidden = false; });
      own.forEach((each, article) => named(article, each, true));
      panel.replaceChildren(make("p", "Your choices:"));
      const list = make("ol");
      choices.forEach(({ letter, article, among }) => {
        const others = among.map((each, i) => `${String.fromCharCode(65 + i)} was ${each.dataset.variant}`).join("; ");
        list.append(make("li", `${letter}: ${article.dataset.variant} (${others})`));
        article.classList.add("chosen");
      });
      panel.append(list, make("p", "A few clips and one listener give a hint, but no evidence.", { class: "small" }));
      begin.textContent = "Again";
      begin.hidden = false;
    };
    const round = (number) => {
      silence();
      panel.focus();
      if (number >= rounds.length) { end(); return; }
      const order = shuffled(rounds[number]);
      articles.forEach((article) => { article.hidden = !order.includes(article); });
      order.forEach((article, i) => named(article, Array(3).fill(`Sample ${String.fromCharCode(65 + i)}`), false));
      clips.append(...order); // not only CSS, otherwise the Tab key would reveal the order
      const form = make("form");
      const set = make("fieldset");
      set.append(make("legend", `Round ${number + 1} of ${rounds.length}: which one sounds closest to the reference?`));
      order.forEach((_, i) => {
        const letter = String.fromCharCode(65 + i);
        const label = make("label");
        label.append(make("input", undefined, { type: "radio", name: "closest", value: String(i), required: "" }), ` ${letter}`);
        set.append(label);
      });
      form.append(set, make("button", number + 1 < rounds.length ? "Next" : "Reveal", { type: "submit" }));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const value = Number(new FormData(form).get("closest"));
        choices.push({ letter: String.fromCharCode(65 + value), article: order[value], among: order });
        round(number + 1);
      });
      panel.replaceChildren(form);
    };
    panel.tabIndex = -1;
    begin.addEventListener("click", () => {
      choices.length = 0;
      articles.forEach((article) => article.classList.remove("chosen"));
      begin.hidden = true;
      panel.hidden = false;
      round(0);
    });
  };

  measurements();
  stops();
  if (document.getElementById("clips")) { rolls(); blind(); }
})();
