// Runs before the first paint: scripts are on, and the colours a person chose. Without a choice the system decides.
(() => {
  const root = document.documentElement;
  root.classList.add("has-js");
  try {
    const chosen = localStorage.getItem("colours");
    if (chosen === "light" || chosen === "dark") root.dataset.bsTheme = chosen;
  } catch { /* storage refused: the system decides */ }
})();
