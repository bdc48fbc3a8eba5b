// Asking for a key; it is kept in this tab, and gone with it.

import { state, useKey } from "./engine.js";
import { Field, html, useState } from "./parts.js";

export function AskKey({ title = "Your API key", children, wrong = state.wrongKey }) {
  const [text, set] = useState("");
  const submit = (event) => {
    event.preventDefault();
    if (text.trim()) useKey(text.trim());
  };
  return html`<section class="key" aria-labelledby="key-title">
    <h1 id="key-title">${title}</h1>
    <p>${children} It stays in this tab, and is forgotten with it.</p>
    <form onSubmit=${submit}>
      <${Field} id="key" label="Key" type="password" value=${text} onValue=${set} error=${wrong ? "The engine does not know this key, or it is revoked." : null} />
      <button class="send" type="submit">Use it</button>
    </form>
  </section>`;
}
