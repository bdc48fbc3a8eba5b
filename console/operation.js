// Operation: how the engine is, and what an operator may do about it. Every act has its reason, and is noted.

import { ask, key, notify } from "./engine.js";
import { AskKey } from "./key.js";
import { Field, Modal, clock, html, num, span, useEffect, useRef, useState } from "./parts.js";

const STATUS_MS = 2_000;
const STEPS = ["total", "queue", "quotes", "build", "landing"];

/** Ask again and again while it is looked at. */
function useAsked(path, every) {
  const [at, set] = useState({});
  const again = useRef(() => {});
  useEffect(() => {
    let timer = 0, stopped = false;
    const look = async () => {
      clearTimeout(timer);
      if (!document.hidden) {
        try {
          const told = await ask(path);
          if (!stopped) set({ told });
        } catch (error) {
          if (!stopped) set((was) => ({ ...was, error }));
          if (error.status === 401 || error.status === 403) return; // each refusal is noted: once is enough
        }
      }
      if (!stopped) timer = setTimeout(look, every);
    };
    again.current = look;
    look();
    return () => ((stopped = true), clearTimeout(timer));
  }, [path]);
  return { ...at, again: () => again.current() };
}

export function Operation() {
  const status = useAsked("/api/ops/status", STATUS_MS);
  if (status.error?.status === 401)
    return html`<${AskKey} title="An operator's key" wrong=${Boolean(key())}>Operation takes an operator's key, also where traders need none: <code>make key ACCOUNT=name ROLE=operator</code> makes one.<//>`;
  if (status.error?.status === 403)
    return html`<section><h1>Operation</h1><p class="warn" role="alert">This takes an operator's key; yours is a trader's. <code>make key ACCOUNT=name ROLE=operator</code> makes one.</p></section>`;
  if (!status.told) return html`<section><h1>Operation</h1><p role="status" class=${status.error ? "error" : "quiet"}>${status.error?.message ?? "Asking …"}</p></section>`;
  return html`<${Health} status=${status} />`;
}

const Tile = ({ name, value, state = "ok", hint }) => html`<div class=${`tile ${state}`}><dt>${name}</dt><dd>${value} <span class="state">${{ ok: "ok", soon: "look", near: "act" }[state]}</span>${hint && html`<small>${hint}</small>`}</dd></div>`;

function Health({ status: { told, error, again } }) {
  const letters = useAsked("/api/ops/dead-letters?limit=50", 5_000);
  const audit = useAsked("/api/ops/audit?limit=50", 5_000);
  const [act, ask_] = useState(null);
  const { trading, queue, deadLetters, ticker, breakers, latency } = told;
  const oldest = queue.oldestSeconds ?? 0, slowest = Math.max(0, ...ticker.pairs.map((pair) => pair.ageSeconds ?? 0));
  const shut = Object.entries(breakers).filter(([, each]) => each.state !== "closed");
  const halted = trading.state === "halted";
  const done = () => {
    ask_(null);
    again();
    letters.again();
    audit.again();
  };
  return html`<div class="operation">
    <section aria-labelledby="ops-title">
      <div class="toolbar"><h1 id="ops-title">Operation</h1><span class="quiet">${clock(told.at)}</span><span class="grow"></span>
        ${halted ? html`<button type="button" onClick=${() => ask_("resume")}>Resume trading</button>` : html`<button type="button" class="danger" onClick=${() => ask_("halt")}>Halt trading</button>`}</div>
      ${error && html`<p class="error" role="alert">${error.message}</p>`}
      <dl class="tiles">
        <${Tile} name="Trading" value=${trading.state} state=${halted ? "near" : "ok"} hint=${halted ? trading.reason : ""} />
        <${Tile} name="Queue" value=${num(queue.waiting)} state=${queue.waiting > 500 ? "soon" : "ok"} hint=${`${num(queue.inFlight)} in flight, ${num(queue.delayed)} delayed`} />
        <${Tile} name="Oldest" value=${span(oldest * 1000)} state=${oldest > 60 ? "near" : oldest > 10 ? "soon" : "ok"} />
        <${Tile} name="Dead letters" value=${num(deadLetters)} state=${deadLetters > 0 ? "soon" : "ok"} />
        <${Tile} name="Ticker" value=${ticker.pairs.length ? span(slowest * 1000) : "idle"} state=${slowest > 30 ? "near" : slowest > 10 ? "soon" : "ok"} hint=${`${ticker.pairs.length} ${ticker.pairs.length === 1 ? "pair" : "pairs"} watched`} />
        <${Tile} name="Breakers" value=${shut.length ? shut.map(([venue, each]) => `${venue} ${each.state}`).join(", ") : "closed"} state=${shut.length ? "near" : "ok"} hint="both venues are asked if closed" />
      </dl>
    </section>
    <section aria-labelledby="latency-title">
      <h2 id="latency-title">Latency of the last ${num(latency.orders)} orders</h2>
      <div class="wide" tabindex="0" role="group" aria-label="Latency"><table>
        <thead><tr><th scope="col">step</th><th scope="col">p50</th><th scope="col">p95</th><th scope="col">p99</th></tr></thead>
        <tbody>${STEPS.filter((step) => latency.steps?.[step]).map((step) => html`<tr key=${step}><th scope="row">${step}</th>${["p50", "p95", "p99"].map((p) => html`<td key=${p}>${span(latency.steps[step][p] ?? NaN)}</td>`)}</tr>`)}</tbody>
      </table></div>
    </section>
    <section aria-labelledby="letters-title">
      <div class="toolbar"><h2 id="letters-title">Dead letters</h2><span class="grow"></span>
        <button type="button" disabled=${!letters.told?.deadLetters?.length} onClick=${() => ask_("redrive")}>Redrive</button></div>
      ${!letters.told?.deadLetters?.length ? html`<p class="quiet">None.</p>` : html`<div class="wide" tabindex="0" role="group" aria-label="Dead letters"><table class="texts">
        <thead><tr><th scope="col">order</th><th scope="col">sent</th><th scope="col">received</th><th scope="col">status</th><th scope="col">reason</th></tr></thead>
        <tbody>${letters.told.deadLetters.map((letter) => html`<tr key=${letter.messageId}><td>${letter.orderId ? html`<a href=${`#/orders/${encodeURIComponent(letter.orderId)}`}>${letter.orderId}</a>` : "can't be read"}</td><td>${clock(letter.sentAt, { day: true })}</td>
          <td>${letter.receiveCount}</td><td>${letter.status ?? "–"}</td><td><code>${letter.error?.code ?? letter.error ?? "–"}</code></td></tr>`)}</tbody>
      </table></div>`}
    </section>
    <section aria-labelledby="audit-title">
      <h2 id="audit-title">Audit</h2>
      ${!audit.told?.acts?.length ? html`<p class="quiet">Nobody has done anything yet.</p>` : html`<div class="wide" tabindex="0" role="group" aria-label="Audit"><table class="texts">
        <thead><tr><th scope="col">at</th><th scope="col">who</th><th scope="col">did</th><th scope="col">why</th><th scope="col">result</th></tr></thead>
        <tbody>${audit.told.acts.map((each) => html`<tr key=${each.id}><td>${clock(each.at, { day: true })}</td><td>${each.account}</td><td>${each.act}</td><td>${each.reason ?? "–"}</td><td>${typeof each.result === "object" ? JSON.stringify(each.result) : each.result}</td></tr>`)}</tbody>
      </table></div>`}
    </section>
    ${act && html`<${Act} act=${act} close=${() => ask_(null)} done=${done} />`}
  </div>`;
}

const ACTS = {
  halt: ["Halt trading?", "No new orders are taken; those under way are finished.", "Halt"],
  resume: ["Resume trading?", "New orders are taken again.", "Resume"],
  redrive: ["Redrive the dead letters?", "They go back to the order queue; an order that has ended stays as it is.", "Redrive"],
};

function Act({ act, close, done }) {
  const [title, what, button] = ACTS[act];
  const [reason, set] = useState("");
  const [error, tell] = useState(null);
  const run = async (event) => {
    event.preventDefault();
    if (!reason.trim()) return tell("Say why; it is noted.");
    try {
      const told = await ask(`/api/ops/${act}`, { method: "POST", body: { reason: reason.trim() } });
      notify(act === "redrive" ? `${told.moved} moved, ${told.remaining} remain.` : `Trading is ${told.trading.state}.`);
      done();
    } catch (problem) {
      tell(problem.message);
    }
  };
  return html`<${Modal} title=${title} onClose=${close}>
    <form onSubmit=${run} noValidate><p>${what}</p>
      <${Field} id="reason" label="Reason" value=${reason} error=${error} onValue=${set} />
      <p class="buttons"><button type="button" onClick=${close}>Leave it</button> <button type="submit" class="danger">${button}</button></p></form>
  <//>`;
}
