// Keeps the answers of a review when its page is left by a link, as the button does that keeps them. The page works without.
"use strict";

(() => {
  const form = document.getElementById("review");
  if (!form) return;
  let typed = false;
  form.addEventListener("input", () => { typed = true; });
  form.addEventListener("submit", () => { typed = false; });
  window.addEventListener("pagehide", () => {
    if (!typed) return;
    typed = false;
    fetch(form.getAttribute("action"), { method: "POST", body: new FormData(form), keepalive: true, credentials: "same-origin", redirect: "manual" }).catch(() => {});
  });
})();
