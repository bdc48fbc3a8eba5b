// The console: a frame around its screens, and the way between them in the address.

import { render } from "preact";
import { changed, key, start, state, useEngine, useKey } from "./engine.js";
import { AskKey } from "./key.js";
import { html, useEffect, useState } from "./parts.js";
import { Market } from "./market.js";
import { Operation } from "./operation.js";
import { Order } from "./order.js";
import { Orders } from "./orders.js";
import { Ticket } from "./ticket.js";

const SCREENS = [["Ticket", "#/"], ["Orders", "#/orders"], ["Market", "#/market"], ["Operation", "#/operation"]];
const SAID = {
  simulated: ["Simulated", "no money: market and chain are made up"],
  paper: ["Paper", "real pools, made-up fills: nothing is sent"],
  live: ["Live", "orders trade with money"],
};
const LINK = { live: "live", connecting: "connecting …", cut: "cut, reconnecting …" };

/** Where the address leads: the screen's name, its query, the order's id. */
function useWay() {
  const parse = () => {
    const [path, query] = (location.hash || "#/").slice(1).split("?");
    const [, screen = "", id] = path.split("/");
    return { screen, id: id && decodeURIComponent(id), query: new URLSearchParams(query) };
  };
  const [way, go] = useState(parse);
  useEffect(() => {
    const moved = () => go(parse());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return way;
}

function theme(to) {
  state.theme = to;
  if (to) document.documentElement.dataset.theme = to;
  try {
    if (to) localStorage.setItem("theme", to);
  } catch { /* then it is for this page only */ }
  changed();
}

function Console() {
  const { settlement, link, needsKey, notices } = useEngine();
  const way = useWay();
  const [name, hint] = SAID[settlement] ?? ["…", "asking the engine what it trades with"];
  useEffect(() => {
    document.title = `${name === "…" ? "" : `${name} · `}Order execution engine`;
  }, [name]);
  useEffect(() => {
    const pressed = (event) => {
      const screen = event.altKey && !event.ctrlKey && SCREENS[Number(event.code?.replace("Digit", "")) - 1];
      if (screen) (event.preventDefault(), (location.hash = screen[1]));
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  const at = way.screen === "" ? "#/" : `#/${way.screen}`;
  return html`
    <a class="skip" href="#content" onClick=${(event) => (event.preventDefault(), document.getElementById("content").focus())}>To the content</a>
    <div class=${`banner ${settlement ?? ""}`} role="note" aria-label="Settlement"><b>${name}</b> <span>${hint}</span></div>
    <header>
      <p class="brand">Order execution engine</p>
      <nav aria-label="Screens">${SCREENS.map(([each, to], i) => html`<a key=${to} href=${to} aria-current=${at === to ? "page" : undefined} aria-keyshortcuts=${`Alt+${i + 1}`}>${each}</a>`)}</nav>
      <span class="grow"></span>
      <span class=${`link ${link}`} role="status"><i aria-hidden="true"></i>${needsKey ? "no key" : LINK[link]}</span>
      <button type="button" class="small" onClick=${() => theme(dark() ? "light" : "dark")} aria-label=${`Use ${dark() ? "light" : "dark"} colours`}>${dark() ? "Light" : "Dark"}</button>
      ${key() && html`<button type="button" class="small" onClick=${() => useKey("")}>Forget key</button>`}
    </header>
    <main id="content" tabindex="-1">
      ${needsKey ? html`<${AskKey}>This engine answers only those who have one. <code>make key ACCOUNT=name</code> makes it.<//>` : html`<${Screen} ...${way} />`}
    </main>
    <div class="notices" role="log" aria-live="polite" aria-label="Notices">${notices.map(({ id, text, kind }) => html`<p key=${id} class=${kind}>${text}</p>`)}</div>`;
}

const dark = () => (state.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

function Screen({ screen, id, query }) {
  if (screen === "") return html`<${Ticket} />`;
  if (screen === "orders") return id ? html`<${Order} key=${id} id=${id} />` : html`<${Orders} query=${query} />`;
  if (screen === "market") return html`<${Market} query=${query} />`;
  if (screen === "operation") return html`<${Operation} />`;
  return html`<section><h1>There is nothing here</h1><p><a href="#/">Back to the ticket</a></p></section>`;
}

let chosen = null;
try {
  chosen = localStorage.getItem("theme");
} catch { /* no storage: as the system has it */ }
if (chosen === "dark" || chosen === "light") theme(chosen);
render(html`<${Console} />`, document.getElementById("app"));
performance.mark("interactive");
start();
