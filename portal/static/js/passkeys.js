// Passkeys: asks the portal what is to be signed, lets the browser ask the authenticator, and sends the answer with the form around it.
// Without script the box stays hidden, and the code of the authenticator does the same.
"use strict";

(() => {
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));

  async function asked(box) {
    const token = box.closest("form").elements.csrfmiddlewaretoken.value;
    const answer = await fetch(box.dataset.options, { method: "POST", headers: { "X-CSRFToken": token }, credentials: "same-origin" });
    if (answer.redirected || !(answer.headers.get("Content-Type") ?? "").includes("json")) throw new Error("Load this page again: you are no longer signed in, or the portal is out of reach.");
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.sentence);
    return { ...told, challenge: toBytes(told.challenge) };
  }

  const packed = (credential, response) => JSON.stringify({
    id: credential.id, rawId: toText(credential.rawId), type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined, response,
  });

  async function create(options) {
    options.user.id = toBytes(options.user.id);
    options.excludeCredentials = known(options.excludeCredentials);
    const made = await navigator.credentials.create({ publicKey: options });
    return packed(made, {
      clientDataJSON: toText(made.response.clientDataJSON), attestationObject: toText(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    });
  }

  async function get(options) {
    options.allowCredentials = known(options.allowCredentials);
    const given = await navigator.credentials.get({ publicKey: options });
    const { clientDataJSON, authenticatorData, signature, userHandle } = given.response;
    return packed(given, {
      clientDataJSON: toText(clientDataJSON), authenticatorData: toText(authenticatorData), signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : undefined,
    });
  }

  // The browser's own errors, in a sentence; it tells little on purpose.
  const sentences = {
    NotAllowedError: "Nothing was sent: it was cancelled, took too long, or this device holds none of your passkeys.",
    InvalidStateError: "This authenticator is enrolled already.",
    SecurityError: "Passkeys of this portal work at its own address only.",
    TypeError: "The portal is out of reach. Try again in a minute.",
  };

  async function use(box) {
    const button = box.querySelector("button");
    const word = box.querySelector("[data-passkey-word]");
    if (button.disabled) return;
    button.disabled = true;
    word.textContent = "Follow your browser.";
    try {
      const options = await asked(box);
      box.querySelector("[name=passkey]").value = await (box.dataset.passkey === "create" ? create(options) : get(options));
      word.textContent = "Checking.";
      box.closest("form").submit();
    } catch (error) {
      word.textContent = sentences[error.name] ?? error.message;
      button.disabled = false;
    }
  }

  document.querySelectorAll("[data-passkey]").forEach((box) => {
    if (!window.PublicKeyCredential) return;
    box.hidden = false;
    box.parentElement.querySelectorAll("[data-passkey-without]").forEach((note) => { note.hidden = true; });
    box.querySelector("button").addEventListener("click", () => use(box));
    if (box.dataset.passkey === "create") {
      box.closest("form").addEventListener("submit", (event) => { event.preventDefault(); use(box); });
    }
  });
})();
