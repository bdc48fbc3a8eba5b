// Small things that every screen is made of.

import { h } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import htm from "htm";
import { notify } from "./engine.js";
import { percentOf } from "./terms.js";

export const html = htm.bind(h);
export { useEffect, useMemo, useRef, useState };

const grouped = (whole) => whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** Show a decimal text with its thousands apart, and at most so many decimals. */
export function num(text, decimals = 9) {
  if (text === null || text === undefined || text === "") return "–";
  const shown = String(text);
  if (!/^-?\d+(\.\d+)?$/.test(shown)) return shown;
  const [whole, part = ""] = shown.split(".");
  const cut = part.slice(0, decimals).replace(/0+$/, "");
  return grouped(whole) + (cut && `.${cut}`);
}

/** Show a price with as many digits as tell something. */
export function px(text) {
  const value = Number(text);
  if (text === null || text === undefined || !Number.isFinite(value)) return text ? String(text) : "–";
  const digits = value >= 1000 ? 2 : value >= 1 ? 4 : 10;
  return num(value < 1 ? value.toPrecision(6).replace(/e.*/, "") && Number(value.toPrecision(6)).toFixed(digits) : value.toFixed(digits), digits);
}

export const bps = (value) => (Number.isFinite(value) ? `${percentOf(value)} %` : "–");

/** Show milliseconds in the unit that fits. */
export function span(ms) {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  if (ms < 86_400_000) return `${(ms / 3_600_000).toFixed(1)} h`;
  return `${(ms / 86_400_000).toFixed(1)} days`;
}

const two = (n, digits = 2) => String(n).padStart(digits, "0");

export function clock(at, { ms = false, day = false } = {}) {
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return String(at ?? "–");
  const time = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}${ms ? `.${two(d.getMilliseconds(), 3)}` : ""}`;
  const today = new Date().toDateString() === d.toDateString();
  return day && !today ? `${d.getFullYear() === new Date().getFullYear() ? "" : `${d.getFullYear()}-`}${two(d.getMonth() + 1)}-${two(d.getDate())} ${time}` : time;
}

export const Status = ({ of: status }) => html`<span class=${`status ${/^[a-z]+$/.test(status) ? status : ""}`}>${status}</span>`;

export const Side = ({ of: side }) => html`<span class=${side === "buy" ? "buy" : "sell"}>${side}</span>`;

export function Copy({ text, label }) {
  const [done, say] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      notify("The browser does not let this page copy.", "bad");
      return;
    }
    say(true);
    setTimeout(() => say(false), 1_500);
  };
  return html`<button type="button" class="small" onClick=${copy}>${done ? "Copied" : label}</button>`;
}

/** A labelled input that says what is wrong with it. */
export function Field({ id, label, hint, error, value, onValue, type = "text", suffix, children, ...more }) {
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <div class="input">
      <input id=${id} type=${type} value=${value} autocomplete="off" spellcheck=${false}
        aria-describedby=${told || undefined} aria-invalid=${error ? "true" : undefined}
        onInput=${(event) => onValue(event.currentTarget.value)} ...${more} />
      ${suffix && html`<span class="suffix" aria-hidden="true">${suffix}</span>`}
      ${children}
    </div>
    ${hint && html`<small id=${`${id}-hint`}>${hint}</small>`}
    ${error && html`<small class="error" id=${`${id}-error`}>${error}</small>`}
  </div>`;
}

export function Choice({ id, label, value, onValue, options }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <select id=${id} value=${value} onChange=${(event) => onValue(event.currentTarget.value)}>
      ${options.map(([each, name]) => html`<option key=${each} value=${each} selected=${each === value}>${name}</option>`)}
    </select>
  </div>`;
}

/** A modal: Escape and the button close it, focus stays in it and comes back. */
export function Modal({ title, onClose, children }) {
  const box = useRef(null);
  useEffect(() => {
    box.current.showModal();
  }, []);
  return html`<dialog ref=${box} aria-labelledby="modal-title" onClose=${onClose}>
    <h2 id="modal-title">${title}</h2>
    ${children}
  </dialog>`;
}

/** The share of each venue, as one bar. */
export function Split({ legs }) {
  return html`<div class="split" role="img" aria-label=${`Route: ${legs.map((leg) => `${bps(leg.share * 10_000)} ${leg.venue}`).join(", ")}`}>
    ${legs.map((leg) => html`<span key=${leg.venue} class=${leg.venue} style=${{ flexGrow: Number(leg.share) || 1 }}>${leg.venue} ${bps(Math.round(leg.share * 10_000))}</span>`)}
  </div>`;
}

export const near = (away) => (away <= 0.5 ? "near" : away <= 2 ? "soon" : "far");

/** How far from its trigger an order is: a colour, a word and a number. */
export function Distance({ away }) {
  if (away === null) return html`<span class="quiet">–</span>`;
  const word = { near: "near", soon: "close", far: "far" }[near(away)];
  return html`<span class="light"><i class=${near(away)} aria-hidden="true"></i>${away.toFixed(2)} % <span class="quiet">${word}</span></span>`;
}

/** A line of the last prices. */
export function Spark({ values }) {
  if (!values || values.length < 2) return null;
  const last = values.slice(-120), low = Math.min(...last), high = Math.max(...last), wide = high - low || 1;
  const points = last.map((v, i) => `${((i / (last.length - 1)) * 120).toFixed(1)},${(30 - ((v - low) / wide) * 28).toFixed(1)}`).join(" ");
  return html`<svg class="spark" viewBox="0 0 120 32" aria-hidden="true" preserveAspectRatio="none"><polyline points=${points} /></svg>`;
}
