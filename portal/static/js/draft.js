// Keeps the answers of a review when its page is left by a link, as the button does that keeps them. The page works without.
"use strict";

(() => {
  const form = document.getElementById("review");
  if (!form) return;
  let typed = form.hasAttribute("data-unsaved"); // it came back with what could not be taken: nothing of that is kept yet
  form.addEventListener("input", () => { typed = true; });
  form.addEventListener("submit", () => { typed = false; });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // shown again as it was: what it kept on leaving makes it an old copy
  });
  window.addEventListener("pagehide", () => {
    if (!typed) return;
    typed = false;
    fetch(form.getAttribute("action"), { method: "POST", body: new FormData(form), keepalive: true, credentials: "same-origin", redirect: "manual" }).catch(() => {});
  });
})();
