// What pages do a little better with a script; each works without it. No eval, no inline code.
"use strict";

const each = (root, selector, act) => {
  if (root.matches?.(selector)) act(root);
  root.querySelectorAll(selector).forEach(act);
};

// Times: the viewer's own zone beside UTC, left out where it is UTC.
function showLocalTime(time) {
  const at = new Date(time.dateTime);
  if (time.dataset.shown || Number.isNaN(at.getTime())) return;
  time.dataset.shown = "yes";
  if (at.getTimezoneOffset() === 0) return;
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
  if (time.dataset.seconds) clock.second = "2-digit";
  const utcDay = at.toISOString().slice(0, 10);
  const ownDay = new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 10);
  if (utcDay !== ownDay) Object.assign(clock, { day: "numeric", month: "short" });
  const local = document.createElement("span");
  local.className = "local-time";
  local.textContent = new Intl.DateTimeFormat("en-GB", clock).format(at);
  time.after(" ", local);
}

// Countdown: by the server's clock, so a wrong clock on the phone does no harm.
function lengthInWords(seconds) {
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"], [seconds < 600 ? seconds % 60 : 0, "s"]];
  return parts.filter(([number]) => number).slice(0, 2).map(([number, unit]) => `${number} ${unit}`).join(" ") || "0 s";
}

function startCountdown(box) {
  if (box.dataset.ticking) return;
  box.dataset.ticking = "yes";
  const ahead = Date.now() - Date.parse(box.dataset.served);
  const until = Date.parse(box.dataset.countdown);
  const near = Number(box.dataset.near);
  const shown = box.querySelector("[data-left]");
  const told = box.querySelector("[data-told]");
  let before = Infinity;
  const tick = () => {
    if (!box.isConnected) return clearInterval(timer);
    const left = Math.max(0, Math.ceil((until - (Date.now() - ahead)) / 1000));
    shown.textContent = left ? lengthInWords(left) : box.dataset.over;
    box.classList.toggle("is-near", left > 0 && left <= near);
    box.classList.toggle("is-over", left === 0);
    for (const mark of [near, 60, 0]) {
      if (before > mark && left <= mark && before !== Infinity) told.textContent = left ? `${lengthInWords(left)} left` : box.dataset.over;
    }
    before = left;
    if (!left) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  tick();
}

// Copy the line beside the button, and say so.
async function copyLine(button) {
  const line = button.parentElement.querySelector("pre");
  const word = button.querySelector("[data-copy-word]");
  try {
    await navigator.clipboard.writeText(line.textContent);
    word.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(line);
    word.textContent = "Selected";
  }
  tell(`${word.textContent}.`);
  setTimeout(() => { word.textContent = "Copy"; }, 2500);
}

// One quiet voice for screen readers.
function tell(text) {
  let voice = document.getElementById("voice");
  if (!voice) {
    voice = Object.assign(document.createElement("div"), { id: "voice", className: "visually-hidden" });
    voice.setAttribute("role", "status");
    document.body.append(voice);
  }
  voice.textContent = "";
  requestAnimationFrame(() => { voice.textContent = text; });
}

// Number fields: the buttons move by data-step, from one multiple of it to the next.
function moveNumber(button) {
  const input = document.getElementById(button.dataset.for);
  const step = Number(input.dataset.step);
  const now = Number(input.value) || 0;
  const up = button.dataset.move === "1";
  const next = (up ? Math.floor(now / step) + 1 : Math.ceil(now / step) - 1) * step;
  const lowest = input.min === "" ? -Infinity : Number(input.min);
  const highest = input.max === "" ? Infinity : Number(input.max);
  input.value = Math.min(highest, Math.max(lowest, next));
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
  tell(input.value);
}

function revealPassword(button) {
  const input = document.getElementById(button.dataset.reveal);
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}

// Colours: as the system, light, dark, and round again.
const themeWords = { "": "as the system", light: "light", dark: "dark" };
function switchTheme() {
  const root = document.documentElement;
  const next = { "": "light", light: "dark", dark: "" }[root.dataset.bsTheme ?? ""];
  if (next) root.dataset.bsTheme = next; else delete root.dataset.bsTheme;
  try { localStorage.setItem("colours", next); } catch { /* forgotten after this page */ }
  nameTheme();
  tell(`Colours: ${themeWords[next]}`);
}
function nameTheme() {
  each(document, "[data-theme-word]", (word) => { word.textContent = themeWords[document.documentElement.dataset.bsTheme ?? ""]; });
}

// A form is sent once; the page coming back from the browser's cache may send again.
function sendOnce(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.classList.add("is-busy");
  if ("download" in form.dataset) setTimeout(() => mayBeSentAgain(form), 2000); // the page stays: it may be wanted once more
}
function mayBeSentAgain(form) {
  delete form.dataset.sent;
  each(form, ".is-busy", (button) => button.classList.remove("is-busy"));
}

// An answer that htmx does not show (403, 409, 500, 503): its sentences, as text.
function showRefusal(event) {
  const page = new DOMParser().parseFromString(event.detail.xhr?.responseText ?? "", "text/html");
  const said = ["sentence", "kept", "todo"].map((part) => page.querySelector(`[data-error-${part}]`)?.textContent.trim()).filter(Boolean);
  const box = document.createElement("div");
  box.className = "callout callout-attention";
  const body = Object.assign(document.createElement("div"), { className: "callout-body" });
  body.textContent = said.join(" ") || "No answer from the portal. Nothing on this page was changed; try again.";
  box.append(body);
  document.getElementById("messages")?.replaceChildren(box);
}

const clicks = { "[data-copy]": copyLine, "[data-move]": moveNumber, "[data-reveal]": revealPassword, "[data-theme-switch]": switchTheme };

document.addEventListener("click", (event) => {
  for (const [selector, act] of Object.entries(clicks)) {
    const button = event.target.closest(selector);
    if (button) act(button);
  }
  each(document, "details[data-menu][open]", (menu) => { if (!menu.contains(event.target)) menu.open = false; });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  each(document, "details[data-menu][open]", (menu) => { menu.open = false; menu.querySelector("summary").focus(); });
});
document.addEventListener("submit", sendOnce);
addEventListener("pageshow", () => each(document, "form[data-sent]", mayBeSentAgain));

function enhance(root) {
  each(root, "time[data-moment]", showLocalTime);
  each(root, "[data-countdown]", startCountdown);
  each(root, "[data-error-summary]", (summary) => summary.focus());
}

// htmx: new parts are enhanced too; a part marked data-tell is read out when its words changed, polls that changed nothing stay silent.
const lastTold = new Map();
document.addEventListener("htmx:load", (event) => {
  const part = event.detail.elt;
  enhance(part);
  each(part, "[data-tell]", (element) => {
    if (lastTold.has(element.id) && lastTold.get(element.id) !== element.dataset.tell) tell(element.dataset.tell);
    lastTold.set(element.id, element.dataset.tell);
  });
});
document.addEventListener("htmx:afterRequest", (event) => each(document, "form[data-sent]", mayBeSentAgain));
document.addEventListener("htmx:responseError", showRefusal);
document.addEventListener("htmx:sendError", showRefusal);

nameTheme();
enhance(document);
