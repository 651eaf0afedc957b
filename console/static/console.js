"use strict";
// The pages work without this script; it adds keys, live update and ticks that stay.
(() => {
  const $ = id => document.getElementById(id);
  const typing = () => /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName) && !/^(checkbox|range)$/.test(document.activeElement.type);
  let current = null; // dedup key of the row that the keys are on
  let shown = null;   // version of what the page shows
  let budget = null;  // where somebody has put the slider

  const rows = () => [...document.querySelectorAll(".row")];
  function select(row) {
    rows().forEach(r => r.classList.toggle("current", r === row));
    if (!row) return;
    current = row.dataset.key;
    row.querySelector("h3 a").focus({preventScroll: true});
    row.scrollIntoView({block: "nearest"});
  }
  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex(r => r.dataset.key === current);
    select(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
  }
  function decide(kind) {
    const reason = $("say-" + kind);
    if (reason) {
      reason.scrollIntoView({block: "center"});
      reason.focus();
      return;
    }
    const row = rows().find(r => r.dataset.key === current);
    if (row) location.href = row.dataset.href + "#say-" + kind;
  }
  const keys = {
    j: () => step(1), k: () => step(-1), "/": () => $("find") && $("find").focus(),
    a: () => decide("acknowledge"), e: () => decide("expected"), t: () => decide("confirmed"), h: () => decide("assigned"),
  };
  document.addEventListener("keydown", ev => {
    if (ev.ctrlKey || ev.metaKey || ev.altKey) return;
    if (ev.key === "Escape" && typing()) { document.activeElement.blur(); return; }
    if (typing() || !keys[ev.key]) return;
    ev.preventDefault();
    keys[ev.key]();
  });

  // choose shows what one budget comes to, and hides the others.
  function choose(slider) {
    const trials = [...document.querySelectorAll(".trial")];
    trials.forEach((t, i) => { t.hidden = i !== Number(slider.value); });
    document.querySelectorAll("[data-trial]").forEach(r => r.classList.toggle("chosen", r.dataset.trial === slider.value));
    const text = trials[slider.value].dataset.budget + " alerts a day";
    slider.setAttribute("aria-valuetext", text);
    $("budget-now").textContent = text;
  }

  function prepare() {
    document.querySelectorAll("[data-check]").forEach(box => {
      const name = "weir " + box.dataset.check;
      box.checked = localStorage.getItem(name) === "1";
      box.addEventListener("change", () => box.checked ? localStorage.setItem(name, "1") : localStorage.removeItem(name));
    });
    document.querySelectorAll("#filter select").forEach(s => s.addEventListener("change", () => s.form.requestSubmit()));
    const slider = $("budget");
    if (slider) {
      if (budget !== null) slider.value = Math.min(budget, slider.max);
      slider.addEventListener("input", () => { budget = Number(slider.value); choose(slider); });
      choose(slider);
    }
    // A picture that is wider than the window shows its latest days, or its first count.
    document.querySelectorAll(".scroll svg").forEach(svg => {
      const box = svg.closest(".scroll"), first = svg.querySelector("[class^=q]");
      if (svg.classList.contains("spans")) box.scrollLeft = box.scrollWidth;
      else if (first) box.scrollLeft = first.getBoundingClientRect().left - box.getBoundingClientRect().left - 100;
    });
    const filter = $("filter");
    // Empty values would only make the address longer.
    if (filter) filter.addEventListener("submit", () => [...filter.elements].forEach(el => { if (el.name && !el.value) el.disabled = true; }));
  }

  // written reports whether somebody has begun to write into a form of the page.
  const written = () => [...document.querySelectorAll("main input:not([type=checkbox]):not([type=range]):not([type=hidden])")].some(i => i.value !== i.defaultValue);

  async function refresh() {
    const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (written() || typing()) { say("changed: reload to see it", "live"); return; }
    const known = new Set(rows().map(r => r.dataset.key)), at = window.scrollY;
    const onRow = document.activeElement.closest(".row") !== null;
    // What the server did not say of the link that led here, its answer to this script must not say.
    if (!$("recorded") && page.getElementById("recorded")) page.getElementById("recorded").remove();
    $("main").replaceChildren(...page.getElementById("main").childNodes);
    const status = page.getElementById("status");
    shown = status.dataset.version;
    page.getElementById("link").replaceWith($("link"));
    $("status").replaceChildren(...status.childNodes);
    rows().forEach(r => r.classList.toggle("fresh", known.size > 0 && !known.has(r.dataset.key)));
    prepare();
    const row = rows().find(r => r.dataset.key === current);
    if (row) row.classList.add("current");
    if (row && onRow) row.querySelector("h3 a").focus({preventScroll: true});
    window.scrollTo(0, at);
  }

  function say(text, how) {
    const link = $("link");
    if (link) { link.textContent = text; link.className = how; }
  }
  function live() {
    const status = $("status");
    if (!status) return;
    let waiting = null;
    shown = status.dataset.version;
    const source = new EventSource(status.dataset.live);
    source.onmessage = ev => {
      say("live", "live");
      if (ev.data === shown || waiting) return;
      waiting = setTimeout(() => { waiting = null; refresh().catch(() => say("not live", "lost")); }, 300);
    };
    source.onerror = () => say("not live; trying again", "lost");
    addEventListener("pagehide", () => source.close());
  }

  prepare();
  live();
})();
