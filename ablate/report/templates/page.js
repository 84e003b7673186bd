"use strict";
(() => {
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const read = (id) => JSON.parse(document.getElementById(id).textContent);

  // Tables: a click on a heading sorts by it, long tables can be filtered. Floors stay below.
  const FILTER_FROM = 9;

  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.sort !== undefined) return Number(cell.dataset.sort);
    const text = cell.firstChild ? cell.firstChild.textContent.trim() : "";
    const number = Number(text.replaceAll(",", "").replace("\u2212", "-").split(" ")[0]);
    return text !== "" && Number.isFinite(number) ? number : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
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
    input.addEventListener("input", () => onInput(input.value.trim().toLowerCase()));
    box.append(input);
    return box;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    sortable([...table.tHead.rows[0].cells], (column, sign) => {
      const rows = [...body.rows].filter((row) => !row.classList.contains("floor"));
      rows.sort((a, b) => sign * compare(keyOf(a, column), keyOf(b, column)));
      body.prepend(...rows);
    });
    if (body.rows.length >= FILTER_FROM) {
      const box = filterBox(`Filter the rows of: ${table.caption.textContent}`, (wanted) => {
        for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
      });
      table.closest(".scroll").before(box);
    }
  }

  // Every measurement: one row a replicate, made as they are looked at.
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
    table.append(make("caption", `${all.length.toLocaleString("en")} means over samples`));
    const head = table.createTHead().insertRow();
    const titles = ["variant", "replicate", "metric", "feature", "value", "unit"];
    const words = [2, 3, 5];
    titles.forEach((title, i) => head.append(make("th", title, words.includes(i) ? { scope: "col", class: "words" } : { scope: "col" })));
    const body = table.createTBody();
    const status = make("span", "", { role: "status" });
    const turn = (text, by) => {
      const button = make("button", text, { type: "button" });
      button.addEventListener("click", () => { page += by; draw(); });
      return button;
    };
    const [back, forth] = [turn("Back", -1), turn("Forth", 1)];
    const draw = () => {
      const pages = Math.max(1, Math.ceil(shown.length / SIZE));
      page = Math.min(Math.max(page, 0), pages - 1);
      body.replaceChildren(...shown.slice(page * SIZE, (page + 1) * SIZE).map((values) => {
        const row = make("tr");
        values.forEach((value, i) => row.append(
          i ? make("td", String(value), words.includes(i) ? { class: "words" } : {}) : make("th", String(value), { scope: "row" })
        ));
        return row;
      }));
      back.disabled = page === 0;
      forth.disabled = page === pages - 1;
      status.textContent = `Page ${page + 1} of ${pages}, ${shown.length.toLocaleString("en")} rows`;
    };
    sortable([...head.cells], (column, sign) => {
      shown = [...shown].sort((a, b) => sign * compare(a[column], b[column]));
      page = 0;
      draw();
    });
    const filter = filterBox("Filter measurements", (wanted) => {
      const words = wanted.split(/\s+/);
      shown = all.filter((row) => words.every((word) => row.join(" ").toLowerCase().includes(word)));
      page = 0;
      draw();
    });
    const scroll = make("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Measurements" });
    scroll.append(table);
    const pager = make("div", undefined, { class: "pager" });
    pager.append(back, forth, status);
    box.append(filter, scroll, pager);
    draw();
  };

  // Piano rolls: velocity as colour, and a playhead that follows the sound.
  const RAMP = ["#3b0f70", "#641a80", "#8c2981", "#b73779", "#de4968", "#f7705c", "#fe9f6d", "#fecf92", "#fcfdbf"];
  const colour = (velocity) => RAMP[Math.min(RAMP.length - 1, Math.floor((velocity / 128) * RAMP.length))];
  const rolls = () => {
    const clips = read("clips-data");
    const pitches = clips.flatMap((clip) => clip.notes.map((note) => note[2]));
    // not Math.min(...pitches): there may be too many of them for arguments
    const low = pitches.reduce((a, b) => Math.min(a, b), 127) - 2;
    const high = pitches.reduce((a, b) => Math.max(a, b), 0) + 3;
    const lengths = clips.flatMap((clip) => clip.notes.map((note) => note[0] + note[1]));
    const span = lengths.reduce((a, b) => Math.max(a, b), 1000);
    const drawings = clips.map((clip) => {
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
          pen.fillStyle = "#31405a";
          pen.fillRect(0, 0, (clip.primer / span) * width, height);
        }
        const tall = height / (high - low);
        for (const [start, length, pitch, velocity] of clip.notes) {
          pen.fillStyle = colour(velocity);
          pen.fillRect((start / span) * width, (high - pitch - 1) * tall, Math.max((length / span) * width - 0.5, 1.2), Math.max(tall, 1.5));
        }
        if (audio && (audio.currentTime > 0 || !audio.paused)) {
          pen.fillStyle = "#ffffff";
          pen.fillRect(((1000 * audio.currentTime) / span) * width, 0, 1.5, height);
        }
      };
      if (audio) {
        const follow = () => {
          draw();
          if (!audio.paused) requestAnimationFrame(follow);
        };
        audio.addEventListener("play", () => {
          for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
          follow();
        });
        for (const event of ["pause", "seeked", "ended"]) audio.addEventListener(event, draw);
        canvas.addEventListener("click", (event) => {
          audio.currentTime = ((event.offsetX / canvas.clientWidth) * span) / 1000;
          audio.play();
        });
      }
      draw();
      return draw;
    });
    let pending = 0;
    window.addEventListener("resize", () => {
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(() => drawings.forEach((draw) => draw()));
    });
  };

  // Blind: one round for each sample number, with one sample of each variant, in an order of its own.
  const blind = () => {
    const articles = [...document.querySelectorAll(".clip[data-variant]")].filter((each) => each.dataset.variant);
    const rounds = [];
    const seen = new Map();
    for (const article of articles) {
      const number = seen.get(article.dataset.variant) || 0;
      seen.set(article.dataset.variant, number + 1);
      (rounds[number] = rounds[number] || []).push(article);
    }
    if (seen.size < 2 || !articles.some((article) => article.querySelector("audio"))) return;
    document.querySelector(".blind").hidden = false;
    const start = document.getElementById("blind-start");
    const panel = document.getElementById("blind-panel");
    const titles = new Map(articles.map((article) => [article, article.querySelector("h3").textContent]));
    const shuffled = (items) => {
      const order = [...items];
      for (let i = order.length - 1; i > 0; i -= 1) {
        const j = Math.floor(Math.random() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    };
    const named = (article, text, hide) => {
      article.querySelector("h3").textContent = text;
      article.querySelector("p").hidden = hide;
      const labelled = [article.querySelector("canvas"), article.querySelector("audio")];
      labelled.forEach((each) => each && each.setAttribute("aria-label", hide ? text : titles.get(article)));
    };
    const choices = [];
    const end = () => {
      articles.forEach((article) => {
        article.hidden = false;
        article.style.order = "";
        named(article, titles.get(article), false);
      });
      panel.replaceChildren(make("p", "What you chose:"));
      const list = make("ol");
      choices.forEach(({ letter, article, among }) => {
        const others = among.map((each, i) => `${String.fromCharCode(65 + i)} was ${each.dataset.variant}`).join("; ");
        list.append(make("li", `${letter}: ${article ? article.dataset.variant : "none"} (${others})`));
        if (article) article.classList.add("chosen");
      });
      panel.append(list, make("p", "A few clips and one listener: a hint, no evidence.", { class: "small" }));
      start.textContent = "Again";
      start.hidden = false;
      panel.focus();
    };
    const round = (number) => {
      if (number >= rounds.length) { end(); return; }
      const order = shuffled(rounds[number]);
      articles.forEach((article) => { article.hidden = !order.includes(article); });
      order.forEach((article, i) => {
        article.style.order = String(i + 1);
        named(article, `Sample ${String.fromCharCode(65 + i)}`, true);
      });
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
        document.querySelectorAll("audio").forEach((audio) => audio.pause());
        round(number + 1);
      });
      panel.replaceChildren(form);
    };
    panel.tabIndex = -1;
    start.addEventListener("click", () => {
      choices.length = 0;
      articles.forEach((article) => article.classList.remove("chosen"));
      start.hidden = true;
      panel.hidden = false;
      round(0);
    });
  };

  measurements();
  if (document.getElementById("clips")) { rolls(); blind(); }
})();
