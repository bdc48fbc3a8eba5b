// What the console knows of the engine: asked over HTTP, told over the stream, kept in one place.

import { useEffect, useState } from "preact/hooks";

export const FINAL = new Set(["confirmed", "failed", "cancelled", "expired"]);
const HERE = location.href.split("#")[0];
const KEY = "engine-key";
const PING_MS = 30_000, PONG_MS = 8_000, PRICES_MS = 2_000;
const SAMPLES = 1_800, TAPE = 60;

/** All that is shown; whoever changes it calls `changed`. */
export const state = {
  settlement: null, network: null,
  needsKey: false, wrongKey: false,
  link: "connecting", // connecting, live, cut
  tokens: null,
  orders: new Map(), // by id, each as new as is known
  sorted: [], // the same, newest first
  tape: [], // each state that an order took while we looked, newest first
  prices: new Map(), // by pair
  samples: new Map(), // by pair: [[seconds], [price]]
  notices: [],
};

const lookers = new Set();
let due = false;

/** Show what changed, with the next frame: a thousand changes are one. */
export function changed() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    for (const look of lookers) look();
  });
}

/** Render again whenever something changed. */
export function useEngine() {
  const [, again] = useState(0);
  useEffect(() => {
    const look = () => again((n) => n + 1);
    lookers.add(look);
    return () => lookers.delete(look);
  }, []);
  return state;
}

/** Tell the trader something, aloud too; `kind` is info or bad. */
export function notify(text, kind = "info") {
  const notice = { text, kind, id: crypto.randomUUID() };
  state.notices = [...state.notices.slice(-3), notice];
  setTimeout(() => {
    state.notices = state.notices.filter((each) => each !== notice);
    changed();
  }, kind === "bad" ? 12_000 : 5_000);
  changed();
}

// HTTP

/** An answer that is an error, as the engine words it. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.message || `The engine answered ${status}.`);
    Object.assign(this, { status, code: body.code || "", errors: body.errors || [], title: body.title || "" });
  }
}

/** The line is cut: not known whether the engine heard. */
export class Cut extends Error {}

export const key = () => sessionStorage.getItem(KEY) || "";

/** Use another key, in this tab only; none if it is empty. */
export function useKey(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
  Object.assign(state, { needsKey: false, wrongKey: false, tokens: null, sorted: [], tape: [] });
  state.orders.clear();
  stream.stop();
  start();
}

export async function ask(path, { method = "GET", body, headers = {}, signal } = {}) {
  const sent = { ...headers };
  if (key()) sent["X-Api-Key"] = key();
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(new URL(path.replace(/^\//, ""), HERE), { method, headers: sent, body: text, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Cut("The engine can't be reached.");
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  if (answer.status === 401 && !path.startsWith("/api/ops/")) { // an operator's calls want a key always
    state.wrongKey = Boolean(key());
    state.needsKey = true;
    stream.stop();
    changed();
  }
  throw new Problem(answer.status, told);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Place an order under a key of its own: asked again after a cut or a 5xx, it is still one order. */
export async function place(body, name) {
  for (let tried = 0; ; tried += 1) {
    try {
      const order = await ask("/api/orders/execute", { method: "POST", body, headers: { "Idempotency-Key": name } });
      take(order, true);
      return order;
    } catch (error) {
      const again = error instanceof Cut || (error.status >= 500 && error.code !== "TRADING_HALTED");
      if (!again || tried === 5) throw error;
      await pause(300 * 2 ** tried);
    }
  }
}

export const read = async (id) => take(await ask(`/api/orders/${encodeURIComponent(id)}`));
export const cancel = async (id) => take(await ask(`/api/orders/${encodeURIComponent(id)}/cancel`, { method: "POST" }), true);
export const change = async (order, body) =>
  take(await ask(`/api/orders/${encodeURIComponent(order.orderId)}`,
    { method: "PATCH", body, headers: { "If-Match": `"${order.seq}"` } }), true);

/** Return a page of orders, newest first. */
export async function page(filters, cursor, limit = 100) {
  const query = new URLSearchParams({ limit });
  for (const name of ["status", "type", "pair"]) if (filters[name]) query.set(name, filters[name]);
  if (cursor) query.set("cursor", cursor);
  const told = await ask(`/api/orders?${query}`);
  for (const order of told.orders) take(order);
  return told;
}

// Orders

const older = (a, b) => a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.orderId < b.orderId);

/** Keep an order if it is newer than what is known; `live` puts its new states on the tape. */
export function take(order, live = false) {
  const known = state.orders.get(order.orderId);
  if (known && known.seq >= order.seq) return known;
  state.orders.set(order.orderId, order);
  let low = 0, high = state.sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (older(order, state.sorted[middle])) low = middle + 1;
    else high = middle;
  }
  if (known) state.sorted[low] = order; // its place never changes
  else state.sorted.splice(low, 0, order);
  if (live || known)
    for (const step of order.history || [])
      if (step.seq > (known ? known.seq : 0)) state.tape.unshift({ ...step, order });
  state.tape.length = Math.min(state.tape.length, TAPE);
  changed();
  return order;
}

// The stream: one connection, all orders of the account

const again = new Set();

/** Call `refresh` whenever the stream is back, for what ended meanwhile is not told there. */
export function useReconnect(refresh, on) {
  useEffect(() => {
    again.add(refresh);
    return () => again.delete(refresh);
  }, on);
}

function address() {
  const told = document.querySelector("meta[name=stream]").content;
  if (told.startsWith("ws") && location.hostname.includes(".execute-api.")) return told;
  return new URL("live", HERE).href.replace(/^http/, "ws");
}

export const stream = {
  socket: null, turn: 0, tried: 0, wasLive: false, timer: 0,

  stop() {
    this.turn += 1;
    clearTimeout(this.timer);
    this.socket?.close();
    this.socket = null;
    this.wasLive = false;
    state.link = "connecting";
  },

  async connect() {
    const turn = (this.turn += 1);
    clearTimeout(this.timer);
    let ticket;
    try {
      ({ ticket } = await ask("/api/stream-tickets", { method: "POST" }));
    } catch {
      if (turn === this.turn && !state.needsKey) this.later();
      return;
    }
    if (turn !== this.turn) return;
    // As a subprotocol the ticket stays out of addresses, and so out of logs.
    const socket = (this.socket = new WebSocket(address(), ["orders.v1", `ticket.${ticket}`]));
    let pinged = 0;
    const send = (frame) => socket.readyState === 1 && socket.send(JSON.stringify(frame));
    const beat = setInterval(() => {
      send({ action: "ping" });
      pinged = setTimeout(() => socket.close(), PONG_MS);
    }, PING_MS);
    socket.onopen = () => {
      send({ action: "subscribe", orders: "mine" });
      if (this.wasLive) {
        // What was under way when the line was cut is told from there on.
        const under = state.sorted.filter((o) => !FINAL.has(o.status) && o.status !== "resting").slice(0, 40);
        for (const { orderId, seq } of under) send({ action: "subscribe", orderId, afterSeq: seq });
        for (const refresh of again) refresh();
      }
      Object.assign(this, { tried: 0, wasLive: true });
      state.link = "live";
      changed();
    };
    socket.onmessage = ({ data }) => {
      clearTimeout(pinged);
      const message = JSON.parse(data);
      if (message.order) take(message.order, true);
      else if (message.code === "KEY_REVOKED") useKey("");
      else if (message.type === "error") notify(message.detail, "bad");
    };
    socket.onclose = () => {
      clearInterval(beat);
      clearTimeout(pinged);
      if (turn === this.turn) this.later();
    };
  },

  later() {
    state.link = "cut";
    const wait = Math.min(200 * 2 ** this.tried++, 8_000) * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.connect(), wait);
    changed();
  },
};

addEventListener("offline", () => {
  if (state.needsKey) return;
  stream.turn += 1;
  stream.socket?.close();
  state.link = "cut";
  changed();
});
addEventListener("online", () => {
  if (state.needsKey) return;
  stream.tried = 0;
  stream.connect();
});

// Prices

let asking = 0;

async function askPrices() {
  clearTimeout(asking);
  const began = key();
  if (!document.hidden && !state.needsKey) {
    try {
      const { prices } = await ask("/api/prices");
      const at = Date.now() / 1000;
      for (const told of prices) {
        state.prices.set(told.pair, told);
        if (told.price === null || told.stale) continue;
        const [times, values] = state.samples.get(told.pair) || state.samples.set(told.pair, [[], []]).get(told.pair);
        times.push(at);
        values.push(Number(told.price));
        if (times.length > SAMPLES) (times.shift(), values.shift());
      }
      changed();
    } catch { /* the next one tells */ }
  }
  if (began === key()) asking = setTimeout(askPrices, PRICES_MS);
}

document.addEventListener("visibilitychange", () => document.hidden || askPrices());

/** Begin, or begin again with another key. */
export async function start() {
  ask("/healthz").then(({ settlement, network }) => {
    Object.assign(state, { settlement, network });
    changed();
  }, () => {});
  try {
    state.tokens = await ask("/api/tokens");
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) asking = setTimeout(start, 1_000);
    return;
  }
  changed();
  stream.connect();
  askPrices();
}
