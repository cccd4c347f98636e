// How long a review is on screen. Told to the portal alone, as ages, every quarter of a minute and when the page is hidden; the page works without.
"use strict";

(() => {
  const box = document.querySelector("[data-sitting]");
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  if (!box || !token) return;
  let since = document.visibilityState === "visible" ? performance.now() : null;

  const tell = () => {
    const now = performance.now();
    const body = new URLSearchParams();
    if (since !== null && now - since >= 500) body.append("on_screen", `${Math.round(Math.min(now - since, 60000))}-0`);
    if (since !== null) since = now;
    if (![...body.keys()].length) return;
    fetch(box.dataset.sitting, { method: "POST", body, keepalive: true, credentials: "same-origin", headers: { "X-CSRFToken": token.value } }).catch(() => {});
  };

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") {
      since = performance.now();
    } else {
      tell();
      since = null;
    }
  });
  window.addEventListener("pagehide", tell);
  setInterval(tell, 15000);
})();
