// The form of a request does a little better with a script: what is missing of the reason, and minutes by one tap. No inline code.
"use strict";

// What is missing of a text, counted as the server counts: characters, without blanks at its ends.
function watchLength(area) {
  const needed = Number(area.dataset.needed);
  const note = Object.assign(document.createElement("p"), { className: "needed", id: `${area.id}-needed` });
  const say = () => {
    const have = [...area.value.trim()].length;
    note.textContent = have < needed ? `${needed - have} more characters needed` : `${have} characters, enough`;
    note.classList.toggle("is-enough", have >= needed);
  };
  area.after(note);
  area.addEventListener("input", say);
  say();
}

// Minutes by one tap, beside the number.
function addPresets(input) {
  const row = Object.assign(document.createElement("div"), { className: "presets" });
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "Usual lengths in minutes");
  const buttons = input.dataset.presets.split(" ").map((minutes) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary", textContent: minutes });
    button.addEventListener("click", () => {
      input.value = minutes;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    return button;
  });
  const mark = () => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent === input.value)));
  row.append(...buttons);
  input.closest(".field").append(row);
  input.addEventListener("input", mark);
  input.addEventListener("change", mark);
  mark();
}

document.querySelectorAll("[data-needed]").forEach(watchLength);
document.querySelectorAll("[data-presets]").forEach(addPresets);
