// The page that follows a test: it puts the server's sections in their places and says when nothing comes any more.
// It computes nothing of the test. Without it the page is whole, and is loaded again every 5 s.
"use strict";
(function () {
  const STALE_MS = 3000;
  const KEY = "halfpercent-lost";
  const root = document.documentElement;
  const main = document.getElementById("main");
  const words = main.dataset;
  let heard = Date.now(); // when the station was last known to be heard, by this machine's clock
  let lostAt = null;
  let source = null;

  function time(ms, second) {
    return new Date(ms).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second });
  }

  function age(ms) {
    const s = Math.floor(ms / 1000);
    return s < 60 ? s + "\u00a0s" : s < 3600 ? Math.floor(s / 60) + "\u00a0min"
      : Math.floor(s / 3600) + "\u00a0h " + Math.floor((s % 3600) / 60) + "\u00a0min";
  }

  // what was lost stays on the page, also when it is loaded again

  function losses() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY) || "[]").filter(Array.isArray).slice(-5);
    } catch (e) {
      return [];
    }
  }

  function remember(from, to) {
    try {
      sessionStorage.setItem(KEY, JSON.stringify([...losses(), [from, to]].slice(-5)));
    } catch (e) { /* a browser that keeps nothing: then it is not said after a reload */ }
  }

  function showLosses() {
    const alarms = document.getElementById("s-alarms");
    if (!alarms) { return; }
    alarms.querySelectorAll(".lost").forEach((p) => p.remove());
    for (const [from, to] of losses()) {
      const p = document.createElement("p");
      p.className = "lost";
      p.textContent = words.was.replace("@f", time(from)).replace("@t", time(to));
      alarms.append(p);
    }
  }

  // what comes from the server

  function put(name, html) {
    const place = document.getElementById("s-" + name);
    if (!place) { return; }
    const within = place.contains(document.activeElement) ? document.activeElement.textContent : null;
    const open = Array.from(place.querySelectorAll("details"), (d) => d.open);
    place.innerHTML = html; // the server's own markup, in which names are text
    place.querySelectorAll("details").forEach((d, i) => { d.open = Boolean(open[i]); });
    if (within !== null) {
      const again = Array.from(place.querySelectorAll("button, a, summary")).find((b) => b.textContent === within);
      if (again) { again.focus({ preventScroll: true }); }
    }
    if (name === "alarms") { showLosses(); }
    if (name === "yours") { announce(place); }
  }

  function announce(place) {
    const strip = document.getElementById("s-yours");
    const grave = Boolean(place.querySelector("h2")) && place.querySelector("h2").textContent.startsWith("▲");
    if (grave) { strip.setAttribute("role", "alert"); } else { strip.removeAttribute("role"); }
  }

  function take(event) {
    const told = JSON.parse(event.data);
    if (told.stale) {
      lose(Date.now() - told.age_s * 1000);
      return;
    }
    heard = Date.now();
    if (lostAt !== null) {
      if (!told.whole) { // what was struck out must come again, all of it
        connect();
        return;
      }
      found();
    }
    for (const [name, html] of Object.entries(told.sections)) { put(name, html); }
    if (told.tone) { document.getElementById("s-yours").className = "yours " + told.tone; }
    document.getElementById("clock").textContent = told.clock;
    document.title = told.title;
  }

  // nothing comes any more

  function strike(element) {
    const s = document.createElement("s");
    s.append(...element.childNodes);
    element.append(s);
  }

  function lose(since) {
    if (lostAt === null) {
      lostAt = since;
      root.dataset.link = "lost";
      document.getElementById("link").textContent = words.lost;
      const h1 = main.querySelector("h1");
      if (h1) {
        strike(h1);
        h1.prepend(Object.assign(document.createElement("span"), { id: "no-data" }), " ");
      }
      main.querySelectorAll(".verdict span, .clock dd, .readings tr:has(.status) td:nth-child(2), .interlock strong").forEach(strike);
      main.querySelectorAll(".readings .status").forEach((td) => { td.textContent = words.unknown; });
      main.querySelectorAll(".now-t").forEach((t) => {
        t.textContent = words.last.replace("@", (/[−\d.]+/.exec(t.textContent) || ["?"])[0]);
      });
      main.querySelectorAll("button").forEach((b) => { b.disabled = true; });
      main.querySelectorAll("a.button").forEach((a) => { a.removeAttribute("href"); });
      const strip = document.getElementById("s-yours");
      strip.setAttribute("role", "alert");
      const why = strip.querySelector("p");
      if (why) { why.textContent = words.why; }
    }
    const long = age(Date.now() - lostAt);
    const said = document.getElementById("no-data");
    if (said) { said.textContent = words.noData.replace("@", long); }
    main.querySelectorAll(".readings .age").forEach((td) => { td.textContent = long; });
    const title = document.querySelector("#s-yours h2");
    if (title) { title.textContent = words.since.replace("@t", time(lostAt, "2-digit")).replace("@a", long); }
  }

  function found() {
    remember(lostAt, Date.now());
    lostAt = null;
    delete root.dataset.link;
    document.getElementById("link").textContent = words.live;
    showLosses();
  }

  function connect() {
    if (source) { source.close(); }
    source = new EventSource("/live");
    source.onmessage = take;
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) { setTimeout(connect, 2000); } // a restart, a refusal
    };
  }

  setInterval(() => { if (Date.now() - heard > STALE_MS) { lose(heard); } }, 500);
  showLosses();
  connect();
})();
